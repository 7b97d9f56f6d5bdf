/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Folding. Names of one shape (the same but for their numbers) are points in a grid with one
 * dimension per number. Going through the dimensions, points and then boxes that differ in that one
 * only become one box, whose side there is a list of ranges. Each step is exact, so the result is;
 * it is also the shortest for whole products, and short enough for what people build.
 */
#include <inttypes.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "names/names.h"
#include "names/range.h"

/* Numbers behind that many are text: bounds the time for names that are mostly numbers. */
#define DIMS_MAX 16u

/*
 * A side of a box: the rank of its only number, or, with this bit, the index of its text in words.
 * Equal sides are equal integers.
 */
#define SIDE_IS_LIST (UINT64_C(1) << 63)

struct shape {
	uint32_t first, last; /* of its names; linked by folding.next */
	uint32_t n;
};

/* Boxes of one shape: a row of dims sides each, and one of its names, the first it would print. */
struct grid {
	uint64_t *sides;
	uint32_t *names;
	size_t n, dims;
};

/* Boxes that are the same but for one side, in the order they come in. */
struct group {
	uint32_t first, last, n; /* linked by merging.next */
};

/* A part of the result: the text from at on in folding.text. */
struct piece {
	uint32_t name; /* its first, to sort by */
	size_t at, len;
};

struct folding {
	const struct pctl_names *names;
	struct pctl_names words;
	struct pctl_buf text;
	struct piece *pieces;
	size_t npieces, pieces_cap;
	uint32_t *next; /* name to name of the same shape */
};

/* --- Numbers: digits as written, zeros included. ---------------------------------------------- */

struct number {
	uint64_t value;
	unsigned len;
};

static uint64_t power_of_10(unsigned n)
{
	uint64_t power = 1;

	while (n--)
		power *= 10;
	return power;
}

/*
 * All texts of digits, the shorter ones first and then by value, numbered through: one integer has
 * value and padding, and 09 and 10 are neighbours.
 */
static uint64_t rank_of(const char *digits, size_t len)
{
	uint64_t value = 0, shorter = 0;

	for (size_t i = 0; i < len; i++) {
		value = value * 10 + (uint64_t)(digits[i] - '0');
		shorter = shorter * 10 + (i ? 10 : 0);
	}
	return shorter + value;
}

static struct number number_of(uint64_t rank)
{
	struct number number = { .value = rank, .len = 1 };

	for (uint64_t texts = 10; number.value >= texts; texts *= 10) {
		number.value -= texts;
		number.len++;
	}
	return number;
}

static bool is_padded(const struct number *number)
{
	return number->len > 1 && number->value < power_of_10(number->len - 1);
}

static void write_number(struct pctl_buf *out, struct number number)
{
	pctl_buf_addf(out, "%0*" PRIu64, (int)number.len, number.value);
}

/* The next run of digits in s that counts as a number, or NULL. */
static const char *find_number(const char *s, size_t *ret_len)
{
	static const char digits[] = "0123456789";

	for (;; s += *ret_len) {
		s += strcspn(s, digits);
		*ret_len = strspn(s, digits);
		if (!*ret_len)
			return NULL;
		if (*ret_len <= PCTL_DIGITS_MAX)
			return s;
	}
}

/* --- Lists of numbers: 1-3,7. ----------------------------------------------------------------- */

