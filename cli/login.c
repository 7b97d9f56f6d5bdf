/* SPDX-License-Identifier: Apache-2.0 */
#include "login.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/inventory.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "methods.h"
#include "prompt.h"

#define URL_MAX        8192u
#define PASSWORD_ENV   "POWERCTL_PASSWORD"
#define PASSWORD_QUERY "password"

static int read_stdin(struct pctl_secret **ret, struct pctl_error *err)
{
	char buf[PCTL_SECRET_MAX + 2];
	size_t len = 0;
	ssize_t n = 0;
	int r = 0;

	while (len < sizeof(buf) && (n = read(STDIN_FILENO, buf + len, sizeof(buf) - len)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		len += n > 0 ? (size_t)n : 0;
	}
	if (len > 0 && buf[len - 1] == '\n')
		len--;
	if (n < 0 || len == 0 || len > PCTL_SECRET_MAX)
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"--password-stdin: standard input holds no password of 1 to %u bytes",
			PCTL_SECRET_MAX);
	else
		*ret = pctl_secret_new(buf, len);
	explicit_bzero(buf, sizeof(buf));
	return r;
}

/* It came from the command line, and the error names the inventory's setting. */
static int name_option(const char *option, struct pctl_error *err)
{
	static const char setting[] = "password_file: ";
	struct pctl_error was = *err;
	size_t skip = strncmp(was.text, setting, strlen(setting)) == 0 ? strlen(setting) : 0;

	return pctl_error_set(err, was.code, "--%s: %s", option, was.text + skip);
}

/* By the rules that hold for the inventory's files: who may read it, how long it may be. */
int login_read_file(
	const char *path, const char *option, struct pctl_secret **ret, struct pctl_error *err)
{
	struct pctl_secrets *secrets = pctl_secrets_new();
	struct pctl_value *map = pctl_value_new_map();
	PCTL_AUTO(free) char *real = realpath(path, NULL);
	const struct pctl_secret *secret = NULL;

	pctl_value_set_text(map, "password_file", real ? real : path);
	int r = pctl_secrets_get(secrets, map, "password", &secret, err);
	if (r == 0)
		*ret = pctl_secret_copy(secret);
	else
		r = name_option(option, err);
	pctl_value_free(map);
	pctl_secrets_free(secrets);
	return r;
}

int login_password(const struct cli *cli, const char *question, struct pctl_secret **ret,
	struct pctl_error *err)
{
	const char *env = getenv(PASSWORD_ENV);

	if (cli->options.password_stdin)
		return read_stdin(ret, err);
	if (cli->options.password_file)
		return login_read_file(cli->options.password_file, "password-file", ret, err);
	if (env && *env) {
		*ret = pctl_secret_new(env, strlen(env));
		return *ret ? 0
			    : pctl_error_set(err, PCTL_E_CONFIG,
				      "$" PASSWORD_ENV " is longer than %u bytes", PCTL_SECRET_MAX);
	}
	int r = prompt_secret(question, ret, err);
	if (r < 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"a password is needed and there is no terminal to ask on; give it with "
			"--password-file FILE, --password-stdin or $" PASSWORD_ENV);
	return 0;
}

int login_secret_file(
	const struct pctl_secret *secret, char **ret_path, int *ret_fd, struct pctl_error *err)
{
	size_t len = pctl_secret_len(secret);
	int fd = memfd_create("powerctl-secret", MFD_CLOEXEC);

	if (fd < 0 || fchmod(fd, 0600) < 0 ||
		write(fd, pctl_secret_data(secret), len) != (ssize_t)len) {
		int r = pctl_error_set(err, PCTL_E_INTERNAL,
			"the password cannot be handed to the driver: %s", strerror(errno));

		if (fd >= 0)
			(void)close(fd);
		return r;
	}
	*ret_path = pctl_xasprintf("/proc/self/fd/%d", fd);
	*ret_fd = fd;
	return 0;
}

char *login_url_with(const char *url, const char *key, const char *value)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~/";
	struct pctl_buf buf;

	assert(value);
	pctl_buf_init(&buf, URL_MAX);
	pctl_buf_addf(&buf, "%s%s%s=", url, strchr(url, '?') ? "&" : "?", key);
	for (; *value; value++)
		if (strchr(plain, *value))
			pctl_buf_add(&buf, value, 1);
		else
			pctl_buf_addf(&buf, "%%%02X", (unsigned)(unsigned char)*value);
	return pctl_buf_steal(&buf);
}

