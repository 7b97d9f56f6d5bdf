/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The credential breaker, over a thousand devices that take a login or refuse it. "Asked" counts
 * the logins that reached a device, which is what locks accounts.
 */
#include "run_help.h"

#include <sys/stat.h>

#include <powerctl/secret.h>

#include "node/breaker.h"

#define RIGHT "right-Pa55"
#define WRONG "wrong-Pa55"

struct lab {
	struct world world;
	size_t asked;
	const char *refusing; /* the one node that refuses whatever it gets; NULL: none */
	const char *silent;   /* the one that never answers */
	bool all_silent;      /* but for the broken ones */
	bool changed;         /* all have another password now */
	unsigned broken;      /* so many of the first that are asked talk nonsense */

	/* What came of the latest run. */
	size_t results, ok, refused, not_tried, other;
	char text[320], last[64];
	bool done;
};

static struct lab *lab; /* the one of a test */
static uint64_t now;

static uint64_t test_clock(void)
{
	return now;
}

/* --- A device. -------------------------------------------------------------------------------- */

static bool is(const char *wanted, const char *name)
{
	return wanted && strcmp(wanted, name) == 0;
}

static void fake_get(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	const struct pctl_device *device = dev;
	const struct pctl_secret *password = pctl_setting_secret(device, "password");
	const char *name = pctl_device_name(device);

	(void)flags;
	ret->state = PCTL_POWER_ON;
	lab->asked++;
	if (lab->asked <= lab->broken)
		pctl_op_fail(op, PCTL_E_PROTOCOL, "nonsense");
	else if (lab->all_silent || is(lab->silent, name))
		pctl_op_pending(op, ignore_abort, NULL);
	else if (lab->changed || is(lab->refusing, name) ||
		 (password && strcmp(pctl_secret_data(password), RIGHT) != 0))
		pctl_op_fail(op, PCTL_E_AUTH, "password refused");
	else
		pctl_op_done(op);
}

static const struct pctl_power_if fake_power = { .get = fake_get };

static const struct pctl_property fake_properties[] = {
	PCTL_PROPERTY(.name = "username", .type = PCTL_TYPE_TEXT),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET),
	{ 0 },
};

static const struct pctl_driver fake_driver = {
	.name = "fake",
	.properties = fake_properties,
	.open = open_itself,
	.close = close_nothing,
	.power = &fake_power,
};

/* --- A lab. ----------------------------------------------------------------------------------- */

static const char inventory[] =
	"credentials:\n"
	"  bmc: {username: root, password_env: TEST_PASSWORD}\n"
	"  other: {username: root, password_env: TEST_OTHER}\n"
	"nodes:\n"
	"  n[1-1000]: {driver: fake, credential: bmc}\n"
	"  o[1-100]: {driver: fake, credential: other}\n"
	"  p[1-100]: {driver: fake}\n"
	"  s1: {driver: fake, credential: bmc, timeouts: {read: 200ms}}\n"
	"  u[1-50]: {driver: fake, username: joe, password_env: TEST_OTHER}\n";

static int setup(void **state)
{
	lab = pctl_xcalloc(1, sizeof(*lab));
	(void)setenv("TEST_PASSWORD", WRONG, 1);
	(void)setenv("TEST_OTHER", RIGHT, 1);
	now = 1700000000;
	world_init(&lab->world, inventory);
	world_enter(&lab->world, &fake_driver);
	pctl_breaker_set_clock(lab->world.core->breaker, test_clock);
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	world_done(&lab->world);
	free(lab);
	*state = lab = NULL;
	return 0;
}

/* As the next command begins: nothing is left but what is on disk. */
static void next_command(void)
{
	const struct pctl_core_options options = { .plugin_dir = TEST_PLUGIN_DIR };

	world_close_core(&lab->world);
	lab->world.core = pctl_core_new(&lab->world.loop, &options);
	world_enter(&lab->world, &fake_driver);
	pctl_breaker_set_clock(lab->world.core->breaker, test_clock);
	lab->asked = 0;
}

