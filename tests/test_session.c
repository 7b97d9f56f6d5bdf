/* SPDX-License-Identifier: Apache-2.0 */
/* A session through the null driver: opened by an op, living by itself, ended by either side. */
#include "world.h"

#include <sys/socket.h>
#include <unistd.h>

#include "driver/op.h"

extern const struct pctl_driver pctl_driver; /* null's */

struct console {
	struct world world;
	struct pctl_target target;
	struct pctl_device *device;
	struct pctl_op op;
	struct pctl_session *session;
	int opened, ended, closed;
	struct pctl_error why;
};

static void on_opened(struct pctl_op *op, const struct pctl_error *result)
{
	struct console *w = op->data;

	assert_int_equal(result->code, 0);
	w->opened++;
}

static void on_ended(void *data, const struct pctl_error *err)
{
	struct console *w = data;

	w->ended++;
	w->why = *err;
}

static void run_until(struct console *w, const int *counter)
{
	while (!*counter)
		assert_true(uv_run(&w->world.loop, UV_RUN_ONCE) || *counter);
}

static int setup(void **state)
{
	struct console *w = pctl_xcalloc(1, sizeof(*w));
	struct pctl_problems *problems = pctl_problems_new();

	world_init(&w->world, "nodes:\n  n1: {driver: null}\n");
	(void)world_enter(&w->world, &pctl_driver);
	assert_int_equal(pctl_target_init(&w->target, w->world.core, w->world.inventory, 0, NULL,
				 true, problems),
		0);
	pctl_problems_free(problems);
	assert_int_equal(pctl_device_open(&w->target, &w->device, NULL), 0);

	pctl_op_begin(&w->op, &w->world.loop, 5000, on_opened, w);
	pctl_driver.console->open(w->device->dev, &w->op, 0, &w->session);
	run_until(w, &w->opened);
	w->session->ended = on_ended;
	w->session->data = w;
	*state = w;
	return 0;
}

static void on_closed(void *data)
{
	(*(int *)data)++;
}

static int teardown(void **state)
{
	struct console *w = *state;

	pctl_device_close(w->device, on_closed, &w->closed);
	run_until(w, &w->closed);
	pctl_target_done(&w->target);
	world_done(&w->world);
	free(w);
	return 0;
}

static void expect(struct console *w, const char *text)
{
	char got[64] = "";
	ssize_t n;

	while ((n = read(w->session->fd, got, sizeof(got) - 1)) < 0)
		assert_true(uv_run(&w->world.loop, UV_RUN_ONCE));
	assert_string_equal(got, text);
}

static void test_what_is_typed_comes_back(void **state)
{
	struct console *w = *state;

	assert_string_equal(pctl_value_text(pctl_value_get(w->session->facts, "kind")), "echo");
	assert_int_equal(write(w->session->fd, "hello", 5), 5);
	expect(w, "hello");
	assert_string_equal(w->session->controls[0].name, "break");
	assert_int_equal(w->session->controls[0].run(w->session, NULL, NULL), 0);
	expect(w, "<break>");
	assert_null(w->session->controls[1].name);

	w->session->close(w->session);
	run_until(w, &w->ended);
	assert_int_equal(w->ended, 1);
	assert_int_equal(w->why.code, 0);
}

static void test_an_end_is_told_once(void **state)
{
	struct console *w = *state;

	assert_int_equal(shutdown(w->session->fd, SHUT_WR), 0);
	run_until(w, &w->ended);
	w->session->close(w->session);
	(void)uv_run(&w->world.loop, UV_RUN_NOWAIT);
	assert_int_equal(w->ended, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_what_is_typed_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_an_end_is_told_once, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
