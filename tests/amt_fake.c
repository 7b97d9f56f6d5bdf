/* SPDX-License-Identifier: Apache-2.0 */
#include "amt_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>
#include <powerctl/powerctl.h>

#include "driver/method.h"

extern const struct pctl_driver pctl_driver;

struct fact {
	char key[32], value[208];
};

/* The core's device, as far as a driver can see it. */
struct pctl_device {
	struct fake fake; /* first: one is the other */
	struct fact facts[8];
	void *ctx;
	bool running, busy;
	struct pctl_op op;
};

static struct pctl_device *outer(const struct fake *fake)
{
	return (struct pctl_device *)(uintptr_t)fake;
}

/* --- The core's side of a device. ------------------------------------------------------------- */

uv_loop_t *pctl_device_loop(const struct pctl_device *device)
{
	return (uv_loop_t *)(uintptr_t)&device->fake.loop;
}

const char *pctl_device_name(const struct pctl_device *device)
{
	(void)device;
	return "fake";
}

static const struct pctl_property *property(const char *name)
{
	for (const struct pctl_property *p = pctl_driver.properties; p->name; p++) {
		if (strcmp(p->name, name) == 0)
			return p;
	}
	print_error("the driver asks for a setting %s that its table lacks\n", name);
	abort();
}

static const char *given(const struct pctl_device *device, const char *name)
{
	const struct fake *f = &device->fake;
	const struct {
		const char *name, *value;
	} values[] = {
		{ "tls", f->tls },
		{ "port", f->port },
		{ "tls_port", f->tls_port },
		{ "username", f->username },
		{ "client_cert", f->client_cert },
		{ "client_key", f->client_key },
		{ "secure_boot", f->secure_boot },
	};

	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		if (strcmp(values[i].name, name) == 0)
			return values[i].value;
	}
	return NULL;
}

bool pctl_setting_given(const struct pctl_device *device, const char *name)
{
	(void)property(name);
	return given(device, name) != NULL;
}

const char *pctl_setting_text(const struct pctl_device *device, const char *name)
{
	const struct pctl_property *p = property(name);
	const char *value = given(device, name);

	assert_false(p->flags & PCTL_PROPERTY_SECRET);
	return value ? value : p->default_text;
}

bool pctl_setting_bool(const struct pctl_device *device, const char *name)
{
	bool yes;

	assert_int_equal(property(name)->type, PCTL_TYPE_BOOL);
	assert_int_equal(pctl_parse_bool(pctl_setting_text(device, name), &yes), 0);
	return yes;
}

uint64_t pctl_setting_uint(const struct pctl_device *device, const char *name)
{
	const struct pctl_property *p = property(name);
	uint64_t n;

	assert_int_equal(p->type, PCTL_TYPE_UINT);
	assert_int_equal(pctl_parse_uint(pctl_setting_text(device, name), p->max, &n), 0);
	return n;
}

int pctl_setting_choice(const struct pctl_device *device, const char *name)
{
	const struct pctl_property *p = property(name);

	assert_int_equal(p->type, PCTL_TYPE_CHOICE);
	int choice = pctl_parse_choice(pctl_setting_text(device, name), p->choices);
	assert_true(choice >= 0);
	return choice;
}

const struct pctl_secret *pctl_setting_secret(const struct pctl_device *device, const char *name)
{
	assert_true(property(name)->flags & PCTL_PROPERTY_SECRET);
	return device->fake.password;
}

/* A pin of kind "tls" is the fact "pin_tls" here. */
uint64_t pctl_device_answer_ms(const struct pctl_device *device)
{
	(void)device;
	return 10000;
}

int pctl_pin_check(
	struct pctl_device *device, const char *kind, const char *value, struct pctl_error *err)
{
	(void)device, (void)kind, (void)value, (void)err;
	return 0;
}

bool pctl_pin_known(const struct pctl_device *device, const char *kind)
{
	char key[32];

	(void)snprintf(key, sizeof(key), "pin_%s", kind);
	return pctl_fact_get(device, key) != NULL;
}

int pctl_dial_error(const struct pctl_device *device, int fd, struct pctl_error *err)
{
	(void)device, (void)fd, (void)err;
	return 0;
}

const char *pctl_fact_get(const struct pctl_device *device, const char *key)
{
	for (size_t i = 0; i < 8; i++) {
		if (strcmp(device->facts[i].key, key) == 0)
			return device->facts[i].value;
	}
	return NULL;
}

