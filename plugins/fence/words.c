/* SPDX-License-Identifier: Apache-2.0 */
#include "words.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <powerctl/inventory.h>
#include <powerctl/parse.h>

/* --- Parameters. ------------------------------------------------------------------------------ */

static const struct {
	const char *name;
	enum fence_role role;
} roles[] = {
	{ "ip", FENCE_ADDRESS },
	{ "ipaddr", FENCE_ADDRESS },
	{ "username", FENCE_USER },
	{ "login", FENCE_USER },
	{ "password", FENCE_WORD },
	{ "passwd", FENCE_WORD },
	{ "plug", FENCE_PLUG },
	{ "port", FENCE_PLUG },
	/* What powerctl says itself, or does better. */
	{ "action", FENCE_OURS },
	{ "nodename", FENCE_OURS },
	{ "delay", FENCE_OURS },
	{ "method", FENCE_OURS },
	{ "separator", FENCE_OURS },
	{ "port_as_ip", FENCE_OURS },
	{ "disable_timeout", FENCE_OURS },
	/* What would end it at once, or write down what it sends. */
	{ "help", FENCE_OURS },
	{ "version", FENCE_OURS },
	{ "quiet", FENCE_OURS },
	{ "verbose", FENCE_OURS },
	{ "verbose_level", FENCE_OURS },
	{ "debug", FENCE_OURS },
	{ "debug_file", FENCE_OURS },
	/* A machine that is not found is not one that is off. */
	{ "missing_as_off", FENCE_OURS },
};

/* Run by a shell; password_command is ours, and there is none in it. */
static bool is_script(const char *name)
{
	size_t len = strlen(name), end = strlen("_script");

	return len > end && strcmp(name + len - end, "_script") == 0;
}

enum fence_role fence_words_role(const char *name)
{
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(name, roles[i].name) == 0)
			return roles[i].role;
	return is_script(name) ? FENCE_OURS : FENCE_SETTING;
}

bool fence_words_secret(const char *name)
{
	/* A reservation's key, and the half of a key that is like a user's name. */
	static const char *const open_to_all[] = { "key", "key_value", "access_key", NULL };

	return pctl_key_is_secret(name) && pctl_parse_choice(name, open_to_all) < 0;
}

const char *fence_words_no_power(const char *agent)
{
	static const struct {
		const char *agent, *why;
	} agents[] = {
		{ "fence_ack_manual", "it asks a person" },
		{ "fence_compute", "it tells a cloud that a host is gone" },
		{ "fence_crosslink", "it looks whether a cable is alive" },
		{ "fence_evacuate", "it moves virtual machines away from a host" },
		{ "fence_heuristics_ping", "it decides whether another agent may run" },
		{ "fence_kdump", "it waits for a crashed kernel's message" },
		{ "fence_sbd", "it leaves a message that the machine itself has to read" },
	};

	for (size_t i = 0; i < sizeof(agents) / sizeof(agents[0]); i++)
		if (strcmp(agent, agents[i].agent) == 0)
			return agents[i].why;
	return NULL;
}

/* --- What agents say. ------------------------------------------------------------------------- */

/* "2026-11-21 05:00:00,123 ERROR: ", as fencing.py's LOG_FORMAT has it. */
static const char *skip_prefix(const char *line)
{
	static const char *const levels[] = { "ERROR: ", "CRITICAL: ", "WARNING: ", "INFO: " };

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		const char *found = strstr(line, levels[i]);

		if (found && strspn(line, "0123456789-:, ") == (size_t)(found - line))
			return found + strlen(levels[i]);
	}
	return line;
}

static bool says_nothing(const char *line)
{
	return !*line || strncasecmp(line, "Please use '-h'", 15) == 0;
}

/* A line without blanks around it and without what is no letter to a terminal. */
static void copy_line(const char *from, size_t len, char *ret, size_t size)
{
	size_t n = 0;

	while (len && (unsigned char)*from <= ' ')
		from++, len--;
	while (len && (unsigned char)from[len - 1] <= ' ')
		len--;
	for (size_t i = 0; i < len && n + 1 < size; i++)
		ret[n++] = (unsigned char)from[i] < ' ' || from[i] == 0x7f ? ' ' : from[i];
	ret[n] = '\0';
}

