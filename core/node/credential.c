/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/inventory.h>
#include <powerctl/mem.h>

#include "base/command.h"
#include "base/file.h"
#include "base/paths.h"
#include "base/strmap.h"
#include "inventory/inventory.h"
#include "node/credential.h"

/* A file as it was when it was read, and the round in which that was last looked at. */
struct look {
	struct stat st;
	unsigned round;
};

/* What came from one place: a secret, or the reason why there is none. */
struct source {
	struct pctl_secret *secret;
	struct pctl_error err;
	struct look look;
	struct source *next;
};

/* A change that is pending, or the reason why it cannot be read. */
struct change {
	struct pctl_pending *pending; /* NULL: none is */
	struct pctl_error err;
	struct look look;
	struct change *next;
};

struct pctl_secrets {
	unsigned round;
	struct pctl_strmap by_origin; /* to struct source */
	struct source *all;
	struct pctl_strmap changes; /* to struct change, by the path of the secret */
	struct change *all_changes;
};

struct pctl_secrets *pctl_secrets_new(void)
{
	return pctl_xcalloc(1, sizeof(struct pctl_secrets));
}

void pctl_secrets_free(struct pctl_secrets *secrets)
{
	if (!secrets)
		return;
	while (secrets->all) {
		struct source *source = secrets->all;

		secrets->all = source->next;
		pctl_secret_free(source->secret);
		free(source);
	}
	while (secrets->all_changes) {
		struct change *change = secrets->all_changes;

		secrets->all_changes = change->next;
		pctl_pending_free(change->pending);
		free(change);
	}
	pctl_strmap_done(&secrets->by_origin);
	pctl_strmap_done(&secrets->changes);
	free(secrets);
}

/* --- Files that may have changed. ------------------------------------------------------------- */

void pctl_secrets_look_again(struct pctl_secrets *secrets)
{
	secrets->round++;
}

/* Before it is read: what changes while it is read is then seen the next time. */
static struct look look_at(const struct pctl_secrets *secrets, const char *path)
{
	struct look look = { .round = secrets->round };

	if (!path || stat(path, &look.st) < 0)
		look.st = (struct stat){ 0 };
	return look;
}

/* Once a round. What is no file that stays (a pipe) can be read once only. */
static bool is_as_it_was(const struct pctl_secrets *secrets, struct look *was, const char *path)
{
	struct look is;

	if (was->round == secrets->round)
		return true;
	is = look_at(secrets, path);
	if (!pctl_file_is_as_it_was(&was->st, &is.st) &&
		!(is.st.st_mode && !S_ISREG(is.st.st_mode)))
		return false;
	was->round = is.round;
	return true;
}

/* --- The ways to get one. --------------------------------------------------------------------- */

/* Without its last line break, which an editor or a program put there. */
static int take_bytes(
	struct pctl_buf *buf, const char *what, struct pctl_secret **ret, struct pctl_error *err)
{
	size_t len = buf->len;

	if (len && buf->data[len - 1] == '\n')
		len--;
	if (len < buf->len && len && buf->data[len - 1] == '\r')
		len--;
	if (!len)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s holds no secret: it is empty", what);
	struct pctl_secret *secret = pctl_secret_new(buf->data, len);
	if (!secret)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s is over %u bytes: not a secret", what,
			PCTL_SECRET_MAX);
	*ret = secret;
	return 0;
}

/* A literal in a file that others can read is nobody's secret. */
static int from_text(const struct pctl_value *v, struct pctl_secret **ret, struct pctl_error *err)
{
	const char *text = pctl_value_text(v);
	const char *file = pctl_value_place(v).file;
	struct stat st;

	if (file && stat(file, &st) == 0) {
		int r = pctl_file_check_private(file, &st, err);

		if (r < 0)
			return r;
	}
	*ret = pctl_secret_new(text, strlen(text));
	return *ret ? 0
		    : pctl_error_set(
			      err, PCTL_E_CONFIG, "the secret is over %u bytes", PCTL_SECRET_MAX);
}

static int from_file(const char *path, struct pctl_secret **ret, struct pctl_error *err)
{
	struct pctl_buf buf;
	struct stat st;

	pctl_buf_init_secret(&buf, PCTL_SECRET_MAX + 2);
	int r = pctl_file_read(path, &buf, &st, err);
	if (r == 0)
		r = pctl_file_check_private(path, &st, err);
	if (r == 0)
		r = take_bytes(&buf, path, ret, err);
	pctl_buf_done(&buf);
	return r;
}

