/* SPDX-License-Identifier: Apache-2.0 */
/* How a task ends that failed: the words, and what is known of what was sent. */
#include <stdarg.h>
#include <stdio.h>

#include "engine/consent.h"
#include "engine/ready.h"
#include "engine/task.h"

/* What became of it may be the other one's doing. */
static void tell_overtaken(const struct pctl_task *t, struct pctl_error *err)
{
	struct pctl_error last = *err;
	char who[200];

	if (!t->joint && err->code != PCTL_E_CANCELED && t->sent.how != PCTL_SENT_NOTHING &&
		pctl_task_is_overtaken(t, who, sizeof(who)))
		(void)snprintf(err->text, sizeof(err->text),
			"%.180s; meanwhile another command went first (%.80s)", last.text, who);
}

static void end_failed(struct pctl_task *t, const struct pctl_error *err)
{
	t->result.ok = false;
	t->result.word = t->request->verb == PCTL_VERB_STATUS ? "unknown" : "error";
	t->result.error = *err;
	tell_overtaken(t, &t->result.error);
	pctl_consent_tell(t, &t->result.error);
	pctl_task_end(t);
}

/* What was sent and never answered outweighs whatever went wrong after it. */
static void tell_doubt(const struct pctl_task *t, struct pctl_error *err)
{
	const struct pctl_sent *sent = &t->sent;
	struct pctl_error last = *err;

	if (last.code == PCTL_E_OUTCOME_UNKNOWN && t->trying.tries < 2)
		pctl_error_set(err, PCTL_E_OUTCOME_UNKNOWN,
			"whether '%s' was taken is not known (%.200s); it is not sent again",
			sent->what, sent->lost.text);
	else
		pctl_error_set(err, PCTL_E_OUTCOME_UNKNOWN,
			"whether '%s' was taken is not known (%.120s); %s: %.120s", sent->what,
			sent->lost.text, t->trying.call->sent_offset ? "tried again" : "then",
			last.text);
	(void)pctl_error_device_code(err, "%s", sent->lost.device_code);
}

/* Armed, and then no start came of it: the next one, whoever wants it, would go there. */
static void tell_armed(const struct pctl_task *t, struct pctl_error *err)
{
	bool sure = t->armed.how == PCTL_SENT_ACCEPTED;
	struct pctl_error last = *err;

	(void)snprintf(err->text, sizeof(err->text),
		"%.200s; the boot device %s set, `powerctl bootdev none` clears it", last.text,
		sure ? "stays" : "may be");
}

/* What was taken in one request may be cut short in those that follow, reading back among them. */
static bool is_cut_short(const struct pctl_task *t, int code)
{
	return t->sent.how == PCTL_SENT_ACCEPTED && t->op.taken &&
	       (pctl_error_retried(code) || code == PCTL_E_PROTOCOL);
}

static void tell_cut_short(const struct pctl_task *t, struct pctl_error *err)
{
	struct pctl_error last = *err;

	(void)pctl_error_set(err, last.code, "'%s' was taken, but has not come to its end: %s",
		t->sent.what, last.text);
	(void)pctl_error_device_code(err, "%s", last.device_code);
}

void pctl_task_end_error(struct pctl_task *t, const struct pctl_error *err)
{
	struct pctl_error told = *err;

	if (t->sent.how == PCTL_SENT_DOUBTFUL)
		tell_doubt(t, &told);
	else if (is_cut_short(t, told.code))
		tell_cut_short(t, &told);
	else if (t->armed.how != PCTL_SENT_NOTHING && t->sent.how == PCTL_SENT_NOTHING)
		tell_armed(t, &told);
	end_failed(t, &told);
}

void pctl_task_end_doubtful(struct pctl_task *t, const char *done)
{
	struct pctl_error err = { 0 };

	pctl_error_set(&err, PCTL_E_OUTCOME_UNKNOWN,
		"whether '%s' was taken is not known (%s); it reads %s, and it is %s", t->sent.what,
		t->sent.lost.text, pctl_power_state_name(t->power.state), done);
	(void)pctl_error_device_code(&err, "%s", t->sent.lost.device_code);
	end_failed(t, &err);
}

void pctl_task_end_fail(struct pctl_task *t, int code, const char *fmt, ...)
{
	struct pctl_error err = { 0 };
	va_list ap;

	va_start(ap, fmt);
	(void)pctl_error_setv(&err, code, fmt, ap);
	va_end(ap);
	pctl_task_end_error(t, &err);
}

/* What is told of a task that was interrupted: why, before, what was sent, after, what was read. */
static const struct interrupted {
	int code; /* 0: that of the interruption */
	bool sent, read;
	const char *before, *after;
} interrupted[] = {
	[PCTL_SENT_NOTHING] = { 0, false, true, "; nothing was sent, last read: ", "" },
	[PCTL_SENT_DOUBTFUL] = { PCTL_E_OUTCOME_UNKNOWN, true, false, " after '",
		"' was sent; whether it was taken is not known" },
	[PCTL_SENT_ACCEPTED] = { 0, true, true, "; '", "' was accepted, last read: " },
};
static const struct interrupted with_boot = { 0, false, true,
	"; the boot device may be set for the next start, `powerctl bootdev none` clears it; "
	"last read: ",
	"" };
static const struct interrupted not_ready = { 0, false, false, "", "" };

static const struct interrupted *interrupted_at(const struct pctl_task *t)
{
	if (t->request->verb == PCTL_VERB_WAIT_READY)
		return &not_ready;
	if (t->sent.how == PCTL_SENT_NOTHING && t->armed.how != PCTL_SENT_NOTHING)
		return &with_boot;
	return &interrupted[t->sent.how];
}

void pctl_task_end_interrupted(struct pctl_task *t)
{
	if (pctl_consent_takes_back(t))
		return;
	const struct interrupted *how = interrupted_at(t);
	const char *waits = t->ready ? pctl_ready_watch_why(t->ready) : "";
	struct pctl_error err = { 0 };
	const char *why;
	int code = pctl_run_interrupted(t->run, &why);
	char read[250] = "";

	if (how->read)
		(void)snprintf(read, sizeof(read), "%s%s%.150s",
			t->power_read ? pctl_power_state_name(t->power.state) : "nothing",
			*t->trouble ? "; before that: " : "", t->trouble);
	if (!how->read && how != &not_ready)
		waits = "";
	pctl_error_set(&err, how->code ? how->code : code, "%s%s%s%s%s%s%s", why, how->before,
		how->sent ? t->sent.what : "", how->after, read, *waits ? "; not ready: " : "",
		waits);
	if (err.code == PCTL_E_TIMEOUT)
		pctl_error_flag(&err, PCTL_ERROR_DEADLINE);
	end_failed(t, &err);
}
