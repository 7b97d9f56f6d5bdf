/* SPDX-License-Identifier: Apache-2.0 */
/* What is typed to a console and what it prints, byte by byte: escape sequences and clean lines. */
#include "test.h"

#include "escape.h"
#include "lines.h"

/* --- Escape sequences. ------------------------------------------------------------------------ */

static const char letters[] = { [ESCAPE_NOTHING] = '-',
	[ESCAPE_LEAVE] = 'L',
	[ESCAPE_BREAK] = 'B',
	[ESCAPE_HELP] = '?',
	[ESCAPE_SUSPEND] = 'Z' };

/* What goes to the machine, with the orders in angle brackets where they were given. */
static void type(struct escape *e, const char *typed, const char *wanted)
{
	char got[128] = "";
	size_t len = 0;

	for (const char *c = typed; *c; c++) {
		char out[2];
		size_t n;
		enum escape_order order = escape_type(e, (unsigned char)*c, out, &n);

		for (size_t i = 0; i < n; i++)
			got[len++] = out[i];
		if (order != ESCAPE_NOTHING)
			len += (size_t)snprintf(
				got + len, sizeof(got) - len, "<%c>", letters[order]);
	}
	got[len] = '\0';
	assert_string_equal(got, wanted);
}

static void typed(int character, const char *text, const char *wanted)
{
	struct escape e;

	escape_init(&e, character);
	type(&e, text, wanted);
}

static void test_orders_at_the_beginning_of_a_line(void **state)
{
	(void)state;
	typed('~', "~.", "<L>");
	typed('~', "~B", "<B>");
	typed('~', "~?", "<?>");
	typed('~', "~\x1a", "<Z>");
	typed('~', "ls\r~.", "ls\r<L>");
	typed('~', "ls\n~.", "ls\n<L>");
	typed('~', "~?~B~.", "<?><B><L>"); /* the line stays fresh */
}

static void test_elsewhere_it_is_a_character(void **state)
{
	(void)state;
	typed('~', "a~.", "a~.");
	typed('~', "cd ~\r", "cd ~\r");
	typed('~', "~a~.", "~a~.");
	typed('~', "~b", "~b");
	typed('~', "~/x\r~.", "~/x\r<L>");
	typed('~', "~\r~.", "~\r<L>");
	typed('~', ".~.\r~", ".~.\r");
}

static void test_twice_sends_one(void **state)
{
	(void)state;
	typed('~', "~~", "~");
	typed('~', "~~.", "~.");
	typed('~', "~~~.", "~~.");
	typed('~', "~~\r~.", "~\r<L>");
}

static void test_other_characters(void **state)
{
	(void)state;
	typed('\x1d', "~.\x1d.", "~.\x1d.");
	typed('\x1d', "\r\x1d.", "\r<L>");
	typed('\x1d', "\x1d\x1d", "\x1d");
	typed(ESCAPE_NONE, "~.\r~B\xff", "~.\r~B\xff");
}

static void test_a_new_connection_is_a_new_line(void **state)
{
	struct escape e;

	(void)state;
	escape_init(&e, '~');
	type(&e, "ab~", "ab~");
	escape_restart(&e);
	type(&e, ".", ".");
	escape_restart(&e);
	type(&e, "~", "");
	escape_restart(&e);
	type(&e, ".", "."); /* what was begun before does not count */
}

static void test_characters_are_parsed(void **state)
{
	static const struct {
		const char *text;
		int wanted;
	} good[] = { { "~", '~' }, { "^]", 0x1d }, { "^A", 1 }, { "^[", 0x1b }, { "&", '&' },
		{ "^", '^' }, { "none", ESCAPE_NONE } };
	static const char *const bad[] = { "", "ab", " ", ".", "B", "?", "^Z", "^M", "^J", "^a",
		"\x7f", "\r", "^^^", "nine" };
	struct pctl_error err;
	char name[ESCAPE_NAME_SIZE];
	int c;

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(good); i++) {
		assert_int_equal(escape_parse(good[i].text, &c, &err), 0);
		assert_int_equal(c, good[i].wanted);
		if (c != ESCAPE_NONE)
			assert_string_equal(escape_name(c, name), good[i].text);
	}
	c = 42;
	for (size_t i = 0; i < TEST_COUNT(bad); i++)
		assert_int_equal(escape_parse(bad[i], &c, &err), PCTL_E_CONFIG);
	assert_int_equal(c, 42);
}

/* --- Lines. ----------------------------------------------------------------------------------- */

struct taken {
	char text[4096];
	size_t longest;
};

