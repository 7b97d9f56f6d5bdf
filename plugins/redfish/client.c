/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One service's HTTP: an op as a chain of requests, a 401 that is answered by one new login,
 * redirects on the same origin, 503 with Retry-After, tasks (DSP0266 sections 7, 12.7 and 13).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <powerctl/buf.h>
#include <powerctl/log.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "redfish.h"

#define ROOT          "/redfish/v1/"
#define REDIRECTS_MAX 3u
#define WAITS_MAX     10u
#define WAIT_MAX_MS   10000u
#define TASK_POLL_MS  1000u
#define TASK_MAX_MS   10000u
#define GOODBYE_MS    1500u

/* --- An op. ----------------------------------------------------------------------------------- */

static void forget_request(struct call *call)
{
	if (call->request.secret && call->request.body)
		explicit_bzero(call->request.body, strlen(call->request.body));
	free(call->request.body);
	call->request.body = NULL;
	pctl_buf_done(&call->login);
	pctl_buf_init_secret(&call->login, 0);
}

static void drop(struct redfish_dev *dev)
{
	struct call *call = &dev->call;
	void *job = call->job;
	void (*done)(void *job) = call->job_done;

	(void)uv_timer_stop(&dev->timer);
	forget_request(call);
	redfish_patch_drop(call);
	free(call->search);
	call->search = NULL;
	call->op = NULL;
	call->job = NULL;
	if (job && done)
		done(job);
	free(job);
}

/* Its time was up: then the service is gone. Whoever interrupts it knows nothing of the service. */
static void on_abort(struct pctl_op *op, void *work)
{
	struct redfish_dev *dev = work;

	pctl_http_cancel(dev->http);
	dev->lost = pctl_op_time_left(op) == 0;
	drop(dev);
}

void redfish_begin(struct redfish_dev *dev, struct pctl_op *op, bool many)
{
	pctl_buf_done(&dev->call.login);
	dev->call = (struct call){ .op = op, .many = many };
	pctl_buf_init_secret(&dev->call.login, 0);
	pctl_op_pending(op, on_abort, dev);
}

void redfish_end(struct redfish_dev *dev, const struct pctl_error *err)
{
	struct pctl_op *op = dev->call.op;

	if (err)
		pctl_op_fail_error(op, err);
	else
		pctl_op_done(op);
	drop(dev); /* err may be the job's */
}

void redfish_fail(struct redfish_dev *dev, int code, const char *fmt, ...)
{
	struct pctl_error err = { 0 };
	va_list ap;

	va_start(ap, fmt);
	(void)pctl_error_setv(&err, code, fmt, ap);
	va_end(ap);
	redfish_end(dev, &err);
}

void *redfish_keep(struct redfish_dev *dev, size_t size, void (*done)(void *job))
{
	dev->call.job = pctl_xcalloc(1, size);
	dev->call.job_done = done;
	return dev->call.job;
}

void *redfish_kept(const struct redfish_dev *dev)
{
	return dev->call.job;
}

void redfish_then_end(struct redfish_dev *dev, const struct reply *reply)
{
	(void)reply;
	redfish_end(dev, NULL);
}

bool redfish_lacks(const struct pctl_error *err)
{
	return err->code == PCTL_E_UNSUPPORTED || err->code == PCTL_E_FORBIDDEN ||
	       err->code == PCTL_E_REFUSED || err->code == PCTL_E_STATE;
}

/* --- How a request ends. ---------------------------------------------------------------------- */

void redfish_fail_request(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	static const struct reply none = { .status = 0 };
	redfish_except_fn *except = dev->call.request.except;

	if (except)
		except(dev, err, reply ? reply : &none);
	else
		redfish_end(dev, err);
}

void redfish_fail_text(struct redfish_dev *dev, int code, const char *text)
{
	struct pctl_error err = { 0 };

	(void)pctl_error_set(&err, code, "%s", text);
	redfish_fail_request(dev, &err, NULL);
}

