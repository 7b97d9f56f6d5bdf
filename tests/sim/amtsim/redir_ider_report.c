/* SPDX-License-Identifier: Apache-2.0 */
/* What a session of IDE redirection has shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "redir_ider.h"
#include "sim.h"

void ider_note_odd(struct ider_odds *odds, const char *text)
{
	for (size_t i = 0; i < odds->n; i++)
		if (strcmp(odds->text[i], text) == 0)
			return;
	if (odds->n < COUNT(odds->text))
		snprintf(odds->text[odds->n++], sizeof(odds->text[0]), "%s", text);
}

void ider_done(struct device *dev)
{
	free(dev->ider);
	dev->ider = NULL;
}

/* --- What it tells. --------------------------------------------------------------------------- */

static void found_json(const struct ider_found *f, const char *name, struct buf *out)
{
	buf_fmt(out, ",\"%s\":{\"present\":%s,\"blocks\":%u,\"bytes\":%llu", name,
		f->present ? "true" : "false", f->blocks, (unsigned long long)f->bytes);
	buf_fmt(out, ",\"sha256\":\"%s\",\"again\":\"%s\"}", f->sha256, f->again);
}

static void odds_json(const struct ider_odds *odds, struct buf *out)
{
	buf_text(out, ",\"odd\":[");
	for (size_t i = 0; i < odds->n; i++) {
		if (i)
			buf_char(out, ',');
		buf_json(out, str_of(odds->text[i]));
	}
	buf_char(out, ']');
}

void ider_json(const struct device *dev, struct buf *out)
{
	const struct ider_report *r = dev->ider;

	json_member(out, "ider");
	if (!r) {
		buf_text(out, "null");
		return;
	}
	buf_fmt(out, "{\"state\":\"%s\",\"error\":\"%s\",\"booted\":\"%s\",\"commands\":%u",
		r->state, r->error, r->booted, r->commands);
	buf_fmt(out, ",\"reads\":%u", r->reads);
	buf_fmt(out, ",\"refused\":%u,\"medium_errors\":%u,\"resets\":%u,\"cd_us\":%llu",
		r->refused, r->medium_errors, r->resets,
		(unsigned long long)(r->last_at > r->first_at ? (r->last_at - r->first_at) / 1000
							      : 0));
	found_json(&r->floppy, "floppy", out);
	found_json(&r->cd, "cd", out);
	odds_json(&r->odds, out);
	buf_char(out, '}');
}
