/* SPDX-License-Identifier: Apache-2.0 */
/* discover: which management processors are there, in ranges of addresses. */
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "command.h"
#include "discovered.h"
#include "json.h"
#include "output.h"
#include "progress.h"
#include "say.h"
#include "select.h"
#include "signals.h"
#include "text.h"

struct search {
	struct cli *cli;
	struct discovered discovered;
	struct pctl_discovery *discovery; /* NULL: it is over */
	struct pctl_discover_end end;
	char *unknown; /* names without an address, or NULL */
	struct output *output;
	struct tally tally;
	struct progress progress;
	uv_timer_t counter;
	bool interrupted;
};

/* --- While it runs. --------------------------------------------------------------------------- */

static char *json_line(const struct pctl_found *found)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "address", found->address);
	pctl_value_set_text(map, "host", found->host);
	pctl_value_set_text(map, "driver", found->driver);
	pctl_value_merge(map, found->tree);
	char *line = json_node(NULL, map);
	pctl_value_free(map);
	return line;
}

static void on_found(void *data, const struct pctl_found *found)
{
	struct search *s = data;

	if (s->cli->options.json) {
		progress_clear(&s->progress);
		output_add(s->output, s->discovered.n, 0, found->address, json_line(found));
	}
	discovered_add(&s->discovered, found);
}

static void on_done(void *data, const struct pctl_discover_end *end)
{
	struct search *s = data;

	s->discovery = NULL;
	s->end = *end;
	s->unknown = end->unknown_names ? pctl_xstrdup(end->unknown_names) : NULL;
	s->end.unknown_names = s->unknown;
}

static void on_signal(void *data)
{
	struct search *s = data;

	s->interrupted = true;
	if (s->discovery)
		pctl_discovery_cancel(s->discovery);
}

/* What nobody reads is not looked for. */
static void on_gone(void *data)
{
	struct search *s = data;

	if (s->discovery && output_has_failed(s->output))
		pctl_discovery_cancel(s->discovery);
}

static void on_count(uv_timer_t *timer)
{
	struct search *s = timer->data;

	if (s->discovery)
		s->tally.done = pctl_discovery_ended(s->discovery);
}

static void run(struct search *s)
{
	struct signals signals;

	s->tally.total = pctl_discovery_count(s->discovery);
	signals_start(&signals, &s->cli->loop, on_signal, NULL, s);
	progress_start(&s->progress, &s->cli->loop, s->cli->options.quiet, "discover", &s->tally);
	(void)uv_timer_init(&s->cli->loop, &s->counter);
	s->counter.data = s;
	(void)uv_timer_start(&s->counter, on_count, 100, 100);
	pctl_discovery_start(s->discovery, on_found, on_done, s);
	while (s->discovery)
		(void)uv_run(&s->cli->loop, UV_RUN_ONCE);
	progress_stop(&s->progress);
	uv_close((uv_handle_t *)&s->counter, NULL);
	signals_stop(&signals);
	(void)uv_run(&s->cli->loop, UV_RUN_NOWAIT);
}

/* --- Afterwards. ------------------------------------------------------------------------------ */

static void show_table(struct search *s)
{
	struct pctl_buf text;

	if (s->cli->options.json || !s->discovered.n)
		return;
	pctl_buf_init(&text, (size_t)256 << 20);
	discovered_table(&s->discovered, &text);
	output_add(s->output, 0, 0, "", pctl_buf_steal(&text));
}

static const char *s_of(size_t n)
{
	return n == 1 ? "" : "s";
}

static const char *es_of(size_t n)
{
	return n == 1 ? "" : "es";
}

