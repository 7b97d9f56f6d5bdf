/* SPDX-License-Identifier: Apache-2.0 */
/* Selectors: a value that brings a second table of settings with it. */
#include "run_help.h"

#include <powerctl/buf.h>

#include "inventory/inventory.h"

static int described, undescribed, cached;
static const struct pctl_property *table; /* what every description comes with */

static const struct pctl_property own_table[] = {
	PCTL_PROPERTY(.name = "agent", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_SELECTOR | PCTL_PROPERTY_REQUIRED),
	PCTL_PROPERTY(.name = "size", .type = PCTL_TYPE_UINT, .default_text = "3"),
	{ 0 },
};
static const struct pctl_property strips[] = {
	PCTL_PROPERTY(.name = "outlet", .type = PCTL_TYPE_UINT, .max = 24,
		.flags = PCTL_PROPERTY_UNIT | PCTL_PROPERTY_REQUIRED),
	PCTL_PROPERTY(.name = "tower", .type = PCTL_TYPE_TEXT, .default_text = "a"),
	PCTL_PROPERTY(.name = "token", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET),
	{ 0 },
};

/* What a driver would keep beside it. */
struct told {
	struct pctl_description description;
	char value[40], file[200];
};

static int describe(
	const struct pctl_selector *selector, struct pctl_description **ret, struct pctl_error *err)
{
	const char *value = pctl_selector_value(selector), *file = pctl_selector_file(selector);
	struct pctl_buf old;

	described++;
	if (strcmp(value, "strip") != 0 && strcmp(value, "dumb") != 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "there is no such agent");
	pctl_buf_init(&old, 100);
	cached += pctl_selector_cache_get(selector, value, &old);
	pctl_selector_cache_put(selector, value, "x", 1);
	pctl_buf_done(&old);
	struct told *told = pctl_xcalloc(1, sizeof(*told));
	(void)snprintf(told->value, sizeof(told->value), "%s", value);
	(void)snprintf(told->file, sizeof(told->file), "%s", file ? file : "");
	told->description.size = sizeof(told->description);
	told->description.properties = table;
	told->description.summary = "a strip";
	told->description.actions =
		PCTL_ACTION_BIT(PCTL_ACTION_OFF) | PCTL_ACTION_BIT(PCTL_ACTION_NMI);
	told->description.boot_once = PCTL_BOOT_BIT(PCTL_BOOT_PXE);
	*ret = &told->description;
	return 0;
}

static void undescribe(struct pctl_description *description)
{
	undescribed++;
	free(pctl_container_of(description, struct told, description));
}

static void get(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	(void)dev, (void)flags;
	ret->state = PCTL_POWER_OFF;
	pctl_op_done(op);
}

static void act(void *dev, struct pctl_op *op, enum pctl_action action)
{
	(void)dev, (void)action;
	pctl_op_committed(op);
	pctl_op_done(op);
}

static void set(void *dev, struct pctl_op *op, const struct pctl_boot *boot)
{
	(void)dev, (void)boot;
	pctl_op_done(op);
}

static const struct pctl_power_if power = {
	.size = sizeof(power),
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_OFF),
	.get = get,
	.act = act,
};
static const struct pctl_boot_if boot = {
	.size = sizeof(boot), .once = ~0u, .persistent = ~0u, .set = set
};
static const struct pctl_driver driver = {
	.size = sizeof(driver),
	.abi = PCTL_DRIVER_ABI,
	.name = "fake",
	.properties = own_table,
	.open = open_nothing,
	.close = close_nothing,
	.power = &power,
	.boot = &boot,
	.describe = describe,
	.undescribe = undescribe,
};

static const char inventory[] = "nodes:\n"
				"  a[1-2]: {driver: fake, agent: strip, outlet: \"[1-2]\"}\n"
				"  b1: {driver: fake, agent: strip, outlet: 25, tover: x}\n"
				"  b2: {driver: fake, agent: strap, outlet: 9, anything: x}\n"
				"  b3: {driver: fake, outlet: 9}\n"
				"  b4: {driver: fake, agent: strip, size: big}\n"
				"  c1: {driver: fake, agent: dumb, outlet: 1, token_env: TOLD}\n"
				"  c2: {driver: fake, agent: dumb, outlet: 1, zzzzzzzz: 2}\n"
				"  d[1-9]: {driver: fake, agent: strap}\n";

struct lab {
	struct world world;
	struct pctl_problems *problems;
	struct pctl_target target;
};

static int setup(void **state)
{
	struct lab *lab = pctl_xcalloc(1, sizeof(*lab));

	described = undescribed = cached = 0;
	table = strips;
	(void)setenv("TOLD", "s3cret", 1);
	world_init(&lab->world, inventory);
	(void)world_enter(&lab->world, &driver);
	lab->problems = pctl_problems_new();
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	pctl_target_done(&lab->target);
	pctl_problems_free(lab->problems);
	world_done(&lab->world);
	free(lab);
	return 0;
}

