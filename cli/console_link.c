/* SPDX-License-Identifier: Apache-2.0 */
#include "console_link.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "command.h"
#include "consent.h"
#include "opened.h"
#include "run.h"
#include "say.h"

#define PART         4096u
#define GONE_POLL_MS ((uint64_t)100)
/* Where typing has a rate: what may go at once, and how often more does. */
#define CREDIT_MOST ((uint64_t)2048)
#define PACE_MS     ((uint64_t)50)

/* One run that opens the consoles of several nodes. */
struct console_opening {
	struct console_link *links; /* a list */
	struct pctl_run *run;
	struct consent_prompt consent;
};

/* What watches a descriptor outlives it until the loop has closed it. */
struct console_wire {
	uv_poll_t poll;
	struct console_link *link;
};

static uint64_t now(const struct console_link *l)
{
	return uv_now(&l->cli->loop);
}

void console_link_init(struct console_link *l)
{
	(void)uv_timer_init(&l->cli->loop, &l->timer);
	l->timer.data = l;
}

bool console_link_is_gone(const struct console_link *l)
{
	return !l->opening && !l->stream;
}

void console_link_done(struct console_link *l)
{
	explicit_bzero(l->kept, sizeof(l->kept)); /* passwords are typed into consoles */
	uv_close((uv_handle_t *)&l->timer, NULL);
}

/* --- Failures. -------------------------------------------------------------------------------- */

static void on_again(uv_timer_t *timer)
{
	struct console_link *link = timer->data;

	/* The run that failed is not gone yet: it waits for other nodes, or for a farewell. */
	if (link->opening) {
		(void)uv_timer_start(&link->timer, on_again, GONE_POLL_MS, 0);
		return;
	}
	if (console_links_open(&link, 1) == CLI_OK)
		return;
	const struct console_failure failure = { .code = PCTL_E_CONFIG,
		.text = "config: its settings are not right any more" };
	link->over = true;
	link->events->failed(link->data, &failure);
}

static void fail(struct console_link *l, int code, const char *text, bool was_open)
{
	bool again = l->again == CONSOLE_ALWAYS || (l->again == CONSOLE_IF_OPENED && l->was_open);
	struct console_failure failure = {
		.code = code, .skipped = code == PCTL_E_SKIPPED, .text = text, .was_open = was_open
	};

	if (l->over)
		return;
	l->over = !again || !again_helps(code, was_open);
	if (!l->over) {
		failure.again_ms = again_next(&l->tries, now(l), was_open);
		(void)uv_timer_start(&l->timer, on_again, failure.again_ms, 0);
	}
	l->events->failed(l->data, &failure);
}

/* --- An open one. ----------------------------------------------------------------------------- */

static void on_closed(void *data, const struct pctl_error *err)
{
	struct console_link *l = data;
	PCTL_AUTO(free) char *text = NULL;

	l->stream = NULL;
	if (err->code)
		text = pctl_xasprintf("%s: %s", pctl_error_name(err->code), err->text);
	fail(l, err->code, text ? text : "the device ended the session", true);
}

static void on_wire_closed(uv_handle_t *handle)
{
	free(pctl_container_of((uv_poll_t *)handle, struct console_wire, poll));
}

/* What follows is on_closed(). */
static void close_stream(struct console_link *l)
{
	if (!l->wire)
		return;
	uv_close((uv_handle_t *)&l->wire->poll, on_wire_closed);
	l->wire = NULL;
	(void)uv_timer_stop(&l->timer);
	explicit_bzero(l->kept, l->kept_n);
	l->kept_n = 0;
	pctl_stream_close(l->stream, on_closed, l);
}

static void on_ready(uv_poll_t *poll, int status, int events);

/* How much of what was typed may go now. */
static size_t may_go(struct console_link *l)
{
	uint64_t more = (now(l) - l->credit_at) * l->rate / 1000;

	if (!l->rate)
		return l->kept_n;
	if (more > 0) {
		l->credit = l->credit + more < CREDIT_MOST ? l->credit + more : CREDIT_MOST;
		l->credit_at = now(l);
	}
	return l->kept_n < l->credit ? l->kept_n : (size_t)l->credit;
}

static void on_pace(uv_timer_t *timer);

