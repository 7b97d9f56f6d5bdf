/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several machines behind one endpoint: who waits for whom, and what of one is its neighbour's too.
 * Ops take a number of turns of the loop, so that those that may overlap do.
 */
#include "world.h"

#include <powerctl/secret.h>

#include "engine/turns.h"
#include "node/breaker.h"

#define NODES_MAX 40u
#define OP_TURNS  20u
#define RIGHT     "right-Pa55"

static const char inventory[] =
	"credentials:\n"
	"  bmc: {username: root, password_env: UNITS_PASSWORD}\n"
	"classes:\n"
	"  strip: {driver: fake, address: 10.0.0.1}\n"
	"nodes:\n"
	"  n[1-8]: {class: strip, outlet: \"[1-8]\"}\n"
	"  again: {class: strip, outlet: \"01\"}\n"
	"  whole[1-3]: {class: strip, port: 9}\n"
	"  other: {class: strip, address: 10.0.0.2, outlet: 1}\n"
	"  both: {class: strip, outlet: 9, console: {driver: fake, port: 11, outlet: 2}}\n"
	"  six: {class: strip, address: \"2001:db8::1\", port: 9}\n"
	"  p[1-8]: {class: strip, address: 10.0.0.3, outlet: \"[1-8]\", credential: bmc}\n";

/* --- Machines. -------------------------------------------------------------------------------- */

struct machine {
	struct pctl_device *device;
	struct pctl_op *op;
	unsigned turns;
};

static struct lab {
	struct world world;
	struct pctl_plugin *plugin;
	uv_idle_t ticker;
	struct machine machines[NODES_MAX];
	size_t going, peak, going_with_first, ended, asked;
	size_t wrong; /* two ops of one machine at once */
	char boots[200], after[32];
	struct pctl_run *cancel; /* when the first op has ended */

	/* What the latest run said. */
	size_t results, ok, auth, canceled;
	bool done;
} * lab;

static void leave(struct machine *m)
{
	m->op = NULL;
	if (--lab->going == 0)
		(void)uv_idle_stop(&lab->ticker);
}

static void end_op(struct machine *m)
{
	const struct pctl_secret *password = pctl_setting_secret(m->device, "password");
	struct pctl_op *op = m->op;

	if (lab->ended++ == 0)
		lab->going_with_first = lab->going;
	leave(m);
	if (password && strcmp(pctl_secret_data(password), RIGHT) != 0)
		pctl_op_fail(op, PCTL_E_AUTH, "password refused");
	else
		pctl_op_done(op);
	if (lab->cancel)
		pctl_run_cancel(lab->cancel);
	lab->cancel = NULL;
}

static void on_tick(uv_idle_t *ticker)
{
	(void)ticker;
	for (size_t i = 0; i < NODES_MAX; i++) {
		struct machine *m = &lab->machines[i];

		if (m->op && --m->turns == 0)
			end_op(m);
	}
}

static void abort_op(struct pctl_op *op, void *work)
{
	(void)op;
	leave(work);
}

static void count(const struct machine *m)
{
	for (size_t i = 0; i < NODES_MAX; i++) {
		const struct machine *o = &lab->machines[i];

		if (o != m && o->op &&
			strcmp(o->device->target->machine, m->device->target->machine) == 0)
			lab->wrong++;
	}
	lab->asked++;
	if (++lab->going > lab->peak)
		lab->peak = lab->going;
}

static void begin_op(struct machine *m, struct pctl_op *op)
{
	m->op = op;
	m->turns = OP_TURNS;
	pctl_op_pending(op, abort_op, m);
	count(m);
	(void)uv_idle_start(&lab->ticker, on_tick);
}

static void fake_get(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	(void)flags;
	ret->state = PCTL_POWER_ON;
	begin_op(dev, op);
}

static void fake_act(void *dev, struct pctl_op *op, enum pctl_action action)
{
	(void)dev, (void)action;
	pctl_op_committed(op);
	pctl_op_done(op);
}

static void fake_boot(void *dev, struct pctl_op *op, const struct pctl_boot *boot)
{
	const struct machine *m = dev;
	size_t len = strlen(lab->boots);

	(void)snprintf(lab->boots + len, sizeof(lab->boots) - len, "%s:%s ",
		pctl_device_name(m->device), pctl_boot_device_name(boot->device));
	pctl_op_done(op);
}

static void fake_log(void *dev, struct pctl_op *op, const char *after, struct pctl_value *ret)
{
	(void)dev;
	(void)snprintf(lab->after, sizeof(lab->after), "%s", after ? after : "all");
	pctl_value_set(ret, "events", pctl_value_new_list());
	pctl_value_set_text(ret, "cursor", "seen");
	pctl_op_done(op);
}

