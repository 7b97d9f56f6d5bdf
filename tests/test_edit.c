/* SPDX-License-Identifier: Apache-2.0 */
/* Changing the file: exactly what was asked for, everything else byte by byte as it was. */
#include "inventory_help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[256];
static char *path;

static int make_folder(void **state)
{
	(void)state;
	test_folder(folder, sizeof(folder));
	path = test_path(folder, "powerctl.yaml");
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	free(path);
	test_remove_folder(folder);
	return 0;
}

/* add NAME: {driver: amt, address: ADDRESS}; rm NAME; set NAME: KEY = VALUE */
enum what { ADD, RM, SET, CRED };

static int edit(enum what what, const char *name, const char *key, const char *value,
	struct pctl_error *err)
{
	struct pctl_value *settings = pctl_value_new_map();
	int r = 0;

	pctl_value_set_text(settings, "driver", "amt");
	pctl_value_set_text(settings, "address", key);
	if (what == ADD)
		r = pctl_inventory_edit_add(path, name, settings, err);
	else if (what == RM)
		r = pctl_inventory_edit_remove(path, name, err);
	else if (what == SET)
		r = pctl_inventory_edit_set(path, name, key, value, err);
	else
		r = pctl_inventory_edit_credential(path, name, key, value, err);
	pctl_value_free(settings);
	return r;
}

