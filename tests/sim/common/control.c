/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "json.h"

enum { BACKLOG = 64 };

struct control_conn {
	uv_tcp_t tcp;
	uv_write_t write;
	struct control *control;
	struct control_conn *next;
	struct control_conn *prev;
	struct http_reader reader;
	struct buf out;
	bool close;
	bool busy;
};

void control_fail(struct control_job *job, const char *status, const char *why)
{
	job->status = status;
	job->out->n = 0;
	buf_text(job->out, "{\"error\":");
	buf_json(job->out, str_of(why));
	buf_text(job->out, "}\n");
}

static void totals(const struct fleet *fleet, struct buf *out)
{
	counter_json_totals(fleet->counters, fleet->devices, fleet->size, fleet->count, out);
}

static void list_devices(struct control_job *job)
{
	const struct fleet *fleet = job->control->fleet;
	struct buf *out = job->out;

	buf_fmt(out, "{\"count\":%u,\"counters\":", fleet->count);
	totals(fleet, out);
	buf_text(out, ",\"devices\":[");
	for (uint32_t i = 0; i < fleet->count; i++) {
		buf_text(out, i ? ",\n" : "\n");
		fleet_json_brief(fleet, i, out);
	}
	buf_text(out, "]}\n");
}

bool control_devices(struct control_job *job, uint32_t *ret_first, uint32_t *ret_last)
{
	if (knob_devices(job->control->fleet->count, job->rest, ret_first, ret_last))
		return true;
	control_fail(job, "404 Not Found", "no such device: a number, a range like 3-5, or all");
	return false;
}

static void show_devices(struct control_job *job)
{
	uint32_t first, last;

	if (!control_devices(job, &first, &last))
		return;
	if (first != last)
		buf_char(job->out, '[');
	for (uint32_t n = first; n <= last; n++) {
		if (n > first)
			buf_text(job->out, ",\n");
		fleet_json_device(job->control->fleet, n - 1, job->out);
	}
	buf_text(job->out, first != last ? "]\n" : "\n");
}

/* Each line, or each member of an object, to one device. */
static bool set_all(const struct knob_table *knobs, struct device *dev, struct str body, char *why)
{
	struct json_reader reader;
	struct str line, name, value;

	if (!str_starts(str_trim(body), "{")) {
		while (str_split(&body, '\n', &line)) {
			line = str_trim(line);
			if (line.n && !knob_set_text(knobs, dev, line, why))
				return false;
		}
		return true;
	}
	json_reader_init(&reader, body);
	while (json_reader_next(&reader, &name, &value))
		if (!knob_set(knobs, dev, name, value, why))
			return false;
	if (reader.bad)
		snprintf(why, KNOB_WHY,
			"the body is neither KNOB=VALUE lines nor a flat JSON object");
	return !reader.bad;
}

static void put_devices(struct control_job *job)
{
	const struct fleet *fleet = job->control->fleet;
	char why[KNOB_WHY];
	uint32_t first, last;

	if (!control_devices(job, &first, &last))
		return;
	for (uint32_t n = first; n <= last; n++)
		if (!set_all(fleet->knobs, fleet_device(job->control->fleet, n - 1),
			    job->request->body, why)) {
			control_fail(job, "400 Bad Request", why);
			return;
		}
	buf_fmt(job->out, "{\"ok\":true,\"devices\":%u}\n", last - first + 1);
}

static void show_counters(struct control_job *job)
{
	totals(job->control->fleet, job->out);
	buf_char(job->out, '\n');
}

static void show_device_counters(struct control_job *job)
{
	const struct fleet *fleet = job->control->fleet;
	uint32_t first, last;

	if (!control_devices(job, &first, &last))
		return;
	buf_char(job->out, '[');
	for (uint32_t n = first; n <= last; n++) {
		buf_text(job->out, n > first ? ",\n" : "");
		counter_json(fleet->counters, fleet_device(fleet, n - 1), job->out);
	}
	buf_text(job->out, "]\n");
}

static void show_knobs(struct control_job *job)
{
	knob_json_help(job->control->fleet->knobs, job->out);
	buf_char(job->out, '\n');
}

static void show_ready(struct control_job *job)
{
	fleet_json_ready(job->control, job->out);
}

static void reset(struct control_job *job)
{
	const struct fleet *fleet = job->control->fleet;

	for (uint32_t i = 0; i < fleet->count; i++)
		fleet->reset_counters(fleet_device(job->control->fleet, i));
	buf_text(job->out, "{\"ok\":true}\n");
}

static void show_help(struct control_job *job);

static const struct control_route routes[] = {
	{ "GET", "/", false, show_help, "this list" },
	{ "GET", "/devices", false, list_devices, "all devices in short, and the totals" },
	{ "GET", "/devices/", true, show_devices, "N, N-M or all: state, knobs, counters, log" },
	{ "PUT", "/devices/", true, put_devices,
		"N, N-M or all: knobs, as KNOB=VALUE lines or a JSON object" },
	{ "GET", "/counters", false, show_counters, "the counters of all devices together" },
	{ "GET", "/counters/", true, show_device_counters,
		"N, N-M or all: a list of the counters of each" },
	{ "GET", "/knobs", false, show_knobs, "what can be set" },
	{ "GET", "/ready", false, show_ready, "the ready line: addresses and ports" },
	{ "POST", "/reset", false, reset, "zeroes the counters and logs" },
};

/* The common ones, then the program's own; NULL behind the last. */
static const struct control_route *route_at(const struct control *c, size_t i)
{
	if (i < COUNT(routes))
		return &routes[i];
	i -= COUNT(routes);
	return i < c->fleet->nroutes ? &c->fleet->routes[i] : NULL;
}

