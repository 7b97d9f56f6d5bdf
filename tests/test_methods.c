/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver's methods, logs and sensors through the engine: what is checked before anything is sent,
 * what is sent again, what is remembered. The device follows a script of answers.
 */
#include "run_help.h"

#include <inttypes.h>
#include <unistd.h>

#include "engine/task.h"

enum answer { FINE, GONE, BUSY, LOST, REFUSED, HANG };

struct fake {
	enum answer script[8]; /* the last one goes on */
	size_t calls;
	struct calls asked; /* "log:- set:x ..." */
	const char *cursor;
	size_t events, sensors;
	bool no_list;
	bool locked; /* the lock's file was there at the latest call */
	uint64_t time_left;
};

struct play {
	struct world world;
	struct pctl_plugin *plugin;
	struct fake fake;
	struct outcome got;
};

static struct play *current;

/* --- The device. ------------------------------------------------------------------------------ */

static void note(const char *what, const char *arg)
{
	struct fake *f = &current->fake;
	char path[256], call[256];

	(void)snprintf(call, sizeof(call), "%s:%s", what, arg);
	calls_note(&f->asked, call);
	(void)snprintf(path, sizeof(path), "%s/powerctl/locks", current->world.dir);
	f->locked = access(path, F_OK) == 0;
}

static void answer(struct pctl_op *op)
{
	struct fake *f = &current->fake;
	enum answer a = f->script[f->calls];

	f->time_left = pctl_op_time_left(op);
	if (f->calls + 1 < TEST_COUNT(f->script))
		f->calls++;
	switch (a) {
	case GONE:
		pctl_op_fail(op, PCTL_E_UNREACHABLE, "no answer");
		break;
	case BUSY:
		answer_busy(op);
		break;
	case LOST:
		answer_lost(op);
		break;
	case REFUSED:
		answer_refused(op);
		break;
	case HANG:
		pctl_op_committed(op);
		pctl_op_pending(op, ignore_abort, NULL);
		break;
	case FINE:
		pctl_op_done(op);
		break;
	}
}

/* The same, of what changes the device. */
static void answer_change(struct pctl_op *op)
{
	const struct fake *f = &current->fake;

	if (f->script[f->calls] == FINE)
		pctl_op_committed(op);
	answer(op);
}

static struct pctl_value *list_of(size_t n)
{
	struct pctl_value *list = pctl_value_new_list();

	for (size_t i = 0; i < n; i++)
		pctl_value_add(list, pctl_value_new_map());
	return list;
}

static void read_log(void *dev, struct pctl_op *op, const char *after, struct pctl_value *ret)
{
	(void)dev;
	note("log", after ? after : "-");
	if (!current->fake.no_list)
		pctl_value_set(ret, "events", list_of(current->fake.events));
	pctl_value_set_text(ret, "cursor", current->fake.cursor);
	if (current->plugin->log.sources)
		help_leave_out(ret);
	answer(op);
}

static void clear_log(void *dev, struct pctl_op *op)
{
	(void)dev;
	note("clear", "-");
	answer(op);
}

static void read_sensors(void *dev, struct pctl_op *op, struct pctl_value *ret)
{
	(void)dev;
	note("sensors", "-");
	if (!current->fake.no_list)
		pctl_value_set(ret, "sensors", list_of(current->fake.sensors));
	answer(op);
}

static void run_get(
	void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	(void)dev, (void)args, (void)ret;
	note("get", "-");
	answer(op);
}

/* Says back what it was called with. */
static void run_set(
	void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	const char *text = pctl_argument_text(args, "text");
	char said[200];

	(void)dev;
	note("set", text);
	(void)snprintf(said, sizeof(said), "%s %d %" PRIu64 " %" PRIu64 " %d %s %d%d", text,
		pctl_argument_bool(args, "bit"), pctl_argument_uint(args, "number"),
		pctl_argument_duration(args, "wait"), pctl_argument_choice(args, "colour"),
		pctl_argument_text(args, "file") ? pctl_argument_text(args, "file") : "-",
		pctl_argument_given(args, "number"), pctl_argument_given(args, "file"));
	pctl_value_set_text(ret, "said", said);
	answer_change(op);
}

