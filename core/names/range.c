/* SPDX-License-Identifier: Apache-2.0 */
#include "names/range.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include <powerctl/mem.h>

/* What ends a pattern outside its brackets. strchr() finds the final zero byte as well. */
#define SEPARATORS " \t\r\n,!&^"

int pctl_scan_mistake(struct pctl_scan *scan, const char *where, const char *fmt, ...)
{
	va_list ap;

	scan->at = (size_t)(where - scan->text);
	va_start(ap, fmt);
	(void)pctl_error_setv(scan->err, PCTL_E_CONFIG, fmt, ap);
	va_end(ap);
	return PCTL_E_CONFIG;
}

void pctl_scan_blanks(struct pctl_scan *scan)
{
	scan->s += strspn(scan->s, " \t\r\n");
}

/* Whether the next byte but blanks is c, which is then read. Within brackets only. */
static bool take(struct pctl_scan *scan, char c)
{
	pctl_scan_blanks(scan);
	if (*scan->s != c)
		return false;
	scan->s++;
	return true;
}

/* The length of the printable, non-blank character (ASCII or UTF-8) at s, or 0. */
static size_t printable(const char *s)
{
	static const uint32_t least[] = { 0, 0, 0xa1, 0x800, 0x10000 };
	const unsigned char *u = (const unsigned char *)s;

	if (*u < 0x80)
		return *u > ' ' && *u < 0x7f;
	if (*u < 0xc2 || *u > 0xf4)
		return 0;

	size_t len = *u >= 0xf0 ? 4 : *u >= 0xe0 ? 3 : 2;
	uint32_t c = *u & (0x7fu >> len);
	for (size_t i = 1; i < len; i++) {
		if ((u[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (u[i] & 0x3fu);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return len;
}

static int read_literal(struct pctl_scan *scan)
{
	while (!strchr(SEPARATORS "[", *scan->s)) {
		size_t len = printable(scan->s);

		if (*scan->s == ']')
			return pctl_scan_mistake(
				scan, scan->s, "a ']' without its '['; a range is written n[1-3]");
		if (*scan->s == '@' || *scan->s == '%')
			return pctl_scan_mistake(scan, scan->s,
				"'%c' within a name; a group or a tag stands alone: put a comma "
				"before it",
				*scan->s);
		if (!len)
			return pctl_scan_mistake(scan, scan->s,
				"byte 0x%02x is not a printable character of UTF-8; remove it",
				(unsigned char)*scan->s);
		scan->s += len;
	}
	return 0;
}

struct number {
	const char *text;
	size_t len;
	uint64_t value;
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Something in a bracket that cannot be there; open is where the bracket begins. */
static int misplaced(struct pctl_scan *scan, const char *open, const char *wanted)
{
	switch (*scan->s) {
	case '\0':
		return pctl_scan_mistake(
			scan, open, "this bracket is never closed; a range is written n[1-3]");
	case '[':
		return pctl_scan_mistake(
			scan, scan->s, "a '[' within a bracket; close the first one with ']'");
	default:
		if ((unsigned char)*scan->s <= ' ' || (unsigned char)*scan->s >= 0x7f)
			return pctl_scan_mistake(scan, scan->s, "byte 0x%02x in a bracket; %s",
				(unsigned char)*scan->s, wanted);
		return pctl_scan_mistake(scan, scan->s, "'%c' in a bracket; %s", *scan->s, wanted);
	}
}

static int read_number(struct pctl_scan *scan, const char *open, struct number *ret)
{
	struct number n = { 0 };

	pctl_scan_blanks(scan);
	for (n.text = scan->s; is_digit(*scan->s); scan->s++)
		if (++n.len <= PCTL_DIGITS_MAX)
			n.value = n.value * 10 + (uint64_t)(*scan->s - '0');
	if (!n.len && *scan->s == ']' && scan->s == open + 1)
		return pctl_scan_mistake(
			scan, open, "nothing in the brackets; write numbers, as in [1-3,7]");
	if (!n.len)
		return misplaced(scan, open, "a number has to be here, as in [1-3,7]");
	if (n.len > PCTL_DIGITS_MAX)
		return pctl_scan_mistake(scan, n.text,
			"a number of %zu digits; the most in a bracket are %u", n.len,
			PCTL_DIGITS_MAX);
	*ret = n;
	return 0;
}

static bool is_padded(const struct number *n)
{
	return n->len > 1 && n->text[0] == '0';
}

/* As ClusterShell 1.9 has it: where one bound is padded, both have as many digits. */
static int check_bounds(struct pctl_scan *scan, const struct number *a, const struct number *b)
{
	const struct number *low = a->value <= b->value ? a : b, *high = low == a ? b : a;
	int width = (int)(a->len > b->len ? a->len : b->len);

	if ((is_padded(a) || is_padded(b)) && a->len != b->len)
		return pctl_scan_mistake(scan, b->text,
			"%.*s-%.*s leaves open how many digits; write %0*" PRIu64 "-%0*" PRIu64
			" or %" PRIu64 "-%" PRIu64,
			(int)a->len, a->text, (int)b->len, b->text, width, low->value, width,
			high->value, low->value, high->value);
	if (low == b)
		return pctl_scan_mistake(scan, a->text,
			"the range %.*s-%.*s runs backwards; write %.*s-%.*s", (int)a->len, a->text,
			(int)b->len, b->text, (int)b->len, b->text, (int)a->len, a->text);
	return 0;
}

/* NUMBER, NUMBER-NUMBER or NUMBER-NUMBER/STEP */
static int read_span(struct pctl_scan *scan, const char *open, struct pctl_span *ret)
{
	struct number a, b, step = { .value = 1 };
	int r = read_number(scan, open, &a);

	if (r < 0)
		return r;
	b = a;
	if (take(scan, '-')) {
		r = read_number(scan, open, &b);
		if (r == 0)
			r = check_bounds(scan, &a, &b);
		if (r == 0 && take(scan, '/'))
			r = read_number(scan, open, &step);
		if (r < 0)
			return r;
	}
	if (step.value == 0)
		return pctl_scan_mistake(
			scan, step.text, "a step of 0 never arrives; the least is 1");
	*ret = (struct pctl_span){
		.first = a.value,
		.step = step.value,
		.count = (b.value - a.value) / step.value + 1,
		.width = is_padded(&a) ? (unsigned)a.len : 1,
		.longest = (unsigned)b.len,
	};
	return 0;
}

static uint64_t saturating_mul(uint64_t a, uint64_t b)
{
	uint64_t product;

	return __builtin_mul_overflow(a, b, &product) ? UINT64_MAX : product;
}

static uint64_t saturating_add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static int read_bracket(struct pctl_scan *scan, struct pctl_range *range, struct pctl_part *part)
{
	const char *open = scan->s++;
	size_t longest = 0;

	part->span = range->nspans;
	part->count = 0;
	do {
		struct pctl_span span = { 0 };
		int r = read_span(scan, open, &span);

		if (r < 0)
			return r;
		range->spans = pctl_xgrow(
			range->spans, &range->spans_cap, range->nspans + 1, sizeof(span));
		range->spans[range->nspans++] = span;
		part->spans++;
		part->count = saturating_add(part->count, span.count);
		longest = span.longest > longest ? span.longest : longest;
	} while (take(scan, ','));

	if (*scan->s == '/')
		return pctl_scan_mistake(
			scan, scan->s, "a step has to follow a range, as in 0-10/2");
	if (*scan->s != ']')
		return misplaced(scan, open, "after a number comes ',', '-' or ']'");
	scan->s++;
	range->longest += longest;
	return 0;
}

int pctl_range_parse(struct pctl_scan *scan, struct pctl_range *range)
{
	if (*scan->s == '-')
		return pctl_scan_mistake(
			scan, scan->s, "a name cannot begin with '-'; it would read as an option");
	range->count = 1;
	while (!strchr(SEPARATORS, *scan->s)) {
		struct pctl_part part = { .text = scan->s, .count = 1 };
		int r = read_literal(scan);

		part.len = (size_t)(scan->s - part.text);
		if (r == 0 && *scan->s == '[')
			r = read_bracket(scan, range, &part);
		if (r < 0)
			return r;
		range->parts = pctl_xgrow(
			range->parts, &range->parts_cap, range->nparts + 1, sizeof(part));
		range->parts[range->nparts++] = part;
		range->count = saturating_mul(range->count, part.count);
		range->longest += part.len;
	}
	return 0;
}

void pctl_range_done(struct pctl_range *range)
{
	free(range->parts);
	free(range->spans);
	*range = (struct pctl_range){ 0 };
}

int pctl_range_check_count(struct pctl_scan *scan, const struct pctl_range *range)
{
	uint64_t count = 1;

	for (size_t p = 0; p < range->nparts; p++) {
		const struct pctl_part *part = &range->parts[p];

		count = saturating_mul(count, part->count);
		if (count > PCTL_NAMES_MAX)
			return pctl_scan_mistake(scan, part->text + part->len,
				"%" PRIu64 " names; an expression may stand for at most 2,000,000: "
				"narrow the range",
				range->count);
	}
	return 0;
}

/* The state of one part: which number of which span its bracket shows. */
struct wheel {
	size_t span;
	uint64_t step;
	size_t at; /* where the part begins in the name */
};

static size_t write_number(char *out, uint64_t n, unsigned width)
{
	char digits[20]; /* backwards */
	size_t len = 0;

	do {
		digits[len++] = (char)('0' + n % 10);
		n /= 10;
	} while (n);
	while (len < width)
		digits[len++] = '0';
	for (size_t i = 0; i < len; i++)
		out[i] = digits[len - 1 - i];
	return len;
}

/* Writes the name from part p on; what is before it has not changed. */
static void write_name(const struct pctl_range *range, struct wheel *wheels, size_t p, char *name)
{
	size_t at = wheels[p].at;

	for (; p < range->nparts; p++) {
		const struct pctl_part *part = &range->parts[p];

		wheels[p].at = at;
		memcpy(name + at, part->text, part->len);
		at += part->len;
		if (!part->spans)
			continue;
		const struct pctl_span *span = &range->spans[part->span + wheels[p].span];
		at += write_number(
			name + at, span->first + wheels[p].step * span->step, span->width);
	}
	name[at] = '\0';
}

/* Turns to the next name; returns the first part that changed, or nparts after the last name. */
static size_t turn(const struct pctl_range *range, struct wheel *wheels)
{
	for (size_t p = range->nparts; p-- > 0;) {
		const struct pctl_part *part = &range->parts[p];
		struct wheel *wheel = &wheels[p];

		if (!part->spans)
			continue;
		if (++wheel->step < range->spans[part->span + wheel->span].count)
			return p;
		wheel->step = 0;
		if (++wheel->span < part->spans)
			return p;
		wheel->span = 0;
	}
	return range->nparts;
}

int pctl_range_walk(const struct pctl_range *range, pctl_range_each_fn *each, void *data)
{
	PCTL_AUTO(free) char *name = pctl_xcalloc(range->longest + 1, 1);
	PCTL_AUTO(free) struct wheel *wheels = pctl_xcalloc(range->nparts, sizeof(*wheels));
	size_t changed = 0;

	for (size_t i = 0; changed < range->nparts; i++) {
		write_name(range, wheels, changed, name);
		int r = each(data, i, name);
		if (r < 0)
			return r;
		changed = turn(range, wheels);
	}
	return 0;
}

/* A whole text that has to be one pattern. */
static int parse_text(struct pctl_scan *scan, struct pctl_range *range)
{
	int r = pctl_range_parse(scan, range);

	if (r < 0)
		return r;
	if (!range->nparts)
		return pctl_scan_mistake(scan, scan->s, "an empty name; write one, as in n[1-3]");
	if (*scan->s)
		return pctl_scan_mistake(
			scan, scan->s, "'%c' after a name; only one can be here", *scan->s);
	return 0;
}

static int failed_at(const struct pctl_scan *scan, int r, size_t *ret_at)
{
	if (ret_at)
		*ret_at = scan->at;
	return r;
}

int pctl_range_each(const char *pattern, pctl_range_each_fn *each, void *data, size_t *ret_at,
	struct pctl_error *err)
{
	struct pctl_scan scan = { .text = pattern, .s = pattern, .err = err };
	struct pctl_range range = { 0 };
	int r = parse_text(&scan, &range);

	if (r == 0)
		r = pctl_range_check_count(&scan, &range);
	r = r < 0 ? failed_at(&scan, r, ret_at) : pctl_range_walk(&range, each, data);
	pctl_range_done(&range);
	return r;
}

int pctl_range_count(const char *pattern, uint64_t *ret, size_t *ret_at, struct pctl_error *err)
{
	struct pctl_scan scan = { .text = pattern, .s = pattern, .err = err };
	struct pctl_range range = { 0 };
	int r = parse_text(&scan, &range);

	if (r < 0)
		r = failed_at(&scan, r, ret_at);
	else
		*ret = range.count;
	pctl_range_done(&range);
	return r;
}

/* Sets the wheels to the i-th name. */
static void turn_to(const struct pctl_range *range, struct wheel *wheels, uint64_t i)
{
	for (size_t p = range->nparts; p-- > 0;) {
		const struct pctl_part *part = &range->parts[p];
		uint64_t step = i % part->count;

		i /= part->count;
		if (!part->spans)
			continue;
		while (step >= range->spans[part->span + wheels[p].span].count)
			step -= range->spans[part->span + wheels[p].span++].count;
		wheels[p].step = step;
	}
}

char *pctl_range_at(const char *pattern, uint64_t i)
{
	struct pctl_scan scan = { .text = pattern, .s = pattern };
	struct pctl_range range = { 0 };
	int r = parse_text(&scan, &range);

	assert(r == 0 && i < range.count);
	PCTL_AUTO(free) struct wheel *wheels = pctl_xcalloc(range.nparts, sizeof(*wheels));
	char *name = pctl_xcalloc(range.longest + 1, 1);
	turn_to(&range, wheels, i);
	write_name(&range, wheels, 0, name);
	pctl_range_done(&range);
	return name;
}

bool pctl_range_is_plain(const char *text)
{
	return *text && !strpbrk(text, SEPARATORS "[]@%") && strcmp(text, "*") != 0;
}