/* What could not be asked was not found to be empty. */
static void say_end(const struct search *s)
{
	const struct pctl_discover_end *end = &s->end;

	if (end->failed)
		say("%zu time%s an address could not be asked: %s", end->failed, s_of(end->failed),
			end->error.text);
	if (end->unknown)
		say("no address is known for %zu name%s: %s", end->unknown, s_of(end->unknown),
			end->unknown_names);
	if (end->outside)
		say("not asked: %zu name%s of addresses that are not private; --yes asks them all "
		    "the same",
			end->outside, s_of(end->outside));
	if (end->left)
		say("%s: %zu address%s %s not asked to the end",
			s->interrupted ? "interrupted" : "ended early", end->left, es_of(end->left),
			end->left == 1 ? "was" : "were");
	if (!s->cli->options.quiet)
		say("%zu found at %zu address%s", end->found, end->addresses,
			es_of(end->addresses));
}

static int status_of(const struct search *s)
{
	const struct pctl_discover_end *end = &s->end;

	if (s->interrupted)
		return CLI_INTERRUPTED;
	return end->failed || end->unknown || end->outside || !end->found ? CLI_FAILED : CLI_OK;
}

static int search(struct search *s)
{
	s->output = output_new(s->cli, STDOUT_FILENO, OUTPUT_STREAM, true);
	output_on_gone(s->output, on_gone, s);
	run(s);
	discovered_sort(&s->discovered);
	show_table(s);
	int status = output_end(s->output, NULL, status_of(s));
	say_end(s);
	if (s->cli->options.add && s->discovered.n && !s->end.left) {
		int written = discovered_write(&s->discovered);
		status = status == CLI_OK ? written : status;
	}
	return status;
}

static int prepare(struct search *s, const struct pctl_names *words, struct pctl_error *err)
{
	const struct options *o = &s->cli->options;
	size_t n = pctl_names_count(words);
	PCTL_AUTO(free) const char **ranges = pctl_xcalloc(n + 1, sizeof(*ranges));
	struct pctl_discover_request request = { .ranges = ranges,
		.public_too = o->yes,
		.rate = (unsigned)o->rate,
		.fanout = (unsigned)o->fanout,
		.driver = o->driver };

	for (size_t i = 0; i < n; i++)
		ranges[i] = pctl_names_at(words, i);
	int r = discovered_prepare(&s->discovered, err);
	request.settings = s->discovered.settings;
	return r == 0 ? pctl_discovery_new(cli_core(s->cli), &request, &s->discovery, err) : r;
}

static int exec_discover(struct cli *cli)
{
	struct search s = { .cli = cli };
	struct pctl_names *words = pctl_names_new();
	struct pctl_error err = { 0 };

	discovered_init(&s.discovered, cli);
	int status = select_words(cli, cli->args, words);
	if (status == CLI_OK && prepare(&s, words, &err) < 0) {
		say("%s", err.text);
		status = CLI_USAGE;
	} else if (status == CLI_OK && !pctl_discovery_count(s.discovery)) {
		say("no addresses are given: powerctl discover 10.0.0.0/24");
		pctl_discovery_free(s.discovery);
		status = CLI_USAGE;
	} else if (status == CLI_OK) {
		status = search(&s);
	}
	discovered_done(&s.discovered);
	free(s.unknown);
	pctl_names_free(words);
	return status;
}

const struct command command_discover = {
	.name = "discover",
	.usage = "RANGE...",
	.summary = "look for management processors in ranges of addresses",
	.help = "RANGE is 10.0.0.0/24, 10.0.0.[1-254], 10.0.0.1-10.0.0.9, fd00::1-fd00::ff or the "
		"name of a\nhost; `-` reads them from standard input. Each address is asked what "
		"anybody may ask, with all\ndrivers that can; no login is sent. Exits with 0 if "
		"something was found, with 1 if nothing was\nor an address could not be asked. "
		"--set DRIVER.KEY=VALUE gives a driver another port.",
	.arguments = 1,
	.options = OPTIONS(OPTION_JSON, OPTION_YES, OPTION_RATE, OPTION_FANOUT, OPTION_DRIVER,
		OPTION_SET, OPTION_ADD, OPTION_NAME, OPTION_CLASS, OPTION_CREDENTIAL, OPTION_TAG),
	.exec = exec_discover,
};
