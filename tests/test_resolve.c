/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, looked up by a resolver that is made up: "dead..." gets no answer until the test lets it,
 * "none..." does not exist, "slow..." takes its time, all else has an address. It stands in for the
 * system's, which libuv's threads call.
 */
#include "run_help.h"

#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <unistd.h>

#include "node/resolve.h"

#define WAITERS 200u

static struct {
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	unsigned calls;
	bool open; /* the dead are let go */
} names = { .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

static bool begins(const char *name, const char *start)
{
	return strncmp(name, start, strlen(start)) == 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) int getaddrinfo(
	const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **ret)
{
	struct {
		struct addrinfo info;
		struct sockaddr_in addr;
	} * made;

	(void)service, (void)hints;
	(void)pthread_mutex_lock(&names.mutex);
	names.calls++;
	while (begins(name, "dead") && !names.open)
		(void)pthread_cond_wait(&names.changed, &names.mutex);
	(void)pthread_mutex_unlock(&names.mutex);
	if (begins(name, "dead"))
		return EAI_AGAIN;
	if (begins(name, "slow"))
		(void)usleep(10000);
	if (begins(name, "none"))
		return EAI_NONAME;
	made = pctl_xcalloc(1, sizeof(*made));
	made->addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = 0 };
	made->addr.sin_addr.s_addr = htonl(0x7f000000u + (uint32_t)strlen(name));
	made->info = (struct addrinfo){ .ai_family = AF_INET,
		.ai_addrlen = sizeof(made->addr),
		.ai_addr = (struct sockaddr *)&made->addr };
	*ret = &made->info;
	return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name) */
__attribute__((visibility("default"))) void freeaddrinfo(struct addrinfo *res)
{
	free(res);
}

static unsigned calls(void)
{
	(void)pthread_mutex_lock(&names.mutex);
	unsigned n = names.calls;
	(void)pthread_mutex_unlock(&names.mutex);
	return n;
}

static void let_dead_go(bool open)
{
	(void)pthread_mutex_lock(&names.mutex);
	names.open = open;
	(void)pthread_cond_broadcast(&names.changed);
	(void)pthread_mutex_unlock(&names.mutex);
}

/* --- Those who ask. --------------------------------------------------------------------------- */

struct asker {
	struct pctl_asking asking;
	unsigned told, *turn, at; /* at: as the how-manieth it was told */
	int status;
	bool found;
};

struct lab {
	uv_loop_t loop;
	struct pctl_resolver *resolver;
	struct asker askers[WAITERS];
	unsigned turn;
};

static void note(struct pctl_asking *asking, const struct sockaddr *addr, int status)
{
	struct asker *a = pctl_container_of(asking, struct asker, asking);

	a->told++;
	a->at = ++*a->turn;
	a->status = status;
	a->found = addr != NULL;
}

static int setup(void **state)
{
	struct lab *lab = pctl_xcalloc(1, sizeof(*lab));

	names.calls = 0;
	let_dead_go(false);
	assert_int_equal(uv_loop_init(&lab->loop), 0);
	lab->resolver = pctl_resolver_new(&lab->loop);
	for (size_t i = 0; i < WAITERS; i++)
		lab->askers[i] = (struct asker){ .turn = &lab->turn, .asking.resolved = note };
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	pctl_resolver_free(lab->resolver);
	let_dead_go(true);
	assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&lab->loop), 0); /* nothing left behind */
	free(lab);
	return 0;
}

static int ask(struct lab *lab, size_t i, const char *name)
{
	struct sockaddr_storage addr;

	return pctl_resolve(lab->resolver, name, &lab->askers[i].asking, &addr);
}

static void run_until_told(struct lab *lab, unsigned n)
{
	while (lab->turn < n)
		(void)uv_run(&lab->loop, UV_RUN_ONCE);
}

/* --- Tests. ----------------------------------------------------------------------------------- */

static void test_one_lookup_for_all_who_ask(void **state)
{
	struct lab *lab = *state;

	for (size_t i = 0; i < WAITERS; i++)
		assert_int_equal(ask(lab, i, "bmc"), 0);
	assert_int_equal(lab->turn, 0); /* never from within */
	run_until_told(lab, WAITERS);
	for (size_t i = 0; i < WAITERS; i++) {
		assert_true(lab->askers[i].found);
		assert_int_equal(lab->askers[i].at, i + 1);
	}
	assert_int_equal(ask(lab, 0, "bmc"), 1); /* known by now */
	assert_int_equal(calls(), 1);
}

