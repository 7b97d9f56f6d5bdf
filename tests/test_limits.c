/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Places and times: tickets by themselves, between processes, and verbs over machines that count
 * how many of them start at once. Times are lower bounds; nothing here depends on being quick.
 */
#include "run_help.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <powerctl/parse.h>

#include "engine/task.h"
#include "keep/places.h"
#include "node/limit.h"

static const char inventory[] = "nodes:\n"
				"  n[1-40]: {driver: fake, timeouts: {poll: 2ms, outage: 20ms}}\n"
				"  u[1-4]: {driver: fake, timeouts: {poll: 2ms}}\n"
				"groups:\n"
				"  two: n[1-20]\n"
				"  three: \"n[11-30]\"\n"
				"  slow: n[31-34]\n"
				"  none: n[1-40]\n"
				"limits:\n"
				"  two: {max_at_once: 2}\n"
				"  three: {max_at_once: 3, stagger: 1ms}\n"
				"  slow: {stagger: 60ms}\n"
				"  none: {max_at_once: 0}\n";

/* --- Machines. -------------------------------------------------------------------------------- */

struct machine {
	bool on, starting;
	unsigned acts, reads;
};

static struct lab {
	struct world world;
	struct machine machines[44];
	size_t starting, peak, order[64], started;
	uint64_t at[64]; /* when they were started */
	bool no_cycle, hold;

	/* What the latest run said. */
	struct pctl_run *run;
	size_t results, ok, waiting, most_waiting, told;
	size_t unsent; /* waited for their places until the time was over */
	char what[200], boots[400];
	bool done;
} * lab;

static struct machine *machine_of(void *dev)
{
	return &lab->machines[((struct pctl_device *)dev)->target->node];
}

static void fake_get(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	struct machine *m = machine_of(dev);

	(void)flags;
	m->reads++;
	/* What starts reads off once more, and then is there. */
	ret->state = m->on ? PCTL_POWER_ON : PCTL_POWER_OFF;
	if (m->starting && !m->on && !lab->hold) {
		m->on = true;
	} else if (m->starting && m->on) {
		m->starting = false;
		lab->starting--;
	}
	pctl_op_done(op);
}

static void note(size_t node, const char *what)
{
	size_t len = strlen(lab->boots);

	(void)snprintf(lab->boots + len, sizeof(lab->boots) - len, "%s%zu ", what, node);
}

static void fake_act(void *dev, struct pctl_op *op, enum pctl_action action)
{
	struct machine *m = machine_of(dev);
	size_t node = (size_t)(m - lab->machines);

	m->acts++;
	note(node, pctl_action_name(action));
	if (action == PCTL_ACTION_CYCLE && lab->no_cycle) {
		pctl_op_fail(op, PCTL_E_UNSUPPORTED, "it cannot cycle");
		return;
	}
	pctl_op_committed(op);
	if (action == PCTL_ACTION_OFF) {
		m->on = false;
	} else {
		m->on = false;
		m->starting = true;
		lab->order[lab->started % 64] = node;
		lab->at[lab->started++ % 64] = pctl_places_clock();
		if (++lab->starting > lab->peak)
			lab->peak = lab->starting;
	}
	pctl_op_done(op);
}

static void fake_boot(void *dev, struct pctl_op *op, const struct pctl_boot *boot)
{
	(void)boot;
	note((size_t)(machine_of(dev) - lab->machines), "boot");
	pctl_op_done(op);
}

static const struct pctl_power_if fake_power = {
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_COUNT) - 1,
	.get = fake_get,
	.act = fake_act,
};
static const struct pctl_boot_if fake_boots = { .once = ~0u, .set = fake_boot };

static const struct pctl_driver fake_driver = {
	.name = "fake",
	.open = open_itself,
	.close = close_nothing,
	.power = &fake_power,
	.boot = &fake_boots,
};

