/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Consoles as programs see them: a stream in a result, and the device behind it, which is open
 * exactly as long as the stream. The device writes down what is done to it.
 */
#include "world.h"

#include <fcntl.h>
#include <unistd.h>

enum how {
	WORKS,
	IN_USE,
	HANGS,
	ENDS_BEFORE_TAKEN,
	WANTS_OLD, /* the password that was before the pending one */
};

struct session {
	struct pctl_session session;
	uv_timer_t timer; /* what makes its end asynchronous */
	struct pctl_device *device;
	struct pctl_error why;
	bool told, closed;
};

struct fake {
	enum how how;
	char log[256]; /* "open console end close" */
	struct session *session;
};

static struct fake *current; /* the one device of the one core of a test */

static void note(const char *what)
{
	size_t len = strlen(current->log);

	(void)snprintf(
		current->log + len, sizeof(current->log) - len, "%s%s", len ? " " : "", what);
}

static void on_session_gone(uv_handle_t *handle)
{
	struct session *s = pctl_container_of((uv_timer_t *)handle, struct session, timer);

	note("end");
	if (!s->told)
		s->session.ended(s->session.data, &s->why);
	(void)close(s->session.fd);
	free(s);
}

static void fake_end(struct pctl_session *session)
{
	struct session *s = pctl_container_of(session, struct session, session);

	assert_false(s->closed);
	s->closed = true;
	uv_close((uv_handle_t *)&s->timer, on_session_gone);
}

static int fake_break(struct pctl_session *session, const char *arg, struct pctl_error *err)
{
	struct session *s = pctl_container_of(session, struct session, session);

	(void)err;
	note(arg ? arg : "break");
	if (current->how == WANTS_OLD)
		assert_string_equal(
			pctl_secret_data(pctl_setting_secret(s->device, "password")), "old");
	return 0;
}

static const struct pctl_control controls[] = { { .name = "break", .run = fake_break }, { 0 } };

static void fake_abort(struct pctl_op *op, void *work)
{
	(void)op, (void)work;
	note("abort");
}

static void fake_console(
	void *dev, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session)
{
	struct pctl_device *device = dev;

	note(flags & PCTL_CONSOLE_STEAL ? "steal" : "console");
	if (current->how == IN_USE) {
		pctl_op_fail(op, PCTL_E_BUSY, "in use by another session");
		return;
	}
	if (current->how == HANGS) {
		pctl_op_pending(op, fake_abort, NULL);
		return;
	}
	if (current->how == WANTS_OLD &&
		strcmp(pctl_secret_data(pctl_setting_secret(device, "password")), "old") != 0) {
		pctl_op_fail(op, PCTL_E_AUTH, "it refuses the login");
		return;
	}
	struct session *s = pctl_xcalloc(1, sizeof(*s));
	s->device = device;
	s->session = (struct pctl_session){ .size = sizeof(s->session),
		.fd = open("/dev/null", O_RDWR | O_CLOEXEC),
		.controls = controls,
		.close = fake_end };
	(void)uv_timer_init(pctl_device_loop(device), &s->timer);
	if (current->how == ENDS_BEFORE_TAKEN)
		pctl_error_set(&s->why, PCTL_E_UNREACHABLE, "lost at once");
	current->session = s;
	*ret_session = &s->session;
	pctl_op_done(op);
}

static int fake_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	(void)ctx, (void)err;
	note("open");
	*ret_dev = device;
	return 0;
}

static void fake_close(void *dev, pctl_closed_fn *closed, void *data)
{
	(void)dev;
	note("close");
	closed(data);
}

static const struct pctl_console_if fake_console_if = { .open = fake_console };
static const struct pctl_driver fake_driver = {
	.name = "fake", .open = fake_open, .close = fake_close, .console = &fake_console_if
};
static const struct pctl_driver mute_driver = {
	.name = "mute", .open = fake_open, .close = fake_close
};

