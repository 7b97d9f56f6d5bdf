/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/log.h>

#include "ipmi.h"
#include "text.h"

#define TRACE_BYTES 32u

static void drop(struct call *call)
{
	if (call->job_done)
		call->job_done(call->job);
	explicit_bzero(call, sizeof(*call)); /* its data may be a password */
}

static void on_abort(struct pctl_op *op, void *work)
{
	struct ipmi_dev *dev = work;

	(void)op;
	session_cancel(dev);
	drop(&dev->call);
}

void ipmi_begin(struct ipmi_dev *dev, struct pctl_op *op)
{
	dev->call = (struct call){ .op = op };
	pctl_op_pending(op, on_abort, dev);
}

void ipmi_end(struct ipmi_dev *dev, const struct pctl_error *err)
{
	struct pctl_op *op = dev->call.op;

	if (err)
		pctl_op_fail_error(op, err);
	else
		pctl_op_done(op);
	drop(&dev->call);
}

void ipmi_then_end(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)data, (void)len;
	ipmi_end(dev, NULL);
}

void ipmi_fail(struct ipmi_dev *dev, int code, const char *fmt, ...)
{
	struct pctl_error err = { 0 };
	va_list ap;

	va_start(ap, fmt);
	(void)pctl_error_setv(&err, code, fmt, ap);
	va_end(ap);
	ipmi_end(dev, &err);
}

void ipmi_keep(struct ipmi_dev *dev, void *job, void (*done)(void *job))
{
	dev->call.job = job;
	dev->call.job_done = done;
}

void *ipmi_kept(const struct ipmi_dev *dev)
{
	return dev->call.job;
}

bool ipmi_is_declined(const struct pctl_error *err, int code)
{
	return code >= 0 && err->code != PCTL_E_FORBIDDEN;
}

uint8_t ipmi_privilege(const struct ipmi_dev *dev)
{
	uint8_t least = dev->before_change ? PRIVILEGE_OPERATOR : PRIVILEGE_USER;

	if (dev->privilege)
		return dev->privilege;
	return dev->call.command->privilege > least ? dev->call.command->privilege : least;
}

static void trace(
	const struct ipmi_dev *dev, const char *arrow, int code, const uint8_t *data, size_t len)
{
	char hex[3 * TRACE_BYTES];
	char completion[16] = "";

	if (!pctl_log_enabled(PCTL_LOG_TRACE))
		return;
	if (dev->call.command->flags & COMMAND_PRIVATE)
		(void)snprintf(hex, sizeof(hex), "(%zu bytes)", len);
	else
		text_hex(data, len < TRACE_BYTES ? len : TRACE_BYTES, " ", hex, sizeof(hex));
	if (code >= 0)
		(void)snprintf(completion, sizeof(completion), " [%02x]", (unsigned)code);
	pctl_log(PCTL_LOG_TRACE, dev->device, "%s %s%s%s%s%s", arrow, dev->call.command->name,
		completion, len ? " " : "", hex, len > TRACE_BYTES ? " ..." : "");
}

void ipmi_send(struct ipmi_dev *dev, const struct command *command, const void *data, size_t len,
	ipmi_then_fn *then, ipmi_except_fn *except)
{
	struct call *call = &dev->call;

	assert(len <= sizeof(call->data));
	call->command = command;
	call->len = len;
	if (len)
		memcpy(call->data, data, len);
	call->then = then;
	call->except = except;
	trace(dev, "->", -1, call->data, call->len);
	session_send(dev);
}

static void fail(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (dev->call.except)
		dev->call.except(dev, err, code);
	else
		ipmi_end(dev, err);
}

/*
 * A BMC that is too busy has done nothing, unless what it could not do was to answer (CEh), or what
 * it says no to is a repetition (CFh).
 */
static bool is_not_taken(const struct pctl_error *err, uint8_t code)
{
	return err->code == PCTL_E_BUSY && code != 0xce && code != 0xcf;
}

static void refused(struct ipmi_dev *dev, const struct message *answer)
{
	struct pctl_error err = { 0 };

	completion_error(dev->call.command, answer->code, &err);
	if ((dev->call.command->flags & COMMAND_CHANGES) && is_not_taken(&err, answer->code))
		pctl_op_not_taken(dev->call.op);
	fail(dev, &err, answer->code);
}

void ipmi_call_answered(
	struct ipmi_dev *dev, const struct message *answer, const struct pctl_error *err)
{
	const struct command *command = dev->call.command;
	struct pctl_error shorter = { 0 };

	if (err) {
		fail(dev, err, -1);
		return;
	}
	trace(dev, "<-", answer->code, answer->data, answer->len);
	if (answer->code) {
		refused(dev, answer);
	} else if (answer->len < command->least) {
		pctl_error_set(&shorter, PCTL_E_PROTOCOL,
			"the answer to '%s' is too short: %zu bytes", command->name, answer->len);
		fail(dev, &shorter, -1);
	} else {
		dev->call.then(dev, answer->data, answer->len);
	}
}