static int fake_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	struct machine *m = &lab->machines[device->target->node];

	(void)ctx, (void)err;
	m->device = device;
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
static const struct pctl_boot_if boot = {
	.flags = PCTL_BOOT_APPLY_AT_POWER_ACTION, .once = ~0u, .set = fake_boot
};
static const struct pctl_log_if events = { .read = fake_log };

static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .max = 65535),
	PCTL_PROPERTY(.name = "username", .type = PCTL_TYPE_TEXT),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET),
	PCTL_PROPERTY(.name = "outlet", .type = PCTL_TYPE_UINT, .flags = PCTL_PROPERTY_UNIT),
	{ 0 },
};

static const struct pctl_driver driver = {
	.name = "fake",
	.properties = properties,
	.open = fake_open,
	.close = fake_close,
	.power = &power,
	.boot = &boot,
	.log = &events,
	.default_port = 7,
	.max_in_flight = 3,
};

/* --- A lab. ----------------------------------------------------------------------------------- */

static int setup(void **state)
{
	lab = pctl_xcalloc(1, sizeof(*lab));
	(void)setenv("UNITS_PASSWORD", RIGHT, 1);
	world_init(&lab->world, inventory);
	lab->plugin = world_enter(&lab->world, &driver);
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
	(void)data;
	lab->results++;
	lab->ok += r->ok;
	lab->auth += r->error.code == PCTL_E_AUTH;
	lab->canceled += r->error.code == PCTL_E_CANCELED;
}

static void on_done(void *data)
{
	(void)data;
	lab->done = true;
}

/* words: nodes, as on a command line. */
static struct pctl_run *prepare(const char *words, const struct pctl_request *request)
{
	const char *list[] = { words, NULL };
	const struct pctl_selection chosen = { .words = list };
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_run *run = NULL;
	size_t *nodes = NULL, n = 0;

	assert_int_equal(
		pctl_inventory_select(lab->world.inventory, &chosen, &nodes, &n, problems), 0);
	assert_int_equal(pctl_run_new(lab->world.core, lab->world.inventory, nodes, n, request,
				 &run, problems),
		0);
	free(nodes);
	pctl_problems_free(problems);
	lab->going = lab->peak = lab->going_with_first = lab->ended = lab->asked = 0;
	lab->results = lab->ok = lab->auth = lab->canceled = 0;
	lab->done = false;
	return run;
}

static void run_to_end(struct pctl_run *run)
{
	const struct pctl_run_callbacks callbacks = { .result = on_result, .done = on_done };

	pctl_run_start(run, &callbacks);
	assert_int_equal(uv_run(&lab->world.loop, UV_RUN_DEFAULT), 0);
	assert_true(lab->done);
	assert_int_equal(lab->going, 0);
	assert_int_equal(lab->wrong, 0);
}

static void run_all(const char *words, struct pctl_request request)
{
	run_to_end(prepare(words, &request));
}

#define VERB(...) ((struct pctl_request){ .verb = __VA_ARGS__ })

static struct pctl_target target_of(const char *name)
{
	int64_t node = pctl_inventory_index(lab->world.inventory, name);
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_target target;

	assert_true(node >= 0);
	assert_int_equal(pctl_target_init(&target, lab->world.core, lab->world.inventory,
				 (size_t)node, NULL, true, problems),
		0);
	pctl_problems_free(problems);
	return target;
}

/* --- Keys. ------------------------------------------------------------------------------------ */

static void has_keys(const char *name, const char *endpoint, const char *machine)
{
	struct pctl_target target = target_of(name);

	assert_string_equal(target.endpoint, endpoint);
	assert_string_equal(target.machine, machine);
	assert_int_equal(pctl_target_has_unit(&target), strcmp(endpoint, machine) != 0);
	pctl_target_done(&target);
}

static void test_keys(void **state)
{
	(void)state;
	has_keys("n1", "10.0.0.1:7", "10.0.0.1:7/1");
	has_keys("n8", "10.0.0.1:7", "10.0.0.1:7/8");
	has_keys("again", "10.0.0.1:7", "10.0.0.1:7/1");
	has_keys("other", "10.0.0.2:7", "10.0.0.2:7/1");
	has_keys("whole1", "10.0.0.1:9", "10.0.0.1:9");
}

