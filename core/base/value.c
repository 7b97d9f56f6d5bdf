/* SPDX-License-Identifier: Apache-2.0 */
#include "base/value.h"

#include <assert.h>
#include <string.h>

#include <powerctl/mem.h>

struct member {
	char *key; /* NULL in a list */
	struct pctl_place key_place;
	struct pctl_value *value;
};

struct pctl_value {
	enum pctl_value_kind kind;
	struct pctl_place place;
	union {
		char *text;
		int64_t number;
		bool boolean;
		struct {
			struct member *v;
			size_t n, cap;
		} members;
	};
};

static struct pctl_value *new_kind(enum pctl_value_kind kind)
{
	struct pctl_value *v = pctl_xcalloc(1, sizeof(*v));

	v->kind = kind;
	return v;
}

struct pctl_value *pctl_value_new_text(const char *s)
{
	struct pctl_value *v = new_kind(PCTL_VALUE_TEXT);

	v->text = pctl_xstrdup(s);
	return v;
}

struct pctl_value *pctl_value_new_int(int64_t n)
{
	struct pctl_value *v = new_kind(PCTL_VALUE_INT);

	v->number = n;
	return v;
}

struct pctl_value *pctl_value_new_bool(bool b)
{
	struct pctl_value *v = new_kind(PCTL_VALUE_BOOL);

	v->boolean = b;
	return v;
}

struct pctl_value *pctl_value_new_list(void)
{
	return new_kind(PCTL_VALUE_LIST);
}

struct pctl_value *pctl_value_new_map(void)
{
	return new_kind(PCTL_VALUE_MAP);
}

static bool has_members(const struct pctl_value *v)
{
	return v && (v->kind == PCTL_VALUE_LIST || v->kind == PCTL_VALUE_MAP);
}

void pctl_value_free(struct pctl_value *v)
{
	if (!v)
		return;
	if (v->kind == PCTL_VALUE_TEXT) {
		/* Settings may hold passwords: wipe every text, it costs nothing. */
		explicit_bzero(v->text, strlen(v->text));
		free(v->text);
	}
	if (has_members(v)) {
		for (size_t i = 0; i < v->members.n; i++) {
			free(v->members.v[i].key);
			pctl_value_free(v->members.v[i].value);
		}
		free(v->members.v);
	}
	free(v);
}

static void push(struct pctl_value *v, const char *key, struct pctl_value *take_v)
{
	assert(v->kind == (key ? PCTL_VALUE_MAP : PCTL_VALUE_LIST));
	v->members.v =
		pctl_xgrow(v->members.v, &v->members.cap, v->members.n + 1, sizeof(*v->members.v));
	v->members.v[v->members.n++] =
		(struct member){ .key = key ? pctl_xstrdup(key) : NULL, .value = take_v };
}

struct pctl_value *pctl_value_copy(const struct pctl_value *v)
{
	if (!v)
		return NULL;

	struct pctl_value *copy = new_kind(v->kind);
	copy->place = v->place;
	switch (v->kind) {
	case PCTL_VALUE_TEXT:
		copy->text = pctl_xstrdup(v->text);
		break;
	case PCTL_VALUE_INT:
		copy->number = v->number;
		break;
	case PCTL_VALUE_BOOL:
		copy->boolean = v->boolean;
		break;
	case PCTL_VALUE_LIST:
	case PCTL_VALUE_MAP:
		for (size_t i = 0; i < v->members.n; i++) {
			const struct member *m = &v->members.v[i];

			push(copy, m->key, pctl_value_copy(m->value));
			copy->members.v[i].key_place = m->key_place;
		}
		break;
	}
	return copy;
}

enum pctl_value_kind pctl_value_kind(const struct pctl_value *v)
{
	return v->kind;
}

const char *pctl_value_kind_name(enum pctl_value_kind kind)
{
	static const char *const names[] = {
		[PCTL_VALUE_TEXT] = "text",
		[PCTL_VALUE_INT] = "number",
		[PCTL_VALUE_BOOL] = "boolean",
		[PCTL_VALUE_LIST] = "list",
		[PCTL_VALUE_MAP] = "map",
	};

	return names[kind];
}

const char *pctl_value_text(const struct pctl_value *v)
{
	return v && v->kind == PCTL_VALUE_TEXT ? v->text : NULL;
}