static void on_result(void *data, const struct pctl_result *r)
{
	bool not_tried = strncmp(r->error.text, "not tried: ", 11) == 0;

	(void)data;
	lab->results++;
	(void)snprintf(lab->last, sizeof(lab->last), "%s", r->name);
	if (r->ok)
		lab->ok++;
	else if (r->error.code == PCTL_E_AUTH && not_tried)
		lab->not_tried++;
	else if (r->error.code == PCTL_E_AUTH)
		lab->refused++;
	else
		lab->other++;
	if (not_tried)
		(void)snprintf(lab->text, sizeof(lab->text), "%s", r->error.text);
}

static void on_done(void *data)
{
	bool *done = data;

	*done = true;
}

static struct pctl_run *start(const char *nodes, const struct pctl_request *request, bool *done)
{
	struct pctl_problems *problems = pctl_problems_new();
	const char *words[] = { nodes, NULL };
	const struct pctl_selection selection = { .words = words };
	struct pctl_run *run = NULL;
	size_t *indices = NULL, count = 0;

	assert_int_equal(
		pctl_inventory_select(lab->world.inventory, &selection, &indices, &count, problems),
		0);
	assert_int_equal(pctl_run_new(lab->world.core, lab->world.inventory, indices, count,
				 request, &run, problems),
		0);
	free(indices);
	pctl_problems_free(problems);
	*done = false;
	pctl_run_start(run,
		&(struct pctl_run_callbacks){ .result = on_result, .done = on_done, .data = done });
	return run;
}

static void clear(void)
{
	lab->results = lab->ok = lab->refused = lab->not_tried = lab->other = 0;
	lab->asked = 0;
	*lab->text = '\0';
}

static void status_with(const char *nodes, bool anyway, unsigned fanout)
{
	const struct pctl_request request = {
		.verb = PCTL_VERB_STATUS, .try_anyway = anyway, .fanout = fanout
	};

	clear();
	(void)start(nodes, &request, &lab->done);
	while (!lab->done)
		(void)uv_run(&lab->world.loop, UV_RUN_ONCE);
}

static void status(const char *nodes)
{
	status_with(nodes, false, 0);
}

static void came_out(size_t ok, size_t refused, size_t not_tried)
{
	assert_int_equal(lab->ok, ok);
	assert_int_equal(lab->refused, refused);
	assert_int_equal(lab->not_tried, not_tried);
}

/* Any three of the four: they are asked at the same time. */
static void names_three(const char *who, const char *prefix)
{
	static const char *const sets[] = { "[1-3]", "[2-4]", "[1-2,4]", "[1,3-4]" };
	char wanted[200];
	bool found = false;

	for (size_t i = 0; i < TEST_COUNT(sets); i++) {
		(void)snprintf(wanted, sizeof(wanted), "not tried: %s was refused by %s%s", who,
			prefix, sets[i]);
		found = found || strcmp(lab->text, wanted) == 0;
	}
	assert_true(found);
}

static void read_state(const char *name, char *buf, size_t size, size_t *ret_len)
{
	char path[400];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s/powerctl/%s", lab->world.dir, name);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	FILE *f = fopen(path, "re");
	assert_non_null(f);
	*ret_len = fread(buf, 1, size - 1, f);
	buf[*ret_len] = '\0';
	(void)fclose(f);
}

/* --- One command. ----------------------------------------------------------------------------- */

static void test_a_wrong_password_reaches_four_nodes(void **state)
{
	(void)state;
	status("n[1-1000]");
	assert_int_equal(lab->asked, 4);
	came_out(0, 4, 996);
	names_three("credential 'bmc'", "n");
}

static void test_one_at_a_time_it_reaches_three(void **state)
{
	(void)state;
	status_with("n[1-1000]", false, 1);
	assert_int_equal(lab->asked, 3);
	came_out(0, 3, 997);
}