static uint16_t port_where_set(const struct pctl_device *device)
{
	return (uint16_t)(pctl_setting_given(device, "port") ? pctl_setting_uint(device, "port")
							     : 0);
}

/* A driver of many protocols has no usual port. */
static void test_keys_without_a_usual_port(void **state)
{
	(void)state;
	lab->plugin->driver.default_port = 0;
	has_keys("n1", "fake:10.0.0.1", "fake:10.0.0.1/1");
	has_keys("whole1", "fake:10.0.0.1", "fake:10.0.0.1");
	lab->plugin->driver.key_port = port_where_set;
	has_keys("n1", "fake:10.0.0.1", "fake:10.0.0.1/1");
	has_keys("whole1", "fake:10.0.0.1:9", "fake:10.0.0.1:9");
	has_keys("six", "fake:[2001:db8::1]:9", "fake:[2001:db8::1]:9");
}

/* --- Turns. ----------------------------------------------------------------------------------- */

static void test_so_many_at_a_time(void **state)
{
	(void)state;
	run_all("n[1-8]", VERB(PCTL_VERB_STATUS));
	assert_int_equal(lab->ok, 8);
	assert_int_equal(lab->peak, 3);
	assert_int_equal(lab->going_with_first, 1); /* it shows that the login is right */
	lab->plugin->driver.max_in_flight = 100;
	run_all("n[1-8],other", VERB(PCTL_VERB_STATUS));
	assert_int_equal(lab->peak, 7); /* n1 and other alone, then n[2-8] */
	lab->plugin->driver.max_in_flight = 0;
	run_all("n[1-8]", VERB(PCTL_VERB_STATUS));
	assert_int_equal(lab->ok, 8);
	assert_int_equal(lab->peak, 1);
}

static void test_no_more_than_the_fanout(void **state)
{
	(void)state;
	run_all("n[1-8]", VERB(PCTL_VERB_STATUS, .fanout = 2));
	assert_int_equal(lab->ok, 8);
	assert_int_equal(lab->peak, 2);
}

static void test_one_machine_takes_turns(void **state)
{
	(void)state;
	run_all("again,n[1-2]", VERB(PCTL_VERB_STATUS));
	assert_int_equal(lab->ok, 3);
	assert_int_equal(lab->peak, 2); /* lab->wrong: never n1 beside again */
	run_all("whole[1-3]", VERB(PCTL_VERB_STATUS));
	assert_int_equal(lab->ok, 3);
	assert_int_equal(lab->peak, 1);
}

static void test_who_waits_hears_of_the_end(void **state)
{
	const struct pctl_request status = VERB(PCTL_VERB_STATUS);

	(void)state;
	lab->cancel = prepare("n[1-8],again", &status);
	run_to_end(lab->cancel);
	assert_int_equal(lab->results, 9);
	assert_int_equal(lab->ok + lab->canceled, 9);
	assert_int_equal(lab->asked, 1);
}

static bool take(struct pctl_turns *turns, const struct pctl_target *target)
{
	return pctl_turns_take(
		turns, &(struct pctl_turn){ .target = target, .parts = PCTL_TURN_WHOLE });
}

static const struct pctl_target *next(struct pctl_turns *turns)
{
	struct pctl_turn turn;

	return pctl_turns_next(turns, true, &turn) ? turn.target : NULL;
}

static void give(struct pctl_turns *turns, const struct pctl_target *target)
{
	pctl_turns_give(turns, target, PCTL_TURN_WHOLE);
}

static void targets_init(struct pctl_target *targets, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		targets[i] = target_of(names[i]);
}

static void targets_done(struct pctl_target *targets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		pctl_target_done(&targets[i]);
}

/* First come, first served; who waits for its machine lets others of the endpoint go. */
static void test_order(void **state)
{
	static const char *const names[] = { "n1", "again", "n2", "n3", "n4" };
	struct pctl_target t[5];
	struct pctl_turns turns = { 0 };

	(void)state;
	targets_init(t, names, 5);
	lab->plugin->driver.max_in_flight = 2;
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(take(&turns, &t[i]), i == 0);
	assert_null(next(&turns));
	pctl_turns_proved(&turns, &t[0]);
	assert_ptr_equal(next(&turns), &t[2]);
	assert_null(next(&turns));
	give(&turns, &t[0]);
	assert_ptr_equal(next(&turns), &t[3]);
	give(&turns, &t[3]);
	assert_ptr_equal(next(&turns), &t[4]);
	assert_null(next(&turns));
	give(&turns, &t[2]);
	assert_ptr_equal(next(&turns), &t[1]);
	give(&turns, &t[1]);
	give(&turns, &t[4]);
	assert_true(take(&turns, &t[1])); /* all is free again, and nothing proved */
	assert_false(take(&turns, &t[2]));
	pctl_turns_done(&turns);
	targets_done(t, 5);
}

