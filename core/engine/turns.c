/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/turns.h"

#include <powerctl/mem.h>

struct machine {
	struct pctl_turn_line waiting; /* other names of the one that is at it or in line */
};

struct endpoint {
	struct pctl_turn_line waiting; /* each of another machine */
	uint32_t going;
	bool proved;
};

static void push(struct pctl_turn_line *line, const struct pctl_turn *turn)
{
	line->v = pctl_xgrow(line->v, &line->cap, line->n + 1, sizeof(*line->v));
	line->v[line->n++] = *turn;
}

static bool is_empty(const struct pctl_turn_line *line)
{
	return line->next == line->n;
}

static bool pop(struct pctl_turn_line *line, struct pctl_turn *ret)
{
	if (is_empty(line))
		return false;
	*ret = line->v[line->next++];
	if (is_empty(line))
		line->n = line->next = 0;
	return true;
}

static void free_machine(void *data, const char *key, void *value)
{
	struct machine *m = value;

	(void)data, (void)key;
	free(m->waiting.v);
	free(m);
}

static void free_endpoint(void *data, const char *key, void *value)
{
	struct endpoint *e = value;

	(void)data, (void)key;
	free(e->waiting.v);
	free(e);
}

void pctl_turns_done(struct pctl_turns *turns)
{
	pctl_strmap_each(&turns->endpoints, free_endpoint, NULL);
	pctl_strmap_each(&turns->machines, free_machine, NULL);
	pctl_strmap_done(&turns->endpoints);
	pctl_strmap_done(&turns->machines);
	free(turns->called.v);
	free(turns->begun.v);
}

static bool has_room(const struct endpoint *e, const struct pctl_target *target)
{
	uint32_t max = e->proved ? pctl_target_max_in_flight(target) : 1;

	return e->going < (max ? max : 1);
}

static void call(struct pctl_turns *turns, const struct pctl_turn *turn)
{
	push(turn->who ? &turns->begun : &turns->called, turn);
}

/* Calls those whose turn has come. */
static void advance(struct pctl_turns *turns, struct endpoint *e)
{
	struct pctl_turn turn;

	while (!is_empty(&e->waiting) && has_room(e, e->waiting.v[e->waiting.next].target) &&
		pop(&e->waiting, &turn)) {
		e->going++;
		call(turns, &turn);
	}
}

static bool enter(struct pctl_turns *turns, const struct pctl_turn *turn)
{
	void **place = pctl_strmap_put(&turns->endpoints, turn->target->endpoint);

	if (!*place)
		*place = pctl_xcalloc(1, sizeof(struct endpoint));
	struct endpoint *e = *place;
	if (!is_empty(&e->waiting) || !has_room(e, turn->target)) {
		push(&e->waiting, turn);
		return false;
	}
	e->going++;
	return true;
}

static void leave(struct pctl_turns *turns, const struct pctl_target *target)
{
	struct endpoint *e = pctl_strmap_get(&turns->endpoints, target->endpoint);

	e->going--;
	advance(turns, e);
	if (e->going)
		return;
	(void)pctl_strmap_remove(&turns->endpoints, target->endpoint);
	free_endpoint(NULL, NULL, e);
}

static bool claim(struct pctl_turns *turns, const struct pctl_turn *turn)
{
	void **place = pctl_strmap_put(&turns->machines, turn->target->machine);
	struct machine *m = *place;

	if (m) {
		push(&m->waiting, turn);
		return false;
	}
	*place = pctl_xcalloc(1, sizeof(struct machine));
	return true;
}

/* The next one has it, and goes on to the endpoint if that is what it asked for as well. */
static void unclaim(struct pctl_turns *turns, const struct pctl_target *target)
{
	struct machine *m = pctl_strmap_get(&turns->machines, target->machine);
	struct pctl_turn other;

	if (!pop(&m->waiting, &other)) {
		(void)pctl_strmap_remove(&turns->machines, target->machine);
		free_machine(NULL, NULL, m);
	} else if (!(other.parts & PCTL_TURN_ENDPOINT) || enter(turns, &other)) {
		call(turns, &other);
	}
}

bool pctl_turns_take(struct pctl_turns *turns, const struct pctl_turn *turn)
{
	if ((turn->parts & PCTL_TURN_MACHINE) && !claim(turns, turn))
		return false;
	return !(turn->parts & PCTL_TURN_ENDPOINT) || enter(turns, turn);
}

bool pctl_turns_next(struct pctl_turns *turns, bool nodes, struct pctl_turn *ret)
{
	return pop(&turns->begun, ret) || (nodes && pop(&turns->called, ret));
}

/* The machine first: whoever waits for it is before those that wait for the endpoint from now on.
 */
void pctl_turns_give(struct pctl_turns *turns, const struct pctl_target *target, unsigned parts)
{
	if (parts & PCTL_TURN_MACHINE)
		unclaim(turns, target);
	if (parts & PCTL_TURN_ENDPOINT)
		leave(turns, target);
}

void pctl_turns_proved(struct pctl_turns *turns, const struct pctl_target *target)
{
	struct endpoint *e = pctl_strmap_get(&turns->endpoints, target->endpoint);

	if (e->proved)
		return;
	e->proved = true;
	advance(turns, e);
}
