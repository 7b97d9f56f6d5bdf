/* SPDX-License-Identifier: Apache-2.0 */
/* Reading inventories: what holds for a node, and every mistake at its place. */
#include "folder_help.h"
#include "inventory_help.h"

#include <unistd.h>

/* The sample of the design document. */
static const char sample[] =
	"defaults: {fanout: 512, confirm_above: 50}\n"
	"credentials:\n"
	"  nucs: {username: admin, password_file: secrets/nucs}\n"
	"  bmc: {username: root, password_env: BMC}\n"
	"classes:\n"
	"  nuc: {driver: amt, credential: nucs, tls: false, ready: {tcp: 22}}\n"
	"nodes:\n"
	"  nuc[1-8]:   {class: nuc, address: \"10.0.0.[11-18]\", tags: [lab]}\n"
	"  c[001-400]: {driver: ipmi, credential: bmc, address: \"c[001-400]-bmc\"}\n"
	"  odd1:       {driver: redfish, address: 10.0.9.9,\n"
	"               console: {driver: ipmi, credential: bmc}, protected: \"file server\"}\n"
	"  c017:       {maintenance: \"PSU out, ticket 4711\"}\n"
	"groups:\n"
	"  rack1: nuc[1-4],c[001-040]\n"
	"limits:\n"
	"  rack1: {max_at_once: 8, stagger: 500ms}\n"
	"include: [conf.d/*.yaml]\n";

static void test_nodes(void **state)
{
	struct pctl_inventory *inv = test_inventory(sample);

	(void)state;
	assert_int_equal(pctl_inventory_count(inv), 409);
	assert_string_equal(pctl_inventory_name(inv, 0), "nuc1");
	assert_string_equal(pctl_inventory_name(inv, 24), "c017");
	assert_string_equal(pctl_inventory_name(inv, 408), "odd1");
	assert_int_equal(pctl_inventory_index(inv, "c400"), 407);
	assert_int_equal(pctl_inventory_index(inv, "c17"), -1);
	assert_int_equal(pctl_inventory_index(inv, "nuc[1-8]"), -1);
	assert_string_equal(pctl_inventory_nearest(inv, "nux1"), "nuc1");
	assert_null(pctl_inventory_nearest(inv, "quite-another"));
	assert_string_equal(pctl_inventory_path(inv), "f");
	/* A node's place is that of the entry that makes it. */
	assert_int_equal(pctl_inventory_place(inv, 24).line, 9);
	assert_int_equal(pctl_inventory_place(inv, 408).line, 10);
	assert_int_equal(pctl_inventory_place(inv, 408).column, 3);
	assert_string_equal(
		pctl_value_text(pctl_value_get(pctl_inventory_defaults(inv), "fanout")), "512");
	assert_int_equal(pctl_inventory_group_count(inv), 1);
	assert_string_equal(pctl_inventory_group_name(inv, 0), "rack1");
	assert_string_equal(
		pctl_value_text(pctl_value_get(pctl_inventory_limits(inv, "rack1"), "stagger")),
		"500ms");
	pctl_inventory_free(inv);
}

static void test_settings(void **state)
{
	struct pctl_inventory *inv = test_inventory(sample);

	(void)state;
	check_setting(inv, "nuc8", "address", "10.0.0.18");
	check_setting(inv, "nuc8", "driver", "amt");
	check_setting(inv, "nuc8", "tls", "false");
	check_setting(inv, "nuc8", "username", "admin");
	check_setting(inv, "c017", "address", "c017-bmc");
	check_setting(inv, "c017", "maintenance", "PSU out, ticket 4711");
	check_setting(inv, "c016", "maintenance", "-");
	check_setting(inv, "odd1", "username", "-");

	struct pctl_value *settings =
		pctl_inventory_settings(inv, (size_t)pctl_inventory_index(inv, "odd1"));
	const struct pctl_value *console = pctl_value_get(settings, "console");
	assert_string_equal(pctl_value_text(pctl_value_get(console, "driver")), "ipmi");
	assert_string_equal(pctl_value_text(pctl_value_get(console, "password_env")), "BMC");
	assert_int_equal(pctl_value_place(pctl_value_get(console, "driver")).line, 11);
	assert_int_equal(pctl_value_place(pctl_value_get(console, "driver")).column, 34);
	pctl_value_free(settings);
	pctl_inventory_free(inv);
}

