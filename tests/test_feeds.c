/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes that several things power, and nodes that stand in others: what is sent to whom and in
 * which order, and what is said of it. A management processor whose outlets are all off is silent.
 */
#include "world.h"

#include <sys/wait.h>
#include <unistd.h>

#include <powerctl/secret.h>

#include "engine/turns.h"
#include "inventory/inventory.h"

#define MACHINES  24u
#define OP_TURNS  3u
#define LOG_SIZE  2000u
#define RIGHT     "right-Pa55"
#define NODES_MAX 24u

static const char inventory[] =
	"defaults: {timeouts: {poll: 1ms, outage: 1ms, return: 20s, verify: 5ms}}\n"
	"credentials:\n"
	"  strip: {password_env: FEEDS_PASSWORD}\n"
	"classes:\n"
	"  m: {driver: bmc}\n"
	"nodes:\n"
	"  n: {class: m, address: b, power: [bmc, {driver: strip, address: s, outlet: 1},"
	" {driver: strip, address: s, outlet: 2}]}\n"
	"  two: {power: [{driver: strip, address: s, outlet: 1},"
	" {driver: strip, address: s, outlet: 2}]}\n"
	"  owt: {power: [{driver: strip, address: s, outlet: 2},"
	" {driver: strip, address: s, outlet: 1}]}\n"
	"  one: {class: m, address: c, power: {driver: strip, address: s, outlet: 1}}\n"
	"  w: {power: [{driver: strip, address: w, outlet: 1, credential: strip},"
	" {driver: strip, address: w, outlet: 2, credential: strip}]}\n"
	"  l[1-6]: {power: [{driver: strip, address: q, outlet: \"[1-6]\"},"
	" {driver: strip, address: r, outlet: \"[1-6]\"}]}\n"
	"  ch: {class: m, address: ch}\n"
	"  k[1-2]: {class: m, address: \"k[1-2]\", parent: ch}\n"
	"  k3: {class: m, address: k3, parent: ch, maintenance: gone}\n"
	"groups: {all-l: \"l[1-6]\"}\n"
	"limits: {all-l: {max_at_once: 1}}\n";

/* --- Machines. -------------------------------------------------------------------------------- */

enum fault { NONE, DEAD, REFUSES, WRONG_LOGIN, LOSES, HANGS };

struct machine {
	char key[40];
	enum pctl_power_state state;
	enum fault fault;
	bool claims_on; /* whatever happens */
	bool can_ac;
	unsigned silent; /* so many reads after its power came back */
	bool was_dark;
	struct pctl_op *op;
	struct pctl_power *ret;
	int action; /* -1: a read */
	unsigned turns;
};

struct told {
	char name[16], word[16], text[400], note[400], confirmed[16];
	bool ok, known, changed;
	int code;
	enum pctl_power_state state;
	size_t feeds;
	struct pctl_feed_result feed[8];
};

static struct lab {
	struct world world;
	struct pctl_plugin *strip, *bmc;
	uv_idle_t ticker;
	struct machine machines[MACHINES];
	size_t machine_n, going, logins;
	char log[LOG_SIZE]; /* "b:off s/1:off ": acts, as they were taken */
	struct told told[NODES_MAX];
	size_t told_n;
	bool done;
	struct pctl_run *run;
	const char *cancel_at; /* when this stands in the log */
	bool wrong;            /* two ops of one machine at once */
} * lab;

static struct machine *machine(const char *key)
{
	for (size_t i = 0; i < lab->machine_n; i++)
		if (strcmp(lab->machines[i].key, key) == 0)
			return &lab->machines[i];
	assert_true(lab->machine_n < MACHINES);
	struct machine *m = &lab->machines[lab->machine_n++];
	*m = (struct machine){ .state = PCTL_POWER_ON };
	(void)snprintf(m->key, sizeof(m->key), "%s", key);
	return m;
}

/* "strip:s/1" is known as "s/1", "bmc:b" as "b". */
static struct machine *machine_of(const struct pctl_device *device)
{
	return machine(strchr(device->target->machine, ':') + 1);
}

static bool is_dark(const struct machine *m)
{
	return strcmp(m->key, "b") == 0 && machine("s/1")->state == PCTL_POWER_OFF &&
	       machine("s/2")->state == PCTL_POWER_OFF;
}

/* It comes back as off. */
static void lose_power(struct machine *m)
{
	if (!is_dark(m))
		return;
	m->was_dark = true;
	m->state = PCTL_POWER_OFF;
}

static void fail_silent(struct pctl_op *op)
{
	struct pctl_error err = { 0 };

	pctl_error_set(&err, PCTL_E_UNREACHABLE, "nobody is there");
	pctl_error_flag(&err, PCTL_ERROR_NOT_LISTENING);
	pctl_op_fail_error(op, &err);
}