/* What is more than one word, or none that may be shown. */
static void run_lists(
	void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	const struct pctl_secret *secret = pctl_argument_secret(args, "password");
	struct pctl_buf said;

	(void)dev;
	note("lists", "-");
	pctl_buf_init(&said, 4096);
	pctl_buf_addf(&said, "%" PRIu64, pctl_argument_flags(args, "some"));
	for (size_t i = 0; i < pctl_argument_texts(args, "many"); i++)
		pctl_buf_addf(&said, " %s", pctl_argument_texts_at(args, "many", i));
	assert_null(pctl_argument_texts_at(args, "many", pctl_argument_texts(args, "many")));
	pctl_buf_addf(&said, " %s", secret ? pctl_secret_data(secret) : "-");
	pctl_value_set_text(ret, "said", said.data);
	pctl_buf_done(&said);
	answer(op);
}

static const char *const colours[] = { "red", "green", NULL };

static const struct pctl_property list_parameters[] = {
	PCTL_PROPERTY(.name = "some", .type = PCTL_TYPE_FLAGS, .choices = colours),
	PCTL_PROPERTY(.name = "many", .type = PCTL_TYPE_TEXTS),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET),
	{ 0 },
};

static const struct pctl_property parameters[] = {
	PCTL_PROPERTY(.name = "text", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_REQUIRED),
	PCTL_PROPERTY(.name = "bit", .type = PCTL_TYPE_BOOL, .default_text = "true"),
	PCTL_PROPERTY(.name = "number", .type = PCTL_TYPE_UINT, .max = 9, .default_text = "3"),
	PCTL_PROPERTY(.name = "wait", .type = PCTL_TYPE_DURATION, .default_text = "2s"),
	PCTL_PROPERTY(.name = "colour", .type = PCTL_TYPE_CHOICE, .choices = colours,
		.default_text = "green"),
	PCTL_PROPERTY(.name = "file", .type = PCTL_TYPE_FILE),
	{ 0 },
};

static const struct pctl_method methods[] = {
	{ .name = "get", .help = "h", .run = run_get },
	{ .name = "slow-get", .help = "h", .run = run_get, .limit_ms = 30000 },
	{ .name = "quick-get", .help = "h", .run = run_get, .limit_ms = 1 },
	{ .name = "set",
		.help = "h",
		.run = run_set,
		.parameters = parameters,
		.flags = PCTL_METHOD_CHANGES },
	{ .name = "set-again",
		.help = "h",
		.run = run_set,
		.parameters = parameters,
		.flags = PCTL_METHOD_CHANGES | PCTL_METHOD_REPEATABLE },
	{ .name = "crash", .help = "h", .run = run_get, .flags = PCTL_METHOD_DISRUPTS },
	{ .name = "lists",
		.help = "h",
		.run = run_lists,
		.parameters = list_parameters,
		.flags = PCTL_METHOD_CHANGES | PCTL_METHOD_READS_BARE },
	{ .name = "wipe",
		.help = "h",
		.run = run_get,
		.flags = PCTL_METHOD_CHANGES | PCTL_METHOD_CONFIRM },
	{ 0 },
};

static const struct pctl_driver fake_driver = {
	.name = "fake", .open = open_nothing, .close = close_nothing, .methods = methods
};
static const struct pctl_driver other_driver = {
	.name = "other", .open = open_nothing, .close = close_nothing
};

/* --- One request. ----------------------------------------------------------------------------- */

