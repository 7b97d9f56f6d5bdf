/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program answers: one line that is a JSON object (README.md has all of it). No I/O; name is
 * the program's in errors, which are PCTL_E_PROTOCOL where nothing else is said.
 */
#ifndef POWERCTL_EXEC_ANSWER_H
#define POWERCTL_EXEC_ANSWER_H

#include <jansson.h>

#include "exec.h"

/* Bytes into an object; json_decref() it. NULL: they are none; err says where and why. */
json_t *answer_read(const char *text, size_t len, const char *name, struct pctl_error *err);

/*
 * What it says about itself: 0: "ok" is true. Else the class and text of its "error"; *ret_unsent:
 * it says that nothing was sent to the device.
 */
int answer_verdict(
	const json_t *answer, const char *name, bool *ret_unsent, struct pctl_error *err);

/* "state", "changing", "actions", "code". *ret is untouched on failure. */
int answer_power(
	const json_t *answer, const char *name, struct pctl_power *ret, struct pctl_error *err);

/* "device", "mode", "persistent". */
int answer_boot(
	const json_t *answer, const char *name, struct pctl_boot *ret, struct pctl_error *err);

/* What describe answers; free with exec_free_description(). NULL: something in it is wrong. */
struct exec_description *answer_description(
	const json_t *answer, const char *name, struct pctl_error *err);

#endif
