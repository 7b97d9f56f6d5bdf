/* SPDX-License-Identifier: Apache-2.0 */
/* A file more for an inventory: it is included, and everything else stays byte by byte. */
#include "inventory_help.h"

#include <sys/stat.h>
#include <unistd.h>

#include "inventory/yaml_tree.h"

static const char added[] = "nodes: {n1: {driver: x}}\n";

struct place {
	char folder[256];
	char *path, *file, *second;
};

static void begin(struct place *p, const char *before)
{
	test_folder(p->folder, sizeof(p->folder));
	p->path = test_path(p->folder, "powerctl.yaml");
	p->file = test_path(p->folder, "conf.d/new.yaml");
	p->second = test_path(p->folder, "conf.d/new-2.yaml");
	if (before)
		test_write(p->path, before, 0600);
}

static void end(struct place *p)
{
	free(p->path);
	free(p->file);
	free(p->second);
	test_remove_folder(p->folder);
}

static int add(const struct place *p, const char *text, struct pctl_error *err)
{
	char *file = NULL;
	int r = pctl_inventory_edit_file(p->path, "new", text, strlen(text), &file, err);

	assert_true((r == 0) == (file != NULL));
	free(file);
	return r;
}

static void check_text(const char *path, const char *wanted)
{
	PCTL_AUTO(free) char *found = test_read(path);

	assert_string_equal(found, wanted);
}

static const struct {
	const char *before, *after; /* before NULL: there is none */
} includes[] = {
	{ NULL, "include: [conf.d/new.yaml]\n" },
	{ "# mine\n", "# mine\ninclude: [conf.d/new.yaml]\n" },
	{ "nodes: {}\n", "nodes: {}\ninclude: [conf.d/new.yaml]\n" },
	{ "include: # none\nnodes: {}\n", "include: [conf.d/new.yaml] # none\nnodes: {}\n" },
	{ "include: []\n", "include: [conf.d/new.yaml]\n" },
	{ "include: a*.yaml # a\n", "include: [\"a*.yaml\", conf.d/new.yaml] # a\n" },
	{ "include: [a*.yaml, b*.yaml] # two\n",
		"include: [a*.yaml, b*.yaml, conf.d/new.yaml] # two\n" },
	{ "include: [a*.yaml,]\n", "include: [a*.yaml, conf.d/new.yaml,]\n" },
	{ "include:\n- a*.yaml\nnodes: {}\n",
		"include:\n- a*.yaml\n- conf.d/new.yaml\nnodes: {}\n" },
	{ "include:\n  # first\n  - a*.yaml # a\n\n# end",
		"include:\n  # first\n  - a*.yaml # a\n  - conf.d/new.yaml\n\n# end" },
	{ "include:\n  - a*.yaml", "include:\n  - a*.yaml\n  - conf.d/new.yaml\n" },
	{ "include:\r\n  - a*.yaml\r\n", "include:\r\n  - a*.yaml\r\n  - conf.d/new.yaml\r\n" },
	{ "{nodes: {}}\n", "{nodes: {}, include: [conf.d/new.yaml]}\n" },
	/* It is read already. */
	{ "include: conf.d/*.yaml\n", "include: conf.d/*.yaml\n" },
	{ "include: [\"conf.d/n*\"]\n", "include: [\"conf.d/n*\"]\n" },
};

static void test_includes(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(includes); i++) {
		struct pctl_problems *problems = pctl_problems_new();
		struct pctl_inventory *inv = NULL;
		struct pctl_error err = { 0 };
		struct place p;

		begin(&p, includes[i].before);
		if (add(&p, added, &err) < 0)
			fail_msg("%s: %s", includes[i].before, err.text);
		check_text(p.path, includes[i].after);
		check_text(p.file, added);
		assert_int_equal(pctl_inventory_load(p.path, &inv, problems), 0);
		assert_int_equal(pctl_inventory_count(inv), 1);
		pctl_inventory_free(inv);
		pctl_problems_free(problems);
		end(&p);
	}
}

static void test_second(void **state)
{
	struct pctl_error err = { 0 };
	struct place p;

	(void)state;
	begin(&p, NULL);
	assert_int_equal(add(&p, added, &err), 0);
	assert_int_equal(add(&p, "nodes: {n2: {driver: x}}\n", &err), 0);
	check_text(p.path, "include: [conf.d/new.yaml, conf.d/new-2.yaml]\n");
	check_text(p.file, added);
	check_text(p.second, "nodes: {n2: {driver: x}}\n");
	end(&p);
}

/* What is wrong with the whole is found before anything is written. */
static void test_refused(void **state)
{
	static const char *const texts[] = { "nodes: [\n", "nodes: {\"n 1\": {driver: x}}\n",
		"nodes: {n1: {class: nosuch}}\n", "groups: {g: nosuch}\n", "classes: {c: {}}\n" };

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(texts); i++) {
		static const char before[] = "classes: {c: {driver: x}}\n";
		struct pctl_problems *problems = pctl_problems_new();
		struct pctl_inventory *inv = NULL;
		struct pctl_error err = { 0 };
		struct place p;
		char *file = NULL;

		begin(&p, before);
		assert_int_equal(add(&p, texts[i], &err), PCTL_E_CONFIG);
		assert_int_equal(pctl_inventory_try_file(p.path, "new", texts[i], strlen(texts[i]),
					 &file, &inv, problems),
			PCTL_E_CONFIG);
		assert_true(pctl_problems_count(problems) > 0);
		check_text(p.path, before);
		assert_true(access(p.file, F_OK) < 0);
		pctl_inventory_free(inv);
		pctl_problems_free(problems);
		free(file);
		end(&p);
	}
}

static void test_try(void **state)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inv = NULL;
	char *file = NULL;
	struct place p;

	(void)state;
	begin(&p, NULL);
	assert_int_equal(
		pctl_inventory_try_file(p.path, "new", added, strlen(added), &file, &inv, problems),
		0);
	assert_int_equal(pctl_inventory_count(inv), 1);
	assert_string_equal(file, p.file);
	assert_true(access(p.path, F_OK) < 0);
	pctl_inventory_free(inv);
	pctl_problems_free(problems);
	free(file);
	end(&p);
}

/* Characters that a YAML file cannot hold read as what they were. */
static void test_texts(void **state)
{
	static const char *const texts[] = { "a", "a b", "", "\xc2\x9f", "x\xc2\x80y",
		"\xef\xbb\xbf", "\xef\xbf\xbf", "\x01\x7f", "\xc3\xa4", "\"\\" };

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(texts); i++) {
		struct pctl_problems *problems = pctl_problems_new();
		struct pctl_yaml yaml;
		struct pctl_buf out;

		pctl_buf_init(&out, 1024);
		pctl_buf_adds(&out, "k: ");
		pctl_inventory_write_text(&out, texts[i], false);
		assert_int_equal(
			pctl_yaml_parse(&yaml, "f", out.data, out.len, false, problems), 0);
		assert_string_equal(pctl_value_text(pctl_value_get(yaml.root, "k")), texts[i]);
		pctl_yaml_done(&yaml);
		pctl_buf_done(&out);
		pctl_problems_free(problems);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_includes),
		cmocka_unit_test(test_second),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_try),
		cmocka_unit_test(test_texts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
