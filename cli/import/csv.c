/* SPDX-License-Identifier: Apache-2.0 */
/* A table with a first line that names its columns. */
#include <string.h>

#include <powerctl/mem.h>

#include "import/import.h"

#define LIST " ,;|" /* what may stand between the words of a cell */

enum column {
	COLUMN_SETTING, /* of the driver, by its own name */
	COLUMN_NAME,
	COLUMN_ADDRESS,
	COLUMN_USER,
	COLUMN_PASSWORD,
	COLUMN_KG,
	COLUMN_TAGS,
	COLUMN_GROUPS,
};

/* What columns may be called; to: the setting, where it has another name here. */
static const struct {
	const char *word;
	enum column column;
	const char *to;
} words[] = {
	{ "name", COLUMN_NAME, NULL },
	{ "node", COLUMN_NAME, NULL },
	{ "hostname", COLUMN_NAME, NULL },
	{ "address", COLUMN_ADDRESS, NULL },
	{ "bmc", COLUMN_ADDRESS, NULL },
	{ "bmc_address", COLUMN_ADDRESS, NULL },
	{ "ip", COLUMN_ADDRESS, NULL },
	{ "host", COLUMN_ADDRESS, NULL },
	{ "username", COLUMN_USER, NULL },
	{ "user", COLUMN_USER, NULL },
	{ "login", COLUMN_USER, NULL },
	{ "password", COLUMN_PASSWORD, NULL },
	{ "pass", COLUMN_PASSWORD, NULL },
	{ "kg", COLUMN_KG, NULL },
	{ "tags", COLUMN_TAGS, NULL },
	{ "tag", COLUMN_TAGS, NULL },
	{ "groups", COLUMN_GROUPS, NULL },
	{ "group", COLUMN_GROUPS, NULL },
	{ "type", COLUMN_SETTING, "driver" },
};
#define WORDS (sizeof(words) / sizeof(words[0]))

struct table {
	struct import *im;
	struct {
		enum column column;
		char *key; /* of a setting */
	} columns[IMPORT_CELLS_MAX];
	size_t n;
	const struct import_record *row;
	struct pctl_place place;
	size_t login;
};

static const char *cell_of(const struct table *t, enum column column)
{
	for (size_t i = 0; i < t->n && i < t->row->n; i++)
		if (t->columns[i].column == column)
			return t->row->cells[i];
	return "";
}

static size_t count_columns(const struct table *t, enum column column)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		n += t->columns[i].column == column;
	return n;
}

/* "BMC address" is bmc_address. In place. */
static void make_key(char *word)
{
	for (; *word; word++)
		*word = import_key_char(*word);
}

static void name_column(struct table *t, size_t i, char *word)
{
	const char *setting = word;

	make_key(word);
	t->columns[i].column = COLUMN_SETTING;
	for (size_t w = 0; w < WORDS; w++) {
		if (strcmp(words[w].word, word) != 0)
			continue;
		t->columns[i].column = words[w].column;
		setting = words[w].to;
	}
	t->columns[i].key = setting ? pctl_xstrdup(setting) : NULL;
}

static bool read_head(struct table *t, const struct import_record *head)
{
	t->n = head->n;
	t->place = import_at(t->im, head->line);
	for (size_t i = 0; i < head->n; i++)
		name_column(t, i, head->cells[i]);
	for (size_t i = 0; i < head->n; i++) {
		const char *key = t->columns[i].key;

		if (key && !*key) {
			import_left(t->im, t->place, "column %zu has no name", i + 1);
			return false;
		}
		if (key && pctl_key_is_secret(key)) {
			import_left(t->im, t->place,
				"the column '%s' is a secret that is not known here; take it out",
				key);
			return false;
		}
	}
	for (enum column c = COLUMN_NAME; c <= COLUMN_GROUPS; c++) {
		if (count_columns(t, c) <= 1)
			continue;
		import_left(t->im, t->place, "two columns say the same; leave one of them out");
		return false;
	}
	if (count_columns(t, COLUMN_NAME) == 1)
		return true;
	import_left(t->im, t->place,
		"the first line has to name the columns, and one of them has to be 'name': "
		"name,driver,address,username,password");
	return false;
}

static void join_groups(struct table *t, const char *name)
{
	PCTL_AUTO(free) char *cell = pctl_xstrdup(cell_of(t, COLUMN_GROUPS));
	char *rest = cell;

	for (char *word; (word = import_word(&rest, LIST));)
		(void)import_join(t->im, t->place, word, name);
}

static void add_one(void *data, const char *name, const char *address)
{
	struct table *t = data;
	struct import_node *node = import_add(t->im, t->place, name);

	if (!node)
		return;
	node->login = t->login;
	for (size_t i = 0; i < t->n && i < t->row->n; i++) {
		bool tags = t->columns[i].column == COLUMN_TAGS;
		const char *key = tags ? "tags" : t->columns[i].key;

		if (!key)
			continue;
		if (!tags && strcmp(key, "workarounds") != 0) {
			import_set(node, key, t->row->cells[i]);
			continue;
		}
		PCTL_AUTO(free) char *cell = pctl_xstrdup(t->row->cells[i]);
		import_set_list(node, key, cell, LIST);
	}
	if (*address && !import_set_address(node, address)) {
		import_left(t->im, t->place,
			"'%s': its address is none; write HOST, HOST:PORT or [IPV6]:PORT", name);
		node->dropped = true;
	}
	join_groups(t, name);
}

static void read_row(struct table *t, const struct import_record *row)
{
	struct pctl_error err = { 0 };

	t->row = row;
	t->place = import_at(t->im, row->line);
	if (*row->cells[0] == '#')
		return;
	if (row->broken || row->too_many || row->n > t->n) {
		import_left(t->im, t->place,
			row->broken ? "a quote is never closed; nothing below is read"
				    : "this line has more values than the first one has names");
		return;
	}
	t->login = import_login(
		t->im, cell_of(t, COLUMN_USER), cell_of(t, COLUMN_PASSWORD), cell_of(t, COLUMN_KG));
	if (import_pairs(cell_of(t, COLUMN_NAME), cell_of(t, COLUMN_ADDRESS), add_one, t, &err) < 0)
		import_left(t->im, t->place, "%s", err.text);
}

/* The one that the first line has most of. */
static char separator_of(const char *text)
{
	static const char separators[] = ",;\t";
	size_t best = 0, most = 0, len = strcspn(text, "\n");

	for (size_t s = 0; separators[s]; s++) {
		size_t n = 0;

		for (size_t i = 0; i < len; i++)
			n += text[i] == separators[s];
		if (n > most) {
			most = n;
			best = s;
		}
	}
	return separators[best];
}

void import_csv_file(struct import *im, char *text)
{
	static const char mark[] = "\xef\xbb\xbf"; /* what spreadsheets begin UTF-8 with */
	struct table t = { .im = im };
	struct import_record record;
	struct import_text rest;

	import_text_begin(&rest, text);
	if (strncmp(text, mark, sizeof(mark) - 1) == 0)
		rest.next += sizeof(mark) - 1;
	char separator = separator_of(rest.next);
	if (import_csv(&rest, separator, &record) && read_head(&t, &record))
		while (import_csv(&rest, separator, &record))
			read_row(&t, &record);
	for (size_t i = 0; i < t.n; i++)
		free(t.columns[i].key);
}