static const struct {
	const char *before;
	enum what what;
	const char *name, *key, *value;
	const char *after;
} changes[] = {
	/* Adding to nothing, comments, blocks, braces. */
	{ "", ADD, "n1", "h", NULL, "nodes:\n  n1: {driver: amt, address: h}\n" },
	{ "# mine", ADD, "n1", "h", NULL, "# mine\nnodes:\n  n1: {driver: amt, address: h}\n" },
	{ "classes: {k: {}}\n", ADD, "n1", "h", NULL,
		"classes: {k: {}}\nnodes:\n  n1: {driver: amt, address: h}\n" },
	{ "nodes:\n  # first\n  a: {}  # a\n\n# end\n", ADD, "n1", "h", NULL,
		"nodes:\n  # first\n  a: {}  # a\n  n1: {driver: amt, address: h}\n\n# end\n" },
	{ "nodes:\n    a:\n        driver: x  # no newline", ADD, "n1", "h", NULL,
		"nodes:\n    a:\n        driver: x  # no newline\n    n1: {driver: amt, address: "
		"h}\n" },
	{ "nodes:\n  a: {}\ngroups:\n  g: a\n", ADD, "n1", "h", NULL,
		"nodes:\n  a: {}\n  n1: {driver: amt, address: h}\ngroups:\n  g: a\n" },
	{ "nodes: {}  # none\nclasses: {}\n", ADD, "n1", "h", NULL,
		"nodes:  # none\n  n1: {driver: amt, address: h}\nclasses: {}\n" },
	{ "nodes:\nclasses: {}\n", ADD, "n1", "h", NULL,
		"nodes:\n  n1: {driver: amt, address: h}\nclasses: {}\n" },
	{ "nodes: # soon", ADD, "n1", "h", NULL,
		"nodes: # soon\n  n1: {driver: amt, address: h}\n" },
	{ "nodes: ~\n", ADD, "n1", "h", NULL, "nodes:\n  n1: {driver: amt, address: h}\n" },
	{ "nodes: {a: {driver: x}, b: {}}\n", ADD, "n1", "h", NULL,
		"nodes: {a: {driver: x}, b: {}, n1: {driver: amt, address: h}}\n" },
	{ "{nodes: {a: {}},}\n", ADD, "n1", "h", NULL,
		"{nodes: {a: {}, n1: {driver: amt, address: h}},}\n" },
	{ "{}", ADD, "n1", "h", NULL, "{nodes: {n1: {driver: amt, address: h}}}" },
	{ "nodes: {\n  a: {},\n  # c\n}\n", ADD, "n1", "h", NULL,
		"nodes: {\n  a: {}, n1: {driver: amt, address: h},\n  # c\n}\n" },
	{ "nodes:\n  a:\n    x: |\n      text\n\n", ADD, "n1", "h", NULL,
		"nodes:\n  a:\n    x: |\n      text\n\n  n1: {driver: amt, address: h}\n" },
	{ "nodes:\r\n  a: {}\r\n", ADD, "n1", "h", NULL,
		"nodes:\r\n  a: {}\r\n  n1: {driver: amt, address: h}\r\n" },
	{ "nodes:\n  \xc3\xa4: {x: \xc3\xb6} # \xc3\xbc\n", ADD, "n1", "h", NULL,
		"nodes:\n  \xc3\xa4: {x: \xc3\xb6} # \xc3\xbc\n  n1: {driver: amt, address: h}\n" },
	/* Quotes where YAML needs them. */
	{ "", ADD, "n[1-2]", "10.0.0.[1-2]", NULL,
		"nodes:\n  n[1-2]: {driver: amt, address: \"10.0.0.[1-2]\"}\n" },
	{ "nodes: {a: {}}", ADD, "n[1,3]", "h[1-2]", NULL,
		"nodes: {a: {}, \"n[1,3]\": {driver: amt, address: \"h[1-2]\"}}" },
	{ "", ADD, "n1", "::1", NULL, "nodes:\n  n1: {driver: amt, address: \"::1\"}\n" },
	{ "", ADD, "n1", "fe80::1", NULL, "nodes:\n  n1: {driver: amt, address: fe80::1}\n" },
	{ "nodes: {n1: {}}", SET, "n1", "x", "a: b", "nodes: {n1: {x: \"a: b\"}}" },
	{ "nodes: {n1: {}}", SET, "n1", "x", "", "nodes: {n1: {x: \"\"}}" },
	{ "nodes: {n1: {}}", SET, "n1", "x", "#\"\\\t", "nodes: {n1: {x: \"#\\\"\\\\\\x09\"}}" },
	{ "nodes: {n1: {}}", SET, "n1", "x", "~", "nodes: {n1: {x: \"~\"}}" },
	{ "nodes: {n1: {}}", SET, "n1", "x", "- a", "nodes: {n1: {x: \"- a\"}}" },
	/* Removing. */
	{ "nodes:\n  a: {}\n  n1: {x: y} # gone\n  b: {}\n", RM, "n1", NULL, NULL,
		"nodes:\n  a: {}\n  b: {}\n" },
	{ "nodes:\n  n1:\n    x: y\n    z: |\n      w\n  b: {}\n", RM, "n1", NULL, NULL,
		"nodes:\n  b: {}\n" },
	{ "nodes:\n  n1: {}", RM, "n1", NULL, NULL, "nodes:\n" },
	{ "nodes: {n1: {}, b: {}}\n", RM, "n1", NULL, NULL, "nodes: {b: {}}\n" },
	{ "nodes: {a: {}, n1: {x: y}}\n", RM, "n1", NULL, NULL, "nodes: {a: {}}\n" },
	{ "nodes: {n1: {}}\n", RM, "n1", NULL, NULL, "nodes: {}\n" },
	/* A range goes with what amends it. */
	{ "nodes:\n  n[1-3]: {x: y}\n  a: {}\n  n2: {x: z}\n", RM, "n[1-3]", NULL, NULL,
		"nodes:\n  a: {}\n" },
	/* Setting. */
	{ "nodes:\n  n1: {x: y} # c\n", SET, "n1", "x", "z", "nodes:\n  n1: {x: z} # c\n" },
	{ "nodes:\n  n1: {x: y} # c\n", SET, "n1", "w", "z", "nodes:\n  n1: {x: y, w: z} # c\n" },
	{ "nodes:\n  n1:\n    x: y # c\n  b: {}\n", SET, "n1", "x", "z",
		"nodes:\n  n1:\n    x: z # c\n  b: {}\n" },
	{ "nodes:\n  n1:\n    x: y # c\n  b: {}\n", SET, "n1", "w", "z",
		"nodes:\n  n1:\n    x: y # c\n    w: z\n  b: {}\n" },
	{ "nodes:\n  n1:   # c\n  b: {}\n", SET, "n1", "w", "z",
		"nodes:\n  n1: {w: z}   # c\n  b: {}\n" },
	{ "nodes:\n  n1:\n    x: # c\n", SET, "n1", "x", "z", "nodes:\n  n1:\n    x: z # c\n" },
	{ "nodes:\n  n1:\n    x: |\n      y\n    z: w\n", SET, "n1", "x", "v",
		"nodes:\n  n1:\n    x: v\n    z: w\n" },
	{ "nodes:\n  n1:\n    tags: # c\n      - a\n      - b\n    z: w\n", SET, "n1", "tags",
		"c,d", "nodes:\n  n1:\n    tags: [c, d] # c\n    z: w\n" },
	{ "nodes:\n  n1: {}\n", SET, "n1", "ready", "{tcp: 22}",
		"nodes:\n  n1: {ready: {tcp: 22}}\n" },
	{ "nodes:\n  n1: {x: y, z: w}\n", SET, "n1", "x", NULL, "nodes:\n  n1: {z: w}\n" },
	{ "nodes:\n  n1:\n    x: y\n    z: w\n", SET, "n1", "z", NULL,
		"nodes:\n  n1:\n    x: y\n" },
	/* A node of a range gets an entry of its own behind it; the range can be set as one. */
	{ "nodes:\n  n[1-3]: {x: y}\n", SET, "n2", "x", "z",
		"nodes:\n  n[1-3]: {x: y}\n  n2: {x: z}\n" },
	{ "nodes:\n  n[1-3]: {x: y}\n  n2: {v: w}\n", SET, "n2", "x", "z",
		"nodes:\n  n[1-3]: {x: y}\n  n2: {v: w, x: z}\n" },
	{ "nodes:\n  n[1-3]: {x: y}\n", SET, "n[1-3]", "x", "z", "nodes:\n  n[1-3]: {x: z}\n" },
	/* Credentials. */
	{ "nodes: {}\n", CRED, "bmc", "root", "secrets/bmc",
		"nodes: {}\ncredentials:\n  bmc: {username: root, password_file: secrets/bmc}\n" },
	{ "credentials:\n  a: {}\nnodes: {}\n", CRED, "bmc", "root", "s",
		"credentials:\n  a: {}\n  bmc: {username: root, password_file: s}\nnodes: {}\n" },
	{ "credentials: {bmc: {username: root, password_file: s}}", CRED, "bmc", "root", "s",
		"credentials: {bmc: {username: root, password_file: s}}" },
};