static int setup(void **state)
{
	lab = pctl_xcalloc(1, sizeof(*lab));
	world_init(&lab->world, inventory);
	world_enter(&lab->world, &fake_driver);
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

static size_t node(const char *name)
{
	return (size_t)pctl_inventory_index(lab->world.inventory, name);
}

/* --- Tickets. --------------------------------------------------------------------------------- */

static size_t granted[64], grants;

static void on_granted(struct pctl_ticket *t)
{
	granted[grants++] = (size_t)(uintptr_t)t->data;
}

static void on_held_up(struct pctl_ticket *t, const char *what)
{
	(void)t;
	lab->told++;
	(void)snprintf(lab->what, sizeof(lab->what), "%.190s", what);
}

static void new_ticket(struct pctl_ticket *t, size_t node, struct pctl_limit *own)
{
	*t = (struct pctl_ticket){
		.granted = on_granted, .held_up = on_held_up, .data = (void *)(uintptr_t)node
	};
	pctl_ticket_init(t, lab->world.core->limits, lab->world.inventory, node, own);
}

static int take(struct pctl_ticket *t)
{
	struct pctl_error err = { 0 };

	return pctl_ticket_take(t, &err);
}

/* What is to happen at once happens; what waits for a time is left waiting. */
static void turn(void)
{
	for (int i = 0; i < 20; i++) {
		(void)uv_run(&lab->world.loop, UV_RUN_NOWAIT);
		(void)usleep(200);
	}
}

static void until_granted(size_t n)
{
	while (grants < n)
		(void)uv_run(&lab->world.loop, UV_RUN_ONCE);
	assert_int_equal(grants, n);
}

static void test_places_go_in_the_order_of_the_line(void **state)
{
	struct pctl_ticket t[6];

	(void)state;
	grants = 0;
	for (size_t i = 0; i < 6; i++) {
		new_ticket(&t[i], i, NULL); /* n1...n6: group two, and none */
		assert_int_equal(take(&t[i]), i < 2);
	}
	assert_int_equal(take(&t[0]), 1); /* has it */
	turn();
	assert_int_equal(grants, 0);
	pctl_ticket_give(&t[3], false); /* leaves from the middle */
	pctl_ticket_give(&t[0], false);
	until_granted(1);
	pctl_ticket_give(&t[1], false);
	until_granted(2);
	turn();
	assert_int_equal(grants, 2);
	assert_int_equal(granted[0], 2);
	assert_int_equal(granted[1], 4);
	pctl_ticket_give(&t[5], false); /* the head, and the last */
	pctl_ticket_give(&t[2], false);
	pctl_ticket_give(&t[4], false);
	turn();
	assert_int_equal(grants, 2);
	assert_int_equal(take(&t[3]), 1);
	for (size_t i = 0; i < 6; i++) {
		pctl_ticket_give(&t[i], false);
		pctl_ticket_give(&t[i], false); /* gives nothing twice */
		pctl_ticket_done(&t[i]);
	}
}

static void test_no_limit_is_none(void **state)
{
	struct pctl_ticket t;

	(void)state;
	new_ticket(&t, node("u1"), NULL);
	assert_int_equal(t.n, 0);
	assert_int_equal(take(&t), 1);
	assert_int_equal(pctl_ticket_send(&t), 0);
	pctl_ticket_give(&t, true);
	pctl_ticket_done(&t);
	new_ticket(&t, node("n40"), NULL); /* a limit that limits nothing */
	assert_int_equal(t.n, 0);
	pctl_ticket_done(&t);
}

/* Many, under several limits each, that give back in any order: all get through, none too many. */
static void test_overlapping_groups(void **state)
{
	const struct pctl_inventory_limit four = { .group = "four", .max_at_once = 4 };
	struct pctl_limit *own = pctl_limit_new(lab->world.core->limits, &four);
	struct pctl_ticket t[30];
	size_t in[30], n = 0, two = 0, three = 0, seen = 0;
	unsigned dice = 7;

	(void)state;
	grants = 0;
	for (size_t i = 0; i < 30; i++) {
		new_ticket(&t[i], i, own);
		if (take(&t[i]))
			granted[grants++] = i;
	}
	while (seen < 30) {
		while (grants == seen || (n < 4 && grants < 30 && dice++ % 3))
			(void)uv_run(&lab->world.loop, UV_RUN_ONCE);
		for (; seen < grants; seen++) {
			in[n++] = granted[seen];
			two += granted[seen] < 20;
			three += granted[seen] >= 10;
		}
		assert_true(n <= 4 && two <= 2 && three <= 3);
		dice = dice * 1103515245u + 12345u;
		size_t out = (dice >> 8) % n;
		pctl_ticket_give(&t[in[out]], false);
		two -= in[out] < 20;
		three -= in[out] >= 10;
		in[out] = in[--n];
	}
	for (size_t i = 0; i < 30; i++) {
		pctl_ticket_give(&t[i], false);
		pctl_ticket_done(&t[i]);
	}
	pctl_limit_free(own);
}

static void test_starts_are_apart(void **state)
{
	struct pctl_ticket t[4];
	uint64_t asked[4];

	(void)state;
	grants = 0;
	for (size_t i = 0; i < 4; i++) {
		new_ticket(&t[i], node("n31") + i, NULL);
		assert_int_equal(take(&t[i]), i == 0);
	}
	for (size_t i = 0; i < 4; i++) {
		if (i)
			until_granted(i);
		asked[i] = pctl_places_clock();
		for (uint64_t early; (early = pctl_ticket_send(&t[i]));) {
			(void)usleep((useconds_t)early * 1000);
			asked[i] = pctl_places_clock();
		}
		if (i)
			assert_true(pctl_places_clock() >= asked[i - 1] + 60);
	}
	/* What was sent a second time, too. */
	assert_true(pctl_ticket_send(&t[3]) > 0);
	for (size_t i = 0; i < 4; i++) {
		pctl_ticket_give(&t[i], false);
		pctl_ticket_done(&t[i]);
	}
}

static void test_what_nobody_saw_the_end_of(void **state)
{
	const struct pctl_inventory_limit one = { .group = "one", .max_at_once = 1 };
	struct pctl_limit *own = pctl_limit_new(lab->world.core->limits, &one);
	struct pctl_ticket t[2];

	(void)state;
	grants = 0;
	new_ticket(&t[0], node("u1"), own);
	new_ticket(&t[1], node("u2"), own);
	assert_int_equal(take(&t[0]), 1);
	pctl_ticket_give(&t[0], true); /* nothing was sent: it is free */
	assert_int_equal(take(&t[0]), 1);
	assert_int_equal(pctl_ticket_send(&t[0]), 0);
	pctl_ticket_give(&t[0], true);
	assert_int_equal(take(&t[1]), 0);
	turn();
	assert_int_equal(grants, 0);
	pctl_ticket_give(&t[1], false);
	pctl_ticket_done(&t[0]);
	pctl_ticket_done(&t[1]);
	pctl_limit_free(own);
}

/* --- Between processes. ----------------------------------------------------------------------- */

/* A process that has both places of a group, until it is killed. */
static pid_t hog(const char *group)
{
	int ready[2];
	char c = 0;
	uint64_t until;

	assert_int_equal(pipe(ready), 0);
	pid_t pid = fork();
	if (pid == 0) {
		(void)prctl(
			PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves nothing behind */
		struct pctl_places *places = pctl_places_new(group);
		bool has = pctl_places_open(places, NULL) == 0 &&
			   pctl_places_take(places, 0, pctl_places_clock(), 0, &until) &&
			   pctl_places_take(places, 1, pctl_places_clock(), 0, &until);

		if (has && write(ready[1], "x", 1) == 1)
			for (;;)
				(void)pause();
		_exit(1);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &c, 1), 1);
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

static void test_places_of_a_process_that_was_killed(void **state)
{
	struct pctl_ticket t[3];
	pid_t pid = hog("two");
	char whose[32];

	(void)state;
	grants = 0;
	for (size_t i = 0; i < 3; i++) {
		new_ticket(&t[i], i, NULL);
		assert_int_equal(take(&t[i]), 0);
	}
	turn();
	assert_int_equal(lab->told, 1);
	(void)snprintf(whose, sizeof(whose), "pid %d", (int)pid);
	if (!strstr(lab->what, "a place in two (2 at once): ") || !strstr(lab->what, whose))
		fail_msg("%s", lab->what);
	assert_int_equal(grants, 0);
	(void)kill(pid, SIGKILL);
	(void)waitpid(pid, NULL, 0);
	until_granted(2);
	pctl_ticket_give(&t[0], false);
	until_granted(3);
	for (size_t i = 0; i < 3; i++) {
		pctl_ticket_give(&t[i], false);
		pctl_ticket_done(&t[i]);
	}
}

static void write_file(const char *group, const uint64_t *numbers, size_t n)
{
	char path[320];

	(void)snprintf(path, sizeof(path), "%s/powerctl/limits/%016llx", lab->world.dir,
		(unsigned long long)pctl_lock_hash(group));
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(numbers, sizeof(*numbers), n, f), n);
	(void)fclose(f);
}

static void test_nonsense_in_the_file(void **state)
{
	uint64_t now = pctl_places_clock(), until;
	const uint64_t mad[] = { now + 1000000, 7, UINT64_MAX, now + 1000000, now + 2000 };
	struct pctl_places *places = pctl_places_new("two");
	struct pctl_ticket t;

	(void)state;
	assert_int_equal(pctl_places_open(places, NULL), 0);
	write_file("two", mad, 5);
	assert_int_equal(pctl_places_last(places, now), 0);
	assert_true(pctl_places_take(places, 0, now, PCTL_UNSEEN_MS, &until));
	assert_true(pctl_places_take(places, 1, now, PCTL_UNSEEN_MS, &until));
	assert_false(pctl_places_take(places, 2, now, PCTL_UNSEEN_MS, &until));
	assert_int_equal(until, now + 2000);
	pctl_places_give(places, 0, 0);
	pctl_places_give(places, 1, now + 2000);
	assert_true(pctl_places_take(places, 0, now, PCTL_UNSEEN_MS, &until));
	assert_false(pctl_places_take(places, 1, now, PCTL_UNSEEN_MS, &until));
	pctl_places_free(places);
	/* The next start does not wait for a time that lies ahead. */
	new_ticket(&t, node("n31"), NULL);
	assert_int_equal(take(&t), 1);
	write_file("slow", mad, 1);
	assert_int_equal(pctl_ticket_send(&t), 0);
	pctl_ticket_give(&t, false);
	pctl_ticket_done(&t);
}

static void test_a_file_that_cannot_be(void **state)
{
	struct pctl_error err = { 0 };
	struct pctl_ticket t;
	char path[256];

	(void)state;
	(void)snprintf(path, sizeof(path), "%s/powerctl", lab->world.dir);
	(void)mkdir(path, 0700);
	(void)snprintf(path, sizeof(path), "%s/powerctl/limits", lab->world.dir);
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600); /* where a folder should be */
	assert_true(fd >= 0);
	(void)close(fd);
	new_ticket(&t, node("n1"), NULL);
	assert_int_equal(pctl_ticket_take(&t, &err), PCTL_E_INTERNAL);
	if (!strstr(err.text, path))
		fail_msg("%s", err.text);
	pctl_ticket_done(&t);
}

