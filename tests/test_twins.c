/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that differ in little more than their address share what was read for the first of them. */
#include "world.h"

#include "inventory/inventory.h"

#define NODES_MAX 64u

static const char *const states[] = { "off", "on", NULL };
static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = "state", .type = PCTL_TYPE_CHOICE, .choices = states),
	PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .max = 65535),
	PCTL_PROPERTY(.name = "words", .type = PCTL_TYPE_TEXTS),
	PCTL_PROPERTY(.name = "cert", .type = PCTL_TYPE_FILE),
	PCTL_PROPERTY(.name = "username", .type = PCTL_TYPE_TEXT),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET),
	{ 0 },
};
static const struct pctl_driver fake = {
	.size = sizeof(fake),
	.abi = PCTL_DRIVER_ABI,
	.name = "fake",
	.properties = properties,
	.default_port = 7,
};

struct fleet {
	struct world world;
	struct pctl_twins twins;
	struct pctl_target targets[NODES_MAX];
	struct pctl_problems *problems;
	size_t n;
};

static struct fleet *fleet_new(const char *yaml)
{
	struct fleet *f = pctl_xcalloc(1, sizeof(*f));

	world_init(&f->world, yaml);
	(void)world_enter(&f->world, &fake);
	f->problems = pctl_problems_new();
	f->n = pctl_inventory_count(f->world.inventory);
	assert_true(f->n <= NODES_MAX);
	return f;
}

static int init_node(struct fleet *f, size_t i)
{
	return pctl_target_init_twin(&f->targets[i], &f->twins, f->world.core, f->world.inventory,
		i, NULL, true, f->problems);
}

static void init_all(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(init_node(f, i), 0);
}

static void fleet_free(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++)
		pctl_target_done(&f->targets[i]);
	pctl_twins_done(&f->twins);
	pctl_problems_free(f->problems);
	world_done(&f->world);
	free(f);
}

static size_t at(const struct fleet *f, const char *name)
{
	int64_t i = pctl_inventory_index(f->world.inventory, name);

	assert_true(i >= 0);
	return (size_t)i;
}

static bool share(const struct fleet *f, const char *a, const char *b)
{
	return f->targets[at(f, a)].map == f->targets[at(f, b)].map;
}

/* --- What is compared with a node that was read alone. ---------------------------------------- */

static void assert_same_text(const char *a, const char *b)
{
	if (a && b)
		assert_string_equal(a, b);
	else
		assert_ptr_equal(a, b);
}

static void assert_same_setting(const struct pctl_setting *a, const struct pctl_setting *b)
{
	assert_ptr_equal(a->property, b->property);
	assert_same_text(a->text, b->text);
	assert_int_equal(a->number, b->number);
	assert_int_equal(a->given, b->given);
	assert_ptr_equal(a->secret, b->secret);
	assert_int_equal(pctl_value_count(a->list), pctl_value_count(b->list));
	for (size_t i = 0; i < pctl_value_count(a->list); i++)
		assert_string_equal(pctl_value_text(pctl_value_at(a->list, i)),
			pctl_value_text(pctl_value_at(b->list, i)));
}

static void assert_same(const struct pctl_target *a, const struct pctl_target *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->address, b->address);
	assert_string_equal(a->endpoint, b->endpoint);
	assert_string_equal(a->machine, b->machine);
	assert_same_text(a->maintenance, b->maintenance);
	assert_same_text(a->guard, b->guard);
	assert_int_equal(a->trust, b->trust);
	assert_int_equal(a->read_ms, b->read_ms);
	assert_int_equal(a->poll_ms, b->poll_ms);
	assert_int_equal(a->settings.n, b->settings.n);
	for (size_t i = 0; i < a->settings.n; i++)
		assert_same_setting(&a->settings.v[i], &b->settings.v[i]);
}

static void assert_as_if_alone(struct fleet *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct pctl_target alone;

		assert_int_equal(pctl_target_init(&alone, f->world.core, f->world.inventory, i,
					 NULL, true, f->problems),
			0);
		assert_same(&f->targets[i], &alone);
		pctl_target_done(&alone);
	}
}

/* --- Tests. ----------------------------------------------------------------------------------- */