static void watch(struct console_link *l)
{
	bool goes = l->kept_n && may_go(l);
	int events = (l->held ? 0 : UV_READABLE) | (goes ? UV_WRITABLE : 0);

	if (!l->wire)
		return;
	if (l->kept_n && !goes)
		(void)uv_timer_start(&l->timer, on_pace, PACE_MS, 0);
	if (events)
		(void)uv_poll_start(&l->wire->poll, events, on_ready);
	else
		(void)uv_poll_stop(&l->wire->poll);
}

static void read_part(struct console_link *l)
{
	char part[PART];
	ssize_t n = read(pctl_stream_fd(l->stream), part, sizeof(part));

	if (n > 0)
		l->events->printed(l->data, part, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR) || l->ended)
		close_stream(l);
}

static void write_kept(struct console_link *l)
{
	size_t most = may_go(l);
	ssize_t n = most ? write(pctl_stream_fd(l->stream), l->kept, most) : 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		n = (ssize_t)l->kept_n; /* why shows at the other direction */
	l->kept_n -= (size_t)n;
	l->credit = (uint64_t)n < l->credit ? l->credit - (uint64_t)n : 0;
	memmove(l->kept, l->kept + n, l->kept_n);
	explicit_bzero(l->kept + l->kept_n, (size_t)n);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct console_link *l = pctl_container_of(poll, struct console_wire, poll)->link;

	if (status < 0) {
		close_stream(l);
		return;
	}
	if ((events & UV_WRITABLE) && l->kept_n) {
		write_kept(l);
		if (!l->kept_n)
			l->events->typed(l->data);
	}
	if (l->wire && (events & UV_READABLE) && !l->held)
		read_part(l);
	watch(l);
}

static void on_pace(uv_timer_t *timer)
{
	watch(timer->data);
}

/* It has ended: what it still holds is read first, and that may have no end of its own. */
static void drain(struct console_link *l)
{
	while (l->wire && l->ended && !l->held)
		read_part(l);
}

static void on_ended(void *data, const struct pctl_error *err)
{
	struct console_link *l = data;

	(void)err; /* comes again when it is closed */
	l->ended = true;
	drain(l);
}

static void on_note(void *data, const char *text)
{
	struct console_link *l = data;

	if (!l->over)
		l->events->noted(l->data, text);
}

static uint64_t rate_of(const struct pctl_stream *stream)
{
	const struct pctl_value *v = pctl_value_get(pctl_stream_facts(stream), "typing_rate");
	int64_t rate = v ? pctl_value_int(v) : 0;

	return rate > 0 ? (uint64_t)rate : 0;
}

static void begin(struct console_link *l, struct pctl_stream *stream)
{
	struct console_wire *wire = pctl_xcalloc(1, sizeof(*wire));

	pctl_stream_take(stream, on_ended, l);
	pctl_stream_on_note(stream, on_note);
	l->stream = stream;
	l->wire = wire;
	l->was_open = true;
	l->ended = false;
	again_opened(&l->tries, now(l));
	l->kept_n = 0;
	l->rate = rate_of(stream);
	l->credit = CREDIT_MOST;
	l->credit_at = now(l);
	wire->link = l;
	(void)uv_poll_init(&l->cli->loop, &wire->poll, pctl_stream_fd(stream));
	l->events->opened(l->data);
	const char *note = console_link_fact(l, "note");
	if (*note)
		l->events->noted(l->data, note);
	watch(l);
}

/* --- Opening. --------------------------------------------------------------------------------- */

static struct console_link *find(struct console_link *links, size_t node)
{
	while (links && links->node != node)
		links = links->next;
	return links;
}

static char *text_of(const struct console_link *l, const struct pctl_result *r)
{
	PCTL_AUTO(free) char *text = opened_text(l->cli, r, NULL);
	static const char before[] = "error: ";
	const char *rest =
		strncmp(text, before, strlen(before)) == 0 ? text + strlen(before) : text;
	bool perhaps_ours = r->error.code == PCTL_E_BUSY && l->was_open;

	return pctl_xasprintf(
		"%s%s", rest, perhaps_ours ? "; it may be the one that was lost" : "");
}

