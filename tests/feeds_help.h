/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machines that several things power, and machines that stand in others: what is sent to whom is
 * noted in its order. A management processor whose outlets are all off is silent.
 */
#ifndef POWERCTL_TESTS_FEEDS_HELP_H
#define POWERCTL_TESTS_FEEDS_HELP_H

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
	"  p[7-8]: {driver: strip, address: q, outlet: \"[7-8]\"}\n"
	"  lit: {class: m, address: c, power: [bmc, {driver: strip, address: s, outlet: 1}]}\n"
	"  x: {class: m, address: x, password_file: x, power: [bmc,"
	" {driver: strip, address: s, outlet: 1}]}\n"
	"groups: {all-l: \"l[1-6]\"}\n"
	"limits: {all-l: {max_at_once: 1}}\n";

/* --- Machines. -------------------------------------------------------------------------------- */

enum fault { NONE, DEAD, REFUSES, WRONG_LOGIN, STRANGER, DISTRUSTS, LOSES, HANGS };

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
	struct pctl_feed_result feed[8]; /* without what it borrowed */
	char names[100];                 /* "bmc=bmc strip 1=strip " */
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
	void (*waiting)(void); /* when a lock is waited for; NULL: it fails the test */
	bool wrong;            /* two ops of one machine at once */
} * lab;

static inline struct machine *machine(const char *key)
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
static inline struct machine *machine_of(const struct pctl_device *device)
{
	return machine(strchr(device->target->machine, ':') + 1);
}

static inline bool is_dark(const struct machine *m)
{
	return strcmp(m->key, "b") == 0 && machine("s/1")->state == PCTL_POWER_OFF &&
	       machine("s/2")->state == PCTL_POWER_OFF;
}

/* It comes back as off. */
static inline void lose_power(struct machine *m)
{
	if (!is_dark(m))
		return;
	m->was_dark = true;
	m->state = PCTL_POWER_OFF;
}

static inline void fail_silent(struct pctl_op *op)
{
	struct pctl_error err = { 0 };

	pctl_error_set(&err, PCTL_E_UNREACHABLE, "nobody is there");
	pctl_error_flag(&err, PCTL_ERROR_NOT_LISTENING);
	pctl_op_fail_error(op, &err);
}

static inline void act(struct machine *m, struct pctl_op *op)
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

static inline void fail_trust(struct pctl_op *op, bool ours)
{
	struct pctl_error err;

	(void)pctl_error_set(&err, PCTL_E_TRUST, "another certificate");
	(void)pctl_error_flag(&err, ours ? PCTL_ERROR_OURS : 0);
	pctl_op_fail_error(op, &err);
}

static inline void end_op(struct machine *m)
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
	} else if (m->fault == STRANGER || m->fault == DISTRUSTS) {
		fail_trust(op, m->fault == DISTRUSTS);
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

static inline void on_tick(uv_idle_t *ticker)
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

static inline void abort_op(struct pctl_op *op, void *work)
{
	struct machine *m = work;

	(void)op;
	m->op = NULL;
	if (--lab->going == 0)
		(void)uv_idle_stop(&lab->ticker);
}

static inline void begin_op(void *dev, struct pctl_op *op, struct pctl_power *ret, int action)
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

static inline void fake_get(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	(void)flags;
	begin_op(dev, op, ret, -1);
}

static inline void fake_act(void *dev, struct pctl_op *op, enum pctl_action action)
{
	begin_op(dev, op, NULL, (int)action);
}

static inline int fake_open(
	void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	const struct pctl_secret *password = pctl_setting_secret(device, "password");
	struct machine *m = machine_of(device);

	(void)ctx, (void)err;
	if (password && strcmp(pctl_secret_data(password), RIGHT) != 0) {
		lab->logins++;
		m->fault = WRONG_LOGIN;
	} else if (password && m->fault == WRONG_LOGIN) {
		m->fault = NONE;
	}
	*ret_dev = m;
	return 0;
}

static inline void fake_close(void *dev, pctl_closed_fn *closed, void *data)
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

static inline void fake_login(void *dev, struct pctl_op *op)
{
	(void)dev;
	pctl_op_done(op);
}

static inline void fake_set_password(
	void *dev, struct pctl_op *op, const struct pctl_secret *password)
{
	(void)dev, (void)password;
	pctl_op_done(op);
}

static const struct pctl_account_if account = {
	.setting = "password", .login = fake_login, .set_password = fake_set_password
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
	.account = &account,
	.max_in_flight = 1,
	.flags = PCTL_DRIVER_REPEATS,
};

/* --- A lab. ----------------------------------------------------------------------------------- */

static inline int setup(void **state)
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

static inline int teardown(void **state)
{
	uv_close((uv_handle_t *)&lab->ticker, NULL);
	world_done(&lab->world);
	free(lab);
	*state = lab = NULL;
	return 0;
}

static inline void on_result(void *data, const struct pctl_result *r)
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
	for (size_t i = 0; i < r->feed_count && i < 8; i++) {
		size_t len = strlen(told->names);

		told->feed[i] = r->feeds[i];
		(void)snprintf(told->names + len, sizeof(told->names) - len, "%s=%s ",
			r->feeds[i].feed, r->feeds[i].driver);
	}
}

static inline void on_waiting(void *data, const char *name, const char *holder, size_t waiting)
{
	(void)data, (void)name, (void)waiting;
	if (holder)
		lab->waiting();
}

static inline void on_done(void *data)
{
	(void)data;
	lab->done = true;
}

#define VERB(...) ((struct pctl_request){ .verb = __VA_ARGS__ })

static const struct told *run_all(const char *words, struct pctl_request request)
{
	const char *list[] = { words, NULL };
	const struct pctl_selection chosen = { .words = list };
	const struct pctl_run_callbacks callbacks = {
		.result = on_result, .waiting = on_waiting, .done = on_done
	};
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

static inline void put(enum pctl_power_state b, enum pctl_power_state s1, enum pctl_power_state s2)
{
	machine("b")->state = b;
	machine("s/1")->state = s1;
	machine("s/2")->state = s2;
	machine("b")->was_dark = false;
}

static inline void has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' does not say '%s'", text, part);
}

static inline void succeeds(const struct told *told, const char *word, const char *log)
{
	if (!told->ok)
		fail_msg("%s: %s", told->name, told->text);
	assert_string_equal(told->word, word);
	assert_string_equal(lab->log, log);
}

static inline void fails(const struct told *told, int code, const char *log, const char *text)
{
	assert_false(told->ok);
	assert_string_equal(lab->log, log);
	has(told->text, text);
	assert_string_equal(pctl_error_name(told->code), pctl_error_name(code));
}

#define ON    PCTL_POWER_ON
#define OFF   PCTL_POWER_OFF
#define SLEEP PCTL_POWER_SLEEP

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
