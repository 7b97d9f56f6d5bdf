/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ipmipower's prompt, as powermand's ipmipower.dev and people use it: power commands for all hosts
 * or for some, and the switches that they mind. The login is what the program was started with.
 */
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "inflow.h"
#include "ipmipower/ipmipower.h"

#define PROMPT    "ipmipower> "
#define LINE_MAX_ ((size_t)256 << 10)

struct talk {
	struct ipmipower *p;
	struct inflow in;
	char *pending; /* LINE_MAX_ bytes */
	size_t n;
	bool eof;
	bool skipping; /* the rest of a line that was too long */
};

/* --- Commands. -------------------------------------------------------------------------------- */

typedef void command_fn(struct talk *talk, const char *word, const char *value);

static command_fn run_help;

static void run_action(struct talk *t, const char *word, const char *value)
{
	struct ipmipower *p = t->p;
	PCTL_AUTO(free) size_t *nodes = pctl_xcalloc(p->hosts.count + 1, sizeof(*nodes));
	struct selection some = { .nodes = nodes };
	struct pctl_names *wanted = pctl_names_new(), *met = pctl_names_new();
	struct pctl_error err = { 0 };

	if (p->hosts.count == 0)
		ipmipower_print(p, "no host is configured; \"hostname\" names some\n");
	if (value && pctl_names_expand(wanted, value, NULL, NULL, &err) < 0)
		ipmipower_print(p, "invalid hostname(s) specified\n");
	for (size_t i = 0; i < p->hosts.count && !err.code; i++) {
		PCTL_AUTO(free) char *host = ipmipower_host_of(p, p->hosts.nodes[i]);

		if (value && !pctl_names_has(wanted, host))
			continue;
		(void)pctl_names_add(met, host);
		nodes[some.count++] = p->hosts.nodes[i];
	}
	for (size_t i = 0; i < pctl_names_count(wanted); i++)
		if (!pctl_names_has(met, pctl_names_at(wanted, i)))
			ipmipower_print(p, "%s: %s\n", pctl_names_at(wanted, i),
				ipmipower_word_text(IPMIPOWER_UNCONFIGURED));
	if (some.count)
		(void)ipmipower_do(p, ipmipower_action_named(word), &some);
	pctl_names_free(wanted);
	pctl_names_free(met);
}

static void run_hostname(struct talk *t, const char *word, const char *value)
{
	struct selection hosts = { 0 };

	(void)word;
	if (value && ipmipower_hosts_add(t->p, value, &hosts) != IPMIPOWER_DONE)
		return;
	selection_done(&t->p->hosts);
	t->p->hosts = hosts;
	if (value)
		ipmipower_print(t->p, "hostname: %s\n", value);
	else
		ipmipower_print(t->p, "hostname(s) unconfigured\n");
}

static void run_switch(struct talk *t, const char *word, const char *value)
{
	struct ipmipower_options *o = &t->p->options;
	const struct {
		const char *word;
		bool *at;
	} switches[] = {
		{ "on-if-off", &o->on_if_off },
		{ "wait-until-on", &o->wait_on },
		{ "wait-until-off", &o->wait_off },
		{ "consolidate-output", &o->consolidate },
	};

	for (size_t i = 0; i < sizeof(switches) / sizeof(switches[0]); i++) {
		if (strcmp(switches[i].word, word) != 0)
			continue;
		if (!value)
			*switches[i].at = !*switches[i].at;
		else if (pctl_parse_bool(value, switches[i].at) < 0)
			ipmipower_print(t->p, "invalid parameter\n");
		ipmipower_print(t->p, "%s is now %s\n", word, *switches[i].at ? "on" : "off");
	}
}

static void run_fanout(struct talk *t, const char *word, const char *value)
{
	const char *wrong = ipmipower_option_take(&t->p->options, word, value ? value : "");

	if (wrong)
		ipmipower_print(t->p, "%s\n", wrong);
	else
		ipmipower_print(t->p, "fanout is now %u\n", t->p->options.fanout);
}

static void run_login(struct talk *t, const char *word, const char *value)
{
	(void)value;
	ipmipower_print(t->p, "%s cannot be changed here; give it when the program starts\n", word);
}

static void run_quit(struct talk *t, const char *word, const char *value)
{
	(void)word, (void)value;
	t->p->ended = true;
}