static void test_text_agrees_with_settings(void **state)
{
	static const char *const keys[] = { "driver", "address", "username", "password_env",
		"maintenance", "class", "tls", "console", "none" };
	struct pctl_inventory *inv = test_inventory(sample);

	(void)state;
	for (size_t i = 0; i < pctl_inventory_count(inv); i += 12)
		for (size_t k = 0; k < TEST_COUNT(keys); k++) {
			const char *text = pctl_inventory_text(inv, i, keys[k]);

			check_setting(inv, pctl_inventory_name(inv, i), keys[k], text ? text : "-");
			/* Asked again it is the same text and not another one. */
			assert_ptr_equal(text, pctl_inventory_text(inv, i, keys[k]));
		}
	pctl_inventory_free(inv);
}

static const struct {
	const char *node, *key, *wanted;
} merged[] = {
	{ "n1", "driver", "d1" },
	{ "n1", "x", "base" },
	{ "n1", "username", "cu" }, /* the class's own over its credential's */
	{ "n1", "password_file", "lf" },
	{ "n1", "plug", "5" },
	{ "n4", "plug", "8" },
	{ "n1", "protected", "see [1-2]" },
	/* A node's credential is nearer than what its class says, and ends the class's. */
	{ "n2", "username", "hu" },
	{ "n2", "password_env", "HE" },
	{ "n2", "password_file", "-" },
	{ "n2", "kg_file", "-" },
	{ "n2", "x", "" },
	{ "n2", "driver", "-" }, /* unset */
	{ "n3", "username", "own" },
	{ "n3", "address", "fe80::1" },
	{ "n3", "protected", "-" },
	{ "m", "password_env", "-" },
	{ "m", "password_file", "lf" },
	{ "n4", "password_file", "-" }, /* displaced by the command */
	{ "n4", "kg_file", "-" },
	{ "n4", "kg_env", "K" },
};

static void test_merging(void **state)
{
	struct pctl_inventory *inv = test_inventory(
		"credentials:\n"
		"  low: {username: lu, password_file: lf, kg_file: k}\n"
		"  high: {username: hu, password_env: HE}\n"
		"classes:\n"
		"  base: {driver: d0, credential: low, tags: [a, b], timeouts: {connect: 1s, "
		"answer: 2s}, x: base}\n"
		"  literal: {password_env: CE}\n"
		"  mid: {class: base, driver: d1, timeouts: {connect: 3s}, username: cu}\n"
		"nodes:\n"
		"  n[1-4]: {class: mid, address: \"a[1-4]\", tags: [c], \n"
		"    console: {address: \"s[1-4]\"}, plug: \"[5-8]\",\n"
		"    protected: \"see [1-2]\"}\n"
		"  n2: {credential: high, x: \"\", driver: }\n"
		"  n3: {username: own, address: \"[fe80::1]\", protected: \"\"}\n"
		"  n4: {password_command: [p, q], kg_env: K}\n"
		"  m: {class: literal, credential: low}\n");

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(merged); i++)
		check_setting(inv, merged[i].node, merged[i].key, merged[i].wanted);

	struct pctl_value *settings = pctl_inventory_settings(inv, 3);
	const struct pctl_value *timeouts = pctl_value_get(settings, "timeouts");
	assert_string_equal(pctl_value_text(pctl_value_get(timeouts, "connect")), "3s");
	assert_string_equal(pctl_value_text(pctl_value_get(timeouts, "answer")), "2s");
	assert_int_equal(pctl_value_count(pctl_value_get(settings, "tags")), 1); /* replaced */
	assert_string_equal(
		pctl_value_text(pctl_value_get(pctl_value_get(settings, "console"), "address")),
		"s4");
	pctl_value_free(settings);
	pctl_inventory_free(inv);
}

/* --- Mistakes. -------------------------------------------------------------------------------- */

