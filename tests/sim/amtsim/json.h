/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one flat JSON object: names with strings, numbers, true, false. */
#ifndef POWERCTL_AMTSIM_JSON_H
#define POWERCTL_AMTSIM_JSON_H

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

#endif