void pctl_fact_put(struct pctl_device *device, const char *key, const char *value)
{
	size_t i = 0;

	assert_true(*value && strlen(value) <= 200 && !strchr(value, '\n'));
	while (device->facts[i].key[0] && strcmp(device->facts[i].key, key) != 0)
		assert_true(++i < 8);
	(void)snprintf(device->facts[i].key, sizeof(device->facts[i].key), "%s", key);
	(void)snprintf(device->facts[i].value, sizeof(device->facts[i].value), "%s", value);
}

const char *fake_fact(const struct fake *fake, const char *key)
{
	return pctl_fact_get(outer(fake), key);
}

void fake_set_fact(struct fake *fake, const char *key, const char *value)
{
	pctl_fact_put(outer(fake), key, value);
}

/* --- The HTTP engine's place. ----------------------------------------------------------------- */

struct pctl_http {
	int unused;
};

struct pctl_http_session {
	struct pctl_device *device;
	uv_timer_t *timer;
	bool tls;
	const struct exchange *now;
	struct pctl_op *op;
	pctl_http_done_fn *done;
	void *data;
};

int pctl_http_new(uv_loop_t *loop, struct pctl_http **ret, struct pctl_error *err)
{
	(void)loop, (void)err;
	*ret = pctl_xcalloc(1, sizeof(**ret));
	return 0;
}

