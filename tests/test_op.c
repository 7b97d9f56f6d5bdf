/* SPDX-License-Identifier: Apache-2.0 */
#include "test.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "driver/op.h"

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

/* --- Order. ----------------------------------------------------------------------------------- */

#define OPS 5u

struct line {
	uv_loop_t loop;
	struct pctl_op_order order;
	struct pctl_op ops[OPS];
	char told[32];
	unsigned again; /* so many are begun once more when they are told of */
};

static void start_op(struct line *l, struct pctl_op *op, pctl_op_done_fn *done)
{
	pctl_op_begin(op, &l->loop, 60000, done, l);
	pctl_op_in_order(op, &l->order);
}

static void note_told(struct pctl_op *op, const struct pctl_error *result)
{
	struct line *l = op->data;
	size_t len = strlen(l->told), i = (size_t)(op - l->ops);

	(void)result;
	assert_true(op->closed); /* its memory may go */
	(void)snprintf(l->told + len, sizeof(l->told) - len, "%zu ", i);
	if (!l->again)
		return;
	l->again--;
	start_op(l, op, note_told);
	pctl_op_done(op);
}

static void play_line(struct line *l, const size_t *ends, size_t n)
{
	assert_int_equal(uv_loop_init(&l->loop), 0);
	for (size_t i = 0; i < OPS; i++)
		start_op(l, &l->ops[i], note_told);
	for (size_t i = 0; i < n; i++)
		pctl_op_done(&l->ops[ends[i]]);
	for (size_t i = 0; i < OPS; i++)
		pctl_op_cancel(&l->ops[i]); /* those that have not ended */
	assert_int_equal(uv_run(&l->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&l->loop), 0);
	assert_null(l->order.first);
	assert_null(l->order.last);
}

static void test_told_in_the_order_of_the_ends(void **state)
{
	static const size_t ends[] = { 1, 3, 2, 0, 4 };
	struct line l = { 0 };

	(void)state;
	play_line(&l, ends, OPS);
	assert_string_equal(l.told, "1 3 2 0 4 ");
}

static void test_ended_anew_while_others_are_told(void **state)
{
	static const size_t ends[] = { 4, 2 };
	struct line l = { .again = 3 };

	(void)state;
	play_line(&l, ends, 2);
	assert_string_equal(l.told, "4 2 0 1 3 4 2 0 ");
}

/* One that ends while handles are being closed waits for its own turn. */
static void end_another(uv_handle_t *handle)
{
	struct line *l = handle->data;

	pctl_op_done(&l->ops[0]);
}

static void test_ended_by_a_closing_handle(void **state)
{
	struct line l = { 0 };
	uv_idle_t other;

	(void)state;
	assert_int_equal(uv_loop_init(&l.loop), 0);
	(void)uv_idle_init(&l.loop, &other);
	other.data = &l;
	for (size_t i = 0; i < 3; i++)
		start_op(&l, &l.ops[i], note_told);
	pctl_op_done(&l.ops[1]);
	pctl_op_done(&l.ops[2]);
	uv_close((uv_handle_t *)&other, end_another); /* closed first */
	assert_int_equal(uv_run(&l.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&l.loop), 0);
	assert_string_equal(l.told, "1 2 0 ");
}

/* Work that waits for somebody who never comes. */
struct waiting {
	int ends[2];
	int given_up;
	bool *ended;
};

static void wait_for_byte(void *data)
{
	struct waiting *w = data;
	char byte;

	assert_int_equal(read(w->ends[0], &byte, 1), 1);
}

static void write_byte(void *data)
{
	struct waiting *w = data;

	w->given_up++;
	assert_int_equal(write(w->ends[1], "", 1), 1);
}

static void after_waiting(void *data, struct pctl_op *op)
{
	struct waiting *w = data;

	assert_null(op);
	assert_int_equal(w->given_up, 1);
	(void)close(w->ends[0]);
	(void)close(w->ends[1]);
	*w->ended = true;
}

static void test_work_that_waits_is_told_to_give_up(void **state)
{
	struct waiting *w = calloc(1, sizeof(*w));
	struct probe p = { 0 };
	bool ended = false;
	uv_loop_t loop;

	(void)state;
	w->ended = &ended;
	assert_int_equal(pipe(w->ends), 0);
	assert_int_equal(uv_loop_init(&loop), 0);
	pctl_op_begin(&p.op, &loop, 60000, count_done, &p);
	pctl_op_work_until(&p.op, w, wait_for_byte, write_byte, after_waiting);
	pctl_op_cancel(&p.op);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(p.result.code, PCTL_E_CANCELED);
	assert_true(ended);
}

static void after_goes_on(void *data, struct pctl_op *op)
{
	(void)data;
	pctl_op_pending(op, count_abort, op->data);
}

static void test_an_op_goes_on_after_its_work(void **state)
{
	struct probe p = { 0 };
	uv_loop_t loop;

	(void)state;
	assert_int_equal(uv_loop_init(&loop), 0);
	pctl_op_begin(&p.op, &loop, 500, count_done, &p);
	pctl_op_work(&p.op, calloc(1, sizeof(struct job)), work, after_goes_on);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_int_equal(p.aborts, 1);
	assert_int_equal(p.result.code, PCTL_E_TIMEOUT);
}

/* Nobody would tell the work that its op is gone. */
static void test_work_is_not_to_be_forgotten(void **state)
{
	int status = 0;

	(void)state;
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct probe p = { 0 };
		uv_loop_t loop;

		(void)close(STDERR_FILENO);
		(void)signal(SIGABRT, SIG_DFL);
		(void)uv_loop_init(&loop);
		pctl_op_begin(&p.op, &loop, 500, count_done, &p);
		pctl_op_work(&p.op, calloc(1, sizeof(struct job)), work, after_goes_on);
		pctl_op_pending(&p.op, count_abort, NULL);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_silent_device_times_out),
		cmocka_unit_test(test_work_that_waits_is_told_to_give_up),
		cmocka_unit_test(test_an_op_goes_on_after_its_work),
		cmocka_unit_test(test_work_is_not_to_be_forgotten),
		cmocka_unit_test(test_cancel_ends_it_once),
		cmocka_unit_test(test_cancel_after_the_end_changes_nothing),
		cmocka_unit_test(test_failure_at_once_is_an_outcome),
		cmocka_unit_test(test_lost_after_commit_is_unknown),
		cmocka_unit_test(test_a_clear_no_after_commit_stays_a_no),
		cmocka_unit_test(test_commit_can_be_taken_back),
		cmocka_unit_test(test_told_in_the_order_of_the_ends),
		cmocka_unit_test(test_ended_anew_while_others_are_told),
		cmocka_unit_test(test_ended_by_a_closing_handle),
		cmocka_unit_test(test_work_ends_the_op),
		cmocka_unit_test(test_work_outlives_a_canceled_op),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
