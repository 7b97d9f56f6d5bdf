/* SPDX-License-Identifier: Apache-2.0 */
/* A screen as a PNG file. */
#ifndef POWERCTL_CLI_DISPLAY_PNG_H
#define POWERCTL_CLI_DISPLAY_PNG_H

#include "display/rfb.h"

/* Adds the file's bytes to out. May run on any thread. PCTL_E_INTERNAL: it does not fit. */
int display_png(const struct rfb_screen *screen, struct pctl_buf *out, struct pctl_error *err);

#endif