static void act(struct machine *m, struct pctl_op *op)
{
	size_t len = strlen(lab->log);
	enum pctl_action action = (enum pctl_action)m->action;

	(void)snprintf(
		lab->log + len, sizeof(lab->log) - len, "%s:%s ", m->key, pctl_action_name(action));
	pctl_op_committed(op);
	if (m->fault == LOSES) {
		fail_silent(op);
		return;
	}
	if (action == PCTL_ACTION_OFF || action == PCTL_ACTION_SOFT_OFF)
		m->state = PCTL_POWER_OFF;
	else
		m->state = PCTL_POWER_ON;
	lose_power(machine("b"));
	pctl_op_done(op);
}

static void end_op(struct machine *m)
{
	struct pctl_op *op = m->op;

	m->op = NULL;
	if (--lab->going == 0)
		(void)uv_idle_stop(&lab->ticker);
	lose_power(m);
	if (m->fault == DEAD || is_dark(m) || (m->was_dark && m->silent && m->silent--)) {
		fail_silent(op);
	} else if (m->fault == WRONG_LOGIN) {
		pctl_op_fail(op, PCTL_E_AUTH, "password refused");
	} else if (m->action < 0) {
		m->ret->state = m->claims_on ? PCTL_POWER_ON : m->state;
		pctl_op_done(op);
	} else if (m->fault == REFUSES) {
		pctl_op_committed(op);
		pctl_op_fail(op, PCTL_E_REFUSED, "the relay is stuck");
	} else {
		act(m, op);
	}
}

static void on_tick(uv_idle_t *ticker)
{
	(void)ticker;
	for (size_t i = 0; i < lab->machine_n; i++)
		if (lab->machines[i].op && lab->machines[i].turns && --lab->machines[i].turns == 0)
			end_op(&lab->machines[i]);
	if (lab->cancel_at && strstr(lab->log, lab->cancel_at)) {
		lab->cancel_at = NULL;
		pctl_run_cancel(lab->run);
	}
}

static void abort_op(struct pctl_op *op, void *work)
{
	struct machine *m = work;

	(void)op;
	m->op = NULL;
	if (--lab->going == 0)
		(void)uv_idle_stop(&lab->ticker);
}

static void begin_op(void *dev, struct pctl_op *op, struct pctl_power *ret, int action)
{
	struct machine *m = dev;

	lab->wrong |= m->op != NULL;
	m->op = op;
	m->ret = ret;
	m->action = action;
	m->turns = m->fault == HANGS && action >= 0 ? 0 : OP_TURNS;
	if (!m->turns)
		pctl_op_committed(op);
	pctl_op_pending(op, abort_op, m);
	lab->going++;
	(void)uv_idle_start(&lab->ticker, on_tick);
}

static void fake_get(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	(void)flags;
	begin_op(dev, op, ret, -1);
}

static void fake_act(void *dev, struct pctl_op *op, enum pctl_action action)
{
	begin_op(dev, op, NULL, (int)action);
}

static int fake_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	const struct pctl_secret *password = pctl_setting_secret(device, "password");
	struct machine *m = machine_of(device);

	(void)ctx, (void)err;
	if (password && strcmp(pctl_secret_data(password), RIGHT) != 0) {
		lab->logins++;
		m->fault = WRONG_LOGIN;
	}
	*ret_dev = m;
	return 0;
}

static void fake_close(void *dev, pctl_closed_fn *closed, void *data)
{
	(void)dev;
	closed(data);
}

static const struct pctl_power_if power = {
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_COUNT) - 1, .get = fake_get, .act = fake_act
};
static const struct pctl_power_if outlets = { .actions = PCTL_ACTION_BIT(PCTL_ACTION_ON) |
							 PCTL_ACTION_BIT(PCTL_ACTION_OFF),
	.get = fake_get,
	.act = fake_act };

static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET),
	PCTL_PROPERTY(.name = "outlet", .type = PCTL_TYPE_UINT, .flags = PCTL_PROPERTY_UNIT),
	{ 0 },
};

static const struct pctl_driver strip_driver = {
	.name = "strip",
	.properties = properties,
	.open = fake_open,
	.close = fake_close,
	.power = &outlets,
	.max_in_flight = 1,
	.flags = PCTL_DRIVER_REPEATS,
};
static const struct pctl_driver bmc_driver = {
	.name = "bmc",
	.properties = properties,
	.open = fake_open,
	.close = fake_close,
	.power = &power,
	.max_in_flight = 1,
	.flags = PCTL_DRIVER_REPEATS,
};

/* --- A lab. ----------------------------------------------------------------------------------- */

