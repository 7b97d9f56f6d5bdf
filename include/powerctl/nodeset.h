/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of node names as people write them: n[1-3,7], r[1-2]n[01-16], @rack1, %lab, n[1-9]!n5. The
 * syntax and the precedence of the operators (left to right, `,` and blank union, `!` difference,
 * `&` intersection, `^` symmetric difference) are ClusterShell's; padding is kept: n[01-16] and
 * n[1-16] are different sets. All of it is linear in the number of names, but for sorting.
 *
 * A name has printable characters other than , [ ] ! & ^ @ %, at most 255 bytes, and does not begin
 * with '-'. A bracket holds numbers of at most 18 digits, ranges and ranges with a step: [1-3,7],
 * [0-10/2]. Where one bound of a range is padded, both have as many digits, as in [098-102] (so in
 * ClusterShell 1.9): [1-010] could mean two things and is a mistake. Blanks around the numbers and
 * around operators do not matter. An expression with nothing in it names nothing. `@rack[1-3]` is
 * three groups.
 */
#ifndef POWERCTL_NODESET_H
#define POWERCTL_NODESET_H

#include <powerctl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The most names that one expression may stand for. */
#define PCTL_NAMES_MAX 2000000u

/*
 * Names without repetition, in the order in which they were first added.
 */
struct pctl_names;

PCTL_API struct pctl_names *pctl_names_new(void);
PCTL_API void pctl_names_free(struct pctl_names *names);
PCTL_API size_t pctl_names_count(const struct pctl_names *names);
PCTL_API const char *pctl_names_at(const struct pctl_names *names, size_t i);
/* Adds a copy; false if it was there already. */
PCTL_API bool pctl_names_add(struct pctl_names *names, const char *name);
PCTL_API bool pctl_names_has(const struct pctl_names *names, const char *name);
/* Natural order: n2 before n10; ties by padding, then by bytes. */
PCTL_API void pctl_names_sort(struct pctl_names *names);

/*
 * What @group, %tag and * (the group "*": all nodes) stand for. Each adds to out, which is empty
 * before the first group of a term; PCTL_E_CONFIG with a text if there is none.
 */
struct pctl_names_resolver {
	int (*group)(void *data, const char *group, struct pctl_names *out, struct pctl_error *err);
	int (*tag)(void *data, const char *tag, struct pctl_names *out, struct pctl_error *err);
	void *data;
};

/*
 * Adds the names that an expression stands for to out. resolver may be NULL: then @ and % are
 * mistakes. On PCTL_E_CONFIG out is as before, err says what is wrong and what would be right, and
 * *ret_at (if not NULL) is the byte offset in expr of the mistake.
 */
PCTL_API int pctl_names_expand(struct pctl_names *out, const char *expr,
	const struct pctl_names_resolver *resolver, size_t *ret_at, struct pctl_error *err);

/*
 * A plain pattern (one name with any number of brackets; no operators, no commas outside brackets),
 * in odometer order with the last bracket fastest, duplicates kept: for left and right sides that
 * name equally many. each is called per name and may stop with a negative value, which is returned.
 */
typedef int pctl_range_each_fn(void *data, size_t i, const char *name);
PCTL_API int pctl_range_each(const char *pattern, pctl_range_each_fn *each, void *data,
	size_t *ret_at, struct pctl_error *err);
/* How many names a pattern stands for (also over the limit, saturating), without making them. */
PCTL_API int pctl_range_count(
	const char *pattern, uint64_t *ret, size_t *ret_at, struct pctl_error *err);
/* The i-th name of a pattern, without making the others: free() it. i is within the count. */
PCTL_API char *pctl_range_at(const char *pattern, uint64_t i);

/* Whether text is simply a name: has no range, group, tag or operator in it and is not empty. */
PCTL_API bool pctl_range_is_plain(const char *text);

/*
 * The shortest usual way to write the set: n[1-3,7],r[1-2]n[01-16]. Natural order; free() it.
 * Expanding the result names exactly the same set.
 */
PCTL_API char *pctl_names_fold(const struct pctl_names *names);

#ifdef __cplusplus
}
#endif

#endif
