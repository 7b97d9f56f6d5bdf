/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a redirection session begins and ends, of a console as of all of them: whom it is taken from,
 * what it is lost by, and who has it then. In the place of powerctl's connections are scripts.
 */
#include "amt_fake.h"

#include <stdlib.h>
#include <string.h>

#include <powerctl/connection.h>
#include <powerctl/mem.h>
#include <powerctl/secret.h>

#include "redirection/tap.h"

#define PATIENCE_MS 60000u

/* --- Connections. ----------------------------------------------------------------------------- */

/* What comes back for one writing. */
struct reply {
	const void *bytes;
	size_t len;
};
#define REPLY(...)                                                                         \
	{                                                                                  \
		(const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ }) \
	}

#define STARTED REPLY(0x11, 0, 0, 0, 1, 0, 12, 0, 0x57, 1, 0, 0, 0)
#define BUSY    REPLY(0x11, 2, 0, 0)
#define LOGINS  REPLY(0x14, 0, 0, 0, 0, 1, 0, 0, 0, 1)
#define TAKEN   REPLY(0x14, 0, 0, 0, 1, 0, 0, 0, 0)
#define OPENED  REPLY(0x21, 0, 0, 0, [22] = 0)
#define CLOSED  REPLY(0x23, 0, 0, 0, 0, 0, 0, 0)
#define BEAT    0x2B, 0, 0, 0, 0, 0, 0, 0

static const struct reply opens[] = { STARTED, LOGINS, TAKEN, OPENED, CLOSED, { 0 } };
static const struct reply stalls[] = { STARTED, LOGINS, TAKEN, REPLY(BEAT), { 0 } };
static const struct reply is_free[] = { STARTED, { 0 } };
static const struct reply is_busy[] = { BUSY, { 0 } };

struct pctl_connection {
	uv_timer_t *timer; /* for what follows */
	const struct pctl_connection_events *events;
	void *data;
	const struct reply *next;
	uint8_t in[128];
	size_t n;
	unsigned watched;
	uint64_t limit_ms;
	bool open, dropped;
};

/* The scripts of connections in the order in which they are made, and the latest of these. */
static struct {
	const struct reply *const *scripts;
	unsigned made;
	struct pctl_connection *latest;
} net;

static void on_turn(uv_timer_t *timer);

static void wake(struct pctl_connection *c)
{
	bool reads = c->watched & PCTL_CONNECTION_READ && (c->n || c->dropped);

	if (!c->open || c->watched & PCTL_CONNECTION_WRITE || reads)
		assert_int_equal(uv_timer_start(c->timer, on_turn, 0, 0), 0);
}

static void on_turn(uv_timer_t *timer)
{
	struct pctl_connection *c = timer->data;

	if (c->open) {
		c->events->ready(c->data, c->watched);
	} else {
		c->open = true;
		c->events->opened(c->data, NULL);
	}
	if (timer->data) /* it was not closed meanwhile */
		wake(c);
}

int pctl_connection_new(struct pctl_http *http, const struct pctl_connection_settings *settings,
	const struct pctl_connection_events *events, void *data, struct pctl_connection **ret,
	struct pctl_error *err)
{
	struct pctl_connection *c = pctl_xcalloc(1, sizeof(*c));

	(void)http, (void)err;
	assert_true(settings->tls);
	c->timer = pctl_xcalloc(1, sizeof(*c->timer));
	assert_int_equal(uv_timer_init(pctl_device_loop(settings->device), c->timer), 0);
	c->timer->data = c;
	c->events = events;
	c->data = data;
	c->next = net.scripts[net.made++];
	assert_non_null(c->next);
	net.latest = *ret = c;
	wake(c);
	return 0;
}

void pctl_connection_watch(struct pctl_connection *c, unsigned what)
{
	c->watched = what;
	wake(c);
}

int pctl_connection_read(
	struct pctl_connection *c, void *buf, size_t size, size_t *ret_n, struct pctl_error *err)
{
	size_t n = c->n < size ? c->n : size;

	if (!n && c->dropped) {
		(void)pctl_error_set(err, PCTL_E_UNREACHABLE, "connection closed");
		return pctl_error_flag(err, PCTL_ERROR_DROPPED);
	}
	memcpy(buf, c->in, n);
	memmove(c->in, c->in + n, c->n - n);
	c->n -= n;
	*ret_n = n;
	return 0;
}

static void comes(struct pctl_connection *c, const void *bytes, size_t len)
{
	assert_true(len <= sizeof(c->in) - c->n);
	memcpy(c->in + c->n, bytes, len);
	c->n += len;
	wake(c);
}

static void drops(struct pctl_connection *c)
{
	c->dropped = true;
	wake(c);
}

int pctl_connection_write(struct pctl_connection *c, const void *data, size_t len, size_t *ret_n,
	struct pctl_error *err)
{
	(void)data, (void)err;
	*ret_n = len;
	if (c->next->bytes) {
		comes(c, c->next->bytes, c->next->len);
		c->next++;
	}
	return 0;
}

