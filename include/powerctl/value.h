/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tree of values: what YAML files hold, what inspect and methods answer, what --json prints. A
 * value is a text, an integer, a boolean, a list, or a map that keeps the order in which keys came.
 * Names in answers are those of docs/names.md.
 */
#ifndef POWERCTL_VALUE_H
#define POWERCTL_VALUE_H

#include <powerctl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

enum pctl_value_kind {
	PCTL_VALUE_TEXT,
	PCTL_VALUE_INT,
	PCTL_VALUE_BOOL,
	PCTL_VALUE_LIST,
	PCTL_VALUE_MAP,
};

/* Where a value was read. File is borrowed from whoever read it; NULL where there is none. */
struct pctl_place {
	const char *file;
	uint32_t line;   /* from 1 */
	uint32_t column; /* from 1, in characters */
};

struct pctl_value;

PCTL_API struct pctl_value *pctl_value_new_text(const char *s);
PCTL_API struct pctl_value *pctl_value_new_int(int64_t n);
PCTL_API struct pctl_value *pctl_value_new_bool(bool b);
PCTL_API struct pctl_value *pctl_value_new_list(void);
PCTL_API struct pctl_value *pctl_value_new_map(void);
PCTL_API struct pctl_value *pctl_value_copy(const struct pctl_value *v);
PCTL_API void pctl_value_free(struct pctl_value *v);

PCTL_API enum pctl_value_kind pctl_value_kind(const struct pctl_value *v);
PCTL_API const char *pctl_value_kind_name(enum pctl_value_kind kind);

/* The text of a text; NULL for another kind, or for NULL. */
PCTL_API const char *pctl_value_text(const struct pctl_value *v);
PCTL_API int64_t pctl_value_int(const struct pctl_value *v);
PCTL_API bool pctl_value_bool(const struct pctl_value *v);

/* Lists and maps. take_v belongs to the list or map afterwards. Setting a key again replaces it. */
PCTL_API size_t pctl_value_count(const struct pctl_value *v);
PCTL_API struct pctl_value *pctl_value_at(const struct pctl_value *v, size_t i);
PCTL_API const char *pctl_value_key_at(const struct pctl_value *map, size_t i);
PCTL_API struct pctl_value *pctl_value_get(const struct pctl_value *map, const char *key);
PCTL_API void pctl_value_add(struct pctl_value *list, struct pctl_value *take_v);
PCTL_API void pctl_value_set(struct pctl_value *map, const char *key, struct pctl_value *take_v);
PCTL_API bool pctl_value_unset(struct pctl_value *map, const char *key);
/* Shorthands; a NULL text sets nothing. */
PCTL_API void pctl_value_set_text(struct pctl_value *map, const char *key, const char *s);
PCTL_API void pctl_value_set_int(struct pctl_value *map, const char *key, int64_t n);
PCTL_API void pctl_value_set_bool(struct pctl_value *map, const char *key, bool b);

/* Merges over into base: maps key by key, all else replaced. Places travel with the values. */
PCTL_API void pctl_value_merge(struct pctl_value *base, const struct pctl_value *over);

/* Where v, or the key at index i of a map, was read. */
PCTL_API struct pctl_place pctl_value_place(const struct pctl_value *v);
PCTL_API struct pctl_place pctl_value_key_place(const struct pctl_value *map, size_t i);
PCTL_API void pctl_value_set_place(struct pctl_value *v, struct pctl_place place);
PCTL_API void pctl_value_set_key_place(struct pctl_value *map, size_t i, struct pctl_place place);

#ifdef __cplusplus
}
#endif

#endif
