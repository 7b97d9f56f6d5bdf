/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the methods share: they read classes into the answer, change some, and read again, so that
 * the answer always says what the device has, not what was asked for.
 */
#ifndef POWERCTL_AMT_CHAIN_H
#define POWERCTL_AMT_CHAIN_H

#include "amt.h"
#include "classes/tables.h"

/* Every instance, as a list of maps; else the only one, as the keys of a map. */
#define STEP_LIST 1u
/* Firmware that lacks it, or does not show it to this account, goes without. */
#define STEP_MAY_LACK 2u
/* Only where the step before it was lacking. */
#define STEP_ELSE 4u

/* What to read. A list of these ends with a row that has no class. */
struct chain_step {
	const struct class *class;
	const char *under; /* the key of its map or list in the answer; NULL: at the answer's top */
	unsigned flags;
	/* NULL, or called with each instance and the map that was made of it. */
	void (*also)(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map);
};

typedef void chain_fn(struct amt_dev *dev);

static inline struct chain_work *chain_work(struct amt_dev *dev)
{
	return &dev->work.chain;
}

void chain_begin(struct amt_dev *dev, struct pctl_op *op, const struct pctl_arguments *args,
	struct pctl_value *ret);
/* A map that is the op's, for what a chain saw and needs later. No secrets. */
struct pctl_value *chain_kept(struct amt_dev *dev);
/* Reads steps into the answer, whose keys it replaces, and goes on. */
void chain_read(struct amt_dev *dev, const struct chain_step *steps, chain_fn *then);
/* The same; except() is told what it fails with, and ends the op. */
void chain_read_or(
	struct amt_dev *dev, const struct chain_step *steps, chain_fn *then, amt_except_fn *except);
/* Ends the op well; a chain_fn. */
void chain_end(struct amt_dev *dev);

/*
 * Changes one instance: what to change first, of which texts live until then (NULL: the field is
 * left out), then Get, and Put of what came with the changes. Nothing is sent where all is as it
 * shall be. selectors may be NULL, have one row, and texts that live as long.
 */
void chain_change(struct amt_dev *dev, const char *name, const char *value);
void chain_put(struct amt_dev *dev, const struct class *class,
	const struct wsman_selector *selectors, chain_fn *then);

/* A method that changes the device. Inputs are used at once; selectors as well, and may be NULL. */
void chain_call(struct amt_dev *dev, const struct class_method *method,
	const struct wsman_selector *selectors, const struct class_input *inputs, chain_fn *then);
/* The same for what was begun and filled in already. */
void chain_send(struct amt_dev *dev, chain_fn *then);
/* Begins the Delete of the instance whose selector key has that value, to be sent. */
void chain_delete(
	struct amt_dev *dev, const struct class *class, const char *key, const char *value);

/* For chains that choose between what they may change. */
bool chain_given(struct amt_dev *dev, const char *name);
const char *chain_text(struct amt_dev *dev, const char *name);
/* Whether any of a table of parameters is given. */
bool chain_any(struct amt_dev *dev, const struct pctl_property *parameters);
/* The map of a list in the answer whose key has that text, or NULL. */
struct pctl_value *chain_find(
	struct amt_dev *dev, const char *list, const char *key, const char *text);

/* Of the power packages: which is in use (ret["power_package"], its id), and their ids (upkeep.c).
 */
void scheme_also_used(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map);
void scheme_also_id(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map);

/* Reads the users into ret["users"], where this account may see them, and goes on (users.c). */
void users_look(struct amt_dev *dev, chain_fn *then);

/* One selector of the reference in an element; NULL: it has none of that name. */
const char *chain_selector(const struct xml_node *element, const char *name);

#endif
