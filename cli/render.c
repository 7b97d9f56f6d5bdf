/* SPDX-License-Identifier: Apache-2.0 */
#include "render.h"

#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "report.h"
#include "text.h"
#include "tree.h"

/* What mends an error, by class: `check` is asked for exactly that. NODE stands for the names. */
static const struct {
	int code;
	const char *mend;
} mends[] = {
	{ PCTL_E_CONFIG, "what it names as missing; settings are seen with `powerctl show NODE`, "
			 "changed with `powerctl set KEY=VALUE NODE`" },
	{ PCTL_E_AUTH, "put the right password into the credential's file, or choose another "
		       "credential with `powerctl set credential=NAME NODE`; where wrong passwords "
		       "were tried before, the device may have locked the user: wait some minutes "
		       "without a login, or unlock it there as another user" },
	{ PCTL_E_FORBIDDEN,
		"give the user more rights on the device, or choose another credential with "
		"`powerctl set credential=NAME NODE`" },
	{ PCTL_E_TRUST,
		"`powerctl trust NODE` shows what changed; `powerctl trust --accept NODE`" },
	{ PCTL_E_UNREACHABLE, "check power and cable of the management processor, or give its "
			      "address with `powerctl set address=ADDRESS NODE`" },
	{ PCTL_E_TIMEOUT, "`powerctl check --timeout 60s NODE` gives it longer" },
	{ PCTL_E_PROTOCOL, "look with `powerctl status --trace NODE`; another driver: "
			   "`powerctl set driver=NAME NODE`" },
};

const char *render_word(const struct pctl_result *r)
{
	if (!r->ok)
		return r->verb == PCTL_VERB_STATUS ? "unknown" : "error";
	return r->word ? r->word : "ok";
}

static const char *find_hint(const struct pctl_error *err)
{
	if (err->flags & PCTL_ERROR_DEADLINE)
		return "--deadline gives the command longer";
	/* Its text says it, and a gateway's is not the device's. */
	if (err->flags & (PCTL_ERROR_GATEWAY | PCTL_ERROR_OURS))
		return NULL;
	return pctl_error_hint(err->code);
}

static const char *find_mend(const struct pctl_result *r)
{
	const struct pctl_error *err = &r->error;

	if (err->code == PCTL_E_STATE && r->feed_count)
		return "`powerctl on NODE` or `powerctl off NODE` makes all its feeds alike";
	if (err->flags & (PCTL_ERROR_DEADLINE | PCTL_ERROR_GATEWAY | PCTL_ERROR_OURS))
		return find_hint(err);
	if (strstr(err->text, "`powerctl ")) /* it says so itself */
		return NULL;
	for (size_t i = 0; i < sizeof(mends) / sizeof(mends[0]); i++)
		if (mends[i].code == err->code)
			return mends[i].mend;
	return find_hint(err);
}

/* What -v adds, in brackets behind everything else. */
static void add_details(
	struct pctl_buf *buf, const struct pctl_result *r, const struct render_style *style)
{
	PCTL_AUTO(free) char *via = r->via ? pctl_xasprintf("through %s", r->via) : NULL;
	const char *const details[] = {
		style->folded ? NULL : r->address,
		via,
		r->changing ? "changing" : NULL,
		r->ok ? NULL : r->error.device_code,
		r->ok || r->tree ? NULL : find_hint(&r->error),
	};
	const char *before = " (";

	for (size_t i = 0; i < sizeof(details) / sizeof(details[0]); i++) {
		if (!details[i] || !*details[i])
			continue;
		pctl_buf_adds(buf, before);
		text_clean(buf, details[i]);
		before = "; ";
	}
	if (*before == ';')
		pctl_buf_adds(buf, ")");
}

/* A refused login: whose it was. Never what it was. */
static void add_login(struct pctl_buf *buf, const struct pctl_result *r)
{
	const char *who = r->credential ? r->credential : r->user;

	/* Of several feeds each has its own, and the text has it; a gateway's is another one. */
	if (r->error.code != PCTL_E_AUTH || (r->error.flags & PCTL_ERROR_GATEWAY) || !who ||
		r->feed_count || strstr(r->error.text, who))
		return;
	pctl_buf_addf(buf, " (%s '", r->credential ? "credential" : "user");
	text_clean(buf, who);
	pctl_buf_adds(buf, "')");
}

/* Where a name stands for itself alone: "NODE" as a word becomes that name. */
static void add_mend(struct pctl_buf *buf, const char *mend, const char *name)
{
	static const char word[] = "NODE";

	for (const char *at = strstr(mend, word); name && at; at = strstr(mend, word)) {
		pctl_buf_add(buf, mend, (size_t)(at - mend));
		pctl_buf_adds(buf, name);
		mend = at + sizeof(word) - 1;
	}
	pctl_buf_adds(buf, mend);
}

static void add_error(
	struct pctl_buf *buf, const struct pctl_result *r, const struct render_style *style)
{
	const char *name = pctl_error_name(r->error.code);
	const char *mend = style->mend ? find_mend(r) : NULL;

	pctl_buf_addf(
		buf, "%s: %s: ", style->mend ? "error" : render_word(r), name ? name : "internal");
	text_clean(buf, r->error.text);
	add_login(buf, r);
	if (mend) {
		pctl_buf_adds(buf, "; to mend: ");
		add_mend(buf, mend, style->folded ? NULL : r->name);
	}
}

