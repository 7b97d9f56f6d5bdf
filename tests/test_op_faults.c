/* SPDX-License-Identifier: Apache-2.0 */
/* What a driver must not do with an op, and who is named for it. */
#include "test.h"

#include "driver/crash.h"
#include "driver/op.h"
#include "driver/plugin.h"

static char said[400];
static int faults;

static void keep(const char *words)
{
	faults++;
	(void)snprintf(said, sizeof(said), "%s", words);
}

static int setup(void **state)
{
	(void)state;
	faults = 0;
	*said = '\0';
	pctl_op_on_fault = keep;
	pctl_op_strict = false;
	return 0;
}

static void says(const char *part)
{
	assert_int_equal(faults, 1);
	if (!strstr(said, part))
		fail_msg("'%s' does not say '%s'", said, part);
}

static void on_done(struct pctl_op *op, const struct pctl_error *result)
{
	(void)op, (void)result;
}

static void on_abort(struct pctl_op *op, void *work)
{
	(void)op, (void)work;
}

static void begin(struct pctl_op *op, uv_loop_t *loop)
{
	assert_int_equal(uv_loop_init(loop), 0);
	pctl_op_begin(op, loop, 10000, on_done, NULL);
	pctl_op_enter(op, "odd", "power.get", "n1");
}

static void end(uv_loop_t *loop)
{
	assert_int_equal(uv_run(loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(loop), 0);
}

static void test_nothing_to_say(void **state)
{
	struct pctl_op op;
	uv_loop_t loop;

	(void)state;
	pctl_op_strict = true;
	begin(&op, &loop);
	pctl_op_pending(&op, on_abort, NULL);
	pctl_op_leave(&op);
	pctl_op_committed(&op);
	pctl_op_taken(&op);
	pctl_op_done(&op);
	end(&loop);
	assert_int_equal(faults, 0);
}

typedef void misuse_fn(struct pctl_op *op);

static void commits(struct pctl_op *op)
{
	pctl_op_committed(op);
}

static void takes_back(struct pctl_op *op)
{
	pctl_op_not_taken(op);
}

static void takes(struct pctl_op *op)
{
	pctl_op_taken(op);
}

static void waits(struct pctl_op *op)
{
	pctl_op_pending(op, on_abort, NULL);
}

static void test_after_the_end(void **state)
{
	static misuse_fn *const all[] = { commits, takes_back, takes, waits };

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		struct pctl_op op;
		uv_loop_t loop;

		begin(&op, &loop);
		pctl_op_done(&op);
		pctl_op_leave(&op);
		faults = 0;
		all[i](&op);
		says("driver odd ");
		says("a second time, or after its end (power.get of n1)");
		end(&loop);
	}
}

static void test_after_an_abort(void **state)
{
	struct pctl_op op;
	uv_loop_t loop;

	(void)state;
	begin(&op, &loop);
	pctl_op_pending(&op, on_abort, NULL);
	pctl_op_leave(&op);
	pctl_op_cancel(&op);
	pctl_op_committed(&op);
	says("committed an op after it was aborted (power.get of n1)");
	end(&loop);
}

static void commit_there(void *op)
{
	pctl_op_committed(op);
}

static void test_from_another_thread(void **state)
{
	struct pctl_op op;
	uv_loop_t loop;
	uv_thread_t thread;

	(void)state;
	begin(&op, &loop);
	pctl_op_pending(&op, on_abort, NULL);
	pctl_op_leave(&op);
	assert_int_equal(uv_thread_create(&thread, commit_there, &op), 0);
	(void)uv_thread_join(&thread);
	says("committed an op from another thread than the loop's");
	pctl_op_done(&op);
	end(&loop);
}

static void test_forgotten(void **state)
{
	struct pctl_op op;
	uv_loop_t loop;

	(void)state;
	begin(&op, &loop);
	pctl_op_leave(&op); /* not strict: it times out */
	assert_int_equal(faults, 0);
	pctl_op_strict = true;
	pctl_crash_enter("odd", "power.get", "n1");
	pctl_op_leave(&op);
	says("driver odd neither ended an op nor said by pctl_op_pending()");
	pctl_op_cancel(&op);
	end(&loop);
}

static void test_whose(void **state)
{
	struct pctl_plugin *plugin = NULL;

	(void)state;
	assert_int_equal(pctl_plugin_load(TEST_PLUGIN_DIR, "null", &plugin, NULL), 0);
	assert_string_equal(pctl_crash_whose((uintptr_t)plugin->driver.power->get), "null");
	assert_null(pctl_crash_whose((uintptr_t)test_whose));
	assert_null(pctl_crash_whose((uintptr_t)&plugin));
	/* Data of it lies on every stack. */
	assert_null(pctl_crash_whose((uintptr_t)plugin->driver.name));
	assert_null(pctl_crash_whose((uintptr_t)plugin->driver.summary));
	assert_null(pctl_crash_whose(0));
	pctl_plugin_free(plugin);
	pctl_crash_enter("amt", "stop", "");
	assert_string_equal(pctl_crash_latest(), "stop (driver amt)");
	pctl_crash_enter("amt", "close", "n2");
	assert_string_equal(pctl_crash_latest(), "close of n2 (driver amt)");
	pctl_crash_leave();
	pctl_crash_leave();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_nothing_to_say, setup),
		cmocka_unit_test_setup(test_after_the_end, setup),
		cmocka_unit_test_setup(test_after_an_abort, setup),
		cmocka_unit_test_setup(test_from_another_thread, setup),
		cmocka_unit_test_setup(test_forgotten, setup),
		cmocka_unit_test_setup(test_whose, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