void pctl_connection_expect(struct pctl_connection *c, uint64_t ms)
{
	c->limit_ms = ms;
}

int pctl_connection_take(struct pctl_connection *c)
{
	(void)c;
	return -1;
}

static void free_handle(uv_handle_t *handle)
{
	free(handle);
}

void pctl_connection_close(struct pctl_connection *c)
{
	if (!c)
		return;
	c->timer->data = NULL;
	uv_close((uv_handle_t *)c->timer, free_handle);
	if (net.latest == c)
		net.latest = NULL;
	free(c);
}

/* --- A console. ------------------------------------------------------------------------------- */

struct console {
	struct fake *fake;
	struct pctl_session *session;
	struct pctl_error why;
	int ends;
};

static int set_up(void **state)
{
	struct console *c = pctl_xcalloc(1, sizeof(*c));

	c->fake = fake_new();
	c->fake->tls = "true";
	c->fake->username = "admin";
	c->fake->password = pctl_secret_new("P@ssw0rd", 8);
	memset(&net, 0, sizeof(net));
	*state = c;
	return 0;
}

static int tear_down(void **state)
{
	struct console *c = *state;
	struct pctl_secret *password = (void *)(uintptr_t)c->fake->password;

	fake_free(c->fake);
	pctl_secret_free(password);
	free(c);
	return 0;
}

#define SWITCHED_ON                                                                      \
	{                                                                                \
		.want = { "Get", "AMT_RedirectionService" }, .tls = true,                \
		.body = INSTANCE("AMT_RedirectionService",                               \
			FIELD("EnabledState", "32771") FIELD("ListenerEnabled", "true")) \
	}

static void on_ended(void *data, const struct pctl_error *err)
{
	struct console *c = data;

	c->why = *err;
	c->ends++;
}

/* Each connection that is made from here on has a script of its own. */
#define CONNECTIONS(...)                                                             \
	do {                                                                         \
		static const struct reply *const scripts_[] = { __VA_ARGS__, NULL }; \
		net.scripts = scripts_;                                              \
	} while (0)

static void open_console(struct console *c)
{
	SCRIPT(c->fake, SWITCHED_ON);
	fake_console(c->fake, 0, &c->session);
	fake_assert_done(c->fake);
	c->session->ended = on_ended;
	c->session->data = c;
}

static uint64_t deadline(const struct console *c)
{
	uv_update_time(&c->fake->loop);
	return uv_now(&c->fake->loop) + PATIENCE_MS;
}

static void until_ended(struct console *c)
{
	for (uint64_t end = deadline(c); !c->ends && uv_now(&c->fake->loop) < end;)
		(void)uv_run(&c->fake->loop, UV_RUN_ONCE);
	assert_int_equal(c->ends, 1);
}

static void assert_why(const struct console *c, int code, const char *text)
{
	assert_string_equal(c->why.text, text);
	assert_int_equal(c->why.code, code);
}

static void test_closed(void **state)
{
	struct console *c = *state;

	CONNECTIONS(opens);
	open_console(c);
	c->session->close(c->session);
	until_ended(c);
	assert_why(c, 0, "");
}

/* Who closes it while it is found out why it has ended hears as much as is known. */
static void test_closed_when_it_was_lost(void **state)
{
	struct console *c = *state;

	CONNECTIONS(opens, is_free, is_free);
	open_console(c);
	drops(net.latest);
	while (net.latest)
		(void)uv_run(&c->fake->loop, UV_RUN_ONCE);
	assert_int_equal(c->ends, 0);
	c->session->close(c->session);
	until_ended(c);
	assert_why(c, PCTL_E_UNREACHABLE, "connection lost: the device closed it");
}

/* In the middle of a frame as well. */
static void test_taken_over(void **state)
{
	static const uint8_t half[] = { 0x2B, 0, 0 };
	struct console *c = *state;

	CONNECTIONS(opens, is_busy);
	open_console(c);
	comes(net.latest, half, sizeof(half));
	drops(net.latest);
	until_ended(c);
	assert_why(c, PCTL_E_BUSY, "taken over by another session");
	c->session->close(c->session);
}

static void test_taken_over_late(void **state)
{
	struct console *c = *state;

	CONNECTIONS(opens, is_free, is_busy);
	open_console(c);
	drops(net.latest);
	until_ended(c);
	assert_why(c, PCTL_E_BUSY, "taken over by another session");
	assert_int_equal(net.made, 3);
	c->session->close(c->session);
}

static void test_lost(void **state)
{
	struct console *c = *state;

	CONNECTIONS(opens, is_free, is_free);
	open_console(c);
	drops(net.latest);
	until_ended(c);
	assert_why(c, PCTL_E_UNREACHABLE, "connection lost: the device closed it");
	c->session->close(c->session);
}

