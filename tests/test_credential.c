/* SPDX-License-Identifier: Apache-2.0 */
/* Where secrets come from, who else may read them, and how often they are asked for. */
#include "inventory_help.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/command.h"
#include "folder_help.h"
#include "node/credential.h"

/* Settings with one text that was read in the folder's inventory. */
static struct pctl_value *one(const char *key, const char *text, const char *file)
{
	struct pctl_value *settings = pctl_value_new_map();
	struct pctl_value *v = pctl_value_new_text(text);

	pctl_value_set_place(v, (struct pctl_place){ file, 1, 1 });
	pctl_value_set(settings, key, v);
	return settings;
}

static struct pctl_value *command(const char *first, const char *second, const char *third)
{
	struct pctl_value *settings = pctl_value_new_map();
	struct pctl_value *list = pctl_value_new_list();

	pctl_value_add(list, pctl_value_new_text(first));
	pctl_value_add(list, pctl_value_new_text(second));
	if (third)
		pctl_value_add(list, pctl_value_new_text(third));
	pctl_value_set(settings, "password_command", list);
	return settings;
}

/* The secret, or "ERROR: text" with the folder's name cut out; free() it. */
static char *get(struct pctl_secrets *secrets, struct pctl_value *take_settings)
{
	const struct pctl_secret *secret = NULL;
	struct pctl_error err = { 0 };
	int r = pctl_secrets_get(secrets, take_settings, "password", &secret, &err);

	pctl_value_free(take_settings);
	if (r == 0)
		return pctl_xstrdup(secret ? pctl_secret_data(secret) : "none");
	assert_int_equal(r, PCTL_E_CONFIG);
	assert_null(secret);
	struct pctl_buf out;
	pctl_buf_init(&out, 4096);
	pctl_buf_adds(&out, "ERROR: ");
	for (const char *at = err.text; *at;) {
		if (strncmp(at, folder, strlen(folder)) == 0) {
			pctl_buf_adds(&out, "DIR");
			at += strlen(folder);
		} else {
			pctl_buf_add(&out, at++, 1);
		}
	}
	return pctl_buf_steal(&out);
}

#define check(settings, wanted)                                       \
	do {                                                          \
		struct pctl_secrets *secrets_ = pctl_secrets_new();   \
		PCTL_AUTO(free) char *got_ = get(secrets_, settings); \
		assert_string_equal(got_, wanted);                    \
		pctl_secrets_free(secrets_);                          \
	} while (0)

static void check_file(const char *content, mode_t mode, const char *wanted)
{
	PCTL_AUTO(free) char *path = test_path(folder, "secret");

	test_write(path, content, mode);
	check(one("password_file", path, NULL), wanted);
}

static void test_files(void **state)
{
	PCTL_AUTO(free) char *missing = test_path(folder, "missing");
	char large[PCTL_SECRET_MAX + 3] = { 0 };

	(void)state;
	check_file("hunter2\n", 0600, "hunter2");
	check_file("hunter2", 0640, "hunter2"); /* a group may */
	check_file("hunter2\r\n", 0400, "hunter2");
	check_file(" two\nlines\n\n", 0660, " two\nlines\n");
	check_file("x", 0604,
		"ERROR: password_file: DIR/secret holds a secret and others can read it (mode "
		"0604); run: chmod o-rwx DIR/secret");
	check_file("x", 0602,
		"ERROR: password_file: DIR/secret holds a secret and others can read it (mode "
		"0602); run: chmod o-rwx DIR/secret");
	check_file("", 0600, "ERROR: password_file: DIR/secret holds no secret: it is empty");
	check_file("\n", 0600, "ERROR: password_file: DIR/secret holds no secret: it is empty");
	check(one("password_file", missing, NULL),
		"ERROR: password_file: DIR/missing: cannot open it: No such file or directory");
	check(one("password_file", folder, NULL),
		"ERROR: password_file: DIR: cannot read it: Is a directory");
	memset(large, 'x', PCTL_SECRET_MAX);
	check_file(large, 0600, large);
	large[PCTL_SECRET_MAX] = 'y';
	check_file(
		large, 0600, "ERROR: password_file: DIR/secret is over 4096 bytes: not a secret");
	large[PCTL_SECRET_MAX] = '\n';
	large[PCTL_SECRET_MAX + 1] = '\n';
	check_file(
		large, 0600, "ERROR: password_file: DIR/secret is over 4096 bytes: not a secret");
}

static void test_relative_files(void **state)
{
	PCTL_AUTO(free) char *path = test_path(folder, "near");
	PCTL_AUTO(free) char *inventory = test_path(folder, "powerctl.yaml");

	(void)state;
	test_write(path, "beside", 0600);
	check(one("password_file", "near", inventory), "beside");
	assert_int_equal(setenv("HOME", folder, 1), 0);
	check(one("password_file", "~/near", "/elsewhere/x.yaml"), "beside");
}