/* What the device said no to did not happen; of 500, 502 and 504 nobody can be sure. */
static void refuse(struct redfish_dev *dev, const struct reply *reply)
{
	const struct request *request = &dev->call.request;
	struct pctl_error err = { 0 };
	bool no = (reply->status >= 300 && reply->status < 500) || reply->status == 501 ||
		  reply->status == 503;

	(void)doc_error(reply->status, reply->doc, request->what, &err);
	if ((request->flags & REQUEST_CHANGES) && no)
		pctl_op_not_taken(dev->call.op);
	redfish_fail_request(dev, &err, reply);
}

static void succeed(struct redfish_dev *dev, const struct reply *reply)
{
	dev->call.request.then(dev, reply);
}

/* --- Waiting. --------------------------------------------------------------------------------- */

static uint64_t now(const struct redfish_dev *dev)
{
	return uv_now(pctl_device_loop(dev->device));
}

/* Seconds of a Retry-After, in ms; 0: none that is a number. */
static uint64_t retry_after(const struct pctl_http_answer *answer)
{
	const char *text = pctl_http_answer_field(answer, "Retry-After");
	uint64_t seconds;

	return text && pctl_parse_uint(text, 3600, &seconds) == 0 ? seconds * 1000 : 0;
}

static void on_wait(uv_timer_t *timer)
{
	struct redfish_dev *dev = timer->data;

	if (dev->call.stage == STAGE_TASK)
		redfish_transmit(dev, STAGE_TASK);
	else
		redfish_go_on(dev);
}

static void wait_for(struct redfish_dev *dev, uint64_t ms)
{
	(void)uv_timer_start(&dev->timer, on_wait, ms, 0);
}

/* A device that says when to come again is asked again then; one that does not is the core's. */
static bool waits(struct redfish_dev *dev, const struct pctl_http_answer *answer)
{
	uint64_t ms = retry_after(answer);
	bool later = answer->status == 503 || answer->status == 429;

	if (!later || !ms || ms > WAIT_MAX_MS || dev->call.waits >= WAITS_MAX ||
		ms + 1000 > pctl_op_time_left(dev->call.op))
		return false;
	dev->call.waits++;
	if (answer->status == 429 && dev->call.stage == STAGE_REQUEST &&
		(dev->call.request.flags & REQUEST_CHANGES))
		pctl_op_not_taken(dev->call.op);
	wait_for(dev, ms);
	return true;
}

/* --- Tasks. ----------------------------------------------------------------------------------- */

static bool task_path(struct redfish_dev *dev, const struct reply *reply)
{
	const char *host = pctl_device_host(dev->device);
	const char *monitor = doc_text(reply->doc, "TaskMonitor");
	const char *where = reply->location ? reply->location : monitor;

	if (!where)
		where = doc_text(reply->doc, "@odata.id");
	return where && doc_same_origin(where, host, dev->port, dev->tls, dev->call.task,
				sizeof(dev->call.task));
}

static void poll_later(struct redfish_dev *dev, const struct pctl_http_answer *answer)
{
	uint64_t ms = retry_after(answer), left = dev->call.task_until - now(dev);

	if (!ms)
		ms = TASK_POLL_MS;
	dev->call.stage = STAGE_TASK;
	wait_for(dev, ms < left ? ms : left);
}

/* True: the request went on as a task, which is watched for a while. */
static bool follow(
	struct redfish_dev *dev, const struct pctl_http_answer *answer, const struct reply *reply)
{
	uint64_t left = pctl_op_time_left(dev->call.op) / 2;

	if (reply->status != 202 || strcmp(dev->call.request.method, "GET") == 0 ||
		!task_path(dev, reply))
		return false;
	pctl_op_taken(dev->call.op);
	dev->call.task_until = now(dev) + (left < TASK_MAX_MS ? left : TASK_MAX_MS);
	poll_later(dev, answer);
	return true;
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; word && *words; words++)
		if (strcmp(word, *words) == 0)
			return true;
	return false;
}

static void on_task(
	struct redfish_dev *dev, const struct pctl_http_answer *answer, const struct reply *reply)
{
	static const char *const failed[] = { "Exception", "Killed", "Cancelled", "Interrupted",
		NULL };
	static const char *const ended[] = { "Completed", NULL };
	const char *state = doc_text(reply->doc, "TaskState");
	struct pctl_error err = { 0 };

