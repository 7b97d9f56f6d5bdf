/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FreeIPMI's ipmipower: its options, its words on standard output and its exit statuses, for MAAS
 * and scripts. What it hides or gets wrong is told: the manual page has the differences. Why a host
 * failed, where ipmipower's words do not say it, stands on standard error.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "command.h"
#include "face.h"
#include "ipmipower/ipmipower.h"
#include "run.h"
#include "text.h"

#define FOLDED_MAX ((size_t)64 << 20)
#define FANOUT     2048u /* without -F; ipmipower asks all at once */

/* --- What is said. ---------------------------------------------------------------------------- */

void ipmipower_print(struct ipmipower *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	PCTL_AUTO(free) char *text = pctl_xvasprintf(fmt, ap);
	va_end(ap);
	outflow_put(&p->out, text, strlen(text));
}

char *ipmipower_host_of(const struct ipmipower *p, size_t node)
{
	return pctl_xstrdup(pctl_inventory_text(p->cli->inventory, node, "address"));
}

void ipmipower_tell(
	struct ipmipower *p, const char *host, const char *name, enum ipmipower_word word)
{
	p->failed += word >= IPMIPOWER_UNKNOWN;
	if (!p->options.consolidate) {
		ipmipower_print(p, "%s: %s\n", host, ipmipower_word_text(word));
		return;
	}
	if (!p->buckets[word])
		p->buckets[word] = pctl_names_new();
	if (!pctl_names_add(p->buckets[word], host))
		(void)pctl_names_add(p->buckets[word], name);
}

/* Whether two names differ in nothing but their last number. */
static bool are_alike(const char *a, const char *b)
{
	static const char digits[] = "0123456789";
	size_t a_end = strlen(a), b_end = strlen(b), a_begin, b_begin;

	while (a_end > 0 && !strchr(digits, a[a_end - 1]))
		a_end--;
	while (b_end > 0 && !strchr(digits, b[b_end - 1]))
		b_end--;
	for (a_begin = a_end; a_begin > 0 && strchr(digits, a[a_begin - 1]);)
		a_begin--;
	for (b_begin = b_end; b_begin > 0 && strchr(digits, b[b_begin - 1]);)
		b_begin--;
	return a_begin == b_begin && strncmp(a, b, a_begin) == 0 &&
	       strcmp(a + a_end, b + b_end) == 0;
}

/* With one range in each name: FreeIPMI's and pdsh's lists know no more. free() it. */
static char *fold_simply(struct pctl_names *names)
{
	size_t n = pctl_names_count(names), begin = 0;
	struct pctl_buf buf;

	pctl_buf_init(&buf, FOLDED_MAX);
	pctl_names_sort(names);
	while (begin < n) {
		struct pctl_names *some = pctl_names_new();
		const char *first = pctl_names_at(names, begin);
		size_t i = begin;

		while (i < n && are_alike(first, pctl_names_at(names, i)))
			(void)pctl_names_add(some, pctl_names_at(names, i++));
		PCTL_AUTO(free) char *folded = pctl_names_fold(some);
		pctl_buf_addf(&buf, "%s%s", begin ? "," : "", folded);
		pctl_names_free(some);
		begin = i;
	}
	return pctl_buf_steal(&buf);
}

static void show_folded(struct ipmipower *p)
{
	static const char line[] = "----------------";

	for (size_t i = 0; i < IPMIPOWER_WORDS; i++) {
		if (!p->buckets[i])
			continue;
		PCTL_AUTO(free) char *folded = fold_simply(p->buckets[i]);

		ipmipower_print(p, "%s\n%s\n%s\n %s\n", line, folded, line,
			ipmipower_word_text((enum ipmipower_word)i));
		pctl_names_free(p->buckets[i]);
		p->buckets[i] = NULL;
	}
}

static void note_reason(struct ipmipower *p, const char *host, const struct pctl_error *err)
{
	const char *class = pctl_error_name(err->code);
	PCTL_AUTO(free)
	char *text = pctl_xasprintf("%s: %s", class ? class : "internal", err->text);
	size_t i = p->reason_n;

	while (i > 0 && strcmp(p->reasons[i - 1].text, text) != 0)
		i--;
	if (i == 0) {
		p->reasons = pctl_xgrow(
			p->reasons, &p->reason_cap, p->reason_n + 1, sizeof(*p->reasons));
		p->reasons[p->reason_n] =
			(struct ipmipower_reason){ pctl_xstrdup(text), pctl_names_new() };
		i = ++p->reason_n;
	}
	(void)pctl_names_add(p->reasons[i - 1].names, host);
}

static void say_reasons(struct ipmipower *p)
{
	for (size_t i = 0; i < p->reason_n; i++) {
		PCTL_AUTO(free) char *names = pctl_names_fold(p->reasons[i].names);
		struct pctl_buf line;

		pctl_buf_init(&line, TEXT_ANSWER_MAX);
		text_clean(&line, p->reasons[i].text);
		(void)fprintf(stderr, "ipmipower: %s: %s\n", names, line.data);
		pctl_buf_done(&line);
		pctl_names_free(p->reasons[i].names);
		free(p->reasons[i].text);
	}
	p->reason_n = 0;
}

/* --- What is done. ---------------------------------------------------------------------------- */