static int setup(void **state)
{
	lab = pctl_xcalloc(1, sizeof(*lab));
	(void)setenv("FEEDS_PASSWORD", RIGHT, 1);
	world_init(&lab->world, inventory);
	lab->strip = world_enter(&lab->world, &strip_driver);
	lab->bmc = world_enter(&lab->world, &bmc_driver);
	(void)uv_idle_init(&lab->world.loop, &lab->ticker);
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	uv_close((uv_handle_t *)&lab->ticker, NULL);
	world_done(&lab->world);
	free(lab);
	*state = lab = NULL;
	return 0;
}

static void on_result(void *data, const struct pctl_result *r)
{
	struct told *told = &lab->told[lab->told_n++];

	(void)data;
	assert_true(lab->told_n < NODES_MAX);
	*told = (struct told){ .ok = r->ok,
		.known = r->state_known,
		.changed = r->changed,
		.code = r->error.code,
		.state = r->state,
		.feeds = r->feed_count };
	(void)snprintf(told->name, sizeof(told->name), "%s", r->name);
	(void)snprintf(told->word, sizeof(told->word), "%s", r->word);
	(void)snprintf(told->text, sizeof(told->text), "%s", r->error.text);
	(void)snprintf(told->note, sizeof(told->note), "%s", r->note ? r->note : "");
	(void)snprintf(
		told->confirmed, sizeof(told->confirmed), "%s", r->confirmed ? r->confirmed : "-");
	for (size_t i = 0; i < r->feed_count && i < 8; i++)
		told->feed[i] = r->feeds[i];
}

static void on_done(void *data)
{
	(void)data;
	lab->done = true;
}

#define VERB(...) ((struct pctl_request){ .verb = __VA_ARGS__ })

static const struct told *run_all(const char *words, struct pctl_request request)
{
	const char *list[] = { words, NULL };
	const struct pctl_selection chosen = { .words = list };
	const struct pctl_run_callbacks callbacks = { .result = on_result, .done = on_done };
	struct pctl_problems *problems = pctl_problems_new();
	size_t *nodes = NULL, n = 0;

	lab->told_n = 0;
	lab->log[0] = '\0';
	lab->done = false;
	assert_int_equal(
		pctl_inventory_select(lab->world.inventory, &chosen, &nodes, &n, problems), 0);
	assert_int_equal(pctl_run_new(lab->world.core, lab->world.inventory, nodes, n, &request,
				 &lab->run, problems),
		0);
	free(nodes);
	pctl_problems_free(problems);
	pctl_run_start(lab->run, &callbacks);
	assert_int_equal(uv_run(&lab->world.loop, UV_RUN_DEFAULT), 0);
	assert_true(lab->done);
	assert_int_equal(lab->going, 0);
	assert_int_equal(lab->told_n, n);
	assert_false(lab->wrong);
	return &lab->told[0];
}

static void put(enum pctl_power_state b, enum pctl_power_state s1, enum pctl_power_state s2)
{
	machine("b")->state = b;
	machine("s/1")->state = s1;
	machine("s/2")->state = s2;
	machine("b")->was_dark = false;
}

static void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' does not say '%s'", text, part);
}

static void succeeds(const struct told *told, const char *word, const char *log)
{
	if (!told->ok)
		fail_msg("%s: %s", told->name, told->text);
	assert_string_equal(told->word, word);
	assert_string_equal(lab->log, log);
}

static void fails(const struct told *told, int code, const char *log, const char *text)
{
	assert_false(told->ok);
	assert_string_equal(lab->log, log);
	has(told->text, text);
	assert_string_equal(pctl_error_name(told->code), pctl_error_name(code));
}

#define ON    PCTL_POWER_ON
#define OFF   PCTL_POWER_OFF
#define SLEEP PCTL_POWER_SLEEP

/* --- status. ---------------------------------------------------------------------------------- */