static const struct {
	const char *text, *said;
} mistakes[] = {
	{ "grups: {}\n", "f:1:1: unknown key 'grups'; did you mean 'groups'?" },
	{ "whatever: {}\n",
		"f:1:1: unknown key 'whatever'; here belong: defaults, credentials, classes, "
		"nodes, groups, limits, include, sources, hooks" },
	{ "- a\n", "f:1:1: an inventory is a map with keys like 'nodes:', not a list" },
	{ "nodes:\n  n1: {driver: [amt]}\n", "f:2:16: driver: a text is wanted here, not a list" },
	{ "nodes:\n  n1: {tags: lab}\n",
		"f:2:14: tags: a list, [one, two], is wanted here, not 'lab'" },
	{ "nodes:\n  n1: {tags: [a, [b]]}\n",
		"f:2:18: tags: every item of the list is a text, not a list" },
	{ "nodes:\n  n1: [a]\n", "f:2:7: n1: a map, {key: value}, is wanted here, not a list" },
	{ "nodes: [a]\n", "f:1:8: nodes: a map, {key: value}, is wanted here, not a list" },
	{ "nodes:\n  n1: {maintenance: yes}\n",
		"f:2:21: maintenance: a reason is wanted here, such as \"ticket 4711\"; without "
		"one leave the key away" },
	{ "nodes:\n  n1: {trust: stict}\n",
		"f:2:15: trust cannot be 'stict'; it is one of: first-use, strict" },
	{ "nodes:\n  n1: {timeouts: {conect: 1s}}\n",
		"f:2:19: unknown key 'conect'; did you mean 'connect'?" },
	{ "nodes:\n  n1: {timeouts: {connect: soon}}\n",
		"f:2:28: connect: a duration is wanted here (500ms, 60s, 2m), not 'soon'" },
	{ "nodes:\n  n1: {ready: {tcp: 65536}}\n",
		"f:2:21: tcp: a number from 0 to 65535 is wanted here, not '65536'" },
	{ "defaults: {fanot: 3}\n", "f:1:12: unknown key 'fanot'; did you mean 'fanout'?" },
	{ "defaults: {driver: amt}\n",
		"f:1:12: unknown key 'driver'; here belong: fanout, confirm_above, timeout, "
		"deadline, timeouts" },
	{ "defaults: {fanout: 65537}\n",
		"f:1:20: fanout: a number from 0 to 65536 is wanted here, not '65537'" },
	{ "defaults: {fanout: -1}\n",
		"f:1:20: fanout: a number from 0 to 65536 is wanted here, not '-1'" },
	{ "credentials:\n  c: {pasword_file: x}\n",
		"f:2:7: unknown key 'pasword_file'; did you mean 'password_file'?" },
	{ "credentials:\n  c: {password_file: x, password_env: Y}\n",
		"f:2:25: credential 'c' has password_file and password_env; keep one" },
	{ "groups: {r: n1}\nlimits:\n  q: {}\nnodes: {n1: {}}\n", "f:3:3: unknown group 'q'" },
	{ "groups: {rack: n1}\nlimits:\n  rak: {max_at_once: 1}\nnodes: {n1: {}}\n",
		"f:3:3: unknown group 'rak'; did you mean 'rack'?" },
	{ "groups: {r: n1}\nnodes: {n1: {}}\nlimits: {r: {max_at_onec: 1}}\n",
		"f:3:14: unknown key 'max_at_onec'; did you mean 'max_at_once'?" },
	/* Ranges. */
	{ "nodes:\n  n[1-3]: {address: \"10.0.0.[1-2]\"}\n",
		"f:2:21: '10.0.0.[1-2]' names 2 but 'n[1-3]' names 3; both must name equally "
		"many" },
	{ "nodes:\n  n1: {address: \"10.0.0.[1-2]\"}\n",
		"f:2:17: '10.0.0.[1-2]' names 2 but 'n1' names 1; both must name equally many" },
	{ "nodes:\n  n[1-4]: {address: \"h[1,2],h[3-4]\"}\n",
		"f:2:21: address 'h[1,2],h[3-4]': ',' after a name; only one can be here; "
		"split the entry, one for each range" },
	{ "nodes:\n  n[1-2]: {console: {address: \"s[1-3]\"}}\n",
		"f:2:31: 's[1-3]' names 3 but 'n[1-2]' names 2; both must name equally many" },
	{ "nodes:\n  n[1-2]: {address: \"s[1-\"}\n",
		"f:2:21: address 's[1-': this bracket is never closed; a range is written n[1-3]" },
	{ "nodes:\n  n[1-999999999]: {}\n",
		"f:2:3: 'n[1-999999999]' names 999999999; an inventory names at most 2000000 "
		"nodes" },
	{ "nodes:\n  a[1-1999999]: {}\n  b[1-2]: {}\n",
		"f:3:3: 'b[1-2]' names 2; an inventory names at most 2000000 nodes" },
	{ "nodes:\n  n[[1-2]]: {}\n",
		"f:2:3: 'n[[1-2]]': a '[' within a bracket; close the first one with ']'" },
	{ "nodes:\n  n[3-1]: {}\n", "f:2:3: 'n[3-1]': the range 3-1 runs backwards; write 1-3" },
	{ "nodes:\n  n[1,1]: {}\n", "f:2:3: 'n[1,1]' names 'n1' twice" },
	{ "nodes:\n  n1: {}\n  n1: {}\n",
		"f:3:3: 'n1' stands here twice; the first is on line 2, keep one of them" },
	{ "nodes:\n  a/b: {}\n",
		"f:2:3: 'a/b': a node's name has no blanks, slashes, quotes or any of @%,!&^*?[]" },
	{ "nodes:\n  \"\": {}\n", "f:2:3: '': a node's name cannot be empty" },
	{ "nodes:\n  -a: {}\n", "f:2:3: '-a': a node's name cannot begin with '-' or '.'" },
	/* Names. */
	{ "classes: {nuc: {}}\nnodes:\n  n1: {class: nuk}\n",
		"f:3:15: unknown class 'nuk'; did you mean 'nuc'?" },
	{ "credentials: {bmcs: {}}\nnodes:\n  n1: {credential: bmc1}\n",
		"f:3:20: unknown credential 'bmc1'; did you mean 'bmcs'?" },
	{ "nodes:\n  n1: {console: {credential: x}}\n", "f:2:30: unknown credential 'x'" },
	{ "classes:\n  a: {class: b}\n  b: {class: c}\n  c: {class: b}\n",
		"f:2:3: class 'a' stands on more than 32 others, or on a circle of them\n"
		"f:3:14: class 'b' comes back to itself; take one 'class:' of the circle out\n"
		"f:4:14: class 'c' comes back to itself; take one 'class:' of the circle out" },
	{ "groups:\n  r: n[1-3],nn2\nnodes: {\"n[1-2]\": {}}\n",
		"f:2:6: group 'r': 2 unknown nodes: n3,nn2" },
	{ "groups:\n  r: \"@s\"\n  s: \"@r\"\n",
		"f:2:6: group 'r': group 'r' comes back to itself; take one '@' of the circle "
		"out\n"
		"f:3:6: group 's': group 's' comes back to itself; take one '@' of the circle "
		"out" },
	{ "groups:\n  r: \"@rak\"\n  rack: []\n",
		"f:2:6: group 'r': unknown group 'rak'; did you mean 'rack'?" },
	{ "groups:\n  r: n[2-1]\n", "f:2:6: group 'r': the range 2-1 runs backwards; write 1-2" },
	/* All of them, not the first. */
	{ "defaults: {fanout: x}\nnodes:\n  n1: {class: a}\n  n2: {tags: x}\n",
		"f:1:20: fanout: a number from 0 to 65536 is wanted here, not 'x'\n"
		"f:4:14: tags: a list, [one, two], is wanted here, not 'x'\n"
		"f:3:15: unknown class 'a'" },
};

