/* SPDX-License-Identifier: Apache-2.0 */
/*
 * YAML text into a tree of values with places. The part of YAML that people write by hand: block
 * and flow style, all scalar styles, comments. Anchors, aliases, tags, several documents in a file
 * and the same key twice in a map are mistakes. Scalars stay texts, as written: what they mean is
 * for whoever knows the setting, so "0123" and "no" are safe. `key:` without a value and `~` are
 * the empty text.
 */
#ifndef POWERCTL_CORE_YAML_TREE_H
#define POWERCTL_CORE_YAML_TREE_H

#include <powerctl/inventory.h>

#define PCTL_YAML_FILE_MAX  (64u << 20) /* bytes */
#define PCTL_YAML_DEPTH_MAX 32u         /* lists and maps in each other */
#define PCTL_YAML_VALUE_MAX 4000000u    /* values in a file */

/*
 * Where a key or value stands, in bytes of the text. Spans are in the order of the text, each
 * before what it contains; a map's is followed by key, value, key, value... Skip a value and all
 * in it by going to next. A block collection ends where its last scalar ends.
 */
struct pctl_yaml_span {
	size_t begin, end;
	size_t next;
	bool flow; /* a map or list in { } or [ ] */
};

struct pctl_yaml {
	struct pctl_value *root;      /* NULL: nothing but comments */
	struct pctl_yaml_span *spans; /* the root's is first; NULL unless asked for */
	size_t span_count;
};

/*
 * Reads text; file names it in places and is borrowed by them. All mistakes go to problems, and 0
 * or PCTL_E_CONFIG is returned. What duplicates and other small mistakes leave of the tree is in
 * ret->root in either case; NULL if it cannot be parsed as YAML. *ret is to be done in any case.
 */
int pctl_yaml_parse(struct pctl_yaml *ret, const char *file, const char *text, size_t len,
	bool want_spans, struct pctl_problems *problems);
/* The same for what a program printed, where null is nothing as well, as JSON has it; no spans. */
int pctl_yaml_parse_answer(struct pctl_yaml *ret, const char *file, const char *text, size_t len,
	struct pctl_problems *problems);
void pctl_yaml_done(struct pctl_yaml *yaml);

/* The span of the i-th value of the map or list whose span is at; its key's is the one before. */
size_t pctl_yaml_member(
	const struct pctl_yaml *yaml, const struct pctl_value *value, size_t at, size_t i);

#endif
