/* SPDX-License-Identifier: Apache-2.0 */
#include "media_told.h"

#include <inttypes.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "json.h"
#include "progress.h"
#include "say.h"
#include "text.h"

#define MEASURED_MS ((uint64_t)500) /* a rate over less would jump */
#define MEGA        1000000.0

/* --- Lines. ----------------------------------------------------------------------------------- */

void media_told_clear(struct media_told *t)
{
	if (t->shown && progress_erase())
		t->shown = false;
}

struct pctl_value *media_event(const char *word)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "event", word);
	return map;
}

void media_tell(struct media_told *t, struct pctl_value *map, const char *text)
{
	struct pctl_buf line;

	media_told_clear(t);
	pctl_buf_init(&line, TEXT_LINE_MAX);
	if (t->cli->options.json) {
		PCTL_AUTO(free) char *json = json_node(t->name, map);
		pctl_buf_addf(&line, "%s\n", json);
	} else if (text) {
		pctl_buf_addf(&line, "%s: ", t->name);
		text_clean(&line, text);
		pctl_buf_adds(&line, "\n");
	}
	outflow_add(&t->out, line.data, line.len);
	pctl_buf_done(&line);
	pctl_value_free(map);
}

void media_tell_note(struct media_told *t, const char *word, const char *text)
{
	if (t->cli->options.json) {
		struct pctl_value *map = media_event(word);

		pctl_value_set_text(map, "text", text);
		media_tell(t, map, NULL);
		return;
	}
	media_told_clear(t);
	if (!t->cli->options.quiet)
		say("%s: %s", t->name, text);
}

struct pctl_value *media_error_event(const struct pctl_error *err)
{
	struct pctl_value *map = media_event("error");

	pctl_value_set_text(map, "class", pctl_error_name(err->code));
	pctl_value_set_text(map, "message", err->text);
	return map;
}

void media_tell_error(struct media_told *t, const struct pctl_error *err, const char *text)
{
	media_tell(t, media_error_event(err), text);
}

void media_tell_boot(struct media_told *t, bool ok, const char *text)
{
	struct pctl_value *map = media_event("boot");
	PCTL_AUTO(free) char *line = pctl_xasprintf("boot: %s", text);

	pctl_value_set_bool(map, "ok", ok);
	pctl_value_set_text(map, "text", text);
	media_tell(t, map, line);
}

void media_tell_attached(
	struct media_told *t, const struct pctl_value *facts, const char *cd, bool again)
{
	const char *floppy = t->cli->options.floppy;
	struct pctl_value *map = facts ? pctl_value_copy(facts) : pctl_value_new_map();
	const char *note = pctl_value_text(pctl_value_get(facts, "note"));
	PCTL_AUTO(free)
	char *text = pctl_xasprintf("attached%s: %s%s%s", again ? " again" : "", cd ? cd : "",
		cd && floppy ? ", " : "", floppy ? floppy : "");

	pctl_value_set_text(map, "event", "attached");
	pctl_value_set_text(map, "cd", cd);
	pctl_value_set_text(map, "floppy", floppy);
	media_tell(t, map, text);
	if (note && !t->cli->options.json)
		media_tell_note(t, "note", note);
}

void media_tell_detached(struct media_told *t, const char *how)
{
	struct pctl_value *map = media_event("detached");
	PCTL_AUTO(free)
	char *text = pctl_xasprintf("%s, %.1f MB read", how, (double)t->total / MEGA);

	pctl_value_set_int(map, "read", (int64_t)t->total);
	media_tell(t, map, text);
}

/* --- How much was read. ----------------------------------------------------------------------- */

static uint64_t number(const struct pctl_value *map, const char *key)
{
	const struct pctl_value *v = pctl_value_get(map, key);

	return v ? (uint64_t)pctl_value_int(v) : 0;
}

void media_told_begin(struct media_told *t)
{
	t->last_at = uv_now(&t->cli->loop);
}

void media_told_end(struct media_told *t)
{
	t->total += t->read;
	t->read = t->last_read = 0;
}

bool media_told_measure(struct media_told *t, const struct pctl_value *facts)
{
	const struct pctl_value *drives = pctl_value_get(facts, "drives");
	uint64_t now = uv_now(&t->cli->loop), before = t->read, read = 0;

	for (size_t i = 0; i < pctl_value_count(drives); i++)
		read += number(pctl_value_at(drives, i), "read");
	t->read = read;
	if (now - t->last_at >= MEASURED_MS) {
		t->rate = (double)(read - t->last_read) * 1000.0 / (double)(now - t->last_at);
		t->last_read = read;
		t->last_at = now;
	}
	return read != before;
}

static void show_line(struct media_told *t, const struct pctl_value *facts, bool cd)
{
	struct pctl_buf line;

	pctl_buf_init(&line, TEXT_LINE_MAX);
	pctl_buf_addf(&line, "%s: %.1f MB read, %.1f MB/s", t->name,
		(double)(t->total + t->read) / MEGA, t->rate / MEGA);
	if (cd)
		pctl_buf_addf(&line, ", block %" PRIu64 " of the CD", number(facts, "last_lba"));
	t->shown |= progress_put(&line);
	pctl_buf_done(&line);
}

static void show_event(struct media_told *t, const struct pctl_value *facts)
{
	struct pctl_value *map = pctl_value_copy(facts);

	pctl_value_set_text(map, "event", "progress");
	pctl_value_set_int(map, "rate", (int64_t)t->rate);
	media_tell(t, map, NULL);
}

void media_told_progress(struct media_told *t, const struct pctl_value *facts, bool cd, bool moved)
{
	const struct options *o = &t->cli->options;

	if (o->json && moved && !outflow_waits(&t->out))
		show_event(t, facts);
	else if (!o->json && !o->quiet && cli_is_terminal(STDERR_FILENO))
		show_line(t, facts, cd);
}