static void test_status(void **state)
{
	static const struct {
		enum pctl_power_state b, s1, s2;
		enum fault fb, f2;
		bool ok;
		const char *word, *text;
	} rows[] = {
		{ ON, ON, ON, NONE, NONE, true, "on", "" },
		{ SLEEP, ON, ON, NONE, NONE, true, "sleep", "" },
		{ ON, OFF, OFF, NONE, NONE, true, "off", "" }, /* it is silent then */
		{ OFF, ON, ON, NONE, NONE, false, "unknown",
			"bmc is off; strip 1 and strip 2 are on" },
		{ ON, ON, OFF, NONE, NONE, false, "unknown",
			"strip 2 is off; bmc and strip 1 are on" },
		{ ON, ON, ON, DEAD, NONE, false, "unknown",
			"bmc: nobody is there; strip 1 and strip 2 are on" },
		{ ON, OFF, ON, DEAD, NONE, false, "unknown", "strip 1 is off; strip 2 is on" },
		{ ON, OFF, OFF, NONE, DEAD, false, "unknown",
			"bmc and strip 2: nobody is there; strip 1 is off" },
		{ ON, ON, ON, NONE, DEAD, false, "unknown",
			"strip 2: nobody is there; bmc and strip 1 are on" },
		{ SLEEP, ON, OFF, NONE, NONE, false, "unknown", "bmc is sleep" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		put(rows[i].b, rows[i].s1, rows[i].s2);
		machine("b")->fault = rows[i].fb;
		machine("s/2")->fault = rows[i].f2;
		const struct told *told = run_all("n", VERB(PCTL_VERB_STATUS));
		assert_string_equal(told->word, rows[i].word);
		assert_int_equal(told->ok, rows[i].ok);
		assert_int_equal(told->known, rows[i].ok);
		has(told->text, rows[i].text);
		assert_int_equal(told->feeds, 3);
		assert_string_equal(lab->log, "");
	}
}

/* What answers has power: a wrong password is no silence. */
static void test_an_answer_is_not_silence(void **state)
{
	(void)state;
	put(ON, OFF, ON);
	machine("b")->fault = WRONG_LOGIN;
	machine("s/2")->state = ON;
	assert_false(run_all("n", VERB(PCTL_VERB_STATUS))->ok);
	machine("s/2")->claims_on = false;
	machine("s/1")->state = OFF;
	assert_int_equal(lab->told[0].code, PCTL_E_AUTH);
}

static void test_feeds_are_told(void **state)
{
	(void)state;
	put(ON, ON, OFF);
	machine("b")->fault = DEAD;
	const struct told *told = run_all("n", VERB(PCTL_VERB_STATUS));
	assert_string_equal(told->feed[0].feed, "bmc");
	assert_string_equal(told->feed[0].driver, "bmc");
	assert_false(told->feed[0].ok);
	assert_false(told->feed[0].state_known);
	assert_int_equal(told->feed[0].error.code, PCTL_E_UNREACHABLE);
	assert_string_equal(told->feed[2].feed, "strip 2");
	assert_true(told->feed[2].ok);
	assert_int_equal(told->feed[2].state, OFF);
	assert_int_equal(run_all("one", VERB(PCTL_VERB_STATUS))->feeds, 0);
}

/* --- off. ------------------------------------------------------------------------------------- */

static void test_off(void **state)
{
	(void)state;
	put(ON, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "b:off s/1:off s/2:off ");
	assert_string_equal(lab->told[0].confirmed, "seen");
	assert_true(lab->told[0].changed);
	succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "");
	assert_false(lab->told[0].changed);
	put(OFF, ON, OFF);
	succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "s/1:off ");
	put(ON, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_OFF, .soft = true)), "off",
		"b:soft_off s/1:off s/2:off ");
	put(ON, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_OFF, .dry_run = true)), "ok", "");
	has(lab->told[0].note, "would send 'off' to bmc, strip 1 and strip 2");
}

/* Hard is hard: a management processor that is silent, refuses or knows us not keeps no power. */
static void test_off_without_the_processors_help(void **state)
{
	static const enum fault faults[] = { DEAD, REFUSES, WRONG_LOGIN };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		put(ON, ON, ON);
		machine("b")->fault = faults[i];
		if (faults[i] == WRONG_LOGIN) {
			/* It would be silent without power. */
			succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "s/1:off s/2:off ");
			break;
		}
		succeeds(run_all("n", VERB(PCTL_VERB_OFF)), "off", "s/1:off s/2:off ");
		has(lab->told[0].note, "all outlets that feed it are off");
	}
	put(ON, ON, ON);
	machine("b")->fault = REFUSES;
	fails(run_all("n", VERB(PCTL_VERB_OFF, .soft = true)), PCTL_E_REFUSED, "",
		"bmc: the relay is stuck");
}

static void test_off_is_not_half_off(void **state)
{
	(void)state;
	put(ON, ON, ON);
	machine("s/2")->fault = REFUSES;
	fails(run_all("n", VERB(PCTL_VERB_OFF)), PCTL_E_REFUSED, "b:off s/1:off ",
		"strip 2: the relay is stuck; bmc and strip 1 are off; strip 2 is on");
	assert_false(lab->told[0].known);
	machine("s/2")->fault = DEAD;
	put(ON, ON, ON);
	fails(run_all("n", VERB(PCTL_VERB_OFF)), PCTL_E_UNREACHABLE, "b:off s/1:off ",
		"strip 2: nobody is there; bmc and strip 1 are off");
	/* All outlets say off, and the machine says on: it has another feed. */
	machine("s/2")->fault = NONE;
	put(ON, ON, ON);
	machine("s/1")->claims_on = true;
	fails(run_all("n", VERB(PCTL_VERB_OFF, .timeout_ms = 300)), PCTL_E_TIMEOUT,
		"b:off s/1:off s/2:off ", "strip 1: ");
}

