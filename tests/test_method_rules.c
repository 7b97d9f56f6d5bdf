/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is refused of a method's arguments before anything is sent, what a dry run reads, and when
 * something counts as changed.
 */
#include "run_help.h"

#include "engine/task.h"

enum does { COMMITS, IS_SO, FAILS };

struct play {
	struct world world;
	struct outcome got;
	enum does does;
	unsigned checks, runs;
};

static struct play *current;

static void run_set(
	void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	(void)dev;
	current->runs++;
	pctl_value_set_text(ret, "at", pctl_argument_text(args, "at"));
	if (current->does == FAILS) {
		pctl_op_fail(op, PCTL_E_REFUSED, "no");
		return;
	}
	if (current->does == COMMITS && pctl_op_dry(op))
		pctl_op_would(op, "a change of %s", "colour");
	else if (current->does == COMMITS)
		pctl_op_committed(op);
	pctl_op_done(op);
}

static int check_set(const struct pctl_arguments *args, struct pctl_error *err)
{
	const char *at = pctl_argument_text(args, "at");

	current->checks++;
	if (at && strcmp(at, "noon") == 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "at: 'noon' is no time");
	return 0;
}

static const struct pctl_property parameters[] = {
	PCTL_PROPERTY(.name = "add", .type = PCTL_TYPE_TEXT, .wants = "password at",
		.excludes = "remove", .help = "a thing"),
	PCTL_PROPERTY(.name = "at", .type = PCTL_TYPE_TEXT, .needs = "add remove", .help = "when"),
	PCTL_PROPERTY(.name = "remove", .type = PCTL_TYPE_TEXT),
	PCTL_PROPERTY(.name = "speed", .type = PCTL_TYPE_TEXT, .needs = "add"),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET),
	PCTL_PROPERTY(.name = "file", .type = PCTL_TYPE_FILE),
	{ 0 },
};

static const struct pctl_method methods[] = {
	{ .name = "set",
		.help = "h",
		.run = run_set,
		.check = check_set,
		.parameters = parameters,
		.flags = PCTL_METHOD_CHANGES | PCTL_METHOD_DRY },
	{ 0 },
};

static const struct pctl_driver fake_driver = {
	.name = "fake", .open = open_nothing, .close = close_nothing, .methods = methods
};

static int setup(void **state)
{
	struct play *w = pctl_xcalloc(1, sizeof(*w));

	world_init(&w->world, "nodes:\n  n[1-3]: {driver: fake}\n");
	(void)world_enter(&w->world, &fake_driver);
	current = w;
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct play *w = *state;

	outcome_done(&w->got);
	world_done(&w->world);
	free(w);
	return 0;
}

/* --- Arguments. ------------------------------------------------------------------------------- */

struct word {
	const char *key, *value;
};
#define WORDS(...)  ((const struct word[]){ __VA_ARGS__, { NULL, NULL } })
#define WANTED(...) ((const char *const[]){ __VA_ARGS__, NULL })

static struct pctl_value *map_of(const struct word *words)
{
	struct pctl_value *map = pctl_value_new_map();

	for (; words->key; words++)
		pctl_value_set_text(map, words->key, words->value);
	return map;
}

/* Of three nodes at once, and each mistake is told once. */
static void refused(struct play *w, const struct word *words, const char *const *wanted)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_value *map = map_of(words);
	const struct pctl_request request = {
		.verb = PCTL_VERB_METHOD, .driver = "fake", .method = "set", .arguments = map
	};
	const size_t nodes[] = { 0, 1, 2 };
	struct pctl_run *run = NULL;
	size_t n = 0;

	assert_int_equal(
		pctl_run_new(w->world.core, w->world.inventory, nodes, 3, &request, &run, problems),
		PCTL_E_CONFIG);
	for (; wanted[n]; n++)
		assert_string_equal(pctl_problems_at(problems, n), wanted[n]);
	assert_int_equal(pctl_problems_count(problems), n);
	assert_int_equal(w->runs, 0);
	pctl_problems_free(problems);
	pctl_value_free(map);
}

static void test_what_goes_together(void **state)
{
	struct play *w = *state;

	refused(w, WORDS({ "speed", "9" }), WANTED("fake set: speed has no effect without add"));
	refused(w, WORDS({ "at", "x" }),
		WANTED("fake set: at has no effect without add or remove"));
	refused(w, WORDS({ "add", "x" }),
		WANTED("fake set: password_file is missing, which goes with add",
			"fake set: at is missing, which goes with add: when"));
	refused(w, WORDS({ "add", "x" }, { "at", "x" }, { "remove", "y" }),
		WANTED("fake set: password_file is missing, which goes with add",
			"fake set: add and remove: one of them at a time"));
	assert_int_equal(w->checks, 0);
}

static void test_values_are_checked_once(void **state)
{
	struct play *w = *state;

	refused(w, WORDS({ "remove", "x" }, { "at", "noon" }),
		WANTED("fake set: at: 'noon' is no time"));
	assert_int_equal(w->checks, 1);
	refused(w, WORDS({ "file", "/nonexistent/x" }),
		WANTED("fake set: file: /nonexistent/x: No such file or directory"));
	refused(w, WORDS({ "file", "/" }), WANTED("fake set: file: /: Is a directory"));
}

/* --- What came of it. ------------------------------------------------------------------------- */

static void call(struct play *w, enum does does, bool dry)
{
	struct pctl_value *map = map_of(WORDS({ "remove", "x" }));
	const struct pctl_request request = { .verb = PCTL_VERB_METHOD,
		.driver = "fake",
		.method = "set",
		.arguments = map,
		.dry_run = dry };

	w->does = does;
	outcome_of(&w->world, "n1", &request, &w->got);
	pctl_value_free(map);
}

static void test_what_counts_as_changed(void **state)
{
	struct play *w = *state;

	call(w, COMMITS, false);
	assert_string_equal(w->got.word, "changed");
	assert_string_equal(w->got.confirmed, "accepted");
	assert_true(w->got.result.changed);
	call(w, IS_SO, false);
	assert_string_equal(w->got.word, "is so already");
	assert_string_equal(w->got.confirmed, "-");
	assert_false(w->got.result.changed);
}

static void test_a_dry_run_reads(void **state)
{
	struct play *w = *state;

	call(w, COMMITS, true);
	assert_int_equal(w->runs, 1);
	assert_string_equal(w->got.notes, "would send 'set remove=x': first a change of colour");
	assert_string_equal(w->got.word, "ok");
	assert_false(w->got.result.changed);
	assert_null(w->got.tree);
	call(w, IS_SO, true);
	assert_string_equal(w->got.notes, "is so already: 'set remove=x' would send nothing");
	call(w, FAILS, true);
	outcome_failed(&w->got, PCTL_E_REFUSED, "no");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_what_goes_together),
		TEST(test_values_are_checked_once),
		TEST(test_what_counts_as_changed),
		TEST(test_a_dry_run_reads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