/* --- The inventory. --------------------------------------------------------------------------- */

static void test_limits_of_a_node(void **state)
{
	const struct pctl_inventory *inv = lab->world.inventory;
	const struct pctl_inventory_limit *limit;
	char words[100];

	(void)state;
	limit = pctl_inventory_limit_of(inv, node("n15"), 0);
	assert_string_equal(pctl_inventory_limit_words(limit, words, sizeof(words)),
		"three (3 at once, 1 ms apart)");
	limit = pctl_inventory_limit_of(inv, node("n15"), 1);
	assert_string_equal(
		pctl_inventory_limit_words(limit, words, sizeof(words)), "two (2 at once)");
	assert_null(pctl_inventory_limit_of(inv, node("n15"), 2));
	limit = pctl_inventory_limit_of(inv, node("n31"), 0);
	assert_string_equal(
		pctl_inventory_limit_words(limit, words, sizeof(words)), "slow (60 ms apart)");
	assert_null(pctl_inventory_limit_of(inv, node("n31"), 1));
	assert_null(pctl_inventory_limit_of(inv, node("u1"), 0));
	assert_null(pctl_inventory_limit_of(inv, 4000, 0));
}

/* --- Verbs. ----------------------------------------------------------------------------------- */

static void on_result(void *data, const struct pctl_result *r)
{
	(void)data;
	lab->results++;
	lab->ok += r->ok;
	lab->unsent +=
		strcmp(r->error.text, "the command's time was over; it waited for a place in two "
				      "(2 at once), nothing was sent") == 0;
}