static void test_no_such_name(void **state)
{
	struct lab *lab = *state;

	assert_int_equal(ask(lab, 0, "none"), 0);
	assert_int_equal(ask(lab, 1, "none"), 0);
	run_until_told(lab, 2);
	assert_false(lab->askers[1].found);
	assert_int_equal(lab->askers[1].status, UV_EAI_NONAME);
	assert_int_equal(ask(lab, 2, "none"), UV_EAI_NONAME);
	assert_int_equal(calls(), 1);
}

/* No name at all: said at once, and no thread sees it. */
static void test_what_cannot_be_a_name(void **state)
{
	struct lab *lab = *state;
	char name[400];

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_true(ask(lab, 0, name) < 0);
	assert_int_equal(ask(lab, 1, "bmc"), 0);
	run_until_told(lab, 1);
	assert_int_equal(calls(), 1);
}

static void test_who_leaves_is_not_told(void **state)
{
	struct lab *lab = *state;

	for (size_t i = 0; i < 4; i++)
		assert_int_equal(ask(lab, i, "bmc"), 0);
	pctl_asking_leave(&lab->askers[0].asking);
	pctl_asking_leave(&lab->askers[3].asking);
	pctl_asking_leave(&lab->askers[3].asking);
	assert_int_equal(ask(lab, 4, "bmc"), 0);
	run_until_told(lab, 3);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(lab->askers[i].told, i == 0 || i == 3 ? 0 : 1);
}

/* Names that nobody waits for any more are not looked up; the others go on. */
static void test_a_queue_that_was_left(void **state)
{
	struct lab *lab = *state;
	char name[32];

	for (size_t i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "dead%zu", i);
		assert_int_equal(ask(lab, i, name), 0);
	}
	assert_int_equal(ask(lab, 100, "bmc"), 0);
	for (size_t i = 0; i < 100; i++)
		pctl_asking_leave(&lab->askers[i].asking);
	let_dead_go(true);
	run_until_told(lab, 1);
	assert_true(lab->askers[100].found);
	assert_true(calls() < 20); /* the threads' number of dead ones, and the one */
}

/* While others are answered, whoever waits for a thread has all its time before it. */
static void test_when_to_give_up(void **state)
{
	struct lab *lab = *state;
	uint64_t limit = 5000, begun = uv_now(&lab->loop);
	char name[32];

	for (size_t i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "dead%zu", i);
		assert_int_equal(ask(lab, i, name), 0);
	}
	assert_int_equal(pctl_asking_due(&lab->askers[0].asking, limit), begun + limit);
	assert_int_equal(pctl_asking_due(&lab->askers[99].asking, limit), begun + limit);

	/* Much later, still silent: the next one needs no other five seconds to know. */
	while (uv_now(&lab->loop) < begun + 50)
		(void)uv_run(&lab->loop, UV_RUN_NOWAIT);
	uint64_t now = uv_now(&lab->loop);
	assert_int_equal(ask(lab, 100, "bmc"), 0);
	assert_int_equal(pctl_asking_due(&lab->askers[100].asking, 30), now + 30);
	assert_int_equal(
		pctl_asking_due(&lab->askers[100].asking, 1020), now + PCTL_RESOLVE_GRACE_MS);

	/* The silence ends: an answer gives those who wait their time anew. */
	pctl_asking_leave(&lab->askers[50].asking);
	let_dead_go(true);
	run_until_told(lab, 100);
	assert_true(lab->askers[100].found);
	assert_int_equal(lab->askers[99].status, UV_EAI_AGAIN);
}

/* --- In a run. -------------------------------------------------------------------------------- */

static void answer_on(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	(void)dev, (void)flags;
	ret->state = PCTL_POWER_ON;
	pctl_op_done(op);
}

static const struct pctl_power_if fake_power = {
	.size = sizeof(fake_power), .get = answer_on, .act = NULL
};
static const struct pctl_property fake_properties[] = {
	PCTL_PROPERTY(.name = "port", .type = PCTL_TYPE_UINT, .max = 65535),
	{ 0 },
};
static const struct pctl_driver fake = {
	.size = sizeof(fake),
	.abi = PCTL_DRIVER_ABI,
	.name = "fake",
	.properties = fake_properties,
	.open = open_nothing,
	.close = close_nothing,
	.power = &fake_power,
	.default_port = 7,
};

