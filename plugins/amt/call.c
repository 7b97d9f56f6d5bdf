/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "amt.h"

/* No class of any firmware comes near these: they end a list that would go on for ever. */
#define MAX_PULLS 64u
#define MAX_ITEMS 4096u

static void drop(struct call *call)
{
	void (*over)(void *kept) = call->over;

	call->over = NULL;
	if (over)
		over(call->kept);
	wsman_done(&call->request);
	wsman_done(&call->held);
	free(call->saved);
	call->saved = NULL;
	call->op = NULL;
}

static void on_abort(struct pctl_op *op, void *work)
{
	struct amt_dev *dev = work;

	(void)op;
	amt_link_cancel(dev);
	drop(&dev->call);
}

void amt_begin(struct amt_dev *dev, struct pctl_op *op)
{
	uint32_t next = dev->call.message_id;

	dev->call = (struct call){ .op = op, .message_id = next };
	pctl_op_pending(op, on_abort, dev);
}

void amt_keep(struct amt_dev *dev, void *kept, void (*over)(void *kept))
{
	dev->call.kept = kept;
	dev->call.over = over;
}

void *amt_kept(const struct amt_dev *dev)
{
	return dev->call.kept;
}

void amt_end(struct amt_dev *dev, const struct pctl_error *err)
{
	struct pctl_op *op = dev->call.op;

	if (err)
		pctl_op_fail_error(op, err);
	else
		pctl_op_done(op);
	drop(&dev->call); /* err may be the saved one */
}

void amt_let_go(struct amt_dev *dev)
{
	drop(&dev->call);
}

void amt_fail(struct amt_dev *dev, int code, const char *fmt, ...)
{
	struct pctl_error err = { 0 };
	va_list ap;

	va_start(ap, fmt);
	(void)pctl_error_setv(&err, code, fmt, ap);
	va_end(ap);
	amt_end(dev, &err);
}

void amt_end_saying(struct amt_dev *dev, const struct pctl_error *err, const char *fmt, ...)
{
	struct pctl_error said = { 0 };
	va_list ap;

	va_start(ap, fmt);
	(void)pctl_error_setv(&said, err->code, fmt, ap);
	va_end(ap);
	(void)pctl_error_device_code(&said, "%s", err->device_code);
	(void)pctl_error_flag(&said, err->flags);
	amt_end(dev, &said);
}

static void fail_call(struct amt_dev *dev, const struct pctl_error *err)
{
	if (dev->call.except)
		dev->call.except(dev, err);
	else
		amt_end(dev, err);
}

static struct wsman *begin_request(struct amt_dev *dev, const struct wsman_head *head)
{
	struct call *call = &dev->call;
	struct wsman_head h = *head;

	h.message_id = call->message_id++;
	wsman_done(&call->request);
	wsman_begin(&call->request, &h);
	call->want = (struct answer_want){
		.verb = h.verb,
		.method = h.method,
		.what = h.method ? h.method : h.class->name,
		.message_id = h.message_id,
	};
	call->changes = false;
	return &call->request;
}

static void transmit(struct amt_dev *dev)
{
	struct call *call = &dev->call;
	struct pctl_error err = { 0 };

	if (wsman_end(&call->request, &err) < 0)
		fail_call(dev, &err);
	else
		amt_link_send(dev, call->request.out.data, call->request.out.len, call->changes);
}

/* In a dry run the first change is where it ends. */
static void would_send(struct amt_dev *dev)
{
	const struct wsman_head *h = &dev->call.request.head;
	static const char *const verbs[] = { [WSMAN_PUT] = "Put",
		[WSMAN_CREATE] = "Create",
		[WSMAN_DELETE] = "Delete",
		[WSMAN_INVOKE] = NULL };

	pctl_op_would(
		dev->call.op, "%s of %s", h->method ? h->method : verbs[h->verb], h->class->name);
	amt_end(dev, NULL);
}

void amt_send(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except)
{
	if (dev->call.changes && pctl_op_dry(dev->call.op)) {
		would_send(dev);
		return;
	}
	dev->call.then = then;
	dev->call.except = except;
	transmit(dev);
}

void amt_get(struct amt_dev *dev, const struct wsman_class *class, amt_then_fn *then,
	amt_except_fn *except)
{
	begin_request(dev, &(struct wsman_head){ .verb = WSMAN_GET, .class = class });
	amt_send(dev, then, except);
}

struct wsman *amt_request(
	struct amt_dev *dev, const struct wsman_head *head, enum status_kind returns)
{
	struct wsman *w = begin_request(dev, head);

	dev->call.want.returns = returns;
	return w;
}

struct wsman *amt_put(struct amt_dev *dev, const struct wsman_class *class)
{
	return begin_request(dev, &(struct wsman_head){ .verb = WSMAN_PUT, .class = class });
}