static void on_queued(void *data, const char *name, const char *what, size_t waiting)
{
	(void)data, (void)name;
	lab->waiting = waiting;
	if (waiting > lab->most_waiting)
		lab->most_waiting = waiting;
	if (what)
		(void)snprintf(lab->what, sizeof(lab->what), "%.190s", what);
}

static void on_done(void *data)
{
	(void)data;
	lab->done = true;
}

static void begin(const char *nodes, const struct pctl_request *request)
{
	const struct pctl_run_callbacks callbacks = {
		.result = on_result, .queued = on_queued, .done = on_done
	};
	const char *words[] = { nodes, NULL };
	const struct pctl_selection selection = { .words = words };
	struct pctl_problems *problems = pctl_problems_new();
	size_t *chosen = NULL, n = 0;

	lab->results = lab->ok = lab->peak = lab->started = lab->most_waiting = 0;
	lab->done = false;
	lab->boots[0] = lab->what[0] = '\0';
	assert_int_equal(
		pctl_inventory_select(lab->world.inventory, &selection, &chosen, &n, problems), 0);
	assert_int_equal(pctl_run_new(lab->world.core, lab->world.inventory, chosen, n, request,
				 &lab->run, problems),
		0);
	free(chosen);
	pctl_problems_free(problems);
	pctl_run_start(lab->run, &callbacks);
}

