/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include "op.h"

struct probe { /* what one op did to its surroundings */
	struct pctl_op op;
	int done, aborts;
	struct pctl_error result;
	bool commit, take_back;
};

static void count_abort(struct pctl_op *op, void *work)
{
	(void)op;
	((struct probe *)work)->aborts++;
}

static void count_done(struct pctl_op *op, const struct pctl_error *result)
{
	struct probe *p = op->data;

	p->done++;
	p->result = *result;
}

typedef void begin_fn(struct probe *p);

static struct probe run(begin_fn *begin, uint64_t timeout_ms, bool cancel, bool commit)
{
	struct probe p = { .commit = commit };
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	pctl_op_begin(&p.op, &loop, timeout_ms, count_done, &p);
	begin(&p);
	assert_int_equal(p.done, 0); /* never before the starting call returns */
	if (cancel)
		pctl_op_cancel(&p.op);
	assert_int_equal(p.done, 0);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0); /* nothing left behind */
	assert_int_equal(p.done, 1);
	return p;
}

static void silent(struct probe *p)
{
	pctl_op_pending(&p->op, count_abort, p);
	if (p->commit)
		pctl_op_committed(&p->op);
}

static void silent_but_taken_back(struct probe *p)
{
	silent(p);
	pctl_op_not_taken(&p->op);
}

static void at_once(struct probe *p)
{
	pctl_op_done(&p->op);
}

static void unreachable(struct probe *p)
{
	if (p->commit)
		pctl_op_committed(&p->op);
	pctl_op_fail(&p->op, PCTL_E_UNREACHABLE, "no answer in %d s", 6);
}

static void refused(struct probe *p)
{
	pctl_op_committed(&p->op);
	pctl_op_fail(&p->op, PCTL_E_REFUSED, "the device said no");
}

static void test_silent_device_times_out(void **state)
{
	(void)state;
	struct probe p = run(silent, 5, false, false);
	assert_int_equal(p.result.code, PCTL_E_TIMEOUT);
	assert_string_equal(p.result.text, "no answer in 5 ms");
	assert_int_equal(p.aborts, 1);
}

static void test_cancel_ends_it_once(void **state)
{
	(void)state;
	struct probe p = run(silent, 60000, true, false);
	assert_int_equal(p.result.code, PCTL_E_CANCELED);
	assert_int_equal(p.aborts, 1);
}

static void test_cancel_after_the_end_changes_nothing(void **state)
{
	(void)state;
	struct probe p = run(at_once, 60000, true, false);
	assert_int_equal(p.result.code, 0);
	assert_int_equal(p.aborts, 0);
}

static void test_failure_at_once_is_an_outcome(void **state)
{
	(void)state;
	struct probe p = run(unreachable, 60000, false, false);
	assert_int_equal(p.result.code, PCTL_E_UNREACHABLE);
	assert_string_equal(p.result.text, "no answer in 6 s");
}

static void test_lost_after_commit_is_unknown(void **state)
{
	(void)state;
	assert_int_equal(run(unreachable, 60000, false, true).result.code, PCTL_E_OUTCOME_UNKNOWN);
	assert_int_equal(run(silent, 5, false, true).result.code, PCTL_E_OUTCOME_UNKNOWN);
	assert_int_equal(run(silent, 60000, true, true).result.code, PCTL_E_OUTCOME_UNKNOWN);
}

static void test_a_clear_no_after_commit_stays_a_no(void **state)
{
	(void)state;
	assert_int_equal(run(refused, 60000, false, true).result.code, PCTL_E_REFUSED);
}

static void test_commit_can_be_taken_back(void **state)
{
	(void)state;
	struct probe p = run(silent_but_taken_back, 5, false, true);
	assert_int_equal(p.result.code, PCTL_E_TIMEOUT);
}

struct job {
	int ran;
	int *after;
	bool *had_op;
};

static void work(void *job)
{
	((struct job *)job)->ran++;
}

static void after(void *data, struct pctl_op *op)
{
	struct job *job = data;

	assert_int_equal(job->ran, 1);
	(*job->after)++;
	*job->had_op = op != NULL;
	if (op)
		pctl_op_done(op);
}

static void run_work(bool cancel, int *ran_after, bool *had_op, struct probe *p)
{
	uv_loop_t loop;
	struct job *job = calloc(1, sizeof(*job));

	*p = (struct probe){ 0 };
	*job = (struct job){ .after = ran_after, .had_op = had_op };
	assert_int_equal(uv_loop_init(&loop), 0);
	pctl_op_begin(&p->op, &loop, 60000, count_done, p);
	pctl_op_work(&p->op, job, work, after);
	if (cancel)
		pctl_op_cancel(&p->op);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(p->done, 1);
}

static void test_work_ends_the_op(void **state)
{
	struct probe p;
	int ran = 0;
	bool had_op = false;

	(void)state;
	run_work(false, &ran, &had_op, &p);
	assert_int_equal(ran, 1);
	assert_true(had_op);
	assert_int_equal(p.result.code, 0);
}

static void test_work_outlives_a_canceled_op(void **state)
{
	struct probe p;
	int ran = 0;
	bool had_op = true;

	(void)state;
	run_work(true, &ran, &had_op, &p);
	assert_int_equal(ran, 1);
	assert_false(had_op);
	assert_int_equal(p.result.code, PCTL_E_CANCELED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silent_device_times_out),
		cmocka_unit_test(test_cancel_ends_it_once),
		cmocka_unit_test(test_cancel_after_the_end_changes_nothing),
		cmocka_unit_test(test_failure_at_once_is_an_outcome),
		cmocka_unit_test(test_lost_after_commit_is_unknown),
		cmocka_unit_test(test_a_clear_no_after_commit_stays_a_no),
		cmocka_unit_test(test_commit_can_be_taken_back),
		cmocka_unit_test(test_work_ends_the_op),
		cmocka_unit_test(test_work_outlives_a_canceled_op),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