	if (is_one_of(state, failed)) {
		(void)doc_error(reply->status, reply->doc, dev->call.request.what, &err);
		err.code = err.code == PCTL_E_AUTH ? PCTL_E_REFUSED : err.code;
		redfish_fail_request(dev, &err, NULL);
	} else if (reply->status >= 400 && reply->status != 404 && reply->status != 401) {
		/* The monitor's last answer is the request's. */
		(void)doc_error(reply->status, reply->doc, dev->call.request.what, &err);
		redfish_fail_request(dev, &err, reply);
	} else if ((reply->status == 202 || (state && !is_one_of(state, ended))) &&
		   now(dev) < dev->call.task_until) {
		poll_later(dev, answer);
	} else {
		succeed(dev, reply); /* ended, forgotten, or still going on: it was taken */
	}
}

/* --- Answers. --------------------------------------------------------------------------------- */

static void take_root(struct redfish_dev *dev, const struct reply *reply)
{
	const json_t *expand = doc_at(reply->doc, "ProtocolFeaturesSupported/ExpandQuery");
	bool can = doc_is_true(expand, "NoLinks") || doc_is_true(expand, "ExpandAll");

	json_decref(dev->root);
	dev->root = json_incref((json_t *)(uintptr_t)reply->doc);
	redfish_put_fact(dev, FACT_EXPAND, can ? "yes" : "no");
	redfish_put_fact(dev, FACT_SYSTEMS, doc_link(dev->root, "Systems"));
}

static void on_root(struct redfish_dev *dev, const struct reply *reply)
{
	if (reply->status == 200 && reply->doc) {
		take_root(dev, reply);
		redfish_login_begin(dev);
	} else {
		/* Whoever hides it has no sessions that could be found. */
		redfish_login_none(dev, false);
	}
}

static bool redirected(struct redfish_dev *dev, const struct reply *reply)
{
	struct request *request = &dev->call.request;
	bool get = strcmp(request->method, "GET") == 0;
	char path[DOC_PATH_MAX];
	/* 301 to 303 turn what is not GET into GET. */
	bool keeps = reply->status == 307 || reply->status == 308;

	if (reply->status < 301 || reply->status > 308 || (!get && !keeps) || !reply->location ||
		dev->call.redirects++ >= REDIRECTS_MAX ||
		!doc_same_origin(reply->location, pctl_device_host(dev->device), dev->port,
			dev->tls, path, sizeof(path)))
		return false;
	if (request->flags & REQUEST_CHANGES)
		pctl_op_not_taken(dev->call.op);
	(void)snprintf(request->path, sizeof(request->path), "%s", path);
	redfish_go_on(dev);
	return true;
}

static void on_reply(
	struct redfish_dev *dev, const struct pctl_http_answer *answer, const struct reply *reply)
{
	bool get = strcmp(dev->call.request.method, "GET") == 0;

	if ((reply->status >= 300 && redirected(dev, reply)) || waits(dev, answer))
		return;
	if (reply->status == 401)
		redfish_login_refused(dev, answer, reply);
	else if (reply->status >= 300 && reply->status < 400)
		redfish_fail_text(dev, PCTL_E_PROTOCOL,
			"it sends us elsewhere (a redirect to another host, or in a circle)");
	else if (reply->status >= 400)
		refuse(dev, reply);
	else if (get && !reply->doc)
		redfish_fail_text(dev, PCTL_E_PROTOCOL, "its answer is empty");
	else if (!follow(dev, answer, reply))
		succeed(dev, reply);
}

static void dispatch(
	struct redfish_dev *dev, const struct pctl_http_answer *answer, const struct reply *reply)
{
	if (dev->call.stage != STAGE_REQUEST && dev->call.stage != STAGE_TASK && waits(dev, answer))
		return;
	switch (dev->call.stage) {
	case STAGE_ROOT:
		on_root(dev, reply);
		break;
	case STAGE_LOGIN:
		redfish_login_answered(dev, answer, reply);
		break;
	case STAGE_TASK:
		on_task(dev, answer, reply);
		break;
	case STAGE_REQUEST:
		on_reply(dev, answer, reply);
		break;
	}
}