static void on_result(void *data, const struct pctl_result *r)
{
	struct ipmipower *p = data;
	PCTL_AUTO(free) char *host = ipmipower_host_of(p, r->node);
	bool plain = true;
	enum ipmipower_word word = ipmipower_word_of(r, &plain);

	ipmipower_tell(p, host, r->name, word);
	if (!plain)
		note_reason(p, host, &r->error);
}

/* ipmipower ends when the BMC has taken a command, unless it is told to wait. */
static struct pctl_request request_of(
	const struct ipmipower *p, const struct ipmipower_action *action)
{
	const struct ipmipower_options *o = &p->options;
	struct pctl_request request = run_request_from(p->cli, action->verb);
	bool waits = (action->verb == PCTL_VERB_ON && o->wait_on) ||
		     (action->verb == PCTL_VERB_OFF && !action->soft && o->wait_off);

	request.no_wait = !waits && pctl_verb_flags(action->verb) & PCTL_VERB_CHANGES;
	request.soft = action->soft;
	request.identify_off = action->off;
	request.on_if_off = o->on_if_off;
	request.try_anyway = o->try_anyway;
	request.fanout = o->fanout ? o->fanout : FANOUT;
	request.timeout_ms = waits ? 0 : o->session_ms;
	return request;
}

static void tell_unanswerable(struct ipmipower *p, const struct selection *selection)
{
	struct pctl_error err = { 0 };

	pctl_error_set(&err, PCTL_E_UNSUPPORTED, "the state of the light is not read here");
	for (size_t i = 0; i < selection->count; i++) {
		size_t node = selection->nodes[i];
		PCTL_AUTO(free) char *host = ipmipower_host_of(p, node);

		ipmipower_tell(
			p, host, pctl_inventory_name(p->cli->inventory, node), IPMIPOWER_UNKNOWN);
		note_reason(p, host, &err);
	}
}

static int ask_hosts(struct ipmipower *p, const struct ipmipower_action *action,
	const struct selection *selection)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_request request = request_of(p, action);
	int r = ask_nodes(p->cli, selection, &request, &p->ask, on_result, p, problems);

	for (size_t i = 0; r < 0 && pctl_problems_at(problems, i); i++)
		(void)fprintf(stderr, "ipmipower: %s\n", pctl_problems_at(problems, i));
	pctl_problems_free(problems);
	p->failed += r < 0;
	return r;
}

int ipmipower_do(struct ipmipower *p, const struct ipmipower_action *action,
	const struct selection *selection)
{
	p->failed = 0;
	if (action->unanswerable)
		tell_unanswerable(p, selection);
	else
		(void)ask_hosts(p, action, selection);
	show_folded(p);
	say_reasons(p);
	return p->failed ? IPMIPOWER_FAILED : IPMIPOWER_DONE;
}

/* --- The whole of it. ------------------------------------------------------------------------- */

static void on_signal(void *data)
{
	struct ipmipower *p = data;

	p->ended = true;
	if (p->ask.run)
		pctl_run_cancel(p->ask.run);
}

/* At the prompt nobody is left to ask; what was asked for on the command line is still done. */
static void on_output(void *data)
{
	struct ipmipower *p = data;

	p->ended = p->ended || p->out.fault;
}

static void drain(struct ipmipower *p)
{
	outflow_push(&p->out);
	while (outflow_waits(&p->out) && !p->out.fault && !p->signals.came)
		(void)uv_run(&p->cli->loop, UV_RUN_ONCE);
	if (p->out.fault && p->out.fault != EPIPE)
		(void)fprintf(stderr, "ipmipower: standard output cannot be written: %s\n",
			strerror(p->out.fault));
}

static int obey(struct ipmipower *p)
{
	struct ipmipower_options *o = &p->options;
	int status = o->hosts ? ipmipower_hosts_add(p, o->hosts, &p->hosts) : IPMIPOWER_DONE;

	show_folded(p); /* what is no host */
	if (status != IPMIPOWER_DONE)
		return status;
	if (o->eliminate)
		(void)fprintf(stderr,
			"ipmipower: -E has no effect: there is no ipmidetectd, every host is "
			"asked\n");
	return o->action ? ipmipower_do(p, o->action, &p->hosts) : ipmipower_talk(p);
}

static int run_face(struct cli *cli, int argc, char **argv)
{
	struct ipmipower p = { .cli = cli };
	int status = ipmipower_options_read(&p.options, argc, argv);

	if (status == IPMIPOWER_DONE && !p.options.ends) {
		cli->inventory = pctl_inventory_new();
		cli->options.trace = p.options.debug;
		outflow_init(&p.out, &cli->loop, STDOUT_FILENO, on_output, &p);
		signals_start(&p.signals, &cli->loop, on_signal, NULL, &p);
		status = obey(&p);
		drain(&p);
		status = p.signals.came                            ? CLI_INTERRUPTED
			 : p.out.fault && status == IPMIPOWER_DONE ? IPMIPOWER_FAILED
								   : status;
		signals_stop(&p.signals);
		outflow_close(&p.out);
		(void)uv_run(&cli->loop, UV_RUN_NOWAIT); /* their handles live on this stack */
	}
	selection_done(&p.hosts);
	free(p.reasons);
	free(p.password_path);
	free(p.kg_path);
	ipmipower_options_done(&p.options);
	return status;
}

static const struct command command_ipmipower = { .name = "ipmipower" };

const struct face face_ipmipower = {
	.name = "ipmipower",
	.main = run_face,
	.command = &command_ipmipower,
};
