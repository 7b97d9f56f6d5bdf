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

static void push(struct pctl_turn_line *line, const struct pctl_target *target)
{
	line->v = pctl_xgrow(line->v, &line->cap, line->n + 1, sizeof(struct pctl_target *));
	line->v[line->n++] = target;
}

static bool is_empty(const struct pctl_turn_line *line)
{
	return line->next == line->n;
}

static const struct pctl_target *pop(struct pctl_turn_line *line)
{
	if (is_empty(line))
		return NULL;
	const struct pctl_target *target = line->v[line->next++];
	if (is_empty(line))
		line->n = line->next = 0;
	return target;
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
}

static bool has_room(const struct endpoint *e, const struct pctl_target *target)
{
	uint32_t max = e->proved ? pctl_target_max_in_flight(target) : 1;

	return e->going < (max ? max : 1);
}

/* Calls those whose turn has come. */
static void advance(struct pctl_turns *turns, struct endpoint *e)
{
	while (!is_empty(&e->waiting) && has_room(e, e->waiting.v[e->waiting.next])) {
		e->going++;
		push(&turns->called, pop(&e->waiting));
	}
}

bool pctl_turns_take(struct pctl_turns *turns, const struct pctl_target *target)
{
	void **place = pctl_strmap_put(&turns->machines, target->machine);
	struct machine *m = *place;

	if (m) {
		push(&m->waiting, target);
		return false;
	}
	*place = pctl_xcalloc(1, sizeof(struct machine));
	place = pctl_strmap_put(&turns->endpoints, target->endpoint);
	if (!*place)
		*place = pctl_xcalloc(1, sizeof(struct endpoint));
	struct endpoint *e = *place;
	if (!is_empty(&e->waiting) || !has_room(e, target)) {
		push(&e->waiting, target);
		return false;
	}
	e->going++;
	return true;
}

const struct pctl_target *pctl_turns_next(struct pctl_turns *turns)
{
	return pop(&turns->called);
}

void pctl_turns_give(struct pctl_turns *turns, const struct pctl_target *target)
{
	struct machine *m = pctl_strmap_get(&turns->machines, target->machine);
	struct endpoint *e = pctl_strmap_get(&turns->endpoints, target->endpoint);
	const struct pctl_target *other = pop(&m->waiting);

	e->going--;
	if (other) {
		push(&e->waiting, other);
	} else {
		(void)pctl_strmap_remove(&turns->machines, target->machine);
		free_machine(NULL, NULL, m);
	}
	advance(turns, e);
	if (e->going)
		return;
	(void)pctl_strmap_remove(&turns->endpoints, target->endpoint);
	free_endpoint(NULL, NULL, e);
}

void pctl_turns_proved(struct pctl_turns *turns, const struct pctl_target *target)
{
	struct endpoint *e = pctl_strmap_get(&turns->endpoints, target->endpoint);

	if (e->proved)
		return;
	e->proved = true;
	advance(turns, e);
}
