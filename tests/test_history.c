/* SPDX-License-Identifier: Apache-2.0 */
/* The history's file: many writers, what is torn, what is full; and the JSON that goes into it. */
#include "test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <powerctl/history.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/json_text.h"
#include "keep/history.h"

#define WRITERS 6
#define LINES   400
#define PAD     "................................................................"

static int setup(void **state)
{
	struct test_place *p = test_place_new("powerctl/history.jsonl"); /* pctl_history_read()'s */
	char folder[256];

	(void)setenv("XDG_STATE_HOME", p->dir, 1);
	(void)snprintf(folder, sizeof(folder), "%s/powerctl", p->dir);
	assert_int_equal(mkdir(folder, 0700), 0);
	*state = p;
	return 0;
}

static void add(struct pctl_history *h, const char *line)
{
	pctl_buf_adds(pctl_history_begin(h), line);
	pctl_history_end(h);
}

/* --- What is read. ---------------------------------------------------------------------------- */

struct seen {
	char lines[16][80];
	size_t n, most;
};

static bool keep_line(void *data, const char *line, size_t len)
{
	struct seen *seen = data;

	assert_true(seen->n < TEST_COUNT(seen->lines));
	(void)snprintf(seen->lines[seen->n++], sizeof(seen->lines[0]), "%.*s", (int)len, line);
	return !seen->most || seen->n < seen->most;
}

static struct seen read_all(size_t most)
{
	struct seen seen = { .most = most };

	assert_int_equal(pctl_history_read(keep_line, &seen, NULL), 0);
	return seen;
}

