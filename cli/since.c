/* SPDX-License-Identifier: Apache-2.0 */
#include "since.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "cli.h"
#include "say.h"

#define DAY_MS ((uint64_t)86400000)

/* "7d" is what durations of a few seconds have no need for. */
static int parse_age(const char *s, uint64_t *ret)
{
	size_t len = strlen(s);
	PCTL_AUTO(free) char *digits = pctl_xstrdup(s);
	uint64_t days = 0;

	if (len < 2 || s[len - 1] != 'd')
		return pctl_parse_duration(s, ret);
	digits[len - 1] = '\0';
	int r = pctl_parse_uint(digits, 100000, &days);
	if (r == 0)
		*ret = days * DAY_MS;
	return r;
}

/* The beginning of a time as the history has it: 2026-11-20, 2026-11-20 10:00. */
static bool is_time(const char *s)
{
	static const char form[] = "dddd-dd-ddTdd:dd:dd";
	size_t len = strlen(s);

	if (len != 10 && len != 16 && len != SINCE_CHARS)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool digit = form[i] == 'd' && isdigit((unsigned char)s[i]);
		bool space = form[i] == 'T' && s[i] == ' ';

		if (!digit && !space && s[i] != form[i])
			return false;
	}
	return true;
}

int since_read(const char *word, char ret[SINCE_CHARS + 1])
{
	struct tm tm = { 0 };
	uint64_t ms = 0;

	*ret = '\0';
	if (!word)
		return CLI_OK;
	if (is_time(word)) {
		(void)snprintf(ret, SINCE_CHARS + 1, "%s", word);
		if (strlen(word) > 10)
			ret[10] = 'T';
		return CLI_OK;
	}
	if (parse_age(word, &ms) < 0) {
		say("--since: '%s' is neither a time ago, as 30m, 2h or 7d, nor a time in UTC, as "
		    "2026-11-20 or '2026-11-20 10:00'",
			word);
		return CLI_USAGE;
	}
	time_t at = time(NULL) - (time_t)((ms + 999) / 1000);
	if (at < 0)
		at = 0;
	(void)gmtime_r(&at, &tm);
	(void)strftime(ret, SINCE_CHARS + 1, "%Y-%m-%dT%H:%M:%S", &tm);
	return CLI_OK;
}
