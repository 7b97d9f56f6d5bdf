/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FreeIPMI's configuration file (freeipmi.conf(5)): a key and its value in a line, `#` begins a
 * note, quotation marks hold blanks together, a backslash before `#` or `"` makes it an ordinary
 * character. It is for all of FreeIPMI's tools: what is for others is passed over.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/file.h>
#include <powerctl/mem.h>

#include "ipmipower/options.h"

#define USUAL_FILE "/etc/freeipmi/freeipmi.conf"
#define OWN        "ipmipower-"
#define SIZE_MAX_  (1u << 20)

/* Keys that mean nothing to a power command over the network. */
static const char *const passed[] = { "disable-auto-probe", "driver-address", "driver-device",
	"register-spacing", "target-channel-number", "target-slave-address", "quiet-cache",
	"sdr-cache-directory", "utc-to-localtime", "localtime-to-utc", "utc-offset", NULL };
/* How keys of FreeIPMI's other tools begin. */
static const char *const others[] = { "bmc-", "ipmi-", "ipmiconsole-", "ipmidetect",
	"ipmimonitoring", "ipmiseld-", "libipmi", "rmcpping-", "ipmiping-", NULL };

static const struct {
	const char *word;
	bool value;
} switches[] = {
	{ "enable", true },
	{ "yes", true },
	{ "true", true },
	{ "on", true },
	{ "1", true },
	{ "disable", false },
	{ "no", false },
	{ "false", false },
	{ "off", false },
	{ "0", false },
};

struct config {
	struct ipmipower_options *options;
	struct pctl_error *err;
	bool own;    /* this time those of ipmipower itself */
	bool secret; /* a password or key was taken */
};

static int wrong(const struct config *c, unsigned line, const char *what, const char *key)
{
	return pctl_error_set(c->err, PCTL_E_CONFIG, "line %u: %s '%.60s'", line, what, key);
}

/* The next word, unquoted, in place; NULL at the end of the line. */
static char *next_word(char **rest)
{
	char *from = *rest + strspn(*rest, " \t\r"), *word = from, *to = from;
	bool quoted = false;

	if (!*from || *from == '#')
		return NULL;
	for (; *from && *from != '#' && (quoted || !isspace((unsigned char)*from)); from++) {
		if (*from == '\\' && (from[1] == '#' || from[1] == '"'))
			*to++ = *++from;
		else if (*from == '"')
			quoted = !quoted;
		else
			*to++ = *from;
	}
	*rest = *from && *from != '#' ? from + 1 : from + strlen(from);
	*to = '\0';
	return word;
}

/* All words of a value, a blank between them; they only ever move to the left. */
static char *rest_of_line(char *rest)
{
	char *value = next_word(&rest), *end = value ? value + strlen(value) : NULL;

	for (char *word; value && (word = next_word(&rest)); end += strlen(end)) {
		*end++ = ' ';
		memmove(end, word, strlen(word) + 1);
	}
	return value;
}

static bool is_passed(const char *key)
{
	for (size_t i = 0; passed[i]; i++)
		if (strcasecmp(passed[i], key) == 0)
			return true;
	for (size_t i = 0; others[i]; i++)
		if (strncasecmp(others[i], key, strlen(others[i])) == 0)
			return true;
	return false;
}

static int take_switch(struct config *c, unsigned line, const char *key, const char *value)
{
	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (strcasecmp(switches[i].word, value) != 0)
			continue;
		if (switches[i].value)
			(void)ipmipower_option_take(c->options, key, NULL);
		return 0;
	}
	return wrong(c, line, "neither ENABLE nor DISABLE for", key);
}

static int take_value(struct config *c, unsigned line, const char *key, const char *value)
{
	const char *mistake = NULL;

	/* A host's own interface is none of ours, whatever else the file is for. */
	if (strcmp(key, "driver-type") != 0 || strncasecmp(value, "lan", 3) == 0)
		mistake = ipmipower_option_take(c->options, key, value);
	c->secret = c->secret || strcmp(key, "password") == 0 || strcmp(key, "k_g") == 0;
	return mistake ? wrong(c, line, mistake, key) : 0;
}

static void make_small(char *key)
{
	for (; *key; key++)
		*key = (char)tolower((unsigned char)*key);
}

static int take_pair(struct config *c, unsigned line, char *key, const char *value)
{
	bool own = strncasecmp(key, OWN, strlen(OWN)) == 0, is_switch = false;

	key += own ? strlen(OWN) : 0;
	make_small(key);
	if (!ipmipower_option_in_file(key, &is_switch))
		return !own && is_passed(key) ? 0 : wrong(c, line, "unknown option", key);
	if (!value)
		return wrong(c, line, "no value for", key);
	if (own != c->own)
		return 0;
	return is_switch ? take_switch(c, line, key, value) : take_value(c, line, key, value);
}

static int take_text(struct config *c, const char *text, size_t len)
{
	const char *const end = text + len;
	unsigned line = 0;
	int r = 0;

	while (r == 0 && text < end) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((stop ? stop : end) - text);
		char *copy = pctl_xstrndup(text, n), *rest = copy, *key;
		size_t held = strlen(copy);

		line++;
		text += n + 1;
		key = next_word(&rest);
		if (held != n)
			r = pctl_error_set(c->err, PCTL_E_CONFIG, "line %u: is no text", line);
		else if (key)
			r = take_pair(c, line, key, rest_of_line(rest));
		explicit_bzero(copy, held);
		free(copy);
	}
	return r;
}

int ipmipower_config_parse(struct ipmipower_options *options, const char *text, size_t len,
	bool *ret_secret, struct pctl_error *err)
{
	struct config c = { .options = options, .err = err };
	int r = take_text(&c, text, len);

	c.own = true;
	if (r == 0)
		r = take_text(&c, text, len);
	if (r == 0)
		*ret_secret = c.secret;
	return r;
}

/* --- The file. -------------------------------------------------------------------------------- */

static int read_open(
	struct ipmipower_options *options, const char *path, int fd, struct pctl_error *err)
{
	struct pctl_buf buf;
	struct stat st;
	bool secret = false;
	int r;

	pctl_buf_init_secret(&buf, SIZE_MAX_);
	if (fstat(fd, &st) < 0 || pctl_file_read_fd(fd, path, &buf, err) < 0)
		r = pctl_error_set(err, PCTL_E_CONFIG, "it cannot be read, or is too long");
	else
		r = ipmipower_config_parse(options, buf.data, buf.len, &secret, err);
	pctl_buf_done(&buf);
	if (r == 0 && secret && S_ISREG(st.st_mode) && st.st_mode & S_IRWXO)
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"it holds a password and others can read it: chmod o= %s", path);
	return r;
}

int ipmipower_config_read(struct ipmipower_options *options, const char *path)
{
	const char *file = path ? path : USUAL_FILE;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct pctl_error err = { 0 };
	int r = 0;

	if (fd < 0 && !path)
		return IPMIPOWER_DONE;
	if (fd < 0)
		r = pctl_error_set(&err, PCTL_E_CONFIG, "%s", strerror(errno));
	else
		r = read_open(options, file, fd, &err);
	if (fd >= 0)
		(void)close(fd);
	if (r < 0)
		(void)fprintf(stderr, "Config File Error: %s: %s\n", file, err.text);
	return r < 0 ? IPMIPOWER_FAILED : IPMIPOWER_DONE;
}
