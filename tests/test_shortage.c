/* SPDX-License-Identifier: Apache-2.0 */
/* A host that has room for few nodes at a time: the others wait, and none fails for it. */
#include "run_help.h"

#include <errno.h>

#define ANSWER_MS 2u

static struct {
	unsigned slots, busy, asked, acted;
} host;

struct dev {
	uv_timer_t timer;
	struct pctl_op *op;
	pctl_closed_fn *closed;
	void *closed_data;
};

static void on_answer(uv_timer_t *timer)
{
	struct dev *dev = pctl_container_of(timer, struct dev, timer);

	host.busy--;
	pctl_op_done(dev->op);
}

static void fail_short(struct pctl_op *op)
{
	struct pctl_error err = { 0 };

	assert_true(pctl_error_shortage(&err, EMFILE));
	pctl_op_fail_error(op, &err);
}

static void stop_answer(struct pctl_op *op, void *work)
{
	struct dev *dev = work;

	(void)op;
	host.busy--;
	(void)uv_timer_stop(&dev->timer);
}

static void fake_get(void *data, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	struct dev *dev = data;

	(void)flags;
	host.asked++;
	ret->state = PCTL_POWER_ON;
	if (host.busy == host.slots) {
		fail_short(op);
		return;
	}
	host.busy++;
	dev->op = op;
	pctl_op_pending(op, stop_answer, dev);
	(void)uv_timer_start(&dev->timer, on_answer, ANSWER_MS, 0);
}

static void fake_act(void *data, struct pctl_op *op, enum pctl_action action)
{
	(void)data, (void)action;
	host.acted++;
	pctl_op_committed(op);
	fail_short(op);
}

static int fake_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	struct dev *dev = pctl_xcalloc(1, sizeof(*dev));

	(void)ctx, (void)err;
	(void)uv_timer_init(pctl_device_loop(device), &dev->timer);
	*ret_dev = dev;
	return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct dev *dev = pctl_container_of((uv_timer_t *)handle, struct dev, timer);
	pctl_closed_fn *closed = dev->closed;
	void *data = dev->closed_data;

	free(dev);
	closed(data);
}

static void fake_close(void *data, pctl_closed_fn *closed, void *closed_data)
{
	struct dev *dev = data;

	dev->closed = closed;
	dev->closed_data = closed_data;
	uv_close((uv_handle_t *)&dev->timer, on_timer_closed);
}

static const struct pctl_power_if fake_power = {
	.size = sizeof(fake_power),
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_RESET),
	.get = fake_get,
	.act = fake_act,
};
static const struct pctl_driver fake = {
	.size = sizeof(fake),
	.abi = PCTL_DRIVER_ABI,
	.name = "fake",
	.open = fake_open,
	.close = fake_close,
	.power = &fake_power,
};

/* --- A run over all nodes. -------------------------------------------------------------------- */

struct tally {
	unsigned ok, internal, other, attempts, done;
	size_t cancel_at;
	char text[320];
	struct pctl_run *run;
};

static void count_result(void *data, const struct pctl_result *r)
{
	struct tally *t = data;

	t->ok += r->ok;
	t->internal += r->error.code == PCTL_E_INTERNAL;
	t->other += !r->ok && r->error.code != PCTL_E_INTERNAL;
	t->attempts += r->attempts;
	(void)snprintf(t->text, sizeof(t->text), "%s", r->error.text);
	if (t->cancel_at && t->ok == t->cancel_at)
		pctl_run_cancel(t->run);
}

static void count_done(void *data)
{
	((struct tally *)data)->done++;
}

#define NODES 300u

static struct tally play(const struct pctl_request *request, unsigned slots, size_t cancel_at)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct tally t = { .cancel_at = cancel_at };
	const struct pctl_run_callbacks callbacks = {
		.result = count_result, .done = count_done, .data = &t
	};
	size_t nodes[NODES];
	struct world w;

	host.slots = slots;
	host.busy = host.asked = host.acted = 0;
	world_init(&w, "nodes:\n  n[1-300]: {driver: fake}\n");
	(void)world_enter(&w, &fake);
	for (size_t i = 0; i < NODES; i++)
		nodes[i] = i;
	assert_int_equal(
		pctl_run_new(w.core, w.inventory, nodes, NODES, request, &t.run, problems), 0);
	pctl_problems_free(problems);
	pctl_run_start(t.run, &callbacks);
	assert_int_equal(uv_run(&w.loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(t.done, 1);
	world_done(&w);
	return t;
}

/* --- Tests. ----------------------------------------------------------------------------------- */

static void test_all_have_their_turn(void **state)
{
	struct tally t = play(&VERB(PCTL_VERB_STATUS), 7, 0);

	(void)state;
	assert_int_equal(t.ok, NODES);
	assert_int_equal(t.attempts, NODES); /* what never left was no try */
	/* Once it is known that there is room for seven, no more go at a time. */
	assert_true(host.asked <= 2 * NODES + 7);
}

/* Waiting for room is queueing: a node's own time begins when it has some. */
static void test_the_wait_is_not_counted(void **state)
{
	struct pctl_request request = VERB(PCTL_VERB_STATUS, .timeout_ms = 200);
	struct tally t = play(&request, 1, 0); /* 300 times 2 ms */

	(void)state;
	assert_int_equal(t.ok, NODES);
}

static void test_no_room_at_all(void **state)
{
	struct tally t = play(&VERB(PCTL_VERB_STATUS), 0, 0);

	(void)state;
	assert_int_equal(t.internal, NODES);
	assert_non_null(strstr(t.text, "too many open files: lower --fanout"));
}

static void test_what_may_have_left_is_not_sent_again(void **state)
{
	struct tally t = play(&VERB(PCTL_VERB_RESET), NODES, 0);

	(void)state;
	assert_int_equal(t.ok, 0);
	assert_int_equal(host.acted, NODES);
}

static void test_interrupted_while_they_wait(void **state)
{
	struct tally t = play(&VERB(PCTL_VERB_STATUS), 5, 10);

	(void)state;
	assert_true(t.ok >= 10 && t.ok < 30);
	assert_int_equal(t.ok + t.other, NODES);
	assert_non_null(strstr(t.text, "interrupted; nothing was sent"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_have_their_turn),
		cmocka_unit_test(test_the_wait_is_not_counted),
		cmocka_unit_test(test_no_room_at_all),
		cmocka_unit_test(test_what_may_have_left_is_not_sent_again),
		cmocka_unit_test(test_interrupted_while_they_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