static int prepare(struct lab *lab, const char *node)
{
	int64_t i = pctl_inventory_index(lab->world.inventory, node);

	pctl_target_done(&lab->target);
	pctl_problems_free(lab->problems);
	lab->problems = pctl_problems_new();
	return pctl_target_init(&lab->target, lab->world.core, lab->world.inventory, (size_t)i,
		NULL, true, lab->problems);
}

static void said(const struct lab *lab, size_t i, const char *line)
{
	assert_true(i < pctl_problems_count(lab->problems));
	if (!strstr(pctl_problems_at(lab->problems, i), line))
		fail_msg("'%s' does not say '%s'", pctl_problems_at(lab->problems, i), line);
}

static void test_both_tables_are_settings(void **state)
{
	struct lab *lab = *state;
	const struct pctl_device device = { .target = &lab->target };

	assert_int_equal(prepare(lab, "a2"), 0);
	assert_string_equal(pctl_setting_text(&device, "agent"), "strip");
	assert_int_equal(pctl_setting_uint(&device, "size"), 3);
	assert_int_equal(pctl_setting_uint(&device, "outlet"), 2);
	assert_string_equal(pctl_setting_text(&device, "tower"), "a");
	assert_false(pctl_setting_given(&device, "tower"));
	assert_null(pctl_setting_secret(&device, "token"));
	assert_string_equal(lab->target.machine, "fake:a2/2");
	const struct told *told = (const void *)pctl_device_description(&device);
	assert_string_equal(told->value, "strip");
	assert_non_null(strstr(told->file, "/i.yaml"));
}

static void test_secrets_of_the_second_table(void **state)
{
	struct lab *lab = *state;
	const struct pctl_device device = { .target = &lab->target };

	assert_int_equal(prepare(lab, "c1"), 0);
	assert_string_equal(pctl_secret_data(pctl_setting_secret(&device, "token")), "s3cret");
}

static void test_mistakes_have_their_place(void **state)
{
	struct lab *lab = *state;

	assert_int_equal(prepare(lab, "b1"), PCTL_E_CONFIG);
	assert_int_equal(pctl_problems_count(lab->problems), 2);
	said(lab, 0, "i.yaml:3:44: outlet is not a number from 0 to 24: '25'");
	said(lab, 1,
		"i.yaml:3:48: driver fake has no setting 'tover' with agent 'strip'; did you mean "
		"'tower'?");
	/* Which settings there are is not known then: they are not complained about. */
	assert_int_equal(prepare(lab, "b2"), PCTL_E_CONFIG);
	assert_int_equal(pctl_problems_count(lab->problems), 1);
	said(lab, 0, "i.yaml:4:29: agent 'strap': there is no such agent");
	assert_int_equal(prepare(lab, "b3"), PCTL_E_CONFIG);
	assert_int_equal(pctl_problems_count(lab->problems), 1);
	said(lab, 0, "i.yaml:5:3: agent is missing");
	assert_int_equal(prepare(lab, "b4"), PCTL_E_CONFIG);
	assert_int_equal(pctl_problems_count(lab->problems), 2);
	said(lab, 0, "size is no number: 'big'");
	said(lab, 1, "outlet is missing");
	assert_int_equal(prepare(lab, "c2"), PCTL_E_CONFIG);
	said(lab, 0, "no setting 'zzzzzzzz' with agent 'dumb'; `powerctl drivers fake dumb` lists");
}

/* A program that says something wrong is no reason to start it for each node. */
static void test_each_value_is_asked_about_once(void **state)
{
	struct lab *lab = *state;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(prepare(lab, "a1"), 0);
		assert_int_equal(prepare(lab, "d1"), PCTL_E_CONFIG);
		assert_int_equal(prepare(lab, "d9"), PCTL_E_CONFIG);
	}
	assert_int_equal(described, 2);
	pctl_target_done(&lab->target);
	world_close_core(&lab->world);
	/* Another command finds what the driver keeps on disk. */
	lab->world.core = pctl_core_new(
		&lab->world.loop, &(struct pctl_core_options){ .plugin_dir = TEST_PLUGIN_DIR });
	(void)world_enter(&lab->world, &driver);
	assert_int_equal(undescribed, 1);
	assert_int_equal(prepare(lab, "a1"), 0);
	assert_int_equal(described, 3);
	assert_int_equal(cached, 1);
}

