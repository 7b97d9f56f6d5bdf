/* SPDX-License-Identifier: Apache-2.0 */
/* Programs beside the loop: what they get, what is told of them, how they are ended. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/program.h"

#define LONG_MS 60000u

struct bench {
	uv_loop_t loop;
	struct pctl_programs *line;
	char folder[256];
};

/* What a program came to, copied. */
struct seen {
	unsigned told, starting;
	enum pctl_program_end end;
	int status;
	char out[4096], said[4096], last[256];
	struct pctl_error err;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int set_up(void **state)
{
	struct bench *b = pctl_xcalloc(1, sizeof(*b));

	(void)test_folder(b->folder, sizeof(b->folder));
	assert_int_equal(uv_loop_init(&b->loop), 0);
	b->line = pctl_programs_new(&b->loop, 0);
	*state = b;
	return 0;
}

static void on_closed(void *data)
{
	*(bool *)data = true;
}

static void shut(struct bench *b)
{
	bool closed = false;

	pctl_programs_close(b->line, on_closed, &closed);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_true(closed);
	b->line = NULL;
}

static int tear_down(void **state)
{
	struct bench *b = *state;

	if (b->line)
		shut(b);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	test_remove_folder(b->folder);
	free(b);
	return 0;
}

static void copy(char *to, size_t size, const char *from, size_t len)
{
	size_t n = len < size - 1 ? len : size - 1;

	memcpy(to, from, n);
	to[n] = '\0';
}

static void on_done(void *data, const struct pctl_program_result *result)
{
	struct seen *seen = data;

	seen->told++;
	seen->end = result->end;
	seen->status = result->status;
	copy(seen->out, sizeof(seen->out), result->out, result->out_len);
	copy(seen->said, sizeof(seen->said), result->said, result->said_len);
	copy(seen->last, sizeof(seen->last), result->last, strlen(result->last));
	seen->err = result->err;
}

static void on_starting(void *data)
{
	((struct seen *)data)->starting++;
}

static struct pctl_program_options shell(const char *const *argv)
{
	return (struct pctl_program_options){ .size = sizeof(struct pctl_program_options),
		.argv = argv,
		.timeout_ms = LONG_MS,
		.out_max = 1000,
		.starting = on_starting };
}

#define SHELL(script) ((const char *const[]){ "sh", "-c", script, NULL })

static void run_to_end(
	struct bench *b, const struct pctl_program_options *options, struct seen *seen)
{
	*seen = (struct seen){ 0 };
	(void)pctl_programs_run(b->line, options, on_done, seen);
	assert_int_equal(seen->told, 0);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(seen->told, 1);
}

static void test_input_output_and_status(void **state)
{
	struct pctl_program_options options =
		shell(SHELL("cat; echo so >&2; echo; echo ' last ' >&2; exit 7"));
	struct seen seen;

	options.input = "bytes\n";
	options.input_len = 6;
	run_to_end(*state, &options, &seen);
	assert_int_equal(seen.starting, 1);
	assert_int_equal(seen.end, PCTL_PROGRAM_EXITED);
	assert_int_equal(seen.status, 7);
	assert_string_equal(seen.out, "bytes\n\n");
	assert_string_equal(seen.said, "so\n last \n");
	assert_string_equal(seen.last, "last");
	assert_int_equal(seen.err.code, PCTL_E_PROTOCOL);
	assert_string_equal(seen.err.text, "'sh' ended with status 7: last");
	options = shell(SHELL("exit 0"));
	run_to_end(*state, &options, &seen);
	assert_int_equal(seen.err.code, 0);
	assert_string_equal(seen.out, "");
	assert_string_equal(seen.last, "");
}

/* All that a pipe holds, to one who never reads it as well. */
static void test_much_input(void **state)
{
	struct pctl_program_options options = shell(SHELL("wc -c"));
	char *much = pctl_xcalloc(1, PCTL_PROGRAM_INPUT_MAX + 1);
	struct seen seen;

	memset(much, 'x', PCTL_PROGRAM_INPUT_MAX);
	options.input = much;
	options.input_len = PCTL_PROGRAM_INPUT_MAX;
	run_to_end(*state, &options, &seen);
	assert_string_equal(seen.out, "65536\n");
	options.argv = SHELL("exit 0");
	run_to_end(*state, &options, &seen);
	assert_int_equal(seen.err.code, 0);
	options.input_len++;
	run_to_end(*state, &options, &seen);
	assert_int_equal(seen.end, PCTL_PROGRAM_NOT_STARTED);
	assert_int_equal(seen.err.code, PCTL_E_CONFIG);
	assert_int_equal(seen.starting, 0);
	free(much);
}

/* Nothing of ours but what the header names. */
static void test_what_it_has_of_us(void **state)
{
	struct bench *b = *state;
	static const char *const more[] = { "MORE=1", NULL };
	struct pctl_program_options options = shell(SHELL("env | sort; pwd; umask; "
							  "ps -o sid= -p $$ | grep -cw $$; "
							  "ls /proc/self/fd | wc -l"));
	int leak = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
	struct seen seen;

	assert_int_equal(setenv("POWERCTL_PASSWORD", "geheim", 1), 0);
	assert_int_equal(setenv("PYTHONPATH", "/x", 1), 0);
	assert_int_equal(setenv("TZ", "UTC", 1), 0);
	options.environment = more;
	options.out_max = 4000;
	run_to_end(b, &options, &seen);
	assert_int_equal(seen.err.code, 0);
	assert_non_null(strstr(seen.out, "MORE=1\n"));
	assert_non_null(strstr(seen.out, "PATH="));
	assert_non_null(strstr(seen.out, "TZ=UTC\n"));
	assert_null(strstr(seen.out, "geheim"));
	assert_null(strstr(seen.out, "PYTHONPATH"));
	assert_non_null(strstr(seen.out, "\n/\n0077\n1\n4\n")); /* 3, and that of ls itself */
	options.flags = PCTL_PROGRAM_AS_TYPED;
	options.argv = SHELL("env; pwd; umask");
	mode_t before = umask(027);
	run_to_end(b, &options, &seen);
	assert_int_equal(umask(before), 027);
	assert_null(strstr(seen.out, "geheim"));
	assert_non_null(strstr(seen.out, "PYTHONPATH=/x\n"));
	assert_non_null(strstr(seen.out, "\n0027\n"));
	(void)close(leak);
}

static void test_nothing_to_run(void **state)
{
	static const struct {
		const char *name;
		unsigned flags;
		const char *text;
	} rows[] = {
		{ "/nonexistent/x", 0,
			"cannot run '/nonexistent/x': No such file or directory (it, or what its "
			"first line names)" },
		{ "no-such-program", 0, "cannot run 'no-such-program': No such file or directory" },
		{ "./x", 0, "cannot run './x': write its path in full" },
		{ "./x", PCTL_PROGRAM_AS_TYPED, "cannot run './x': No such file or directory" },
		{ "/", 0, "cannot run '/': Permission denied" },
		{ "", 0, "there is no program to run" },
	};
	struct seen seen;

	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		const char *argv[] = { rows[i].name, NULL };
		struct pctl_program_options options = shell(argv);

		options.flags = rows[i].flags;
		run_to_end(*state, &options, &seen);
		assert_int_equal(seen.end, PCTL_PROGRAM_NOT_STARTED);
		assert_int_equal(seen.err.code, PCTL_E_CONFIG);
		assert_string_equal(seen.err.text, rows[i].text);
	}
}

