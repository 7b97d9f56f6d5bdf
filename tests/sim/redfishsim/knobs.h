/* SPDX-License-Identifier: Apache-2.0 */
/* Everything that can be set in one service while it runs, in one table. */
#ifndef POWERCTL_REDFISHSIM_KNOBS_H
#define POWERCTL_REDFISHSIM_KNOBS_H

#include "knob.h"

extern const struct knob_table knobs_table;

#endif
