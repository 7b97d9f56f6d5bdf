/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that run for an op: whose time it is, and what is told of who was late. */
#include "test.h"

#include <powerctl/mem.h>

#include "base/program.h"
#include "driver/op.h"

#define LONG_MS  100000u
#define SHELL(x) ((const char *const[]){ "sh", "-c", x, NULL })

struct bench {
	uv_loop_t loop;
	struct pctl_programs *line; /* for one at a time */
};

static int set_up(void **state)
{
	struct bench *b = pctl_xcalloc(1, sizeof(*b));

	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->line = pctl_programs_new(&b->loop, 1);
	*state = b;
	return 0;
}

static void on_closed(void *data)
{
	*(bool *)data = true;
}

static int tear_down(void **state)
{
	struct bench *b = *state;
	bool closed = false;

	pctl_programs_close(b->line, on_closed, &closed);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_true(closed);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	free(b);
	return 0;
}

static struct pctl_program_options shell(const char *const *argv)
{
	return (struct pctl_program_options){ .size = sizeof(struct pctl_program_options),
		.argv = argv,
		.timeout_ms = LONG_MS,
		.out_max = 1000 };
}

static void on_op(struct pctl_op *op, const struct pctl_error *result)
{
	(void)op;
	assert_int_equal(result->code, 0);
}

static void end_op(void *data, const struct pctl_program_result *result)
{
	assert_int_equal(result->err.code, 0);
	pctl_op_done(data);
}

/* All of them together take longer than one of them may. */
static void test_an_op_in_line_loses_no_time(void **state)
{
	struct bench *b = *state;
	struct pctl_program_options options = shell(SHELL("sleep 1"));
	struct pctl_op ops[8];

	for (size_t i = 0; i < TEST_COUNT(ops); i++) {
		pctl_op_begin(&ops[i], &b->loop, 6000, on_op, NULL);
		options.op = &ops[i];
		(void)pctl_programs_run(b->line, &options, end_op, &ops[i]);
	}
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_true(ops[7].waited_ms >= 6900);
}

struct asked {
	struct pctl_op op;
	struct pctl_program *program;
	struct pctl_error result;
	bool started;
};

static void on_asked(struct pctl_op *op, const struct pctl_error *result)
{
	pctl_container_of(op, struct asked, op)->result = *result;
}

static void on_answer(void *data, const struct pctl_program_result *result)
{
	struct asked *a = data;

	pctl_op_fail_error(&a->op, &result->err);
}

static void stop_asking(struct pctl_op *op, void *work)
{
	(void)op;
	pctl_program_abort(work);
}

static void on_asking(void *data)
{
	((struct asked *)data)->started = true;
}

/* op is at its end, and its memory anybody's, when this returns. */
static struct asked ask(struct bench *b, uint64_t ms, const char *script, uint64_t timeout_ms)
{
	struct pctl_program_options options = shell(SHELL(script));
	struct asked a = { .started = false };

	options.timeout_ms = timeout_ms;
	options.op = &a.op;
	options.starting = on_asking;
	pctl_op_begin(&a.op, &b->loop, ms, on_asked, NULL);
	a.program = pctl_programs_run(b->line, &options, on_answer, &a);
	pctl_op_pending(&a.op, stop_asking, a.program);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	return a;
}

static void assert_begins(const char *text, const char *part)
{
	assert_int_equal(strncmp(text, part, strlen(part)), 0);
}

/* Whether it listens to SIGTERM or not, whoever finds out first; and nobody says that all is
 * silent. */
static void test_an_op_names_who_was_late(void **state)
{
	static const char *const scripts[] = { "exec sleep 1000",
		"trap '' TERM; while :; do sleep 1000; done" };
	struct bench *b = *state;
	struct asked a;

	for (size_t i = 0; i < TEST_COUNT(scripts); i++) {
		a = ask(b, 2000, scripts[i], i ? 0 : LONG_MS);

		assert_true(a.started);
		assert_int_equal(a.result.code, PCTL_E_TIMEOUT);
		assert_begins(a.result.text, "no answer from sh in ");
		assert_non_null(strstr(a.result.text, " s; it was killed"));
		assert_int_equal(a.result.flags, 0);
	}
	a = ask(b, 20000, "exec sleep 1000", 300);
	assert_string_equal(a.result.text, "no answer from sh in 300 ms; it was killed");
	/* The deadline comes first where SIGKILL has no time: the words are the op's. */
	pctl_op_begin(&a.op, &b->loop, 5, on_asked, NULL);
	pctl_op_runs(&a.op, "/x/y");
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_string_equal(a.result.text, "no answer from /x/y in 5 ms; it was killed");
}

static void test_an_op_without_time_starts_nothing(void **state)
{
	struct asked a = ask(*state, 150, "exec sleep 1000", 0);

	assert_false(a.started);
	assert_int_equal(a.result.code, PCTL_E_TIMEOUT);
	assert_string_equal(a.result.text, "no time was left to run sh");
}

static void test_a_programs_time(void **state)
{
	static const struct {
		uint64_t op, program;
	} rows[] = { { 800, 700 }, { 2000, 1750 }, { 8000, 7000 }, { 15000, 14000 },
		{ 60000, 59000 } };
	struct bench *b = *state;

	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct asked a = { .started = false };

		pctl_op_begin(&a.op, &b->loop, rows[i].op, on_asked, NULL);
		pctl_op_waits(&a.op); /* the time stands still */
		uint64_t left = pctl_program_time(&a.op);
		assert_in_range(left, rows[i].program - 5, rows[i].program);
		pctl_op_fail(&a.op, PCTL_E_BUSY, "-");
		(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_an_op_in_line_loses_no_time),
		TEST(test_an_op_names_who_was_late),
		TEST(test_an_op_without_time_starts_nothing),
		TEST(test_a_programs_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
