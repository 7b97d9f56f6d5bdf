/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: what is understood, what is refused, and what the refusal says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "options.h"

#define ARGS_MAX 16

struct line {
	struct options options;
	struct pctl_error err;
	int r;
};

static struct line parse(const char *first, ...)
{
	static char program[] = "powerctl";
	struct line line = { .r = 0 };
	char *argv[ARGS_MAX + 1] = { program };
	int argc = 1;
	va_list ap;

	va_start(ap, first);
	for (const char *s = first; s && argc < ARGS_MAX; s = va_arg(ap, const char *))
		argv[argc++] = (char *)(uintptr_t)s;
	va_end(ap);
	line.r = options_parse(&line.options, argc, argv, &line.err);
	return line;
}

static void assert_refused(struct line line, const char *text)
{
	assert_int_equal(line.r, PCTL_E_CONFIG);
	assert_string_equal(line.err.text, text);
	options_done(&line.options);
}

static void test_words_and_options_in_any_order(void **state)
{
	struct line l = parse("--json", "off", "-q", "n1", "--timeout", "2m", "n2", "--yes", NULL);

	(void)state;
	assert_int_equal(l.r, 0);
	assert_int_equal(l.options.words.n, 3);
	assert_string_equal(l.options.words.v[0], "off");
	assert_string_equal(l.options.words.v[1], "n1");
	assert_string_equal(l.options.words.v[2], "n2");
	assert_null(l.options.words.v[3]);
	assert_true(l.options.json);
	assert_true(l.options.quiet);
	assert_true(l.options.yes);
	assert_false(l.options.soft);
	assert_int_equal(l.options.timeout_ms, 120000);
	options_done(&l.options);
}

static void test_values_joined_and_apart(void **state)
{
	struct line l = parse("--timeout=500ms", "--deadline", "90", "-xn1", "-x", "n2",
		"--exclude=n3", "--fanout=8", "--set=a=b", NULL);

	(void)state;
	assert_int_equal(l.r, 0);
	assert_int_equal(l.options.timeout_ms, 500);
	assert_int_equal(l.options.deadline_ms, 90000);
	assert_int_equal(l.options.fanout, 8);
	assert_int_equal(l.options.exclude.n, 3);
	assert_string_equal(l.options.exclude.v[0], "n1");
	assert_string_equal(l.options.exclude.v[1], "n2");
	assert_string_equal(l.options.exclude.v[2], "n3");
	assert_string_equal(l.options.settings.v[0], "a=b");
	options_done(&l.options);
}

/* What %TAG could not name is no tag, whoever takes one. */
static void test_tags(void **state)
{
	struct line l = parse("--tag", "lab", "--tag=row.1:left_a=b-c", NULL);

	(void)state;
	assert_int_equal(l.r, 0);
	assert_int_equal(l.options.tags.n, 2);
	assert_string_equal(l.options.tags.v[1], "row.1:left_a=b-c");
	options_done(&l.options);
	assert_refused(parse("--tag", "a b", NULL),
		"--tag 'a b': a tag is one word of letters, digits and _ . - : =; write --tag "
		"once for each");
	assert_int_equal(parse("--tag=", NULL).r, PCTL_E_CONFIG);
	assert_int_equal(parse("--tag=lab/2", NULL).r, PCTL_E_CONFIG);
}

static void test_letters_in_one_word(void **state)
{
	struct line l = parse("-vvqax", "n1", NULL);

	(void)state;
	assert_int_equal(l.r, 0);
	assert_int_equal(l.options.verbose, 2);
	assert_true(l.options.quiet);
	assert_true(l.options.all);
	assert_string_equal(l.options.exclude.v[0], "n1");
	options_done(&l.options);
}

static void test_two_dashes_end_options(void **state)
{
	struct line l = parse("status", "--", "--json", "-q", NULL);

	(void)state;
	assert_int_equal(l.r, 0);
	assert_false(l.options.json);
	assert_int_equal(l.options.words.n, 3);
	assert_string_equal(l.options.words.v[1], "--json");
	options_done(&l.options);
}

static void test_one_dash_is_a_word(void **state)
{
	struct line l = parse("status", "-", NULL);

	(void)state;
	assert_int_equal(l.r, 0);
	assert_int_equal(l.options.words.n, 2);
	assert_string_equal(l.options.words.v[1], "-");
	options_done(&l.options);
}

static void test_refusals_say_what_would_be_right(void **state)
{
	(void)state;
	assert_refused(
		parse("--tiemout", "3", NULL), "unknown option --tiemout; did you mean --timeout?");
	assert_refused(parse("--xyzzy", NULL),
		"unknown option --xyzzy; `powerctl help VERB` lists those of a verb");
	assert_refused(parse("-Z", NULL), "unknown option -Z; `powerctl help` lists the options");
	assert_refused(parse("--json=yes", NULL), "--json takes no value");
	assert_refused(parse("--timeout", NULL), "--timeout needs a value: --timeout DURATION");
	assert_refused(
		parse("--timeout", "--json", NULL), "--timeout needs a value: --timeout DURATION");
	assert_refused(parse("--timeout=soon", NULL),
		"--timeout: 'soon' is not a duration; write 500ms, 60s or 2m");
	assert_refused(parse("--timeout=0", NULL),
		"--timeout: '0' is not a duration; write 500ms, 60s or 2m");
	assert_refused(parse("--fanout=0", NULL), "--fanout: '0' is not a number from 1 to 65536");
	assert_refused(
		parse("--fanout=1x", NULL), "--fanout: '1x' is not a number from 1 to 65536");
	assert_refused(parse("-x", NULL), "--exclude needs a value: --exclude NODES");
}

