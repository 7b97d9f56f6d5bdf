/* SPDX-License-Identifier: Apache-2.0 */
#include "tree.h"

#include <string.h>

#include "text.h"

#define DEPTH_MAX 32u

static bool is_scalar(const struct pctl_value *v)
{
	enum pctl_value_kind kind = pctl_value_kind(v);

	return kind != PCTL_VALUE_LIST && kind != PCTL_VALUE_MAP;
}

/* A list of plain values fits on a line. */
static bool is_short(const struct pctl_value *v)
{
	if (pctl_value_kind(v) != PCTL_VALUE_LIST)
		return is_scalar(v);
	for (size_t i = 0; i < pctl_value_count(v); i++)
		if (!is_scalar(pctl_value_at(v, i)))
			return false;
	return true;
}

void tree_short(struct pctl_buf *buf, const struct pctl_value *v)
{
	char number[TEXT_COUNT_SIZE];

	if (is_scalar(v)) {
		text_clean(buf, text_scalar(v, number));
		return;
	}
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		pctl_buf_adds(buf, i ? ", " : "");
		text_clean(buf, text_scalar(pctl_value_at(v, i), number));
	}
	if (pctl_value_count(v) == 0)
		pctl_buf_adds(buf, "-"); /* "none" is a word that may stand in a list */
}

/* The keys of a map as they are; the elements of a list by their number, from 1. */
static void add_key(struct pctl_buf *buf, const struct pctl_value *v, size_t i)
{
	if (pctl_value_kind(v) == PCTL_VALUE_MAP)
		text_clean(buf, pctl_value_key_at(v, i));
	else
		pctl_buf_addf(buf, "%zu", i + 1);
}

/* The tree is as deep as a driver made it; we go no deeper than anybody would read. */
static void indent(struct pctl_buf *buf, const struct pctl_value *v, unsigned depth) /* NOLINT */
{
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		const struct pctl_value *child = pctl_value_at(v, i);

		pctl_buf_addf(buf, "\n%*s", (int)depth * 2, "");
		add_key(buf, v, i);
		pctl_buf_adds(buf, ":");
		if (is_short(child)) {
			pctl_buf_adds(buf, " ");
			tree_short(buf, child);
		} else if (depth < DEPTH_MAX) {
			indent(buf, child, depth + 1);
		}
	}
}

void tree_indent(struct pctl_buf *buf, const struct pctl_value *tree)
{
	indent(buf, tree, 1);
}

/* path holds the way to v, with a dot at its end if it is not empty. */
static void flat(/* NOLINT(misc-no-recursion) */
	struct pctl_buf *buf, struct pctl_buf *path, const struct pctl_value *v, unsigned depth)
{
	for (size_t i = 0; i < pctl_value_count(v); i++) {
		const struct pctl_value *child = pctl_value_at(v, i);
		size_t len = path->len;

		add_key(path, v, i);
		if (is_short(child)) {
			pctl_buf_addf(buf, "%s%s: ", buf->len ? "\n" : "", path->data);
			tree_short(buf, child);
		} else if (depth < DEPTH_MAX) {
			pctl_buf_adds(path, ".");
			flat(buf, path, child, depth + 1);
		}
		pctl_buf_cut(path, len);
	}
}

void tree_flat(struct pctl_buf *buf, const struct pctl_value *tree)
{
	struct pctl_buf path;

	pctl_buf_init(&path, TEXT_ANSWER_MAX);
	flat(buf, &path, tree, 1);
	pctl_buf_done(&path);
}

bool tree_is_flat(const struct pctl_value *tree)
{
	for (size_t i = 0; i < pctl_value_count(tree); i++)
		if (!is_short(pctl_value_at(tree, i)))
			return false;
	return true;
}
