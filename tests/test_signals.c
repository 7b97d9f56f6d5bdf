/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals, and a loop that is held up. The seconds are told by raise(SIGALRM), so nothing waits for
 * them; that the clock itself ends a program is in e2e/test_conformance.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli.h"
#include "signals.h"

enum { ALIVE = 7, SECOND = 8 };

struct bench {
	uv_loop_t loop;
	struct signals signals;
	int first;
};

static void on_first(void *data)
{
	((struct bench *)data)->first++;
}

static void on_second(void *data)
{
	(void)data;
	_exit(SECOND);
}

static void start(struct bench *b)
{
	*b = (struct bench){ 0 };
	assert_int_equal(uv_loop_init(&b->loop), 0);
	signals_start(&b->signals, &b->loop, on_first, on_second, b);
}

static void stop(struct bench *b)
{
	signals_stop(&b->signals);
	(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_int_equal(uv_loop_close(&b->loop), 0);
}

static void turn(struct bench *b)
{
	(void)uv_run(&b->loop, UV_RUN_NOWAIT);
}

/* So many seconds in which the loop does not turn. */
static void tick(int seconds)
{
	while (seconds-- > 0)
		(void)raise(SIGALRM);
}

static char said[512]; /* by the last child */

/* The status of a child that does so, or ALIVE if that has not ended it. */
static int status_of(void (*does)(struct bench *))
{
	struct bench b;
	int status = 0, errors[2];

	assert_int_equal(pipe(errors), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)dup2(errors[1], STDERR_FILENO);
		start(&b);
		does(&b);
		_exit(ALIVE);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	(void)close(errors[1]);
	ssize_t n = read(errors[0], said, sizeof(said) - 1);
	assert_true(n >= 0);
	said[n] = '\0';
	(void)close(errors[0]);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void five_seconds(struct bench *b)
{
	(void)b;
	(void)raise(SIGTERM);
	tick(5);
}

static void six_seconds(struct bench *b)
{
	(void)b;
	(void)raise(SIGTERM);
	tick(6);
}

static void test_one_signal(void **state)
{
	(void)state;
	assert_int_equal(status_of(five_seconds), ALIVE);
	assert_string_equal(said, "");
	assert_int_equal(status_of(six_seconds), CLI_INTERRUPTED);
	assert_string_equal(said, ": it is held up, and no driver was asked for anything: please "
				  "report it; what was printed holds, of other nodes nothing is "
				  "known\n");
}

static void two_at_once(struct bench *b)
{
	(void)b;
	(void)raise(SIGINT);
	(void)raise(SIGINT);
	tick(1);
}

static void two_and_two_seconds(struct bench *b)
{
	two_at_once(b);
	tick(1);
}

static void second_is_late(struct bench *b)
{
	(void)b;
	(void)raise(SIGINT);
	tick(3);
	(void)raise(SIGTERM);
	tick(1);
}

/* A key that is held down does not put off the next second. */
static void many(struct bench *b)
{
	(void)b;
	(void)raise(SIGINT);
	(void)alarm(1000);
	for (int i = 0; i < 1000; i++)
		(void)raise(SIGINT);
	if (alarm(0) > 1)
		tick(2);
}

static void test_two_signals(void **state)
{
	(void)state;
	assert_int_equal(status_of(two_at_once), ALIVE);
	assert_int_equal(status_of(two_and_two_seconds), CLI_INTERRUPTED);
	assert_int_equal(status_of(second_is_late), CLI_INTERRUPTED);
	assert_int_equal(status_of(many), CLI_INTERRUPTED);
}

static void taken_then_blocked(struct bench *b)
{
	(void)raise(SIGTERM);
	turn(b);
	tick(6);
}

static void taken_then_two(struct bench *b)
{
	(void)raise(SIGTERM);
	turn(b);
	(void)raise(SIGTERM);
	tick(2);
}

static void test_blocked_after_it_was_taken(void **state)
{
	(void)state;
	assert_int_equal(status_of(taken_then_blocked), CLI_INTERRUPTED);
	assert_int_equal(status_of(taken_then_two), CLI_INTERRUPTED);
}

static void second_is_taken(struct bench *b)
{
	(void)raise(SIGTERM);
	turn(b);
	(void)raise(SIGHUP);
	turn(b);
}

static void test_second_is_taken(void **state)
{
	(void)state;
	assert_int_equal(status_of(second_is_taken), SECOND);
}

static void test_loop_that_turns(void **state)
{
	struct bench b;

	(void)state;
	start(&b);
	(void)raise(SIGTERM);
	for (int i = 0; i < 100; i++) {
		tick(3);
		turn(&b);
	}
	assert_int_equal(b.first, 1);
	assert_true(b.signals.came);
	stop(&b);
}

/* Whose SIGALRM it is shows: it ends a process that has not asked for it. */
static void alarm_before(struct bench *b)
{
	(void)b;
	tick(1);
}

static void alarm_behind(struct bench *b)
{
	(void)raise(SIGTERM);
	turn(b);
	stop(b);
	if (alarm(0))
		_exit(1);
	tick(1);
}

/* One that somebody set before (perl -e 'alarm 9; exec ...') is left alone. */
static void other_alarm(struct bench *b)
{
	(void)alarm(1000);
	stop(b);
	_exit(alarm(0) ? ALIVE : 1);
}

static void test_alarm_of_others(void **state)
{
	(void)state;
	assert_int_equal(status_of(alarm_before), 128 + SIGALRM);
	assert_int_equal(status_of(alarm_behind), 128 + SIGALRM);
	assert_int_equal(status_of(other_alarm), ALIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_signal),
		cmocka_unit_test(test_two_signals),
		cmocka_unit_test(test_blocked_after_it_was_taken),
		cmocka_unit_test(test_second_is_taken),
		cmocka_unit_test(test_loop_that_turns),
		cmocka_unit_test(test_alarm_of_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
