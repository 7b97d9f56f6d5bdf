/* SPDX-License-Identifier: Apache-2.0 */
/* Where caches, state and locks live, and that nobody else's folder is used for them. */
#include "test.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "base/paths.h"
#include "folder_help.h"

#define SOMEBODY 54321 /* has no home and no processes */

static void check_path(int (*path)(const char *, char **, struct pctl_error *),
	const char *variable, const char *below)
{
	PCTL_AUTO(free) char *root = pctl_xasprintf("%s/%s", folder, below);
	PCTL_AUTO(free) char *wanted = pctl_xasprintf("%s/powerctl/a/b", root);
	PCTL_AUTO(free) char *parent = pctl_path_dirname(wanted);
	PCTL_AUTO(free) char *got = NULL;
	struct pctl_error err = { 0 };
	struct stat st;

	assert_int_equal(setenv(variable, root, 1), 0);
	assert_int_equal(path("a/b", &got, &err), 0);
	assert_string_equal(got, wanted);
	assert_int_equal(stat(parent, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(access(wanted, F_OK), -1);
}

static void test_variables(void **state)
{
	(void)state;
	check_path(pctl_path_cache, "XDG_CACHE_HOME", "c");
	check_path(pctl_path_state, "XDG_STATE_HOME", "s");
	check_path(pctl_path_runtime, "XDG_RUNTIME_DIR", "r");
}

static void test_config(void **state)
{
	(void)state;
	assert_int_equal(setenv("HOME", "/home/me", 1), 0);
	assert_int_equal(setenv("XDG_CONFIG_HOME", "relative", 1), 0);
	PCTL_AUTO(free) char *at_home = pctl_path_config("x.yaml");
	assert_string_equal(at_home, "/home/me/.config/powerctl/x.yaml");
	assert_int_equal(setenv("XDG_CONFIG_HOME", "/cfg", 1), 0);
	PCTL_AUTO(free) char *elsewhere = pctl_path_config("x.yaml");
	assert_string_equal(elsewhere, "/cfg/powerctl/x.yaml");
}

static void test_dirname(void **state)
{
	PCTL_AUTO(free) char *bare = pctl_path_dirname("x");
	PCTL_AUTO(free) char *top = pctl_path_dirname("/x");
	PCTL_AUTO(free) char *deep = pctl_path_dirname("a/b/x");

	(void)state;
	assert_string_equal(bare, ".");
	assert_string_equal(top, "/");
	assert_string_equal(deep, "a/b");
}

static void test_parent_that_is_a_file(void **state)
{
	PCTL_AUTO(free) char *file = pctl_xasprintf("%s/file", folder);
	PCTL_AUTO(free) char *below = pctl_xasprintf("%s/file/x/y", folder);
	struct pctl_error err = { 0 };
	FILE *f = fopen(file, "we");

	(void)state;
	assert_non_null(f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(pctl_path_make_parent(below, &err), PCTL_E_INTERNAL);
	assert_non_null(strstr(err.text, "cannot make the folder"));
}

/* Runs as somebody without $XDG_RUNTIME_DIR; 0: got a path, 1: refused, else something broke. */
#define NO_TMP 11

static int runtime_of_somebody(void)
{
	pid_t pid = fork();
	int status = -1;

	if (pid == 0) {
		PCTL_AUTO(free) char *got = NULL;
		struct pctl_error err = { 0 };

		if (unsetenv("XDG_RUNTIME_DIR") < 0 || setgid(SOMEBODY) < 0 || setuid(SOMEBODY) < 0)
			_exit(9);
		if (access("/tmp", W_OK) < 0)
			_exit(NO_TMP);
		int r = pctl_path_runtime("lock", &got, &err);
		if (r == 0)
			_exit(strcmp(got, "/tmp/powerctl-54321/lock") == 0 ? 0 : 8);
		_exit(strstr(err.text, "is not a folder of yours alone") ? 1 : 7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 10;
}

static void test_folder_in_tmp(void **state)
{
	const char *dir = "/tmp/powerctl-54321";

	(void)state;
	if (geteuid() != 0 || access(dir, F_OK) == 0) {
		test_skip("runtime folder in /tmp", "needs root, to be somebody else");
		return;
	}
	int first = runtime_of_somebody();
	if (first == NO_TMP) {
		test_skip("runtime folder in /tmp", "nobody but root can use /tmp here");
		return;
	}
	assert_int_equal(first, 0);
	assert_int_equal(runtime_of_somebody(), 0); /* its own, again */
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(runtime_of_somebody(), 1);
	assert_int_equal(chmod(dir, 0700), 0);
	assert_int_equal(chown(dir, 0, 0), 0);
	assert_int_equal(runtime_of_somebody(), 1);
	assert_int_equal(rmdir(dir), 0);
	assert_int_equal(symlink(folder, dir), 0);
	assert_int_equal(lchown(dir, SOMEBODY, SOMEBODY), 0);
	assert_int_equal(runtime_of_somebody(), 1);
	assert_int_equal(unlink(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_variables),
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_dirname),
		cmocka_unit_test(test_parent_that_is_a_file),
		cmocka_unit_test(test_folder_in_tmp),
	};

	return cmocka_run_group_tests_name("paths", tests, make_folder, remove_folder);
}
