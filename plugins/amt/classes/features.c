/* SPDX-License-Identifier: Apache-2.0 */
/*
 * features: what of the redirection is switched on, and One-Click Recovery, and what a user has to
 * agree to. All is read first, so that a wish that cannot be fulfilled changes nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "classes/chain.h"
#include "classes/methods.h"
#include "redirection/switch.h"

/* CIM_BootService.EnabledState is the base and these; older firmware has another number there. */
enum { RECOVERY_BASE = 32768, RECOVERY_BIT = 1, ERASE_BIT = 2 };

static const char *const consents[] = { "none", "kvm", "all", NULL };

const struct pctl_property features_parameters[] = {
	PCTL_PROPERTY(.name = "sol", .type = PCTL_TYPE_BOOL, .help = "Serial over LAN"),
	PCTL_PROPERTY(.name = "ider", .type = PCTL_TYPE_BOOL, .help = "storage redirection"),
	PCTL_PROPERTY(.name = "kvm", .type = PCTL_TYPE_BOOL, .help = "remote screen"),
	PCTL_PROPERTY(.name = "listener", .type = PCTL_TYPE_BOOL,
		.help = "the ports of these; with sol, ider or kvm it follows them"),
	PCTL_PROPERTY(.name = "consent", .type = PCTL_TYPE_CHOICE, .choices = consents,
		.help = "what somebody at the machine has to agree to"),
	PCTL_PROPERTY(.name = "recovery", .type = PCTL_TYPE_BOOL,
		.help = "One-Click Recovery: boot http, boot recovery"),
	{ .name = NULL },
};

static const struct class_method recovery_state = {
	.class = &class_boot_service.class,
	.name = "RequestStateChange",
	.returns = STATUS_STATE,
	.inputs = { "RequestedState" },
};

/* Of the op. */
static struct switch_work *switches(const struct amt_dev *dev)
{
	return amt_kept(dev);
}

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

static void also_redirection(
	struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	struct switch_state *is = &switches(dev)->is;
	struct pctl_error unused;

	chain_work(dev)->is.features.unread = switch_read(item, is, &unused) < 0;
	if (chain_work(dev)->is.features.unread)
		return;
	pctl_value_set_text(map, "sol", on_off(is->sol));
	pctl_value_set_text(map, "ider", on_off(is->ider));
	pctl_value_set_text(map, "kvm", "unsupported"); /* until it is found */
	pctl_value_set_text(map, "listener", on_off(is->listener));
	pctl_value_set_text(map, "recovery", "unsupported");
}

static void also_kvm(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	struct switch_state *is = &switches(dev)->is;

	chain_work(dev)->is.features.has_kvm = true;
	switch_read_kvm(item, is);
	pctl_value_set_text(map, "kvm", on_off(is->kvm));
}

static void also_consent(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	struct chain_work *w = chain_work(dev);

	w->is.features.has_consent = true;
	w->is.features.consent_fixed = xml_uint(item, "CanModifyOptInPolicy", 1) == 0;
	pctl_fact_put(dev->device, FACT_CONSENT,
		pctl_value_text(pctl_value_get(map, "consent"))
			? pctl_value_text(pctl_value_get(map, "consent"))
			: "none");
}

static void also_recovery(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	struct chain_work *w = chain_work(dev);
	uint64_t state = xml_uint(item, "EnabledState", 0);
	bool has = state >= RECOVERY_BASE && state <= (RECOVERY_BASE | RECOVERY_BIT | ERASE_BIT);

	w->is.features.has_recovery = has;
	w->is.features.recovery_on = has && state & RECOVERY_BIT;
	w->is.features.erase_on = has && state & ERASE_BIT;
	if (has)
		pctl_value_set_text(map, "recovery", on_off(state & RECOVERY_BIT));
}

static const struct chain_step steps[] = {
	{ &class_redirection, NULL, 0, also_redirection },
	{ &class_kvm, NULL, STEP_MAY_LACK, also_kvm },
	{ &class_consent, NULL, STEP_MAY_LACK, also_consent },
	{ &class_boot_service, NULL, STEP_MAY_LACK, also_recovery },
	{ .class = NULL },
};

/* False, and the op has ended: what cannot be read is neither on nor off. */
static bool is_readable(struct amt_dev *dev)
{
	if (!chain_work(dev)->is.features.unread)
		return true;
	amt_fail(dev, PCTL_E_PROTOCOL, "AMT_RedirectionService came without its EnabledState");
	return false;
}