static const char mixed[] = "credentials:\n"
			    "  k: {username: admin, password_env: TWINS_SECRET}\n"
			    "  l: {username: admin, password_env: TWINS_SECRET}\n"
			    "classes:\n"
			    "  base: {driver: fake, credential: k, timeouts: {read: 3s}}\n"
			    "  nuc: {class: base, words: [one, two], trust: strict}\n"
			    "  lost: {class: base, address: 10.9.9.9, maintenance: all of them}\n"
			    "nodes:\n"
			    "  a[1-8]: {class: nuc, address: \"10.0.0.[1-8]\", tags: [lab]}\n"
			    "  a3: {maintenance: broken}\n"
			    "  a4: {protected: files, tags: [other]}\n"
			    "  a5: {port: 9}\n"
			    "  b1: {class: nuc, address: 10.0.1.1}\n"
			    "  b2: {class: nuc, address: 10.0.1.2, tags: [x], protected: db}\n"
			    "  b3: {class: nuc, address: 10.0.1.3, credential: l}\n"
			    "  b4: {class: base, address: 10.0.1.4}\n"
			    "  b5: {class: nuc, address: 10.0.1.5, words: [one, two]}\n"
			    "  b6: {class: nuc, address: 10.0.1.6, words: [two, one]}\n"
			    "  b7: {class: nuc, address: 10.0.1.7, timeouts: {read: 4s}}\n"
			    "  b8: {class: nuc, address: 10.0.1.8, timeouts: {poll: 4s}}\n"
			    "  b9: {class: nuc, address: 10.0.1.9, timeouts: {poll: 4s}}\n"
			    "  c[1-3]: {class: nuc, address: \"10.0.2.[1-3]\", port: \"[20-22]\"}\n"
			    "  d[1-2]: {class: nuc, address: \"[fd00::1]\", cert: c.pem}\n"
			    "  d3: {class: nuc, address: \"fd00::1\", cert: c.pem}\n"
			    "  e[1-2]: {class: lost}\n"
			    "  e3: {class: lost, maintenance: \"\", address: e3}\n"
			    "  f[1-2]: {class: nuc, address: \"f[1-2]\", words: [\"x[1-2]\"]}\n";

/* However they are mixed, each is what it would be alone. */
static void test_as_if_alone(void **state)
{
	struct fleet *f = fleet_new(mixed);

	(void)state;
	init_all(f);
	assert_as_if_alone(f);
	fleet_free(f);
}

static void test_who_shares(void **state)
{
	struct fleet *f = fleet_new(mixed);

	(void)state;
	init_all(f);
	assert_true(share(f, "a1", "a8"));
	assert_true(share(f, "a1", "b1")); /* of one entry, or of two that say the same */
	assert_true(share(f, "b1", "b2"));
	assert_true(share(f, "b8", "b9"));
	assert_true(share(f, "a3", "a4")); /* a further entry, in which nothing is shared */
	assert_true(share(f, "e1", "e3"));
	assert_false(share(f, "a1", "a5"));
	assert_false(share(f, "b1", "b3"));
	assert_false(share(f, "b1", "b4"));
	assert_false(share(f, "b5", "b6"));
	assert_false(share(f, "b7", "b8"));
	assert_false(share(f, "c1", "c2"));
	fleet_free(f);
}

/* A node without secrets (in maintenance) lends its settings to none that needs them. */
static void test_secrets(void **state)
{
	struct fleet *f = fleet_new(mixed);
	size_t a = at(f, "b1"), b = at(f, "b2");

	(void)state;
	assert_int_equal(pctl_target_init_twin(&f->targets[a], &f->twins, f->world.core,
				 f->world.inventory, a, NULL, false, f->problems),
		0);
	assert_int_equal(init_node(f, b), 0);
	assert_null(pctl_settings_at(&f->targets[a].settings, "password")->secret);
	assert_non_null(pctl_settings_at(&f->targets[b].settings, "password")->secret);
	fleet_free(f);
}

/* Two of one shape by accident (here: by force) are still told apart. */
static void test_collision(void **state)
{
	struct fleet *f = fleet_new("nodes:\n"
				    "  a: {driver: fake, address: 10.0.0.1, port: 1}\n"
				    "  b: {driver: fake, address: 10.0.0.2, port: 2}\n");

	(void)state;
	f->world.inventory->entries[0].shape = f->world.inventory->entries[1].shape = 77;
	init_all(f);
	assert_as_if_alone(f);
	fleet_free(f);
}

/* What is wrong with many is named for each place, and never taken from one that was right. */
static void test_mistakes(void **state)
{
	static const char *const lines[] = { ":3:", ":4:", ":5:", ":6:", ":6:" };
	struct fleet *f = fleet_new("nodes:\n"
				    "  a1: {driver: fake, address: 10.0.0.1}\n"
				    "  a2: {driver: fake}\n"
				    "  b1: {driver: fake, address: 10.0.0.3, port: much}\n"
				    "  b2: {driver: fake, address: 10.0.0.4, port: much}\n"
				    "  c[1-2]: {driver: fake}\n");

	(void)state;
	for (size_t i = 0; i < f->n; i++)
		assert_int_equal(init_node(f, i), i ? PCTL_E_CONFIG : 0);
	assert_int_equal(pctl_problems_count(f->problems), 5);
	for (size_t i = 0; i < 5; i++)
		assert_non_null(strstr(pctl_problems_at(f->problems, i), lines[i]));
	assert_non_null(strstr(pctl_problems_at(f->problems, 4), "c2: address is missing"));
	fleet_free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_as_if_alone),
		cmocka_unit_test(test_who_shares),
		cmocka_unit_test(test_secrets),
		cmocka_unit_test(test_collision),
		cmocka_unit_test(test_mistakes),
	};

	(void)setenv("TWINS_SECRET", "geheim", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
