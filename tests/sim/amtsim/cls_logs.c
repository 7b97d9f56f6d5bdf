/* SPDX-License-Identifier: Apache-2.0 */
/* The classes of the two logs. */
#include <string.h>

#include "classes.h"
#include "logs.h"
#include "sim.h"

enum {
	NO_RECORD = 3,
	INVALID_INDEX = 0x23,
	NOT_PERMITTED = 0x10,
	LOCK_TAKE = 0,
	LOCK_RELEASE = 2,
	ANSWER_RECORDS = 390,
};

static void emit_base64(struct call *c, const char *name, const uint8_t *p, size_t n)
{
	char text[4 * ((LOGS_AUDIT_MAX + 2) / 3) + 1];

	base64_encode(p, n, text);
	emit_field(c, name, text);
}

/* --- Events. ---------------------------------------------------------------------------------- */

static void emit_event_log(struct call *c, size_t i)
{
	static const char *const head[] = { "Capabilities", "5", "Capabilities", "6",
		"Capabilities", "8", "Capabilities", "7", "CharacterSet", "10", "CreationClassName",
		"AMT_MessageLog", "CurrentNumberOfRecords", "390", "ElementName",
		"Intel(r) AMT:MessageLog 1", "EnabledDefault", "2", "EnabledState", "2",
		"HealthState", "5", "IsFrozen", "false", "LastChange", "0", "LogState", "4",
		"MaxLogSize", "0", "MaxNumberOfRecords", "390", "MaxRecordSize", "21", "Name",
		"Intel(r) AMT:MessageLog 1", NULL };

	(void)i;
	emit_constants(c, head);
}

static enum fault position(struct call *c, uint32_t *ret_value)
{
	emit_field(c, "IterationIdentifier", "1");
	*ret_value = logs_of(c->dev)->nevents ? 0 : NO_RECORD;
	return FAULT_NONE;
}

static void emit_event(struct call *c, const uint8_t bytes[LOGS_EVENT])
{
	uint8_t odd[LOGS_EVENT];

	memcpy(odd, bytes, LOGS_EVENT);
	switch (c->dev->knobs.log_records) {
	case LOG_RECORDS_BASE64:
		emit_field(c, "RecordArray", "This is *not* base64");
		break;
	case LOG_RECORDS_SHORT:
		emit_base64(c, "RecordArray", bytes, LOGS_EVENT - 4);
		break;
	case LOG_RECORDS_UNKNOWN:
		odd[5] = 0x7e;
		odd[9] = 3;
		odd[11] = 0xee;
		emit_base64(c, "RecordArray", odd, LOGS_EVENT);
		break;
	default:
		emit_base64(c, "RecordArray", bytes, LOGS_EVENT);
		break;
	}
}

static enum fault get_records(struct call *c, uint32_t *ret_value)
{
	const struct knobs *k = &c->dev->knobs;
	const struct logs *l = logs_of(c->dev);
	uint64_t from, max;

	if (!param_uint(c, "IterationIdentifier", UINT32_MAX, &from) ||
		!param_uint(c, "MaxReadRecords", UINT32_MAX, &max) || !from || !max)
		return FAULT_INVALID_REPRESENTATION;
	bool endless = k->log_iterator == LOG_ITERATOR_ENDLESS;
	size_t at = endless ? 0 : (size_t)from - 1, n = 0;

	if (at >= l->nevents) {
		*ret_value = NO_RECORD;
		emit_number(c, "IterationIdentifier", from);
		emit_field(c, "NoMoreRecords", "true");
		return FAULT_NONE;
	}
	n = l->nevents - at;
	n = n < max ? n : (size_t)max;
	n = n < ANSWER_RECORDS ? n : ANSWER_RECORDS;
	n = k->log_batch && n > k->log_batch ? k->log_batch : n;
	bool last = k->log_iterator == LOG_ITERATOR_NORMAL && at + n == l->nevents;
	emit_number(
		c, "IterationIdentifier", k->log_iterator == LOG_ITERATOR_STUCK ? from : from + n);
	emit_field(c, "NoMoreRecords", last ? "true" : "false");
	for (size_t i = at; i < at + n; i++)
		emit_event(c, l->events[k->log_oldest_first ? i : l->nevents - 1 - i]);
	return FAULT_NONE;
}

static enum fault clear_events(struct call *c, uint32_t *ret_value)
{
	logs_clear_events(c->dev);
	*ret_value = 0;
	return FAULT_NONE;
}

/* --- Audits. ---------------------------------------------------------------------------------- */

