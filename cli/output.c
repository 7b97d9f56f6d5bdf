/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

struct entry {
	size_t order;
	char *name, *text;
};

struct output {
	FILE *file;
	enum output_mode mode;
	bool bare;
	int fault;      /* errno of the first write that failed */
	size_t pending; /* bytes that were not written out yet */
	struct entry *entries;
	size_t n, cap;
};

enum output_mode output_choose(const struct cli *cli)
{
	const struct options *o = &cli->options;

	if (o->fold)
		return OUTPUT_FOLD;
	if (!o->json && !o->no_fold && cli_is_terminal(STDOUT_FILENO))
		return OUTPUT_FOLD;
	return o->sort ? OUTPUT_SORT : OUTPUT_STREAM;
}

struct output *output_new(FILE *file, enum output_mode mode, bool bare)
{
	struct output *o = pctl_xcalloc(1, sizeof(*o));

	o->file = file;
	o->mode = mode;
	o->bare = bare;
	return o;
}

static void note_fault(struct output *o, bool bad)
{
	if (bad && !o->fault)
		o->fault = errno ? errno : EIO;
}

void output_sync(struct output *o)
{
	if (!o->pending)
		return;
	errno = 0;
	o->pending = 0;
	note_fault(o, fflush(o->file) != 0);
}

/* What others write to the same pipe comes between lines, not into them. */
static void make_room(struct output *o, size_t len)
{
	if (o->pending + len > PIPE_BUF)
		output_sync(o);
	o->pending += len;
}

static void write_text(struct output *o, const char *name, const char *text)
{
	bool bad = false;

	if (o->fault)
		return;
	make_room(o, strchr(text, '\n') ? PIPE_BUF : strlen(name) + strlen(text) + sizeof(":\n"));
	errno = 0;
	if (o->bare)
		bad = fprintf(o->file, "%s\n", text) < 0;
	else if (*text == '\n')
		bad = fprintf(o->file, "%s:%s\n", name, text) < 0;
	else
		for (const char *line = text; line && !bad;) {
			const char *end = strchr(line, '\n');
			size_t len = end ? (size_t)(end - line) : strlen(line);

			bad = fprintf(o->file, "%s: %.*s\n", name, (int)len, line) < 0;
			line = end ? end + 1 : NULL;
		}
	note_fault(o, bad);
}

void output_add(struct output *o, size_t order, const char *name, char *take_text)
{
	if (o->mode == OUTPUT_STREAM) {
		write_text(o, name, take_text);
		free(take_text);
		return;
	}
	o->entries = pctl_xgrow(o->entries, &o->cap, o->n + 1, sizeof(*o->entries));
	o->entries[o->n++] = (struct entry){ order, pctl_xstrdup(name), take_text };
}

static int by_order(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;

	return (a->order > b->order) - (a->order < b->order);
}

static int by_text(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int r = strcmp(a->text, b->text);

	return r ? r : by_order(va, vb);
}

/* A run of entries with equal texts. */
struct group {
	size_t order; /* of its first */
	const struct entry *first;
	size_t n;
};

static int by_first(const void *va, const void *vb)
{
	const struct group *a = va, *b = vb;

	return (a->order > b->order) - (a->order < b->order);
}

static void write_group(struct output *o, const struct group *g)
{
	struct pctl_names *names = pctl_names_new();

	for (size_t i = 0; i < g->n; i++)
		(void)pctl_names_add(names, g->first[i].name);
	PCTL_AUTO(free) char *folded = pctl_names_fold(names);
	write_text(o, folded, g->first->text);
	pctl_names_free(names);
}

static void write_folded(struct output *o)
{
	PCTL_AUTO(free) struct group *groups = pctl_xcalloc(o->n, sizeof(*groups));
	size_t n = 0;

	qsort(o->entries, o->n, sizeof(*o->entries), by_text);
	for (size_t i = 0; i < o->n; i++) {
		const struct entry *e = &o->entries[i];

		if (i > 0 && strcmp(e->text, e[-1].text) == 0)
			groups[n - 1].n++;
		else
			groups[n++] = (struct group){ e->order, e, 1 };
	}
	qsort(groups, n, sizeof(*groups), by_first);
	for (size_t i = 0; i < n; i++)
		write_group(o, &groups[i]);
}

static void write_sorted(struct output *o)
{
	qsort(o->entries, o->n, sizeof(*o->entries), by_order);
	for (size_t i = 0; i < o->n; i++)
		write_text(o, o->entries[i].name, o->entries[i].text);
}

static void forget(struct output *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->entries[i].name);
		free(o->entries[i].text);
	}
	o->n = 0;
}

int output_flush(struct output *o)
{
	if (o->n > 0 && o->mode == OUTPUT_FOLD)
		write_folded(o);
	else if (o->n > 0)
		write_sorted(o);
	output_sync(o);
	forget(o);
	return o->fault;
}

void output_free(struct output *o)
{
	if (!o)
		return;
	forget(o);
	free(o->entries);
	free(o);
}
