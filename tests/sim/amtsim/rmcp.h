/* SPDX-License-Identifier: Apache-2.0 */
/* Presence pings (RMCP, ASF) and their answers, for those that ask for them with --rmcp. */
#ifndef POWERCTL_AMTSIM_RMCP_H
#define POWERCTL_AMTSIM_RMCP_H

#include <stdint.h>

struct sim;

/* The value of --rmcp where it was not given. */
#define RMCP_OFF UINT32_MAX

/* Adds itself to what the fleet starts and stops. Once, after web_join(). */
void rmcp_join(struct sim *sim);

#endif