static void test_changes(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(changes); i++) {
		struct pctl_error err = { 0 };

		test_write(path, changes[i].before, 0600);
		if (edit(changes[i].what, changes[i].name, changes[i].key, changes[i].value, &err))
			fail_msg("%zu: %s: %s", i, changes[i].before, err.text);
		PCTL_AUTO(free) char *after = test_read(path);
		assert_string_equal(after, changes[i].after);
	}
}

static const struct {
	const char *before;
	enum what what;
	const char *name, *key, *value;
	const char *said;
} refusals[] = {
	{ "nodes:\n  n1: {}\n", ADD, "n1", "h", NULL,
		"'n1' is already at DIR:2:3; `powerctl set` changes it" },
	{ "nodes:\n  n[1-3]: {}\n", ADD, "n[3-5]", "h[3-5]", NULL,
		"'n3' is already at DIR:2:3; `powerctl set` changes it" },
	{ "nodes: {}\n", ADD, "n[1-3]", "h[1-2]", NULL,
		"not done, because then: 'h[1-2]' names 2 but 'n[1-3]' names 3; both must name "
		"equally many" },
	{ "nodes: {}\n", ADD, "a b", "h", NULL,
		"not done, because then: 'a b': a node's name has no blanks, slashes, quotes or "
		"any of @%,!&^*?[]" },
	{ "nodes: [a]\n", ADD, "n1", "h", NULL, "DIR:1:8: nodes is not a map, {key: value}" },
	{ "nodes: {\n", ADD, "n1", "h", NULL,
		"DIR:2:1: the text ends here, but a '{' or '[' is still open" },
	{ "nodes:\n  n[1-3]: {}\n", RM, "n2", NULL, NULL,
		"DIR:2:3: 'n[1-3]' names other nodes as well; write it there without 'n2'" },
	{ "nodes:\n  n1: {}\n", RM, "n2", NULL, NULL, "unknown node 'n2'" },
	{ "nodes:\n  nuc1: {}\n", RM, "nux1", NULL, NULL,
		"unknown node 'nux1'; did you mean 'nuc1'?" },
	{ "nodes:\n  n1: {}\ngroups:\n  g: n1\n", RM, "n1", NULL, NULL,
		"not done, because then: group 'g': unknown node 'n1'; `powerctl list` shows those "
		"there are" },
	{ "nodes:\n  n1: {}\n", SET, "n1", "class", "k",
		"not done, because then: unknown class 'k'" },
	{ "nodes:\n  n1: {}\n", SET, "n1", "maintenance", "yes",
		"not done, because then: maintenance: a reason is wanted here, such as \"ticket "
		"4711\"; without one leave the key away" },
	{ "nodes:\n  n1: {}\n", SET, "n1", "password", "TOPSECRET",
		"a password is never an argument, which everybody on this host can read; put it "
		"into a file and set password_file" },
	{ "nodes:\n  n1: {}\n", SET, "n1", "tags", "lab,a b",
		"'a b': a tag is one word of letters, digits and _ . - : =; write tags=a,b" },
	{ "nodes:\n  n1: {}\n", SET, "n1", "x", NULL, "'n1' has no setting 'x' of its own" },
	{ "nodes:\n  n[1-3]: {x: y}\n", SET, "n1", "x", NULL,
		"'n1' has 'x' from DIR:2:15, which is not its alone; change it there by hand" },
	{ "nodes:\n  n1: {x: y}\n  n[1-3]: {x: z}\n", SET, "n1", "x", "v",
		"DIR:3:3: 'n[1-3]' comes behind 'n1' and sets x as well; put it before that by "
		"hand" },
	{ "nodes:\n  n[1-3]: {}\n", SET, "n[1-2]", "x", "y",
		"no entry is called 'n[1-2]'; name its nodes one by one" },
	{ "nodes: {n1: {}, ? n2 : {}}\n", RM, "n2", NULL, NULL, "" },
	{ "credentials:\n  c: {username: u}\n", CRED, "c", "v", "f",
		"credential 'c' is already at DIR:2:3 and says something else" },
};

