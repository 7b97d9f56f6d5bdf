/* SPDX-License-Identifier: Apache-2.0 */
/*
 * xCAT, in two forms. Stanzas, as `lsdef -z` prints them (xcatstanzafile(5)): NAME: and below it
 * ATTRIBUTE=VALUE. Tables, as `tabdump` prints them: a line of columns that begins with #, then
 * quoted values; which table it is, the columns say. What a table has for a group holds for its
 * members; first one's own row, then those of the groups in their order.
 */
#include <ctype.h>
#include <string.h>

#include <powerctl/mem.h>

#include "import/import.h"

/* A row of what xCAT knows of a node or a group, from all tables. */
enum field { F_MGT, F_BMC, F_USER, F_PASSWORD, F_GROUPS, F_POWER, F_PORT, FIELDS };

static const struct {
	const char *attribute; /* of a stanza */
	const char *column;    /* of a table */
} names[FIELDS] = {
	[F_MGT] = { "mgt", "mgt" },
	[F_BMC] = { "bmc", "bmc" },
	[F_USER] = { "bmcusername", "username" },
	[F_PASSWORD] = { "bmcpassword", "password" },
	[F_GROUPS] = { "groups", "groups" },
	[F_POWER] = { "power", "power" },
	[F_PORT] = { "bmcudpport", NULL },
};

struct row {
	const char *name;
	struct pctl_place place;
	const char *fields[FIELDS]; /* NULL: not said */
	const char *implied;        /* mgt, by the table that names it; NULL: none */
	bool node;                  /* a stanza, or in nodelist */
	bool other;                 /* objtype is not node */
};

struct xcat {
	struct import *im;
	struct row *rows;
	size_t count, cap;
	struct import_index index;
	struct row defaults; /* of stanzas: default-node */
	bool listed;         /* there is a list of nodes; else each row with a bmc is one */
	const char *user[2], *password[2]; /* of the table passwd, by way */
};

/* How a node is managed, and what takes its place here. */
static const struct way {
	const char *mgt;
	const char *driver; /* NULL: none of ours */
	const char *advice;
} ways[] = {
	{ "ipmi", "ipmi", NULL },
	{ "openbmc", "redfish", NULL },
	{ "blade", NULL, "use the driver fence with agent fence_bladecenter or fence_hpblade" },
	{ "hpblade", NULL, "use the driver fence with agent fence_hpblade" },
	{ "hmc", NULL, "use the driver fence with agent fence_lpar" },
	{ "ivm", NULL, "use the driver fence with agent fence_lpar" },
	{ "fsp", NULL, "use the driver fence with agent fence_lpar" },
	{ "kvm", NULL, "use the driver fence with agent fence_virsh" },
	{ "esx", NULL, "use the driver fence with agent fence_vmware_rest" },
	{ "rhevm", NULL, "use the driver fence with agent fence_rhevm" },
	{ "pdu", NULL, "use the driver fence with the agent for that power strip" },
	{ "switch", NULL, "a switch is not turned on and off" },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

static struct row *row_of(struct xcat *x, struct pctl_place place, const char *name)
{
	size_t i = import_index_put(&x->index, name, x->count);

	if (i == x->count) {
		x->rows = pctl_xgrow(x->rows, &x->cap, x->count + 1, sizeof(*x->rows));
		x->rows[x->count++] = (struct row){ .name = name, .place = place };
	}
	return &x->rows[i];
}

static const struct row *find(const struct xcat *x, const char *name)
{
	size_t i = import_index_find(&x->index, name);

	return i == IMPORT_NOWHERE ? NULL : &x->rows[i];
}

/* --- Stanzas. --------------------------------------------------------------------------------- */

static struct row *begin_stanza(struct xcat *x, char *name, uint32_t line)
{
	const char *type = strncmp(name, "default-", 8) == 0 ? name + 8 : NULL;
	struct row *row;

	if (type) {
		x->defaults.other = strcmp(type, "node") != 0;
		return &x->defaults;
	}
	row = row_of(x, import_at(x->im, line), name);
	if (row->node) {
		import_left(x->im, import_at(x->im, line),
			"'%s' is at line %u already; this one is left out", name, row->place.line);
		return NULL;
	}
	x->listed = row->node = true;
	memcpy(row->fields, x->defaults.fields, sizeof(row->fields));
	return row;
}

static void take_attribute(struct row *row, const char *key, const char *value)
{
	if (strcmp(key, "objtype") == 0)
		row->other = strcmp(value, "node") != 0;
	for (size_t f = 0; f < FIELDS; f++)
		if (strcmp(names[f].attribute, key) == 0)
			row->fields[f] = *value ? value : NULL;
}

static void read_stanzas(struct xcat *x, char *text)
{
	struct import_text rest;
	struct row *row = NULL;
	bool begun = false;

	import_text_begin(&rest, text);
	for (char *line; (line = import_line(&rest));) {
		char *word = import_trim(line), *equals = strchr(word, '=');
		size_t len = strlen(word);

		if (!len || *word == '#')
			continue;
		if (!begun && strncmp(word, "Object name:", 12) == 0) {
			import_left(x->im, import_at(x->im, rest.line),
				"this is lsdef's other form; take what `lsdef -z` prints");
			return;
		}
		if (!equals && word[len - 1] == ':') {
			word[len - 1] = '\0';
			row = begin_stanza(x, import_trim(word), rest.line);
			begun = true;
		} else if (!equals || !begun) {
			import_left(x->im, import_at(x->im, rest.line),
				"this is neither 'NAME:' nor 'ATTRIBUTE=VALUE' below one");
		} else if (row && (row != &x->defaults || !row->other)) {
			*equals = '\0';
			take_attribute(row, import_trim(word), import_trim(equals + 1));
		}
	}
}

/* --- Tables. ---------------------------------------------------------------------------------- */

struct columns {
	const char *names[IMPORT_CELLS_MAX];
	size_t n;
};

static const char *cell(
	const struct columns *c, const struct import_record *record, const char *name)
{
	for (size_t i = 0; name && i < c->n && i < record->n; i++)
		if (strcmp(c->names[i], name) == 0)
			return *record->cells[i] ? record->cells[i] : NULL;
	return NULL;
}

static bool has_column(const struct columns *c, const char *name)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->names[i], name) == 0)
			return true;
	return false;
}

