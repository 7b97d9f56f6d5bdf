/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at and changing what is remembered of devices. A pin is the field KIND of a device's
 * line; what it showed instead when it was last refused is KIND?.
 */
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

#include "inventory/inventory.h"
#include "node/core.h"

#define PINS_MAX 64u

/* The line of the endpoint, and that of the machine where there is another one. */
#define PLACES ((size_t)2 * (PCTL_BINDINGS + PCTL_FEEDS_MAX))

struct pin_list {
	struct pctl_pin pins[PINS_MAX];
	const char *key[PINS_MAX]; /* the line that each stands in; among keys */
	size_t n;
	char *keys[PLACES];
	const char *interface[PLACES / 2]; /* that they are of */
	char feed[PLACES / 2][sizeof(((struct pctl_feed *)0)->name)];
	size_t places; /* in use */
	size_t place;  /* which of them collect() is at */
};

static void list_done(struct pin_list *list)
{
	for (size_t i = 0; i < PLACES; i++)
		free(list->keys[i]);
}

static struct pctl_pin *pin_of(struct pin_list *list, const char *kind, size_t len)
{
	const char *key = list->keys[list->place];

	for (size_t i = 0; i < list->n; i++)
		if (list->key[i] == key && strlen(list->pins[i].kind) == len &&
			strncmp(list->pins[i].kind, kind, len) == 0)
			return &list->pins[i];
	if (list->n == PINS_MAX)
		return NULL;
	list->key[list->n] = key;
	list->pins[list->n] = (struct pctl_pin){ .kind = kind,
		.interface = list->interface[list->place / 2],
		.shared = list->place % 2 == 0 && list->keys[list->place + 1] };
	memcpy(list->pins[list->n].feed, list->feed[list->place / 2],
		sizeof(list->pins[list->n].feed));
	return &list->pins[list->n++];
}

static void collect(void *data, const char *field, const char *value)
{
	size_t len = strlen(field);
	bool offered = len && field[len - 1] == '?';
	/* KIND comes before KIND? in a line, or is not there: then the name keeps its mark. */
	struct pctl_pin *pin = pin_of(data, field, offered ? len - 1 : len);

	if (!pin && offered)
		pin = pin_of(data, field, len);
	if (!pin)
		return;
	if (offered)
		pin->offered = value;
	else
		pin->value = value;
}

static void add_keys(struct pin_list *list, const struct pctl_target *target, const char *interface,
	const char *feed)
{
	char **keys = &list->keys[list->places];

	if (!target->endpoint || list->places == PLACES)
		return;
	list->interface[list->places / 2] = interface;
	(void)snprintf(list->feed[list->places / 2], sizeof(list->feed[0]), "%s", feed ? feed : "");
	keys[0] = pctl_xstrdup(target->endpoint);
	keys[1] = pctl_target_has_unit(target) ? pctl_xstrdup(target->machine) : NULL;
	list->places += 2;
}

/* Found as the engine finds them; the drivers are loaded for that. */
static int find_keys(struct pin_list *list, struct pctl_core *core,
	struct pctl_inventory *inventory, size_t node, const char *interface,
	struct pctl_error *err)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_target target;
	bool elsewhere;
	int r = pctl_target_init(&target, core, inventory, node, interface, false, problems);

	/* Without a driver of its own the first feed stands for the node: that one comes by itself.
	 */
	elsewhere = target.feeds || (target.bound && !interface);
	if (r < 0)
		pctl_error_set(err, r, "%s", pctl_problems_at(problems, 0));
	else if (!elsewhere)
		add_keys(list, &target, interface, NULL);
	for (size_t i = 0; r == 0 && target.feeds && i < target.feeds->n; i++)
		add_keys(list, target.feeds->v[i].target, interface, target.feeds->v[i].name);
	pctl_target_done(&target);
	pctl_problems_free(problems);
	return r;
}

/* The same driver for two interfaces is the same endpoint, unless it says otherwise. */
static bool is_new(const struct pin_list *list, size_t place)
{
	const char *key = list->keys[place];

	for (size_t i = 0; i < place; i++)
		if (key && list->keys[i] && strcmp(list->keys[i], key) == 0)
			return false;
	return key != NULL;
}

/* list_done() in any case. */
static int pins_of(struct pctl_core *core, struct pctl_inventory *inventory, size_t node,
	struct pin_list *ret, struct pctl_error *err)
{
	int r = pctl_store_check(core->pins, err);

	*ret = (struct pin_list){ .n = 0 };
	for (size_t i = 0; r == 0 && i < PCTL_BINDINGS; i++)
		if (pctl_target_has_binding(inventory, node, i))
			r = find_keys(ret, core, inventory, node, pctl_bindings[i], err);
	for (; r == 0 && ret->place < ret->places; ret->place++)
		if (is_new(ret, ret->place))
			(void)pctl_store_each(core->pins, ret->keys[ret->place], collect, ret);
	return r;
}

int pctl_trust_list(struct pctl_core *core, struct pctl_inventory *inventory, size_t node,
	struct pctl_pin *pins, size_t max, struct pctl_error *err)
{
	struct pin_list list;
	int r = pins_of(core, inventory, node, &list, err);

	for (size_t i = 0; r == 0 && i < list.n && i < max; i++)
		pins[i] = list.pins[i];
	list_done(&list);
	return r < 0 ? r : (int)list.n;
}

static void put_pin(
	struct pctl_core *core, const char *key, const struct pctl_pin *pin, const char *value)
{
	size_t len = strcspn(pin->kind, "?");
	PCTL_AUTO(free) char *kind = pctl_xstrndup(pin->kind, len);
	PCTL_AUTO(free) char *offered = pctl_xasprintf("%s?", kind);
	PCTL_AUTO(free) char *copy = value ? pctl_xstrdup(value) : NULL;

	pctl_store_put(core->pins, key, kind, copy);
	pctl_store_put(core->pins, key, offered, NULL);
}

/* Changes the pins that which() picks; the list's texts stay valid, as put works on copies. */
static int change(struct pctl_core *core, struct pctl_inventory *inventory, size_t node,
	bool accept, struct pctl_error *err)
{
	struct pin_list list;
	int changed = 0;
	int r = pins_of(core, inventory, node, &list, err);

	for (size_t i = 0; r == 0 && i < list.n; i++) {
		if (accept && !list.pins[i].offered)
			continue;
		put_pin(core, list.key[i], &list.pins[i], accept ? list.pins[i].offered : NULL);
		changed++;
	}
	list_done(&list);
	if (changed)
		r = pctl_store_save(core->pins, err);
	return r < 0 ? r : changed;
}

int pctl_trust_accept(struct pctl_core *core, struct pctl_inventory *inventory, size_t node,
	struct pctl_error *err)
{
	return change(core, inventory, node, true, err);
}

int pctl_trust_forget(struct pctl_core *core, struct pctl_inventory *inventory, size_t node,
	struct pctl_error *err)
{
	return change(core, inventory, node, false, err);
}
