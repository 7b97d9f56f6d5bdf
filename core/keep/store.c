/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "base/file.h"
#include "base/strmap.h"

/* So many keys are looked for in the text; whoever wants more of them has all of it read. */
#define SEARCHES 16u
#define FILE_MAX ((size_t)256 << 20)

struct field {
	char *name, *value; /* value NULL: to be forgotten */
	struct field *next;
};

struct record {
	char *key;
	struct field *fields;
	struct field *changes; /* not saved yet */
	bool searched;         /* all lines of this key were read */
};

struct pctl_store {
	char *path;
	bool read, parsed, changed;
	bool loose; /* lines were added to the file that replacing it would join */
	char *text; /* as read, behind a line break */
	unsigned searches;
	struct stat seen;             /* of the file that was read; all zero: there was none */
	struct pctl_error unreadable; /* it is there, and what it says is not known */
	struct pctl_strmap index;
	struct record **records; /* in the order of the file */
	size_t n, cap;
	struct record **changed_records; /* those with changes */
	size_t changed_n, changed_cap;
};

static void free_fields(struct field *f)
{
	while (f) {
		struct field *next = f->next;

		free(f->name);
		free(f->value);
		free(f);
		f = next;
	}
}

static void forget_all(struct pctl_store *store)
{
	for (size_t i = 0; i < store->n; i++) {
		free_fields(store->records[i]->fields);
		free_fields(store->records[i]->changes);
		free(store->records[i]->key);
		free(store->records[i]);
	}
	free(store->records);
	free(store->changed_records);
	free(store->text);
	pctl_strmap_done(&store->index);
	store->records = store->changed_records = NULL;
	store->changed_n = store->changed_cap = 0;
	store->text = NULL;
	store->n = store->cap = 0;
	store->searches = 0;
	store->read = store->parsed = store->changed = store->loose = false;
	store->unreadable = (struct pctl_error){ 0 };
}

struct pctl_store *pctl_store_new(const char *path)
{
	struct pctl_store *store = pctl_xcalloc(1, sizeof(*store));

	store->path = pctl_xstrdup(path);
	return store;
}

void pctl_store_free(struct pctl_store *store)
{
	if (!store)
		return;
	forget_all(store);
	free(store->path);
	free(store);
}

static struct record *record_of(struct pctl_store *store, const char *key)
{
	void **place = pctl_strmap_put(&store->index, key);
	struct record *r = *place;

	if (r)
		return r;
	r = pctl_xcalloc(1, sizeof(*r));
	r->key = pctl_xstrdup(key);
	*place = r;
	store->records =
		pctl_xgrow(store->records, &store->cap, store->n + 1, sizeof(struct record *));
	store->records[store->n++] = r;
	return r;
}

static struct field *field_of(struct field *list, const char *name)
{
	while (list && strcmp(list->name, name) != 0)
		list = list->next;
	return list;
}