/* Of the table passwd: which login holds where a node says none. */
static void take_password(struct xcat *x, const struct columns *c, const struct import_record *r)
{
	const char *key = cell(c, r, "key");

	for (size_t way = 0; key && way < 2; way++) {
		if (strcmp(ways[way].mgt, key) != 0)
			continue;
		x->user[way] = cell(c, r, "username");
		x->password[way] = cell(c, r, "password");
	}
}

static void take_row(struct xcat *x, const struct columns *c, const struct import_record *r)
{
	const char *disable = cell(c, r, "disable"), *name = cell(c, r, "node");
	struct row *row;

	if (disable && (strcmp(disable, "1") == 0 || import_same(disable, "yes")))
		return;
	if (c->n && strcmp(c->names[0], "key") == 0) {
		take_password(x, c, r);
		return;
	}
	if (!name) {
		import_left(x->im, import_at(x->im, r->line),
			"no line of columns that begins with '#node,' stands before this");
		return;
	}
	row = row_of(x, import_at(x->im, r->line), name);
	for (size_t f = 0; f < FIELDS; f++) {
		const char *value = cell(c, r, names[f].column);

		if (value)
			row->fields[f] = value;
	}
	if (has_column(c, "bmc"))
		row->implied = has_column(c, "consport") ? "openbmc" : "ipmi";
	if (!has_column(c, "groups"))
		return;
	x->listed = row->node = true;
	row->place = import_at(x->im, r->line);
}

static void read_tables(struct xcat *x, char *text)
{
	struct columns c = { .n = 0 };
	struct import_record record;
	struct import_text rest;

	import_text_begin(&rest, text);
	while (import_csv(&rest, ',', &record)) {
		if (record.broken) {
			import_left(x->im, import_at(x->im, record.line),
				"a quote is never closed; nothing below is read");
			return;
		}
		if (*record.cells[0] == '#') {
			c.n = record.n;
			for (size_t i = 0; i < record.n; i++)
				c.names[i] = record.cells[i] + (i == 0);
		} else {
			take_row(x, &c, &record);
		}
	}
}

/* --- Nodes. ----------------------------------------------------------------------------------- */

/* A value that xCAT makes from the node's name by a pattern: |PATTERN|RESULT| or /PATTERN/RESULT/.
 */
static bool is_pattern(const char *value)
{
	size_t len = strlen(value);

	return len > 2 && (*value == '|' || *value == '/') && value[len - 1] == *value &&
	       memchr(value + 1, *value, len - 2);
}