static void test_a_right_password_reaches_all(void **state)
{
	(void)state;
	(void)setenv("TEST_PASSWORD", RIGHT, 1);
	status("n[1-1000]");
	came_out(1000, 0, 0);
	assert_int_equal(lab->asked, 1000);
}

static void test_one_odd_node_stops_nobody(void **state)
{
	(void)state;
	(void)setenv("TEST_PASSWORD", RIGHT, 1);
	lab->refusing = "n2";
	status("n[1-1000]");
	came_out(999, 1, 0);
	next_command();
	status("n[1-1000]");
	came_out(999, 0, 1); /* it is not asked again */
	assert_non_null(strstr(lab->text, "not tried: credential 'bmc' was refused here at "));
	assert_non_null(strstr(lab->text, "--try-anyway"));
}

static void test_a_slow_node_holds_up_nobody(void **state)
{
	(void)state;
	lab->silent = "s1";
	status("s1,n[1-500]");
	assert_int_equal(lab->asked, 4);
	came_out(0, 3, 497);
	assert_string_equal(lab->last, "s1");
	next_command();
	(void)setenv("TEST_PASSWORD", RIGHT, 1);
	next_command();
	status("s1,n[1-500]");
	came_out(500, 0, 0);
	assert_string_equal(lab->last, "s1");
}

static void test_four_nodes_start_at_once(void **state)
{
	(void)state;
	status("n[1-4]");
	assert_int_equal(lab->asked, 4);
	came_out(0, 4, 0);
}

static void test_nonsense_is_neither_yes_nor_no(void **state)
{
	(void)state;
	lab->broken = 4;
	status("n[1-1000]");
	assert_int_equal(lab->other, 4);
	assert_true(lab->asked <= 4 + 4 * PCTL_TRIAL_GROWTH + 4);
	assert_true(lab->refused >= 3);
	assert_int_equal(lab->results, 1000);
}

static void test_all_nonsense_ends(void **state)
{
	(void)state;
	lab->broken = 1000;
	status("n[1-1000]");
	assert_int_equal(lab->other, 1000);
	assert_int_equal(lab->asked, 1000);
}

static void test_logins_are_tried_apart(void **state)
{
	(void)state;
	status("n[1-500],o[1-100],p[1-100],u[1-50]");
	came_out(250, 4, 496);
	/* The same password under another name, or none, is a login of its own. */
	(void)setenv("TEST_OTHER", WRONG, 1);
	next_command();
	status("o[1-100],u[1-50]");
	came_out(0, 8, 142);
}

/* Turns the loop until *count is there; whoever waits in vain finds out by the numbers. */
static void turn_until(const size_t *count, size_t wanted)
{
	for (unsigned i = 0; i < 200000 && *count < wanted; i++)
		(void)uv_run(&lab->world.loop, UV_RUN_NOWAIT);
	for (unsigned i = 0; i < 10; i++)
		(void)uv_run(&lab->world.loop, UV_RUN_NOWAIT);
}

static void end_early(struct pctl_run *run)
{
	pctl_run_cancel(run);
	while (!lab->done)
		(void)uv_run(&lab->world.loop, UV_RUN_ONCE);
}

/* Each of the four lets eight more go: a dead rack does not cost a round for every four. */
static void test_the_trial_grows_and_can_be_interrupted(void **state)
{
	const struct pctl_request request = { .verb = PCTL_VERB_STATUS };

	(void)state;
	lab->broken = PCTL_TRIAL_NODES;
	lab->all_silent = true;
	struct pctl_run *run = start("n[1-1000]", &request, &lab->done);
	turn_until(&lab->asked, 40);
	assert_int_equal(lab->asked, 4 + 4 + 4 * PCTL_TRIAL_GROWTH);
	end_early(run);
	assert_int_equal(lab->results, 1000);
	assert_int_equal(lab->asked, 40);
}