static int setup(void **state)
{
	struct play *w = pctl_xcalloc(1, sizeof(*w));

	world_init(&w->world,
		"nodes:\n"
		"  n1: {driver: fake, timeouts: {confirm: 20s, connect: 20ms, read: 3s}}\n"
		"  n2: {driver: fake}\n"
		"  o[1-2]: {driver: other}\n"
		"  p1: {driver: fake, protected: why}\n");
	w->plugin = world_enter(&w->world, &fake_driver);
	(void)world_enter(&w->world, &other_driver);
	w->plugin->log = (struct pctl_log_if){ .read = read_log, .clear = clear_log };
	w->plugin->driver.log = &w->plugin->log;
	w->plugin->sensors = (struct pctl_sensors_if){ .read = read_sensors };
	w->plugin->driver.sensors = &w->plugin->sensors;
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

static void play_on(struct play *w, const char *name, struct pctl_request request)
{
	w->fake.calls = 0;
	w->fake.asked.log[0] = '\0';
	outcome_of(&w->world, name, &request, &w->got);
}

static void play(struct play *w, struct pctl_request request)
{
	play_on(w, "n1", request);
}

/* A script shorter than its array ends well: FINE is 0. */
static void script(struct play *w, enum answer first, enum answer second)
{
	memset(w->fake.script, 0, sizeof(w->fake.script));
	w->fake.script[0] = first;
	w->fake.script[1] = second;
}

static void call(struct play *w, const char *method, const char *text)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "text", text);
	play(w, VERB(PCTL_VERB_METHOD, .driver = "fake", .method = method, .arguments = map));
	pctl_value_free(map);
}

static void says(const struct play *w, const char *word, const char *log)
{
	if (!w->got.result.ok)
		fail_msg("failed: %s (%s)", w->got.text, w->fake.asked.log);
	assert_string_equal(w->fake.asked.log, log);
	assert_string_equal(w->got.word, word);
}

static void succeeds(const struct play *w, const char *log)
{
	says(w, "ok", log);
}

static void fails(const struct play *w, int code, const char *log, const char *text)
{
	outcome_failed(&w->got, code, text);
	assert_string_equal(w->fake.asked.log, log);
}

/* How many events or sensors. */
static size_t listed(const struct play *w)
{
	const struct pctl_value *list = pctl_value_get(w->got.tree, "events");

	return pctl_value_count(list ? list : pctl_value_get(w->got.tree, "sensors"));
}

static const char *said(const struct play *w)
{
	return pctl_value_text(pctl_value_get(w->got.tree, "said"));
}

/* --- log. ------------------------------------------------------------------------------------- */

static void test_log(void **state)
{
	struct play *w = *state;

	w->fake.events = 2;
	play(w, VERB(PCTL_VERB_LOG));
	succeeds(w, "log:-");
	assert_int_equal(listed(w), 2);
	assert_string_equal(w->got.notes, "");
	assert_false(w->got.result.changed);
	assert_false(w->fake.locked);
	w->fake.events = 0;
	play(w, VERB(PCTL_VERB_LOG));
	assert_string_equal(w->got.notes, "no events");
	w->fake.no_list = true; /* a list is there all the same */
	play(w, VERB(PCTL_VERB_LOG));
	assert_non_null(w->got.tree);
	assert_string_equal(w->got.notes, "no events");
	assert_true(w->fake.time_left > 3000); /* a walk: as long as the verb, not as one answer */
	w->plugin->log.sources = help_sources;
	play(w, VERB(PCTL_VERB_LOG, .log_source = "audit"));
	fails(w, PCTL_E_FORBIDDEN, "log:-", "event readers may not see audits");
	play(w, VERB(PCTL_VERB_LOG, .log_source = "event"));
	succeeds(w, "log:-");
	assert_string_equal(w->got.notes, "no such events");
}