static void take(void *data, const char *line)
{
	struct taken *t = data;
	size_t len = strlen(t->text);

	(void)snprintf(t->text + len, sizeof(t->text) - len, "%s|", line);
	if (strlen(line) > t->longest)
		t->longest = strlen(line);
}

/* Lines, a bar behind each; in one piece and byte by byte. */
static void printed(const char *bytes, size_t n, const char *wanted)
{
	for (size_t step = n; step > 0; step = step > 1 ? 1 : 0) {
		struct taken t = { .text = "" };
		struct lines l;

		lines_init(&l, take, &t);
		for (size_t i = 0; i < n; i += step)
			lines_add(&l, bytes + i, step);
		lines_flush(&l);
		lines_done(&l);
		assert_string_equal(t.text, wanted);
	}
}
#define PRINTED(text, wanted) printed(text, sizeof(text) - 1, wanted)

static void test_line_breaks(void **state)
{
	(void)state;
	PRINTED("one\r\ntwo\nthree", "one|two|three|");
	PRINTED("one\r\r\n\r\ntwo\n", "one||two|");
	PRINTED("10%\r20%\r30%\r\n", "10%|20%|30%|");
	PRINTED("\r\rx\r\n", "x|");
	PRINTED("", "");
}

static void test_control_characters(void **state)
{
	(void)state;
	PRINTED("a\0b\a\x7f\x05\n", "ab|");
	PRINTED("a\tb\n", "a       b|");
	PRINTED("12345678\tb\n", "12345678        b|");
	PRINTED("-\b\\\b|x\b\b\b\bok\n", "ok|");
	PRINTED("gr\xc3\xbc\b\b\n", "g|");
	PRINTED("\xff(\xc2\x9b"
		"31m\n",
		"?(?31m|");
}

static void test_escape_sequences(void **state)
{
	(void)state;
	PRINTED("\033[1;31mred\033[0m\033[K\n", "red|");
	PRINTED("\033]0;title\aA\033]8;;url\033\\B\033P+q\033\\C\n", "ABC|");
	PRINTED("\033(B\033=\033>\0337x\n", "x|");
	PRINTED("Menu\033[5;10HItem\033[6;1fEnd\033[2J\n", "Menu|Item|End|");
	PRINTED("\033]never ended\nnext\033[1\nlast\n", "|next|last|");
	PRINTED("\033\033[31mx\n", "[31mx|");
}

static void test_parts_of_lines(void **state)
{
	struct taken t = { .text = "" };
	struct lines l;

	(void)state;
	lines_init(&l, take, &t);
	assert_false(lines_waits(&l));
	lines_flush(&l);
	lines_add(&l, "login: ", 7);
	assert_true(lines_waits(&l));
	lines_flush(&l);
	assert_false(lines_waits(&l));
	lines_add(&l, "\r\n\r\n", 4); /* the end of what was shown, and an empty line */
	lines_add(&l, "a", 1);
	lines_flush(&l);
	lines_add(&l, "b\n", 2);
	assert_string_equal(t.text, "login: ||a|b|");
	lines_done(&l);
}

static void test_long_lines(void **state)
{
	struct taken t = { .text = "" };
	struct lines l;
	size_t total = 0;

	(void)state;
	lines_init(&l, take, &t);
	for (size_t i = 0; i < 1000; i++)
		lines_add(&l, "\xc3\xbc", 2);
	lines_add(&l, "\n", 1);
	assert_in_range(t.longest, LINES_MAX - 8, LINES_MAX);
	for (const char *c = t.text; *c; c++)
		total += *c == '\xc3';
	assert_int_equal(total, 1000);
	assert_null(strchr(t.text, '?')); /* none was cut in two */
	/* Nothing but tails: no character at all, and no more kept than of any line. */
	t = (struct taken){ .text = "" };
	for (size_t i = 0; i < 1500; i++)
		lines_add(&l, "\xbc", 1);
	assert_true(t.longest > 0 && t.longest <= LINES_MAX);
	lines_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_orders_at_the_beginning_of_a_line),
		cmocka_unit_test(test_elsewhere_it_is_a_character),
		cmocka_unit_test(test_twice_sends_one),
		cmocka_unit_test(test_other_characters),
		cmocka_unit_test(test_a_new_connection_is_a_new_line),
		cmocka_unit_test(test_characters_are_parsed),
		cmocka_unit_test(test_line_breaks),
		cmocka_unit_test(test_control_characters),
		cmocka_unit_test(test_escape_sequences),
		cmocka_unit_test(test_parts_of_lines),
		cmocka_unit_test(test_long_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