static void test_mistakes(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(mistakes); i++) {
		struct pctl_problems *problems = pctl_problems_new();
		struct pctl_inventory *inv = NULL;
		const char *text = mistakes[i].text;

		assert_int_equal(pctl_inventory_parse("f", text, strlen(text), &inv, problems),
			PCTL_E_CONFIG);
		PCTL_AUTO(free) char *said = test_problems(problems);
		assert_string_equal(said, mistakes[i].said);
		pctl_inventory_free(inv);
		pctl_problems_free(problems);
	}
}

static void test_broken_yaml_is_no_inventory(void **state)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inv = NULL;

	(void)state;
	assert_int_equal(pctl_inventory_parse("f", "nodes: {\n", 9, &inv, problems), PCTL_E_CONFIG);
	assert_null(inv);
	assert_int_equal(pctl_problems_count(problems), 1);
	pctl_problems_free(problems);
}

static void test_problems_are_kept_once_and_not_for_ever(void **state)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_place place = { "f", 1, 2 };

	(void)state;
	pctl_problems_add(problems, place, "a\nb");
	pctl_problems_add(problems, place, "a b");
	assert_int_equal(pctl_problems_count(problems), 1);
	assert_string_equal(pctl_problems_at(problems, 0), "f:1:2: a b");
	for (int i = 0; i < 300; i++)
		pctl_problems_add(problems, (struct pctl_place){ 0 }, "%d", i);
	assert_int_equal(pctl_problems_count(problems), 301);
	assert_string_equal(pctl_problems_at(problems, 199), "198");
	assert_null(pctl_problems_at(problems, 200));
	pctl_problems_free(problems);
}

