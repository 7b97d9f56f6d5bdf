/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one flat JSON object: names with strings, numbers, true, false. Writes any. */
#ifndef POWERCTL_SIM_JSON_H
#define POWERCTL_SIM_JSON_H

#include "util.h"

struct json_reader {
	struct str rest;
	bool started;
	bool bad;
};

void json_reader_init(struct json_reader *r, struct str text);
/*
 * The next member, its value as text without quotes; false at the end or if bad. Strings with a
 * backslash are not understood: bad.
 */
bool json_reader_next(struct json_reader *r, struct str *ret_name, struct str *ret_value);

/* The name of a member, behind a comma if it is not the first one of its object. */
void json_member(struct buf *out, const char *name);
/* A NULL text is null. */
void json_member_text(struct buf *out, const char *name, const char *text);
void json_member_number(struct buf *out, const char *name, uint64_t value);
void json_member_bool(struct buf *out, const char *name, bool value);

#endif