static void test_caps(void **state)
{
	struct pctl_program_options options = shell(SHELL("yes"));
	struct seen seen;

	run_to_end(*state, &options, &seen);
	assert_int_equal(seen.end, PCTL_PROGRAM_NOISY);
	assert_int_equal(seen.err.code, PCTL_E_PROTOCOL);
	assert_string_equal(seen.err.text, "'sh' printed more than 1000 bytes and was killed");
	/* All at its end. */
	options = shell(SHELL("head -c 1001 /dev/zero"));
	run_to_end(*state, &options, &seen);
	assert_int_equal(seen.end, PCTL_PROGRAM_NOISY);
	options.argv = SHELL("head -c 1000 /dev/zero");
	run_to_end(*state, &options, &seen);
	assert_int_equal(seen.end, PCTL_PROGRAM_EXITED);
	/* Of the other the end is kept, and nobody has to wait. */
	options = shell(SHELL("seq 100000 >&2; echo end >&2"));
	options.said_max = 10;
	run_to_end(*state, &options, &seen);
	assert_int_equal(seen.err.code, 0);
	assert_string_equal(seen.said, "00000\nend\n");
	assert_string_equal(seen.last, "end");
}

static void test_merged(void **state)
{
	struct pctl_program_options options = shell(SHELL("echo a; echo b >&2; echo c"));
	struct seen seen;

	options.flags = PCTL_PROGRAM_MERGE;
	run_to_end(*state, &options, &seen);
	assert_string_equal(seen.said, "a\nb\nc\n");
	assert_string_equal(seen.out, "");
	assert_int_equal(seen.err.code, 0);
}