static int from_variable(const char *name, struct pctl_secret **ret, struct pctl_error *err)
{
	const char *text = getenv(name);

	if (!text || !*text)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"the variable $%s is %s; set it to the secret", name,
			text ? "empty" : "not set");
	*ret = pctl_secret_new(text, strlen(text));
	return *ret ? 0
		    : pctl_error_set(err, PCTL_E_CONFIG, "the variable $%s is over %u bytes", name,
			      PCTL_SECRET_MAX);
}

static int from_command(
	const struct pctl_value *list, struct pctl_secret **ret, struct pctl_error *err)
{
	PCTL_AUTO(pctl_command_free_argv) char **argv = pctl_command_argv(list);
	struct pctl_buf buf;

	pctl_buf_init_secret(&buf, PCTL_SECRET_MAX + 2);
	int r = pctl_command_run(&(struct pctl_command){ .argv = argv, .out = &buf }, err);
	if (r == 0)
		r = take_bytes(&buf, argv[0], ret, err);
	pctl_buf_done(&buf);
	return r;
}

/* --- Which way, and once. --------------------------------------------------------------------- */

enum way { TEXT, IN_FILE, IN_VARIABLE, BY_COMMAND, WAYS };

_Static_assert(WAYS == PCTL_SECRET_ENDS, "one end for each way");

static bool is_set(const struct pctl_value *v)
{
	const char *text = pctl_value_text(v);

	return v && (text ? *text != '\0' : pctl_value_count(v) > 0);
}

/* The one way that is set; WAYS if there is none. */
static int find_way(const struct pctl_value *settings, const char *name, enum way *ret_way,
	const struct pctl_value **ret, struct pctl_error *err)
{
	enum way found = WAYS;

	for (enum way way = TEXT; way < WAYS; way++) {
		PCTL_AUTO(free) char *key = pctl_xasprintf("%s%s", name, pctl_secret_ends[way]);
		const struct pctl_value *v = pctl_value_get(settings, key);
		bool list = way == BY_COMMAND;

		if (!is_set(v))
			continue;
		if (found != WAYS)
			return pctl_error_set(err, PCTL_E_CONFIG,
				"%s%s and %s are both set; keep one", name, pctl_secret_ends[found],
				key);
		if (list ? pctl_value_kind(v) != PCTL_VALUE_LIST : !pctl_value_text(v))
			return pctl_error_set(err, PCTL_E_CONFIG, "%s is a %s", key,
				list ? "list: [program, argument]" : "text");
		found = way;
		*ret = v;
	}
	*ret_way = found;
	return 0;
}

/* Names the place a secret comes from; the secret itself is not part of it. */
static char *origin_of(enum way way, const struct pctl_value *v)
{
	struct pctl_place place = pctl_value_place(v);
	struct pctl_buf words;

	if (way == TEXT)
		return pctl_xasprintf(
			"text %s:%u:%u", place.file ? place.file : "", place.line, place.column);
	if (way == IN_FILE) {
		PCTL_AUTO(free) char *path = pctl_path_of(v);
		return pctl_xasprintf("file %s", path);
	}
	if (way == IN_VARIABLE)
		return pctl_xasprintf("env %s", pctl_value_text(v));
	pctl_buf_init(&words, SIZE_MAX / 2);
	pctl_buf_adds(&words, "command");
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		const char *word = pctl_value_text(pctl_value_at(v, i));

		word = word ? word : "";
		pctl_buf_addf(&words, " %zu:", strlen(word));
		pctl_buf_adds(&words, word);
	}
	return pctl_buf_steal(&words);
}

static int fetch(
	enum way way, const struct pctl_value *v, struct pctl_secret **ret, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = way == IN_FILE ? pctl_path_of(v) : NULL;

	switch (way) {
	case TEXT:
		return from_text(v, ret, err);
	case IN_FILE:
		return from_file(path, ret, err);
	case IN_VARIABLE:
		return from_variable(pctl_value_text(v), ret, err);
	default:
		return from_command(v, ret, err);
	}
}

/* A text at a place may have changed since, or a file: then it is another source. */
static bool still_holds(const struct pctl_secrets *secrets, struct source *source, enum way way,
	const struct pctl_value *v)
{
	if (source && way == IN_FILE) {
		PCTL_AUTO(free) char *path = pctl_path_of(v);
		return is_as_it_was(secrets, &source->look, path);
	}
	if (!source || way != TEXT)
		return source != NULL;
	return !source->secret || strcmp(pctl_secret_data(source->secret), pctl_value_text(v)) == 0;
}

static struct source *read_source(
	struct pctl_secrets *secrets, enum way way, const struct pctl_value *v)
{
	struct source *source = pctl_xcalloc(1, sizeof(*source));

	source->next = secrets->all;
	secrets->all = source;
	if (way == IN_FILE) {
		PCTL_AUTO(free) char *path = pctl_path_of(v);
		source->look = look_at(secrets, path);
	}
	(void)fetch(way, v, &source->secret, &source->err);
	return source;
}