/* --- Files. ----------------------------------------------------------------------------------- */

/* Loads FILE of the folder; its name stands for the folder's in what is said. */
static struct pctl_inventory *load(const char *file, const char *wanted)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inv = NULL;
	PCTL_AUTO(free) char *path = test_path(folder, file);
	struct pctl_buf shown;

	int r = pctl_inventory_load(path, &inv, problems);
	pctl_buf_init(&shown, 100000);
	PCTL_AUTO(free) char *said = test_problems(problems);
	for (const char *at = said; *at;) {
		if (strncmp(at, folder, strlen(folder)) == 0) {
			pctl_buf_adds(&shown, "DIR");
			at += strlen(folder);
		} else {
			pctl_buf_add(&shown, at++, 1);
		}
	}
	assert_string_equal(shown.data, wanted);
	assert_int_equal(r, *wanted ? PCTL_E_CONFIG : 0);
	pctl_buf_done(&shown);
	pctl_problems_free(problems);
	return inv;
}

static void put(const char *file, const char *text, mode_t mode)
{
	PCTL_AUTO(free) char *path = test_path(folder, file);

	test_write(path, text, mode);
}

static void test_includes(void **state)
{
	PCTL_AUTO(free) char *dir = test_path(folder, "conf.d");

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	put("main.yaml", "nodes: {n1: {driver: a}}\ninclude: [conf.d/*.yaml, none.d/*.yaml]\n",
		0644);
	put("conf.d/b.yaml", "nodes: {n1: {driver: c}}\n", 0644);
	put("conf.d/a.yaml", "nodes: {n1: {driver: b}, n2: {class: k}}\nclasses: {k: {x: y}}\n",
		0644);
	struct pctl_inventory *inv = load("main.yaml", "");
	check_setting(inv, "n1", "driver", "c"); /* in the order of their names */
	check_setting(inv, "n2", "x", "y");
	pctl_inventory_free(inv);

	put("conf.d/b.yaml", "include: ../main.yaml\nclasses: {k: {}}\ndefaults: {}\n", 0644);
	inv = load("main.yaml",
		"DIR/conf.d/b.yaml:1:10: DIR/main.yaml includes itself; take it out\n"
		"DIR/conf.d/b.yaml:2:11: class 'k' is already at DIR/conf.d/a.yaml:2; keep one of "
		"them");
	pctl_inventory_free(inv);

	put("twice.yaml", "include: [conf.d/a.yaml, conf.d/a.yaml, gone.yaml]\n", 0644);
	inv = load("twice.yaml",
		"DIR/twice.yaml:1:26: DIR/conf.d/a.yaml is included twice; take one out\n"
		"DIR/twice.yaml:1:41: there is no file DIR/gone.yaml to include");
	pctl_inventory_free(inv);

	put("conf.d/b.yaml", "nodes: {", 0644);
	inv = load("main.yaml",
		"DIR/conf.d/b.yaml:1:9: the text ends here, but a '{' or '[' is still open");
	check_setting(inv, "n1", "driver", "b"); /* the rest counts */
	pctl_inventory_free(inv);
}

static void test_missing_file(void **state)
{
	(void)state;
	assert_null(load("none.yaml", "DIR/none.yaml: cannot open it: No such file or directory"));
}

static void test_password_in_readable_file(void **state)
{
	(void)state;
	put("open.yaml", "credentials:\n  c: {username: u, password: s3cret}\n", 0644);
	pctl_inventory_free(load("open.yaml",
		"DIR/open.yaml holds a secret and others can read it (mode 0644); run: chmod "
		"o-rwx DIR/open.yaml"));
	put("open.yaml", "credentials:\n  c: {username: u, password: s3cret}\n", 0640);
	pctl_inventory_free(load("open.yaml", ""));
	put("open.yaml", "credentials:\n  c: {username: u, password_env: X}\n", 0644);
	pctl_inventory_free(load("open.yaml", ""));
}