static void run(const char *nodes, struct pctl_request request)
{
	begin(nodes, &request);
	assert_int_equal(uv_run(&lab->world.loop, UV_RUN_DEFAULT), 0);
	assert_true(lab->done);
	assert_int_equal(lab->waiting, 0);
}

static void test_verbs_hold_the_limits(void **state)
{
	(void)state;
	run("n[1-10]", VERB(PCTL_VERB_ON));
	assert_int_equal(lab->ok, 10);
	assert_int_equal(lab->peak, 2);
	assert_int_equal(lab->started, 10);
	assert_true(lab->most_waiting > 0);
	assert_string_equal(lab->what, "a place in two (2 at once)");
	run("n[1-10]", VERB(PCTL_VERB_RESET));
	assert_int_equal(lab->peak, 2);
	run("n[1-10]", VERB(PCTL_VERB_REBOOT));
	assert_int_equal(lab->peak, 2);
	run("n[1-10]", VERB(PCTL_VERB_REBOOT, .soft = true));
	assert_int_equal(lab->peak, 2);
	run("u[1-4],n[35-40]", VERB(PCTL_VERB_ON));
	assert_int_equal(lab->ok, 10);
	assert_int_equal(lab->peak, 10); /* or the test would see nothing */
	assert_int_equal(lab->most_waiting, 0);
}

static void test_what_starts_nothing_is_free(void **state)
{
	(void)state;
	for (size_t i = 0; i < 44; i++)
		lab->machines[i].on = true;
	run("n[1-10]", VERB(PCTL_VERB_ON)); /* is on */
	assert_int_equal(lab->most_waiting + lab->started, 0);
	for (size_t i = 0; i < 10; i++)
		assert_int_equal(lab->machines[i].reads, 1);
	run("n[1-10]", VERB(PCTL_VERB_NMI, .max_at_once = 1));
	assert_int_equal(lab->most_waiting, 0);
	run("n[1-10]", VERB(PCTL_VERB_RESET, .dry_run = true, .max_at_once = 1));
	assert_int_equal(lab->most_waiting, 0);
	assert_string_equal(lab->boots, "");
	run("n[1-10]", VERB(PCTL_VERB_OFF, .max_at_once = 1));
	assert_int_equal(lab->most_waiting, 0);
	assert_int_equal(lab->ok, 10);
}

static void test_options_tighten_and_never_loosen(void **state)
{
	(void)state;
	run("n[1-8],u[1-4]", VERB(PCTL_VERB_ON, .max_at_once = 1));
	assert_int_equal(lab->peak, 1);
	assert_int_equal(lab->ok, 12);
	run("n[1-8]", VERB(PCTL_VERB_RESET, .max_at_once = 7));
	assert_int_equal(lab->peak, 2);
	/* Since they were asked for: one may be late on a busy machine, and the next one on time.
	 */
	uint64_t asked = pctl_places_clock();
	run("u[1-4]", VERB(PCTL_VERB_RESET, .stagger_ms = 30));
	for (size_t i = 1; i < 4; i++)
		assert_true(lab->at[i] >= asked + 30 * i);
	asked = pctl_places_clock();
	run("n[31-34]", VERB(PCTL_VERB_ON, .stagger_ms = 1));
	for (size_t i = 1; i < 4; i++)
		assert_true(lab->at[i] >= asked + 60 * i);
}

static void test_the_unlimited_go_ahead(void **state)
{
	(void)state;
	run("n[1-20],u[1-4]", VERB(PCTL_VERB_ON, .fanout = 3));
	assert_int_equal(lab->ok, 24);
	/* With three at a time, waiting ones that kept their slot would be in the way of all. */
	for (size_t i = 20; i < 24; i++)
		assert_true(lab->order[i] < 20);
}