/* Of patterns only the one that appends is done here: |\z|-bmc| . free() it. */
static char *result_of(const char *pattern, const char *name)
{
	if (strncmp(pattern + 1, "\\z", 2) != 0 || pattern[3] != *pattern ||
		strchr(pattern + 4, '$') || strchr(pattern + 4, '('))
		return NULL;
	return pctl_xasprintf("%s%.*s", name, (int)strlen(pattern + 4) - 1, pattern + 4);
}

struct view {
	struct xcat *x;
	const struct row *row;
	const char *groups; /* NULL: it is in none */
};

/* What holds for a node; NULL: nothing is said. */
static const char *field_of(const struct view *v, enum field f)
{
	PCTL_AUTO(free) char *groups = pctl_xstrdup(v->groups ? v->groups : "");
	char *rest = groups;

	if (v->row->fields[f])
		return v->row->fields[f];
	for (char *word; (word = import_word(&rest, ", "));) {
		const struct row *group = find(v->x, word);

		if (group && group->fields[f])
			return group->fields[f];
	}
	return NULL;
}

static const struct way *way_of(const struct view *v)
{
	const char *mgt = field_of(v, F_POWER);

	mgt = mgt ? mgt : field_of(v, F_MGT);
	mgt = mgt ? mgt : v->row->implied;
	for (size_t i = 0; mgt && i < WAYS; i++)
		if (strcmp(ways[i].mgt, mgt) == 0)
			return &ways[i];
	if (mgt)
		import_left(v->x->im, v->row->place, "'%s' is managed by '%s', which is not known",
			v->row->name, mgt);
	else
		import_left(v->x->im, v->row->place, "'%s': nothing says how it is managed (mgt)",
			v->row->name);
	return NULL;
}

static void join_groups(const struct view *v)
{
	PCTL_AUTO(free) char *groups = pctl_xstrdup(v->groups ? v->groups : "");
	char *rest = groups;

	/* All nodes are in that one; here it is -a. */
	for (char *word; (word = import_word(&rest, ", "));)
		if (strcmp(word, "all") != 0)
			(void)import_join(v->x->im, v->row->place, word, v->row->name);
}

static void take_bmc(const struct view *v, struct import_node *node)
{
	const char *bmc = field_of(v, F_BMC);
	PCTL_AUTO(free) char *made = bmc && is_pattern(bmc) ? result_of(bmc, node->name) : NULL;

	node->dropped = true;
	if (!bmc)
		import_left(v->x->im, v->row->place, "'%s' has no bmc", node->name);
	else if (is_pattern(bmc) && !made)
		import_left(v->x->im, v->row->place,
			"'%s': its bmc is a pattern of xCAT; `lsdef -t node -o %s -z` writes it "
			"out",
			node->name, node->name);
	else if (!import_set_address(node, made ? made : bmc))
		import_left(v->x->im, v->row->place, "'%s': '%s' is no address", node->name,
			made ? made : bmc);
	else
		node->dropped = false;
}

static void take_node(const struct view *v)
{
	const struct way *way = way_of(v);
	const char *user = field_of(v, F_USER), *password = field_of(v, F_PASSWORD);
	struct import_node *node;

	if (!way)
		return;
	if (!way->driver) {
		import_left(v->x->im, v->row->place, "'%s' is managed by '%s': %s", v->row->name,
			way->mgt, way->advice);
		return;
	}
	node = import_add(v->x->im, v->row->place, v->row->name);
	if (!node)
		return;
	import_set(node, "driver", way->driver);
	import_set(node, "port", field_of(v, F_PORT));
	take_bmc(v, node);
	if (!user && !password) {
		user = v->x->user[way - ways];
		password = v->x->password[way - ways];
	}
	node->login = import_login(v->x->im, user, password, NULL);
	join_groups(v);
}

/* tabdump's lines of columns begin with # and have commas and no blank. */
static bool has_tables(const char *text)
{
	for (; *text == '#' || *text == '\n' || *text == '\r'; text += *text == '\n') {
		size_t len = strcspn(text, "\n");

		if (*text == '#' && memchr(text, ',', len) && !memchr(text, ' ', len))
			return true;
		text += len;
	}
	return *text == '"';
}

void import_xcat(struct import *im, char *text)
{
	struct xcat x = { .im = im };

	if (has_tables(text))
		read_tables(&x, text);
	else
		read_stanzas(&x, text);
	for (size_t i = 0; i < x.count; i++) {
		const struct row *row = &x.rows[i];
		const struct view v = { &x, row, row->fields[F_GROUPS] };

		if ((row->node || (!x.listed && row->fields[F_BMC])) && !row->other)
			take_node(&v);
	}
	import_index_done(&x.index);
	free(x.rows);
}