static void test_refusals_change_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(refusals); i++) {
		struct pctl_error err = { 0 };
		struct pctl_buf said;

		test_write(path, refusals[i].before, 0600);
		int r = edit(refusals[i].what, refusals[i].name, refusals[i].key, refusals[i].value,
			&err);
		if (!*refusals[i].said)
			continue; /* either done right or refused, but never wrong */
		assert_int_equal(r, PCTL_E_CONFIG);
		pctl_buf_init(&said, 1000);
		for (const char *at = err.text; *at;) {
			bool here = strncmp(at, path, strlen(path)) == 0;

			pctl_buf_add(&said, here ? "DIR" : at, here ? 3 : 1);
			at += here ? strlen(path) : 1;
		}
		assert_string_equal(said.data, refusals[i].said);
		pctl_buf_done(&said);
		PCTL_AUTO(free) char *after = test_read(path);
		assert_string_equal(after, refusals[i].before);
	}
}

static void test_new_file(void **state)
{
	PCTL_AUTO(free) char *dir = test_path(folder, "new");
	PCTL_AUTO(free) char *file = test_path(folder, "new/deep/powerctl.yaml");
	struct pctl_value *settings = pctl_value_new_map();
	struct pctl_error err = { 0 };
	struct stat st;

	(void)state;
	pctl_value_set_text(settings, "driver", "amt");
	assert_int_equal(pctl_inventory_edit_add(file, "n1", settings, &err), 0);
	pctl_value_free(settings);
	PCTL_AUTO(free) char *text = test_read(file);
	assert_string_equal(text, "nodes:\n  n1: {driver: amt}\n");
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(stat(file, &st), 0);
	assert_int_equal(st.st_mode & 07777, geteuid() == 0 ? 0640 : 0600);
}

static const struct {
	const char *before, *after;
} additions[] = {
	{ "", "nodes:\n  n1: {driver: amt}\n  n2: {address: \"::1\"}\n" },
	{ "# mine\n", "# mine\nnodes:\n  n1: {driver: amt}\n  n2: {address: \"::1\"}\n" },
	{ "classes: {k: {}}",
		"classes: {k: {}}\nnodes:\n  n1: {driver: amt}\n  n2: {address: \"::1\"}\n" },
	{ "nodes: {} # none\n", "nodes: # none\n  n1: {driver: amt}\n  n2: {address: \"::1\"}\n" },
	{ "nodes:\n    a: {} # a\n# end\n",
		"nodes:\n    a: {} # a\n    n1: {driver: amt}\n    n2: {address: \"::1\"}\n# "
		"end\n" },
	{ "nodes: {a: {}}\n", "nodes: {a: {}, n1: {driver: amt}, n2: {address: \"::1\"}}\n" },
	{ "{nodes: {}}", "{nodes: {n1: {driver: amt}, n2: {address: \"::1\"}}}" },
	{ "{classes: {}}", "{classes: {}, nodes: {n1: {driver: amt}, n2: {address: \"::1\"}}}" },
	/* All or nothing. */
	{ "nodes:\n  n2: {driver: wol}\n", NULL },
};