struct tally {
	unsigned on, unreachable, done;
	char text[320];
};

static void count_result(void *data, const struct pctl_result *r)
{
	struct tally *tally = data;

	tally->on += r->ok;
	if (r->ok)
		return;
	tally->unreachable += r->error.code == PCTL_E_UNREACHABLE;
	(void)snprintf(tally->text, sizeof(tally->text), "%s", r->error.text);
}

static void count_done(void *data)
{
	((struct tally *)data)->done++;
}

static struct tally play_status(struct world *w)
{
	struct pctl_problems *problems = pctl_problems_new();
	const struct pctl_request request = { .verb = PCTL_VERB_STATUS };
	struct tally tally = { 0 };
	const struct pctl_run_callbacks callbacks = {
		.result = count_result, .done = count_done, .data = &tally
	};
	struct pctl_run *run = NULL;
	size_t n = pctl_inventory_count(w->inventory);
	PCTL_AUTO(free) size_t *nodes = pctl_xcalloc(n, sizeof(*nodes));

	for (size_t i = 0; i < n; i++)
		nodes[i] = i;
	assert_int_equal(
		pctl_run_new(w->core, w->inventory, nodes, n, &request, &run, problems), 0);
	pctl_problems_free(problems);
	pctl_run_start(run, &callbacks);
	while (!tally.done)
		(void)uv_run(&w->loop, UV_RUN_ONCE);
	return tally;
}

static void test_a_run_asks_once_per_name(void **state)
{
	struct world w;

	(void)state;
	names.calls = 0;
	world_init(&w, "nodes:\n"
		       "  a[1-300]: {driver: fake, address: shared, port: \"[1-300]\"}\n"
		       "  b[1-50]: {driver: fake, address: \"b[1-50]\"}\n"
		       "  c[1-50]: {driver: fake, address: \"127.0.0.[1-50]\"}\n"
		       "  d[1-2]: {driver: fake, address: none, port: \"[1-2]\"}\n");
	(void)world_enter(&w, &fake);
	struct tally t = play_status(&w);
	assert_int_equal(t.on, 400);
	assert_int_equal(t.unreachable, 2);
	assert_non_null(strstr(t.text, "no address for its name: "));
	assert_int_equal(calls(), 1 + 50 + 0 + 1);
	t = play_status(&w); /* the same command once more, as a console reconnects */
	assert_int_equal(t.on, 400);
	assert_int_equal(calls(), 1 + 50 + 0 + 1);
	world_done(&w);
}

/* A thousand dead names end when the first of them does, and hold up nobody with a number. */
static void test_a_dead_name_server(void **state)
{
	struct world w;

	(void)state;
	let_dead_go(false);
	world_init(&w, "defaults: {timeouts: {read: 3s}, fanout: 250}\n"
		       "nodes:\n"
		       "  d[1-1000]: {driver: fake, address: \"dead[1-1000]\"}\n"
		       "  c[1-50]: {driver: fake, address: \"127.0.0.[1-50]\"}\n");
	(void)world_enter(&w, &fake);
	uint64_t begun = uv_hrtime();
	struct tally t = play_status(&w);
	assert_int_equal(t.on, 50);
	assert_int_equal(t.unreachable, 1000);
	assert_non_null(strstr(t.text, "name servers do not answer"));
	assert_true((uv_hrtime() - begun) / 1000000 < 10000); /* one after the other: 12 s */
	let_dead_go(true);
	world_done(&w);
}

/* Slow name servers are no dead ones: all have their turn, however long that takes. */
static void test_a_slow_name_server(void **state)
{
	struct world w;

	(void)state;
	world_init(&w, "defaults: {timeouts: {read: 500ms}}\n"
		       "nodes:\n  s[1-400]: {driver: fake, address: \"slow[1-400]\"}\n");
	(void)world_enter(&w, &fake);
	struct tally t = play_status(&w);
	assert_int_equal(t.on, 400);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_lookup_for_all_who_ask, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_such_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_cannot_be_a_name, setup, teardown),
		cmocka_unit_test_setup_teardown(test_who_leaves_is_not_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_queue_that_was_left, setup, teardown),
		cmocka_unit_test_setup_teardown(test_when_to_give_up, setup, teardown),
		cmocka_unit_test(test_a_run_asks_once_per_name),
		cmocka_unit_test(test_a_dead_name_server),
		cmocka_unit_test(test_a_slow_name_server),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
