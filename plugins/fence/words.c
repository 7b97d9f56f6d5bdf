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

unsigned fence_words_verbose(const char *parameter)
{
	/*
	 * Who has one of these runs the program that it names, and logs what that printed and its
	 * command without the password; without it nobody says why there is no status. ipmitool
	 * itself says so only with a -v, which is level 2.
	 */
	static const struct {
		const char *parameter;
		unsigned level;
	} rows[] = { { "ipmitool_path", 2 }, { "amttool_path", 1 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(parameter, rows[i].parameter) == 0)
			return rows[i].level;
	return 0;
}

/* --- What agents say. ------------------------------------------------------------------------- */

enum level {
	LEVEL_NONE, /* it was printed, not logged */
	LEVEL_ERROR,
	LEVEL_WARNING,
	LEVEL_CHATTER, /* what it is doing, with times and addresses: no complaint */
};

/* "2026-11-21 05:00:00,123 ERROR: ", as fencing.py's LOG_FORMAT has it, and Python's own. */
static const char *skip_prefix(const char *line, enum level *ret_level)
{
	static const struct {
		const char *word;
		enum level level;
	} levels[] = {
		{ "ERROR:", LEVEL_ERROR },
		{ "CRITICAL:", LEVEL_ERROR },
		{ "WARNING:", LEVEL_WARNING },
		{ "INFO:", LEVEL_CHATTER },
		{ "DEBUG:", LEVEL_CHATTER },
	};
	size_t date = strspn(line, "0123456789-:, ");

	*ret_level = LEVEL_NONE;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		size_t len = strlen(levels[i].word);
		const char *rest = line + date + len;

		if (strncmp(line + date, levels[i].word, len) != 0)
			continue;
		bool root = !date && strncmp(rest, "root:", 5) == 0;
		if (!root && *rest && *rest != ' ')
			continue;
		*ret_level = levels[i].level;
		return rest + (root ? 5 : *rest == ' ');
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

/* The last line of said that says something, cut off from *len; "": there is none. */
static void take_line(const char *said, size_t *len, char *ret, size_t size, enum level *ret_level)
{
	char line[512];

	*ret = '\0';
	while (*len > 0 && !*ret) {
		const char *before = memrchr(said, '\n', *len);
		size_t start = before ? (size_t)(before - said) + 1 : 0;

		copy_line(said + start, *len - start, line, sizeof(line));
		const char *text = skip_prefix(line, ret_level);
		if (!says_nothing(text))
			(void)snprintf(ret, size, "%.*s", (int)size - 1, text);
		*len = start ? start - 1 : 0;
	}
}

/* The same of what was not chatter. */
static void take_words(const char *said, size_t *len, char *ret, size_t size)
{
	enum level level;

	do
		take_line(said, len, ret, size, &level);
	while (*ret && level == LEVEL_CHATTER);
}

void fence_words_last(const char *said, size_t len, char ret[FENCE_REASON_SIZE])
{
	take_words(said, &len, ret, FENCE_REASON_SIZE);
}

#define BEFORE  FENCE_BEFORE
#define VAGUE   FENCE_VAGUE
#define PLAIN   FENCE_PLAIN
#define MISSING (FENCE_BEFORE | FENCE_MISSING)

/*
 * The first that fits. Source: ipmitool's lib/lanplus and lib/lan; fail() of fencing.py, whose
 * words all agents in Python share; curl, OpenSSH, requests, pexpect and the agents themselves.
 */
static const struct fence_meaning meanings[] = {
	{ "RAKP 2 HMAC is invalid", PCTL_E_AUTH, 0, BEFORE | PLAIN, "wrong password" },
	{ "an error : unauthorized name", PCTL_E_AUTH, 0, BEFORE | PLAIN, "no such user" },
	{ "Invalid user name", PCTL_E_AUTH, 0, BEFORE | PLAIN, "no such user" },
	{ "an error : unauthorized role", PCTL_E_FORBIDDEN, 0, BEFORE | PLAIN,
		"the user has not that privilege" },
	{ "401 Unauthorized at ", PCTL_E_AUTH, 0, BEFORE | PLAIN, "wrong user or password" },
	{ "Unable to establish IPMI", PCTL_E_UNREACHABLE, PCTL_ERROR_NOT_LISTENING, BEFORE | PLAIN,
		NULL },
	/*
	 * A wrong password and a device that is not there sound the same. It is not tried again,
	 * so that a wrong password gets there once.
	 */
	{ "Unable to connect/login", PCTL_E_UNREACHABLE, PCTL_ERROR_NOT_LISTENING, BEFORE | VAGUE,
		NULL },
	{ "have to set login password", PCTL_E_CONFIG, 0, BEFORE, NULL },
	{ "does not have the correct privileges", PCTL_E_FORBIDDEN, 0, BEFORE, NULL },
	{ "Unable to obtain correct plug status", PCTL_E_REFUSED, 0, VAGUE, NULL },
	{ "Timed out waiting to power", PCTL_E_TIMEOUT, 0, 0, NULL },
	{ "Connection lost", PCTL_E_UNREACHABLE, 0, 0, NULL },
	{ "Connection timed out", PCTL_E_TIMEOUT, 0, VAGUE, NULL },
	{ "Unrecognised action", PCTL_E_UNSUPPORTED, 0, BEFORE, NULL },
	{ "Can not find VM UUID", PCTL_E_CONFIG, 0, BEFORE, NULL },
	{ "Failed: You have to", PCTL_E_CONFIG, 0, BEFORE, NULL },
	{ "The command was not found", PCTL_E_CONFIG, 0, MISSING, NULL },
	{ "command not found", PCTL_E_CONFIG, 0, MISSING, NULL },
	{ "not found or not accessible", PCTL_E_CONFIG, 0, MISSING, NULL },
	{ "not found or not executable", PCTL_E_CONFIG, 0, MISSING, NULL },
	{ "is not installed", PCTL_E_CONFIG, 0, MISSING, NULL },
	{ "Cannot run command", PCTL_E_CONFIG, 0, MISSING, NULL },
	{ "No module named", PCTL_E_CONFIG, 0, MISSING, NULL },
	{ "Unable to run", PCTL_E_CONFIG, 0, MISSING, NULL },
	{ "login denied", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "login failed", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "invalid login", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "incorrect password", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "incorrect user name or password", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "incorrect access key or secret key", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "invalid password", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "invalid credentials", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "wrong password", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "authentication fail", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "AuthFailure", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "failed to authenticate", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "access denied", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "unauthorized", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "Permission denied", PCTL_E_AUTH, 0, BEFORE, NULL },
	{ "Connection refused", PCTL_E_UNREACHABLE, PCTL_ERROR_NOT_LISTENING, BEFORE, NULL },
	{ "No route to host", PCTL_E_UNREACHABLE, 0, BEFORE, NULL },
	{ "Network is unreachable", PCTL_E_UNREACHABLE, 0, BEFORE, NULL },
	{ "Name or service not known", PCTL_E_UNREACHABLE, 0, BEFORE, NULL },
	{ "Could not resolve", PCTL_E_UNREACHABLE, 0, BEFORE, NULL },
	{ "Failed to connect", PCTL_E_UNREACHABLE, 0, BEFORE, NULL },
	{ "Couldn't connect", PCTL_E_UNREACHABLE, 0, BEFORE, NULL },
	{ "Unable to connect", PCTL_E_UNREACHABLE, 0, BEFORE, NULL },
	{ "certificate", PCTL_E_TRUST, 0, BEFORE, NULL },
	{ "timed out", PCTL_E_TIMEOUT, 0, 0, NULL },
	{ "timeout", PCTL_E_TIMEOUT, 0, 0, NULL },
	{ "", PCTL_E_REFUSED, 0, 0, NULL },
};

const struct fence_meaning *fence_words_meaning(const char *complaint)
{
	const struct fence_meaning *m = meanings;

	while (!strcasestr(complaint, m->part))
		m++;
	return m;
}

/* What the lines before a vague last one say; NULL: nothing that is known. */
static const struct fence_meaning *find_reason(const char *said, size_t len, char *ret, size_t size)
{
	const struct fence_meaning *found = NULL;
	enum level level;

	for (;;) {
		char line[FENCE_REASON_SIZE];

		take_line(said, &len, line, sizeof(line), &level);
		if (!*line)
			return found;
		const struct fence_meaning *m = fence_words_meaning(line);
		bool counts = *m->part && !(m->kind & VAGUE) &&
			      (level == LEVEL_ERROR || (m->kind & PLAIN));

		if (!counts || (found && m >= found))
			continue;
		found = m;
		(void)snprintf(ret, size, "%.*s", (int)size - 1, line);
	}
}

/* The Debian package that has what a complaint says is missing; NULL: it is not known. */
static const char *package_of(const char *complaint)
{
	static const struct {
		const char *part, *package;
	} rows[] = {
		{ "/usr/bin/telnet", "telnet" },
		{ "/usr/bin/ssh", "openssh-client" },
		{ "/usr/bin/snmp", "snmp" },
		{ "/usr/bin/gnutls-cli", "gnutls-bin" },
		{ "/usr/bin/sudo", "sudo" },
		{ "Ipmitool not found", "ipmitool" },
		{ "Amttool not found", "amtterm" },
		{ "Powerman not found", "powerman" },
		{ "openstack tool not found", "python3-openstackclient" },
		{ "Nova not found", "python3-novaclient" },
		{ "Keystone client not found", "python3-keystoneauth1" },
		{ "Azure Resource Manager Python SDK", "python3-azure" },
		{ "module named 'boto3", "python3-boto3" },
		{ "module named 'googleapiclient", "python3-googleapi" },
		{ "module named 'pexpect", "python3-pexpect" },
		{ "module named 'pycurl", "python3-pycurl" },
		{ "module named 'requests", "python3-requests" },
		{ "module named 'suds", "python3-suds" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strstr(complaint, rows[i].part))
			return rows[i].package;
	return NULL;
}

/* A line of Python's names the class of the exception first. */
static const char *skip_class(const char *line)
{
	const char *colon = strstr(line, ": ");

	return colon && strncmp(line, "pexpect.", 8) == 0 ? colon + 2 : line;
}

static void tell_missing(struct fence_verdict *v, const char *complaint)
{
	const char *package = package_of(complaint);
	int most = package ? FENCE_REASON_SIZE - 60 : FENCE_REASON_SIZE;

	(void)snprintf(v->text, sizeof(v->text), "%.*s%s%s%s", most, skip_class(complaint),
		package ? " (Debian has it in the package " : "", package ? package : "",
		package ? ")" : "");
}

void fence_words_judge(const char *said, size_t len, struct fence_verdict *ret)
{
	char last[FENCE_REASON_SIZE], reason[FENCE_REASON_SIZE];
	const struct fence_meaning *why = NULL;
	size_t all = len;

	take_words(said, &len, last, sizeof(last));
	if (!*last)
		len = all;
	const struct fence_meaning *m = fence_words_meaning(last);
	bool before = m->kind & BEFORE;
	if (!*last || (m->kind & VAGUE))
		why = find_reason(said, len, reason, sizeof(reason));
	if (why) /* who did not get in, or lacks something, had no chance to change anything */
		before = before || why->code == PCTL_E_AUTH || why->code == PCTL_E_CONFIG;
	const struct fence_meaning *by = why ? why : m;
	*ret = (struct fence_verdict){ .code = by->code, .flags = by->flags, .before = before };
	if (by->kind & FENCE_MISSING)
		tell_missing(ret, why ? reason : last);
	else if (by->words)
		(void)snprintf(
			ret->text, sizeof(ret->text), "%s: %s", by->words, why ? reason : last);
	else if (why && *last)
		(void)snprintf(ret->text, sizeof(ret->text), "%.80s (%.150s)", last, reason);
	else if (why)
		(void)snprintf(ret->text, sizeof(ret->text), "%s", reason);
	else
		(void)snprintf(ret->text, sizeof(ret->text), "%s", last);
}

#undef BEFORE
#undef VAGUE
#undef PLAIN
#undef MISSING

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