static void test_any_look_moves_the_mark(void **state)
{
	struct play *w = *state;

	w->fake.cursor = "a 1=%";
	w->fake.events = 1;
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:-"); /* never looked */
	assert_false(pctl_value_get(w->got.tree, "cursor") != NULL);
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:a 1=%");
	w->fake.cursor = "2";
	play(w, VERB(PCTL_VERB_LOG));
	succeeds(w, "log:-"); /* all of it, and it counts as looked at */
	w->fake.cursor = NULL;
	w->fake.events = 0;
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:2");
	assert_string_equal(w->got.notes, "no new events");
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:2"); /* nothing new leaves the mark */
	play_on(w, "n2", VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:-"); /* another device */
}

static void test_what_does_not_move_the_mark(void **state)
{
	char lengthy[300] = "";
	struct play *w = *state;

	w->fake.cursor = "1";
	play(w, VERB(PCTL_VERB_LOG, .dry_run = true));
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:-");
	w->fake.cursor = "2";
	script(w, REFUSED, REFUSED);
	play(w, VERB(PCTL_VERB_LOG));
	fails(w, PCTL_E_REFUSED, "log:-", "said no");
	script(w, FINE, FINE);
	memset(lengthy, 'x', 201);
	w->fake.cursor = lengthy;
	play(w, VERB(PCTL_VERB_LOG));
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:1");
	w->fake.cursor = lengthy + 1; /* 200 are kept */
	play(w, VERB(PCTL_VERB_LOG));
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	assert_int_equal(strlen(w->fake.asked.log), strlen("log:") + 200);
}

static void test_the_mark_is_kept(void **state)
{
	struct play *w = *state;

	w->fake.cursor = "1";
	play(w, VERB(PCTL_VERB_LOG));
	assert_int_equal(pctl_core_save(w->world.core, NULL), 0);
	w->fake.cursor = "2";
	play(w, VERB(PCTL_VERB_LOG));
	pctl_core_forget_looks(w->world.core); /* it could not be shown */
	assert_int_equal(pctl_core_save(w->world.core, NULL), 0);
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:1");
	pctl_core_forget_looks(w->world.core);
	pctl_store_put(w->world.core->looks, "fake:n1", "cursor", "from elsewhere");
	assert_int_equal(pctl_store_save(w->world.core->looks, NULL), 0);
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:from elsewhere");
}

static void test_log_clear(void **state)
{
	struct play *w = *state;

	w->fake.cursor = "1";
	play(w, VERB(PCTL_VERB_LOG));
	play(w, VERB(PCTL_VERB_LOG_CLEAR, .dry_run = true));
	succeeds(w, "");
	assert_string_equal(w->got.notes, "would empty its log");
	assert_false(w->got.result.changed);
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:1");
	play(w, VERB(PCTL_VERB_LOG_CLEAR));
	succeeds(w, "clear:-");
	assert_true(w->fake.locked);
	assert_true(w->got.result.changed);
	assert_string_equal(w->got.confirmed, "accepted");
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:-"); /* what the mark stood for is gone */

	script(w, LOST, FINE);
	play(w, VERB(PCTL_VERB_LOG_CLEAR));
	fails(w, PCTL_E_OUTCOME_UNKNOWN, "clear:-",
		"whether 'log --clear' was taken is not known (connection closed before an "
		"answer); it is not sent again");
	assert_true(w->got.result.changed);
	script(w, FINE, FINE);
	play(w, VERB(PCTL_VERB_LOG, .log_new = true));
	succeeds(w, "log:-");
	script(w, BUSY, FINE);
	play(w, VERB(PCTL_VERB_LOG_CLEAR));
	succeeds(w, "clear:- clear:-");
	script(w, REFUSED, FINE);
	play(w, VERB(PCTL_VERB_LOG_CLEAR));
	fails(w, PCTL_E_REFUSED, "clear:-", "said no");
	assert_false(w->got.result.changed);
	play_on(w, "p1", VERB(PCTL_VERB_LOG_CLEAR)); /* nothing that runs there suffers */
	fails(w, PCTL_E_REFUSED, "clear:-", "said no");
}

static void test_sensors(void **state)
{
	struct play *w = *state;

	w->fake.sensors = 3;
	play(w, VERB(PCTL_VERB_SENSORS));
	succeeds(w, "sensors:-");
	assert_int_equal(listed(w), 3);
	assert_true(w->fake.time_left > 3000);
	w->fake.no_list = true;
	script(w, GONE, FINE);
	play(w, VERB(PCTL_VERB_SENSORS));
	succeeds(w, "sensors:- sensors:-");
	assert_non_null(w->got.tree);
	assert_string_equal(w->got.notes, "no sensors");
}

static void test_what_a_driver_lacks(void **state)
{
	struct play *w = *state;

	play_on(w, "o1", VERB(PCTL_VERB_LOG));
	fails(w, PCTL_E_UNSUPPORTED, "", "driver other cannot read the device's log");
	play_on(w, "o1", VERB(PCTL_VERB_LOG_CLEAR));
	fails(w, PCTL_E_UNSUPPORTED, "", "driver other cannot empty the device's log");
	play_on(w, "o1", VERB(PCTL_VERB_SENSORS));
	fails(w, PCTL_E_UNSUPPORTED, "", "driver other cannot read sensors");
	w->plugin->log.clear = NULL;
	play(w, VERB(PCTL_VERB_LOG_CLEAR));
	fails(w, PCTL_E_UNSUPPORTED, "", "driver fake cannot empty the device's log");
}

/* --- Methods. --------------------------------------------------------------------------------- */

static void test_arguments_and_defaults(void **state)
{
	struct play *w = *state;
	struct pctl_value *map = pctl_value_new_map();

	call(w, "set", "hi");
	says(w, "changed", "set:hi");
	assert_string_equal(said(w), "hi 1 3 2000 1 - 00");
	pctl_value_set_text(map, "text", "");
	pctl_value_set_text(map, "bit", "off");
	pctl_value_set_text(map, "number", "9");
	pctl_value_set_text(map, "wait", "500ms");
	pctl_value_set_text(map, "colour", "red");
	pctl_value_set_text(map, "file", "/dev/null");
	play(w, VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "set", .arguments = map));
	pctl_value_free(map);
	says(w, "changed", "set:");
	assert_string_equal(said(w), " 0 9 500 0 /dev/null 11");
	call(w, "get", NULL);
	succeeds(w, "get:-");
	assert_null(w->got.tree); /* an empty answer is none */
}