static void test_text(void **state)
{
	PCTL_AUTO(free) char *inventory = test_path(folder, "powerctl.yaml");

	(void)state;
	test_write(inventory, "", 0640);
	check(one("password", "plain", inventory), "plain");
	check(one("password", "", inventory), "none");
	check(one("other", "x", inventory), "none");
	test_write(inventory, "", 0644);
	check(one("password", "plain", inventory),
		"ERROR: password: DIR/powerctl.yaml holds a secret and others can read it (mode "
		"0644); run: chmod o-rwx DIR/powerctl.yaml");
}

static void test_variables(void **state)
{
	(void)state;
	assert_int_equal(setenv("PCTL_TEST_SECRET", "from env", 1), 0);
	check(one("password_env", "PCTL_TEST_SECRET", NULL), "from env");
	assert_int_equal(setenv("PCTL_TEST_SECRET", "", 1), 0);
	check(one("password_env", "PCTL_TEST_SECRET", NULL),
		"ERROR: password_env: the variable $PCTL_TEST_SECRET is empty; set it to the "
		"secret");
	assert_int_equal(unsetenv("PCTL_TEST_SECRET"), 0);
	check(one("password_env", "PCTL_TEST_SECRET", NULL),
		"ERROR: password_env: the variable $PCTL_TEST_SECRET is not set; set it to the "
		"secret");
}

static void test_two_ways(void **state)
{
	struct pctl_value *settings = command("echo", "x", NULL);

	(void)state;
	pctl_value_set_text(settings, "password_env", "HOME");
	check(settings, "ERROR: password_env and password_command are both set; keep one");
	check(one("password_command", "echo x", NULL),
		"ERROR: password_command is a list: [program, argument]");
}

static uint64_t now_ms(void)
{
	struct timespec t;

	assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &t), 0);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* What waits on our own standard input is not the program's. */
static void test_a_command_reads_nothing(void **state)
{
	int fds[2], old = dup(STDIN_FILENO);

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "typed\n", 6), 6);
	assert_int_equal(close(fds[1]), 0);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	check(command("sh", "-c", "cat; echo done"), "done");
	assert_int_equal(dup2(old, STDIN_FILENO), STDIN_FILENO);
	assert_int_equal(close(old), 0);
	assert_int_equal(close(fds[0]), 0);
}

static void test_commands(void **state)
{
	uint64_t begin = now_ms();

	(void)state;
	check(command("echo", "a  b; $HOME", NULL), "a  b; $HOME"); /* no shell */
	check(command("sh", "-c", "exit 3"),
		"ERROR: password_command: 'sh' failed with exit status 3");
	check(command("sh", "-c", "echo x; kill -9 $$"),
		"ERROR: password_command: 'sh' was killed by signal 9 (Killed)");
	check(command("/none/such", "x", NULL),
		"ERROR: password_command: cannot run '/none/such': No such file or directory");
	check(command("true", "x", NULL),
		"ERROR: password_command: true holds no secret: it is empty");
	check(command("yes", "x", NULL),
		"ERROR: password_command: 'yes' printed more than 4098 bytes");
	assert_true(now_ms() - begin < PCTL_COMMAND_MS); /* ended at once, not in time */
}

static void test_a_child_that_keeps_the_pipe_is_not_waited_for(void **state)
{
	PCTL_AUTO(free) char *fifo = test_path(folder, "fifo");
	PCTL_AUTO(free) char *script = pctl_xasprintf("cat %s & echo quick", fifo);

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	check(command("sh", "-c", script), "quick");
	test_write(fifo, "", 0600); /* lets cat go */
}

/*
 * The children hold the writing end of a pipe with a name: once all of them are gone, and not
 * before, reading it comes to its end.
 */