static void test_signals(void **state)
{
	struct pctl_program_options options = shell(SHELL("echo why >&2; kill -SEGV $$"));
	struct seen seen;

	run_to_end(*state, &options, &seen);
	assert_int_equal(seen.end, PCTL_PROGRAM_SIGNALED);
	assert_int_equal(seen.status, SIGSEGV);
	assert_int_equal(seen.err.code, PCTL_E_PROTOCOL);
	assert_string_equal(
		seen.err.text, "'sh' was killed by signal 11 (Segmentation fault): why");
}

/* Its own end is not ignored where we ignore those of ours. */
static void test_callers_that_ignore(void **state)
{
	struct pctl_program_options options = shell(SHELL("kill -TERM $$; exit 3"));
	struct seen seen;

	(void)signal(SIGCHLD, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	run_to_end(*state, &options, &seen);
	(void)signal(SIGTERM, SIG_DFL);
	assert_int_equal(seen.end, PCTL_PROGRAM_SIGNALED);
	assert_int_equal(seen.status, SIGTERM);
}

/* --- Ended with its children. ----------------------------------------------------------------- */

/* A pipe with a name that all of a program's family holds open for writing. */
static int family(const struct bench *b, char **ret_script, const char *script)
{
	PCTL_AUTO(free) char *path = pctl_xasprintf("%s/fifo", b->folder);

	(void)unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	*ret_script = pctl_xasprintf("exec 9>%s; %s", path, script);
	return open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
}

/* Blocks until all of them are gone, and returns what they wrote. */
static char *wait_for_family(int fd)
{
	struct pctl_buf buf;
	char chunk[64];
	ssize_t n;

	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	pctl_buf_init(&buf, 1000);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		pctl_buf_add(&buf, chunk, (size_t)n);
	assert_int_equal(n, 0);
	(void)close(fd);
	return pctl_buf_steal(&buf);
}

static void test_late(void **state)
{
	struct bench *b = *state;
	PCTL_AUTO(free) char *script = NULL;
	int fd = family(b, &script,
		"trap 'echo term >&9; exit' TERM; echo here >&2; sleep 1000 & sleep 1000 & wait");
	struct pctl_program_options options = shell(SHELL(script));
	struct seen seen;

	options.timeout_ms = 5000;
	run_to_end(b, &options, &seen);
	assert_int_equal(seen.end, PCTL_PROGRAM_LATE);
	assert_int_equal(seen.err.code, PCTL_E_TIMEOUT);
	assert_string_equal(seen.err.text, "'sh' did not end in 5 s and was killed: here");
	PCTL_AUTO(free) char *wrote = wait_for_family(fd);
	assert_string_equal(wrote, "term\n");
}

/* Who does not listen to SIGTERM, itself or only its child. */
static void test_stubborn(void **state)
{
	static const char *const scripts[] = {
		"trap '' TERM; while :; do sleep 1000; done",
		"(trap '' TERM; sleep 1000) & (trap '' TERM; exec sleep 1000)",
		"(trap '' TERM; sleep 1000) & sleep 0.2; exec sleep 1000",
	};
	struct bench *b = *state;
	struct seen seen;

	for (size_t i = 0; i < TEST_COUNT(scripts); i++) {
		PCTL_AUTO(free) char *script = NULL;
		int fd = family(b, &script, scripts[i]);
		struct pctl_program_options options = shell(SHELL(script));

		options.timeout_ms = 1500;
		run_to_end(b, &options, &seen);
		assert_int_equal(seen.end, PCTL_PROGRAM_LATE);
		PCTL_AUTO(free) char *wrote = wait_for_family(fd);
		assert_string_equal(wrote, "");
	}
}

/* A child that keeps the pipes open is not waited for, and does not outlive its parent. */
static void test_leftovers(void **state)
{
	struct bench *b = *state;
	PCTL_AUTO(free) char *script = NULL;
	int fd = family(b, &script, "sleep 1000 & echo done");
	struct pctl_program_options options = shell(SHELL(script));
	struct seen seen;
	uint64_t begin = now_ms();

	run_to_end(b, &options, &seen);
	assert_true(now_ms() - begin < LONG_MS / 2);
	assert_int_equal(seen.err.code, 0);
	assert_string_equal(seen.out, "done\n");
	PCTL_AUTO(free) char *wrote = wait_for_family(fd);
	assert_string_equal(wrote, "");
}

/* A program that we may not kill any more is let go; closing does not wait for it either. */
static void test_not_ours_to_kill(void **state)
{
	struct bench *b = *state;
	PCTL_AUTO(free) char *script = NULL;
	int fd = family(b, &script, "echo $$ >&9; exec sleep 1000");
	struct pctl_program_options options = shell(SHELL(script));
	struct seen seen;

	if (geteuid() != 0) {
		test_skip("programs of another user", "not root");
		(void)close(fd);
		return;
	}
	options.timeout_ms = 1500;
	(void)pctl_programs_run(b->line, &options, on_done, &seen);
	seen = (struct seen){ 0 };
	assert_int_equal(setresuid(65534, 65534, 0), 0);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(setresuid(0, 0, 0), 0);
	assert_int_equal(seen.told, 1);
	assert_int_equal(seen.end, PCTL_PROGRAM_LATE);
	char line[32] = "";
	assert_true(read(fd, line, sizeof(line) - 1) > 0);
	uint64_t number = 0;
	line[strcspn(line, "\n")] = '\0';
	assert_int_equal(pctl_parse_uint(line, INT32_MAX, &number), 0);
	pid_t pid = (pid_t)number;
	assert_int_equal(kill(-pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	(void)close(fd);
}

/* --- Abort, and the line. --------------------------------------------------------------------- */

static void must_not_run(void *data, const struct pctl_program_result *result)
{
	(void)data, (void)result;
	fail();
}

static void test_abort(void **state)
{
	struct bench *b = *state;
	PCTL_AUTO(free) char *script = NULL;
	int fd = family(b, &script, "echo here >&9; sleep 1000 & sleep 1000");
	struct pctl_program_options options = shell(SHELL(script));
	char byte = 0;

	options.starting = NULL;
	struct pctl_program *p = pctl_programs_run(b->line, &options, must_not_run, NULL);
	assert_true(pctl_program_is_started(p));
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	while (read(fd, &byte, 1) == 0) /* nobody writes yet */
		continue;
	pctl_program_abort(p);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	PCTL_AUTO(free) char *wrote = wait_for_family(fd);
	assert_string_equal(wrote, "ere\n");
}

static void test_close_ends_all(void **state)
{
	struct bench *b = *state;
	PCTL_AUTO(free) char *script = NULL;
	int fd = family(b, &script, "trap '' TERM; sleep 1000 & sleep 1000");
	struct pctl_program_options options = shell(SHELL(script));
	uint64_t begin = now_ms();

	options.starting = NULL;
	for (int i = 0; i < 100; i++)
		(void)pctl_programs_run(b->line, &options, must_not_run, NULL);
	shut(b);
	assert_true(now_ms() - begin < LONG_MS / 2);
	PCTL_AUTO(free) char *wrote = wait_for_family(fd);
	assert_string_equal(wrote, "");
}

struct crowd {
	struct bench *b;
	unsigned started, ended, most;
};

static void one_more(void *data)
{
	struct crowd *c = data;

	c->started++;
	if (c->started - c->ended > c->most)
		c->most = c->started - c->ended;
}

static void one_less(void *data, const struct pctl_program_result *result)
{
	struct crowd *c = data;

	assert_int_equal(result->err.code, 0);
	c->ended++;
}

static void test_so_many_at_a_time(void **state)
{
	struct bench *b = *state;
	struct crowd c = { .b = b };
	struct pctl_program_options options = shell(SHELL("exit 0"));
	struct pctl_program *waits = NULL;

	shut(b);
	b->line = pctl_programs_new(&b->loop, 3);
	options.starting = one_more;
	for (unsigned i = 0; i < 20; i++) {
		struct pctl_program *p = pctl_programs_run(b->line, &options, one_less, &c);

		assert_int_equal(pctl_program_is_started(p), i < 3);
		if (i == 10)
			waits = p;
	}
	pctl_program_abort(waits);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_int_equal(c.ended, 19);
	assert_int_equal(c.most, 3);
}

static void on_uv_exit(uv_process_t *process, int64_t status, int signum)
{
	*(int64_t *)process->data = status + signum;
	uv_close((uv_handle_t *)process, NULL);
}

/* Whoever shares the loop may start programs with libuv: neither takes the other's ends away. */
static void test_libuvs_own_children(void **state)
{
	struct bench *b = *state;
	char sh[] = "sh", c[] = "-c", script[] = "exit 5";
	char *argv[] = { sh, c, script, NULL };
	uv_process_t process[8];
	int64_t status[8];
	struct seen seen[8] = { { 0 } };
	struct pctl_program_options options = shell(SHELL("exit 6"));

	for (size_t i = 0; i < TEST_COUNT(process); i++) {
		uv_process_options_t theirs = { .exit_cb = on_uv_exit, .file = sh, .args = argv };

		process[i].data = &status[i];
		assert_int_equal(uv_spawn(&b->loop, &process[i], &theirs), 0);
		(void)pctl_programs_run(b->line, &options, on_done, &seen[i]);
	}
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < TEST_COUNT(process); i++) {
		assert_int_equal(status[i], 5);
		assert_int_equal(seen[i].status, 6);
	}
}

static void test_secrets_are_stars(void **state)
{
	struct pctl_secret *a = pctl_secret_new("hunter2", 7), *e = pctl_secret_new("", 0);
	const struct pctl_secret *secrets[] = { e, a, NULL };
	struct pctl_program_options options =
		shell(SHELL("cat >&2; echo 'login hunter2hunter2 bad' >&2; exit 1"));
	struct seen seen;

	options.secrets = secrets;
	options.input = "hunter2";
	options.input_len = 7;
	run_to_end(*state, &options, &seen);
	assert_null(strstr(seen.said, "hunter"));
	assert_string_equal(
		seen.err.text, "'sh' ended with status 1: *******login ************** bad");
	pctl_secret_free(a);
	pctl_secret_free(e);
}

static void test_secrets_that_were_cut(void **state)
{
	static const struct {
		const char *text, *wanted;
	} rows[] = {
		{ "hunter2hunter2", "**************" },
		{ "no hunter2!", "no *******!" },
		{ "no hunter", "no ******" },
		{ "no hunt", "no ****" },
		{ "hun", "hun" },
		{ "hunter", "******" },
		{ "", "" },
	};
	struct pctl_secret *a = pctl_secret_new("hunter2", 7);
	const struct pctl_secret *secrets[] = { a, NULL };

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		char text[40];

		(void)snprintf(text, sizeof(text), "%s", rows[i].text);
		pctl_program_redact(text, strlen(text), secrets);
		assert_string_equal(text, rows[i].wanted);
	}
	pctl_program_redact(NULL, 0, NULL);
	pctl_secret_free(a);
}

static void test_short_of_descriptors(void **state)
{
	struct bench *b = *state;
	struct pctl_program_options options = shell(SHELL("exit 0"));
	struct rlimit before, none;
	struct seen seen;

	(void)uv_run(&b->loop, UV_RUN_NOWAIT);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = 3;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	run_to_end(b, &options, &seen);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(seen.end, PCTL_PROGRAM_NOT_STARTED);
	assert_true(pctl_error_is_shortage(&seen.err));
}

/* --- For those who wait. ---------------------------------------------------------------------- */

static void test_wait(void **state)
{
	struct pctl_program_options options = shell(SHELL("echo here; exit 2"));
	struct seen seen = { 0 };

	(void)state;
	pctl_program_wait(&options, on_done, &seen);
	assert_int_equal(seen.told, 1);
	assert_int_equal(seen.status, 2);
	assert_string_equal(seen.out, "here\n");
	options.argv = (const char *const[]){ "no-such-program", NULL };
	pctl_program_wait(&options, on_done, &seen);
	assert_int_equal(seen.told, 2);
	assert_int_equal(seen.end, PCTL_PROGRAM_NOT_STARTED);
}

static volatile sig_atomic_t interrupts;

static void on_interrupt(int signum)
{
	(void)signum;
	interrupts++;
}

/* The program is ended first, then the signal does what it does. */
static void test_wait_and_interrupt(void **state)
{
	struct bench *b = *state;
	PCTL_AUTO(free) char *script = NULL;
	PCTL_AUTO(free) char *kill_us = pctl_xasprintf("sleep 1000 & kill -INT %d; wait", getpid());
	int fd = family(b, &script, kill_us);
	struct pctl_program_options options = shell(SHELL(script));
	struct seen seen = { 0 };

	(void)signal(SIGINT, on_interrupt);
	pctl_program_wait(&options, on_done, &seen);
	assert_int_equal(interrupts, 1);
	(void)signal(SIGINT, SIG_DFL);
	assert_int_equal(seen.told, 1);
	assert_int_equal(seen.end, PCTL_PROGRAM_INTERRUPTED);
	assert_int_equal(seen.err.code, PCTL_E_CANCELED);
	PCTL_AUTO(free) char *wrote = wait_for_family(fd);
	assert_string_equal(wrote, "");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_input_output_and_status),
		TEST(test_much_input),
		TEST(test_what_it_has_of_us),
		TEST(test_nothing_to_run),
		TEST(test_caps),
		TEST(test_merged),
		TEST(test_signals),
		TEST(test_callers_that_ignore),
		TEST(test_late),
		TEST(test_stubborn),
		TEST(test_leftovers),
		TEST(test_not_ours_to_kill),
		TEST(test_abort),
		TEST(test_close_ends_all),
		TEST(test_so_many_at_a_time),
		TEST(test_libuvs_own_children),
		TEST(test_secrets_are_stars),
		TEST(test_secrets_that_were_cut),
		TEST(test_short_of_descriptors),
		TEST(test_wait),
		TEST(test_wait_and_interrupt),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
