/* SPDX-License-Identifier: Apache-2.0 */
/* The control port: plain HTTP and JSON on 127.0.0.1, for curl and for tests. */
#ifndef POWERCTL_AMTSIM_CONTROL_H
#define POWERCTL_AMTSIM_CONTROL_H

struct sim;

/* Fills sim->control_port; 0, or -1 having said what is in the way. */
int control_start(struct sim *sim);
void control_stop(struct sim *sim);

#endif