/* A page where a document belongs is a fault only where the document is wanted. */
static json_t *read_body(
	struct redfish_dev *dev, const struct pctl_http_answer *answer, struct pctl_error *err)
{
	bool get = dev->call.stage == STAGE_REQUEST && strcmp(dev->call.request.method, "GET") == 0;
	json_t *doc = answer->len ? doc_read(answer->body, answer->len, err) : NULL;

	if (doc || !get || answer->status >= 300)
		err->code = 0;
	return doc;
}

static void on_http(void *data, const struct pctl_http_answer *answer, const struct pctl_error *err)
{
	struct redfish_dev *dev = data;
	struct pctl_error bad = { 0 };
	char path[DOC_PATH_MAX];

	dev->lost = err && err->code != PCTL_E_PROTOCOL;
	if (err) {
		redfish_fail_request(dev, err, NULL);
		return;
	}
	json_t *doc = read_body(dev, answer, &bad);
	(void)snprintf(path, sizeof(path), "%s", dev->call.request.path);
	const struct reply reply = {
		.status = answer->status,
		.doc = doc,
		.etag = pctl_http_answer_field(answer, "ETag"),
		.location = pctl_http_answer_field(answer, "Location"),
		.allow = pctl_http_answer_field(answer, "Allow"),
		.path = path,
	};
	if (bad.code)
		redfish_fail_request(dev, &bad, NULL);
	else
		dispatch(dev, answer, &reply);
	json_decref(doc);
}

/* --- Sending. --------------------------------------------------------------------------------- */

static const char *const wanted[] = { "ETag", "Location", "Retry-After", "Allow", "X-Auth-Token",
	"WWW-Authenticate", NULL };

static void send_one(struct redfish_dev *dev, struct pctl_op *op, struct pctl_http_request *r,
	const char *etag, bool with_login)
{
	const bool token = with_login && dev->token;
	const struct pctl_http_field fields[] = {
		{ "OData-Version", "4.0", false },
		{ "Accept", "application/json", false },
		{ "If-Match", etag, false },
		{ "X-Auth-Token", token ? pctl_secret_data(dev->token) : "", true },
	};

	r->size = sizeof(*r);
	r->no_login = !with_login || token;
	r->any_status = true;
	r->fields = fields;
	r->n_fields = sizeof(fields) / sizeof(fields[0]);
	r->wanted = wanted;
	if (r->body)
		r->content_type = "application/json";
	pctl_http_send(dev->http, op, r, on_http, dev);
}

void redfish_transmit(struct redfish_dev *dev, enum stage stage)
{
	struct call *call = &dev->call;
	const struct request *request = &call->request;
	struct pctl_http_request r = { .method = "GET", .path = ROOT };
	bool with_login = stage == STAGE_TASK;

	call->stage = stage;
	if (stage == STAGE_LOGIN) {
		r.method = "POST";
		r.path = redfish_login_path(dev);
		r.body = call->login.data;
		r.body_len = call->login.len;
	} else if (stage == STAGE_TASK) {
		r.path = call->task;
	} else if (stage == STAGE_REQUEST) {
		r.method = request->method;
		r.path = request->path;
		r.body = request->body;
		r.body_len = request->body ? strlen(request->body) : 0;
		r.changes = request->flags & REQUEST_CHANGES;
		with_login = !(request->flags & REQUEST_PUBLIC);
	}
	dev->basic_sent += with_login && !dev->token;
	send_one(dev, call->op, &r, stage == STAGE_REQUEST ? request->etag : "", with_login);
}

void redfish_go_on(struct redfish_dev *dev)
{
	bool is_public = dev->call.request.flags & REQUEST_PUBLIC;

	if (!is_public && !dev->token && redfish_login_wanted(dev))
		redfish_login_begin(dev);
	else
		redfish_transmit(dev, STAGE_REQUEST);
}

static void begin_request(struct redfish_dev *dev, const struct request *request, const char *path)
{
	struct call *call = &dev->call;

	forget_request(call);
	call->request = *request;
	call->redirects = call->waits = 0;
	(void)snprintf(call->request.path, sizeof(call->request.path), "%s", path);
	redfish_go_on(dev);
}