/* --- on. -------------------------------------------------------------------------------------- */

static void test_on(void **state)
{
	(void)state;
	put(OFF, OFF, OFF);
	machine("b")->silent = 3;
	succeeds(run_all("n", VERB(PCTL_VERB_ON)), "on", "s/1:on s/2:on b:on ");
	succeeds(run_all("n", VERB(PCTL_VERB_ON)), "on", "");
	put(OFF, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_ON)), "on", "b:on ");
	put(OFF, ON, OFF);
	succeeds(run_all("n", VERB(PCTL_VERB_ON, .dry_run = true)), "ok", "");
	has(lab->told[0].note, "would send 'on' to bmc and strip 2");
}

static void test_on_sends_nothing_in_vain(void **state)
{
	(void)state;
	put(OFF, OFF, OFF);
	machine("s/2")->fault = DEAD;
	fails(run_all("n", VERB(PCTL_VERB_ON)), PCTL_E_UNREACHABLE, "", "nothing was sent");
	machine("s/2")->fault = NONE;
	put(OFF, ON, ON);
	machine("b")->fault = DEAD;
	fails(run_all("n", VERB(PCTL_VERB_ON)), PCTL_E_UNREACHABLE, "",
		"nothing was sent; bmc: nobody is there; strip 1 and strip 2 are on");
	machine("b")->fault = NONE;
	put(OFF, OFF, OFF);
	machine("s/1")->fault = REFUSES;
	fails(run_all("n", VERB(PCTL_VERB_ON)), PCTL_E_REFUSED, "s/2:on ",
		"strip 1: the relay is stuck");
}

static void test_a_processor_that_does_not_return(void **state)
{
	(void)state;
	put(OFF, OFF, OFF);
	machine("b")->fault = DEAD;
	fails(run_all("n", VERB(PCTL_VERB_ON, .timeout_ms = 200)), PCTL_E_UNREACHABLE,
		"s/1:on s/2:on ", "bmc: nobody is there; strip 1 and strip 2 are on");
}

/* --- Restarts. -------------------------------------------------------------------------------- */

static void test_outlets_go_dark_together(void **state)
{
	static const enum pctl_verb verbs[] = { PCTL_VERB_REBOOT, PCTL_VERB_CYCLE,
		PCTL_VERB_AC_CYCLE };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		put(ON, ON, ON);
		succeeds(run_all("two", VERB(verbs[i])), "on", "s/1:off s/2:off s/1:on s/2:on ");
		assert_string_equal(lab->told[0].confirmed, "seen");
	}
	put(ON, OFF, OFF);
	succeeds(run_all("two", VERB(PCTL_VERB_REBOOT)), "on", "s/1:on s/2:on ");
	put(ON, OFF, OFF);
	fails(run_all("two", VERB(PCTL_VERB_CYCLE)), PCTL_E_STATE, "", "off already");
	fails(run_all("two", VERB(PCTL_VERB_RESET)), PCTL_E_UNSUPPORTED, "", "'reset' wants");
	put(ON, ON, OFF);
	succeeds(run_all("two", VERB(PCTL_VERB_CYCLE)), "on", "s/1:off s/1:on s/2:on ");
}

/* What did not go dark is not restarted, and what did is wanted. */
static void test_half_an_outage(void **state)
{
	(void)state;
	put(ON, ON, ON);
	machine("s/2")->fault = REFUSES;
	fails(run_all("two", VERB(PCTL_VERB_CYCLE)), PCTL_E_REFUSED, "s/1:off s/1:on ",
		"strip 2: the relay is stuck");
	machine("s/2")->fault = DEAD;
	fails(run_all("two", VERB(PCTL_VERB_CYCLE)), PCTL_E_UNREACHABLE, "", "nothing was sent");
}

static void test_ac_cycle(void **state)
{
	(void)state;
	put(ON, ON, ON);
	machine("b")->silent = 2;
	succeeds(run_all("n", VERB(PCTL_VERB_AC_CYCLE)), "on",
		"s/1:off s/2:off s/1:on s/2:on b:on ");
	put(OFF, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_AC_CYCLE)), "ok", "s/1:off s/2:off s/1:on s/2:on ");
	has(lab->told[0].note, "bmc is off, and was not on before");
	put(ON, ON, ON);
	machine("b")->fault = DEAD;
	fails(run_all("n", VERB(PCTL_VERB_AC_CYCLE, .timeout_ms = 300)), PCTL_E_UNREACHABLE,
		"s/1:off s/2:off s/1:on s/2:on ", "bmc: nobody is there");
	machine("b")->fault = NONE;
	put(ON, OFF, OFF);
	fails(run_all("n", VERB(PCTL_VERB_AC_CYCLE)), PCTL_E_STATE, "", "off already");
	put(ON, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_AC_CYCLE, .dry_run = true)), "ok", "");
	machine("k1")->state = machine("k2")->state = OFF;
	/* Where the driver can do it, and nothing else feeds the machine. */
	succeeds(run_all("ch", VERB(PCTL_VERB_AC_CYCLE, .maintenance = false)), "on",
		"ch:ac_cycle ");
}