/* One of two values would be dropped without a word. */
static void test_one_value_is_given_once(void **state)
{
	struct line l =
		parse("-x", "n1", "-xn2", "--tag=a", "--tag=b", "-qq", "--json", "--json", NULL);

	(void)state;
	assert_int_equal(l.r, 0);
	options_done(&l.options);
	assert_refused(parse("--driver", "amt", "--driver", "ipmi", NULL),
		"--driver is given twice, and takes one: leave the other out");
	assert_refused(parse("--kind=event", "--kind=audit", NULL),
		"--kind is given twice, and takes one: leave the other out");
	l = parse("--timeout=1s", "--timeout=2s", NULL);
	assert_int_equal(l.r, 0);
	assert_int_equal(l.options.timeout_ms, 2000);
	options_done(&l.options);
}

static int check(struct line *l, const struct command *command)
{
	int r = options_check(&l->options, command->options, command->name, &l->err);

	options_done(&l->options);
	return r;
}

static void test_options_of_other_verbs_are_refused(void **state)
{
	struct line l = parse("--soft", NULL);

	(void)state;
	assert_int_equal(check(&l, &command_status), PCTL_E_CONFIG);
	assert_string_equal(
		l.err.text, "--soft is no option of status; `powerctl help status` lists them");
	l = parse("--soft", NULL);
	assert_int_equal(check(&l, &command_off), 0);
	l = parse("-q", "-v", "--inventory=x", "--trace", NULL);
	assert_int_equal(check(&l, &command_status), 0);
}

static void test_rivals_are_refused(void **state)
{
	struct line l = parse("--fold", "--no-fold", NULL);

	(void)state;
	assert_int_equal(check(&l, &command_status), PCTL_E_CONFIG);
	assert_string_equal(l.err.text, "--fold and --no-fold exclude each other: choose one");
	l = parse("--legacy", "--uefi", NULL);
	assert_int_equal(check(&l, &command_boot), PCTL_E_CONFIG);
	l = parse("--force-after=60s", NULL);
	assert_int_equal(check(&l, &command_off), PCTL_E_CONFIG);
	l = parse("--force-after=60s", "--soft", NULL);
	assert_int_equal(check(&l, &command_off), 0);
}

static void test_guards_of_every_disruptive_verb(void **state)
{
	(void)state;
	for (size_t i = 0; commands[i]; i++) {
		bool exec = commands[i]->verb != PCTL_VERB_STATUS;
		bool disrupts = exec && (pctl_verb_flags(commands[i]->verb) & PCTL_VERB_DISRUPTS);

		if (!disrupts)
			continue;
		assert_true(options_have(commands[i]->options, OPTION_YES));
		assert_true(options_have(commands[i]->options, OPTION_PROTECTED));
		assert_true(options_have(commands[i]->options, OPTION_DRY_RUN));
		assert_true(commands[i]->flags & COMMAND_NODES);
		assert_false(commands[i]->flags & COMMAND_ALL);
	}
}

static void test_habits(void **state)
{

	(void)state;
	assert_ptr_equal(command_find("stat"), &command_status);
	assert_null(command_implied("stat"));
	assert_ptr_equal(command_find("soft"), &command_off);
	assert_true(options_have(command_implied("soft"), OPTION_SOFT));
	assert_ptr_equal(command_find("off"), &command_off);
	assert_null(command_implied("off"));
	assert_null(command_find("offf"));
}

/* Every row is whole, and no name or letter is there twice. */
static void test_tables(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		bool value =
			option_rows[i].kind != OPTION_FLAG && option_rows[i].kind != OPTION_TIMES;

		assert_non_null(option_rows[i].name);
		assert_non_null(option_rows[i].help);
		assert_true(value == (option_rows[i].argument != NULL));
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(option_rows[i].name, option_rows[k].name);
			assert_true(!option_rows[i].letter ||
				    option_rows[i].letter != option_rows[k].letter);
		}
	}
	for (size_t i = 0; commands[i]; i++) {
		assert_non_null(commands[i]->usage);
		assert_non_null(commands[i]->summary);
		assert_non_null(commands[i]->help);
		assert_non_null(commands[i]->exec);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_and_options_in_any_order),
		cmocka_unit_test(test_values_joined_and_apart),
		cmocka_unit_test(test_tags),
		cmocka_unit_test(test_letters_in_one_word),
		cmocka_unit_test(test_two_dashes_end_options),
		cmocka_unit_test(test_one_dash_is_a_word),
		cmocka_unit_test(test_refusals_say_what_would_be_right),
		cmocka_unit_test(test_one_value_is_given_once),
		cmocka_unit_test(test_options_of_other_verbs_are_refused),
		cmocka_unit_test(test_rivals_are_refused),
		cmocka_unit_test(test_guards_of_every_disruptive_verb),
		cmocka_unit_test(test_habits),
		cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
