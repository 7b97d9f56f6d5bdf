/* SPDX-License-Identifier: Apache-2.0 */
/* What ssh prints, as classes of errors. The words are OpenSSH's, and much older than this. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

#include "node/gateway.h"

static const struct {
	const char *words;
	int code;
	unsigned flags;
	const char *text; /* NULL: its own last line */
	bool mend;        /* text has a place for the destination */
} ends[] = {
	{ "REMOTE HOST IDENTIFICATION HAS CHANGED", PCTL_E_TRUST, 0,
		"its host key has changed: another machine answers, or it was set up anew; `ssh "
		"%s` shows both",
		true },
	{ "Host key verification failed", PCTL_E_TRUST, 0,
		"its host key is not known here; log in once with `ssh %s` and compare it", true },
	{ "Permission denied", PCTL_E_AUTH, 0,
		"it refused the login; `ssh -o BatchMode=yes %s` has to work without a question",
		true },
	{ "Too many authentication failures", PCTL_E_AUTH, 0,
		"it refused all keys that were tried; name the right one in ~/.ssh/config", false },
	{ "Bad configuration option", PCTL_E_CONFIG, 0, NULL, false },
	{ "Bad owner or permissions", PCTL_E_CONFIG, 0, NULL, false },
	{ "Connection refused", PCTL_E_UNREACHABLE, PCTL_ERROR_NOT_LISTENING, "connection refused",
		false },
	{ "No route to host", PCTL_E_UNREACHABLE, 0, "no route to it", false },
	{ "Network is unreachable", PCTL_E_UNREACHABLE, 0, "no route to its network", false },
	{ "timed out", PCTL_E_UNREACHABLE, PCTL_ERROR_SILENT, "no answer", false },
	{ "closed by remote host", PCTL_E_UNREACHABLE, PCTL_ERROR_DROPPED,
		"it closed the connection", false },
	{ "not responding", PCTL_E_UNREACHABLE, PCTL_ERROR_SILENT, "it does not answer any more",
		false },
};

/* The last line with something in it, without what is said of single connections. */
static const char *last_line(const char *said, size_t *ret_len)
{
	const char *found = "";

	*ret_len = 0;
	while (*said) {
		size_t len = strcspn(said, "\r\n");
		const char *line = said;

		said += len;
		said += strspn(said, "\r\n");
		while (len && isspace((unsigned char)line[len - 1]))
			len--;
		if (!len || strncmp(line, "channel ", 8) == 0 || strncmp(line, "Warning: ", 9) == 0)
			continue;
		found = line;
		*ret_len = len;
	}
	return found;
}

static void say(size_t i, const char *destination, struct pctl_error *err)
{
	const char *text = ends[i].text, *place = strstr(text, "%s");

	if (ends[i].mend && place)
		pctl_error_set(err, ends[i].code, "%.*s%.80s%s", (int)(place - text), text,
			destination, place + 2);
	else
		pctl_error_set(err, ends[i].code, "%s", text);
}

int pctl_gateway_explain(const char *said, const char *destination, struct pctl_error *err)
{
	size_t len, i = 0, n = sizeof(ends) / sizeof(ends[0]);
	const char *line = last_line(said, &len);

	while (i < n && !strstr(said, ends[i].words))
		i++;
	if (i < n && ends[i].text)
		say(i, destination, err);
	else if (len)
		pctl_error_set(
			err, i < n ? ends[i].code : PCTL_E_UNREACHABLE, "%.*s", (int)len, line);
	else
		pctl_error_set(err, PCTL_E_UNREACHABLE, "ssh ended without a word");
	if (i < n)
		(void)pctl_error_flag(err, ends[i].flags);
	return i < n ? ends[i].code : PCTL_E_UNREACHABLE;
}

/* --- One connection through it. --------------------------------------------------------------- */

const char *pctl_gateway_reason(const char *line)
{
	static const char failed[] = ": open failed: ";
	size_t digits;

	if (strncmp(line, "channel ", 8) != 0)
		return NULL;
	line += 8;
	digits = strspn(line, "0123456789");
	if (!digits || strncmp(line + digits, failed, sizeof(failed) - 1) != 0)
		return NULL;
	return line + digits + sizeof(failed) - 1;
}

static const struct {
	const char *words;
	int code;
	unsigned flags;
	const char *text;
} opens[] = {
	{ "Connection refused", PCTL_E_UNREACHABLE, PCTL_ERROR_NOT_LISTENING,
		"connection refused" },
	{ "No route to host", PCTL_E_UNREACHABLE, 0, "no route from there to it" },
	{ "Network is unreachable", PCTL_E_UNREACHABLE, 0, "no route from there to its network" },
	{ "timed out", PCTL_E_UNREACHABLE, PCTL_ERROR_SILENT, "no answer" },
	{ "administratively prohibited", PCTL_E_FORBIDDEN, 0,
		"it allows no such connections: see AllowTcpForwarding and PermitOpen in its "
		"sshd_config" },
};

int pctl_gateway_explain_open(const char *reason, struct pctl_error *err)
{
	if (strstr(reason, "resource shortage")) {
		(void)pctl_error_shortage(err, EUSERS);
		return PCTL_E_INTERNAL;
	}
	for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		if (!strstr(reason, opens[i].words))
			continue;
		pctl_error_set(err, opens[i].code, "%s", opens[i].text);
		(void)pctl_error_flag(err, opens[i].flags);
		return opens[i].code;
	}
	return pctl_error_set(err, PCTL_E_UNREACHABLE, "%s",
		*reason ? reason : "it did not get through, and does not say why");
}