/* As where two drivers meet at one endpoint: each goes by its own number, in the same line. */
static void test_numbers_that_differ(void **state)
{
	static const char *const names[] = { "n1", "n2", "n3", "n4" };
	uint32_t *max = &lab->plugin->driver.max_in_flight;
	struct pctl_target t[4];
	struct pctl_turns turns = { 0 };

	(void)state;
	targets_init(t, names, 4);
	assert_true(take(&turns, &t[0]));
	pctl_turns_proved(&turns, &t[0]);
	*max = 0;
	assert_false(take(&turns, &t[1]));
	*max = 9;
	assert_false(take(&turns, &t[2]));
	*max = 2;
	give(&turns, &t[0]);
	assert_ptr_equal(next(&turns), &t[1]);
	assert_ptr_equal(next(&turns), &t[2]);
	assert_false(take(&turns, &t[3]));
	pctl_turns_done(&turns);
	targets_done(t, 4);
}

/* --- What is whose. --------------------------------------------------------------------------- */

/* Devices lock accounts: one endpoint hears a wrong password once, of few nodes and of many. */
static void test_a_wrong_password_gets_there_once(void **state)
{
	(void)state;
	lab->plugin->driver.max_in_flight = 8;
	run_all("p[1-3]", VERB(PCTL_VERB_STATUS));
	assert_int_equal(lab->ok, 3);
	(void)setenv("UNITS_PASSWORD", "wrong", 1);
	world_close_core(&lab->world);
	lab->world.core = pctl_core_new(
		&lab->world.loop, &(struct pctl_core_options){ .plugin_dir = TEST_PLUGIN_DIR });
	lab->plugin = world_enter(&lab->world, &driver);
	lab->plugin->driver.max_in_flight = 8;
	run_all("p[1-3]", VERB(PCTL_VERB_STATUS));
	assert_int_equal(lab->auth, 3);
	assert_int_equal(lab->asked, 1);
	run_all("p[1-8]", VERB(PCTL_VERB_STATUS));
	assert_int_equal(lab->auth, 8);
	assert_int_equal(lab->asked, 0); /* it is remembered of the endpoint */
	run_all("p[1-8]", VERB(PCTL_VERB_STATUS, .try_anyway = true));
	assert_int_equal(lab->peak, 1);
}

static void test_a_held_boot_device_is_the_machines(void **state)
{
	const struct pctl_boot pxe = { .size = sizeof(pxe), .device = PCTL_BOOT_PXE };

	(void)state;
	run_all("n1", VERB(PCTL_VERB_BOOTDEV, .boot = pxe));
	assert_int_equal(lab->ok, 1);
	run_all("n2,other", VERB(PCTL_VERB_RESET));
	assert_int_equal(lab->ok, 2);
	assert_string_equal(lab->boots, "");
	run_all("again", VERB(PCTL_VERB_RESET));
	assert_string_equal(lab->boots, "again:pxe ");
}

static void log_after(const char *node, const char *after)
{
	run_all(node, VERB(PCTL_VERB_LOG, .log_new = true));
	assert_int_equal(lab->ok, 1);
	assert_string_equal(lab->after, after);
}

static void test_a_mark_in_the_log_is_the_machines(void **state)
{
	(void)state;
	log_after("n1", "all");
	log_after("n2", "all");
	log_after("again", "seen");
}

struct pair {
	struct pctl_target targets[2];
	struct pctl_device devices[2];
};

static void pair_init(struct pair *p, const char *a, const char *b)
{
	*p = (struct pair){ .targets = { target_of(a), target_of(b) } };
	for (size_t i = 0; i < 2; i++)
		p->devices[i].target = &p->targets[i];
}

static void pair_done(struct pair *p)
{
	pctl_target_done(&p->targets[0]);
	pctl_target_done(&p->targets[1]);
}

static int shows(struct pctl_device *device, const char *kind, const char *value)
{
	int r = pctl_pin_check(device, kind, value, NULL);

	pctl_device_settle_pins(device, r);
	return r;
}

