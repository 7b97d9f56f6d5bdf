/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "device.h"
#include "http.h"
#include "json.h"
#include "knobs.h"
#include "sim.h"

enum { BACKLOG = 64 };

struct control_conn {
	uv_tcp_t tcp;
	uv_write_t write;
	struct sim *sim;
	struct control_conn *next;
	struct control_conn *prev;
	struct http_reader reader;
	struct buf out;
	bool close;
	bool busy;
};

/* One request: what is left of the path, and where the answer goes. */
struct job {
	struct sim *sim;
	const struct http_request *request;
	struct str rest;
	struct buf *out;
	const char *status;
};

struct route {
	const char *method;
	const char *path;
	/* More may follow the path. */
	bool prefix;
	void (*run)(struct job *job);
	const char *help;
};

static void fail(struct job *job, const char *status, const char *why)
{
	job->status = status;
	job->out->n = 0;
	buf_text(job->out, "{\"error\":");
	buf_json(job->out, str_of(why));
	buf_text(job->out, "}\n");
}

static void list_devices(struct job *job)
{
	struct buf *out = job->out;

	buf_fmt(out, "{\"count\":%u,\"counters\":", job->sim->count);
	device_json_totals(job->sim, out);
	buf_text(out, ",\"devices\":[");
	for (uint32_t i = 0; i < job->sim->count; i++) {
		buf_text(out, i ? ",\n" : "\n");
		device_json_brief(&job->sim->devices[i], out);
	}
	buf_text(out, "]}\n");
}

static bool chosen(struct job *job, uint32_t *ret_first, uint32_t *ret_last)
{
	if (knobs_devices(job->sim, job->rest, ret_first, ret_last))
		return true;
	fail(job, "404 Not Found", "no such device: a number, a range like 3-5, or all");
	return false;
}

static void show_devices(struct job *job)
{
	uint32_t first, last;

	if (!chosen(job, &first, &last))
		return;
	if (first != last)
		buf_char(job->out, '[');
	for (uint32_t n = first; n <= last; n++) {
		if (n > first)
			buf_text(job->out, ",\n");
		device_json(&job->sim->devices[n - 1], job->out);
	}
	buf_text(job->out, first != last ? "]\n" : "\n");
}

/* Each line, or each member of an object, to one device. */
static bool set_all(struct device *dev, struct str body, char *why)
{
	struct json_reader reader;
	struct str line, name, value;

	if (!str_starts(str_trim(body), "{")) {
		while (str_split(&body, '\n', &line)) {
			line = str_trim(line);
			if (line.n && !knobs_set_text(dev, line, why))
				return false;
		}
		return true;
	}
	json_reader_init(&reader, body);
	while (json_reader_next(&reader, &name, &value))
		if (!knobs_set(dev, name, value, why))
			return false;
	if (reader.bad)
		snprintf(why, KNOB_WHY,
			"the body is neither KNOB=VALUE lines nor a flat JSON object");
	return !reader.bad;
}

static void put_devices(struct job *job)
{
	char why[KNOB_WHY];
	uint32_t first, last;

	if (!chosen(job, &first, &last))
		return;
	for (uint32_t n = first; n <= last; n++)
		if (!set_all(&job->sim->devices[n - 1], job->request->body, why)) {
			fail(job, "400 Bad Request", why);
			return;
		}
	buf_fmt(job->out, "{\"ok\":true,\"devices\":%u}\n", last - first + 1);
}

static void show_counters(struct job *job)
{
	device_json_totals(job->sim, job->out);
	buf_char(job->out, '\n');
}

static void show_knobs(struct job *job)
{
	knobs_json_help(job->out);
	buf_char(job->out, '\n');
}

static void show_ready(struct job *job)
{
	device_json_ready(job->sim, job->out);
}

static void reset(struct job *job)
{
	for (uint32_t i = 0; i < job->sim->count; i++)
		device_reset_counters(&job->sim->devices[i]);
	buf_text(job->out, "{\"ok\":true}\n");
}

/* Hangs up on every client of the chosen devices. */
static void hang_up(struct job *job)
{
	uint32_t first, last;

	if (!chosen(job, &first, &last))
		return;
	for (uint32_t n = first; n <= last; n++)
		conn_close_all(job->sim, &job->sim->devices[n - 1]);
	buf_text(job->out, "{\"ok\":true}\n");
}

static void show_help(struct job *job);