static void test_the_newest_comes_first(void **state)
{
	struct pctl_history *h = pctl_history_new(NULL, PCTL_HISTORY_MAX, NULL);
	struct seen seen = read_all(0);
	const struct test_place *p = *state;
	struct stat st;

	assert_int_equal(seen.n, 0);
	add(h, "one");
	add(h, "two");
	pctl_history_flush(h);
	add(h, "three");
	pctl_history_flush(h);
	pctl_history_flush(h);
	assert_int_equal(pctl_history_status(h, NULL), 0);
	pctl_history_free(h);
	seen = read_all(0);
	assert_int_equal(seen.n, 3);
	assert_string_equal(seen.lines[0], "three");
	assert_string_equal(seen.lines[2], "one");
	assert_int_equal(read_all(2).n, 2);
	assert_int_equal(stat(p->path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_what_was_torn_swallows_nothing(void **state)
{
	const struct test_place *p = *state;
	int fd = open(p->path, O_WRONLY | O_CREAT, 0600);
	struct pctl_history *h = pctl_history_new(NULL, PCTL_HISTORY_MAX, NULL);

	assert_int_equal(write(fd, "one\nhal", 7), 7);
	(void)close(fd);
	add(h, "two");
	pctl_history_flush(h);
	pctl_history_free(h);
	struct seen seen = read_all(0);
	assert_int_equal(seen.n, 3);
	assert_string_equal(seen.lines[0], "two");
	assert_string_equal(seen.lines[1], "hal");
}

/* --- Many writers. ---------------------------------------------------------------------------- */

static void write_many(const char *path, unsigned writer)
{
	struct pctl_history *h = pctl_history_new(path, 50000, NULL);
	char line[200];

	for (unsigned i = 0; i < LINES; i++) {
		(void)snprintf(line, sizeof(line), "<%u %03u " PAD ">", writer, i);
		add(h, line);
		if (i % 7 == writer)
			pctl_history_flush(h);
	}
	pctl_history_flush(h);
	_exit(pctl_history_status(h, NULL) < 0);
}

struct counts {
	unsigned of[WRITERS][LINES];
};

static bool count_line(void *data, const char *line, size_t len)
{
	struct counts *counts = data;
	uint64_t writer = 0, i = 0;
	char number[4];

	assert_int_equal(line[0], '<');
	assert_int_equal(line[len - 1], '>');
	assert_int_equal(len, 1 + 1 + 1 + 3 + 1 + strlen(PAD) + 1);
	(void)snprintf(number, sizeof(number), "%.1s", line + 1);
	assert_int_equal(pctl_parse_uint(number, WRITERS - 1, &writer), 0);
	(void)snprintf(number, sizeof(number), "%.3s", line + 3);
	assert_int_equal(pctl_parse_uint(number, LINES - 1, &i), 0);
	assert_memory_equal(line + 6, " " PAD, strlen(" " PAD));
	counts->of[writer][i]++;
	return true;
}

/* Files change their names meanwhile, and no line is lost, doubled or mixed with another one. */
static void test_many_write_at_once(void **state)
{
	const struct test_place *p = *state;
	struct counts counts = { 0 };
	char older[300];
	struct stat st;
	int how;

	for (unsigned i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_many(p->path, i);
	for (unsigned i = 0; i < WRITERS; i++) {
		assert_true(wait(&how) > 0);
		assert_int_equal(how, 0);
	}
	assert_int_equal(pctl_history_read(count_line, &counts, NULL), 0);
	for (unsigned i = 0; i < WRITERS; i++)
		for (unsigned k = 0; k < LINES; k++)
			assert_int_equal(counts.of[i][k], 1);
	(void)snprintf(older, sizeof(older), "%s.1", p->path);
	assert_int_equal(stat(older, &st), 0);
	assert_true(st.st_size < 60000);
}

static void write_long(const char *path)
{
	struct pctl_history *h = pctl_history_new(path, UINT64_MAX, NULL);
	char line[5000];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	for (unsigned i = 0; i < LINES; i++) {
		add(h, line);
		pctl_history_flush(h);
	}
	_exit(pctl_history_status(h, NULL) < 0);
}

/* Of a line that another one is just writing the end may not be there yet: it is not torn. */
static void test_half_written_is_not_torn(void **state)
{
	const struct test_place *p = *state;
	int how, c, before = '\n';
	unsigned lines = 0;

	for (unsigned i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_long(p->path);
	for (unsigned i = 0; i < WRITERS; i++) {
		assert_true(wait(&how) > 0);
		assert_int_equal(how, 0);
	}
	FILE *f = fopen(p->path, "re");
	assert_non_null(f);
	for (; (c = getc(f)) != EOF; before = c) {
		assert_false(c == '\n' && before == '\n');
		lines += c == '\n';
	}
	(void)fclose(f);
	assert_int_equal(lines, WRITERS * LINES);
}

static void test_the_oldest_file_goes(void **state)
{
	const struct test_place *p = *state;
	struct pctl_history *h = pctl_history_new(p->path, 8, NULL);
	char line[16], name[300];
	struct seen seen;

	for (unsigned i = 0; i < 9; i++) {
		(void)snprintf(line, sizeof(line), "line %u", i);
		add(h, line);
		pctl_history_flush(h);
		add(h, "more");
		pctl_history_flush(h);
	}
	pctl_history_free(h);
	(void)snprintf(name, sizeof(name), "%s.%u", p->path, PCTL_HISTORY_FILES);
	assert_int_equal(access(name, F_OK), -1);
	seen = read_all(0);
	assert_int_equal(seen.n, 2 * PCTL_HISTORY_FILES);
	assert_string_equal(seen.lines[0], "more");
	assert_string_equal(seen.lines[1], "line 8");
	assert_string_equal(seen.lines[7], "line 5");
}

/* --- What cannot be written. ------------------------------------------------------------------ */

static void test_a_full_disk_is_told_and_left_behind(void **state)
{
	const struct rlimit small = { 6, RLIM_INFINITY }, any = { RLIM_INFINITY, RLIM_INFINITY };
	const struct test_place *p = *state;
	struct pctl_history *h = pctl_history_new(p->path, PCTL_HISTORY_MAX, NULL);
	struct pctl_error err = { 0 };
	struct seen seen;

	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	add(h, "one");
	pctl_history_flush(h);
	add(h, "torn");
	pctl_history_flush(h);
	assert_int_equal(pctl_history_status(h, &err), PCTL_E_INTERNAL);
	assert_non_null(strstr(err.text, p->path));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &any), 0);
	add(h, "two");
	pctl_history_flush(h);
	pctl_history_free(h);
	seen = read_all(0);
	assert_int_equal(seen.n, 3);
	assert_string_equal(seen.lines[0], "two");
	assert_string_equal(seen.lines[1], "to");
	assert_string_equal(seen.lines[2], "one");
}

static void expect_refused(const char *path)
{
	struct pctl_history *h = pctl_history_new(path, PCTL_HISTORY_MAX, NULL);

	add(h, "one");
	pctl_history_flush(h);
	assert_int_equal(pctl_history_status(h, NULL), PCTL_E_INTERNAL);
	pctl_history_free(h);
}

static void test_what_is_no_file_is_left_alone(void **state)
{
	const struct test_place *p = *state;
	char other[300];

	expect_refused(p->dir);
	assert_int_equal(mkfifo(p->path, 0600), 0);
	expect_refused(p->path);
	assert_int_equal(pctl_history_read(keep_line, NULL, NULL), PCTL_E_CONFIG);
	assert_int_equal(unlink(p->path), 0);
	(void)snprintf(other, sizeof(other), "%s/other", p->dir);
	assert_int_equal(symlink(other, p->path), 0);
	expect_refused(p->path);
	assert_int_equal(access(other, F_OK), -1);
}

static void test_a_line_too_long_is_told(void **state)
{
	const struct test_place *p = *state;
	struct pctl_history *h = pctl_history_new(p->path, PCTL_HISTORY_MAX, NULL);
	PCTL_AUTO(free) char *text = pctl_xcalloc(1, PCTL_HISTORY_LINE_MAX + 2);

	memset(text, 'x', PCTL_HISTORY_LINE_MAX + 1);
	add(h, text);
	add(h, "two");
	pctl_history_flush(h);
	assert_int_equal(pctl_history_status(h, NULL), PCTL_E_INTERNAL);
	pctl_history_free(h);
	struct seen seen = read_all(0);
	assert_int_equal(seen.n, 1);
	assert_string_equal(seen.lines[0], "two");
}

/* --- Who, and what texts become. -------------------------------------------------------------- */

static void expect_caller(const char *caller, const char *part)
{
	struct pctl_history *h = pctl_history_new(NULL, PCTL_HISTORY_MAX, caller);

	assert_non_null(strstr(pctl_history_who(h), part));
	pctl_history_free(h);
}

static void test_a_caller_is_a_clean_short_word(void **state)
{
	char text[PCTL_HISTORY_CALLER + 10];

	(void)state;
	(void)unsetenv("SUDO_USER");
	expect_caller(NULL, "\"sudo_user\":null,");
	expect_caller(NULL, "\"caller\":null");
	expect_caller("", "\"caller\":null");
	expect_caller("hook:drain", "\"caller\":\"hook:drain\"");
	expect_caller("a\"b\n\xff c", "\"caller\":\"a_b___c\"");
	memset(text, 'y', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	expect_caller(text, "\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\"");
	(void)setenv("SUDO_USER", "an\"na", 1);
	expect_caller(NULL, "\"sudo_user\":\"an_na\"");
	(void)unsetenv("SUDO_USER");
}

static void test_texts_are_ascii_and_valid(void **state)
{
	static const struct {
		const char *text, *json;
	} rows[] = {
		{ NULL, "null" },
		{ "", "\"\"" },
		{ "a b", "\"a b\"" },
		{ "\"\\", "\"\\\"\\\\\"" },
		{ "\n\x7f\x1b", "\"\\u000a\\u007f\\u001b\"" },
		{ "\xc3\xa9", "\"\\u00e9\"" },
		{ "\xe2\x82\xac!", "\"\\u20ac!\"" },
		{ "\xf0\x9f\x92\xa9", "\"\\ud83d\\udca9\"" },
		{ "\xff\xc3", "\"??\"" },
		{ "\xc0\x80", "\"??\"" },
		{ "\xed\xa0\x80", "\"???\"" },
		{ "\xf4\x90\x80\x80", "\"????\"" },
		{ "\xe2\x82", "\"??\"" },
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct pctl_buf buf;

		pctl_buf_init(&buf, 100);
		pctl_json_text(&buf, rows[i].text);
		assert_string_equal(buf.data, rows[i].json);
		pctl_buf_done(&buf);
	}
}

static void test_members(void **state)
{
	struct pctl_error err = { 0 };
	char time[PCTL_JSON_TIME_SIZE];
	struct pctl_buf buf;

	(void)state;
	pctl_buf_init(&buf, 1000);
	pctl_json_add_uint(&buf, "n", UINT64_MAX);
	pctl_json_add_uint(&buf, "z", 0);
	pctl_json_add_bool(&buf, "b", true);
	pctl_json_add_error(&buf, "e", &err);
	assert_string_equal(buf.data, ",\"n\":18446744073709551615,\"z\":0,\"b\":true,\"e\":null");
	pctl_buf_cut(&buf, 0);
	(void)pctl_error_set(&err, PCTL_E_REFUSED, "no");
	pctl_json_add_error(&buf, "e", &err);
	assert_string_equal(
		buf.data, ",\"e\":{\"class\":\"refused\",\"message\":\"no\",\"code\":null}");
	pctl_buf_done(&buf);
	assert_int_equal(strlen(pctl_json_now(time)), strlen("2026-11-21T07:45:00.123Z"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_the_newest_comes_first, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_what_was_torn_swallows_nothing, setup, test_place_end),
		cmocka_unit_test_setup_teardown(test_many_write_at_once, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_half_written_is_not_torn, setup, test_place_end),
		cmocka_unit_test_setup_teardown(test_the_oldest_file_goes, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_a_full_disk_is_told_and_left_behind, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_what_is_no_file_is_left_alone, setup, test_place_end),
		cmocka_unit_test_setup_teardown(
			test_a_line_too_long_is_told, setup, test_place_end),
		cmocka_unit_test(test_a_caller_is_a_clean_short_word),
		cmocka_unit_test(test_texts_are_ascii_and_valid),
		cmocka_unit_test(test_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