void redfish_get(struct redfish_dev *dev, const char *path, unsigned flags, redfish_then_fn *then,
	redfish_except_fn *except)
{
	begin_request(dev,
		&(struct request){ .method = "GET",
			.flags = flags,
			.what = "the request",
			.then = then,
			.except = except },
		path);
}

static void begin_change(
	struct redfish_dev *dev, struct request *request, const char *path, const char *etag)
{
	request->flags = REQUEST_CHANGES;
	if (etag)
		(void)snprintf(request->etag, sizeof(request->etag), "%s", etag);
	dev->call.many = true;
	begin_request(dev, request, path);
}

void redfish_send(struct redfish_dev *dev, const char *method, const char *path, json_t *take_body,
	const char *etag, const char *what, redfish_then_fn *then, redfish_except_fn *except)
{
	struct request request = { .method = method, .what = what, .then = then, .except = except };

	if (take_body) {
		request.body = json_dumps(take_body, JSON_COMPACT);
		json_decref(take_body);
		if (!request.body)
			pctl_out_of_memory();
	}
	begin_change(dev, &request, path, etag);
}

void redfish_send_secret(struct redfish_dev *dev, const char *method, const char *path,
	const struct pctl_buf *body, const char *etag, const char *what, redfish_then_fn *then,
	redfish_except_fn *except)
{
	struct request request = { .method = method,
		.body = pctl_xstrdup(body->data),
		.secret = true,
		.what = what,
		.then = then,
		.except = except };

	begin_change(dev, &request, path, etag);
}

/* --- The service root. ------------------------------------------------------------------------ */

static void got_root(struct redfish_dev *dev, const struct reply *reply)
{
	take_root(dev, reply);
	dev->call.root_then(dev, NULL);
}

static void no_service(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	if (reply->status == 404)
		redfish_fail(dev, PCTL_E_UNSUPPORTED,
			"there is no Redfish service on port %u (HTTP 404 for " ROOT ")",
			dev->port);
	else
		redfish_end(dev, err);
}

/* Some know it only without its slash, which is no redirect of theirs. */
static void no_root(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	if (reply->status == 404)
		redfish_get(dev, "/redfish/v1", REQUEST_PUBLIC, got_root, no_service);
	else
		redfish_end(dev, err);
}

void redfish_with_root(struct redfish_dev *dev, redfish_then_fn *then)
{
	dev->call.root_then = then;
	if (dev->root)
		then(dev, NULL);
	else
		redfish_get(dev, ROOT, REQUEST_PUBLIC, got_root, no_root);
}

/* --- Goodbye. --------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
	struct redfish_dev *dev = handle->data;

	dev->closed(dev);
}

static void end_goodbye(struct redfish_dev *dev)
{
	(void)uv_timer_stop(&dev->timer);
	redfish_login_forget(dev);
	pctl_http_session_free(dev->http);
	json_decref(dev->root);
	json_decref(dev->host);
	pctl_buf_done(&dev->call.login);
	uv_close((uv_handle_t *)&dev->timer, on_timer_closed);
}

static void on_goodbye(
	void *data, const struct pctl_http_answer *answer, const struct pctl_error *err)
{
	(void)answer, (void)err;
	end_goodbye(data);
}

static void on_no_goodbye(uv_timer_t *timer)
{
	struct redfish_dev *dev = timer->data;

	pctl_http_cancel(dev->http);
	end_goodbye(dev);
}

/* A session that is not ended counts among the few a BMC has until it runs out. */
void redfish_client_close(struct redfish_dev *dev, void (*closed)(struct redfish_dev *dev))
{
	const struct pctl_http_field fields[] = {
		{ "OData-Version", "4.0", false },
		{ "X-Auth-Token", dev->token ? pctl_secret_data(dev->token) : "", true },
	};
	const struct pctl_http_request r = { .size = sizeof(r),
		.method = "DELETE",
		.path = dev->token_path,
		.no_login = true,
		.any_status = true,
		.fields = fields,
		.n_fields = 2 };

	dev->closed = closed;
	if (!dev->token || !*dev->token_path || dev->lost) {
		end_goodbye(dev);
		return;
	}
	(void)uv_timer_start(&dev->timer, on_no_goodbye, GOODBYE_MS, 0);
	pctl_http_send(dev->http, NULL, &r, on_goodbye, dev);
}
