/* SPDX-License-Identifier: Apache-2.0 */
#include "import/fold.h"

#include <ctype.h>
#include <inttypes.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#define PASSES_MAX  4u  /* r[1-2]c[1-3]n[01-16] takes three, and one sees that it is done */
#define PIECES_MAX  12u /* of a bracket: [1-3,7,...]; more of them nobody reads */
#define DIGITS_MAX  15u
#define PATTERN_MAX 4096u

/* The number of a text that counts along. */
struct number {
	bool counts;    /* else the text stays as it is */
	size_t at, len; /* of its digits, in the first row */
	uint64_t first;
};

/* Rows that are being folded into the first of them. */
struct run {
	const struct import_line_row *row; /* the first */
	size_t fields, rows;
	struct number numbers[IMPORT_FIELDS_MAX];
	uint64_t last; /* of the name, from the first on: 0, 1, 2 ... */
	struct {
		uint64_t from, to;
	} pieces[PIECES_MAX];
	size_t piece_count;
};

static uint64_t value_of(const char *digits, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n = 10 * n + (uint64_t)(digits[i] - '0');
	return n;
}

static size_t digits_at(const char *text)
{
	return strspn(text, "0123456789");
}

/* Filled up with zeros, so that all of them are as long. */
static bool is_padded(const char *digits, size_t len)
{
	return len > 1 && *digits == '0';
}

/*
 * Where two texts differ in one number and nothing else, before any bracket; false: they do not.
 * The second one's number has to be the larger one.
 */
static bool differ(const char *a, const char *b, struct number *ret, uint64_t *ret_step)
{
	size_t at = 0;

	while (a[at] && a[at] == b[at])
		at++;
	while (at > 0 && isdigit((unsigned char)a[at - 1]))
		at--;
	size_t len = digits_at(a + at), other = digits_at(b + at);
	if (!len || !other || len > DIGITS_MAX || other > DIGITS_MAX || memchr(a, '[', at) ||
		strcmp(a + at + len, b + at + other) != 0)
		return false;
	if (len != other && (is_padded(a + at, len) || is_padded(b + at, other)))
		return false;
	uint64_t first = value_of(a + at, len), second = value_of(b + at, other);
	if (second <= first)
		return false;
	*ret = (struct number){ true, at, len, first };
	*ret_step = second - first;
	return true;
}

/* How a field goes from the first row to another one; false: neither the same nor counted. */
static bool compare(const struct run *run, size_t field, const char *text, struct number *ret,
	uint64_t *ret_step)
{
	const char *first = run->row->fields[field];
	bool ranged = strchr(run->row->fields[0], '[') != NULL;

	*ret = (struct number){ .counts = false };
	*ret_step = 0;
	/* What has a bracket names as many as the name and so has to count with it. */
	if (strcmp(first, text) == 0)
		return !strchr(first, '[');
	return differ(first, text, ret, ret_step) && ranged == (strchr(first, '[') != NULL);
}

static bool same_number(const struct number *a, const struct number *b)
{
	return a->counts == b->counts && a->at == b->at;
}

/* Adds a step of the name to the bracket; false: it would be too long to read. */
static bool add_step(struct run *run, uint64_t step)
{
	if (step == run->last + 1) {
		run->pieces[run->piece_count - 1].to = step;
	} else {
		if (run->piece_count == PIECES_MAX)
			return false;
		run->pieces[run->piece_count].from = run->pieces[run->piece_count].to = step;
		run->piece_count++;
	}
	run->last = step;
	return true;
}

/* Takes a row along; false: it is not one of these. */
static bool extend(struct run *run, const struct import_line_row *row)
{
	struct number numbers[IMPORT_FIELDS_MAX];
	uint64_t step, own;

	if (!compare(run, 0, row->fields[0], &numbers[0], &step) || !numbers[0].counts ||
		step <= run->last)
		return false;
	for (size_t f = 1; f < run->fields; f++)
		if (!compare(run, f, row->fields[f], &numbers[f], &own) ||
			(numbers[f].counts && own != step))
			return false;
	for (size_t f = 0; run->rows > 1 && f < run->fields; f++)
		if (!same_number(&numbers[f], &run->numbers[f]))
			return false;
	if (!add_step(run, step))
		return false;
	memcpy(run->numbers, numbers, sizeof(numbers[0]) * run->fields);
	run->rows++;
	return true;
}

static void add_number(struct pctl_buf *out, const struct number *n, bool padded, uint64_t step)
{
	pctl_buf_addf(out, "%0*" PRIu64, padded ? (int)n->len : 1, n->first + step);
}

/* free() it. */
static char *pattern_of(const struct run *run, size_t field)
{
	const struct number *n = &run->numbers[field];
	const char *first = run->row->fields[field];
	bool padded = is_padded(first + n->at, n->len);
	struct pctl_buf out;

	if (!n->counts)
		return pctl_xstrdup(first);
	pctl_buf_init(&out, PATTERN_MAX + strlen(first));
	pctl_buf_add(&out, first, n->at);
	pctl_buf_adds(&out, "[");
	for (size_t i = 0; i < run->piece_count; i++) {
		pctl_buf_adds(&out, i ? "," : "");
		add_number(&out, n, padded, run->pieces[i].from);
		if (run->pieces[i].to > run->pieces[i].from) {
			pctl_buf_adds(&out, "-");
			add_number(&out, n, padded, run->pieces[i].to);
		}
	}
	pctl_buf_addf(&out, "]%s", first + n->at + n->len);
	return pctl_buf_steal(&out);
}

static void begin(struct run *run, const struct import_line_row *row, size_t fields)
{
	*run = (struct run){ .row = row, .fields = fields, .rows = 1, .piece_count = 1 };
}

static struct import_line_row folded(const struct run *run)
{
	struct import_line_row row = { { NULL } };

	for (size_t f = 0; f < run->fields; f++)
		row.fields[f] =
			run->rows > 1 ? pattern_of(run, f) : pctl_xstrdup(run->row->fields[f]);
	return row;
}

/* Once over all rows; out has room for as many. */
static size_t pass(const struct import_line_row *rows, size_t count, size_t fields,
	struct import_line_row *out)
{
	struct run run;
	size_t n = 0;

	if (!count)
		return 0;
	begin(&run, &rows[0], fields);
	for (size_t i = 1; i < count; i++) {
		if (extend(&run, &rows[i]))
			continue;
		out[n++] = folded(&run);
		begin(&run, &rows[i], fields);
	}
	out[n++] = folded(&run);
	return n;
}

size_t import_fold(struct import_line_row *rows, size_t count, size_t fields)
{
	struct import_line_row *out = pctl_xcalloc(count + 1, sizeof(*out));

	for (unsigned p = 0; p < PASSES_MAX; p++) {
		size_t left = pass(rows, count, fields, out);
		bool done = left == count;

		for (size_t i = 0; i < count; i++)
			for (size_t f = 0; f < fields; f++)
				free(rows[i].fields[f]);
		memcpy(rows, out, left * sizeof(*rows));
		count = left;
		if (done)
			break;
	}
	free(out);
	return count;
}
