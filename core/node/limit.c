/* SPDX-License-Identifier: Apache-2.0 */
#include "node/limit.h"

#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/jitter.h"
#include "keep/places.h"

#define POLL_MS    200u   /* how often places of other processes are looked at */
#define AGAIN_MS   5u     /* another process reads or writes the time of the latest start */
#define PLACES_MAX 65536u /* more than that is no limit */
#define NO_PLACE   SIZE_MAX

struct pctl_limit {
	struct pctl_limits *room;
	struct pctl_inventory_limit is; /* its numbers, and what it is called */
	char *name;
	struct pctl_places *shared; /* NULL: a command's own */

	/* Its places: held by this process; where it is its own also until when they are kept. */
	struct pctl_limit_place {
		bool held;
		uint64_t kept;
	} * places;
	size_t cap, held, cursor;

	struct pctl_ticket *first, *last; /* who waits */
	uint64_t entered, started;        /* when the latest came in; a command's own: started */
	uint64_t due;                     /* when to look again; 0: when somebody gives back */
	bool told;                        /* that others are in the way */
	struct pctl_limit *next;
};

struct pctl_limit_step {
	struct pctl_limit *limit;
	size_t place;
};

/* Everybody goes through the limits in the order of the list, so that nobody waits in a circle. */
struct pctl_limits {
	uv_timer_t timer; /* for the earliest that is due */
	struct pctl_limit *groups, *own;
	pctl_closed_fn *closed;
	void *data;
};

/* --- One limit: whether the next one may come in. --------------------------------------------- */

static uint64_t latest_start(struct pctl_limit *l, uint64_t now)
{
	return l->shared ? pctl_places_last(l->shared, now) : l->started;
}

/* When the next start may be. */
static uint64_t next_start(struct pctl_limit *l, uint64_t now)
{
	uint64_t last = l->is.stagger_ms ? latest_start(l, now) : 0;

	return last ? last + l->is.stagger_ms : now;
}

static bool take_one(struct pctl_limit *l, size_t i, uint64_t now, uint64_t *ret_until)
{
	if (l->shared)
		return pctl_places_take(l->shared, i, now, PCTL_UNSEEN_MS, ret_until);
	*ret_until = l->places[i].kept;
	return l->places[i].kept <= now;
}

/* Another process has what is in the way: its end is not heard of, so it is looked for. */
static void wait_for_others(struct pctl_limit *l, struct pctl_ticket *t, uint64_t now)
{
	char holder[200], what[400], words[200];
	uint64_t poll = now + pctl_jitter(POLL_MS);

	l->due = l->due && l->due < poll ? l->due : poll;
	pctl_places_wait(l->shared, true);
	if (l->told || !pctl_places_holder(l->shared, l->is.max_at_once, holder, sizeof(holder)))
		return;
	l->told = true;
	(void)snprintf(
		what, sizeof(what), "%s: %s", pctl_ticket_words(t, words, sizeof(words)), holder);
	t->held_up(t, what);
}

static bool take_place(struct pctl_limit *l, struct pctl_ticket *t, uint64_t now)
{
	size_t n = l->is.max_at_once;
	bool others = false;

	l->due = 0;
	t->steps[t->entered].place = NO_PLACE;
	if (!n)
		return true;
	for (size_t k = 0; k < n && l->held < n; k++) {
		size_t i = (l->cursor + k) % n;
		uint64_t until;

		if (l->places[i].held)
			continue;
		if (take_one(l, i, now, &until)) {
			l->cursor = i + 1;
			l->places[i].held = true;
			l->held++;
			t->steps[t->entered].place = i;
			return true;
		}
		others |= !until;
		if (until && (!l->due || until < l->due))
			l->due = until;
	}
	if (others)
		wait_for_others(l, t, now);
	return false;
}

/* Whether the ticket, which is the next one, comes in. If not, l->due says when it may be so. */
static bool enter(struct pctl_limit *l, struct pctl_ticket *t, uint64_t now)
{
	uint64_t at = next_start(l, now);

	if (l->entered && l->entered + l->is.stagger_ms > at)
		at = l->entered + l->is.stagger_ms;
	if (at > now) {
		l->due = at;
		return false;
	}
	if (!take_place(l, t, now))
		return false;
	l->entered = now;
	return true;
}

/* --- The line. -------------------------------------------------------------------------------- */

static void stand_in_line(struct pctl_limit *l, struct pctl_ticket *t)
{
	t->waits = t->waited = true;
	t->before = l->last;
	t->behind = NULL;
	if (l->last)
		l->last->behind = t;
	else
		l->first = t;
	l->last = t;
}

static void leave_line(struct pctl_ticket *t)
{
	struct pctl_limit *l = t->steps[t->entered].limit;

	*(t->before ? &t->before->behind : &l->first) = t->behind;
	*(t->behind ? &t->behind->before : &l->last) = t->before;
	t->before = t->behind = NULL;
	t->waits = false;
	if (l->first)
		return;
	l->due = 0;
	l->told = false;
	if (l->shared)
		pctl_places_wait(l->shared, false);
}