static void on_time(uv_timer_t *timer)
{
	/* What came was no answer to what was asked. */
	if (net.latest && net.latest->open && !net.latest->n && !net.latest->next->bytes) {
		assert_int_equal(net.latest->limit_ms, pctl_device_answer_ms(NULL));
		drops(net.latest);
		(void)uv_timer_stop(timer);
	}
}

/* Another frame before the one that opens it: an answer is still expected. */
static void test_stalls(void **state)
{
	struct console *c = *state;
	uv_timer_t timer;

	CONNECTIONS(stalls);
	SCRIPT(c->fake, SWITCHED_ON);
	assert_int_equal(uv_timer_init(&c->fake->loop, &timer), 0);
	assert_int_equal(uv_timer_start(&timer, on_time, 1, 1), 0);
	fake_console(c->fake, 0, &c->session);
	fake_assert_failed(c->fake, PCTL_E_UNREACHABLE, "connection closed");
	assert_null(c->session);
	uv_close((uv_handle_t *)&timer, NULL);
	(void)uv_run(&c->fake->loop, UV_RUN_NOWAIT);
}

/* --- Somebody else's. ------------------------------------------------------------------------- */

#define TERMINATE .want = { "TerminateSession", "<h:SessionType>1</h:SessionType>" }, .tls = true
#define NOT_ENDED "somebody else has its SOL session, and it cannot be ended: "

static void test_stolen(void **state)
{
	struct console *c = *state;

	CONNECTIONS(is_busy, opens);
	SCRIPT(c->fake, SWITCHED_ON, { TERMINATE, .body = OUTPUT("TerminateSession", "0") });
	fake_console(c->fake, PCTL_CONSOLE_STEAL, &c->session);
	fake_assert_done(c->fake);
	c->session->close(c->session);
	(void)uv_run(&c->fake->loop, UV_RUN_DEFAULT);
}

/* Where that fails, it is said as what it is, and what the core goes by is kept. */
static void test_not_stolen(void **state)
{
	struct console *c = *state;

	CONNECTIONS(is_busy, is_busy, is_busy, is_busy, is_busy);
	SCRIPT(c->fake, SWITCHED_ON, { TERMINATE, .error = PCTL_E_AUTH, .code = "HTTP 401" });
	fake_console(c->fake, PCTL_CONSOLE_STEAL, &c->session);
	fake_assert_failed(c->fake, PCTL_E_AUTH, NOT_ENDED "scripted");
	assert_string_equal(c->fake->result.device_code, "HTTP 401");

	SCRIPT(c->fake, SWITCHED_ON,
		{ TERMINATE, .error = PCTL_E_UNREACHABLE, .code = "ECONNREFUSED" });
	fake_console(c->fake, PCTL_CONSOLE_STEAL, &c->session);
	fake_assert_failed(c->fake, PCTL_E_UNREACHABLE, NOT_ENDED);
	assert_true(c->fake->result.flags & PCTL_ERROR_NOT_LISTENING);

	SCRIPT(c->fake, SWITCHED_ON,
		{ TERMINATE, .status = 400, .body = FAULT("d:ActionNotSupported", "") });
	fake_console(c->fake, PCTL_CONSOLE_STEAL, &c->session);
	fake_assert_failed(c->fake, PCTL_E_UNSUPPORTED, NOT_ENDED);

	SCRIPT(c->fake, SWITCHED_ON, { TERMINATE, .body = OUTPUT("TerminateSession", "2068") });
	fake_console(c->fake, PCTL_CONSOLE_STEAL, &c->session);
	fake_assert_failed(c->fake, PCTL_E_BUSY, NOT_ENDED);

	SCRIPT(c->fake, SWITCHED_ON);
	fake_console(c->fake, 0, &c->session);
	fake_assert_failed(c->fake, PCTL_E_BUSY, "somebody else has its SOL session");
}

/* --- The user's end. -------------------------------------------------------------------------- */

/* This host watches no more descriptors: here something else is in the place of what watches. */
static void test_no_tap(void **state)
{
	struct tap tap = { .ours = -1 };
	struct pctl_error err = { 0 };
	uv_loop_t loop;
	int fd = 12345, other[2];

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	int kept = dup(uv_backend_fd(&loop));
	assert_int_equal(pipe(other), 0);
	assert_true(kept >= 0 && dup2(other[0], uv_backend_fd(&loop)) >= 0);
	assert_int_equal(tap_open(&tap, &loop, NULL, NULL, &fd, &err), PCTL_E_INTERNAL);
	assert_memory_equal(err.text, "a socket cannot be watched", 26);
	assert_int_equal(fd, 12345);
	assert_false(tap_close(&tap));
	assert_true(dup2(kept, uv_backend_fd(&loop)) >= 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(close(kept) | close(other[0]) | close(other[1]), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_closed),
		TEST(test_closed_when_it_was_lost),
		TEST(test_taken_over),
		TEST(test_taken_over_late),
		TEST(test_lost),
		TEST(test_stalls),
		TEST(test_stolen),
		TEST(test_not_stolen),
		cmocka_unit_test(test_no_tap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