/* What the tree does not say: whether it had to be changed to be so. */
static bool says_change(const struct pctl_result *r)
{
	return r->verb == PCTL_VERB_METHOD && r->word && strcmp(r->word, "ok") != 0;
}

/* Of several logs, those that could not be read. */
static void add_left_out(struct pctl_buf *buf, const struct pctl_value *tree, const char *between)
{
	const struct pctl_value *left = tree ? pctl_value_get(tree, "left_out") : NULL;

	for (size_t i = 0; left && i < pctl_value_count(left); i++) {
		const char *text = pctl_value_text(pctl_value_get(pctl_value_at(left, i), "text"));

		pctl_buf_addf(buf, "%sleft out: ", between);
		text_clean(buf, text ? text : "?");
	}
}

static void add_events(
	struct pctl_buf *buf, const struct pctl_result *r, const struct render_style *style)
{
	report_events(buf, pctl_value_get(r->tree, "events"), style->indented);
	add_left_out(buf, r->tree, style->indented ? "\n  " : "\n");
}

static void add_tree(
	struct pctl_buf *buf, const struct pctl_result *r, const struct render_style *style)
{
	if (r->verb == PCTL_VERB_HARDWARE && style->many && !style->verbose)
		report_hardware(buf, r->tree);
	if (buf->len)
		return;
	if (says_change(r))
		pctl_buf_adds(buf, r->word);
	if (r->verb == PCTL_VERB_LOG)
		add_events(buf, r, style);
	else if (r->verb == PCTL_VERB_SENSORS)
		report_sensors(buf, pctl_value_get(r->tree, "sensors"), style->indented);
	else if (style->indented)
		tree_indent(buf, r->tree);
	else
		tree_flat(buf, r->tree);
}

/* --- check. ----------------------------------------------------------------------------------- */

/* What else a driver knows of it: numbers, times. */
static void add_facts(struct pctl_buf *buf, const struct pctl_value *finding)
{
	static const char *const said[] = { "class", "name", "what", "mend", NULL };
	char number[TEXT_COUNT_SIZE];
	const char *before = " (";

	for (size_t i = 0; i < pctl_value_count(finding); i++) {
		const char *key = pctl_value_key_at(finding, i);
		const char *value = text_scalar(pctl_value_at(finding, i), number);

		if (!value || pctl_parse_choice(key, said) >= 0)
			continue;
		pctl_buf_addf(buf, "%s%s: ", before, key);
		text_clean(buf, value);
		before = "; ";
	}
	pctl_buf_adds(buf, *before == ';' ? ")" : "");
}

char *render_finding(
	const struct pctl_value *finding, const char *name, const struct render_style *style)
{
	const char *class = pctl_value_text(pctl_value_get(finding, "class"));
	const char *what = pctl_value_text(pctl_value_get(finding, "what"));
	const char *mend = pctl_value_text(pctl_value_get(finding, "mend"));
	struct pctl_buf buf, mended;

	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	pctl_buf_init(&mended, TEXT_ANSWER_MAX);
	text_clean(&buf, class ? class : "fault");
	pctl_buf_adds(&buf, ": ");
	text_clean(&buf, what ? what : "not said");
	if (style->verbose)
		add_facts(&buf, finding);
	if (mend) {
		add_mend(&mended, mend, style->folded ? NULL : name);
		pctl_buf_adds(&buf, "; to mend: ");
		text_clean(&buf, mended.data);
	}
	pctl_buf_done(&mended);
	return pctl_buf_steal(&buf);
}

/* Its state was read, and its faults stand below. */
static const char *word_of_checked(const struct pctl_result *r)
{
	return r->verb == PCTL_VERB_CHECK && r->tree && r->state_known
		       ? pctl_power_state_name(r->state)
		       : NULL;
}

/* "no new events" says more than an "ok" before it. */
static bool is_empty_list(const struct pctl_result *r)
{
	return r->ok && r->note && (r->verb == PCTL_VERB_LOG || r->verb == PCTL_VERB_SENSORS) &&
	       !r->error.code;
}

char *render_result(const struct pctl_result *r, const struct render_style *style)
{
	struct pctl_buf buf;
	bool empty = is_empty_list(r);
	bool tree = !empty && r->ok && r->tree && pctl_value_count(r->tree) > 0 &&
		    r->verb != PCTL_VERB_CHECK;

	pctl_buf_init(&buf, TEXT_ANSWER_MAX);
	if (tree) {
		add_tree(&buf, r, style);
		return pctl_buf_steal(&buf);
	}
	if (empty) {
		text_clean(&buf, r->note);
		add_left_out(&buf, r->tree, "; ");
	} else if (word_of_checked(r)) {
		pctl_buf_adds(&buf, word_of_checked(r));
	} else if (r->ok) {
		pctl_buf_adds(&buf, render_word(r));
		if (r->note) {
			pctl_buf_adds(&buf, ": ");
			text_clean(&buf, r->note);
		}
	} else {
		add_error(&buf, r, style);
	}
	if (style->verbose)
		add_details(&buf, r, style);
	return pctl_buf_steal(&buf);
}
