/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the history keeps of a run: a line for each node of a verb that changes nodes, whatever came
 * of it. Neither addresses nor arguments of methods nor URLs are in it: they may hold secrets.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>

#include <powerctl/mem.h>

#include "base/json_text.h"
#include "engine/run.h"

char *pctl_run_word(const struct pctl_run *run)
{
	if (run->request.verb == PCTL_VERB_METHOD)
		return pctl_xasprintf("%s %s", run->request.driver, run->request.method);
	const char *word = pctl_verb_word(run->request.verb);
	return pctl_xstrdup(word ? word : pctl_verb_name(run->request.verb));
}

static void make_id(struct pctl_run *run)
{
	uint64_t n = 0;

	if (getrandom(&n, sizeof(n), GRND_NONBLOCK) != (ssize_t)sizeof(n))
		n = uv_hrtime() ^ (uint64_t)uv_os_getpid() << 40;
	(void)snprintf(run->id, sizeof(run->id), "%016" PRIx64, n);
}

/* What was asked for beside the verb; only what is so is named. */
static void add_request(struct pctl_buf *buf, const struct pctl_request *request)
{
	const struct {
		const char *key;
		bool is;
	} flags[] = {
		{ "soft", request->soft },
		{ "no_wait", request->no_wait },
		{ "on_if_off", request->on_if_off },
		{ "maintenance", request->maintenance },
		{ "protected", request->override_protected },
		{ "no_hooks", request->no_hooks },
	};
	bool boots = request->verb == PCTL_VERB_BOOT || request->verb == PCTL_VERB_BOOTDEV;
	const char *between = "";

	pctl_buf_adds(buf, ",\"request\":{");
	if (boots) {
		pctl_buf_adds(buf, "\"device\":");
		pctl_json_text(buf, pctl_boot_device_name(request->boot.device));
		between = ",";
	}
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!flags[i].is)
			continue;
		pctl_buf_addf(buf, "%s\"%s\":true", between, flags[i].key);
		between = ",";
	}
	pctl_buf_adds(buf, "}");
}

void pctl_run_begin_record(struct pctl_run *run)
{
	struct pctl_buf buf;

	make_id(run);
	if (!(run->flags & PCTL_VERB_CHANGES) || run->request.dry_run)
		return;
	PCTL_AUTO(free) char *word = pctl_run_word(run);
	pctl_buf_init(&buf, PCTL_HISTORY_LINE_MAX);
	pctl_buf_addf(&buf, ",\"run\":\"%s\",%s", run->id, pctl_history_who(run->core->history));
	pctl_json_add_text(&buf, "verb", word);
	add_request(&buf, &run->request);
	run->record = pctl_buf_steal(&buf);
}

/* Thousands of nodes end in the same moment. */
static const char *time_now(struct pctl_run *run)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_REALTIME_COARSE, &ts);
	if (ts.tv_sec != run->noted.tv_sec || ts.tv_nsec != run->noted.tv_nsec)
		(void)pctl_json_now(run->noted_as);
	run->noted = ts;
	return run->noted_as;
}

void pctl_run_record(struct pctl_run *run, const struct pctl_result *r)
{
	if (!run->record)
		return;
	struct pctl_buf *buf = pctl_history_begin(run->core->history);
	pctl_buf_adds(buf, "{\"v\":1,\"time\":\"");
	pctl_buf_adds(buf, time_now(run));
	pctl_buf_adds(buf, "\"");
	pctl_buf_adds(buf, run->record);
	pctl_json_add_text(buf, "node", r->name);
	pctl_json_add_text(buf, "driver", r->driver);
	pctl_json_add_text(buf, "outcome", r->word);
	pctl_json_add_bool(buf, "ok", r->ok);
	pctl_json_add_text(buf, "state", r->state_known ? pctl_power_state_name(r->state) : NULL);
	pctl_json_add_bool(buf, "changed", r->changed);
	pctl_json_add_text(buf, "confirmed", r->confirmed);
	pctl_json_add_uint(buf, "attempts", r->attempts);
	pctl_json_add_uint(buf, "elapsed_ms", r->elapsed_ms);
	pctl_json_add_error(buf, "error", &r->error);
	pctl_json_add_text(buf, "warning", r->warning);
	pctl_buf_adds(buf, "}");
	pctl_history_end(run->core->history);
}