static void test_the_processor_alone(void **state)
{
	(void)state;
	put(ON, ON, ON);
	succeeds(run_all("n", VERB(PCTL_VERB_RESET)), "on", "b:reset ");
	succeeds(run_all("n", VERB(PCTL_VERB_CYCLE)), "on", "b:cycle ");
	succeeds(run_all("n", VERB(PCTL_VERB_NMI)), "accepted", "b:nmi ");
	put(ON, ON, OFF);
	fails(run_all("n", VERB(PCTL_VERB_REBOOT)), PCTL_E_STATE, "", "strip 2: no power there");
	put(ON, ON, ON);
	machine("s/2")->fault = DEAD;
	succeeds(run_all("n", VERB(PCTL_VERB_RESET)), "on", "b:reset ");
	has(lab->told[0].note, "strip 2 could not be read");
}

static void test_wait(void **state)
{
	(void)state;
	put(ON, OFF, OFF);
	succeeds(run_all("n", VERB(PCTL_VERB_WAIT, .wait_state = OFF)), "off", "");
	put(ON, ON, OFF);
	fails(run_all("n", VERB(PCTL_VERB_WAIT, .wait_state = OFF, .timeout_ms = 100)),
		PCTL_E_TIMEOUT, "", "not off in time; strip 2 is off; bmc and strip 1 are on");
}

/* --- With others. ----------------------------------------------------------------------------- */

/* They name the same outlets in another order, and never come between each other. */
static void test_two_nodes_of_the_same_outlets(void **state)
{
	(void)state;
	put(ON, ON, ON);
	(void)run_all("two,owt,one", VERB(PCTL_VERB_CYCLE, .on_if_off = true, .fanout = 3));
	for (size_t i = 0; i < 2; i++)
		assert_true(lab->told[i].ok);
	assert_non_null(strstr(lab->log, "s/1:off s/2:off s/1:on s/2:on "));
	assert_non_null(strstr(lab->log, "s/2:off s/1:off s/2:on s/1:on "));
}

/* Every part waits for the strip, which takes one at a time, and for one place in the limit. */
static void test_many_at_a_strip(void **state)
{
	(void)state;
	for (unsigned fanout = 1; fanout < 8; fanout += 3) {
		(void)run_all("l[1-6]", VERB(PCTL_VERB_OFF, .fanout = fanout));
		for (size_t i = 0; i < 6; i++)
			assert_string_equal(lab->told[i].word, "off");
		(void)run_all("l[1-6]", VERB(PCTL_VERB_ON, .fanout = fanout));
		for (size_t i = 0; i < 6; i++)
			assert_string_equal(lab->told[i].word, "on");
	}
}

static void test_a_wrong_password_gets_there_once(void **state)
{
	(void)state;
	(void)setenv("FEEDS_PASSWORD", "wrong", 1);
	const struct told *told = run_all("w", VERB(PCTL_VERB_STATUS));
	assert_int_equal(told->code, PCTL_E_AUTH);
	assert_int_equal(lab->logins, 1);
	has(told->text, "credential 'strip'");
}

/* Each feed is told of. */
static void test_interrupted(void **state)
{
	(void)state;
	put(ON, ON, ON);
	lab->cancel_at = "b:off";
	fails(run_all("n", VERB(PCTL_VERB_OFF)), PCTL_E_CANCELED, "b:off ", "interrupted");
	has(lab->told[0].text, "strip 1 and strip 2 are on");
	put(ON, ON, ON);
	machine("s/1")->fault = HANGS;
	lab->cancel_at = "s/2:off";
	lab->strip->driver.max_in_flight = 2;
	fails(run_all("n", VERB(PCTL_VERB_OFF)), PCTL_E_OUTCOME_UNKNOWN, "b:off s/2:off ",
		"strip 1: interrupted after 'off' was sent; whether it was taken is not known");
	assert_int_equal(lab->told[0].feed[1].error.code, PCTL_E_OUTCOME_UNKNOWN);
	machine("s/1")->fault = NONE;
	put(ON, ON, ON);
	(void)run_all("n", VERB(PCTL_VERB_OFF)); /* and all was given back */
	assert_true(lab->told[0].ok);
}