/*
 * Where other processes wait as well, what is given back is not taken at once by who gave it: all
 * of them look for it from time to time, and take a part of what they find.
 */
static bool others_wait(struct pctl_limit *l)
{
	return l->shared && l->is.max_at_once && pctl_places_others_wait(l->shared);
}

/* On through the limits; false: it stands in line. */
static bool go_on(struct pctl_ticket *t, uint64_t now)
{
	while (t->entered < t->n) {
		struct pctl_limit *l = t->steps[t->entered].limit;
		bool in_turn = !l->first;

		if (in_turn && others_wait(l)) {
			l->due = now + pctl_jitter(POLL_MS);
			in_turn = false;
		}
		if (!in_turn || !enter(l, t, now)) {
			stand_in_line(l, t);
			return false;
		}
		t->entered++;
	}
	return true;
}

/* Lets in who may. */
static void let_in(struct pctl_limit *l, uint64_t now)
{
	size_t most = others_wait(l) ? 1 + l->is.max_at_once / 8 : SIZE_MAX;

	for (struct pctl_ticket *t = l->first; t; t = l->first) {
		if (!most--) {
			l->due = now + pctl_jitter(POLL_MS);
			break;
		}
		if (!enter(l, t, now))
			break;
		leave_line(t);
		t->entered++;
		if (go_on(t, now))
			t->granted(t);
	}
}

static void wake(struct pctl_limits *room);

static void on_timer(uv_timer_t *timer)
{
	struct pctl_limits *room = timer->data;
	uint64_t now = pctl_places_clock();

	for (struct pctl_limit *l = room->groups; l; l = l->next)
		if (l->due && l->due <= now)
			let_in(l, now);
	for (struct pctl_limit *l = room->own; l; l = l->next)
		if (l->due && l->due <= now)
			let_in(l, now);
	wake(room);
}

static uint64_t earliest(const struct pctl_limit *l, uint64_t due)
{
	for (; l; l = l->next)
		if (l->due && (!due || l->due < due))
			due = l->due;
	return due;
}

/* Sets the timer for what is due next. */
static void wake(struct pctl_limits *room)
{
	uint64_t due = earliest(room->own, earliest(room->groups, 0));
	uint64_t now = pctl_places_clock();

	if (due)
		(void)uv_timer_start(&room->timer, on_timer, due > now ? due - now : 0, 0);
	else
		(void)uv_timer_stop(&room->timer);
}

/* --- Life. ------------------------------------------------------------------------------------ */

struct pctl_limits *pctl_limits_new(uv_loop_t *loop)
{
	struct pctl_limits *room = pctl_xcalloc(1, sizeof(*room));

	(void)uv_timer_init(loop, &room->timer);
	room->timer.data = room;
	return room;
}

static struct pctl_limit **link_to(struct pctl_limit **list, const struct pctl_limit *limit)
{
	while (*list && *list != limit)
		list = &(*list)->next;
	return list;
}

static void free_limit(struct pctl_limit *l)
{
	pctl_places_free(l->shared);
	free(l->places);
	free(l->name);
	free(l);
}

void pctl_limit_free(struct pctl_limit *limit)
{
	if (!limit)
		return;
	struct pctl_limit **link = link_to(&limit->room->own, limit);
	*link = limit->next;
	free_limit(limit);
}

static void on_timer_closed(uv_handle_t *handle)
{
	struct pctl_limits *room = handle->data;
	pctl_closed_fn *closed = room->closed;
	void *data = room->data;

	while (room->groups) {
		struct pctl_limit *l = room->groups;

		room->groups = l->next;
		free_limit(l);
	}
	free(room);
	closed(data);
}

void pctl_limits_close(struct pctl_limits *limits, pctl_closed_fn *closed, void *data)
{
	limits->closed = closed;
	limits->data = data;
	uv_close((uv_handle_t *)&limits->timer, on_timer_closed);
}

/* Another inventory may have other numbers: who is in stays in. */
static void set_numbers(struct pctl_limit *l, const struct pctl_inventory_limit *is)
{
	size_t had = l->cap;

	l->is = *is;
	l->is.group = l->name;
	if (l->is.max_at_once >= PLACES_MAX)
		l->is.max_at_once = 0;
	if (l->is.max_at_once <= had)
		return;
	l->places = pctl_xgrow(l->places, &l->cap, l->is.max_at_once, sizeof(*l->places));
	memset(l->places + had, 0, (l->cap - had) * sizeof(*l->places));
}

static struct pctl_limit *insert(
	struct pctl_limits *room, struct pctl_limit **link, const struct pctl_inventory_limit *is)
{
	struct pctl_limit *l = pctl_xcalloc(1, sizeof(*l));

	l->room = room;
	l->name = pctl_xstrdup(is->group);
	l->next = *link;
	*link = l;
	return l;
}

struct pctl_limit *pctl_limit_new(
	struct pctl_limits *limits, const struct pctl_inventory_limit *limit)
{
	struct pctl_limit *l = insert(limits, link_to(&limits->own, NULL), limit);