static void test_several_at_once(void **state)
{
	struct pctl_value *nodes = pctl_value_new_map();
	struct pctl_error err = { 0 };

	(void)state;
	pctl_value_set(nodes, "n1", pctl_value_new_map());
	pctl_value_set_text(pctl_value_get(nodes, "n1"), "driver", "amt");
	pctl_value_set(nodes, "n2", pctl_value_new_map());
	pctl_value_set_text(pctl_value_get(nodes, "n2"), "address", "::1");
	for (size_t i = 0; i < sizeof(additions) / sizeof(additions[0]); i++) {
		const char *wanted = additions[i].after;

		test_write(path, additions[i].before, 0600);
		int r = pctl_inventory_edit_add_all(path, nodes, &err);
		assert_int_equal(r, wanted ? 0 : PCTL_E_CONFIG);
		PCTL_AUTO(free) char *after = test_read(path);
		assert_string_equal(after, wanted ? wanted : additions[i].before);
	}
	assert_non_null(strstr(err.text, "'n2' is already at "));
	pctl_value_free(nodes);
}

static void test_mode_and_link_stay(void **state)
{
	PCTL_AUTO(free) char *link = test_path(folder, "link.yaml");
	struct pctl_error err = { 0 };
	struct stat st;

	(void)state;
	test_write(path, "nodes: {}\n", 0604);
	if (geteuid() == 0)
		assert_int_equal(chown(path, 12, 34), 0);
	assert_int_equal(symlink("powerctl.yaml", link), 0);
	assert_int_equal(pctl_inventory_edit_credential(link, "c", "u", "secrets/c", &err), 0);
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0604);
	if (geteuid() == 0) {
		assert_int_equal(st.st_uid, 12);
		assert_int_equal(st.st_gid, 34);
		assert_int_equal(chown(path, 0, 0), 0);
	}
}

static void test_included_files(void **state)
{
	PCTL_AUTO(free) char *other = test_path(folder, "other.yaml");
	struct pctl_error err = { 0 };

	(void)state;
	test_write(path, "include: other.yaml\nclasses: {k: {}}\nnodes:\n  a: {}\n", 0600);
	test_write(other, "nodes:\n  n[1-2]: {class: k}\n  b: {}\n", 0600);
	assert_int_equal(pctl_inventory_edit_set(path, "b", "class", "k", &err), 0);
	assert_int_equal(pctl_inventory_edit_set(path, "n2", "x", "y", &err), 0);
	PCTL_AUTO(free) char *text = test_read(other);
	assert_string_equal(text, "nodes:\n  n[1-2]: {class: k}\n  b: {class: k}\n  n2: {x: y}\n");
	assert_int_equal(pctl_inventory_edit_remove(path, "b", &err), 0);
	free(text);
	text = test_read(other);
	assert_string_equal(text, "nodes:\n  n[1-2]: {class: k}\n  n2: {x: y}\n");
}