static int compare_ranks(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void sort_ranks(uint64_t *ranks, size_t n)
{
	size_t sorted = 1;

	while (sorted < n && ranks[sorted - 1] < ranks[sorted])
		sorted++;
	if (sorted < n)
		qsort(ranks, n, sizeof(*ranks), compare_ranks);
}

/* Whether first-last may be made longer by next: counting on, and padded as first says. */
static bool goes_on(
	const struct number *first, const struct number *last, const struct number *next)
{
	if (next->value != last->value + 1)
		return false;
	return is_padded(first) ? next->len == first->len : !is_padded(next);
}

static void write_list(struct pctl_buf *out, const uint64_t *ranks, size_t n)
{
	for (size_t i = 0; i < n;) {
		struct number first = number_of(ranks[i]), last = first;

		while (++i < n) {
			struct number next = number_of(ranks[i]);

			if (!goes_on(&first, &last, &next))
				break;
			last = next;
		}
		if (out->len)
			pctl_buf_adds(out, ",");
		write_number(out, first);
		if (last.value == first.value)
			continue;
		pctl_buf_adds(out, "-");
		write_number(out, last);
	}
}

/* --- Merging boxes along one dimension. ------------------------------------------------------- */

struct merging {
	struct group *groups;
	size_t ngroups, groups_cap;
	uint32_t *next;  /* box to box of the same group */
	uint32_t *slots; /* a hash table of groups: index plus one; 0: free */
	size_t nslots;
	uint64_t *ranks; /* of the group at hand */
	struct pctl_buf list;
};

static void merging_init(struct merging *m, size_t n)
{
	*m = (struct merging){ .nslots = 16 };
	while (m->nslots < 2 * n)
		m->nslots *= 2;
	m->next = pctl_xcalloc(n, sizeof(*m->next));
	m->ranks = pctl_xcalloc(n, sizeof(*m->ranks));
	m->slots = pctl_xcalloc(m->nslots, sizeof(*m->slots));
	pctl_buf_init(&m->list, SIZE_MAX);
}

static void merging_done(struct merging *m)
{
	free(m->groups);
	free(m->next);
	free(m->ranks);
	free(m->slots);
	pctl_buf_done(&m->list);
}

static size_t hash_without(const uint64_t *sides, size_t dims, size_t but)
{
	uint64_t h = 0;

	for (size_t d = 0; d < dims; d++) {
		if (d == but)
			continue;
		h = (h ^ sides[d]) * 0x9e3779b97f4a7c15u;
		h ^= h >> 32;
	}
	return (size_t)h;
}

static bool equal_without(const uint64_t *a, const uint64_t *b, size_t dims, size_t but)
{
	for (size_t d = 0; d < dims; d++)
		if (d != but && a[d] != b[d])
			return false;
	return true;
}

/* The group of the boxes that are as this one but for one dimension; made if there is none. */
static struct group *group_of(struct merging *m, const struct grid *grid, size_t box, size_t dim)
{
	const uint64_t *sides = &grid->sides[box * grid->dims];
	size_t i = hash_without(sides, grid->dims, dim) & (m->nslots - 1);

	for (; m->slots[i]; i = (i + 1) & (m->nslots - 1)) {
		struct group *group = &m->groups[m->slots[i] - 1];

		if (equal_without(sides, &grid->sides[group->first * grid->dims], grid->dims, dim))
			return group;
	}
	m->groups = pctl_xgrow(m->groups, &m->groups_cap, m->ngroups + 1, sizeof(*m->groups));
	m->groups[m->ngroups++] = (struct group){ .first = (uint32_t)box };
	m->slots[i] = (uint32_t)m->ngroups;
	return &m->groups[m->ngroups - 1];
}

static void find_groups(struct merging *m, const struct grid *grid, size_t dim)
{
	for (size_t box = 0; box < grid->n; box++) {
		struct group *group = group_of(m, grid, box, dim);

		if (group->n++)
			m->next[group->last] = (uint32_t)box;
		group->last = (uint32_t)box;
	}
}

/* Makes a group's boxes one, at index `to` (not behind any of them). */
static void merge_group(struct folding *f, struct merging *m, const struct group *group,
	struct grid *grid, size_t to, size_t dim)
{
	uint64_t least = UINT64_MAX;
	uint32_t name = 0;

	for (uint32_t i = 0, box = group->first; i < group->n; i++, box = m->next[box]) {
		m->ranks[i] = grid->sides[box * grid->dims + dim];
		if (m->ranks[i] < least) {
			least = m->ranks[i];
			name = grid->names[box];
		}
	}
	memmove(&grid->sides[to * grid->dims], &grid->sides[group->first * grid->dims],
		grid->dims * sizeof(*grid->sides));
	grid->names[to] = name;
	if (group->n == 1)
		return;

	sort_ranks(m->ranks, group->n);
	pctl_buf_cut(&m->list, 0);
	write_list(&m->list, m->ranks, group->n);
	grid->sides[to * grid->dims + dim] =
		SIDE_IS_LIST | pctl_names_put(&f->words, m->list.data, m->list.len);
}

/* The sides along dim have to be single numbers still. */
static void merge_along(struct folding *f, struct grid *grid, size_t dim)
{
	struct merging m;

	merging_init(&m, grid->n);
	find_groups(&m, grid, dim);
	/* In place: group g begins at box g or later, and the boxes before that have been used. */
	for (size_t g = 0; g < m.ngroups; g++)
		merge_group(f, &m, &m.groups[g], grid, g, dim);
	grid->n = m.ngroups;
	merging_done(&m);
}

/* --- Grids. ----------------------------------------------------------------------------------- */

static struct grid grid_new(const struct folding *f, const struct shape *shape)
{
	struct grid grid = { .n = shape->n };
	size_t len;

	for (const char *s = find_number(f->names->items[shape->first], &len);
		s && grid.dims < DIMS_MAX; s = find_number(s + len, &len))
		grid.dims++;
	grid.sides = pctl_xcalloc(grid.n * grid.dims, sizeof(*grid.sides));
	grid.names = pctl_xcalloc(grid.n, sizeof(*grid.names));

	uint64_t *side = grid.sides;
	uint32_t name = shape->first;
	for (size_t i = 0; i < grid.n; i++, name = f->next[name]) {
		const char *s = f->names->items[name];

		grid.names[i] = name;
		for (size_t d = 0; d < grid.dims; d++, s += len) {
			s = find_number(s, &len);
			*side++ = rank_of(s, len);
		}
	}
	return grid;
}

static struct grid grid_copy(const struct grid *grid)
{
	struct grid copy = *grid;

	copy.sides = pctl_xcalloc(grid->n * grid->dims, sizeof(*copy.sides));
	memcpy(copy.sides, grid->sides, grid->n * grid->dims * sizeof(*copy.sides));
	copy.names = pctl_xcalloc(grid->n, sizeof(*copy.names));
	memcpy(copy.names, grid->names, grid->n * sizeof(*copy.names));
	return copy;
}

static void grid_done(struct grid *grid)
{
	free(grid->sides);
	free(grid->names);
}

/* Adds a box as text. The name gives what is between its numbers. */
static void write_box(struct folding *f, const struct grid *grid, size_t box)
{
	const char *s = f->names->items[grid->names[box]];

	for (size_t d = 0; d < grid->dims; d++) {
		uint64_t side = grid->sides[box * grid->dims + d];
		size_t len;
		const char *number = find_number(s, &len);

		pctl_buf_add(&f->text, s, (size_t)(number - s));
		if (side & SIDE_IS_LIST) {
			pctl_buf_adds(&f->text, "[");
			pctl_buf_adds(&f->text, f->words.items[side & ~SIDE_IS_LIST]);
			pctl_buf_adds(&f->text, "]");
		} else {
			pctl_buf_add(&f->text, number, len);
		}
		s = number + len;
	}
	pctl_buf_adds(&f->text, s);
}

static void add_piece(struct folding *f, uint32_t name, size_t at)
{
	f->pieces = pctl_xgrow(f->pieces, &f->pieces_cap, f->npieces + 1, sizeof(*f->pieces));
	f->pieces[f->npieces++] = (struct piece){ name, at, f->text.len - at };
}

static void write_grid(struct folding *f, const struct grid *grid)
{
	for (size_t box = 0; box < grid->n; box++) {
		size_t at = f->text.len;

		write_box(f, grid, box);
		add_piece(f, grid->names[box], at);
	}
}

static void write_name(struct folding *f, uint32_t name)
{
	size_t at = f->text.len;

	pctl_buf_adds(&f->text, f->names->items[name]);
	add_piece(f, name, at);
}

static size_t side_len(const struct folding *f, uint64_t side)
{
	if (side & SIDE_IS_LIST)
		return strlen(f->words.items[side & ~SIDE_IS_LIST]) + 2;
	return number_of(side).len;
}

/* How long the grid is as text; between is what each box has besides its sides. */
static size_t grid_len(const struct folding *f, const struct grid *grid, size_t between)
{
	size_t len = grid->n * between;

	for (size_t i = 0; i < grid->n * grid->dims; i++)
		len += side_len(f, grid->sides[i]);
	return len;
}

/* --- The whole. ------------------------------------------------------------------------------- */

/* Bytes of a name of the shape that are not in its numbers, and a comma. */
static size_t len_between(const struct folding *f, const struct grid *grid)
{
	size_t len = strlen(f->names->items[grid->names[0]]) + 1;

	for (size_t d = 0; d < grid->dims; d++)
		len -= number_of(grid->sides[d]).len;
	return len;
}

/*
 * What is no product comes out differently by the dimension that is first: the shorter one wins,
 * and in doubt the one that began with the last number.
 */
static void fold_shape(struct folding *f, const struct shape *shape)
{
	if (shape->n == 1) {
		write_name(f, shape->first);
		return;
	}

	struct grid grid = grid_new(f, shape), other = { 0 };
	size_t between = len_between(f, &grid);
	const struct grid *best = &grid;

	if (grid.dims > 1)
		other = grid_copy(&grid);
	for (size_t d = grid.dims; d-- > 0;)
		merge_along(f, &grid, d);
	if (grid.n > 1 && other.n) {
		for (size_t d = 0; d < other.dims; d++)
			merge_along(f, &other, d);
		if (grid_len(f, &other, between) < grid_len(f, &grid, between))
			best = &other;
	}
	write_grid(f, best);
	grid_done(&grid);
	grid_done(&other);
}

/*
 * The name with one digit for each of its numbers. A run of digits that is too long to be a number
 * stays, and cannot be taken for one as it is longer.
 */
static void write_shape(struct pctl_buf *out, const char *name)
{
	const char *number;
	size_t len;

	pctl_buf_cut(out, 0);
	for (unsigned d = 0; d < DIMS_MAX && (number = find_number(name, &len)); d++) {
		pctl_buf_add(out, name, (size_t)(number - name));
		pctl_buf_adds(out, "0");
		name = number + len;
	}
	pctl_buf_adds(out, name);
}

static struct shape *shape_at(struct shape **shapes, size_t *cap, size_t k, bool fresh)
{
	*shapes = pctl_xgrow(*shapes, cap, k + 1, sizeof(**shapes));
	if (fresh)
		(*shapes)[k] = (struct shape){ 0 };
	return &(*shapes)[k];
}

/* Sorts the names into shapes, each in the order of its names; free() what is returned. */
static struct shape *find_shapes(struct folding *f, size_t *ret_n)
{
	struct pctl_names texts = { 0 };
	struct shape *shapes = NULL;
	size_t cap = 0;
	struct pctl_buf text;

	pctl_buf_init(&text, SIZE_MAX);
	for (size_t i = 0; i < f->names->n; i++) {
		size_t before = texts.n;

		write_shape(&text, f->names->items[i]);
		size_t k = pctl_names_put(&texts, text.data, text.len);
		struct shape *shape = shape_at(&shapes, &cap, k, k == before);
		if (shape->n++)
			f->next[shape->last] = (uint32_t)i;
		else
			shape->first = (uint32_t)i;
		shape->last = (uint32_t)i;
	}
	*ret_n = texts.n;
	pctl_names_done(&texts);
	pctl_buf_done(&text);
	return shapes;
}

static int compare_pieces(const void *a, const void *b, void *data)
{
	const struct folding *f = data;
	const struct piece *x = a, *y = b;

	return pctl_names_compare(f->names->items[x->name], f->names->items[y->name]);
}

static char *join_pieces(const struct folding *f)
{
	struct pctl_buf out;

	pctl_buf_init(&out, SIZE_MAX);
	for (size_t i = 0; i < f->npieces; i++) {
		if (i)
			pctl_buf_adds(&out, ",");
		pctl_buf_add(&out, f->text.data + f->pieces[i].at, f->pieces[i].len);
	}
	return pctl_buf_steal(&out);
}

char *pctl_names_fold(const struct pctl_names *names)
{
	struct folding f = { .names = names };
	size_t nshapes;

	f.next = pctl_xcalloc(names->n, sizeof(*f.next));
	pctl_buf_init(&f.text, SIZE_MAX);
	struct shape *shapes = find_shapes(&f, &nshapes);
	for (size_t i = 0; i < nshapes; i++)
		fold_shape(&f, &shapes[i]);
	if (f.npieces)
		qsort_r(f.pieces, f.npieces, sizeof(*f.pieces), compare_pieces, &f);

	char *result = join_pieces(&f);
	free(shapes);
	free(f.pieces);
	free(f.next);
	pctl_buf_done(&f.text);
	pctl_names_done(&f.words);
	return result;
}