static void fake_login(void *dev, struct pctl_op *op)
{
	(void)dev;
	pctl_op_done(op);
}

static void fake_set_password(void *dev, struct pctl_op *op, const struct pctl_secret *password)
{
	(void)dev, (void)password;
	pctl_op_done(op);
}

static const struct pctl_property keyed_properties[] = {
	PCTL_PROPERTY(.name = "password", .flags = PCTL_PROPERTY_SECRET), { 0 }
};
static const struct pctl_account_if keyed_account = {
	.setting = "password", .login = fake_login, .set_password = fake_set_password
};
static const struct pctl_driver keyed_driver = { .name = "keyed",
	.open = fake_open,
	.close = fake_close,
	.properties = keyed_properties,
	.account = &keyed_account,
	.console = &fake_console_if };

/* --- A program. ------------------------------------------------------------------------------- */

struct program {
	struct world world;
	struct fake fake;
	struct pctl_run *run;
	bool takes, steals;

	struct pctl_stream *stream;
	int results, done, ended, closed;
	struct pctl_error error, why, closed_why;
};

static void on_closed(void *data, const struct pctl_error *err)
{
	struct program *p = data;

	p->closed++;
	p->closed_why = *err;
	p->stream = NULL;
}

static void on_ended(void *data, const struct pctl_error *err)
{
	struct program *p = data;

	p->ended++;
	p->why = *err;
	pctl_stream_close(p->stream, on_closed, p);
}

static void on_result(void *data, const struct pctl_result *r)
{
	struct program *p = data;

	p->results++;
	p->error = r->error;
	assert_true(r->ok == (r->stream != NULL));
	if (!r->stream || !p->takes)
		return;
	p->stream = r->stream;
	pctl_stream_take(r->stream, on_ended, p);
}

static void on_done(void *data)
{
	struct program *p = data;

	p->done++;
	p->run = NULL;
}

static int setup(void **state)
{
	struct program *p = pctl_xcalloc(1, sizeof(*p));

	world_init(&p->world, "nodes:\n"
			      "  n1: {driver: fake, timeouts: {read: 5s}}\n"
			      "  n2: {driver: mute}\n"
			      "  n3: {driver: mute, console: {driver: fake}}\n"
			      "  n4: {driver: keyed, password_file: secret}\n");
	(void)world_enter(&p->world, &fake_driver);
	(void)world_enter(&p->world, &keyed_driver);
	(void)world_enter(&p->world, &mute_driver);
	p->takes = true;
	current = &p->fake;
	*state = p;
	return 0;
}

static int teardown(void **state)
{
	struct program *p = *state;

	world_done(&p->world);
	free(p);
	return 0;
}

static void start(struct program *p, const char *name)
{
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_request request = { .verb = PCTL_VERB_CONSOLE, .steal = p->steals };
	const struct pctl_run_callbacks callbacks = {
		.result = on_result, .done = on_done, .data = p
	};
	size_t node = (size_t)pctl_inventory_index(p->world.inventory, name);

	assert_int_equal(pctl_run_new(p->world.core, p->world.inventory, &node, 1, &request,
				 &p->run, problems),
		0);
	pctl_problems_free(problems);
	pctl_run_start(p->run, &callbacks);
}

static void run_until(struct program *p, const int *counter)
{
	while (!*counter)
		assert_true(uv_run(&p->world.loop, UV_RUN_ONCE) || *counter);
}

static void open_stream(struct program *p)
{
	start(p, "n1");
	run_until(p, &p->done);
	assert_non_null(p->stream);
	assert_string_equal(p->fake.log, "open console");
}

/* --- Tests. ----------------------------------------------------------------------------------- */

