/* SPDX-License-Identifier: Apache-2.0 */
/* What is told of a program that has ended, in words. */
#include <ctype.h>
#include <string.h>

#include <powerctl/parse.h>

#include "base/program.h"

#define CUT_MIN 4u /* fewer bytes may be anything */

/* Where a text was cut within a secret. */
static void redact_end(char *text, size_t len, const char *secret, size_t n)
{
	for (size_t part = n < len ? n : len; part >= CUT_MIN; part--)
		if (memcmp(text + len - part, secret, part) == 0)
			memset(text + len - part, '*', part);
}

void pctl_program_redact(char *text, size_t len, const struct pctl_secret *const *secrets)
{
	for (; text && secrets && *secrets; secrets++) {
		size_t n = pctl_secret_len(*secrets);

		for (char *at = text;
			n && at &&
			(at = memmem(at, len - (size_t)(at - text), pctl_secret_data(*secrets), n));
			at += n)
			memset(at, '*', n);
		redact_end(text, len, pctl_secret_data(*secrets), n);
	}
}

void pctl_program_last_line(const struct pctl_buf *said, char *ret)
{
	const char *end = said->data + said->len;

	while (end > said->data && isspace((unsigned char)end[-1]))
		end--;
	const char *line = memrchr(said->data, '\n', (size_t)(end - said->data));
	line = line ? line + 1 : said->data;
	while (line < end && isspace((unsigned char)*line))
		line++;
	size_t n = (size_t)(end - line) < PCTL_PROGRAM_LAST_SIZE - 1 ? (size_t)(end - line)
								     : PCTL_PROGRAM_LAST_SIZE - 1;
	for (size_t i = 0; i < n; i++)
		ret[i] = iscntrl((unsigned char)line[i]) ? ' ' : line[i];
	ret[n] = '\0';
}

/* To what is read at a glance; and equal errors fold. */
static uint64_t rounded(uint64_t ms)
{
	uint64_t to = ms < 1000 ? 10 : ms < 10000 ? 100 : 1000;

	return (ms + to / 2) / to * to;
}

void pctl_program_explain(const char *name, const struct pctl_program_options *options,
	const char *last, struct pctl_program_result *result)
{
	const char *colon = *last ? ": " : "";
	struct pctl_error *err = &result->err;
	char limit[32];

	switch (result->end) {
	case PCTL_PROGRAM_EXITED:
		if (result->status != 0)
			(void)pctl_error_set(err, PCTL_E_PROTOCOL,
				"'%.100s' ended with status %d%s%s", name, result->status, colon,
				last);
		break;
	case PCTL_PROGRAM_SIGNALED:
		(void)pctl_error_set(err, PCTL_E_PROTOCOL,
			"'%.100s' was killed by signal %d (%s)%s%s", name, result->status,
			strsignal(result->status), colon, last);
		break;
	case PCTL_PROGRAM_LATE:
		pctl_format_duration(rounded(options->timeout_ms), limit, sizeof(limit));
		(void)pctl_error_set(err, PCTL_E_TIMEOUT,
			options->op ? "no answer from %.100s in %s; it was killed%s%s"
				    : "'%.100s' did not end in %s and was killed%s%s",
			name, limit, colon, last);
		break;
	case PCTL_PROGRAM_NOISY:
		(void)pctl_error_set(err, PCTL_E_PROTOCOL,
			"'%.100s' printed more than %zu bytes and was killed", name,
			options->out_max);
		break;
	case PCTL_PROGRAM_INTERRUPTED:
		(void)pctl_error_set(err, PCTL_E_CANCELED, "'%.100s' was interrupted", name);
		break;
	case PCTL_PROGRAM_NOT_STARTED:
		break;
	}
}