/* Sets, or notes for forgetting; the end of the list is where new ones go. */
static void set_field(struct field **list, const char *name, const char *value)
{
	struct field *f = field_of(*list, name);

	if (!f) {
		while (*list)
			list = &(*list)->next;
		f = pctl_xcalloc(1, sizeof(*f));
		f->name = pctl_xstrdup(name);
		*list = f;
	}
	free(f->value);
	f->value = value ? pctl_xstrdup(value) : NULL;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

/* In place: %20 and the like. Anything malformed stays as it is. */
static void decode(char *s)
{
	char *to = s;

	for (; *s; s++) {
		int high = *s == '%' ? hex_digit(s[1]) : -1;
		int low = high >= 0 ? hex_digit(s[2]) : -1;

		if (low >= 0) {
			*to++ = (char)(high * 16 + low);
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
}

static void encode(struct pctl_buf *buf, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c <= ' ' || c == '%' || c == '=' || c == '#' || c == 0x7f)
			pctl_buf_addf(buf, "%%%02x", c);
		else
			pctl_buf_add(buf, s, 1);
	}
}

/* "-field" in a line that was added later. */
static void take_back(struct record *r, char *name)
{
	struct field *f;

	decode(name);
	f = field_of(r->fields, name);
	if (!f)
		return;
	free(f->value);
	f->value = NULL;
}

static void parse_line(struct pctl_store *store, char *line)
{
	char *rest = line, *key = strsep(&rest, " \t");

	if (!*key || *key == '#')
		return;
	decode(key);
	struct record *r = record_of(store, key);
	if (r->searched)
		return;
	for (char *word; (word = strsep(&rest, " \t"));) {
		char *value = strchr(word, '=');

		if (!value && *word == '-')
			take_back(r, word + 1);
		if (!value)
			continue;
		*value++ = '\0';
		decode(word);
		decode(value);
		set_field(&r->fields, word, value);
	}
}

/* NULL: there is no such file, or it cannot be read and *err says why. */
static char *read_file(const char *path, struct stat *seen, struct pctl_error *err)
{
	struct pctl_buf buf;

	*seen = (struct stat){ 0 };
	if (stat(path, seen) < 0 && errno == ENOENT)
		return NULL;
	pctl_buf_init(&buf, FILE_MAX);
	pctl_buf_adds(&buf, "\n");
	if (pctl_file_read_kept(path, &buf, seen, err) == 0)
		return pctl_buf_steal(&buf);
	pctl_buf_done(&buf);
	err->code = PCTL_E_INTERNAL;
	return NULL;
}

static void load(struct pctl_store *store)
{
	if (store->read)
		return;
	store->read = true;
	store->text = read_file(store->path, &store->seen, &store->unreadable);
}

int pctl_store_check(struct pctl_store *store, struct pctl_error *err)
{
	load(store);
	if (store->unreadable.code && err)
		*err = store->unreadable;
	return store->unreadable.code;
}

static void parse_all(struct pctl_store *store)
{
	char *rest = store->text;

	if (store->parsed)
		return;
	store->parsed = true;
	for (char *line; rest && (line = strsep(&rest, "\n"));)
		parse_line(store, line);
}

/* All lines of one key. A fleet's file is long, and most commands are about one machine. */
static void search(struct pctl_store *store, const char *key)
{
	struct pctl_buf start;
	const char *at = store->text ? store->text : "";

	pctl_buf_init(&start, FILE_MAX);
	pctl_buf_adds(&start, "\n");
	encode(&start, key);
	for (; (at = strstr(at, start.data)) != NULL; at += start.len) {
		PCTL_AUTO(free) char *line = pctl_xstrndup(at + 1, strcspn(at + 1, "\n"));

		if (at[start.len] == ' ' || at[start.len] == '\t')
			parse_line(store, line);
	}
	record_of(store, key)->searched = true;
	pctl_buf_done(&start);
}

static const struct record *find(struct pctl_store *store, const char *key)
{
	const struct record *r = pctl_strmap_get(&store->index, key);

	load(store);
	if (store->parsed || (r && r->searched))
		return r;
	if (store->searches++ < SEARCHES)
		search(store, key);
	else
		parse_all(store);
	return pctl_strmap_get(&store->index, key);
}

const char *pctl_store_get(struct pctl_store *store, const char *key, const char *field)
{
	const struct record *r = find(store, key);
	const struct field *f = r ? field_of(r->fields, field) : NULL;
	return f ? f->value : NULL;
}

static void note_changed(struct pctl_store *store, struct record *r)
{
	store->changed_records = pctl_xgrow(store->changed_records, &store->changed_cap,
		store->changed_n + 1, sizeof(struct record *));
	store->changed_records[store->changed_n++] = r;
}

void pctl_store_put(struct pctl_store *store, const char *key, const char *field, const char *value)
{
	const char *old = pctl_store_get(store, key, field);

	if (old == value || (old && value && strcmp(old, value) == 0))
		return;
	struct record *r = record_of(store, key);
	if (!r->changes)
		note_changed(store, r);
	set_field(&r->fields, field, value);
	set_field(&r->changes, field, value);
	store->changed = true;
}

size_t pctl_store_each(
	struct pctl_store *store, const char *key, pctl_store_each_fn *each, void *data)
{
	size_t n = 0;

	const struct record *r = find(store, key);
	for (const struct field *f = r ? r->fields : NULL; f; f = f->next) {
		if (!f->value)
			continue;
		n++;
		if (each)
			each(data, f->name, f->value);
	}
	return n;
}

void pctl_store_keys(struct pctl_store *store, pctl_store_keys_fn *each, void *data)
{
	load(store);
	parse_all(store);
	for (size_t i = 0; i < store->n; i++) {
		const struct field *f = store->records[i]->fields;

		while (f && !f->value)
			f = f->next;
		if (f)
			each(data, store->records[i]->key);
	}
}

/* Reads the file again, and puts what is not saved yet over it. */
static void read_again(struct pctl_store *store)
{
	struct pctl_store old = *store;

	*store = (struct pctl_store){ .path = old.path };
	for (size_t i = 0; i < old.n; i++)
		for (const struct field *f = old.records[i]->changes; f; f = f->next)
			pctl_store_put(store, old.records[i]->key, f->name, f->value);
	store->loose = old.loose;
	forget_all(&old);
}

bool pctl_store_refresh(struct pctl_store *store)
{
	struct stat now = { 0 };

	if (!store->read)
		return true;
	(void)stat(store->path, &now);
	/* It is replaced or grows, so another state is another file or size. */
	if (pctl_file_is_as_it_was(&store->seen, &now))
		return false;
	read_again(store);
	return true;
}

/* What was changed here goes over what the file says now. */
static void replay(struct pctl_store *fresh, const struct pctl_store *store)
{
	parse_all(fresh);
	for (size_t i = 0; i < store->changed_n; i++) {
		const struct record *r = store->changed_records[i];

		for (const struct field *f = r->changes; f; f = f->next)
			set_field(&record_of(fresh, r->key)->fields, f->name, f->value);
	}
}

static void write_field(struct pctl_buf *buf, const struct field *f)
{
	pctl_buf_adds(buf, f->value ? " " : " -");
	encode(buf, f->name);
	if (!f->value)
		return;
	pctl_buf_adds(buf, "=");
	encode(buf, f->value);
}

static void write_text(const struct pctl_store *store, struct pctl_buf *buf)
{
	for (size_t i = 0; i < store->n; i++) {
		size_t start = buf->len, fields = 0;

		encode(buf, store->records[i]->key);
		for (const struct field *f = store->records[i]->fields; f; f = f->next) {
			if (!f->value)
				continue;
			fields++;
			write_field(buf, f);
		}
		pctl_buf_adds(buf, "\n");
		if (!fields)
			pctl_buf_cut(buf, start);
	}
}

/* A line of what was changed about one key. */
static void write_changes(const struct record *r, struct pctl_buf *buf)
{
	encode(buf, r->key);
	for (const struct field *f = r->changes; f; f = f->next)
		write_field(buf, f);
	pctl_buf_adds(buf, "\n");
}

/* What cannot be read is not replaced either: it would be lost. */
static int merge_into_file(const struct pctl_store *store, struct pctl_error *err)
{
	struct pctl_store *fresh = pctl_store_new(store->path);
	struct pctl_buf text;
	int r = pctl_store_check(fresh, err);

	pctl_buf_init(&text, FILE_MAX);
	if (r == 0) {
		replay(fresh, store);
		write_text(fresh, &text);
		r = text.full ? pctl_error_set(err, PCTL_E_INTERNAL,
					"%s would be larger than %zu bytes; nothing was changed",
					store->path, text.max)
			      : pctl_file_put(store->path, text.data, text.len, err);
	}
	pctl_buf_done(&text);
	pctl_store_free(fresh);
	return r;
}

static int lock_file(const struct pctl_store *store, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = pctl_xasprintf("%s.lock", store->path);

	return pctl_file_lock(path, 0600, err);
}

int pctl_store_save(struct pctl_store *store, struct pctl_error *err)
{
	if (!store->changed && !store->loose)
		return 0;
	int fd = lock_file(store, err);
	if (fd < 0)
		return fd;

	int r = merge_into_file(store, err);
	(void)close(fd);
	if (r == 0)
		forget_all(store); /* read again when next asked */
	return r;
}

/* --- A few lines more. ------------------------------------------------------------------------ */

/* Somebody edited it and left the last line open, or a disk was full in the middle of one. */
static bool ends_open(int fd, off_t size)
{
	char last;

	return size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

/* All of it or nothing. */
static bool add_lines(int fd, const struct pctl_buf *text, off_t size)
{
	if ((!ends_open(fd, size) || pctl_file_write(fd, "\n", 1) == 0) &&
		pctl_file_write(fd, text->data, text->len) == 0)
		return true;
	int why = errno;
	if (ftruncate(fd, size) < 0)
		why = errno;
	errno = why;
	return false;
}

/* ret_before: the file as it was. */
static int add_text(const char *path, const struct pctl_buf *text, struct stat *ret_before,
	struct stat *ret_after, struct pctl_error *err)
{
	int fd = pctl_file_open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	bool good = fd >= 0 && fstat(fd, ret_before) == 0 &&
		    add_lines(fd, text, ret_before->st_size) && fstat(fd, ret_after) == 0;
	int why = errno;

	if (fd >= 0 && close(fd) < 0 && good) {
		good = false;
		why = errno;
	}
	if (good)
		return 0;
	return pctl_error_set(
		err, PCTL_E_INTERNAL, "%s cannot be written: %s", path, strerror(why));
}

/* What is in memory is what the file says, unless others wrote to it as well. */
static void settle(struct pctl_store *store, const struct stat *before, const struct stat *after)
{
	bool made = !store->seen.st_ino && !before->st_size;

	if (!made && !pctl_file_is_as_it_was(before, &store->seen)) {
		forget_all(store);
		store->loose = true;
		return;
	}
	for (; store->changed_n > 0; store->changed_n--) {
		struct record *r = store->changed_records[store->changed_n - 1];

		free_fields(r->changes);
		r->changes = NULL;
	}
	store->changed = false;
	store->loose = true;
	store->seen = *after;
}

int pctl_store_append(struct pctl_store *store, struct pctl_error *err)
{
	struct stat before = { 0 }, after = { 0 };
	struct pctl_buf text;

	if (!store->changed)
		return 0;
	int fd = lock_file(store, err);
	if (fd < 0)
		return fd;
	pctl_buf_init(&text, FILE_MAX);
	for (size_t i = 0; i < store->changed_n; i++)
		write_changes(store->changed_records[i], &text);
	int r = add_text(store->path, &text, &before, &after, err);
	pctl_buf_done(&text);
	(void)close(fd);
	if (r == 0)
		settle(store, &before, &after);
	return r;
}
