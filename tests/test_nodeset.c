/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions: operators, groups and tags, and the mistakes in them. */
#include "test.h"

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/nodeset.h>

static const struct {
	const char *word, *names;
} groups[] = {
	{ "rack1", "n[1-4]" },
	{ "rack2", "n[5-8]" },
	{ "a.b_c-d:1", "x1" },
	{ "both", "@rack1,@rack2" },
	{ "none", "" },
	{ "broken", "n[5-1]" },
	{ "*", "n[1-8],x1" },
};

static int resolve_group(
	void *data, const char *group, struct pctl_names *out, struct pctl_error *err)
{
	const struct pctl_names_resolver resolver = { .group = resolve_group, .data = data };

	assert_string_equal(data, "mine");
	for (size_t i = 0; i < TEST_COUNT(groups); i++)
		if (strcmp(group, groups[i].word) == 0)
			return pctl_names_expand(out, groups[i].names, &resolver, NULL, err);
	return pctl_error_set(err, PCTL_E_CONFIG, "no group '%s'", group);
}

static int resolve_tag(void *data, const char *tag, struct pctl_names *out, struct pctl_error *err)
{
	assert_string_equal(data, "mine");
	if (strcmp(tag, "lab") != 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "no tag '%s'", tag);
	pctl_names_add(out, "n2");
	pctl_names_add(out, "lab1");
	return 0;
}

static char mine[] = "mine";
static const struct pctl_names_resolver resolver = {
	.group = resolve_group,
	.tag = resolve_tag,
	.data = mine,
};

static void check_all(const struct pctl_names *names, const char *wanted)
{
	struct pctl_buf out;

	pctl_buf_init(&out, 100000);
	for (size_t i = 0; i < pctl_names_count(names); i++)
		pctl_buf_addf(&out, i ? " %s" : "%s", pctl_names_at(names, i));
	assert_string_equal(out.data, wanted);
	pctl_buf_done(&out);
}

static void check(const char *expr, const char *wanted)
{
	struct pctl_names *names = pctl_names_new();
	struct pctl_error err;

	if (pctl_names_expand(names, expr, &resolver, NULL, &err) < 0)
		fail_msg("%s: %s", expr, err.text);
	check_all(names, wanted);
	pctl_names_free(names);
}

static void test_commas_and_blanks_join(void **state)
{
	(void)state;
	check("n1", "n1");
	check("n2,n1", "n2 n1");
	check("n2 n1", "n2 n1");
	check(" n2 ,\tn1\nn3 ", "n2 n1 n3");
	check("n[1-2,4],n[2-3]", "n1 n2 n4 n3");
	check("n[1, 2] m", "n1 n2 m");
	check("", "");
	check(" \t\n", "");
}

static void test_operators_go_from_left_to_right(void **state)
{
	(void)state;
	check("n[1-3]!n2", "n1 n3");
	check("n[1-3] ! n2", "n1 n3");
	check("n[1-3]!n2!n1", "n3");
	check("n[1-3]!n9", "n1 n2 n3");
	check("n[1-4]&n[3-6]", "n3 n4");
	check("n[1-4]&n[3-6]&n4", "n4");
	check("n[1-4]^n[3-6]", "n1 n2 n5 n6");
	check("n[1-2]^n[1,1]", "n2");
	check("n1^n1", "");
	check("n1^n1^n1", "n1");
	check("n1,n2&n3,n2", "n2");
	check("n1!n2&n1", "n1");
	check("n[1-5]^n[3-9]!n4", "n1 n2 n6 n7 n8 n9");
	check("n[1-9]!n[2-3],n3&n3", "n3");
	check("n[1-3]!n2,n2", "n1 n2 n3");
	check("n[1-5]!n[2-4]&n[3-5],n3^n5", "n3");
	check("n1!n1&n1", "");
	check("n1!n01", "n1");
}

static void test_groups_and_tags(void **state)
{
	(void)state;
	check("@rack1", "n1 n2 n3 n4");
	check("@both!@rack2", "n1 n2 n3 n4");
	check("@rack[1-2]&n[4-5]", "n4 n5");
	check("@a.b_c-d:1 %lab", "x1 n2 lab1");
	check("%lab&@rack1", "n2");
	check("@rack1!%lab", "n1 n3 n4");
	check("@rack1^@both", "n5 n6 n7 n8");
	check("@none,n1", "n1");
	check("*!@both", "x1");
	check("@*&n1", "n1");
	check("x1, *", "x1 n1 n2 n3 n4 n5 n6 n7 n8");
}

static void test_it_adds_to_what_is_there(void **state)
{
	struct pctl_names *names = pctl_names_new();

	(void)state;
	pctl_names_add(names, "n2");
	pctl_names_add(names, "m");
	assert_int_equal(pctl_names_expand(names, "n[1-3]!n2,k&n[1-2],k", NULL, NULL, NULL), 0);
	check_all(names, "n2 m n1 k");
	pctl_names_free(names);
}