/* Another process has one of the machines: all of it waits, with nothing of its endpoints. */
static void test_locks(void **state)
{
	struct pctl_locks *locks = lab->world.core->locks;

	(void)state;
	put(ON, ON, ON);
	assert_true(run_all("n", VERB(PCTL_VERB_OFF))->ok);
	/* A lock of ours that was not given back would be seen by another process. */
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct pctl_locks *other = pctl_locks_new("other");
		int r = pctl_lock_try(other, "strip:s/1", NULL, 0, NULL);

		_exit(r == 0 && pctl_lock_try(other, "bmc:b", NULL, 0, NULL) == 0 ? 0 : 1);
	}
	int status = 1;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	(void)locks;
}

/* --- Chassis and blades. ---------------------------------------------------------------------- */

static const struct told *told_of(const char *name)
{
	for (size_t i = 0; i < lab->told_n; i++)
		if (strcmp(lab->told[i].name, name) == 0)
			return &lab->told[i];
	fail_msg("%s was not told of", name);
	return &lab->told[0];
}

static void put_kin(enum pctl_power_state ch, enum pctl_power_state k1, enum pctl_power_state k2)
{
	machine("ch")->state = ch;
	machine("k1")->state = k1;
	machine("k2")->state = k2;
}

static void test_a_parent_goes_first(void **state)
{
	(void)state;
	put_kin(OFF, OFF, OFF);
	fails(run_all("k1", VERB(PCTL_VERB_ON)), PCTL_E_STATE, "", "its parent ch is off");
	succeeds(run_all("k[1-2],ch", VERB(PCTL_VERB_ON)), "on", "ch:on k1:on k2:on ");
	succeeds(run_all("k1", VERB(PCTL_VERB_REBOOT)), "on", "k1:cycle ");
	put_kin(OFF, OFF, OFF);
	machine("ch")->fault = REFUSES;
	(void)run_all("ch,k1", VERB(PCTL_VERB_ON));
	has(told_of("k1")->text, "its parent ch failed");
	assert_string_equal(lab->log, "");
	machine("ch")->fault = DEAD;
	fails(run_all("k1", VERB(PCTL_VERB_ON)), PCTL_E_STATE, "", "could not be read");
}

static void test_children_go_first(void **state)
{
	(void)state;
	put_kin(ON, ON, OFF);
	fails(run_all("ch", VERB(PCTL_VERB_OFF)), PCTL_E_STATE, "", "not off for certain: k1;");
	fails(run_all("ch", VERB(PCTL_VERB_RESET)), PCTL_E_STATE, "", "k1;");
	(void)run_all("ch,k[1-2]", VERB(PCTL_VERB_OFF));
	assert_string_equal(lab->log, "k1:off ch:off ");
	put_kin(ON, ON, OFF);
	machine("k1")->fault = REFUSES;
	(void)run_all("ch,k[1-2]", VERB(PCTL_VERB_OFF));
	has(told_of("ch")->text, "not off for certain: k1;");
	assert_string_equal(lab->log, "");
	machine("k1")->fault = DEAD;
	fails(run_all("ch", VERB(PCTL_VERB_OFF)), PCTL_E_STATE, "", "k1;"); /* unknown is not off */
	machine("k1")->fault = NONE;
	put_kin(ON, OFF, OFF);
	machine("k3")->state = ON; /* in maintenance: in nobody's way */
	succeeds(run_all("ch", VERB(PCTL_VERB_OFF)), "off", "ch:off ");
	put_kin(ON, ON, ON);
	succeeds(run_all("ch", VERB(PCTL_VERB_NMI)), "accepted", "ch:nmi ");
	succeeds(run_all("ch", VERB(PCTL_VERB_STATUS)), "on", "");
}

/* Restarts of both: what stands in it is on, so the chassis stays. */
static void test_both_restart(void **state)
{
	(void)state;
	put_kin(ON, ON, ON);
	(void)run_all("ch,k[1-2]", VERB(PCTL_VERB_REBOOT));
	assert_string_equal(lab->log, "");
	assert_int_equal(told_of("ch")->code, PCTL_E_STATE);
	put_kin(ON, OFF, OFF);
	(void)run_all("ch,k[1-2]", VERB(PCTL_VERB_REBOOT));
	assert_string_equal(lab->log, "ch:cycle k1:on k2:on ");
}

static void test_interrupted_relatives(void **state)
{
	(void)state;
	put_kin(OFF, OFF, OFF);
	lab->cancel_at = "ch:on";
	(void)run_all("k[1-2],ch", VERB(PCTL_VERB_ON));
	assert_string_equal(lab->log, "ch:on ");
	assert_int_equal(told_of("k1")->code, PCTL_E_CANCELED);
	has(told_of("k2")->text, "nothing was sent");
}

/* --- Inventories. ----------------------------------------------------------------------------- */

