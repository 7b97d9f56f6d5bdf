/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the device noted: its event log, and the audit log where the account may read that. What it
 * lacks, or keeps to itself, is left out as long as the other one is told.
 */
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "amt.h"

/* An event log has 390 records. */
#define READ_AT_ONCE 390u
/* What takes more reads does not come to an end. */
#define EVENT_READS_MAX 64u
#define AUDIT_READS_MAX 2048u

#define LOCK_SECONDS 10u
enum { LOCK_TAKE = 0, LOCK_RELEASE = 2 };

static const struct wsman_class event_log = WSMAN_CLASS(WSMAN_AMT, "AMT_MessageLog");
static const struct wsman_class audit_log = WSMAN_CLASS(WSMAN_AMT, "AMT_AuditLog");

static void done(void *kept)
{
	struct amt_dev *dev = kept;
	struct log_work *w = &dev->work.log;

	records_free(w->records);
	pctl_value_free(w->left_out);
	w->records = NULL;
	w->left_out = NULL;
}

static void finish(struct amt_dev *dev)
{
	struct log_work *w = &dev->work.log;

	records_tell(w->records, w->ret);
	if (pctl_value_count(w->left_out)) {
		pctl_value_set(w->ret, "left_out", w->left_out);
		w->left_out = NULL;
	}
	amt_end(dev, NULL);
}

static void leave_out(struct amt_dev *dev, const char *which, const struct pctl_error *err)
{
	PCTL_AUTO(free) char *text = pctl_xasprintf("%s log: %s", which, err->text);
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "source", which);
	pctl_value_set_text(map, "class", pctl_error_name(err->code));
	pctl_value_set_text(map, "text", text);
	pctl_value_add(dev->work.log.left_out, map);
}

/* --- The audit log: oldest first, from any record on. ----------------------------------------- */

static void read_audits(struct amt_dev *dev, uint32_t from);

/* Begins anew where the record that was seen last is not where it was. */
static bool begin_again(struct amt_dev *dev)
{
	struct log_work *w = &dev->work.log;

	if (w->again || records_audit_holds(w->records))
		return false;
	w->again = true;
	records_audit_again(w->records);
	read_audits(dev, 1);
	return true;
}

static void on_audits(struct amt_dev *dev, const struct xml_node *answer)
{
	struct log_work *w = &dev->work.log;
	const struct xml_node *n = xml_child(answer, "EventRecords");
	uint32_t before = w->next;

	for (; n; n = xml_again(n))
		if (!*n->text || !records_add_audit(w->records, w->next++, n->text))
			break;
	if (begin_again(dev))
		return;
	if (w->next == before || w->next > xml_uint(answer, "TotalRecordCount", 0) ||
		++w->reads > AUDIT_READS_MAX)
		finish(dev);
	else
		read_audits(dev, w->next);
}

static void on_no_audits(struct amt_dev *dev, const struct pctl_error *err)
{
	bool at_end = strcmp(err->device_code, "ReturnValue 35") == 0; /* no such index */

	if (!answer_is_lacking(err)) {
		amt_end(dev, err);
	} else if (at_end && begin_again(dev)) {
		return;
	} else if (!at_end && dev->call.saved) {
		amt_end(dev, dev->call.saved);
	} else {
		if (!at_end)
			leave_out(dev, "audit", err);
		finish(dev);
	}
}

static void read_audits(struct amt_dev *dev, uint32_t from)
{
	struct wsman *w = amt_invoke(dev, &audit_log, "ReadRecords", STATUS_PLAIN);

	dev->work.log.next = from;
	wsman_uint(w, "StartIndex", from);
	amt_send(dev, on_audits, on_no_audits);
}

static void begin_audits(struct amt_dev *dev)
{
	dev->work.log.reads = 0;
	read_audits(dev, records_audit_start(dev->work.log.records));
}

/* --- The event log: by an iterator. ----------------------------------------------------------- */

static void on_no_events(struct amt_dev *dev, const struct pctl_error *err)
{
	if (!answer_is_lacking(err)) {
		amt_end(dev, err);
		return;
	}
	dev->call.saved = pctl_xcalloc(1, sizeof(*err));
	*dev->call.saved = *err;
	leave_out(dev, "event", err);
	begin_audits(dev);
}

static void read_events(struct amt_dev *dev, uint32_t iterator);

/* Some firmware never says that there are no more: it stays where it is, or begins anew. */
static void on_events(struct amt_dev *dev, const struct xml_node *answer)
{
	struct log_work *w = &dev->work.log;
	const struct xml_node *n = xml_child(answer, "RecordArray");
	const char *last = xml_text(answer, "NoMoreRecords");
	uint32_t next = xml_uint(answer, "IterationIdentifier", 0);
	bool more = n && last && strcmp(last, "false") == 0;

	for (; n; n = xml_again(n))
		if (*n->text && !records_add_event(w->records, n->text))
			more = false;
	if (!records_end_events(w->records))
		more = false;
	if (more && next > w->next && ++w->reads <= EVENT_READS_MAX)
		read_events(dev, next);
	else
		begin_audits(dev);
}