static void test_others_know_before_the_command_ends(void **state)
{
	const struct pctl_request request = { .verb = PCTL_VERB_STATUS };
	char text[4096];
	size_t len = 0;

	(void)state;
	lab->silent = "s1";
	struct pctl_run *run = start("s1,n[1-10]", &request, &lab->done);
	turn_until(&lab->results, 10);
	assert_int_equal(lab->results, 10);
	read_state("refused_logins", text, sizeof(text), &len);
	assert_true(len > 0);
	end_early(run);
}

/* Two runs of one core share the trial. */
static void test_runs_at_the_same_time(void **state)
{
	const struct pctl_request request = { .verb = PCTL_VERB_STATUS };
	bool first = false, second = false;

	(void)state;
	(void)start("n[1-500]", &request, &first);
	(void)start("n[501-1000]", &request, &second);
	while (!first || !second)
		(void)uv_run(&lab->world.loop, UV_RUN_ONCE);
	assert_int_equal(lab->asked, 4);
	came_out(0, 4, 996);
}

static void test_nodes_of_urls(void **state)
{
	struct pctl_names *names = pctl_names_new();
	struct pctl_error err = { 0 };

	(void)state;
	(void)setenv("TEST_OTHER", WRONG, 1);
	assert_int_equal(pctl_inventory_add_url(lab->world.inventory,
				 "fake://joe@h[1-200]?password_env=TEST_OTHER", names, &err),
		0);
	pctl_names_free(names);
	status("h[1-200]");
	assert_int_equal(lab->asked, 4);
	names_three("user 'joe'", "h");
	next_command();
	status("h[1-200]");
	assert_int_equal(lab->asked, 0);
}

/* --- Across commands. ------------------------------------------------------------------------- */

static void test_it_is_remembered(void **state)
{
	(void)state;
	status("n[1-1000]");
	next_command();
	status("n[5-1000]");
	assert_int_equal(lab->asked, 0);
	came_out(0, 0, 996);
	assert_non_null(strstr(lab->text, "credential 'bmc' was refused by n[1-4] at "));
	assert_non_null(strstr(lab->text, "another password is tried at once"));
	next_command();
	status("n1");
	came_out(0, 0, 1);
}

static void test_it_is_forgotten_in_time(void **state)
{
	(void)state;
	status("n[1-1000]");
	now += PCTL_REFUSAL_S - 1;
	next_command();
	status("n[1-10]");
	assert_int_equal(lab->asked, 0);
	now += 1;
	next_command();
	status("n[1-10]");
	assert_int_equal(lab->asked, 4);
	now -= 100000; /* a clock that was wrong */
	next_command();
	status("n[1-10]");
	assert_int_equal(lab->asked, 4);
}

static void test_another_password_is_tried_at_once(void **state)
{
	(void)state;
	status("n[1-1000]");
	next_command();
	(void)setenv("TEST_PASSWORD", RIGHT, 1);
	status("n[1-1000]");
	came_out(1000, 0, 0);
}

static void test_try_anyway(void **state)
{
	(void)state;
	status("n[1-100]");
	next_command();
	status_with("n[1-100]", true, 0);
	assert_int_equal(lab->asked, 100);
	came_out(0, 100, 0);
	next_command();
	status("n[1-100]");
	assert_int_equal(lab->asked, 0);
}

/* The password was put right on the devices. */
static void test_what_took_it_is_asked_again(void **state)
{
	(void)state;
	(void)setenv("TEST_PASSWORD", RIGHT, 1);
	lab->refusing = "n1";
	status("n1");
	came_out(0, 1, 0);
	lab->refusing = NULL;
	next_command();
	status("n1");
	came_out(0, 0, 1);
	status_with("n1", true, 0);
	came_out(1, 0, 0);
	next_command();
	status("n1");
	came_out(1, 0, 0);
}

