/* SPDX-License-Identifier: Apache-2.0 */
/* What can be set on a device, from the command line and through the control port: one table. */
#ifndef POWERCTL_AMTSIM_KNOBS_H
#define POWERCTL_AMTSIM_KNOBS_H

#include "knob.h"

extern const struct knob_table knobs_table;

#endif
