/* SPDX-License-Identifier: Apache-2.0 */
#include "import/command_line.h"

#include <stddef.h>
#include <string.h>

#include "import/import.h"

/* What becomes of an option. */
#define IGNORED ((size_t)-1) /* it is about time, output or waiting, which is done here anyway */
#define REFUSED ((size_t)-2)

struct option {
	const char *name;
	char letter; /* 0: none */
	bool has_value;
	size_t to; /* in struct import_command */
};

#define TO(member) offsetof(struct import_command, member)

/* ipmipower(8) of FreeIPMI 1.6. */
static const struct option ipmipower[] = {
	{ "hostname", 'h', true, IGNORED }, /* nodes name theirs */
	{ "username", 'u', true, TO(user) },
	{ "password", 'p', true, TO(password) },
	{ "password-prompt", 'P', false, IGNORED },
	{ "k-g", 'k', true, TO(kg) },
	{ "k-g-prompt", 'K', false, IGNORED },
	{ "driver-type", 'D', true, TO(protocol) },
	{ "cipher-suite-id", 'I', true, TO(cipher_suite) },
	{ "privilege-level", 'l', true, TO(privilege) },
	{ "authentication-type", 'a', true, TO(auth_type) },
	{ "workaround-flags", 'W', true, TO(workarounds) },
	{ "config-file", 0, true, IGNORED },
	{ "oem-power-type", 0, true, REFUSED },
	{ "session-timeout", 0, true, IGNORED },
	{ "retransmission-timeout", 0, true, IGNORED },
	{ "retransmission-wait-timeout", 0, true, IGNORED },
	{ "retransmission-backoff-count", 0, true, IGNORED },
	{ "ping-interval", 0, true, IGNORED },
	{ "ping-timeout", 0, true, IGNORED },
	{ "ping-packet-count", 0, true, IGNORED },
	{ "ping-percent", 0, true, IGNORED },
	{ "ping-consec-count", 0, true, IGNORED },
	{ "on-if-off", 0, false, IGNORED },
	{ "wait-until-on", 0, false, IGNORED },
	{ "wait-until-off", 0, false, IGNORED },
	{ "buffer-output", 'B', false, IGNORED },
	{ "consolidate-output", 'C', false, IGNORED },
	{ "fanout", 'F', true, IGNORED },
	{ "eliminate", 'E', false, IGNORED },
	{ "always-prefix", 0, false, IGNORED },
	{ "debug", 0, false, IGNORED },
	{ NULL, 0, false, 0 },
};

/* redfishpower(8) of PowerMan 2.4. */
static const struct option redfishpower[] = {
	{ "hostname", 'h', true, IGNORED },
	{ "hostsfile", 'f', true, IGNORED },
	{ "auth", 'A', true, TO(login) },
	{ "header", 'H', true, IGNORED },
	{ "statpath", 'S', true, TO(system_path) },
	{ "onpath", 'O', true, IGNORED },
	{ "offpath", 'F', true, IGNORED },
	{ "cyclepath", 'C', true, IGNORED },
	{ "onpostdata", 'P', true, IGNORED },
	{ "offpostdata", 'G', true, IGNORED },
	{ "cyclepostdata", 'D', true, IGNORED },
	{ "message-timeout", 'm', true, IGNORED },
	{ "resolve-hosts", 'o', false, IGNORED },
	{ "verbose", 'v', false, IGNORED },
	{ NULL, 0, false, 0 },
};

static const struct {
	const char *program, *driver;
	const struct option *options;
} programs[] = {
	{ "ipmipower", "ipmi", ipmipower },
	{ "redfishpower", "redfish", redfishpower },
};

static const struct {
	const char *setting, *word, *value;
} values[] = {
	{ "protocol", "LAN", "1.5" },
	{ "protocol", "LAN_2_0", "2.0" },
	{ "protocol", "LAN20", "2.0" },
	{ "protocol", "LAN_20", "2.0" },
	{ "protocol", "LAN2_0", "2.0" },
	{ "protocol", "LAN2", "2.0" },
	{ "privilege", "USER", "user" },
	{ "privilege", "OPERATOR", "operator" },
	{ "privilege", "ADMIN", "admin" },
	{ "privilege", "ADMINISTRATOR", "admin" },
	{ "auth_type", "NONE", "none" },
	{ "auth_type", "STRAIGHT_PASSWORD_KEY", "password" },
	{ "auth_type", "MD2", "md2" },
	{ "auth_type", "MD5", "md5" },
};

const char *import_command_value(const char *setting, const char *word)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (strcmp(values[i].setting, setting) == 0 && import_same(values[i].word, word))
			return values[i].value;
	return NULL;
}

static const struct option *find_long(const struct option *options, const char *name, size_t len)
{
	for (; options->name; options++)
		if (strlen(options->name) == len && strncmp(options->name, name, len) == 0)
			return options;
	return NULL;
}

static const struct option *find_letter(const struct option *options, char letter)
{
	for (; options->name; options++)
		if (letter && options->letter == letter)
			return options;
	return NULL;
}

static void take_value(
	struct import_command *c, const struct option *option, const char *name, const char *value)
{
	if (!option || (option->has_value && !value))
		c->unknown = name;
	else if (option->to == REFUSED)
		c->refused = name;
	else if (option->to != IGNORED)
		*(const char **)(void *)((char *)c + option->to) = value;
}

/* --NAME, --NAME=VALUE. What is said of an option is its name alone: a value may be a secret. */
static void take_long(struct import_command *c, const struct option *options, char *word,
	char **text, bool *ret_broken)
{
	size_t len = strcspn(word, "=");
	const struct option *option = find_long(options, word + 2, len - 2);
	const char *value = word[len] ? word + len + 1 : NULL;

	word[len] = '\0';
	if (!value && option && option->has_value)
		value = import_shell_word(text, ret_broken);
	take_value(c, option, word, value);
}

/* -x, -xVALUE, -abx VALUE: of letters together only the last has a value. */
static void take_letters(struct import_command *c, const struct option *options, char *word,
	char **text, bool *ret_broken)
{
	char *letter = word + 1;
	const struct option *option = find_letter(options, *letter);
	const char *value = NULL;

	while (letter[1] && option && !option->has_value)
		option = find_letter(options, *++letter);
	if (option && option->has_value)
		value = letter[1] ? letter + 1 : import_shell_word(text, ret_broken);
	if (!option) {
		letter[1] = '\0';
		letter[-1] = '-';
	}
	take_value(c, option, letter - 1, value);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

int import_command_read(struct import_command *ret, char *text, struct pctl_error *err)
{
	const struct option *options = NULL;
	bool broken = false;

	*ret = (struct import_command){ .program = "" };
	for (char *word; !broken && (word = import_shell_word(&text, &broken));) {
		if (!options)
			ret->program = base_name(word);
		for (size_t i = 0; !options && i < sizeof(programs) / sizeof(programs[0]); i++) {
			if (strcmp(programs[i].program, ret->program) != 0)
				continue;
			options = programs[i].options;
			ret->driver = programs[i].driver;
		}
		if (!options && strcmp(ret->program, "sudo") != 0)
			return 0;
		if (options && strncmp(word, "--", 2) == 0)
			take_long(ret, options, word, &text, &broken);
		else if (options && *word == '-' && word[1])
			take_letters(ret, options, word, &text, &broken);
	}
	if (broken)
		return pctl_error_set(err, PCTL_E_CONFIG, "a quote is never closed");
	return 0;
}