/* Three odd nodes, but others took it: that is remembered as well. */
static void test_taken_is_remembered_beside_refusals(void **state)
{
	(void)state;
	(void)setenv("TEST_PASSWORD", RIGHT, 1);
	for (unsigned i = 1; i <= 3; i++) {
		char name[16];

		(void)snprintf(name, sizeof(name), "n%u", i);
		lab->refusing = name;
		status(name);
		came_out(0, 1, 0);
		next_command();
		if (i == 2)
			status("n9");
		next_command();
	}
	lab->refusing = NULL;
	next_command();
	status("n[4-100]");
	came_out(97, 0, 0);
}

/* The password was changed between two commands: the first one's success says nothing. */
static void test_what_was_taken_before_opens_nothing(void **state)
{
	(void)state;
	(void)setenv("TEST_PASSWORD", RIGHT, 1);
	lab->refusing = "n1";
	status("n[1-100]");
	came_out(99, 1, 0);
	lab->refusing = NULL;
	lab->changed = true;
	now += 60;
	status("n[2-100]");
	came_out(0, 4, 95);
	next_command();
	status("n[11-100]");
	assert_int_equal(lab->asked, 0);
}

/* --- On disk. --------------------------------------------------------------------------------- */

static void test_the_file_is_small_and_tells_nothing(void **state)
{
	char text[4096];
	size_t len = 0, lines = 0;

	(void)state;
	status("n[1-1000]");
	read_state("refused_logins", text, sizeof(text), &len);
	assert_null(strstr(text, WRONG));
	assert_null(strstr(text, "root"));
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 4);
	read_state("login_salt", text, sizeof(text), &len);
	assert_int_equal(len, 32);
	now += PCTL_REFUSAL_S;
	next_command();
	status("n[11-14]");
	read_state("refused_logins", text, sizeof(text), &len);
	assert_non_null(strstr(text, "node=n11"));
	assert_null(strstr(text, "node=n1\n")); /* what is over is gone */
}

static void test_a_right_password_writes_nothing(void **state)
{
	char path[400];
	struct stat st;

	(void)state;
	(void)setenv("TEST_PASSWORD", RIGHT, 1);
	status("n[1-100]");
	(void)snprintf(path, sizeof(path), "%s/powerctl/refused_logins", lab->world.dir);
	assert_int_equal(stat(path, &st), -1);
}

/* A key that others could read, or that is damaged, is made anew: only the memory is lost. */
static void test_another_salt(void **state)
{
	char path[400];

	(void)state;
	status("n[1-100]");
	(void)snprintf(path, sizeof(path), "%s/powerctl/login_salt", lab->world.dir);
	assert_int_equal(chmod(path, 0644), 0);
	next_command();
	status("n[1-100]");
	assert_int_equal(lab->asked, 4);
	next_command();
	status("n[1-100]");
	assert_int_equal(lab->asked, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_wrong_password_reaches_four_nodes),
		TEST(test_one_at_a_time_it_reaches_three),
		TEST(test_a_right_password_reaches_all),
		TEST(test_one_odd_node_stops_nobody),
		TEST(test_a_slow_node_holds_up_nobody),
		TEST(test_four_nodes_start_at_once),
		TEST(test_nonsense_is_neither_yes_nor_no),
		TEST(test_all_nonsense_ends),
		TEST(test_logins_are_tried_apart),
		TEST(test_the_trial_grows_and_can_be_interrupted),
		TEST(test_others_know_before_the_command_ends),
		TEST(test_runs_at_the_same_time),
		TEST(test_nodes_of_urls),
		TEST(test_it_is_remembered),
		TEST(test_it_is_forgotten_in_time),
		TEST(test_another_password_is_tried_at_once),
		TEST(test_try_anyway),
		TEST(test_what_took_it_is_asked_again),
		TEST(test_taken_is_remembered_beside_refusals),
		TEST(test_what_was_taken_before_opens_nothing),
		TEST(test_the_file_is_small_and_tells_nothing),
		TEST(test_a_right_password_writes_nothing),
		TEST(test_another_salt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