static void on_result(void *data, const struct pctl_result *r)
{
	const struct console_opening *o = data;
	struct console_link *l = find(o->links, r->node);

	if (!l || l->over)
		return;
	if (r->stream) {
		begin(l, r->stream);
		return;
	}
	PCTL_AUTO(free) char *text = text_of(l, r);
	fail(l, r->error.code, text, false);
}

static void on_consent(void *data, const struct pctl_consent_question *question)
{
	struct console_opening *o = data;

	consent_ask(&o->consent, question);
}

static void on_done(void *data)
{
	struct console_opening *o = data;

	for (struct console_link *l = o->links, *next; l; l = next) {
		next = l->next;
		l->opening = NULL;
		l->next = NULL;
	}
	free(o);
}

int console_links_open(struct console_link *const *links, size_t n)
{
	struct cli *cli = links[0]->cli;
	struct pctl_request request = run_request_from(cli, PCTL_VERB_CONSOLE);
	struct pctl_problems *problems = pctl_problems_new();
	PCTL_AUTO(free) size_t *nodes = pctl_xcalloc(n, sizeof(*nodes));
	struct pctl_run *run = NULL;

	request.steal = cli->options.steal;
	request.again = n == 1 && links[0]->was_open; /* one is opened by itself then */
	if (request.again)
		request.consent_code = NULL; /* it held once */
	if (consent_check(cli, n) != CLI_OK) {
		pctl_problems_free(problems);
		return CLI_USAGE;
	}
	for (size_t i = 0; i < n; i++)
		nodes[i] = links[i]->node;
	int r = pctl_run_new(cli_core(cli), cli->inventory, nodes, n, &request, &run, problems);
	say_problems(problems);
	pctl_problems_free(problems);
	if (r < 0)
		return CLI_USAGE;

	struct console_opening *o = pctl_xcalloc(1, sizeof(*o));
	bool lends = n == 1 && links[0]->events->lend;
	bool asks = lends ? consent_can_borrow(cli) : consent_can_ask(cli);
	const struct pctl_run_callbacks callbacks = {
		.result = on_result,
		.done = on_done,
		.data = o,
		.consent = asks ? on_consent : NULL,
	};
	o->run = run;
	o->consent = (struct consent_prompt){ .cli = cli,
		.run = run,
		.progress = links[0]->progress,
		.lend = lends ? links[0]->events->lend : NULL,
		.data = links[0]->data };
	for (size_t i = n; i-- > 0;) {
		links[i]->opening = o;
		links[i]->next = o->links;
		o->links = links[i];
	}
	pctl_run_start(run, &callbacks);
	return CLI_OK;
}

/* --- What is asked of it. --------------------------------------------------------------------- */

bool console_link_is_open(const struct console_link *l)
{
	return l->wire != NULL;
}

size_t console_link_type(struct console_link *l, const char *bytes, size_t n)
{
	size_t room = l->wire ? CONSOLE_TYPED_MAX - l->kept_n : 0;

	if (n > room)
		n = room;
	if (n == 0)
		return 0;
	memcpy(l->kept + l->kept_n, bytes, n);
	l->kept_n += n;
	write_kept(l);
	watch(l);
	return n;
}

bool console_link_types(const struct console_link *l)
{
	return l->kept_n > 0;
}

int console_link_break(struct console_link *l, struct pctl_error *err)
{
	if (!l->wire)
		return pctl_error_set(err, PCTL_E_STATE, "the console is not open");
	return pctl_stream_control(l->stream, "break", NULL, err);
}

void console_link_resize(struct console_link *l, unsigned columns, unsigned rows)
{
	PCTL_AUTO(free) char *size = pctl_xasprintf("%ux%u", columns, rows);

	/* Most machines have no place for it, and none depends on it. */
	if (l->wire)
		(void)pctl_stream_control(l->stream, "resize", size, NULL);
}

const char *console_link_fact(const struct console_link *l, const char *name)
{
	const char *fact = NULL;

	if (l->wire)
		fact = pctl_value_text(pctl_value_get(pctl_stream_facts(l->stream), name));
	return fact ? fact : "";
}

void console_link_hold(struct console_link *l, bool held)
{
	l->held = held;
	drain(l);
	watch(l);
}

void console_link_stop(struct console_link *l)
{
	l->over = true;
	(void)uv_timer_stop(&l->timer);
	if (l->opening)
		pctl_run_cancel(l->opening->run);
	close_stream(l);
}
