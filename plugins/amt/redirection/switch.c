/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/switch.h"

#include <stdio.h>
#include <string.h>

#include <powerctl/parse.h>

static const struct wsman_class service = WSMAN_CLASS(WSMAN_AMT, "AMT_RedirectionService");
static const struct wsman_class kvm_port = WSMAN_CLASS(WSMAN_CIM, "CIM_KVMRedirectionSAP");

static const struct wsman_class kvm_settings =
	WSMAN_CLASS(WSMAN_IPS, "IPS_KVMRedirectionSettingData");

/* SessionType of TerminateSession. KVM has its own, without one. */
enum { SESSION_IDER = 0, SESSION_SOL = 1 };

static struct switch_work *work(const struct amt_dev *dev)
{
	return dev->redirection_switch;
}

static void done(struct amt_dev *dev)
{
	work(dev)->then(dev);
}

/* Whether it may be looked at is one thing, whether a session may be opened another. */
static void not_told(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED || err->code == PCTL_E_FORBIDDEN)
		done(dev);
	else
		amt_end(dev, err);
}

static void not_switched(struct amt_dev *dev, const struct pctl_error *err)
{
	struct pctl_error e = *err;

	if (err->code == PCTL_E_REFUSED || err->code == PCTL_E_FORBIDDEN ||
		err->code == PCTL_E_UNSUPPORTED)
		(void)pctl_error_set(&e, err->code,
			"%s is switched off on this machine, and it does not let us switch it on: "
			"%s",
			redirection_name(work(dev)->what), err->text);
	(void)pctl_error_device_code(&e, "%s", err->device_code);
	amt_end(dev, &e);
}

static void listening(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	done(dev);
}

/* All peers do both, in this order; without the Put nobody listens. */
static void switched(struct amt_dev *dev, const struct xml_node *answer)
{
	const struct switch_fields *f = &work(dev)->fields;
	struct wsman *w = amt_put(dev, &service);

	(void)answer;
	wsman_text(w, "CreationClassName", f->creation_class);
	wsman_text(w, "ElementName", f->element);
	wsman_uint(w, "EnabledState", work(dev)->wanted);
	wsman_text(w, "ListenerEnabled", "true");
	wsman_text(w, "Name", f->name);
	wsman_text(w, "SystemCreationClassName", f->system_class);
	wsman_text(w, "SystemName", f->system_name);
	amt_send(dev, listening, not_switched);
}

static void switch_service(struct amt_dev *dev)
{
	struct switch_work *s = work(dev);

	s->changed = true;
	if (s->state == s->wanted) {
		switched(dev, NULL);
		return;
	}
	wsman_uint(amt_invoke(dev, &service, "RequestStateChange", STATUS_PLAIN), "RequestedState",
		s->wanted);
	amt_send(dev, switched, not_switched);
}

static void keep(char *field, size_t size, const struct xml_node *answer, const char *name)
{
	const char *text = xml_text(answer, name);

	(void)snprintf(field, size, "%s", text ? text : "");
}

static void got_service(struct amt_dev *dev, const struct xml_node *answer)
{
	struct switch_work *s = work(dev);
	struct switch_fields *f = &s->fields;
	const char *state = xml_text(answer, "EnabledState");
	const char *listener = xml_text(answer, "ListenerEnabled");
	uint64_t bit = s->what == REDIRECTION_SOL    ? SWITCH_SOL
		       : s->what == REDIRECTION_IDER ? SWITCH_IDER
						     : 0;

	if (!state || pctl_parse_uint(state, UINT16_MAX, &s->state) < 0) {
		amt_fail(dev, PCTL_E_PROTOCOL,
			"AMT_RedirectionService came without its EnabledState");
		return;
	}
	/* KVM has a switch of its own; the listener is common. */
	s->wanted = s->state < SWITCH_BASE ? SWITCH_BASE + bit : s->state | bit;
	keep(f->creation_class, sizeof(f->creation_class), answer, "CreationClassName");
	keep(f->element, sizeof(f->element), answer, "ElementName");
	keep(f->name, sizeof(f->name), answer, "Name");
	keep(f->system_class, sizeof(f->system_class), answer, "SystemCreationClassName");
	keep(f->system_name, sizeof(f->system_name), answer, "SystemName");
	if (s->state == s->wanted && (!listener || strcmp(listener, "true") == 0))
		done(dev);
	else
		switch_service(dev);
}

static void read_service(struct amt_dev *dev)
{
	amt_get(dev, &service, got_service, not_told);
}

static void kvm_switched(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	read_service(dev);
}

static void got_kvm(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *state = xml_text(answer, "EnabledState");
	uint64_t n;

	if (!state || pctl_parse_uint(state, UINT16_MAX, &n) < 0 || n != SWITCH_KVM_OFF) {
		read_service(dev);
		return;
	}
	work(dev)->changed = true;
	wsman_uint(amt_invoke(dev, &kvm_port, "RequestStateChange", STATUS_PLAIN), "RequestedState",
		SWITCH_KVM_ON);
	amt_send(dev, kvm_switched, not_switched);
}

static void no_kvm(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_FORBIDDEN)
		read_service(dev);
	else if (err->code == PCTL_E_UNSUPPORTED)
		amt_fail(dev, PCTL_E_UNSUPPORTED, "this machine has no KVM redirection");
	else
		amt_end(dev, err);
}

void redirection_switch_on(struct amt_dev *dev, struct switch_work *w, enum redirection what,
	void (*then)(struct amt_dev *dev))
{
	*w = (struct switch_work){ .what = what, .then = then };
	dev->redirection_switch = w;
	if (what == REDIRECTION_KVM)
		amt_get(dev, &kvm_port, got_kvm, no_kvm);
	else
		read_service(dev);
}

/* --- Other people's sessions. ----------------------------------------------------------------- */

void redirection_end_others(
	struct amt_dev *dev, enum redirection what, amt_then_fn *then, amt_except_fn *except)
{
	if (what == REDIRECTION_KVM)
		(void)amt_invoke(dev, &kvm_settings, "TerminateSession", STATUS_PLAIN);
	else
		wsman_uint(amt_invoke(dev, &service, "TerminateSession", STATUS_PLAIN),
			"SessionType", what == REDIRECTION_SOL ? SESSION_SOL : SESSION_IDER);
	amt_send(dev, then, except);
}

static void ended_all(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_end(dev, NULL);
}

/* That there was none is what it says of most. */
static void not_ended(struct amt_dev *dev, const struct pctl_error *err)
{
	amt_end(dev, err->code == PCTL_E_REFUSED || err->code == PCTL_E_UNSUPPORTED ? NULL : err);
}

static void ended_sol(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	redirection_end_others(dev, REDIRECTION_IDER, ended_all, not_ended);
}

static void not_ended_sol(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_REFUSED)
		ended_sol(dev, NULL);
	else
		not_ended(dev, err);
}

void redirection_end_all(void *data, struct pctl_op *op)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	redirection_end_others(dev, REDIRECTION_SOL, ended_sol, not_ended_sol);
}