static const struct pctl_property *find_row(const struct pctl_property *table, const char *name)
{
	for (const struct pctl_property *p = table; p && p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

const struct pctl_property *login_property(
	struct cli *cli, const struct pctl_driver *driver, const char *value, const char *name)
{
	const struct pctl_property *p = find_row(driver->properties, name);
	const struct pctl_description *about = NULL;

	/* What is wrong with the value is said where it is used. */
	if (!p && value && driver->describe &&
		pctl_core_describe(cli_core(cli), driver->name, value, &about, NULL) == 0)
		p = find_row(about->properties, name);
	return p;
}

const struct pctl_property *login_selector(const struct pctl_driver *driver)
{
	for (const struct pctl_property *p = driver->properties; p && p->name; p++)
		if (p->flags & PCTL_PROPERTY_SELECTOR)
			return p;
	return NULL;
}

static unsigned digit(char c)
{
	return (unsigned)(isdigit((unsigned char)c) ? c - '0'
						    : tolower((unsigned char)c) - 'a' + 10);
}

/* Of a query: %2F is a slash. free() it. */
static char *decode(const char *text, size_t len)
{
	char *plain = pctl_xcalloc(len + 1, 1);
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		bool coded = text[i] == '%' && i + 2 < len &&
			     isxdigit((unsigned char)text[i + 1]) &&
			     isxdigit((unsigned char)text[i + 2]);

		plain[n++] = coded ? (char)(digit(text[i + 1]) << 4 | digit(text[i + 2])) : text[i];
		i += coded ? 2 : 0;
	}
	return plain;
}

/* The selector's value in the URL's query, free() it; NULL: there is none. */
static char *selected_in(const char *url, const struct pctl_driver *driver)
{
	const struct pctl_property *selector = login_selector(driver);
	const char *part = selector ? strchr(url, '?') : NULL;
	size_t len = selector ? strlen(selector->name) : 0;

	for (; part; part = strchr(part, '&')) {
		part++;
		if (strncmp(part, selector->name, len) == 0 && part[len] == '=')
			return decode(part + len + 1, strcspn(part + len + 1, "&#"));
	}
	return NULL;
}

/* Whether the URL's query or its user part says it already. */
/* "passwrd_file=": nobody has to type what is told to be mistyped right after. */
static bool mistypes_password(const char *query)
{
	static const char *const words[] = { "password_file", "password_env", "password_command",
		"credential", NULL };

	while (*query) {
		size_t len = strcspn(++query, "&=");
		PCTL_AUTO(free) char *key = pctl_xstrndup(query, len);

		if (pctl_parse_nearest(key, words))
			return true;
		query += strcspn(query, "&");
	}
	return false;
}

static bool names_password(const char *url)
{
	const char *query = strchr(url, '?');

	return query && (strstr(query, PASSWORD_QUERY) || strstr(query, "credential=") ||
				mistypes_password(query));
}

static bool names_user(const char *url)
{
	const char *host = strstr(url, "://");
	const char *query = strchr(url, '?');

	host = host ? host + 3 : url;
	return memchr(host, '@', query ? (size_t)(query - host) : strlen(host)) ||
	       (query && strstr(query, "username="));
}

/* The one answer of this command, kept as a file until the program ends. */
static int ask_once(struct cli *cli, const char *url, char **secret_path, struct pctl_error *err)
{
	PCTL_AUTO(free) char *question = NULL;
	struct pctl_secret *secret = NULL;
	int fd = -1;

	if (*secret_path)
		return 0;
	question = pctl_xasprintf("Password for %.*s: ", (int)strcspn(url, "?"), url);
	int r = login_password(cli, question, &secret, err);
	if (r == 0)
		r = login_secret_file(secret, secret_path, &fd, err);
	pctl_secret_free(secret);
	return r;
}

/* Whether a password belongs to this login: it was given, or has to be asked for. */
static bool wants_password(struct cli *cli, const char *url, const struct pctl_driver *driver)
{
	PCTL_AUTO(free) char *value = selected_in(url, driver);
	const struct pctl_property *p = login_property(cli, driver, value, PASSWORD_QUERY);
	const char *env = getenv(PASSWORD_ENV);

	if (!p || names_password(url))
		return false;
	return (p->flags & PCTL_PROPERTY_REQUIRED) || (env && *env) || cli->options.user ||
	       cli->options.password_file || cli->options.password_stdin || names_user(url);
}

static int url_driver(
	struct cli *cli, const char *url, const struct pctl_driver **ret, struct pctl_error *err)
{
	PCTL_AUTO(free) char *name = pctl_xstrndup(url, strcspn(url, ":"));

	return method_driver(cli, name, ret, err);
}

int login_url(
	struct cli *cli, const char *url, char **secret_path, char **ret, struct pctl_error *err)
{
	const struct pctl_driver *driver = NULL;
	bool has_user = cli->options.user && !names_user(url);

	/* Before somebody types a password, and before what is wrong gets into that question. */
	int r = pctl_inventory_check_url(url, err);
	if (r == 0)
		r = url_driver(cli, url, &driver, err);
	if (r < 0)
		return r;
	if (cli->options.credential && !names_password(url)) {
		*ret = login_url_with(url, "credential", cli->options.credential);
		return 0;
	}
	assert(driver);
	bool password = wants_password(cli, url, driver);
	if (password) {
		r = ask_once(cli, url, secret_path, err);
		if (r < 0)
			return r;
	}
	PCTL_AUTO(free)
	char *named =
		has_user ? login_url_with(url, "username", cli->options.user) : pctl_xstrdup(url);
	*ret = password ? login_url_with(named, "password_file", *secret_path)
			: pctl_xstrdup(named);
	return 0;
}
