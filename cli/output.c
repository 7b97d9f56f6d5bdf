/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "outflow.h"
#include "say.h"

struct entry {
	size_t order, at; /* at: as it came */
	unsigned group;
	char *name, *text;
	char *alone; /* instead of text, where no other name shares it; NULL: text */
};

struct output {
	struct cli *cli;
	enum output_mode mode;
	bool bare;
	struct outflow out;
	output_fn *gone;
	void *data;
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

static void on_gone(void *data)
{
	struct output *o = data;

	if (o->gone)
		o->gone(o->data);
}

struct output *output_new(struct cli *cli, int fd, enum output_mode mode, bool bare)
{
	struct output *o = pctl_xcalloc(1, sizeof(*o));

	o->cli = cli;
	o->mode = mode;
	o->bare = bare;
	(void)fflush(stdout); /* what went another way goes first */
	outflow_init(&o->out, &cli->loop, fd, on_gone, o);
	return o;
}

void output_on_gone(struct output *o, output_fn *gone, void *data)
{
	o->gone = gone;
	o->data = data;
}

bool output_has_failed(const struct output *o)
{
	return o->out.fault != 0;
}

size_t output_kept(const struct output *o)
{
	return outflow_kept(&o->out);
}

static void put_line(
	struct output *o, const char *name, const char *between, const char *line, size_t len)
{
	outflow_put(&o->out, name, strlen(name));
	outflow_put(&o->out, between, strlen(between));
	outflow_put(&o->out, line, len);
	outflow_put(&o->out, "\n", 1);
}

/* Lines that stand indented below the first belong to it. */
static bool is_one(const char *text)
{
	const char *end = strchr(text, '\n');

	return end && end[1] == ' ';
}

static void write_text(struct output *o, const char *name, const char *text)
{
	if (o->bare) {
		put_line(o, "", "", text, strlen(text));
		return;
	}
	if (is_one(text)) {
		put_line(o, name, *text == '\n' ? ":" : ": ", text, strlen(text));
		return;
	}
	for (const char *line = text; line;) {
		size_t len = strcspn(line, "\n");

		put_line(o, name, ": ", line, len);
		line = line[len] ? line + len + 1 : NULL;
	}
}

void output_add(struct output *o, size_t order, unsigned group, const char *name, char *take_text)
{
	output_add_or(o, order, group, name, take_text, NULL);
}

void output_add_or(struct output *o, size_t order, unsigned group, const char *name,
	char *take_text, char *take_alone)
{
	if (o->mode == OUTPUT_STREAM) {
		write_text(o, name, take_alone ? take_alone : take_text);
		free(take_text);
		free(take_alone);
		return;
	}
	o->entries = pctl_xgrow(o->entries, &o->cap, o->n + 1, sizeof(*o->entries));
	o->entries[o->n] =
		(struct entry){ order, o->n, group, pctl_xstrdup(name), take_text, take_alone };
	o->n++;
}

void output_table(struct output *o, const char *lines)
{
	put_line(o, "", "", lines, strlen(lines));
}

static int by_order(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;

	if (a->order != b->order)
		return a->order > b->order ? 1 : -1;
	return (a->at > b->at) - (a->at < b->at);
}

static int by_text(const void *va, const void *vb)
{
	const struct entry *a = va, *b = vb;
	int r = (a->group > b->group) - (a->group < b->group);

	if (!r)
		r = strcmp(a->text, b->text);
	return r ? r : by_order(va, vb);
}

/* A run of entries with equal texts. */
struct group {
	const struct entry *first;
	size_t n;
};

static int by_first(const void *va, const void *vb)
{
	const struct entry *a = ((const struct group *)va)->first;
	const struct entry *b = ((const struct group *)vb)->first;

	return a->group != b->group ? (a->group > b->group) - (a->group < b->group)
				    : by_order(a, b);
}

static void write_group(struct output *o, const struct group *g)
{
	struct pctl_names *names = pctl_names_new();

	for (size_t i = 0; i < g->n; i++)
		(void)pctl_names_add(names, g->first[i].name);
	PCTL_AUTO(free) char *folded = pctl_names_fold(names);
	bool alone = g->first->alone && pctl_names_count(names) == 1;
	write_text(o, folded, alone ? g->first->alone : g->first->text);
	pctl_names_free(names);
}

static void write_folded(struct output *o)
{
	PCTL_AUTO(free) struct group *groups = pctl_xcalloc(o->n, sizeof(*groups));
	size_t n = 0;

	qsort(o->entries, o->n, sizeof(*o->entries), by_text);
	for (size_t i = 0; i < o->n; i++) {
		const struct entry *e = &o->entries[i];

		if (i > 0 && e->group == e[-1].group && strcmp(e->text, e[-1].text) == 0)
			groups[n - 1].n++;
		else
			groups[n++] = (struct group){ e, 1 };
	}
	qsort(groups, n, sizeof(*groups), by_first);
	for (size_t i = 0; i < n; i++)
		write_group(o, &groups[i]);
}

static void write_sorted(struct output *o)
{
	qsort(o->entries, o->n, sizeof(*o->entries), by_order);
	for (size_t i = 0; i < o->n; i++)
		write_text(o, o->entries[i].name,
			o->entries[i].alone ? o->entries[i].alone : o->entries[i].text);
}

static void forget(struct output *o)
{
	for (size_t i = 0; i < o->n; i++) {
		free(o->entries[i].name);
		free(o->entries[i].text);
		free(o->entries[i].alone);
	}
	o->n = 0;
}

void output_flush(struct output *o)
{
	if (o->n > 0 && o->mode == OUTPUT_FOLD)
		write_folded(o);
	else if (o->n > 0)
		write_sorted(o);
	forget(o);
}

int output_end(struct output *o, const bool *stop, int status)
{
	uv_loop_t *loop = &o->cli->loop;

	output_flush(o);
	outflow_push(&o->out);
	o->gone = NULL;
	while (outflow_waits(&o->out) && !(stop && *stop))
		(void)uv_run(loop, UV_RUN_ONCE);
	int fault = o->cli->output_fault = o->out.fault;
	outflow_close(&o->out);
	(void)uv_run(loop, UV_RUN_NOWAIT); /* its handles end here */
	free(o->entries);
	free(o);
	/* A reader that has left needs no word about it. */
	if (fault && fault != EPIPE)
		say("standard output cannot be written: %s", strerror(fault));
	return fault && status == CLI_OK ? CLI_FAILED : status;
}

void output_abandon(struct output *o)
{
	output_flush(o);
	outflow_push(&o->out);
	outflow_close(&o->out);
}