static void show_help(struct control_job *job)
{
	const struct control_route *r;

	buf_text(job->out, "{\"calls\":[");
	for (size_t i = 0; (r = route_at(job->control, i)); i++) {
		buf_text(job->out, i ? ",\n" : "\n");
		buf_text(job->out, "{\"call\":\"");
		buf_text(job->out, r->method);
		buf_char(job->out, ' ');
		buf_text(job->out, r->path);
		buf_text(job->out, r->prefix ? "DEVICES\",\"help\":" : "\",\"help\":");
		buf_json(job->out, str_of(r->help));
		buf_char(job->out, '}');
	}
	buf_text(job->out, "]}\n");
}

static bool matches(const struct control_route *r, struct control_job *job)
{
	struct str target = job->request->target;

	if (!str_is(job->request->method, r->method) || !str_starts(target, r->path))
		return false;
	job->rest = (struct str){ target.p + strlen(r->path), target.n - strlen(r->path) };
	return r->prefix ? job->rest.n > 0 : job->rest.n == 0;
}

static void run_job(struct control_job *job)
{
	const struct control_route *r;

	for (size_t i = 0; (r = route_at(job->control, i)); i++)
		if (matches(r, job)) {
			r->run(job);
			return;
		}
	control_fail(job, "404 Not Found", "no such call; GET / lists them");
}

static void on_closed(uv_handle_t *handle)
{
	struct control_conn *c = handle->data;

	if (c->prev)
		c->prev->next = c->next;
	else
		c->control->conns = c->next;
	if (c->next)
		c->next->prev = c->prev;
	http_reader_done(&c->reader);
	buf_done(&c->out);
	free(c);
}

static void close_conn(struct control_conn *c)
{
	if (!uv_is_closing((uv_handle_t *)&c->tcp))
		uv_close((uv_handle_t *)&c->tcp, on_closed);
}

static void advance(struct control_conn *c);

static void on_written(uv_write_t *req, int status)
{
	struct control_conn *c = req->data;

	c->busy = false;
	if (status < 0 || c->close)
		close_conn(c);
	else
		advance(c);
}

static void respond(struct control_conn *c, const struct http_request *request)
{
	struct buf body;
	struct control_job job = {
		.control = c->control, .request = request, .out = &body, .status = "200 OK"
	};

	buf_init(&body, SIZE_MAX);
	if (request)
		run_job(&job);
	else
		control_fail(&job, "400 Bad Request", "this is not HTTP");
	c->close = !request || request->close;
	c->out.n = 0;
	buf_fmt(&c->out,
		"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n%s\r\n",
		job.status, body.n, c->close ? "Connection: close\r\n" : "");
	buf_add(&c->out, body.p, body.n);
	buf_done(&body);
	http_reader_drop(&c->reader);

	uv_buf_t b = uv_buf_init(c->out.p, (unsigned)c->out.n);

	c->busy = true;
	c->write.data = c;
	if (uv_write(&c->write, (uv_stream_t *)&c->tcp, &b, 1, on_written) < 0)
		close_conn(c);
}

static void advance(struct control_conn *c)
{
	struct http_request request;

	if (c->busy || !http_reader_pending(&c->reader))
		return;
	switch (http_reader_next(&c->reader, &request)) {
	case HTTP_MORE:
		break;
	case HTTP_DONE:
		respond(c, &request);
		break;
	case HTTP_BAD:
	case HTTP_TOO_BIG:
		respond(c, NULL);
		break;
	}
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct control_conn *c = stream->data;

	if (n < 0)
		close_conn(c);
	if (n <= 0)
		return;
	http_reader_feed(&c->reader, b->base, (size_t)n);
	advance(c);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
	struct control_conn *c = handle->data;

	(void)suggested;
	*ret = uv_buf_init(c->control->read_buffer, sizeof(c->control->read_buffer));
}

static void on_connection(uv_stream_t *server, int status)
{
	struct control *control = server->data;

	if (status < 0)
		return;

	struct control_conn *c = xcalloc(1, sizeof(*c));

	c->control = control;
	c->tcp.data = c;
	c->next = control->conns;
	if (c->next)
		c->next->prev = c;
	control->conns = c;
	http_reader_init(&c->reader);
	buf_init(&c->out, SIZE_MAX);
	uv_tcp_init(control->loop, &c->tcp);
	if (uv_accept(server, (uv_stream_t *)&c->tcp) < 0 ||
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		close_conn(c);
}

int control_start(struct control *c, uv_loop_t *loop, uint32_t port)
{
	struct sockaddr_in address;
	int n = sizeof(address), r;

	c->loop = loop;
	uv_ip4_addr("127.0.0.1", (int)port, &address);
	uv_tcp_init(loop, &c->tcp);
	c->tcp.data = c;
	r = uv_tcp_bind(&c->tcp, (const struct sockaddr *)&address, 0);
	if (r == 0)
		r = uv_listen((uv_stream_t *)&c->tcp, BACKLOG, on_connection);
	if (r == 0)
		r = uv_tcp_getsockname(&c->tcp, (struct sockaddr *)&address, &n);
	if (r < 0) {
		fprintf(stderr, "%s: control port %u: %s\n", c->fleet->program, port,
			r == UV_EADDRINUSE ? "the port is in use" : uv_strerror(r));
		return -1;
	}
	c->port = ntohs(address.sin_port);
	return 0;
}

void control_stop(struct control *c)
{
	if (c->tcp.data && !uv_is_closing((uv_handle_t *)&c->tcp))
		uv_close((uv_handle_t *)&c->tcp, NULL);
	for (struct control_conn *conn = c->conns; conn; conn = conn->next)
		close_conn(conn);
}