void pctl_http_close(struct pctl_http *http, void (*closed)(void *data), void *data)
{
	free(http);
	closed(data);
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

int pctl_http_session_new(struct pctl_http *http, const struct pctl_http_settings *settings,
	struct pctl_http_session **ret, struct pctl_error *err)
{
	struct pctl_http_session *s = pctl_xcalloc(1, sizeof(*s));

	(void)http, (void)err;
	assert_true(settings->pin_realm);
	assert_int_equal(settings->auth, PCTL_HTTP_AUTH_DIGEST);
	assert_non_null(settings->username);
	s->device = settings->device;
	s->tls = settings->tls;
	s->device->fake.ports[settings->tls] = settings->port;
	s->timer = pctl_xcalloc(1, sizeof(*s->timer));
	uv_timer_init(&s->device->fake.loop, s->timer);
	s->timer->data = s;
	*ret = s;
	return 0;
}

void pctl_http_session_free(struct pctl_http_session *session)
{
	if (!session)
		return;
	uv_close((uv_handle_t *)session->timer, free_handle);
	free(session);
}

void pctl_http_session_idle(struct pctl_http_session *session)
{
	assert_null(session->now);
}

/* The text between two marks of the request, which has to be there. */
static char *between(const char *s, const char *from, const char *to)
{
	s = strstr(s, from);
	assert_non_null(s);
	s += strlen(from);
	assert_non_null(strstr(s, to));
	return pctl_xstrndup(s, (size_t)(strstr(s, to) - s));
}

static void add_with_id(struct pctl_buf *b, const char *text, const char *id)
{
	const char *mark;

	while ((mark = strstr(text, "%ID%"))) {
		pctl_buf_add(b, text, (size_t)(mark - text));
		pctl_buf_adds(b, id);
		text = mark + 4;
	}
	pctl_buf_adds(b, text);
}

static const char frame[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?><a:Envelope"
	" xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\" xmlns:b=\"x:b\" xmlns:c=\"x:c\""
	" xmlns:d=\"x:d\" xmlns:e=\"x:e\" xmlns:g=\"x:g\"><a:Header><b:To>x</b:To>"
	"<b:RelatesTo>%ID%</b:RelatesTo></a:Header><a:Body>";

static void reply(uv_timer_t *timer)
{
	struct pctl_http_session *s = timer->data;
	struct fake *fake = &s->device->fake;
	const struct exchange *x = s->now;
	struct pctl_error err = { 0 };
	struct pctl_buf b;

	s->now = NULL;
	if (x->error) {
		pctl_error_set(&err, x->error, "scripted");
		if (x->code)
			(void)pctl_error_device_code(&err, "%s", x->code);
		if (x->code && strcmp(x->code, "ECONNREFUSED") == 0)
			(void)pctl_error_flag(&err, PCTL_ERROR_NOT_LISTENING);
		s->done(s->data, NULL, &err);
		return;
	}
	char *id = between(fake->requests[fake->sent - 1], "<a:MessageID>", "<");
	pctl_buf_init(&b, SIZE_MAX / 2);
	add_with_id(&b, x->raw ? x->raw : frame, id);
	if (!x->raw) {
		pctl_buf_adds(&b, x->body);
		pctl_buf_adds(&b, "</a:Body></a:Envelope>");
	}
	struct pctl_http_answer answer = {
		.status = x->status ? x->status : 200,
		.body = b.data,
		.len = b.len,
		.server = fake->server ? fake->server : "",
		.content_type = "application/soap+xml; charset=UTF-8",
	};
	s->done(s->data, &answer, NULL);
	pctl_buf_done(&b);
	free(id);
}

static void check_request(const struct exchange *x, const struct pctl_http_session *session,
	const struct pctl_http_request *request)
{
	assert_string_equal(request->method, "POST");
	assert_string_equal(request->path, "/wsman");
	assert_int_equal(strlen(request->body), request->body_len);
	for (size_t i = 0; i < 6 && x->want[i]; i++) {
		if (!strstr(request->body, x->want[i]))
			fail_msg("no '%s' in request %s", x->want[i], request->body);
	}
	if (x->lack && strstr(request->body, x->lack))
		fail_msg("'%s' in request %s", x->lack, request->body);
	assert_int_equal(session->tls, x->tls);
	assert_int_equal(request->changes, x->changes);
}

void pctl_http_send(struct pctl_http_session *session, struct pctl_op *op,
	const struct pctl_http_request *request, pctl_http_done_fn *done, void *data)
{
	struct fake *fake = &session->device->fake;

	assert_null(session->now); /* one at a time */
	if (fake->sent == fake->exchanges)
		fail_msg("unexpected request %s", request->body);
	const struct exchange *x = &fake->script[fake->sent];
	free(fake->requests[fake->sent]);
	fake->requests[fake->sent++] = pctl_xstrdup(request->body);
	check_request(x, session, request);

	session->now = x;
	session->op = op;
	session->done = done;
	session->data = data;
	if (request->changes && x->error != PCTL_E_UNREACHABLE)
		pctl_op_committed(op);
	if (x->silent)
		return;
	uv_timer_start(session->timer, reply, 0, 0);
}

void pctl_http_cancel(struct pctl_http_session *session)
{
	uv_timer_stop(session->timer);
	session->now = NULL;
}

/* --- Running ops. ----------------------------------------------------------------------------- */

struct fake *fake_new(void)
{
	struct pctl_device *d = pctl_xcalloc(1, sizeof(*d));

	assert_int_equal(uv_loop_init(&d->fake.loop), 0);
	d->fake.tls = "false";
	return &d->fake;
}

static void nothing(void *data)
{
	(void)data;
}

void fake_open(struct fake *fake)
{
	struct pctl_device *d = outer(fake);

	if (!d->running)
		assert_int_equal(pctl_driver.start(NULL, &fake->loop, &d->ctx, &fake->opened), 0);
	d->running = true;
	fake->dev = NULL;
	(void)pctl_driver.open(d->ctx, d, &fake->dev, &fake->opened);
}

static void close_dev(struct fake *fake)
{
	if (fake->dev)
		pctl_driver.close(fake->dev, nothing, NULL);
	fake->ports[0] = fake->ports[1] = 0;
	fake->dev = NULL;
}

void fake_reopen(struct fake *fake)
{
	close_dev(fake);
	fake_open(fake);
}

void fake_free(struct fake *fake)
{
	struct pctl_device *d = outer(fake);

	if (d->busy) /* a test that failed amid an op */
		pctl_op_cancel(&d->op);
	close_dev(fake);
	if (d->running)
		pctl_driver.stop(d->ctx, nothing, NULL);
	uv_run(&fake->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&fake->loop), 0);
	for (size_t i = 0; i < 16; i++)
		free(fake->requests[i]);
	free(d);
}

void fake_script(struct fake *fake, const struct exchange *script, size_t n)
{
	assert_true(n <= 16);
	fake->script = script;
	fake->exchanges = n;
	fake->sent = 0;
}

static void on_done(struct pctl_op *op, const struct pctl_error *result)
{
	struct fake *fake = op->data;

	fake->result = *result;
	fake->done++;
	fake->taken = op->taken;
	outer(fake)->busy = false;
}

static struct pctl_op *begin(struct fake *fake)
{
	struct pctl_op *op = &outer(fake)->op;

	if (!fake->dev)
		fake_open(fake);
	assert_non_null(fake->dev);
	fake->done = 0;
	/* Only an op that is meant to hear nothing waits for its deadline. */
	uint64_t deadline = 60000;
	for (size_t i = 0; i < fake->exchanges; i++)
		if (fake->script[i].silent)
			deadline = 20;
	outer(fake)->busy = true;
	pctl_op_begin(op, &fake->loop, deadline, on_done, fake);
	return op;
}

static void finish(struct fake *fake)
{
	assert_int_equal(fake->done, 0); /* never before the starting call returned */
	uv_run(&fake->loop, UV_RUN_DEFAULT);
	assert_int_equal(fake->done, 1);
	assert_int_equal(fake->sent, fake->exchanges);
}

void fake_get(struct fake *fake, unsigned flags, struct pctl_power *ret)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.power->get(fake->dev, op, flags, ret);
	finish(fake);
}

