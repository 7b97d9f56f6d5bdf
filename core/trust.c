/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at and changing what is remembered of devices. A pin is the field KIND of a device's
 * line; what it showed instead when it was last refused is KIND?.
 */
#include <string.h>

#include <powerctl/mem.h>

#include "core.h"

#define PINS_MAX 16u

struct pin_list {
	struct pctl_pin pins[PINS_MAX];
	size_t n;
};

static struct pctl_pin *pin_of(struct pin_list *list, const char *kind, size_t len)
{
	for (size_t i = 0; i < list->n; i++)
		if (strlen(list->pins[i].kind) == len &&
			strncmp(list->pins[i].kind, kind, len) == 0)
			return &list->pins[i];
	if (list->n == PINS_MAX)
		return NULL;
	list->pins[list->n] = (struct pctl_pin){ .kind = kind };
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

/* The node's key, found as the engine finds it; its driver is loaded for that. */
static int key_of(struct pctl_core *core, struct pctl_inventory *inventory, size_t node, char **ret,
	struct pctl_error *err)
{
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_target target;
	int r = pctl_target_init(&target, core, inventory, node, NULL, false, problems);

	if (r < 0)
		pctl_error_set(err, r, "%s", pctl_problems_at(problems, 0));
	else
		*ret = pctl_xstrdup(target.key);
	pctl_target_done(&target);
	pctl_problems_free(problems);
	return r;
}

static int pins_of(struct pctl_core *core, struct pctl_inventory *inventory, size_t node,
	char **ret_key, struct pin_list *ret, struct pctl_error *err)
{
	int r = pctl_store_check(core->pins, err);

	if (r == 0)
		r = key_of(core, inventory, node, ret_key, err);
	ret->n = 0;
	if (r == 0)
		(void)pctl_store_each(core->pins, *ret_key, collect, ret);
	return r;
}

int pctl_trust_list(struct pctl_core *core, struct pctl_inventory *inventory, size_t node,
	struct pctl_pin *pins, size_t max, struct pctl_error *err)
{
	PCTL_AUTO(free) char *key = NULL;
	struct pin_list list;
	int r = pins_of(core, inventory, node, &key, &list, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < list.n && i < max; i++)
		pins[i] = list.pins[i];
	return (int)list.n;
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
	PCTL_AUTO(free) char *key = NULL;
	struct pin_list list;
	int changed = 0;
	int r = pins_of(core, inventory, node, &key, &list, err);

	for (size_t i = 0; r == 0 && i < list.n; i++) {
		if (accept && !list.pins[i].offered)
			continue;
		put_pin(core, key, &list.pins[i], accept ? list.pins[i].offered : NULL);
		changed++;
	}
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