static void read_events(struct amt_dev *dev, uint32_t iterator)
{
	struct wsman *w = amt_invoke(dev, &event_log, "GetRecords", STATUS_LOG);

	dev->work.log.next = iterator;
	wsman_uint(w, "IterationIdentifier", iterator);
	wsman_uint(w, "MaxReadRecords", READ_AT_ONCE);
	amt_send(dev, on_events, on_no_events);
}

static void on_position(struct amt_dev *dev, const struct xml_node *answer)
{
	uint32_t first = xml_uint(answer, "IterationIdentifier", 0);

	if (xml_uint(answer, "ReturnValue", 0))
		begin_audits(dev); /* it is empty */
	else
		read_events(dev, first ? first : 1);
}

static void read_log(void *data, struct pctl_op *op, const char *after, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	amt_keep(dev, dev, done);
	dev->work.log = (struct log_work){
		.ret = ret, .records = records_new(after), .left_out = pctl_value_new_list()
	};
	(void)amt_invoke(dev, &event_log, "PositionToFirstRecord", STATUS_LOG);
	amt_send(dev, on_position, on_no_events);
}

/* --- Emptying them. --------------------------------------------------------------------------- */

/* In the order of sources; ALL: whichever there are. */
enum { EVENTS, AUDITS, ALL };
static const char *const sources[] = { "event", "audit", NULL };

static void end_well(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_end(dev, NULL);
}

/* The audit log belongs to its auditor, who may be somebody else. */
static void audits_stay(struct amt_dev *dev, const struct pctl_error *err)
{
	bool all = dev->work.log.which == ALL;

	if (all && err->code == PCTL_E_UNSUPPORTED) {
		amt_end(dev, NULL); /* it has none */
		return;
	}
	if (err->code == PCTL_E_UNSUPPORTED) {
		amt_end(dev, err);
		return;
	}
	amt_end_saying(dev, err, "%sits audit log is not empty: %s",
		all ? "its event log is empty now, " : "", err->text);
}

static void set_lock(struct amt_dev *dev, unsigned flag, amt_then_fn *then, amt_except_fn *except)
{
	struct wsman *w = amt_invoke(dev, &audit_log, "SetAuditLock", STATUS_PLAIN);

	wsman_uint(w, "LockTimeoutInSeconds", flag == LOCK_TAKE ? LOCK_SECONDS : 0);
	wsman_uint(w, "Flag", flag);
	wsman_uint(w, "Handle", dev->work.log.next);
	amt_send(dev, then, except);
}

/* It is empty, and the lock ends by itself soon. */
static void still_locked(struct amt_dev *dev, const struct pctl_error *err)
{
	amt_end(dev, answer_is_lacking(err) ? NULL : err);
}

static void on_audits_gone(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	set_lock(dev, LOCK_RELEASE, end_well, still_locked);
}

static void unlocked_after_refusal(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	audits_stay(dev, dev->call.saved);
}

static void locked_after_refusal(struct amt_dev *dev, const struct pctl_error *err)
{
	(void)err;
	audits_stay(dev, dev->call.saved);
}

static void on_audits_kept(struct amt_dev *dev, const struct pctl_error *err)
{
	if (!answer_is_lacking(err)) {
		audits_stay(dev, err);
		return;
	}
	dev->call.saved = pctl_xcalloc(1, sizeof(*err));
	*dev->call.saved = *err;
	set_lock(dev, LOCK_RELEASE, unlocked_after_refusal, locked_after_refusal);
}

static void on_locked(struct amt_dev *dev, const struct xml_node *answer)
{
	dev->work.log.next = xml_uint(answer, "Handle", 0);
	(void)amt_invoke(dev, &audit_log, "ClearLog", STATUS_PLAIN);
	amt_changes(dev);
	amt_send(dev, on_audits_gone, on_audits_kept);
}

static void on_events_gone(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	if (dev->work.log.which == EVENTS)
		amt_end(dev, NULL);
	else
		set_lock(dev, LOCK_TAKE, on_locked, audits_stay);
}

static void clear_source(void *data, struct pctl_op *op, unsigned source)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	dev->work.log = (struct log_work){ .which = source };
	if (source == AUDITS) {
		set_lock(dev, LOCK_TAKE, on_locked, audits_stay);
		return;
	}
	(void)amt_invoke(dev, &event_log, "ClearLog", STATUS_LOG);
	amt_changes(dev);
	amt_send(dev, on_events_gone, NULL);
}

static void clear_log(void *data, struct pctl_op *op)
{
	clear_source(data, op, ALL);
}

const struct pctl_log_if amt_log = {
	.size = sizeof(amt_log),
	.read = read_log,
	.clear = clear_log,
	.sources = sources,
	.clear_source = clear_source,
};