/* One after the other, each did these. */
static void each_did(const char *const *words)
{
	char wanted[400] = "";

	for (size_t i = 0; i < lab->started; i++)
		for (const char *const *word = words; *word; word++) {
			size_t len = strlen(wanted);

			(void)snprintf(
				wanted + len, sizeof(wanted) - len, "%s%zu ", *word, lab->order[i]);
		}
	assert_int_equal(lab->started, 3);
	assert_string_equal(lab->boots, wanted);
}

/* Boot devices are set right before the start, and a machine stays on until it is its turn. */
static void test_nothing_is_sent_before_the_turn(void **state)
{
	static const char *const boot[] = { "boot", "on", NULL };
	static const char *const reboot[] = { "cycle", "off", "on", NULL };

	(void)state;
	run("n[1-3]", VERB(PCTL_VERB_BOOT, .boot = { .device = PCTL_BOOT_PXE }, .max_at_once = 1));
	each_did(boot);
	lab->no_cycle = true;
	run("n[1-3]", VERB(PCTL_VERB_REBOOT, .max_at_once = 1));
	each_did(reboot);
}

/* Somebody turned it on while it waited: it is read again. */
static void test_the_state_is_read_again(void **state)
{
	struct pctl_request request = VERB(PCTL_VERB_ON, .max_at_once = 1);

	(void)state;
	lab->hold = true;
	begin("n[1-3]", &request);
	while (lab->waiting < 2)
		(void)uv_run(&lab->world.loop, UV_RUN_ONCE);
	for (size_t i = 0; i < 3; i++)
		lab->machines[i].on = !lab->machines[i].starting;
	lab->hold = false;
	(void)uv_run(&lab->world.loop, UV_RUN_DEFAULT);
	assert_int_equal(lab->ok, 3);
	assert_int_equal(lab->started, 1);
}

static void test_the_end_comes_while_they_wait(void **state)
{
	struct pctl_request request = VERB(PCTL_VERB_ON);

	(void)state;
	lab->hold = true;
	request.deadline_ms = 500;
	begin("n[1-6]", &request);
	(void)uv_run(&lab->world.loop, UV_RUN_DEFAULT);
	assert_int_equal(lab->results, 6);
	assert_int_equal(lab->started, 2);
	assert_int_equal(lab->waiting, 0);
	assert_int_equal(lab->unsent, 4);
	request.deadline_ms = 0;
	begin("n[31-34]", &request);
	while (lab->waiting < 3)
		(void)uv_run(&lab->world.loop, UV_RUN_ONCE);
	pctl_run_cancel(lab->run);
	(void)uv_run(&lab->world.loop, UV_RUN_DEFAULT);
	assert_int_equal(lab->results, 4);
	assert_true(lab->started <= 1);
}

/* What was sent and not seen to its end still counts: for a while nobody takes its place. */
static void test_no_wait_keeps_the_place(void **state)
{
	struct pctl_request request = VERB(PCTL_VERB_ON, .no_wait = true, .deadline_ms = 500);

	(void)state;
	begin("n[1-6]", &request);
	(void)uv_run(&lab->world.loop, UV_RUN_DEFAULT);
	assert_int_equal(lab->ok, 2);
	assert_int_equal(lab->started, 2);
	begin("n[7-8]", &request);
	(void)uv_run(&lab->world.loop, UV_RUN_DEFAULT);
	assert_int_equal(lab->started, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_places_go_in_the_order_of_the_line),
		TEST(test_no_limit_is_none),
		TEST(test_overlapping_groups),
		TEST(test_starts_are_apart),
		TEST(test_what_nobody_saw_the_end_of),
		TEST(test_places_of_a_process_that_was_killed),
		TEST(test_nonsense_in_the_file),
		TEST(test_a_file_that_cannot_be),
		TEST(test_limits_of_a_node),
		TEST(test_verbs_hold_the_limits),
		TEST(test_what_starts_nothing_is_free),
		TEST(test_options_tighten_and_never_loosen),
		TEST(test_the_unlimited_go_ahead),
		TEST(test_nothing_is_sent_before_the_turn),
		TEST(test_the_state_is_read_again),
		TEST(test_the_end_comes_while_they_wait),
		TEST(test_no_wait_keeps_the_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
