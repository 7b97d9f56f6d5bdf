/* SPDX-License-Identifier: Apache-2.0 */
#include "rows.h"

#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/nodeset.h>

#include "table.h"
#include "text.h"
#include "tree.h"

#define COLUMNS_MAX 32u

struct row {
	size_t node;
	char *name, *text; /* text: as it is without a table */
	const char *word;  /* borrowed from the engine, which has few */
	struct pctl_value *tree;
	char *cells; /* all of them, to tell who says the same */
};

struct rows {
	const struct render_style *style;
	struct row *v;
	size_t n, cap;
	bool flat;
};

struct rows *rows_new(const struct render_style *style)
{
	struct rows *rows = pctl_xcalloc(1, sizeof(*rows));

	rows->style = style;
	rows->flat = true;
	return rows;
}

void rows_add(struct rows *rows, const struct pctl_result *result)
{
	rows->v = pctl_xgrow(rows->v, &rows->cap, rows->n + 1, sizeof(*rows->v));
	rows->v[rows->n++] = (struct row){ .node = result->node,
		.name = pctl_xstrdup(result->name),
		.text = render_result(result, rows->style),
		.word = result->word,
		.tree = pctl_value_copy(result->tree) };
	rows->flat = rows->flat && tree_is_flat(result->tree);
}

/* --- The table. ------------------------------------------------------------------------------- */

struct columns {
	const char *keys[COLUMNS_MAX]; /* behind that of the nodes */
	size_t n;
	bool words; /* whether it was changed stands in one, too */
};

static bool has_key(const struct columns *c, const char *key)
{
	for (size_t i = 0; i < c->n; i++)
		if (strcmp(c->keys[i], key) == 0)
			return true;
	return false;
}

/* False: there are too many. */
static bool find_columns(const struct rows *rows, struct columns *ret)
{
	*ret = (struct columns){ .n = 0 };
	for (size_t i = 0; i < rows->n; i++) {
		const struct pctl_value *tree = rows->v[i].tree;

		ret->words = ret->words || strcmp(rows->v[i].word, "ok") != 0;
		for (size_t k = 0; k < pctl_value_count(tree); k++) {
			if (has_key(ret, pctl_value_key_at(tree, k)))
				continue;
			if (ret->n == COLUMNS_MAX)
				return false;
			ret->keys[ret->n++] = pctl_value_key_at(tree, k);
		}
	}
	return true;
}

static void add_cells(struct table *t, const struct columns *c, const struct row *row)
{
	if (c->words)
		table_add(t, row->word);
	for (size_t i = 0; i < c->n; i++) {
		const struct pctl_value *v = pctl_value_get(row->tree, c->keys[i]);
		struct pctl_buf cell;

		pctl_buf_init(&cell, TEXT_ANSWER_MAX);
		if (v)
			tree_short(&cell, v);
		table_add(t, cell.len ? cell.data : "-");
		pctl_buf_done(&cell);
	}
}

static void fill_cells(const struct rows *rows, const struct columns *c)
{
	for (size_t i = 0; i < rows->n; i++) {
		struct pctl_buf all;

		pctl_buf_init(&all, TEXT_ANSWER_MAX);
		pctl_buf_adds(&all, c->words ? rows->v[i].word : "");
		for (size_t k = 0; k < c->n; k++) {
			const struct pctl_value *v = pctl_value_get(rows->v[i].tree, c->keys[k]);

			pctl_buf_adds(&all, "\n");
			if (v)
				tree_short(&all, v);
		}
		rows->v[i].cells = pctl_buf_steal(&all);
	}
}

static int by_node(const void *va, const void *vb)
{
	const struct row *a = va, *b = vb;

	return (a->node > b->node) - (a->node < b->node);
}

/* The first of those that say the same has the row of all of them. */
static void add_rows(const struct rows *rows, const struct columns *c, struct table *t)
{
	for (size_t i = 0; i < rows->n; i++) {
		struct pctl_names *names = pctl_names_new();
		bool first = true;

		for (size_t k = 0; k < i && first; k++)
			first = strcmp(rows->v[k].cells, rows->v[i].cells) != 0;
		for (size_t k = i; k < rows->n && first; k++)
			if (strcmp(rows->v[k].cells, rows->v[i].cells) == 0)
				(void)pctl_names_add(names, rows->v[k].name);
		if (first) {
			PCTL_AUTO(free) char *folded = pctl_names_fold(names);

			table_add(t, folded);
			add_cells(t, c, &rows->v[i]);
		}
		pctl_names_free(names);
	}
}

static bool fits(const char *text, size_t width)
{
	for (const char *line = text; *line; line += line[0] == '\n') {
		size_t len = strcspn(line, "\n");

		if (len > width)
			return false;
		line += len;
	}
	return true;
}

/* False: it does not fit. */
static bool write_table(struct rows *rows, struct output *output, size_t width)
{
	static const unsigned plain[COLUMNS_MAX + 2] = { 0 };
	struct columns c;
	struct pctl_buf buf;
	struct table t;

	if (!rows->flat || !find_columns(rows, &c) || !c.n)
		return false;
	qsort(rows->v, rows->n, sizeof(*rows->v), by_node);
	fill_cells(rows, &c);
	table_init(&t, plain, c.n + 1 + c.words);
	table_add(&t, "node");
	if (c.words)
		table_add(&t, "");
	for (size_t i = 0; i < c.n; i++)
		table_add(&t, c.keys[i]);
	add_rows(rows, &c, &t);
	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	table_write(&t, &buf, "", "\n");
	table_done(&t);
	bool good = !buf.full && fits(buf.data, width);
	if (good)
		output_table(output, buf.data);
	pctl_buf_done(&buf);
	return good;
}

void rows_end(struct rows *rows, struct output *output, size_t width)
{
	bool table = rows->n > 1 && write_table(rows, output, width);

	for (size_t i = 0; i < rows->n; i++) {
		struct row *row = &rows->v[i];

		if (table)
			free(row->text);
		else
			output_add(output, row->node, 0, row->name, row->text);
		free(row->name);
		free(row->cells);
		pctl_value_free(row->tree);
	}
	free(rows->v);
	free(rows);
}
