/* SPDX-License-Identifier: Apache-2.0 */
/* Serial over LAN: a terminal behind frames. */
#ifndef POWERCTL_AMTSIM_REDIR_SOL_H
#define POWERCTL_AMTSIM_REDIR_SOL_H

#include "redir.h"

/* The host starts with its BIOS on the serial line. */
void sol_show_bios(struct device *dev);

/* For knobs. */
bool sol_set_send(struct device *dev, struct str value);
void sol_show_send(const struct device *dev, struct buf *out);

#endif