	set_numbers(l, limit);
	return l;
}

/* The limit of a group: of the same name is the same one, whichever inventory it stands in. */
static struct pctl_limit *of_group(struct pctl_limits *room, const struct pctl_inventory_limit *is)
{
	struct pctl_limit **link = &room->groups;

	while (*link && strcmp((*link)->name, is->group) < 0)
		link = &(*link)->next;
	if (!*link || strcmp((*link)->name, is->group) != 0)
		insert(room, link, is)->shared = pctl_places_new(is->group);
	if ((*link)->is.max_at_once != is->max_at_once || (*link)->is.stagger_ms != is->stagger_ms)
		set_numbers(*link, is);
	return *link;
}

size_t pctl_limits_count(const struct pctl_limits *limits)
{
	size_t n = 0;

	for (const struct pctl_limit *l = limits->groups; l; l = l->next)
		n++;
	return n;
}

/* --- A node. ---------------------------------------------------------------------------------- */

void pctl_ticket_init(struct pctl_ticket *t, struct pctl_limits *limits,
	const struct pctl_inventory *inventory, size_t node, struct pctl_limit *own)
{
	const struct pctl_inventory_limit *is;
	size_t cap = 0;

	for (size_t i = 0; (is = pctl_inventory_limit_of(inventory, node, i)); i++) {
		t->steps = pctl_xgrow(t->steps, &cap, t->n + 1, sizeof(*t->steps));
		t->steps[t->n++].limit = of_group(limits, is);
	}
	if (!own)
		return;
	t->steps = pctl_xgrow(t->steps, &cap, t->n + 1, sizeof(*t->steps));
	t->steps[t->n++].limit = own;
}

void pctl_ticket_done(struct pctl_ticket *t)
{
	free(t->steps);
	t->steps = NULL;
	t->n = 0;
}

int pctl_ticket_take(struct pctl_ticket *t, struct pctl_error *err)
{
	for (size_t i = 0; i < t->n; i++) {
		struct pctl_places *shared = t->steps[i].limit->shared;
		int r = shared ? pctl_places_open(shared, err) : 0;

		if (r < 0)
			return r;
	}
	if (go_on(t, pctl_places_clock()))
		return 1;
	wake(t->steps[0].limit->room);
	return 0;
}

const char *pctl_ticket_words(const struct pctl_ticket *t, char *buf, size_t size)
{
	size_t i = t->entered < t->n ? t->entered : t->n - 1;
	char limit[160];

	(void)snprintf(buf, size, "a place in %s",
		pctl_inventory_limit_words(&t->steps[i].limit->is, limit, sizeof(limit)));
	return buf;
}

static void unlock_times(struct pctl_ticket *t, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (t->steps[i].limit->shared && t->steps[i].limit->is.stagger_ms)
			pctl_places_unlock(t->steps[i].limit->shared);
}

static bool lock_times(struct pctl_ticket *t)
{
	for (size_t i = 0; i < t->n; i++) {
		struct pctl_limit *l = t->steps[i].limit;

		if (l->shared && l->is.stagger_ms && !pctl_places_lock(l->shared)) {
			unlock_times(t, i);
			return false;
		}
	}
	return true;
}

static void set_latest_start(struct pctl_limit *l, uint64_t now)
{
	l->started = now;
	if (l->shared && l->is.stagger_ms)
		pctl_places_set_last(l->shared, now);
}

uint64_t pctl_ticket_send(struct pctl_ticket *t)
{
	if (!lock_times(t))
		return AGAIN_MS;
	uint64_t now = pctl_places_clock(), at = now;
	for (size_t i = 0; i < t->n; i++) {
		uint64_t next = next_start(t->steps[i].limit, now);

		at = next > at ? next : at;
	}
	if (at == now) {
		for (size_t i = 0; i < t->n; i++)
			set_latest_start(t->steps[i].limit, now);
		t->sent = now;
	}
	unlock_times(t, t->n);
	return at - now;
}

static void give_one(struct pctl_limit *l, size_t i, uint64_t keep_until)
{
	if (i == NO_PLACE)
		return;
	l->places[i] = (struct pctl_limit_place){ .kept = keep_until };
	l->held--;
	if (l->shared)
		pctl_places_give(l->shared, i, keep_until);
}

void pctl_ticket_give(struct pctl_ticket *t, bool unseen)
{
	uint64_t now = pctl_places_clock();
	uint64_t keep_until = unseen && t->sent ? t->sent + PCTL_UNSEEN_MS : 0;

	if (!t->n)
		return;
	if (t->waits)
		leave_line(t);
	for (; t->entered > 0; t->entered--) {
		struct pctl_limit *l = t->steps[t->entered - 1].limit;

		give_one(l, t->steps[t->entered - 1].place, keep_until);
		if (l->first)
			l->due = others_wait(l) ? now + pctl_jitter(POLL_MS) : now;
	}
	t->sent = 0;
	wake(t->steps[0].limit->room);
}