static void test_a_slow_command_is_killed_with_its_children(void **state)
{
	PCTL_AUTO(free) char *fifo = test_path(folder, "family");
	PCTL_AUTO(free)
	char *script =
		pctl_xasprintf("exec 9>%s; echo >&9; exec >&-; sleep 1000 & sleep 1000", fifo);
	char sh[] = "sh", c[] = "-c";
	char *argv[] = { sh, c, script, NULL };
	struct pctl_error err = { 0 };
	struct pctl_buf out;
	char byte;

	(void)state;
	assert_int_equal(mkfifo(fifo, 0600), 0);
	int fd = open(fifo, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	pctl_buf_init(&out, 100);
	const struct pctl_command command = { .argv = argv, .timeout_ms = 1000, .out = &out };
	uint64_t begin = now_ms();
	assert_int_equal(pctl_command_run(&command, &err), PCTL_E_CONFIG);
	assert_true(now_ms() - begin < 30000);
	assert_string_equal(err.text, "'sh' did not end within 1 s and was killed");
	assert_int_equal(fcntl(fd, F_SETFL, 0), 0);
	assert_int_equal(read(fd, &byte, 1), 1);
	assert_int_equal(read(fd, &byte, 1), 0);
	assert_int_equal(close(fd), 0);
	pctl_buf_done(&out);
}

/* A caller that ignores SIGCHLD hands that down to us. */
static void test_a_failure_is_seen_where_ends_were_ignored(void **state)
{
	char sh[] = "false";
	char *argv[] = { sh, NULL };
	struct pctl_error err = { 0 };
	struct pctl_buf out;

	(void)state;
	pctl_buf_init(&out, 100);
	(void)signal(SIGCHLD, SIG_IGN);
	assert_int_equal(
		pctl_command_run(&(struct pctl_command){ .argv = argv, .out = &out }, &err),
		PCTL_E_CONFIG);
	assert_string_equal(err.text, "'false' failed with exit status 1");
	pctl_buf_done(&out);
}

static void test_asked_once(void **state)
{
	PCTL_AUTO(free) char *count = test_path(folder, "count");
	PCTL_AUTO(free) char *script = pctl_xasprintf("echo x >>%s; echo s3", count);
	PCTL_AUTO(free) char *failing = pctl_xasprintf("echo y >>%s; exit 1", count);
	struct pctl_secrets *secrets = pctl_secrets_new();

	(void)state;
	for (int i = 0; i < 3; i++) {
		PCTL_AUTO(free) char *good = get(secrets, command("sh", "-c", script));
		PCTL_AUTO(free) char *bad = get(secrets, command("sh", "-c", failing));

		assert_string_equal(good, "s3");
		assert_string_equal(bad, "ERROR: password_command: 'sh' failed with exit status 1");
	}
	PCTL_AUTO(free) char *counted = test_read(count);
	assert_string_equal(counted, "x\ny\n");

	PCTL_AUTO(free) char *path = test_path(folder, "once");
	test_write(path, "first", 0600);
	PCTL_AUTO(free) char *first = get(secrets, one("password_file", path, NULL));
	test_write(path, "second", 0600);
	PCTL_AUTO(free) char *again = get(secrets, one("password_file", path, NULL));
	assert_string_equal(first, "first");
	assert_string_equal(again, "first");
	/* Texts are told apart by what they say. */
	PCTL_AUTO(free) char *a = get(secrets, one("password", "a", NULL));
	PCTL_AUTO(free) char *b = get(secrets, one("password", "b", NULL));
	assert_string_equal(a, "a");
	assert_string_equal(b, "b");
	pctl_secrets_free(secrets);
}

/* In another round; what was given out before holds. */
static void test_a_file_that_changes(void **state)
{
	PCTL_AUTO(free) char *path = test_path(folder, "changes");
	struct pctl_secrets *secrets = pctl_secrets_new();
	struct pctl_value *settings = one("password_file", path, NULL);
	const struct pctl_secret *first, *same, *second;
	struct pctl_error err = { 0 };

	(void)state;
	assert_int_equal(pctl_secrets_get(secrets, settings, "password", &first, &err),
		PCTL_E_CONFIG); /* missing */
	test_write(path, "first", 0600);
	pctl_secrets_look_again(secrets);
	assert_int_equal(pctl_secrets_get(secrets, settings, "password", &first, &err), 0);
	pctl_secrets_look_again(secrets);
	assert_int_equal(pctl_secrets_get(secrets, settings, "password", &same, &err), 0);
	assert_ptr_equal(first, same);
	test_write(path, "the second", 0600);
	assert_int_equal(pctl_secrets_get(secrets, settings, "password", &same, &err), 0);
	assert_ptr_equal(first, same);
	pctl_secrets_look_again(secrets);
	assert_int_equal(pctl_secrets_get(secrets, settings, "password", &second, &err), 0);
	assert_string_equal(pctl_secret_data(second), "the second");
	assert_string_equal(pctl_secret_data(first), "first");
	pctl_value_free(settings);
	pctl_secrets_free(secrets);
}

static void test_the_same_secret_is_the_same_pointer(void **state)
{
	struct pctl_secrets *secrets = pctl_secrets_new();
	struct pctl_value *settings = one("password", "a", NULL);
	const struct pctl_secret *first, *second;
	struct pctl_error err;

	(void)state;
	assert_int_equal(pctl_secrets_get(secrets, settings, "password", &first, &err), 0);
	assert_int_equal(pctl_secrets_get(secrets, settings, "password", &second, &err), 0);
	assert_ptr_equal(first, second);
	pctl_value_free(settings);
	pctl_secrets_free(secrets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_relative_files),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_two_ways),
		cmocka_unit_test(test_a_command_reads_nothing),
		cmocka_unit_test(test_commands),
		cmocka_unit_test(test_a_child_that_keeps_the_pipe_is_not_waited_for),
		cmocka_unit_test(test_a_slow_command_is_killed_with_its_children),
		cmocka_unit_test(test_a_failure_is_seen_where_ends_were_ignored),
		cmocka_unit_test(test_asked_once),
		cmocka_unit_test(test_a_file_that_changes),
		cmocka_unit_test(test_the_same_secret_is_the_same_pointer),
	};

	return cmocka_run_group_tests_name("credential", tests, make_folder, remove_folder);
}
