/* SPDX-License-Identifier: Apache-2.0 */
/* power-package: when the management engine has power. unprovision: the end of it all. */
#include <string.h>

#include <powerctl/mem.h>

#include "classes/chain.h"
#include "classes/methods.h"

/* --- power-package. --------------------------------------------------------------------------- */

#define SCHEME "SCHEME "

const struct pctl_property scheme_parameters[] = {
	PCTL_PROPERTY(.name = "set", .type = PCTL_TYPE_TEXT, .help = "a package's id"),
	{ .name = NULL },
};

static const struct class_method set_scheme = {
	.class = &class_power_scheme.class,
	.name = "SetPowerScheme",
	.returns = STATUS_PLAIN,
	.inputs = { NULL },
};

void scheme_also_id(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const char *id = xml_text(item, "InstanceID");

	(void)dev;
	if (id && strncmp(id, SCHEME, sizeof(SCHEME) - 1) == 0)
		pctl_value_set_text(map, "id", id + sizeof(SCHEME) - 1);
}

/* Which of all settings are in use: one of them is the package. */
void scheme_also_used(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	const struct xml_node *set = xml_find(xml_child(item, "SettingData"), "SelectorSet");
	const char *id = set && set->first ? set->first->text : "";
	const char *current = xml_text(item, "IsCurrent");

	(void)map;
	if (strncmp(id, SCHEME, sizeof(SCHEME) - 1) == 0 && current && strcmp(current, "1") == 0)
		pctl_value_set_text(chain_work(dev)->ret, "power_package", id + sizeof(SCHEME) - 1);
}

static const struct chain_step scheme_steps[] = {
	{ &class_setting_used, "used", STEP_LIST | STEP_MAY_LACK, scheme_also_used },
	{ &class_power_scheme, "packages", STEP_LIST, scheme_also_id },
	{ .class = NULL },
};

static void schemes_read(struct amt_dev *dev)
{
	(void)pctl_value_unset(chain_work(dev)->ret, "used");
	chain_end(dev);
}

static void read_schemes(struct amt_dev *dev)
{
	chain_read(dev, scheme_steps, schemes_read);
}

static void change_scheme(struct amt_dev *dev)
{
	const char *id = chain_text(dev, "set");
	PCTL_AUTO(free) char *name = pctl_xasprintf(SCHEME "%s", id);
	const struct wsman_selector s[] = { { "InstanceID", name }, { NULL, NULL } };

	const char *used = pctl_value_text(pctl_value_get(chain_work(dev)->ret, "power_package"));

	if (used && strcmp(used, id) == 0) {
		schemes_read(dev);
		return;
	}
	if (!chain_find(dev, "packages", "id", id)) {
		amt_fail(dev, PCTL_E_REFUSED, "there is no power package with the id '%s'", id);
		return;
	}
	chain_call(dev, &set_scheme, s, NULL, read_schemes);
}

void scheme_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	chain_begin(dev, op, args, ret);
	chain_read(dev, scheme_steps,
		chain_any(dev, scheme_parameters) ? change_scheme : schemes_read);
}

/* --- unprovision. ----------------------------------------------------------------------------- */

static const struct class_method unprovision = {
	.class = &class_setup.class,
	.name = "Unprovision",
	.returns = STATUS_PLAIN,
	.inputs = { "ProvisioningMode" },
};

static const struct chain_step setup_steps[] = {
	{ &class_setup, NULL, 0, NULL },
	{ .class = NULL },
};

/* From here on there is nobody to ask. */
static void is_gone(struct amt_dev *dev)
{
	struct pctl_value *ret = chain_work(dev)->ret;

	(void)pctl_value_unset(ret, "control_mode");
	pctl_value_set_bool(ret, "unprovisioned", true);
	pctl_value_set_text(ret, "hint",
		"users, certificates, profiles and this login are gone; `powerctl rm` takes it "
		"out of the inventory");
	chain_end(dev);
}

static void end_it(struct amt_dev *dev)
{
	static const struct class_input inputs[] = { { .name = "ProvisioningMode", .text = "1" },
		{ .name = NULL } };

	chain_call(dev, &unprovision, NULL, inputs, is_gone);
}

void unprovision_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	chain_begin(data, op, args, ret);
	chain_read(data, setup_steps, end_it);
}