struct wsman *amt_invoke(struct amt_dev *dev, const struct wsman_class *class, const char *method,
	enum status_kind returns)
{
	struct wsman *w = begin_request(dev,
		&(struct wsman_head){ .verb = WSMAN_INVOKE, .class = class, .method = method });

	dev->call.want.returns = returns;
	return w;
}

void amt_changes(struct amt_dev *dev)
{
	dev->call.changes = true;
}

void amt_changed(struct amt_dev *dev)
{
	dev->call.taken = true;
	pctl_op_taken(dev->call.op);
}

void amt_hold(struct amt_dev *dev)
{
	struct call *call = &dev->call;

	wsman_done(&call->held);
	call->held = call->request;
	call->request = (struct wsman){ 0 };
}

void amt_unhold(struct amt_dev *dev)
{
	struct call *call = &dev->call;
	struct wsman_head h = call->held.head;

	wsman_done(&call->request);
	call->request = call->held;
	call->held = (struct wsman){ 0 };
	call->want = (struct answer_want){
		.verb = h.verb,
		.what = h.class->name,
		.message_id = h.message_id,
	};
	call->changes = false;
}

/* --- Lists. ----------------------------------------------------------------------------------- */

static void enumerate(struct amt_dev *dev, const struct wsman_class *class)
{
	begin_request(dev, &(struct wsman_head){ .verb = WSMAN_ENUMERATE, .class = class });
	transmit(dev);
}

void amt_list(struct amt_dev *dev, const struct wsman_class *class, amt_each_fn *each,
	amt_then_fn *then, amt_except_fn *except)
{
	struct call *call = &dev->call;

	call->then = then;
	call->except = except;
	call->each = each;
	call->pulls = call->items = 0;
	call->restarted = false;
	enumerate(dev, class);
}

static void pull(struct amt_dev *dev, const char *context)
{
	begin_request(dev, &(struct wsman_head){ .verb = WSMAN_PULL,
				   .class = dev->call.request.head.class,
				   .context = context });
	transmit(dev);
}

static void fail_list(struct amt_dev *dev, const char *what)
{
	struct pctl_error err = { 0 };

	(void)pctl_error_set(&err, PCTL_E_PROTOCOL, "the list of %s %s",
		dev->call.request.head.class->name, what);
	fail_call(dev, &err);
}

static void on_pulled(struct amt_dev *dev, const struct xml_node *answer)
{
	struct call *call = &dev->call;
	const struct xml_node *items = xml_child(answer, "Items");
	const char *context = xml_text(answer, "EnumerationContext");
	unsigned before = call->items;

	for (const struct xml_node *i = items ? items->first : NULL; i; i = i->next) {
		if (++call->items > MAX_ITEMS) {
			fail_list(dev, "is longer than any firmware's");
			return;
		}
		call->each(dev, i);
	}
	/* Some answers have both: the end counts. */
	if (xml_child(answer, "EndOfSequence") || !context || !*context)
		call->then(dev, NULL);
	else if (call->items == before || ++call->pulls > MAX_PULLS)
		fail_list(dev, "does not come to an end");
	else
		pull(dev, context);
}

static void on_enumerated(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *context = xml_text(answer, "EnumerationContext");

	if (context && *context)
		pull(dev, context);
	else
		fail_list(dev, "was announced without a context");
}

/* The firmware forgot the enumeration: once, it is begun again. */
static bool lost_context(const struct call *call, const struct pctl_error *err)
{
	return call->want.verb == WSMAN_PULL && !call->restarted &&
	       strcmp(err->device_code, "InvalidEnumerationContext") == 0;
}

static void on_answer(struct amt_dev *dev, const struct xml_node *answer)
{
	switch (dev->call.want.verb) {
	case WSMAN_ENUMERATE:
		on_enumerated(dev, answer);
		break;
	case WSMAN_PULL:
		on_pulled(dev, answer);
		break;
	default:
		dev->call.then(dev, answer);
		break;
	}
}

void amt_call_answered(
	struct amt_dev *dev, const struct pctl_http_answer *answer, const struct pctl_error *err)
{
	struct call *call = &dev->call;
	struct pctl_error why = { 0 };

	if (err) {
		fail_call(dev, err);
		return;
	}
	(void)snprintf(dev->server, sizeof(dev->server), "%s", answer->server);

	call->raw = answer;
	const struct xml_node *body = answer_read(dev->amt->reader, answer, &call->want, &why);
	call->logged_in |= body || answer_is_verdict(&why);
	if (body) {
		on_answer(dev, body);
	} else if (lost_context(call, &why)) {
		call->restarted = true;
		call->items = 0;
		enumerate(dev, call->request.head.class);
	} else {
		if (call->changes && !call->taken && answer_is_verdict(&why))
			pctl_op_not_taken(call->op);
		fail_call(dev, &why);
	}
}