static bool has_audits(const struct device *dev)
{
	return dev->knobs.audit != AUDIT_ABSENT;
}

static void emit_audit_log(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "AuditState", "16");
	emit_number(c, "CurrentNumberOfRecords", logs_of(c->dev)->naudits);
	emit_field(c, "ElementName", "Intel(r) AMT Audit Log");
	emit_field(c, "EnabledState", "2");
	emit_field(c, "MaxAllowedAuditors", "1");
	emit_field(c, "MaxNumberOfRecords", "0");
	emit_field(c, "Name", "Intel(r) AMT:Audit Log");
	emit_field(c, "OverwritePolicy", "2");
	emit_field(c, "PercentageFree", "92");
	emit_field(c, "RequestedState", "2");
	emit_field(c, "StoragePolicy", "1");
}

static void emit_audit(struct call *c, const struct audit_record *a)
{
	switch (c->dev->knobs.log_records) {
	case LOG_RECORDS_BASE64:
		emit_field(c, "EventRecords", "=====");
		break;
	case LOG_RECORDS_SHORT:
		emit_base64(c, "EventRecords", a->bytes, a->n - 3u);
		break;
	default:
		emit_base64(c, "EventRecords", a->bytes, a->n);
		break;
	}
}

static enum fault read_audits(struct call *c, uint32_t *ret_value)
{
	const struct logs *l = logs_of(c->dev);
	uint64_t from;

	if (c->dev->knobs.audit == AUDIT_FORBIDDEN)
		return FAULT_ACCESS_DENIED;
	if (!param_uint(c, "StartIndex", UINT32_MAX, &from) || !from)
		return FAULT_INVALID_REPRESENTATION;
	size_t at = (size_t)from - 1;
	size_t n = at < l->naudits ? l->naudits - at : 0;

	n = n < c->dev->knobs.audit_batch ? n : c->dev->knobs.audit_batch;
	emit_number(c, "TotalRecordCount", l->naudits);
	emit_number(c, "RecordsReturned", n);
	for (size_t i = at; i < at + n; i++)
		emit_audit(c, &l->audits[i]);
	*ret_value = n ? 0 : INVALID_INDEX;
	return FAULT_NONE;
}

static enum fault set_lock(struct call *c, uint32_t *ret_value)
{
	struct logs *l = &c->dev->logs;
	uint64_t flag, handle, seconds;

	if (c->dev->knobs.audit != AUDIT_CLEAR)
		return FAULT_ACCESS_DENIED;
	if (!param_uint(c, "LockTimeoutInSeconds", UINT32_MAX, &seconds) ||
		!param_uint(c, "Flag", 2, &flag) || !param_uint(c, "Handle", UINT32_MAX, &handle))
		return FAULT_INVALID_REPRESENTATION;
	if (flag == LOCK_TAKE && seconds)
		l->lock = ++l->locks + 4000;
	else if (flag == LOCK_RELEASE && l->lock && handle == l->lock)
		l->lock = 0;
	else
		*ret_value = NOT_PERMITTED;
	emit_number(c, "Handle", l->lock);
	return FAULT_NONE;
}

static enum fault clear_audits(struct call *c, uint32_t *ret_value)
{
	if (c->dev->logs.lock)
		logs_clear_audits(c->dev);
	else
		*ret_value = NOT_PERMITTED;
	return FAULT_NONE;
}

static const struct method event_methods[] = {
	{ "PositionToFirstRecord", "", position, 0, NULL },
	{ "GetRecords", "IterationIdentifier MaxReadRecords", get_records, 0, NULL },
	{ "ClearLog", "", clear_events, 0, NULL },
};
static const struct method audit_methods[] = {
	{ "ReadRecords", "StartIndex", read_audits, 0, NULL },
	{ "SetAuditLock", "LockTimeoutInSeconds Flag Handle", set_lock, 0, NULL },
	{ "ClearLog", "", clear_audits, 0, NULL },
};

const struct wclass log_classes[] = {
	{
		.name = "AMT_MessageLog",
		.uri = NS_AMT "AMT_MessageLog",
		.selectors = "CreationClassName Name",
		.common = true,
		.emit = emit_event_log,
		METHODS(event_methods),
	},
	{
		.name = "AMT_AuditLog",
		.uri = NS_AMT "AMT_AuditLog",
		.selectors = "Name",
		.common = true,
		.present = has_audits,
		.emit = emit_audit_log,
		METHODS(audit_methods),
	},
};

const size_t log_classes_count = COUNT(log_classes);
