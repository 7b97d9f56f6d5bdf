/* SPDX-License-Identifier: Apache-2.0 */
/* What accounts have to do with other requests. */
#ifndef POWERCTL_REDFISHSIM_ACCOUNTS_H
#define POWERCTL_REDFISHSIM_ACCOUNTS_H

#include "call.h"

/* Whose password has to be changed first may do nothing else; false: 403 is the answer. */
bool accounts_let_pass(struct call *c);

#endif
