/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <stdio.h>

#include "accounts.h"
#include "call.h"
#include "device.h"
#include "route.h"
#include "sim.h"

static const struct {
	unsigned from;
	unsigned to;
	size_t at;
} by_status[] = {
	{ 200, 299, offsetof(struct counters, r2xx) },
	{ 202, 202, offsetof(struct counters, r202) },
	{ 300, 399, offsetof(struct counters, r3xx) },
	{ 400, 400, offsetof(struct counters, r400) },
	{ 401, 401, offsetof(struct counters, r401) },
	{ 404, 404, offsetof(struct counters, r404) },
	{ 405, 405, offsetof(struct counters, r405) },
	{ 409, 409, offsetof(struct counters, r409) },
	{ 412, 412, offsetof(struct counters, r412) },
	{ 428, 428, offsetof(struct counters, r428) },
	{ 503, 503, offsetof(struct counters, r503) },
};

static void count_status(struct device *dev, unsigned status)
{
	for (size_t i = 0; i < COUNT(by_status); i++)
		if (status >= by_status[i].from && status <= by_status[i].to)
			++*(uint64_t *)(void *)((char *)&dev->counters + by_status[i].at);
}

static void count_method(struct counters *n, struct str method)
{
	n->requests++;
	n->reads += str_is(method, "GET") || str_is(method, "HEAD");
	n->patches += str_is(method, "PATCH");
	n->posts += str_is(method, "POST");
	n->deletes += str_is(method, "DELETE");
}

/* What is answered before anybody looks at the request; true: that was it. */
static bool answered_early(struct call *c)
{
	struct device *dev = c->dev;

	if (dev->knobs.hang == HANG_ALL) {
		c->silent = true;
		return true;
	}
	if (web_every(dev->knobs.e503_every, &dev->e503_seq)) {
		c->retry_after = dev->knobs.retry_after;
		call_fail(c, 503, "ServiceTemporarilyUnavailable",
			"The service is temporarily unavailable.");
		return true;
	}
	if (dev->redirect) {
		struct str target = c->request->target;

		c->status = 307;
		snprintf(c->location, sizeof(c->location), "%s%.*s", dev->redirect,
			(int)(target.n < CALL_PATH ? target.n : CALL_PATH), target.p);
		return true;
	}
	return false;
}

/* What a request says of itself that no service takes. */
static bool understood(struct call *c)
{
	struct str version, rest = c->query, part, key;

	if (http_request_field(c->request, "OData-Version", &version) && !str_is(version, "4.0")) {
		call_fail(c, 412, "PreconditionFailed", "OData-Version is 4.0 here.");
		return false;
	}
	while (str_split(&rest, '&', &part)) {
		if (!str_starts(part, "$") || !str_split(&part, '=', &key) ||
			str_is(key, "$skip") || str_is(key, "$top"))
			continue;
		call_fail(c, 501, "QueryNotSupportedOnResource",
			"Querying is not supported on the requested resource.");
		return false;
	}
	return true;
}

static bool read_body(struct call *c)
{
	struct str body = c->request->body;
	json_error_t error;

	if (!body.n || !(str_is(c->request->method, "POST") || str_is(c->request->method, "PATCH")))
		return true;
	c->in = json_loadb(body.p, body.n, JSON_REJECT_DUPLICATES, &error);
	if (json_is_object(c->in))
		return true;
	call_fail(c, 400, "MalformedJSON",
		"The request body submitted was malformed JSON and could not be parsed by the "
		"receiving service.");
	return false;
}

/* Answers that are wrong as a whole, for those that logged in; true: that was it. */
static bool nonsense(struct device *dev, struct reply *r)
{
	const struct knobs *k = &dev->knobs;
	struct buf *out = &dev->sim->web.out;
	static const char page[] = "<html><body>Please log in.</body></html>\n";

	if (k->html) {
		buf_fmt(out,
			"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: %zu\r\n\r\n",
			sizeof(page) - 1);
		buf_text(out, page);
	} else if (k->huge) {
		static const char begin[] = "{\"Id\":\"";

		r->filler = (uint64_t)k->huge << 20;
		buf_fmt(out,
			"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
			"%llu\r\n\r\n%s",
			(unsigned long long)(r->filler + sizeof(begin) - 1), begin);
	} else if (k->deep) {
		buf_fmt(out,
			"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
			"%llu\r\n\r\n",
			2ULL * k->deep + 8);
		buf_text(out, "{\"A\":");
		for (uint32_t i = 0; i < k->deep; i++)
			buf_char(out, '[');
		for (uint32_t i = 0; i < k->deep; i++)
			buf_char(out, ']');
		buf_text(out, "}  ");
	} else {
		return false;
	}
	dev->counters.r2xx++;
	return true;
}

void service_filler(struct buf *out, size_t n, uint64_t left)
{
	(void)left;
	for (size_t i = 0; i < n; i++)
		buf_char(out, 'A');
}

static void finish(struct call *c, struct reply *r)
{
	struct device *dev = c->dev;
	struct buf *out = &dev->sim->web.out;

	json_decref(c->in);
	r->silent = c->silent;
	r->lost = c->lost;
	r->close = r->close || (c->request && c->request->close);
	if (c->silent || c->lost) {
		json_decref(c->out);
		return;
	}
	count_status(dev, c->status);
	call_write(c, out);
	if (web_every(dev->knobs.cut_every, &dev->cut_seq)) {
		dev->counters.cut++;
		r->cut = out->n - out->n / 4;
		r->close = true;
	}
}

static void work(struct call *c, struct reply *r)
{
	if (answered_early(c) || !route_target(c))
		return;
	if (!route_is_open(c) && !login_check(c))
		return;
	if (!route_is_open(c) && !accounts_let_pass(c))
		return;
	if (c->dev->knobs.hang == HANG_AUTH && !route_is_open(c)) {
		c->silent = true;
		return;
	}
	if (!str_is(c->request->method, "POST") && nonsense(c->dev, r))
		return;
	if (understood(c) && read_body(c))
		route_run(c);
}

void service_answer(struct device *dev, const struct http_request *request, struct reply *reply)
{
	struct call c = { .dev = dev, .p = dev->profile, .request = request, .status = 200 };

	dev->sim->web.out.n = 0;
	count_method(&dev->counters, request->method);
	device_note(dev, request->method, request->target);
	work(&c, reply);
	if (dev->sim->web.out.n) {
		json_decref(c.in);
		reply->close = request->close;
		return;
	}
	finish(&c, reply);
}

void service_malformed(struct device *dev, struct reply *reply)
{
	struct call c = { .dev = dev, .p = dev->profile };

	dev->sim->web.out.n = 0;
	reply->close = true;
	call_fail(&c, 400, "MalformedRequest", "This is not HTTP.");
	finish(&c, reply);
}