/* Lists and secrets; and whoever says nothing changes nothing, so that no lock is held. */
static void test_lists_and_secrets(void **state)
{
	struct play *w = *state;
	struct pctl_value *map = pctl_value_new_map(), *some = pctl_value_new_list(),
			  *many = pctl_value_new_list();
	PCTL_AUTO(free) char *file = pctl_xasprintf("%s/secret", w->world.dir);
	FILE *f = fopen(file, "w");

	assert_non_null(f);
	(void)fputs("hush\n", f);
	assert_int_equal(fchmod(fileno(f), 0600), 0);
	(void)fclose(f);
	play(w, VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "lists"));
	succeeds(w, "lists:-");
	assert_string_equal(said(w), "0 -");
	assert_false(w->fake.locked);
	pctl_value_add(some, pctl_value_new_text("red"));
	pctl_value_add(some, pctl_value_new_text("green"));
	pctl_value_add(many, pctl_value_new_text("a=1"));
	pctl_value_add(many, pctl_value_new_text("b"));
	pctl_value_set(map, "some", some);
	pctl_value_set(map, "many", many);
	pctl_value_set_text(map, "password_file", file);
	play(w, VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "lists", .arguments = map));
	says(w, "is so already", "lists:-");
	assert_string_equal(said(w), "3 a=1 b hush");
	assert_true(w->fake.locked);
	play(w, VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "lists", .arguments = map,
			.dry_run = true));
	pctl_value_free(map);
	assert_non_null(
		strstr(w->got.notes, "some=red some=green many=a=1 many=b password_file=/"));
	assert_null(strstr(w->got.notes, "hush"));
}

static void test_no_secret_in_place(void **state)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_value *map = pctl_value_new_map();
	struct pctl_arguments *args = NULL;

	(void)state;
	pctl_value_set_text(map, "password", "hush");
	assert_int_equal(
		pctl_arguments_new(&fake_driver, "lists", map, &args, problems), PCTL_E_CONFIG);
	assert_int_equal(pctl_problems_count(problems), 1);
	assert_string_equal(pctl_problems_at(problems, 0),
		"password: a secret does not stand on a command line; password_file=FILE names a "
		"file that holds it, password_env=VARIABLE a variable");
	pctl_value_free(map);
	pctl_problems_free(problems);
}

static void refused(struct play *w, const char *method, const char *key, const char *value,
	const size_t *nodes, size_t count, const char *const *wanted)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_value *map = pctl_value_new_map();
	struct pctl_run *run = NULL;
	size_t n = 0;

	pctl_value_set_text(map, "text", "x");
	pctl_value_set_text(map, key, value);
	const struct pctl_request request =
		VERB(PCTL_VERB_METHOD, .driver = "fake", .method = method, .arguments = map);
	w->fake.asked.log[0] = '\0';
	assert_int_equal(pctl_run_new(w->world.core, w->world.inventory, nodes, count, &request,
				 &run, problems),
		PCTL_E_CONFIG);
	assert_null(run);
	assert_string_equal(w->fake.asked.log, "");
	for (; wanted[n]; n++)
		if (!pctl_problems_at(problems, n) ||
			strcmp(pctl_problems_at(problems, n), wanted[n]) != 0)
			fail_msg("'%s' is not '%s'", pctl_problems_at(problems, n), wanted[n]);
	assert_int_equal(pctl_problems_count(problems), n);
	pctl_problems_free(problems);
	pctl_value_free(map);
}