static void end(struct amt_dev *dev)
{
	if (is_readable(dev))
		chain_end(dev);
}

static void read_again(struct amt_dev *dev)
{
	chain_read(dev, steps, end);
}

/* --- Changing. -------------------------------------------------------------------------------- */

/* Of one of our words, what was asked for or else what is. */
static bool wanted(struct amt_dev *dev, const char *name, bool is)
{
	return chain_given(dev, name) ? pctl_argument_bool(chain_work(dev)->args, name) : is;
}

/* Whether one of them is asked for, also where it is on already. */
static bool turns_on(struct amt_dev *dev)
{
	return wanted(dev, "sol", false) || wanted(dev, "ider", false) || wanted(dev, "kvm", false);
}

/*
 * What is turned on is of no use without the listener, and the listener of none without any.
 * Turning one off opens no port for the rest.
 */
static struct switch_state wanted_state(struct amt_dev *dev)
{
	const struct switch_state *is = &switches(dev)->is;
	struct switch_state s = { .sol = wanted(dev, "sol", is->sol),
		.ider = wanted(dev, "ider", is->ider),
		.kvm = wanted(dev, "kvm", is->kvm),
		.listener = wanted(dev, "listener", is->listener) };

	if (!chain_given(dev, "listener") &&
		(chain_given(dev, "sol") || chain_given(dev, "ider") || chain_given(dev, "kvm")))
		s.listener = turns_on(dev) || (is->listener && (s.sol || s.ider || s.kvm));
	return s;
}

static int check_wish(struct amt_dev *dev, struct pctl_error *err)
{
	const struct chain_work *w = chain_work(dev);
	const char *consent = chain_text(dev, "consent");
	const char *is = pctl_value_text(pctl_value_get(w->ret, "consent"));

	if (chain_given(dev, "kvm") && !w->is.features.has_kvm)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"this machine has no remote screen: no KVM in its firmware (Standard "
			"Manageability), or it is switched off in its BIOS");
	if (chain_given(dev, "recovery") && !w->is.features.has_recovery)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"this firmware has no switch for One-Click Recovery");
	if (!consent || (is && strcmp(is, consent) == 0))
		return 0;
	if (!w->is.features.has_consent)
		return pctl_error_set(
			err, PCTL_E_UNSUPPORTED, "this firmware knows nothing of user consent");
	if (w->is.features.consent_fixed)
		return pctl_error_set(err, PCTL_E_FORBIDDEN,
			"what needs user consent cannot be changed on this machine: it is in "
			"client "
			"control mode, or set so in its MEBx");
	return 0;
}

static void change_consent(struct amt_dev *dev)
{
	const char *word = chain_text(dev, "consent");
	const struct class_word *number = word ? class_number(words_consent, word) : NULL;

	if (!number) {
		read_again(dev);
		return;
	}
	struct chain_work *w = chain_work(dev);
	(void)snprintf(w->is.features.number, sizeof(w->is.features.number), "%llu",
		(unsigned long long)number->number);
	chain_change(dev, "OptInRequired", w->is.features.number);
	chain_put(dev, &class_consent, NULL, read_again);
}

static void change_switches(struct amt_dev *dev)
{
	struct switch_work *w = switches(dev);

	w->wanted = wanted_state(dev);
	w->acts = true;
	w->then = change_consent;
	switch_change(dev, w);
}

static void change_recovery(struct amt_dev *dev)
{
	const struct chain_work *w = chain_work(dev);
	bool is = w->is.features.recovery_on, on = wanted(dev, "recovery", is);
	char state[24];
	const struct class_input inputs[] = { { .name = "RequestedState", .text = state },
		{ .name = NULL } };

	if (on == is) {
		change_switches(dev);
		return;
	}
	(void)snprintf(state, sizeof(state), "%u",
		RECOVERY_BASE | (on ? RECOVERY_BIT : 0u) |
			(w->is.features.erase_on ? ERASE_BIT : 0u));
	chain_call(dev, &recovery_state, NULL, inputs, change_switches);
}

static void was_read(struct amt_dev *dev)
{
	struct pctl_error err = { 0 };

	if (!is_readable(dev))
		return;
	if (!chain_any(dev, features_parameters))
		chain_end(dev);
	else if (check_wish(dev, &err) < 0)
		amt_end(dev, &err);
	else
		change_recovery(dev);
}

void features_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	chain_begin(data, op, args, ret);
	amt_keep(data, pctl_xcalloc(1, sizeof(struct switch_work)), free);
	chain_read(data, steps, was_read);
}
