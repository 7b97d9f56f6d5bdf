/* SPDX-License-Identifier: Apache-2.0 */
/* What every unit test includes first: cmocka and what it needs before it. */
#ifndef POWERCTL_TESTS_TEST_H
#define POWERCTL_TESTS_TEST_H

#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Counts a part that this place cannot test: `make check` names it at its end. */
static inline void test_skip(const char *what, const char *why)
{
	const char *log = getenv("POWERCTL_SKIP_LOG");
	FILE *f = log ? fopen(log, "ae") : NULL;

	if (f) {
		(void)fprintf(f, "%s: %s\n", what, why);
		(void)fclose(f);
	}
	print_message("skip: %s: %s\n", what, why);
}

/* A new empty folder, named in buf; the test removes it. */
static inline char *test_folder(char *buf, size_t size)
{
	const char *tmp = getenv("TMPDIR");

	assert_true((size_t)snprintf(buf, size, "%s/pctl-test-XXXXXX", tmp ? tmp : "/tmp") < size);
	assert_non_null(mkdtemp(buf));
	return buf;
}

static inline int test_remove_one(
	const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void test_remove_folder(const char *path)
{
	(void)nftw(path, test_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A folder for one test, and the path of a file in it: what cmocka's state is in between. */
struct test_place {
	char dir[200], path[256];
};

static inline struct test_place *test_place_new(const char *file)
{
	struct test_place *p = calloc(1, sizeof(*p));

	assert_non_null(p);
	test_folder(p->dir, sizeof(p->dir));
	(void)snprintf(p->path, sizeof(p->path), "%s/%s", p->dir, file);
	return p;
}

/* A teardown. */
static inline int test_place_end(void **state)
{
	struct test_place *p = *state;

	test_remove_folder(p->dir);
	free(p);
	return 0;
}

#define TEST_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