static void problem_of(const char *nodes, const char *wanted)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_inventory *inv = NULL;
	PCTL_AUTO(free)
	char *text = pctl_xasprintf("classes: {m: {driver: bmc}}\nnodes:\n%s", nodes);

	if (pctl_inventory_parse("i.yaml", text, strlen(text), &inv, problems) == 0)
		(void)pctl_core_check(lab->world.core, inv, NULL, 0, false, problems);
	for (size_t i = 0; i < pctl_problems_count(problems); i++)
		if (strstr(pctl_problems_at(problems, i), wanted))
			wanted = NULL, i = SIZE_MAX - 1;
	if (wanted)
		fail_msg("no '%s'; %s", wanted,
			pctl_problems_count(problems) ? pctl_problems_at(problems, 0) : "none");
	pctl_inventory_free(inv);
	pctl_problems_free(problems);
}

static void test_mistakes(void **state)
{
	(void)state;
	problem_of("  a: {class: m, address: b, power: [bcm, {driver: strip, address: s}]}\n",
		"i.yaml:3:37: power: 'bcm' is no feed; it is 'bmc'");
	problem_of("  a: {class: m, address: b, power: [bmc, bmc]}\n",
		"i.yaml:3:42: power: the node's own driver stands here twice");
	problem_of(
		"  a: {class: m, address: b, power: [bmc, {driver: strip, address: s, outlet: 1}, "
		"{driver: strip, address: s, outlet: 01}]}\n",
		"power: this is the same as an earlier feed");
	problem_of("  a: {class: m, address: b, power: [bmc, {address: s}]}\n", "no driver");
	problem_of("  a: {class: m, address: b, power: [bmc, {driver: strip, outlat: 1}]}\n",
		"did you mean");
	problem_of("  a: {class: m, address: b, power: []}\n", "the list is empty");
	problem_of("  a: {class: m, address: b, power: [bmc, {driver: strip, credential: no}]}\n",
		"unknown credential 'no'");
	problem_of("  a: {class: m, address: b, power: [bmc, [bmc]]}\n", "a map");
	problem_of("  a: {class: m, address: b, boot: {driver: strip}}\n", "boot: what a machine");
	problem_of("  a[1-3]: {class: m, address: b, power: [bmc, {driver: strip, outlet: "
		   "\"[1-2]\"}]}\n",
		"names 2 but 'a[1-3]' names 3");
	problem_of(
		"  a: {class: m, address: b, parent: c}\n", "i.yaml:3:37: parent: 'c' is no node");
	problem_of("  a: {class: m, address: b, parent: a}\n", "'a' stands in itself");
	problem_of(
		"  a: {class: m, address: b, parent: c}\n  c: {class: m, address: d, parent: a}\n",
		"'a' stands in 'c', which stands in itself");
}

static void test_ranges(void **state)
{
	struct pctl_problems *problems = pctl_problems_new();
	size_t node = (size_t)pctl_inventory_index(lab->world.inventory, "l4");
	struct pctl_target target;

	(void)state;
	assert_int_equal(pctl_target_init(&target, lab->world.core, lab->world.inventory, node,
				 "power", false, problems),
		0);
	assert_int_equal(target.feeds->n, 2);
	assert_string_equal(target.feeds->v[0].target->machine, "strip:q/4");
	assert_string_equal(target.feeds->v[1].target->machine, "strip:r/4");
	assert_int_equal(target.feeds->outage_ms, 1);
	pctl_target_done(&target);
	/* One that is all there is stands for the node. */
	node = (size_t)pctl_inventory_index(lab->world.inventory, "one");
	assert_int_equal(pctl_target_init(&target, lab->world.core, lab->world.inventory, node,
				 "power", false, problems),
		0);
	assert_null(target.feeds);
	assert_string_equal(target.machine, "strip:s/1");
	pctl_target_done(&target);
	assert_int_equal(pctl_target_init(&target, lab->world.core, lab->world.inventory, node,
				 NULL, false, problems),
		0);
	assert_string_equal(target.machine, "bmc:c");
	pctl_target_done(&target);
	pctl_problems_free(problems);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(test_status),
		TEST(test_an_answer_is_not_silence),
		TEST(test_feeds_are_told),
		TEST(test_off),
		TEST(test_off_without_the_processors_help),
		TEST(test_off_is_not_half_off),
		TEST(test_on),
		TEST(test_on_sends_nothing_in_vain),
		TEST(test_a_processor_that_does_not_return),
		TEST(test_outlets_go_dark_together),
		TEST(test_half_an_outage),
		TEST(test_ac_cycle),
		TEST(test_the_processor_alone),
		TEST(test_wait),
		TEST(test_two_nodes_of_the_same_outlets),
		TEST(test_many_at_a_strip),
		TEST(test_a_wrong_password_gets_there_once),
		TEST(test_interrupted),
		TEST(test_locks),
		TEST(test_a_parent_goes_first),
		TEST(test_children_go_first),
		TEST(test_both_restart),
		TEST(test_interrupted_relatives),
		TEST(test_mistakes),
		TEST(test_ranges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