static void test_two_at_once_lose_nothing(void **state)
{
	enum { PROCESSES = 4, EACH = 12 };
	pid_t pids[PROCESSES];
	struct pctl_inventory *inv = NULL;
	struct pctl_problems *problems = pctl_problems_new();

	(void)state;
	test_write(path, "nodes: {}\n", 0600);
	for (int p = 0; p < PROCESSES; p++) {
		pids[p] = fork();
		assert_true(pids[p] >= 0);
		for (int i = 0; pids[p] == 0; i++) {
			struct pctl_error err;
			char name[32];

			(void)snprintf(name, sizeof(name), "p%dn%d", p, i);
			if (i == EACH || edit(ADD, name, "h", NULL, &err) < 0)
				_exit(i != EACH);
		}
	}
	for (int p = 0; p < PROCESSES; p++) {
		int status = -1;

		assert_int_equal(waitpid(pids[p], &status, 0), pids[p]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(pctl_inventory_load(path, &inv, problems), 0);
	assert_int_equal(pctl_inventory_count(inv), PROCESSES * EACH);
	pctl_inventory_free(inv);
	pctl_problems_free(problems);
}

/* Whether the folder holds a file that begins like a temporary one. */
static bool has_leftovers(void)
{
	PCTL_AUTO(free) char *command = test_path(folder, "powerctl.yaml.??????");
	PCTL_AUTO(free) char *script = pctl_xasprintf("ls %s >/dev/null 2>&1", command);
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		(void)execl("/bin/sh", "sh", "-c", script, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

static void test_full_disk(void **state)
{
	struct rlimit old, small;
	struct pctl_error err = { 0 };

	(void)state;
	test_write(path, "# a comment that is longer than the limit below\nnodes: {}\n", 0600);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 32;
	assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int r = edit(ADD, "n1", "h", NULL, &err);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, PCTL_E_INTERNAL);
	assert_non_null(strstr(err.text, "nothing was changed: File too large"));
	PCTL_AUTO(free) char *after = test_read(path);
	assert_string_equal(after, "# a comment that is longer than the limit below\nnodes: {}\n");
	assert_false(has_leftovers());
}

static void test_secrets_are_stored(void **state)
{
	struct pctl_secret *secret = pctl_secret_new("hunter2", 7);
	struct pctl_error err = { 0 };
	char *stored = NULL;
	struct stat st;

	(void)state;
	assert_int_equal(pctl_inventory_store_secret(path, "nucs", secret, &stored, &err), 0);
	PCTL_AUTO(free) char *wanted = test_path(folder, "secrets/nucs");
	PCTL_AUTO(free) char *text = test_read(wanted);
	assert_string_equal(stored, wanted);
	assert_string_equal(text, "hunter2");
	assert_int_equal(stat(wanted, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	free(stored);
	assert_int_equal(
		pctl_inventory_store_secret(path, "../x", secret, &stored, &err), PCTL_E_CONFIG);
	assert_int_equal(
		pctl_inventory_store_secret(path, "", secret, &stored, &err), PCTL_E_CONFIG);
	pctl_secret_free(secret);
}

static size_t count_files(const char *where)
{
	DIR *dir = opendir(where);
	size_t n = 0;

	assert_non_null(dir);
	for (const struct dirent *e = readdir(dir); e; e = readdir(dir))
		n += e->d_name[0] != '.';
	(void)closedir(dir);
	return n;
}

/* In the middle of the write, where else SIGKILL would have to be lucky. */
static void store_and_be_killed(const struct pctl_secret *secret)
{
	const struct rlimit none = { 0, 0 }, small = { 4, 4 };
	struct pctl_error err = { 0 };
	char *stored = NULL;

	(void)signal(SIGXFSZ, SIG_DFL);
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setrlimit(RLIMIT_FSIZE, &small);
	(void)pctl_inventory_store_secret(path, "killed", secret, &stored, &err);
	_exit(0);
}

/* Neither a first secret nor one that takes another's place leaves a part of it behind. */
static void test_killed(void **state)
{
	struct pctl_secret *secret = pctl_secret_new("hunter2", 7);
	PCTL_AUTO(free) char *file = test_path(folder, "secrets/killed");
	PCTL_AUTO(free) char *secrets = test_path(folder, "secrets");
	size_t before = count_files(secrets);
	int fd = open(secrets, O_TMPFILE | O_WRONLY, 0600);

	(void)state;
	if (fd < 0)
		skip(); /* the file system knows no files without a name */
	(void)close(fd);
	for (int there = 0; there < 2; there++) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0)
			store_and_be_killed(secret);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGXFSZ);
		assert_int_equal(count_files(secrets), before + (size_t)there);
		if (!there)
			test_write(file, "old", 0600);
	}
	PCTL_AUTO(free) char *text = test_read(file);
	assert_string_equal(text, "old");
	pctl_secret_free(secret);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_refusals_change_nothing),
		cmocka_unit_test(test_new_file),
		cmocka_unit_test(test_several_at_once),
		cmocka_unit_test(test_mode_and_link_stay),
		cmocka_unit_test(test_included_files),
		cmocka_unit_test(test_two_at_once_lose_nothing),
		cmocka_unit_test(test_full_disk),
		cmocka_unit_test(test_secrets_are_stored),
		cmocka_unit_test(test_killed),
	};

	return cmocka_run_group_tests_name("edit", tests, make_folder, remove_folder);
}
