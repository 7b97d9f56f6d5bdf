/* SPDX-License-Identifier: Apache-2.0 */
#include "classes/chain.h"

#include <assert.h>
#include <string.h>

#include <powerctl/parse.h>

void chain_begin(struct amt_dev *dev, struct pctl_op *op, const struct pctl_arguments *args,
	struct pctl_value *ret)
{
	amt_begin(dev, op);
	dev->work.chain = (struct chain_work){ .args = args, .ret = ret };
}

void chain_end(struct amt_dev *dev)
{
	amt_end(dev, NULL);
}

bool chain_given(struct amt_dev *dev, const char *name)
{
	return pctl_argument_given(dev->work.chain.args, name);
}

const char *chain_text(struct amt_dev *dev, const char *name)
{
	return pctl_argument_text(dev->work.chain.args, name);
}

bool chain_any(struct amt_dev *dev, const struct pctl_property *parameters)
{
	for (const struct pctl_property *p = parameters; p->name; p++)
		if (chain_given(dev, p->name))
			return true;
	return false;
}

struct pctl_value *chain_find(
	struct amt_dev *dev, const char *list, const char *key, const char *text)
{
	const struct pctl_value *all = pctl_value_get(dev->work.chain.ret, list);

	for (size_t i = 0; all && i < pctl_value_count(all); i++) {
		const char *is = pctl_value_text(pctl_value_get(pctl_value_at(all, i), key));

		if (is && strcmp(is, text) == 0)
			return pctl_value_at(all, i);
	}
	return NULL;
}

const char *chain_selector(const struct xml_node *element, const char *name)
{
	const struct xml_node *set = xml_find(element, "SelectorSet");

	for (const struct xml_node *s = set ? set->first : NULL; s; s = s->next)
		if (s->key && strcmp(s->key, name) == 0)
			return s->text;
	return NULL;
}

static void free_kept(void *kept)
{
	pctl_value_free(kept);
}

struct pctl_value *chain_kept(struct amt_dev *dev)
{
	if (!amt_kept(dev))
		amt_keep(dev, pctl_value_new_map(), free_kept);
	return amt_kept(dev);
}

/* --- Reading. --------------------------------------------------------------------------------- */

static void next_step(struct amt_dev *dev);

static void each_item(struct amt_dev *dev, const struct xml_node *item)
{
	struct chain_work *w = chain_work(dev);
	struct pctl_value *map = pctl_value_new_map();

	/* A list that had to be begun anew comes twice. */
	if (dev->call.items == 1)
		pctl_value_set(w->ret, w->step->under, pctl_value_new_list());
	class_read(w->step->class, item, map);
	if (w->step->also)
		w->step->also(dev, item, map);
	pctl_value_add(pctl_value_get(w->ret, w->step->under), map);
}

static void got_step(struct amt_dev *dev, const struct xml_node *answer)
{
	struct chain_work *w = chain_work(dev);
	const struct chain_step *s = w->step;

	if (!(s->flags & STEP_LIST)) {
		struct pctl_value *map = s->under ? pctl_value_new_map() : w->ret;

		class_read(s->class, answer, map);
		if (s->also)
			s->also(dev, answer, map);
		if (s->under)
			pctl_value_set(w->ret, s->under, map);
	}
	w->step++;
	next_step(dev);
}

static void lacks_step(struct amt_dev *dev, const struct pctl_error *err)
{
	struct chain_work *w = chain_work(dev);

	if (!answer_is_lacking(err) || !(w->step->flags & STEP_MAY_LACK)) {
		(w->unread ? w->unread : amt_end)(dev, err);
		return;
	}
	if (w->step->flags & STEP_LIST)
		(void)pctl_value_unset(w->ret, w->step->under);
	w->step++;
	next_step(dev);
}

static void next_step(struct amt_dev *dev)
{
	struct chain_work *w = chain_work(dev);
	const struct chain_step *s = w->step;

	if (s->class && s->flags & STEP_ELSE && pctl_value_get(w->ret, s[-1].under))
		s = ++w->step;
	if (!s->class) {
		w->then(dev);
	} else if (s->flags & STEP_LIST) {
		pctl_value_set(w->ret, s->under, pctl_value_new_list());
		amt_list(dev, &s->class->class, each_item, got_step, lacks_step);
	} else {
		amt_get(dev, &s->class->class, got_step, lacks_step);
	}
}

