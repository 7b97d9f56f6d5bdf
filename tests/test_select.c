/* SPDX-License-Identifier: Apache-2.0 */
/* What the words of a command line select. */
#include "inventory_help.h"

static const char text[] = "classes:\n"
			   "  k: {tags: [class]}\n"
			   "nodes:\n"
			   "  n[1-9]: {class: k}\n"
			   "  m[1-4]: {tags: [lab, m]}\n"
			   "  n5: {tags: [lab]}\n"
			   "groups:\n"
			   "  front: n[1-3]\n"
			   "  both: [\"@front\", m1]\n"
			   "  labs: \"%lab\"\n"
			   "  rest: \"@*!@both\"\n"
			   "  none: \"\"\n";

static struct pctl_inventory *inv;

static int set_up(void **state)
{
	(void)state;
	inv = test_inventory(text);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	pctl_inventory_free(inv);
	return 0;
}

/* The names in order, or what was said. Words are joined by blanks, "-" ends them. */
static char *select_words(const char *const *words, const char *const *exclude)
{
	struct pctl_selection selection = { words, exclude };
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_buf out;
	size_t *nodes = NULL, count = 7;

	pctl_buf_init(&out, 10000);
	int r = pctl_inventory_select(inv, &selection, &nodes, &count, problems);
	if (r < 0) {
		PCTL_AUTO(free) char *said = test_problems(problems);

		assert_int_equal(r, PCTL_E_CONFIG);
		assert_null(nodes);
		assert_int_equal(count, 7);
		pctl_buf_adds(&out, said);
	}
	for (size_t i = 0; r == 0 && i < count; i++)
		pctl_buf_addf(&out, "%s%s", i ? " " : "", pctl_inventory_name(inv, nodes[i]));
	free(nodes);
	pctl_problems_free(problems);
	return pctl_buf_steal(&out);
}

static void check(const char *first, const char *second, const char *exclude, const char *wanted)
{
	const char *words[] = { first, second, NULL };
	const char *excluded[] = { exclude, NULL };
	PCTL_AUTO(free) char *got = select_words(first ? words : NULL, exclude ? excluded : NULL);

	assert_string_equal(got, wanted);
}

static void test_names(void **state)
{
	(void)state;
	check(NULL, NULL, NULL, "n1 n2 n3 n4 n5 n6 n7 n8 n9 m1 m2 m3 m4");
	check("n2", NULL, NULL, "n2");
	check("n3,n1", "m[1-2]", NULL, "n3 n1 m1 m2"); /* in the order given */
	check("n1", "n[1-2]", NULL, "n1 n2");
	check("n[1-9]!n[2-8]", NULL, NULL, "n1 n9");
	check("n[1-9]&n[8-12]", NULL, NULL, "n8 n9");
}

static void test_groups_and_tags(void **state)
{
	(void)state;
	check("@front", NULL, NULL, "n1 n2 n3");
	check("@both", NULL, NULL, "n1 n2 n3 m1");
	check("@none", NULL, NULL, "");
	check("@rest", NULL, NULL, "n4 n5 n6 n7 n8 n9 m2 m3 m4");
	check("%lab", NULL, NULL, "n5 m1 m2 m3 m4");
	check("@labs!%m", NULL, NULL, "n5");
	/* A node's tags replace its class's. */
	check("%class", NULL, NULL, "n1 n2 n3 n4 n6 n7 n8 n9");
}

static void test_exclude(void **state)
{
	(void)state;
	check("@front", NULL, "n2", "n1 n3");
	check(NULL, NULL, "n[1-8],m[1-4]", "n9");
	check("@front", NULL, "@front", "");
	check("@front", NULL, "n44", "unknown node 'n44'; did you mean 'n4'?");
}

static void test_mistakes(void **state)
{
	(void)state;
	check("nn1", NULL, NULL, "unknown node 'nn1'; did you mean 'n1'?");
	check("nn1", "whatever", NULL,
		"unknown node 'nn1'; did you mean 'n1'?\n"
		"unknown node 'whatever'; `powerctl list` shows those there are");
	check("n[1-40]", NULL, NULL, "31 unknown nodes: n[10-40]");
	check("@frnt", NULL, NULL, "'@frnt': unknown group 'frnt'; did you mean 'front'?");
	check("%lb", NULL, NULL, "'%lb': unknown tag 'lb'; did you mean 'lab'?");
	check("%labb", NULL, NULL, "'%labb': unknown tag 'labb'; did you mean 'lab'?");
	check("n[1-", NULL, NULL,
		"'n[1-': this bracket is never closed; a range is written n[1-3]");
}

static void test_urls(void **state)
{
	(void)state;
	check("ipmi://root@c[1-2]-bmc", "n1", NULL, "c1-bmc c2-bmc n1");
	check("ipmi://root@c[2-3]-bmc", NULL, "c2-bmc", "c3-bmc");
	check_setting(inv, "c3-bmc", "username", "root");
	check("amt://admin:topsecret@h", NULL, NULL,
		"no password in a URL, where everybody on this host can read it; write USER@HOST "
		"and use $POWERCTL_PASSWORD, --password-file, --credential or the prompt");
}

static void test_tags_for_completion(void **state)
{
	struct pctl_names *tags = pctl_names_new();

	(void)state;
	pctl_inventory_tags(inv, tags);
	assert_int_equal(pctl_names_count(tags), 3);
	assert_true(pctl_names_has(tags, "class") && pctl_names_has(tags, "lab"));
	pctl_names_free(tags);
}

/* Groups of groups of groups must cost what they hold, not the number of ways to them. */
static void test_doubling_groups(void **state)
{
	struct pctl_buf doubling;

	(void)state;
	pctl_buf_init(&doubling, 100000);
	pctl_buf_adds(&doubling, "nodes: {\"n[1-100]\": {}}\ngroups:\n  g0: n[1-100]\n");
	for (int i = 1; i < 60; i++)
		pctl_buf_addf(&doubling, "  g%d: \"@g%d,@g%d\"\n", i, i - 1, i - 1);
	struct pctl_inventory *own = test_inventory(doubling.data);
	pctl_inventory_free(own);
	pctl_buf_done(&doubling);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_groups_and_tags),
		cmocka_unit_test(test_exclude),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_urls),
		cmocka_unit_test(test_tags_for_completion),
		cmocka_unit_test(test_doubling_groups),
	};

	return cmocka_run_group_tests_name("select", tests, set_up, tear_down);
}