void fake_act(struct fake *fake, enum pctl_action action)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.power->act(fake->dev, op, action);
	finish(fake);
}

void fake_boot_set(struct fake *fake, const struct pctl_boot *boot)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.boot->set(fake->dev, op, boot);
	finish(fake);
}

void fake_consent_get(struct fake *fake, struct pctl_consent *ret)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.consent->get(fake->dev, op, ret);
	finish(fake);
}

void fake_consent_request(struct fake *fake, struct pctl_consent *ret)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.consent->request(fake->dev, op, ret);
	finish(fake);
}

void fake_consent_submit(struct fake *fake, const char *code)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.consent->submit(fake->dev, op, code);
	finish(fake);
}

void fake_consent_cancel(struct fake *fake)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.consent->cancel(fake->dev, op);
	finish(fake);
}

void fake_boot_get(struct fake *fake, struct pctl_boot *ret)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.boot->get(fake->dev, op, ret);
	finish(fake);
}

void fake_info(struct fake *fake, struct pctl_value *ret)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.inspect->info(fake->dev, op, ret);
	finish(fake);
}

void fake_hardware(struct fake *fake, struct pctl_value *ret)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.inspect->hardware(fake->dev, op, ret);
	finish(fake);
}

void fake_check(struct fake *fake, struct pctl_value *ret)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.inspect->check(fake->dev, op, ret);
	finish(fake);
}

void fake_method(struct fake *fake, const char *name, struct pctl_value *take_parameters,
	struct pctl_value *ret)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_arguments *args = NULL;

	int r = pctl_arguments_new(&pctl_driver, name, take_parameters, &args, problems);
	assert_int_equal(r, 0);
	pctl_problems_free(problems);
	pctl_value_free(take_parameters);
	struct pctl_op *op = begin(fake);
	args->method->run(fake->dev, op, args, ret);
	finish(fake);
	pctl_arguments_free(args);
}

void fake_sensors(struct fake *fake, struct pctl_value *ret)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.sensors->read(fake->dev, op, ret);
	finish(fake);
}

void fake_log(struct fake *fake, const char *after, struct pctl_value *ret)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.log->read(fake->dev, op, after, ret);
	finish(fake);
}

void fake_clear_log(struct fake *fake)
{
	struct pctl_op *op = begin(fake);

	pctl_driver.log->clear(fake->dev, op);
	finish(fake);
}

/* What is open then goes on. */
void fake_console(struct fake *fake, unsigned flags, struct pctl_session **ret)
{
	struct pctl_op *op = begin(fake);

	*ret = NULL;
	pctl_driver.console->open(fake->dev, op, flags, ret);
	assert_int_equal(fake->done, 0);
	while (!fake->done)
		(void)uv_run(&fake->loop, UV_RUN_ONCE);
	assert_int_equal(fake->sent, fake->exchanges);
}

void fake_assert_failed(const struct fake *fake, int code, const char *text)
{
	if (fake->result.code != code || !strstr(fake->result.text, text))
		fail_msg("'%d: %s' (%s) instead of '%d: ...%s...'", fake->result.code,
			fake->result.text, fake->result.device_code, code, text);
}

void fake_assert_done(const struct fake *fake)
{
	if (fake->result.code)
		fail_msg("failed: %d: %s (%s)", fake->result.code, fake->result.text,
			fake->result.device_code);
}

int pctl_device_datagram_address(struct pctl_device *device, uint16_t port,
	struct sockaddr_storage *ret_addr, socklen_t *ret_len, struct pctl_error *err)
{
	(void)device, (void)port, (void)ret_addr, (void)ret_len;
	return pctl_error_set(err, PCTL_E_UNSUPPORTED, "no datagrams here");
}
