/* SPDX-License-Identifier: Apache-2.0 */
#include "consent.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "progress.h"
#include "say.h"
#include "terminal.h"

#define TYPED_MAX 64u
#define CODE      "code (empty: none): "

/* What watches the terminal outlives a question until the loop has closed it. */
struct consent_wire {
	uv_poll_t poll;
	uv_signal_t go; /* SIGCONT: others have written there meanwhile */
	unsigned handles;
	int fd;
	char *question;
	struct consent_prompt *prompt;
};

static int open_terminal(void)
{
	return open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
}

bool consent_can_ask(const struct cli *cli)
{
	return !terminal_is_raw() && consent_can_borrow(cli);
}

bool consent_can_borrow(const struct cli *cli)
{
	if (cli->options.yes)
		return false;
	int fd = open_terminal();
	if (fd < 0)
		return false;
	(void)close(fd);
	return true;
}

static void put(const struct consent_wire *w, const char *text)
{
	(void)!write(w->fd, text, strlen(text));
}

static char *question_of(const struct pctl_consent_question *q)
{
	if (q->wrong)
		return pctl_xasprintf("%s: that is not the code; %u more %s allowed\n" CODE,
			q->name, q->left, q->left == 1 ? "try is" : "tries are");
	return pctl_xasprintf("%s: somebody there has to agree, and reads out the %u digits "
			      "that its screen shows%s\n" CODE,
		q->name, q->digits,
		q->turned_on ? " (it was not on, and is turned on to show them)" : "");
}

static void on_closed(uv_handle_t *handle)
{
	struct consent_wire *w = handle->data;

	if (--w->handles)
		return;
	(void)close(w->fd);
	free(w->question);
	free(w);
}

/* Back from ^Z. */
static void on_go(uv_signal_t *signal, int signum)
{
	const struct consent_wire *w = signal->data;

	(void)signum;
	put(w, w->question);
}

static void watch(struct consent_wire *w, uv_loop_t *loop, uv_poll_cb typed)
{
	w->poll.data = w->go.data = w;
	w->handles = 2;
	(void)uv_poll_init(loop, &w->poll, w->fd);
	(void)uv_signal_init(loop, &w->go);
	(void)uv_poll_start(&w->poll, UV_READABLE, typed);
	(void)uv_signal_start(&w->go, on_go, SIGCONT);
}

static void end_question(struct consent_prompt *p)
{
	if (!p->wire)
		return;
	uv_close((uv_handle_t *)&p->wire->poll, on_closed);
	uv_close((uv_handle_t *)&p->wire->go, on_closed);
	p->wire = NULL;
	if (p->lend)
		p->lend(p->data, false);
	if (p->progress)
		progress_hold(p->progress, false);
}

bool consent_is_code(const char *word)
{
	return *word && word[strspn(word, "0123456789")] == '\0';
}

/* People read such codes in groups, "123 456". */
static void squeeze(char *line)
{
	char *end = line;

	for (const char *s = line; *s; s++)
		if (!strchr(" \t\r\n", *s))
			*end++ = *s;
	*end = '\0';
}

static void take_line(struct consent_prompt *p, char *line)
{
	char again[80];

	squeeze(line);
	if (*line && (!consent_is_code(line) || strlen(line) != p->digits)) {
		(void)snprintf(again, sizeof(again), "a code has %u digits\n" CODE, p->digits);
		put(p->wire, again);
		return;
	}
	end_question(p);
	pctl_run_consent(p->run, p->node, *line ? line : NULL);
}

/* In its usual mode a terminal gives whole lines. */
static void on_typed(uv_poll_t *poll, int status, int events)
{
	struct consent_prompt *p = pctl_container_of(poll, struct consent_wire, poll)->prompt;
	char line[TYPED_MAX] = "";

	(void)events;
	ssize_t n = status < 0 ? 0 : read(p->wire->fd, line, sizeof(line) - 1);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		line[n] = '\0';
		take_line(p, line);
		return;
	}
	put(p->wire, "\n"); /* ^D, or the terminal is gone */
	end_question(p);
	pctl_run_consent(p->run, p->node, NULL);
}

void consent_ask(struct consent_prompt *p, const struct pctl_consent_question *q)
{
	if (!q) {
		if (p->wire)
			put(p->wire, "\n");
		end_question(p);
		return;
	}
	if (p->lend)
		p->lend(p->data, true);
	int fd = terminal_is_raw() ? -1 : open_terminal();
	if (fd < 0) {
		if (p->lend)
			p->lend(p->data, false);
		pctl_run_consent(p->run, q->node, NULL);
		return;
	}
	struct consent_wire *w = pctl_xcalloc(1, sizeof(*w));
	w->fd = fd;
	w->prompt = p;
	p->wire = w;
	p->node = q->node;
	p->digits = q->digits;
	if (p->progress)
		progress_hold(p->progress, true);
	w->question = question_of(q);
	watch(w, &p->cli->loop, on_typed);
	put(w, w->question);
}

int consent_check(const struct cli *cli, size_t nodes)
{
	const char *code = cli->options.consent_code;

	if (!code)
		return CLI_OK;
	if (!consent_is_code(code)) {
		say("--consent-code: '%s' is no code; it is the digits that the machine's screen "
		    "shows",
			code);
		return CLI_USAGE;
	}
	if (nodes == 1)
		return CLI_OK;
	say("--consent-code is for one node: each machine shows a code of its own");
	return CLI_USAGE;
}
