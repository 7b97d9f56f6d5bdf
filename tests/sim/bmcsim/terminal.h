/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on the serial line by default: a shell of a few words that echoes. No I/O. */
#ifndef POWERCTL_BMCSIM_TERMINAL_H
#define POWERCTL_BMCSIM_TERMINAL_H

#include "util.h"

struct device;

enum { TERMINAL_LINE = 128 };

struct terminal {
	struct device *dev;
	char line[TERMINAL_LINE];
	size_t n;
	uint32_t breaks;
};

/* Each appends what it prints. */
void terminal_init(struct terminal *t, struct device *dev, struct buf *out);
void terminal_input(struct terminal *t, const uint8_t *p, size_t n, struct buf *out);
void terminal_break(struct terminal *t, struct buf *out);

#endif
