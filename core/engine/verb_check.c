/* SPDX-License-Identifier: Apache-2.0 */
/* check: the state, and what the driver finds wrong with the device. */
#include <string.h>

#include <powerctl/buf.h>
#include <powerctl/finding.h>

#include "engine/joint.h"
#include "engine/task.h"
#include "inventory/inventory.h"

#define FINDINGS      "findings"
#define ELSEWHERE_MAX 512u

static const char *text_of(const struct pctl_value *map, const char *key)
{
	return pctl_value_text(pctl_value_get(map, key));
}

static enum pctl_finding_class class_of(const struct pctl_value *finding)
{
	return pctl_finding_class_of(text_of(finding, "class"));
}

/* The worst first; else as the driver found them. */
static void sort_findings(struct pctl_value *tree)
{
	const struct pctl_value *list = pctl_value_get(tree, FINDINGS);
	struct pctl_value *sorted = pctl_value_new_list();

	for (int class = PCTL_FINDING_FAULT; class <= PCTL_FINDING_INFO; class ++)
		for (size_t i = 0; i < pctl_value_count(list); i++)
			if (class_of(pctl_value_at(list, i)) == (enum pctl_finding_class) class)
				pctl_value_add(sorted, pctl_value_copy(pctl_value_at(list, i)));
	pctl_value_set(tree, FINDINGS, sorted);
}

bool pctl_check_failed(const struct pctl_value *tree, struct pctl_error *err)
{
	const struct pctl_value *list = pctl_value_get(tree, FINDINGS);
	const char *first = NULL;
	unsigned n = 0;

	for (size_t i = 0; i < pctl_value_count(list); i++) {
		const struct pctl_value *finding = pctl_value_at(list, i);

		if (class_of(finding) != PCTL_FINDING_FAULT)
			continue;
		first = n++ ? first : text_of(finding, "what");
	}
	if (!n)
		return false;
	(void)pctl_error_set(err, PCTL_E_STATE, "%.200s%s", first ? first : "it has a fault",
		n > 1 ? ", and more" : "");
	return true;
}

static void start_check(struct pctl_task *t, const struct pctl_driver *d, void *dev)
{
	d->inspect->check(dev, &t->op, pctl_task_new_tree(t));
}

static const struct pctl_call inspect_check = {
	.name = "inspect.check",
	.start = start_check,
	.limit_offset = offsetof(struct pctl_target, confirm_ms),
	.times = 1,
};

/* Interfaces of other drivers: other devices, with logins of their own. */
static void add_elsewhere(struct pctl_task *t)
{
	struct pctl_buf list;
	unsigned n = 0;

	pctl_buf_init(&list, ELSEWHERE_MAX);
	for (const char *const *name = pctl_interfaces; *name; name++) {
		const char *driver = text_of(pctl_value_get(t->target->map, *name), "driver");

		if (driver)
			pctl_buf_addf(&list, "%s%s (%s)", n++ ? ", " : "", *name, driver);
	}
	if (n)
		(void)pctl_finding_add(t->tree, PCTL_FINDING_INFO, "elsewhere",
			"a node of its own, with that driver and address, is looked at",
			"%s: from another driver than the node's, and not looked at", list.data);
	pctl_buf_done(&list);
}

static void on_checked(struct pctl_task *t)
{
	struct pctl_error err = { 0 };

	add_elsewhere(t);
	sort_findings(t->tree);
	t->tree_stands = true;
	if (pctl_check_failed(t->tree, &err))
		pctl_task_end_error(t, &err);
	else
		pctl_task_end_ok(t, NULL);
}

static void look_closer(struct pctl_task *t)
{
	const struct pctl_inspect_if *i = t->target->loaded->driver->inspect;

	if (i && i->check)
		pctl_step_try(t, &inspect_check, on_checked);
	else
		pctl_task_end_ok(t, NULL);
}

void pctl_verb_check(struct pctl_task *t)
{
	pctl_step_get(t, 0, look_closer);
}