int pctl_secrets_get(struct pctl_secrets *secrets, const struct pctl_value *settings,
	const char *name, const struct pctl_secret **ret, struct pctl_error *err)
{
	const struct pctl_value *v = NULL;
	enum way way = WAYS;
	int r = find_way(settings, name, &way, &v, err);

	if (r < 0)
		return r;
	if (way == WAYS) {
		*ret = NULL;
		return 0;
	}
	PCTL_AUTO(free) char *origin = origin_of(way, v);
	struct source *source = pctl_strmap_get(&secrets->by_origin, origin);
	if (!still_holds(secrets, source, way, v)) {
		source = read_source(secrets, way, v);
		*pctl_strmap_put(&secrets->by_origin, origin) = source;
	}
	if (!source->secret)
		return pctl_error_set(err, source->err.code, "%s%s: %s", name,
			pctl_secret_ends[way], source->err.text);
	*ret = source->secret;
	return 0;
}

/* --- Being changed. --------------------------------------------------------------------------- */

/* Of the secret's file, without symbolic links; NULL: there is no file. */
static char *pending_of(const char *real)
{
	return real ? pctl_xasprintf("%s" PCTL_PENDING_END, real) : NULL;
}

static struct change *read_change(struct pctl_secrets *secrets, const char *real)
{
	struct change *change = pctl_xcalloc(1, sizeof(*change));
	PCTL_AUTO(free) char *pending = pending_of(real);

	change->next = secrets->all_changes;
	secrets->all_changes = change;
	change->look = look_at(secrets, pending);
	if (real)
		(void)pctl_pending_read(real, &change->pending, &change->err);
	return change;
}

static struct change *find_change(struct pctl_secrets *secrets, const char *path)
{
	struct change *change = pctl_strmap_get(&secrets->changes, path);

	if (change && change->look.round == secrets->round)
		return change;
	PCTL_AUTO(free) char *real = realpath(path, NULL);
	PCTL_AUTO(free) char *pending = pending_of(real);
	if (change && is_as_it_was(secrets, &change->look, pending))
		return change;
	change = read_change(secrets, real);
	*pctl_strmap_put(&secrets->changes, path) = change;
	return change;
}

int pctl_secrets_pending(struct pctl_secrets *secrets, const struct pctl_value *settings,
	const char *name, const struct pctl_pending **ret, struct pctl_error *err)
{
	const struct pctl_value *v = NULL;
	enum way way = WAYS;

	*ret = NULL;
	if (find_way(settings, name, &way, &v, NULL) < 0 || way != IN_FILE)
		return 0;
	PCTL_AUTO(free) char *path = pctl_path_of(v);
	const struct change *change = find_change(secrets, path);
	if (change->err.code) {
		if (err)
			*err = change->err;
		return change->err.code;
	}
	*ret = change->pending;
	return 0;
}

/* Why a secret that is given in another way is not ours to change. */
static const char *const elsewhere[WAYS] = {
	[TEXT] = "stands in the inventory itself",
	[IN_VARIABLE] = "comes from a variable",
	[BY_COMMAND] = "comes from a program",
};

bool pctl_secret_may_be_pending(const struct pctl_value *settings, const char *name)
{
	const struct pctl_value *v = NULL;
	enum way way = WAYS;
	struct stat st;

	if (find_way(settings, name, &way, &v, NULL) < 0)
		return true;
	if (way != IN_FILE)
		return false;
	PCTL_AUTO(free) char *path = pctl_path_of(v);
	if (stat(path, &st) == 0)
		return S_ISREG(st.st_mode);
	PCTL_AUTO(free) char *pending = pending_of(path);
	return errno != ENOENT || lstat(pending, &st) == 0;
}

int pctl_secret_file(
	const struct pctl_value *settings, const char *name, char **ret, struct pctl_error *err)
{
	const struct pctl_value *v = NULL;
	enum way way = WAYS;
	struct stat st;
	int r = find_way(settings, name, &way, &v, err);

	if (r < 0)
		return r;
	if (way != IN_FILE)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"its %s %s; only one that is in a file can be changed: put it into a file "
			"that others cannot read, and say `%s_file: FILE` instead",
			name, way == WAYS ? "is not set" : elsewhere[way], name);
	PCTL_AUTO(free) char *path = pctl_path_of(v);
	char *real = realpath(path, NULL);
	if (!real && errno != ENOENT)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "%s: cannot be looked at: %s", path, strerror(errno));
	if (!real || stat(real, &st) < 0 || !S_ISREG(st.st_mode)) {
		free(real);
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s is no file that stays; only a password that is kept in one can be "
			"changed",
			path);
	}
	*ret = real;
	return 0;
}