static const struct row {
	const char *word, *help;
	command_fn *run;
} rows[] = {
	{ "on", "[HOSTS]  turn on", run_action },
	{ "off", "[HOSTS]  turn off", run_action },
	{ "cycle", "[HOSTS]  power cycle", run_action },
	{ "reset", "[HOSTS]  reset", run_action },
	{ "stat", "[HOSTS]  query power status", run_action },
	{ "pulse", "[HOSTS]  send a diagnostic interrupt", run_action },
	{ "soft", "[HOSTS]  ask the operating system to shut down", run_action },
	{ "identify-on", "[HOSTS]  turn the light on", run_action },
	{ "identify-off", "[HOSTS]  turn the light off", run_action },
	{ "identify-status", "[HOSTS]  always unknown here", run_action },
	{ "hostname", "[HOSTS]  which hosts there are", run_hostname },
	{ "on-if-off", "[on|off]", run_switch },
	{ "wait-until-on", "[on|off]", run_switch },
	{ "wait-until-off", "[on|off]", run_switch },
	{ "consolidate-output", "[on|off]", run_switch },
	{ "fanout", "COUNT", run_fanout },
	{ "username", NULL, run_login },
	{ "password", NULL, run_login },
	{ "k_g", NULL, run_login },
	{ "driver-type", NULL, run_login },
	{ "privilege-level", NULL, run_login },
	{ "cipher-suite-id", NULL, run_login },
	{ "authentication-type", NULL, run_login },
	{ "workaround-flags", NULL, run_login },
	{ "help", "", run_help },
	{ "quit", "", run_quit },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void run_help(struct talk *t, const char *word, const char *value)
{
	(void)word, (void)value;
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].help)
			ipmipower_print(t->p, "%s %s\n", rows[i].word, rows[i].help);
}

static void obey(struct talk *t, char *line)
{
	char *rest = line, *word, *value;

	word = strtok_r(rest, " \t\r", &rest);
	value = word ? strtok_r(rest, " \t\r", &rest) : NULL;
	for (size_t i = 0; word && i < ROWS; i++)
		if (strcmp(rows[i].word, word) == 0) {
			rows[i].run(t, word, value);
			return;
		}
	if (word)
		ipmipower_print(t->p, "unknown command - type \"help\"\n");
}

/* --- Lines. ----------------------------------------------------------------------------------- */

static void on_bytes(void *data, const char *bytes, size_t n)
{
	struct talk *t = data;

	if (n == 0)
		t->eof = true;
	if (n > LINE_MAX_ - t->n)
		n = LINE_MAX_ - t->n;
	memcpy(t->pending + t->n, bytes, n);
	t->n += n;
	inflow_stop(&t->in); /* one part, and what is in it is done first */
}

/* The first line, free() it; NULL: there is none yet. One that is too long is none at all. */
static char *next_line(struct talk *t)
{
	char *end = memchr(t->pending, '\n', t->n), *line;
	bool skipped = t->skipping;

	if (!end && t->n < LINE_MAX_)
		return NULL;
	size_t len = end ? (size_t)(end - t->pending) : t->n;
	t->skipping = !end;
	line = skipped || !end ? pctl_xstrdup(end ? "?" : "") : pctl_xstrndup(t->pending, len);
	t->n -= end ? len + 1 : len;
	memmove(t->pending, t->pending + len + 1, t->n);
	return line;
}

static void serve(struct talk *t)
{
	struct ipmipower *p = t->p;
	struct pctl_error err = { 0 };
	char *line;

	ipmipower_print(p, PROMPT);
	while (!p->ended) {
		if (!(line = next_line(t))) {
			if (t->eof)
				return;
			inflow_start(&t->in);
			(void)uv_run(&p->cli->loop, UV_RUN_ONCE);
			continue;
		}
		if (!t->skipping)
			obey(t, line);
		if (!t->skipping && !p->ended)
			ipmipower_print(p, PROMPT);
		free(line);
		if (p->cli->core && pctl_core_save(p->cli->core, &err) < 0)
			(void)fprintf(stderr, "ipmipower: %s\n", err.text);
	}
}

int ipmipower_talk(struct ipmipower *p)
{
	struct talk t = { .p = p, .pending = pctl_xcalloc(LINE_MAX_ + 2, 1) };

	inflow_init(&t.in, &p->cli->loop, STDIN_FILENO, on_bytes, &t);
	serve(&t);
	inflow_close(&t.in);
	(void)uv_run(&p->cli->loop, UV_RUN_NOWAIT); /* its handles live on this stack */
	free(t.pending);
	return IPMIPOWER_DONE;
}