static const struct mistake {
	const char *expr;
	size_t at;
	const char *says;
} mistakes[] = {
	{ "n1,", 2, "',' with nothing on its right side" },
	{ "n1, ", 2, "',' with nothing on its right side" },
	{ "n1!", 2, "'!' with nothing on its right side" },
	{ "n1 & ", 3, "'&' with nothing on its right side" },
	{ "n1,,n2", 2, "',' with nothing on its right side" },
	{ "n1,!n2", 2, "',' with nothing on its right side" },
	{ "!n1", 0, "'!' with nothing on its left side" },
	{ " ^n1", 1, "'^' with nothing on its left side" },
	{ "n1,n[5-1]", 5, "write 1-5" },
	{ "n1 n[]", 4, "nothing in the brackets" },
	{ "n1 n[1", 4, "never closed" },
	{ "n1,-n2", 3, "cannot begin with '-'" },
	{ "n1 - n2", 3, "cannot begin with '-'" },
	{ "n1,n2]", 5, "a ']' without its '['" },
	{ "n1@rack1", 2, "'@' within a name" },
	{ "@", 0, "'@' with no name behind it" },
	{ "n1,%", 3, "'%' with no name behind it" },
	{ "@rack1@rack2", 6, "'@' within a name" },
	{ "n1,@ra/ck", 6, "letters, digits and _ . - : = only" },
	{ "@r*", 2, "letters, digits and _ . - : = only" },
	{ "n1!@nope", 3, "no group 'nope'" },
	{ "@rack1 %nope", 7, "no tag 'nope'" },
	{ "n1,@broken", 3, "write 1-5" },
	{ "n1,n[1-999999999]", 4, "2,000,000" },
	{ "n[1-1500000]!n[1-1500000]", 13, "2,000,000" },
	{ "@r[1-999999999]", 2, "2,000,000" },
	{ "n\x07", 1, "byte 0x07" },
};

static void check_mistake(const struct mistake *m, const struct pctl_names_resolver *with)
{
	struct pctl_names *names = pctl_names_new();
	struct pctl_error err = { 0 };
	size_t at = 999;

	pctl_names_add(names, "before");
	if (pctl_names_expand(names, m->expr, with, &at, &err) != PCTL_E_CONFIG || at != m->at ||
		!strstr(err.text, m->says))
		fail_msg("'%s' at %zu: %s", m->expr, at, err.text);
	check_all(names, "before");
	assert_int_equal(pctl_names_expand(names, m->expr, with, NULL, NULL), PCTL_E_CONFIG);
	pctl_names_free(names);
}

static void test_mistakes_say_where_and_change_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(mistakes); i++)
		check_mistake(&mistakes[i], &resolver);
}

static void test_groups_need_a_resolver(void **state)
{
	static const struct mistake without[] = {
		{ "n1,@rack1", 3, "no groups or tags" },
		{ "n1 %lab", 3, "no groups or tags" },
		{ "*", 0, "no groups or tags" },
	};
	const struct pctl_names_resolver groups_only = { .group = resolve_group, .data = mine };

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(without); i++)
		check_mistake(&without[i], NULL);
	check_mistake(&without[1], &groups_only);
}

static void test_longest_name(void **state)
{
	struct pctl_names *names = pctl_names_new();
	char expr[300];

	(void)state;
	memset(expr, 'x', sizeof(expr));
	(void)snprintf(expr + 253, sizeof(expr) - 253, "[98-99]");
	assert_int_equal(pctl_names_expand(names, expr, NULL, NULL, NULL), 0);
	assert_int_equal(strlen(pctl_names_at(names, 1)), 255);
	(void)snprintf(expr + 253, sizeof(expr) - 253, "[98-100]");
	check_mistake(&(struct mistake){ expr, 0, "a name of 256 bytes; the longest may have 255" },
		NULL);
	pctl_names_free(names);
}

static void test_two_million_are_allowed(void **state)
{
	struct pctl_names *names = pctl_names_new();

	(void)state;
	assert_int_equal(pctl_names_expand(names, "n[1-2000000]", NULL, NULL, NULL), 0);
	assert_int_equal(pctl_names_count(names), PCTL_NAMES_MAX);
	assert_string_equal(pctl_names_at(names, 1999999), "n2000000");
	pctl_names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_commas_and_blanks_join),
		cmocka_unit_test(test_operators_go_from_left_to_right),
		cmocka_unit_test(test_groups_and_tags),
		cmocka_unit_test(test_it_adds_to_what_is_there),
		cmocka_unit_test(test_mistakes_say_where_and_change_nothing),
		cmocka_unit_test(test_groups_need_a_resolver),
		cmocka_unit_test(test_longest_name),
		cmocka_unit_test(test_two_million_are_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