static void test_find(void **state)
{
	PCTL_AUTO(free) char *path = test_path(folder, "powerctl/powerctl.yaml");
	PCTL_AUTO(free) char *dir = test_path(folder, "powerctl");
	struct pctl_error err = { 0 };
	char *found = NULL;
	bool shadowed;

	(void)state;
	assert_int_equal(setenv("XDG_CONFIG_HOME", folder, 1), 0);
	assert_int_equal(unsetenv("POWERCTL_INVENTORY"), 0);
	if (access("/etc/powerctl/powerctl.yaml", F_OK) < 0) {
		assert_int_equal(pctl_inventory_find(NULL, &found, &shadowed, &err), PCTL_E_CONFIG);
		assert_non_null(strstr(err.text, path));
		assert_non_null(strstr(err.text, "/etc/powerctl/powerctl.yaml"));
	}
	assert_int_equal(mkdir(dir, 0700), 0);
	test_write(path, "", 0600);
	assert_int_equal(pctl_inventory_find(NULL, &found, &shadowed, &err), 0);
	assert_string_equal(found, path);
	free(found);
	assert_int_equal(setenv("POWERCTL_INVENTORY", "/none/such", 1), 0);
	assert_int_equal(pctl_inventory_find(NULL, &found, &shadowed, &err), PCTL_E_CONFIG);
	assert_string_equal(
		err.text, "there is no inventory /none/such, which $POWERCTL_INVENTORY names");
	assert_int_equal(pctl_inventory_find(path, &found, NULL, &err), 0);
	free(found);
	assert_int_equal(unsetenv("POWERCTL_INVENTORY"), 0);
}

static void test_sample_file(void **state)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inv = NULL;

	(void)state;
	int r = pctl_inventory_load(TEST_SOURCE_DIR "/conf/powerctl.yaml", &inv, problems);
	PCTL_AUTO(free) char *said = test_problems(problems);
	assert_string_equal(said, "");
	assert_int_equal(r, 0);
	assert_int_equal(pctl_inventory_count(inv), 409);
	check_setting(inv, "c017", "maintenance", "PSU out, ticket 4711");
	pctl_inventory_free(inv);
	pctl_problems_free(problems);
}

/* --- Size. ------------------------------------------------------------------------------------ */

static void test_ten_thousand_nodes(void **state)
{
	struct pctl_buf text;
	char name[32];

	(void)state;
	pctl_buf_init(&text, 1 << 22);
	pctl_buf_adds(&text, "nodes:\n");
	for (int i = 0; i < 10000; i++)
		pctl_buf_addf(
			&text, "  n%05d: {driver: d, address: 10.0.%d.%d}\n", i, i / 256, i % 256);
	pctl_buf_adds(&text, "  r[00001-10000]: {driver: d, address: \"x[00001-10000]\"}\n");
	struct pctl_inventory *inv = test_inventory(text.data);
	assert_int_equal(pctl_inventory_count(inv), 20000);
	for (size_t i = 0; i < 10000; i += 99) {
		(void)snprintf(name, sizeof(name), "n%05d", (int)i);
		assert_int_equal(pctl_inventory_index(inv, name), (int64_t)i);
	}
	check_setting(inv, "r10000", "address", "x10000");
	pctl_inventory_free(inv);
	pctl_buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nodes),
		cmocka_unit_test(test_settings),
		cmocka_unit_test(test_text_agrees_with_settings),
		cmocka_unit_test(test_merging),
		cmocka_unit_test(test_mistakes),
		cmocka_unit_test(test_broken_yaml_is_no_inventory),
		cmocka_unit_test(test_problems_are_kept_once_and_not_for_ever),
		cmocka_unit_test(test_includes),
		cmocka_unit_test(test_missing_file),
		cmocka_unit_test(test_password_in_readable_file),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_sample_file),
		cmocka_unit_test(test_ten_thousand_nodes),
	};

	return cmocka_run_group_tests_name("inventory", tests, make_folder, remove_folder);
}