void fence_words_complaint(const char *said, size_t len, char *ret, size_t size)
{
	char line[512];

	*ret = '\0';
	while (len > 0) {
		const char *before = memrchr(said, '\n', len);
		size_t start = before ? (size_t)(before - said) + 1 : 0;

		copy_line(said + start, len - start, line, sizeof(line));
		const char *text = skip_prefix(line);
		if (!says_nothing(text)) {
			(void)snprintf(ret, size, "%s", text);
			return;
		}
		len = start ? start - 1 : 0;
	}
}

/*
 * The first that fits. Source of the first nine: fail() of fencing.py, whose words all agents in
 * Python share; of the others: curl, OpenSSH, requests and the agents themselves.
 */
static const struct fence_meaning meanings[] = {
	/*
	 * A wrong password and a device that is not there sound the same. It is not tried again,
	 * so that a wrong password gets there once.
	 */
	{ "Unable to connect/login", PCTL_E_UNREACHABLE, PCTL_ERROR_NOT_LISTENING, true },
	{ "have to set login password", PCTL_E_CONFIG, 0, true },
	{ "does not have the correct privileges", PCTL_E_FORBIDDEN, 0, true },
	{ "Unable to obtain correct plug status", PCTL_E_REFUSED, 0, false },
	{ "Timed out waiting to power", PCTL_E_TIMEOUT, 0, false },
	{ "Connection lost", PCTL_E_UNREACHABLE, 0, false },
	{ "Connection timed out", PCTL_E_TIMEOUT, 0, false },
	{ "Unrecognised action", PCTL_E_UNSUPPORTED, 0, true },
	{ "Can not find VM UUID", PCTL_E_CONFIG, 0, true },
	{ "Failed: You have to", PCTL_E_CONFIG, 0, true },
	{ "No module named", PCTL_E_CONFIG, 0, true },
	{ "Unable to run", PCTL_E_CONFIG, 0, true },
	{ "login denied", PCTL_E_AUTH, 0, true },
	{ "login failed", PCTL_E_AUTH, 0, true },
	{ "invalid login", PCTL_E_AUTH, 0, true },
	{ "incorrect password", PCTL_E_AUTH, 0, true },
	{ "invalid password", PCTL_E_AUTH, 0, true },
	{ "wrong password", PCTL_E_AUTH, 0, true },
	{ "authentication fail", PCTL_E_AUTH, 0, true },
	{ "failed to authenticate", PCTL_E_AUTH, 0, true },
	{ "access denied", PCTL_E_AUTH, 0, true },
	{ "unauthorized", PCTL_E_AUTH, 0, true },
	{ "Permission denied", PCTL_E_AUTH, 0, true },
	{ "Connection refused", PCTL_E_UNREACHABLE, PCTL_ERROR_NOT_LISTENING, true },
	{ "No route to host", PCTL_E_UNREACHABLE, 0, true },
	{ "Network is unreachable", PCTL_E_UNREACHABLE, 0, true },
	{ "Name or service not known", PCTL_E_UNREACHABLE, 0, true },
	{ "Could not resolve", PCTL_E_UNREACHABLE, 0, true },
	{ "Failed to connect", PCTL_E_UNREACHABLE, 0, true },
	{ "Couldn't connect", PCTL_E_UNREACHABLE, 0, true },
	{ "Unable to connect", PCTL_E_UNREACHABLE, 0, true },
	{ "certificate", PCTL_E_TRUST, 0, true },
	{ "timed out", PCTL_E_TIMEOUT, 0, false },
	{ "timeout", PCTL_E_TIMEOUT, 0, false },
	{ "", PCTL_E_REFUSED, 0, false },
};

const struct fence_meaning *fence_words_meaning(const char *complaint)
{
	const struct fence_meaning *m = meanings;

	while (!strcasestr(complaint, m->part))
		m++;
	return m;
}

enum fence_state fence_words_state(const char *out, size_t len)
{
	static const char head[] = "Status:";
	bool on = false, off = false;
	char line[64];

	while (len > 0) {
		const char *end = memchr(out, '\n', len);
		size_t n = end ? (size_t)(end - out) : len;

		copy_line(out, n, line, sizeof(line));
		if (strncasecmp(line, head, strlen(head)) == 0) {
			const char *word = line + strlen(head);

			word += strspn(word, " ");
			on = on || strcasecmp(word, "ON") == 0;
			off = off || strcasecmp(word, "OFF") == 0;
		}
		n += end != NULL;
		out += n;
		len -= n;
	}
	if (on == off)
		return FENCE_NO_STATE;
	return on ? FENCE_ON : FENCE_OFF;
}