#define WANTED(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void test_mistakes_before_anything_is_sent(void **state)
{
	struct play *w = *state;
	const size_t one[] = { 0 }, mixed[] = { 2, 0, 3 };

	refused(w, "sett", "text", "x", one, 1,
		WANTED("driver fake has no method 'sett'; did you mean 'set'?"));
	refused(w, "nonsense", "text", "x", one, 1,
		WANTED("driver fake has no method 'nonsense'; `powerctl help fake` lists them"));
	refused(w, "set", "numbr", "1", one, 1,
		WANTED("fake set has no parameter 'numbr'; did you mean 'number'?"));
	refused(w, "set", "zzz", "1", one, 1,
		WANTED("fake set has no parameter 'zzz'; it has: text, bit, number, wait, colour, "
		       "file"));
	refused(w, "get", "driver", "1", one, 1, /* a setting of the core's is no parameter */
		WANTED("fake get has no parameter 'text', nor any other",
			"fake get has no parameter 'driver', nor any other"));
	refused(w, "set", "number", "10", one, 1,
		WANTED("fake set: number is not a number from 0 to 9: '10'"));
	refused(w, "set", "colour", "blue", one, 1,
		WANTED("fake set: colour cannot be 'blue'; it is one of: red, green"));
	refused(w, "set", "bit", "maybe", one, 1,
		WANTED("fake set: bit cannot be 'maybe'; it is one of: on, off, true, false"));
	refused(w, "set", "wait", "soon", mixed, 3,
		WANTED("fake set: wait is not a duration: 'soon'; write 500ms, 60s or 2m",
			"o[1-2]: driver other; `fake set` is for nodes of driver fake only"));
	refused(w, "set", "text", "x", mixed, 3,
		WANTED("o[1-2]: driver other; `fake set` is for nodes of driver fake only"));
}

static void test_a_missing_argument(void **state)
{
	struct play *w = *state;
	struct pctl_problems *problems = pctl_problems_new();
	const size_t node = 0;
	struct pctl_run *run = NULL;
	struct pctl_request request = VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "set");

	assert_int_equal(
		pctl_run_new(w->world.core, w->world.inventory, &node, 1, &request, &run, problems),
		PCTL_E_CONFIG);
	assert_string_equal(pctl_problems_at(problems, 0), "fake set: text is missing");
	request.driver = "nosuch";
	assert_int_equal(
		pctl_run_new(w->world.core, w->world.inventory, &node, 1, &request, &run, problems),
		PCTL_E_CONFIG);
	assert_non_null(strstr(pctl_problems_at(problems, 1), "there is no driver 'nosuch'"));
	pctl_problems_free(problems);
}

static unsigned flags_of(struct play *w, const char *method)
{
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_request request =
		VERB(PCTL_VERB_METHOD, .driver = "fake", .method = method);
	const size_t node = 0;
	struct pctl_run *run = NULL;

	assert_int_equal(
		pctl_run_new(w->world.core, w->world.inventory, &node, 1, &request, &run, problems),
		0);
	unsigned flags = pctl_run_flags(run);
	pctl_run_free(run);
	pctl_problems_free(problems);
	return flags;
}

static void test_flags_are_the_methods(void **state)
{
	struct play *w = *state;

	assert_int_equal(flags_of(w, "get"), 0);
	assert_int_equal(flags_of(w, "crash"), PCTL_VERB_CHANGES | PCTL_VERB_DISRUPTS);
	assert_int_equal(flags_of(w, "wipe"), PCTL_VERB_CHANGES | PCTL_VERB_CONFIRM);
	call(w, "get", NULL);
	assert_false(w->fake.locked);
	assert_false(w->got.result.changed);
	assert_string_equal(w->got.confirmed, "-");
	call(w, "set", "x");
	assert_true(w->fake.locked);
	assert_true(w->got.result.changed);
	assert_string_equal(w->got.confirmed, "accepted");
	play_on(w, "p1", VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "get"));
	succeeds(w, "get:-");
	play_on(w, "p1", VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "crash"));
	fails(w, PCTL_E_FORBIDDEN, "", "why");
	play_on(w, "p1",
		VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "crash",
			.override_protected = true));
	says(w, "is so already", "get:-");
}

