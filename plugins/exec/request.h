/* SPDX-License-Identifier: Apache-2.0 */
/* What a program is asked: one line that is a JSON object (README.md has all of it). No I/O. */
#ifndef POWERCTL_EXEC_REQUEST_H
#define POWERCTL_EXEC_REQUEST_H

#include <powerctl/buf.h>

#include "exec.h"

struct request {
	const char *op;               /* "get" */
	const char *action;           /* of an act, or NULL */
	const struct pctl_boot *boot; /* what is to be set, or NULL */
	uint64_t timeout_ms;
};

/*
 * Writes a request about a device with its settings and secrets into buf, which is a secret one.
 * PCTL_E_CONFIG where that cannot be said in JSON, or is more than a program may get.
 */
int request_write(struct pctl_buf *buf, const struct pctl_device *device,
	const struct pctl_property *properties, const struct request *request,
	struct pctl_error *err);

/* A text in quotes; false: it is not UTF-8, and nothing was added. */
bool request_add_text(struct pctl_buf *buf, const char *text, size_t len);

#endif
