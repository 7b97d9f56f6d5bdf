/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: terms, and the operators between them, applied from left to right. */
#include <string.h>

#include <powerctl/mem.h>

#include "names/names.h"
#include "names/range.h"

/* Bounds what an expression makes of a short text: 2,000,000 long names would be gigabytes. */
#define NAME_LEN_MAX 255u

/*
 * What the terms so far stand for. A name that an operator took away keeps its place, so that
 * taking away costs as much as what is taken and not as much as what is there.
 */
struct result {
	struct pctl_names names;
	bool *gone; /* by number of the name */
	size_t cap;
};

struct reader {
	struct pctl_scan scan;
	const struct pctl_names_resolver *resolver; /* or NULL */
	uint64_t made;                              /* names of all terms together */
	struct result result;
};

/* --- Operators. ------------------------------------------------------------------------------- */

static void put(struct result *result, const char *name)
{
	size_t i = pctl_names_put(&result->names, name, strlen(name));

	result->gone = pctl_xgrow(result->gone, &result->cap, i + 1, sizeof(*result->gone));
	result->gone[i] = false;
}

static void join(struct result *result, const struct pctl_names *term)
{
	for (size_t i = 0; i < term->n; i++)
		put(result, term->items[i]);
}

static void subtract(struct result *result, const struct pctl_names *term)
{
	for (size_t i = 0; i < term->n; i++) {
		size_t at = pctl_names_find(&result->names, term->items[i]);

		if (at != SIZE_MAX)
			result->gone[at] = true;
	}
}

static void toggle(struct result *result, const struct pctl_names *term)
{
	for (size_t i = 0; i < term->n; i++) {
		size_t at = pctl_names_find(&result->names, term->items[i]);

		if (at == SIZE_MAX)
			put(result, term->items[i]);
		else
			result->gone[at] = !result->gone[at];
	}
}

static void result_done(struct result *result)
{
	pctl_names_done(&result->names);
	free(result->gone);
	*result = (struct result){ 0 };
}

/* Forgets what is gone for good: else a chain of these would go through it again and again. */
static void intersect(struct result *result, const struct pctl_names *term)
{
	struct result common = { 0 };

	for (size_t i = 0; i < result->names.n; i++)
		if (!result->gone[i] && pctl_names_has(term, result->names.items[i]))
			put(&common, result->names.items[i]);
	result_done(result);
	*result = common;
}

struct operator
{
	char sign;
	void (*apply)(struct result * result, const struct pctl_names *term);
};

/* The first one also stands for blanks, and before the first term. */
static const struct operator operators[] = {
	{ ',', join },
	{ '!', subtract },
	{ '&', intersect },
	{ '^', toggle },
};

static const struct operator* operator_at(const char *s)
{
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++)
		if (*s == operators[i].sign)
			return &operators[i];
	return NULL;
}

/* --- Terms. ----------------------------------------------------------------------------------- */

static int count_made(struct reader *reader, const char *where, uint64_t count)
{
	reader->made += count;
	if (reader->made <= PCTL_NAMES_MAX)
		return 0;
	return pctl_scan_mistake(&reader->scan, where,
		"over 2,000,000 names up to here, the most that one expression may stand for; "
		"narrow it");
}

static int put_name(void *data, size_t i, const char *name)
{
	(void)i;
	put(data, name);
	return 0;
}

static int add_name(void *data, size_t i, const char *name)
{
	(void)i;
	pctl_names_add(data, name);
	return 0;
}

static bool is_union(const struct operator* op)
{
	return op == &operators[0];
}

static int apply_range(struct reader *reader, const struct operator* op, const char *begin,
	const struct pctl_range *range)
{
	struct pctl_names term = { 0 };
	int r = pctl_range_check_count(&reader->scan, range);

	if (r == 0)
		r = count_made(reader, begin, range->count);
	if (r < 0)
		return r;
	if (range->longest > NAME_LEN_MAX)
		return pctl_scan_mistake(&reader->scan, begin,
			"a name of %zu bytes; the longest may have %u", range->longest,
			NAME_LEN_MAX);
	if (is_union(op)) /* the usual one: spare the set in between */
		return pctl_range_walk(range, put_name, &reader->result);
	r = pctl_range_walk(range, add_name, &term);
	op->apply(&reader->result, &term);
	pctl_names_done(&term);
	return r;
}

typedef int resolve_fn(
	void *data, const char *word, struct pctl_names *out, struct pctl_error *err);

struct resolving {
	const struct pctl_names_resolver *resolver;
	resolve_fn *fn;
	struct pctl_names *out;
	struct pctl_error *err;
};

static int resolve_one(void *data, size_t i, const char *name)
{
	const struct resolving *to = data;
	int r = to->fn(to->resolver->data, name, to->out, to->err);

	(void)i;
	return r < 0 ? r : 0;
}