static void test_dry_run_of_a_method(void **state)
{
	struct play *w = *state;
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "text", "x");
	pctl_value_set_text(map, "number", "4");
	play(w, VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "set", .arguments = map,
			.dry_run = true));
	pctl_value_free(map);
	succeeds(w, "");
	assert_string_equal(w->got.notes, "would send 'set text=x number=4'");
	assert_false(w->got.result.changed);
}

static void test_what_is_sent_again(void **state)
{
	struct play *w = *state;

	script(w, BUSY, FINE); /* nothing happened yet */
	call(w, "set", "x");
	says(w, "changed", "set:x set:x");
	assert_int_equal(w->got.result.attempts, 2);
	script(w, LOST, FINE);
	call(w, "set", "x");
	fails(w, PCTL_E_OUTCOME_UNKNOWN, "set:x",
		"whether 'set' was taken is not known (connection closed before an answer); it is "
		"not sent again");
	assert_true(w->got.result.changed);
	script(w, LOST, FINE);
	call(w, "set-again", "x");
	says(w, "changed", "set:x set:x");
	assert_true(w->got.result.changed);
	script(w, LOST, LOST);
	call(w, "set-again", "x");
	fails(w, PCTL_E_OUTCOME_UNKNOWN, "set:x set:x", "tried again: connection closed");
}

static void test_a_doubt_stays_until_it_went_well(void **state)
{
	struct play *w = *state;

	script(w, LOST, REFUSED);
	call(w, "set-again", "x");
	fails(w, PCTL_E_OUTCOME_UNKNOWN, "set:x set:x",
		"whether 'set-again' was taken is not known (connection closed before an answer); "
		"tried again: the device said no");
	assert_true(w->got.result.changed);
	script(w, REFUSED, FINE);
	call(w, "set-again", "x");
	fails(w, PCTL_E_REFUSED, "set:x", "the device said no");
	assert_false(w->got.result.changed);
}

static void test_limits(void **state)
{
	struct play *w = *state;

	call(w, "get", NULL);
	assert_true(w->fake.time_left <= 3000);
	call(w, "quick-get", NULL);
	assert_true(w->fake.time_left > 1); /* as long as a read */
	call(w, "slow-get", NULL);
	assert_true(w->fake.time_left > 3000 && w->fake.time_left <= 30000);
	play(w, VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "slow-get", .timeout_ms = 50));
	assert_true(w->fake.time_left <= 50);
}

static void test_the_end_of_patience_names_the_method(void **state)
{
	struct play *w = *state;
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "text", "x");
	script(w, HANG, FINE);
	play(w, VERB(PCTL_VERB_METHOD, .driver = "fake", .method = "set", .arguments = map,
			.timeout_ms = 5000, .deadline_ms = 40));
	fails(w, PCTL_E_OUTCOME_UNKNOWN, "set:x",
		"the command's time was over after 'set' was sent; whether it was taken is not "
		"known");
	pctl_value_free(map);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_log),
		TEST(test_any_look_moves_the_mark),
		TEST(test_what_does_not_move_the_mark),
		TEST(test_the_mark_is_kept),
		TEST(test_log_clear),
		TEST(test_sensors),
		TEST(test_what_a_driver_lacks),
		TEST(test_arguments_and_defaults),
		TEST(test_lists_and_secrets),
		TEST(test_no_secret_in_place),
		TEST(test_mistakes_before_anything_is_sent),
		TEST(test_a_missing_argument),
		TEST(test_flags_are_the_methods),
		TEST(test_dry_run_of_a_method),
		TEST(test_what_is_sent_again),
		TEST(test_a_doubt_stays_until_it_went_well),
		TEST(test_limits),
		TEST(test_the_end_of_patience_names_the_method),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