int64_t pctl_value_int(const struct pctl_value *v)
{
	return v && v->kind == PCTL_VALUE_INT ? v->number : 0;
}

bool pctl_value_bool(const struct pctl_value *v)
{
	return v && v->kind == PCTL_VALUE_BOOL && v->boolean;
}

size_t pctl_value_count(const struct pctl_value *v)
{
	return has_members(v) ? v->members.n : 0;
}

struct pctl_value *pctl_value_at(const struct pctl_value *v, size_t i)
{
	return i < pctl_value_count(v) ? v->members.v[i].value : NULL;
}

const char *pctl_value_key_at(const struct pctl_value *map, size_t i)
{
	return i < pctl_value_count(map) ? map->members.v[i].key : NULL;
}

static struct member *find(const struct pctl_value *map, const char *key)
{
	if (!map || map->kind != PCTL_VALUE_MAP)
		return NULL;
	for (size_t i = 0; i < map->members.n; i++)
		if (strcmp(map->members.v[i].key, key) == 0)
			return &map->members.v[i];
	return NULL;
}

struct pctl_value *pctl_value_get(const struct pctl_value *map, const char *key)
{
	const struct member *m = find(map, key);

	return m ? m->value : NULL;
}

void pctl_value_add(struct pctl_value *list, struct pctl_value *take_v)
{
	push(list, NULL, take_v);
}

void pctl_value_append(struct pctl_value *map, const char *key, struct pctl_value *take_v)
{
	push(map, key, take_v);
}

void pctl_value_trim(struct pctl_value *v)
{
	if (!has_members(v) || v->members.n == v->members.cap || !v->members.n)
		return;
	struct member *less = realloc(v->members.v, v->members.n * sizeof(*less));
	if (!less)
		return;
	v->members.v = less;
	v->members.cap = v->members.n;
}

/* Sets key and returns where it is now. */
static struct member *put(struct pctl_value *map, const char *key, struct pctl_value *take_v)
{
	struct member *m = find(map, key);

	if (!m) {
		push(map, key, take_v);
		return &map->members.v[map->members.n - 1];
	}
	pctl_value_free(m->value);
	m->value = take_v;
	return m;
}

void pctl_value_set(struct pctl_value *map, const char *key, struct pctl_value *take_v)
{
	(void)put(map, key, take_v);
}

bool pctl_value_unset(struct pctl_value *map, const char *key)
{
	struct member *m = find(map, key);

	if (!m)
		return false;
	free(m->key);
	pctl_value_free(m->value);
	size_t i = (size_t)(m - map->members.v);
	memmove(m, m + 1, (map->members.n - i - 1) * sizeof(*m));
	map->members.n--;
	return true;
}

void pctl_value_set_text(struct pctl_value *map, const char *key, const char *s)
{
	if (s)
		pctl_value_set(map, key, pctl_value_new_text(s));
}

void pctl_value_set_int(struct pctl_value *map, const char *key, int64_t n)
{
	pctl_value_set(map, key, pctl_value_new_int(n));
}

void pctl_value_set_bool(struct pctl_value *map, const char *key, bool b)
{
	pctl_value_set(map, key, pctl_value_new_bool(b));
}

void pctl_value_merge(struct pctl_value *base, const struct pctl_value *over)
{
	for (size_t i = 0; i < pctl_value_count(over); i++) {
		const struct member *m = &over->members.v[i];
		struct pctl_value *old = pctl_value_get(base, m->key);

		if (old && old->kind == PCTL_VALUE_MAP && m->value->kind == PCTL_VALUE_MAP) {
			pctl_value_merge(old, m->value);
			continue;
		}
		put(base, m->key, pctl_value_copy(m->value))->key_place = m->key_place;
	}
}

struct pctl_place pctl_value_place(const struct pctl_value *v)
{
	return v ? v->place : (struct pctl_place){ 0 };
}

struct pctl_place pctl_value_key_place(const struct pctl_value *map, size_t i)
{
	return i < pctl_value_count(map) ? map->members.v[i].key_place : (struct pctl_place){ 0 };
}

void pctl_value_set_place(struct pctl_value *v, struct pctl_place place)
{
	v->place = place;
}

void pctl_value_set_key_place(struct pctl_value *map, size_t i, struct pctl_place place)
{
	if (i < pctl_value_count(map))
		map->members.v[i].key_place = place;
}
