/* SPDX-License-Identifier: Apache-2.0 */
/* No traffic from here on: the kernel says which system call would have made some. */
#ifndef POWERCTL_CONFORM_QUIET_H
#define POWERCTL_CONFORM_QUIET_H

#include "conform.h"

/*
 * For the rest of this process. connect, sendto, sendmsg, sendmmsg and accept end the check with
 * the name of the call and of what the driver was doing. Skips the check where the kernel has no
 * seccomp.
 */
void quiet_from_now(const struct bench *bench);

#endif