static void test_a_description_takes_abilities_away(void **state)
{
	struct lab *lab = *state;
	struct outcome o = { 0 };

	assert_int_equal(prepare(lab, "a1"), 0);
	assert_int_equal(lab->target.actions, PCTL_ACTION_BIT(PCTL_ACTION_OFF));
	assert_int_equal(lab->target.boot_once, PCTL_BOOT_BIT(PCTL_BOOT_PXE));
	assert_int_equal(lab->target.boot_persistent, 0);
	outcome_of(&lab->world, "a1", &VERB(PCTL_VERB_ON), &o);
	outcome_failed(&o, PCTL_E_UNSUPPORTED, "driver fake cannot do 'on' with agent 'strip'");
	outcome_of(&lab->world, "a1", &VERB(PCTL_VERB_OFF), &o);
	assert_true(o.result.ok);
	outcome_of(&lab->world, "a1", &VERB(PCTL_VERB_BOOTDEV, .boot.device = PCTL_BOOT_CD), &o);
	outcome_failed(
		&o, PCTL_E_UNSUPPORTED, "driver fake cannot boot from 'cd' with agent 'strip'");
	outcome_of(&lab->world, "a1", &VERB(PCTL_VERB_BOOTDEV, .boot.device = PCTL_BOOT_PXE), &o);
	assert_true(o.result.ok);
	outcome_of(&lab->world, "a1", &VERB(PCTL_VERB_CAPS), &o);
	assert_int_equal(pctl_value_count(pctl_value_get(o.tree, "power")), 1);
	assert_int_equal(pctl_value_count(pctl_value_get(o.tree, "boot_persistent")), 0);
	outcome_done(&o);
}

static void refused(const struct pctl_property *row, const char *why)
{
	const struct pctl_property twice[] = { *row, *row, { 0 } };
	const struct pctl_property once[] = { *row, { 0 } };
	const char *told = NULL;

	assert_null(pctl_plugin_copy_second(&driver, row->help ? twice : once, &told));
	if (!strstr(told, why))
		fail_msg("'%s' does not say '%s'", told, why);
}

#define ROW(...) (&(struct pctl_property)PCTL_PROPERTY(__VA_ARGS__))

static void test_second_tables_are_checked(void **state)
{
	static const struct pctl_property bad[] = { PCTL_PROPERTY(.name = "Plug"), { 0 } };
	struct lab *lab = *state;

	refused(ROW(.name = "size"), "the same name");
	refused(ROW(.name = "b", .help = "twice"), "the same name");
	refused(ROW(.name = "tags"), "that all nodes have");
	refused(ROW(.name = "b", .flags = PCTL_PROPERTY_SELECTOR), "is a selector");
	refused(ROW(.name = "mystery", .flags = PCTL_PROPERTY_SECRET),
		"a secret has a name that does not say so");
	table = bad;
	assert_int_equal(prepare(lab, "a1"), PCTL_E_CONFIG);
	said(lab, 0, "agent 'strip': what it says of itself is no use: the name of a property");
	assert_int_equal(pctl_problems_count(lab->problems), 1);
}

static void test_units_of_both_tables_are_counted(void **state)
{
	static const struct pctl_property with_unit[] = {
		PCTL_PROPERTY(.name = "agent", .flags = PCTL_PROPERTY_SELECTOR),
		PCTL_PROPERTY(.name = "unit", .flags = PCTL_PROPERTY_UNIT),
		{ 0 },
	};
	struct pctl_driver other = driver;
	const char *why = NULL;

	(void)state;
	other.properties = with_unit;
	assert_null(pctl_plugin_copy_second(&other, strips, &why));
	assert_string_equal(why, "two properties say which machine is meant");
}

static void test_programs_may_ask(void **state)
{
	struct lab *lab = *state;
	const struct pctl_description *d = NULL;
	struct pctl_error err = { 0 };

	assert_int_equal(pctl_core_describe(lab->world.core, "fake", "strip", &d, &err), 0);
	assert_string_equal(d->summary, "a strip");
	assert_string_equal(d->properties[0].name, "outlet");
	assert_int_equal(
		pctl_core_describe(lab->world.core, "fake", "strap", &d, &err), PCTL_E_CONFIG);
	assert_string_equal(err.text, "there is no such agent");
	assert_int_equal(pctl_core_describe(lab->world.core, "null", "x", &d, &err), PCTL_E_CONFIG);
	assert_non_null(strstr(err.text, "driver null has no setting that brings others"));
}

int main(void)
{
#define LAB_TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	static const struct CMUnitTest tests[] = {
		LAB_TEST(test_both_tables_are_settings),
		LAB_TEST(test_secrets_of_the_second_table),
		LAB_TEST(test_mistakes_have_their_place),
		LAB_TEST(test_each_value_is_asked_about_once),
		LAB_TEST(test_a_description_takes_abilities_away),
		LAB_TEST(test_second_tables_are_checked),
		LAB_TEST(test_units_of_both_tables_are_counted),
		LAB_TEST(test_programs_may_ask),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
