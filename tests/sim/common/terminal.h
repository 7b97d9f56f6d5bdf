/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs on the serial line by default: a shell of a few words that echoes. No I/O. */
#ifndef POWERCTL_SIM_TERMINAL_H
#define POWERCTL_SIM_TERMINAL_H

#include "util.h"

struct device;

/* Whose it is. */
struct terminal_host {
	const char *program; /* "powerctl-bmcsim" */
	const char *prompt;  /* "bmc": the device's number follows */
	uint32_t n;
	struct device *dev;
	/* What the word power says. */
	void (*power)(struct device *dev, struct buf *out);
};

enum { TERMINAL_LINE = 128 };

struct terminal {
	struct terminal_host host;
	char line[TERMINAL_LINE];
	size_t n;
	uint32_t breaks;
};

/* Each appends what it prints. */
void terminal_init(struct terminal *t, const struct terminal_host *host, struct buf *out);
void terminal_input(struct terminal *t, const uint8_t *p, size_t n, struct buf *out);
void terminal_break(struct terminal *t, struct buf *out);

#endif
