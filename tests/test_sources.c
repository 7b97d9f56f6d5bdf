/* SPDX-License-Identifier: Apache-2.0 */
/* What sources read, as text in and tree out: genders files, configuration files of ClusterShell.
 */
#include "inventory_help.h"

#include "inventory/source.h"
#include "inventory/splice.h"
#include "inventory/yaml_tree.h"

static const struct pctl_genders_map no_map[] = { { NULL, NULL } };
static const struct pctl_genders_map map[] = { { "address", "bmc" }, { "class", "hw" },
	{ NULL, NULL } };

/* The tree as one text, or the problems. free() it. */
static char *shown(struct pctl_value *take_tree, struct pctl_problems *take_problems)
{
	struct pctl_buf out;

	if (pctl_problems_count(take_problems)) {
		char *said = test_problems(take_problems);
		pctl_problems_free(take_problems);
		pctl_value_free(take_tree);
		return said;
	}
	pctl_buf_init(&out, 1 << 20);
	pctl_yaml_write(&out, take_tree, true);
	pctl_value_free(take_tree);
	pctl_problems_free(take_problems);
	return pctl_buf_steal(&out);
}

static void check_genders(const char *text, const struct pctl_genders_map *m, const char *wanted)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_value *tree =
		pctl_genders_parse("f", text, strlen(text), m, m->key != NULL, problems);
	PCTL_AUTO(free) char *found = shown(tree, problems);

	assert_string_equal(found, wanted);
}

static void test_genders(void **state)
{
	(void)state;
	check_genders("", no_map, "{nodes: {}, groups: {}}");
	check_genders("# nothing\n \t\n", no_map, "{nodes: {}, groups: {}}");
	check_genders("n1\n", no_map, "{nodes: {}, groups: {}}");
	check_genders("n1 a", no_map, "{nodes: {}, groups: {a: [n1]}}");
	check_genders("n1 a#b\nn1 b # c\r\n", no_map, "{nodes: {}, groups: {a: [n1], b: [n1]}}");
	check_genders("n[1-2,4],m a,b=c\nn9\ta\n", no_map,
		"{nodes: {}, groups: {a: [\"n[1-2,4]\", m, n9], b: [\"n[1-2,4]\", m], "
		"b=c: [\"n[1-2,4]\", m]}}");
	/* Values: %n is a name, %% a percent sign, quotes keep together. */
	check_genders("n1 a=%n,b=1%%n,c=\"x,y\",d=e=f,g=%x\n", no_map,
		"{nodes: {}, groups: {a: [n1], b: [n1], c: [n1], d: [n1], d=e=f: [n1], g: [n1]}}");
	check_genders("n1 a=\"b\"\n", no_map, "{nodes: {}, groups: {a: [n1], a=b: [n1]}}");
	/* What no @word can name is no group. */
	check_genders("n1 a/b,c=d/e\n", no_map, "{nodes: {}, groups: {c: [n1]}}");
}

static void test_genders_nodes(void **state)
{
	(void)state;
	check_genders("n[1-2] bmc=%n-bmc,x\nn1 hw=nuc\nm1 x\n", map,
		"{nodes: {\"n[1-2]\": {address: \"n[1-2]-bmc\"}, n1: {class: nuc}, m1: {}}, "
		"groups: {bmc: [\"n[1-2]\"], x: [\"n[1-2]\", m1], hw: [n1]}}");
	/* A name that comes twice would pair twice. */
	check_genders("n[1-2] bmc=%n.%n%%\n", map,
		"{nodes: {n1: {address: n1.n1%}, n2: {address: n2.n2%}}, "
		"groups: {bmc: [\"n[1-2]\"]}}");
	check_genders("n[1-2] hw=%n\n", map,
		"{nodes: {n1: {class: n1}, n2: {class: n2}}, groups: {hw: [\"n[1-2]\"]}}");
	check_genders("n[1-2] bmc=x[1-2]\n", map,
		"{nodes: {n1: {address: \"x[1-2]\"}, n2: {address: \"x[1-2]\"}}, "
		"groups: {bmc: [\"n[1-2]\"]}}");
}

static void test_genders_mistakes(void **state)
{
	(void)state;
	check_genders("n1 a b\n", no_map,
		"f:1:5: a blank cannot stand among the attributes; put the value into quotes");
	check_genders("\nn1 a=\n", no_map, "f:2:4: 'a=': an attribute is a word, or a word=value");
	check_genders("n1 ,a\n", no_map, "f:1:4: an attribute is missing here");
	check_genders("n1 a,\n", no_map, "f:1:6: an attribute is missing here");
	check_genders("n1, a\n", no_map, "f:1:4: a node's name is missing here");
	check_genders("n1 \"a\n", no_map, "f:1:4: a quote is never closed here");
	check_genders("\xc3\xa4,n! a\n", no_map, "f:1:3: 'n!' is not the name of nodes");
	check_genders("n[2-1] a\n", no_map, "f:1:1: the range 2-1 runs backwards; write 1-2");
}

static void check_ini(const char *text, const char *wanted)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_value *tree = pctl_value_new_map();

	pctl_ini_parse(tree, "f", text, strlen(text), problems);
	PCTL_AUTO(free) char *found = shown(tree, problems);
	assert_string_equal(found, wanted);
}

static void test_ini(void **state)
{
	(void)state;
	check_ini("", "{}");
	check_ini("[a]\nk: v\nK2=w : x\n; no\n  # no\n[b,c]\n",
		"{a: {k: v, k2: \"w : x\"}, \"b,c\": {}}");
	check_ini("[a]\r\nk :\r\n  one\n\n\ttwo\nl = 3\n[a]\nm: n\n",
		"{a: {k: \"\\x0aone\\x0atwo\", l: 3, m: n}}");
	check_ini("k: v\n[a\n[b]\nfoo\n= x\n", "f:1:1: no '[section]' stands before this\n"
					       "f:2:1: this '[' is never closed\n"
					       "f:4:1: this is neither a '[section]' nor a 'key: "
					       "value'\n"
					       "f:5:1: this is neither a '[section]' nor a 'key: "
					       "value'");
}

static void test_ages(void **state)
{
	static const struct {
		uint64_t s;
		const char *words;
	} cases[] = { { 0, "0 s" }, { 119, "119 s" }, { 120, "2 min" }, { 7199, "119 min" },
		{ 7200, "2 h" }, { 172799, "47 h" }, { 172800, "2 days" } };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		PCTL_AUTO(free) char *words = pctl_source_age(cases[i].s);

		assert_string_equal(words, cases[i].words);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_genders),
		cmocka_unit_test(test_genders_nodes),
		cmocka_unit_test(test_genders_mistakes),
		cmocka_unit_test(test_ini),
		cmocka_unit_test(test_ages),
	};

	return cmocka_run_group_tests_name("sources", tests, NULL, NULL);
}