static const struct route routes[] = {
	{ "GET", "/", false, show_help, "this list" },
	{ "GET", "/devices", false, list_devices, "all devices in short, and the totals" },
	{ "GET", "/devices/", true, show_devices, "N, N-M or all: state, knobs, counters, log" },
	{ "PUT", "/devices/", true, put_devices,
		"N, N-M or all: knobs, as KNOB=VALUE lines or a JSON object" },
	{ "GET", "/counters", false, show_counters, "the counters of all devices together" },
	{ "GET", "/knobs", false, show_knobs, "what can be set" },
	{ "GET", "/ready", false, show_ready, "the ready line: addresses and ports" },
	{ "POST", "/reset", false, reset, "zeroes the counters and logs" },
	{ "POST", "/hangup/", true, hang_up, "N, N-M or all: closes their connections" },
};

static void show_help(struct job *job)
{
	buf_text(job->out, "{\"calls\":[");
	for (size_t i = 0; i < COUNT(routes); i++) {
		buf_text(job->out, i ? ",\n" : "\n");
		buf_text(job->out, "{\"call\":\"");
		buf_text(job->out, routes[i].method);
		buf_char(job->out, ' ');
		buf_text(job->out, routes[i].path);
		buf_text(job->out, routes[i].prefix ? "DEVICES\",\"help\":" : "\",\"help\":");
		buf_json(job->out, str_of(routes[i].help));
		buf_char(job->out, '}');
	}
	buf_text(job->out, "]}\n");
}

static bool matches(const struct route *r, struct job *job)
{
	struct str target = job->request->target;

	if (!str_is(job->request->method, r->method) || !str_starts(target, r->path))
		return false;
	job->rest = (struct str){ target.p + strlen(r->path), target.n - strlen(r->path) };
	return r->prefix ? job->rest.n > 0 : job->rest.n == 0;
}

static void run_job(struct job *job)
{
	for (size_t i = 0; i < COUNT(routes); i++)
		if (matches(&routes[i], job)) {
			routes[i].run(job);
			return;
		}
	fail(job, "404 Not Found", "no such call; GET / lists them");
}

static void on_closed(uv_handle_t *handle)
{
	struct control_conn *c = handle->data;

	if (c->prev)
		c->prev->next = c->next;
	else
		c->sim->control_conns = c->next;
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
	struct job job = { .sim = c->sim, .request = request, .out = &body, .status = "200 OK" };

	buf_init(&body, SIZE_MAX);
	if (request)
		run_job(&job);
	else
		fail(&job, "400 Bad Request", "this is not HTTP");
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
	*ret = uv_buf_init(c->sim->read_buffer, sizeof(c->sim->read_buffer));
}

static void on_connection(uv_stream_t *server, int status)
{
	struct sim *sim = server->data;

	if (status < 0)
		return;

	struct control_conn *c = xcalloc(1, sizeof(*c));

	c->sim = sim;
	c->tcp.data = c;
	c->next = sim->control_conns;
	if (c->next)
		c->next->prev = c;
	sim->control_conns = c;
	http_reader_init(&c->reader);
	buf_init(&c->out, SIZE_MAX);
	uv_tcp_init(&sim->loop, &c->tcp);
	if (uv_accept(server, (uv_stream_t *)&c->tcp) < 0 ||
		uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) < 0)
		close_conn(c);
}

int control_start(struct sim *sim)
{
	struct sockaddr_in address;
	int n = sizeof(address), r;

	uv_ip4_addr("127.0.0.1", (int)sim->options.control, &address);
	uv_tcp_init(&sim->loop, &sim->control);
	sim->control.data = sim;
	r = uv_tcp_bind(&sim->control, (const struct sockaddr *)&address, 0);
	if (r == 0)
		r = uv_listen((uv_stream_t *)&sim->control, BACKLOG, on_connection);
	if (r == 0)
		r = uv_tcp_getsockname(&sim->control, (struct sockaddr *)&address, &n);
	if (r < 0) {
		fprintf(stderr, "powerctl-amtsim: control port %u: %s\n", sim->options.control,
			r == UV_EADDRINUSE ? "the port is in use" : uv_strerror(r));
		return -1;
	}
	sim->control_port = ntohs(address.sin_port);
	return 0;
}

void control_stop(struct sim *sim)
{
	if (sim->control.data && !uv_is_closing((uv_handle_t *)&sim->control))
		uv_close((uv_handle_t *)&sim->control, NULL);
	for (struct control_conn *c = sim->control_conns; c; c = c->next)
		close_conn(c);
}