void chain_read_or(
	struct amt_dev *dev, const struct chain_step *steps, chain_fn *then, amt_except_fn *except)
{
	struct chain_work *w = chain_work(dev);

	w->step = steps;
	w->then = then;
	w->unread = except;
	next_step(dev);
}

void chain_read(struct amt_dev *dev, const struct chain_step *steps, chain_fn *then)
{
	chain_read_or(dev, steps, then, NULL);
}

/* --- Changing. -------------------------------------------------------------------------------- */

static void changed(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	chain_work(dev)->then(dev);
}

void chain_send(struct amt_dev *dev, chain_fn *then)
{
	chain_work(dev)->then = then;
	amt_changes(dev);
	amt_send(dev, changed, NULL);
}

void chain_delete(
	struct amt_dev *dev, const struct class *class, const char *key, const char *value)
{
	const struct wsman_selector s[] = { { key, value }, { NULL, NULL } };

	(void)amt_request(dev,
		&(struct wsman_head){
			.verb = WSMAN_DELETE, .class = &class->class, .selectors = s },
		STATUS_PLAIN);
}

void chain_call(struct amt_dev *dev, const struct class_method *method,
	const struct wsman_selector *selectors, const struct class_input *inputs, chain_fn *then)
{
	struct wsman *w = amt_request(dev,
		&(struct wsman_head){ .verb = WSMAN_INVOKE,
			.class = method->class,
			.method = method->name,
			.selectors = selectors },
		method->returns);

	if (inputs)
		class_call(w, method, inputs);
	chain_send(dev, then);
}

/* From n on, the first that is not empty: so comes a list without elements, or a text that is none.
 */
static const struct xml_node *skip_empty(const struct xml_node *n)
{
	while (n && !n->first && !*n->text)
		n = xml_again(n);
	return n;
}

/* Whether a field has just the texts that it shall have, in their order. */
static bool has_all(
	const struct xml_node *instance, const struct class_change *changes, const char *name)
{
	const struct xml_node *n = skip_empty(xml_child(instance, name));

	for (const struct class_change *c = changes; c->name; c++) {
		if (strcmp(c->name, name) != 0 || !c->value || !*c->value)
			continue;
		if (!n || strcmp(n->text, c->value) != 0)
			return false;
		n = skip_empty(xml_again(n));
	}
	return !n;
}

/* Whether the answer has it all already. */
static bool is_so(const struct xml_node *instance, const struct class_change *changes)
{
	for (const struct class_change *c = changes; c->name; c++)
		if (!has_all(instance, changes, c->name))
			return false;
	return true;
}

static void got_instance(struct amt_dev *dev, const struct xml_node *answer)
{
	struct chain_work *w = chain_work(dev);
	const struct class *class = w->class;
	struct pctl_error err = { 0 };

	w->changes = 0;
	if (is_so(answer, w->change)) {
		w->then(dev);
		return;
	}
	struct wsman *put = amt_request(dev,
		&(struct wsman_head){ .verb = WSMAN_PUT,
			.class = &class->class,
			.selectors = w->selector[0].name ? w->selector : NULL },
		STATUS_PLAIN);
	if (class_put(put, class, answer, w->change, &err) < 0)
		amt_end(dev, &err);
	else
		chain_send(dev, w->then);
}

void chain_change(struct amt_dev *dev, const char *name, const char *value)
{
	struct chain_work *w = chain_work(dev);

	assert(w->changes < CHAIN_CHANGES);
	w->change[w->changes++] = (struct class_change){ name, value };
	w->change[w->changes] = (struct class_change){ NULL, NULL };
}

void chain_put(struct amt_dev *dev, const struct class *class,
	const struct wsman_selector *selectors, chain_fn *then)
{
	struct chain_work *w = chain_work(dev);
	static const struct wsman_selector none = { NULL, NULL };

	w->class = class;
	w->selector[0] = selectors ? selectors[0] : none;
	w->selector[1] = none;
	w->then = then;
	(void)amt_request(dev,
		&(struct wsman_head){
			.verb = WSMAN_GET, .class = &class->class, .selectors = selectors },
		STATUS_PLAIN);
	amt_send(dev, got_instance, NULL);
}
