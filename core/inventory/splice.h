/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing a YAML text where it stands, so that comments, order and everybody's own style survive.
 * Changes are collected as byte ranges and made all at once. Where a text is so unusual that the
 * place for a change cannot be told, the result will not read as wanted: whoever splices compares.
 */
#ifndef POWERCTL_CORE_SPLICE_H
#define POWERCTL_CORE_SPLICE_H

#include <powerctl/buf.h>

#include "inventory/yaml_tree.h"

struct pctl_splice {
	const char *text; /* borrowed */
	size_t len;
	const char *eol; /* what ends lines there */
	struct pctl_yaml yaml;
	struct pctl_change {
		size_t begin, end;
		char *text;
	} * changes;
	size_t n, cap;
};

/* A value of the text: the tree's and its span's. value NULL: there is none. */
struct pctl_spot {
	const struct pctl_value *value;
	size_t span;
	size_t key;    /* its key's span; SIZE_MAX for the root */
	size_t number; /* which member of its map it is */
	bool section;  /* a member of the root */
};

/* PCTL_E_CONFIG if text cannot be read: err has the first problem. done in any case. */
int pctl_splice_init(struct pctl_splice *splice, const char *file, const char *text, size_t len,
	struct pctl_error *err);
void pctl_splice_done(struct pctl_splice *splice);

struct pctl_spot pctl_splice_root(const struct pctl_splice *splice);
/* The value of a key of a map. */
struct pctl_spot pctl_splice_find(
	const struct pctl_splice *splice, const struct pctl_spot *map, const char *key);

/*
 * Adds members at the end of a map, which may also be empty or have no value at all. With below,
 * which is a new key of that map, adds them as its value, on lines of their own where the style of
 * the text allows. One change to a map at a time: all that goes into it is said at once.
 */
void pctl_splice_add_all(struct pctl_splice *splice, const struct pctl_spot *map, const char *below,
	const struct pctl_value *members);
/* The same with `key: value`. */
void pctl_splice_add(struct pctl_splice *splice, const struct pctl_spot *map, const char *key,
	const struct pctl_value *value);
void pctl_splice_replace(
	struct pctl_splice *splice, const struct pctl_spot *spot, const struct pctl_value *value);
/* Adds a value at the end of a list. */
void pctl_splice_append(
	struct pctl_splice *splice, const struct pctl_spot *list, const struct pctl_value *value);
/* Takes a member out of its map. */
void pctl_splice_remove(
	struct pctl_splice *splice, const struct pctl_spot *map, const struct pctl_spot *spot);

/* The text with all changes in out, whose maximum holds. */
void pctl_splice_apply(struct pctl_splice *splice, struct pctl_buf *out);

/* Writes a value as YAML on one line, quoted where it must be. flow: it stands within { } or [ ].
 */
void pctl_yaml_write(struct pctl_buf *out, const struct pctl_value *value, bool flow);
void pctl_yaml_write_text(struct pctl_buf *out, const char *text, bool flow);

#endif
