/* SPDX-License-Identifier: Apache-2.0 */
/* What the powerctl that serves a medium says of it to others of its user: written, and read. */
#ifndef POWERCTL_CLI_MEDIA_ANSWER_H
#define POWERCTL_CLI_MEDIA_ANSWER_H

#include <powerctl/value.h>

/* An object of JSON with this program's pid and the drives of a medium's facts; free() it. */
char *media_answer(const char *node, const struct pctl_value *facts);

/*
 * Adds what such an answer says to a map, with the names of docs/names.md. False: it is none, and
 * the map is as it was.
 */
bool media_answer_read(const char *answer, struct pctl_value *ret);

#endif