/* Groups and tags have narrower names than nodes: what the inventory can name. */
static int check_word(struct reader *reader, const struct pctl_range *range)
{
	for (size_t p = 0; p < range->nparts; p++) {
		const struct pctl_part *part = &range->parts[p];
		size_t good = strspn(part->text, PCTL_GROUP_CHARACTERS);

		if (range->nparts == 1 && part->len == 1 && *part->text == '*')
			return 0;
		if (good < part->len)
			return pctl_scan_mistake(&reader->scan, part->text + good,
				"the name of a group or a tag has letters, digits and _ . - : "
				"= only");
	}
	return 0;
}

/* @word or %word; range is of what follows the sign, or is * alone. */
static int apply_resolved(struct reader *reader, const struct operator* op, const char *begin,
	const struct pctl_range *range)
{
	const struct pctl_names_resolver *resolver = reader->resolver;
	resolve_fn *fn = !resolver ? NULL : *begin == '%' ? resolver->tag : resolver->group;
	struct pctl_names term = { 0 };

	if (!fn)
		return pctl_scan_mistake(&reader->scan, begin,
			"no groups or tags can be used here; write the names themselves");
	int r = check_word(reader, range);
	if (r == 0)
		r = pctl_range_check_count(&reader->scan, range);
	if (r < 0)
		return r;

	struct resolving to = { resolver, fn, &term, reader->scan.err };
	r = pctl_range_walk(range, resolve_one, &to);
	if (r < 0)
		reader->scan.at = (size_t)(begin - reader->scan.text);
	else
		r = count_made(reader, begin, term.n);
	if (r == 0)
		op->apply(&reader->result, &term);
	pctl_names_done(&term);
	return r;
}

/* A term is missing; sign is the operator before its place, or NULL. */
static int no_term(struct reader *reader, const char *sign)
{
	const char *s = reader->scan.s;

	if (sign)
		return pctl_scan_mistake(&reader->scan, sign,
			"'%c' with nothing on its right side; write a name there or remove it",
			*sign);
	return pctl_scan_mistake(&reader->scan, s,
		"'%c' with nothing on its left side; write a name there or remove it", *s);
}

static int read_term(struct reader *reader, const struct operator* op, const char *sign)
{
	struct pctl_scan *scan = &reader->scan;
	const char *begin = scan->s;
	bool marked = *begin == '@' || *begin == '%';
	struct pctl_range range = { 0 };

	scan->s += marked;
	int r = pctl_range_parse(scan, &range);
	if (r == 0 && !range.nparts)
		r = marked ? pctl_scan_mistake(scan, begin,
				     "'%c' with no name behind it; write one, as in %crack1",
				     *begin, *begin)
			   : no_term(reader, sign);
	else if (r == 0 && (marked || (*begin == '*' && scan->s == begin + 1)))
		r = apply_resolved(reader, op, begin, &range);
	else if (r == 0)
		r = apply_range(reader, op, begin, &range);
	pctl_range_done(&range);
	return r;
}

static int read_expression(struct reader *reader)
{
	struct pctl_scan *scan = &reader->scan;
	const struct operator* op = & operators[0];
	const char *sign = NULL;

	pctl_scan_blanks(scan);
	if (!*scan->s)
		return 0; /* no term at all names nothing */
	for (;;) {
		int r = read_term(reader, op, sign);
		if (r < 0)
			return r;
		pctl_scan_blanks(scan);
		if (!*scan->s)
			return 0;

		op = operator_at(scan->s);
		sign = op ? scan->s++ : NULL;
		op = op ? op : &operators[0];
		pctl_scan_blanks(scan);
	}
}

/* Adds what is left to out, which is most often empty and then just takes it over. */
static void give(struct result *result, struct pctl_names *out)
{
	struct pctl_names *names = &result->names;

	if (!out->n && names->n && !memchr(result->gone, 1, names->n)) {
		pctl_names_done(out);
		*out = *names;
		*names = (struct pctl_names){ 0 };
	}
	for (size_t i = 0; i < names->n; i++)
		if (!result->gone[i])
			pctl_names_add(out, names->items[i]);
}

int pctl_names_expand(struct pctl_names *out, const char *expr,
	const struct pctl_names_resolver *resolver, size_t *ret_at, struct pctl_error *err)
{
	struct reader reader = {
		.scan = { .text = expr, .s = expr, .err = err },
		.resolver = resolver,
	};
	int r = read_expression(&reader);

	if (r < 0 && ret_at)
		*ret_at = reader.scan.at;
	if (r == 0)
		give(&reader.result, out);
	result_done(&reader.result);
	return r;
}

static int add_one(void *data, size_t i, const char *name)
{
	(void)i;
	(void)pctl_names_add(data, name);
	return 0;
}

int pctl_names_add_pattern(struct pctl_names *names, const char *pattern, struct pctl_error *err)
{
	if (strchr(pattern, '['))
		return pctl_range_each(pattern, add_one, names, NULL, err);
	(void)pctl_names_add(names, pattern);
	return 0;
}