static void test_identities(void **state)
{
	struct pair p;

	(void)state;
	pair_init(&p, "n1", "n2");
	assert_int_equal(shows(&p.devices[0], "tls", "aa"), 0);
	assert_int_equal(shows(&p.devices[0], "realm", "one"), 0);
	assert_int_equal(shows(&p.devices[0], "uuid", "1"), 0);
	assert_int_equal(shows(&p.devices[0], "guid", "11"), 0);
	assert_int_equal(shows(&p.devices[1], "tls", "bb"), PCTL_E_TRUST);
	assert_int_equal(shows(&p.devices[1], "realm", "two"), PCTL_E_TRUST);
	assert_false(pctl_pin_known(&p.devices[1], "uuid"));
	assert_true(pctl_pin_known(&p.devices[0], "uuid"));
	assert_true(pctl_pin_known(&p.devices[1], "tls"));
	assert_int_equal(shows(&p.devices[1], "uuid", "2"), 0);
	assert_int_equal(shows(&p.devices[1], "guid", "22"), 0);
	assert_int_equal(shows(&p.devices[1], "uuid", "1"), PCTL_E_TRUST);
	pctl_fact_put(&p.devices[0], "tls", "yes");
	assert_string_equal(pctl_fact_get(&p.devices[1], "tls"), "yes");
	pair_done(&p);
}

static void lists(const char *name, const char *wanted)
{
	struct pctl_pin pins[8];
	char found[200] = "";
	size_t node = (size_t)pctl_inventory_index(lab->world.inventory, name);
	int n = pctl_trust_list(lab->world.core, lab->world.inventory, node, pins, 8, NULL);

	for (int i = 0; i < n; i++) {
		size_t len = strlen(found);

		(void)snprintf(found + len, sizeof(found) - len, "%s%s%s=%s/%s%s ",
			pins[i].interface ? pins[i].interface : "", pins[i].interface ? " " : "",
			pins[i].kind, pins[i].value, pins[i].offered ? pins[i].offered : "",
			pins[i].shared ? " shared" : "");
	}
	assert_string_equal(found, wanted);
}

static void test_trust(void **state)
{
	size_t n1 = (size_t)pctl_inventory_index(lab->world.inventory, "n1");
	struct pair p;

	(void)state;
	pair_init(&p, "n1", "n2");
	assert_int_equal(shows(&p.devices[0], "tls", "aa"), 0);
	assert_int_equal(shows(&p.devices[0], "uuid", "1"), 0);
	assert_int_equal(shows(&p.devices[1], "uuid", "2"), 0);
	assert_int_equal(shows(&p.devices[1], "tls", "bb"), PCTL_E_TRUST);
	assert_int_equal(shows(&p.devices[1], "uuid", "3"), PCTL_E_TRUST);
	pair_done(&p);
	lists("n1", "tls=aa/bb shared uuid=1/ ");
	lists("n2", "tls=aa/bb shared uuid=2/3 ");
	assert_int_equal(pctl_trust_accept(lab->world.core, lab->world.inventory, n1, NULL), 1);
	lists("n1", "tls=bb/ shared uuid=1/ ");
	lists("n2", "tls=bb/ shared uuid=2/3 ");
	assert_int_equal(pctl_trust_forget(lab->world.core, lab->world.inventory, n1, NULL), 2);
	lists("n1", "");
	lists("n2", "uuid=2/3 ");
	pair_init(&p, "whole1", "whole2");
	assert_int_equal(shows(&p.devices[0], "tls", "cc"), 0);
	assert_int_equal(shows(&p.devices[0], "uuid", "9"), 0);
	pair_done(&p);
	lists("whole2", "tls=cc/ uuid=9/ ");
}

/* What an interface comes from has an endpoint and a machine of its own. */
static void test_trust_of_an_interface(void **state)
{
	static const char *const lines[][2] = { { "10.0.0.1:7", "tls" }, { "10.0.0.1:7/9", "uuid" },
		{ "10.0.0.1:11", "tls" }, { "10.0.0.1:11/2", "uuid" } };

	(void)state;
	for (size_t i = 0; i < 4; i++)
		pctl_store_put(lab->world.core->pins, lines[i][0], lines[i][1], "x");
	lists("both", "tls=x/ shared uuid=x/ console tls=x/ shared console uuid=x/ ");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keys_without_a_usual_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_so_many_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_more_than_the_fanout, setup, teardown),
		cmocka_unit_test_setup_teardown(test_one_machine_takes_turns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_waits_hears_of_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_numbers_that_differ, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_wrong_password_gets_there_once, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_held_boot_device_is_the_machines, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_a_mark_in_the_log_is_the_machines, setup, teardown),
		cmocka_unit_test_setup_teardown(test_identities, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trust, setup, teardown),
		cmocka_unit_test_setup_teardown(test_trust_of_an_interface, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