static void test_the_device_lives_as_long_as_the_stream(void **state)
{
	struct program *p = *state;
	struct pctl_error err = { 0 };

	open_stream(p);
	assert_true(pctl_stream_fd(p->stream) >= 0);
	assert_int_equal(pctl_stream_control(p->stream, "break", NULL, &err), 0);
	assert_int_equal(pctl_stream_control(p->stream, "break", "arg", &err), 0);
	assert_int_equal(pctl_stream_control(p->stream, "resize", NULL, &err), PCTL_E_UNSUPPORTED);
	assert_string_equal(err.text, "it has no 'resize'");

	pctl_stream_close(p->stream, on_closed, p);
	assert_int_equal(p->closed, 0); /* never from within */
	run_until(p, &p->closed);
	assert_string_equal(p->fake.log, "open console break arg end close");
	assert_int_equal(p->ended, 0);
	assert_int_equal(p->closed_why.code, 0);
}

static void test_an_end_of_its_own(void **state)
{
	struct program *p = *state;

	open_stream(p);
	struct session *s = p->fake.session;
	const struct pctl_error why = { .code = PCTL_E_BUSY, .text = "taken" };
	s->told = true;
	s->session.ended(s->session.data, &why); /* closes it from within */
	run_until(p, &p->closed);
	assert_int_equal(uv_run(&p->world.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(p->ended, 1);
	assert_int_equal(p->why.code, PCTL_E_BUSY);
	assert_int_equal(p->closed_why.code, PCTL_E_BUSY);
	assert_string_equal(p->closed_why.text, "taken");
	assert_string_equal(p->fake.log, "open console close end");
}

static void test_an_end_that_only_closing_tells(void **state)
{
	struct program *p = *state;

	p->fake.how = ENDS_BEFORE_TAKEN;
	open_stream(p);
	pctl_stream_close(p->stream, on_closed, p);
	run_until(p, &p->closed);
	assert_int_equal(p->closed_why.code, PCTL_E_UNREACHABLE);
	assert_string_equal(p->closed_why.text, "lost at once");
}

static void test_what_nobody_takes_is_closed(void **state)
{
	struct program *p = *state;

	p->takes = false;
	start(p, "n1");
	run_until(p, &p->results);
	assert_int_equal(p->done, 0); /* not before the device is closed */
	run_until(p, &p->done);
	assert_string_equal(p->fake.log, "open console end close");
}

static void test_in_use_is_said_at_once(void **state)
{
	struct program *p = *state;

	p->fake.how = IN_USE;
	start(p, "n1");
	run_until(p, &p->done);
	assert_int_equal(p->error.code, PCTL_E_BUSY);
	assert_string_equal(p->fake.log, "open console close"); /* once */
}

static void test_who_steals_tries_again(void **state)
{
	struct program *p = *state;

	p->fake.how = IN_USE;
	p->steals = true;
	start(p, "n1");
	while (!strstr(p->fake.log, "steal steal"))
		assert_true(uv_run(&p->world.loop, UV_RUN_ONCE));
	p->fake.how = WORKS;
	run_until(p, &p->done);
	assert_non_null(p->stream);
	pctl_stream_close(p->stream, on_closed, p);
	run_until(p, &p->closed);
}

static void test_cancel_while_it_opens(void **state)
{
	struct program *p = *state;

	p->fake.how = HANGS;
	start(p, "n1");
	while (!strstr(p->fake.log, "console"))
		assert_true(uv_run(&p->world.loop, UV_RUN_ONCE));
	pctl_run_cancel(p->run);
	run_until(p, &p->done);
	assert_int_equal(p->error.code, PCTL_E_CANCELED);
	assert_string_equal(p->fake.log, "open console abort close");
}

static struct program *canceling;

/* Opens it, and hears of ^C before anybody hears that it is open. */
static void console_and_cancel(
	void *dev, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session)
{
	fake_console(dev, op, flags, ret_session);
	pctl_run_cancel(canceling->run);
}

static void test_cancel_when_it_has_just_opened(void **state)
{
	struct program *p = *state;
	static const struct pctl_console_if late = { .open = console_and_cancel };
	struct pctl_loaded *loaded = pctl_strmap_get(&p->world.core->by_name, "fake");

	canceling = p;
	loaded->plugin->driver.console = &late;
	start(p, "n1");
	run_until(p, &p->done);
	assert_null(p->stream);
	assert_int_equal(p->error.code, PCTL_E_CANCELED);
	assert_string_equal(p->fake.log, "open console end close");
}

static void test_no_console(void **state)
{
	struct program *p = *state;

	start(p, "n2");
	run_until(p, &p->done);
	assert_int_equal(p->error.code, PCTL_E_UNSUPPORTED);
	assert_string_equal(p->error.text, "driver mute has no console");
}

static void test_a_console_from_another_driver(void **state)
{
	struct program *p = *state;

	start(p, "n3");
	run_until(p, &p->done);
	assert_non_null(p->stream);
	pctl_stream_close(p->stream, on_closed, p);
	run_until(p, &p->closed);
}

static void write_secret(const struct program *p, const char *name, const char *text)
{
	char path[256];

	(void)snprintf(path, sizeof(path), "%s/%s", p->world.dir, name);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

/* It was opened a second time, with what its task would have freed. */
static void test_a_console_with_the_other_password(void **state)
{
	struct program *p = *state;
	struct pctl_error err = { 0 };

	write_secret(p, "secret", "old");
	write_secret(p, "secret.pending", "powerctl-pending 1\nsecret 6e6577\nsent n4\n");
	p->fake.how = WANTS_OLD;
	start(p, "n4");
	run_until(p, &p->done);
	assert_non_null(p->stream);
	assert_string_equal(p->fake.log, "open console close open console");
	assert_int_equal(pctl_stream_control(p->stream, "break", NULL, &err), 0);
	pctl_stream_close(p->stream, on_closed, p);
	run_until(p, &p->closed);
	assert_string_equal(p->fake.log, "open console close open console break end close");

	/* The same where nobody takes it. */
	p->takes = false;
	p->fake.log[0] = '\0';
	p->done = 0;
	start(p, "n4");
	run_until(p, &p->done);
	assert_null(p->stream);
	assert_non_null(strstr(p->fake.log, "console end close"));
}

/* Another program changes it: the next run of the same core logs in with what is written then. */
static void test_a_password_that_changes_meanwhile(void **state)
{
	struct program *p = *state;

	write_secret(p, "secret", "other");
	p->fake.how = WANTS_OLD;
	start(p, "n4");
	run_until(p, &p->done);
	assert_int_equal(p->error.code, PCTL_E_AUTH);
	static const char *const written[][2] = {
		{ "secret.pending", "powerctl-pending 1\nsecret 6f6c64\nnew n4\n" },
		{ "secret.pending", "powerctl-pending 1\nsecret 6f6c64\nold n4\nnew n4\n" },
		{ "secret", "old" },
	};
	for (size_t i = 0; i < 3; i++) {
		write_secret(p, written[i][0], written[i][1]);
		if (i == 2)
			write_secret(p, "secret.pending", "powerctl-pending 1\nsecret 61\n");
		p->done = p->closed = 0;
		p->fake.log[0] = '\0';
		start(p, "n4");
		run_until(p, &p->done);
		assert_non_null(p->stream);
		assert_string_equal(p->fake.log, "open console");
		pctl_stream_close(p->stream, on_closed, p);
		run_until(p, &p->closed);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_device_lives_as_long_as_the_stream),
		TEST(test_an_end_of_its_own),
		TEST(test_an_end_that_only_closing_tells),
		TEST(test_what_nobody_takes_is_closed),
		TEST(test_in_use_is_said_at_once),
		TEST(test_who_steals_tries_again),
		TEST(test_cancel_while_it_opens),
		TEST(test_cancel_when_it_has_just_opened),
		TEST(test_no_console),
		TEST(test_a_console_from_another_driver),
		TEST(test_a_console_with_the_other_password),
		TEST(test_a_password_that_changes_meanwhile),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
