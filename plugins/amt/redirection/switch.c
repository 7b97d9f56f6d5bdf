/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/switch.h"

#include <stdio.h>
#include <string.h>

#include <powerctl/parse.h>

#include "classes/tables.h"

static const struct wsman_class kvm_settings =
	WSMAN_CLASS(WSMAN_IPS, "IPS_KVMRedirectionSettingData");

/* EnabledState of AMT_RedirectionService: this, and a bit for each. */
enum { BASE = 32768, IDER = 1, SOL = 2 };
/* CIM_KVMRedirectionSAP: what is requested. Its EnabledState is 6 where it is on and not in use. */
enum { KVM_ON = 2, KVM_OFF = 3 };
/* SessionType of TerminateSession. KVM has its own, without one. */
enum { SESSION_IDER = 0, SESSION_SOL = 1 };

/* --- What is. --------------------------------------------------------------------------------- */

int switch_read(const struct xml_node *service, struct switch_state *state, struct pctl_error *err)
{
	const char *bits = xml_text(service, "EnabledState");
	const char *listener = xml_text(service, "ListenerEnabled");
	uint64_t n;

	if (!bits || pctl_parse_uint(bits, UINT16_MAX, &n) < 0)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"AMT_RedirectionService came without its EnabledState");
	state->sol = n >= BASE && n & SOL;
	state->ider = n >= BASE && n & IDER;
	state->listener = !listener || strcmp(listener, "true") == 0;
	return 0;
}

void switch_read_kvm(const struct xml_node *port, struct switch_state *state)
{
	const char *text = xml_text(port, "EnabledState");
	uint64_t n;

	state->kvm = !text || pctl_parse_uint(text, UINT16_MAX, &n) < 0 || n != KVM_OFF;
}

/* --- What shall be. --------------------------------------------------------------------------- */

static struct switch_work *work(const struct amt_dev *dev)
{
	return dev->redirection_switch;
}

static unsigned service_state(const struct switch_state *s)
{
	return BASE + (s->sol ? SOL : 0) + (s->ider ? IDER : 0);
}

static void transmit(struct amt_dev *dev, amt_then_fn *then)
{
	work(dev)->changed = true;
	if (work(dev)->acts)
		amt_changes(dev);
	amt_send(dev, then, work(dev)->except);
}

static void took_it(struct amt_dev *dev)
{
	if (work(dev)->acts)
		amt_changed(dev);
}

static void put(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	took_it(dev);
	work(dev)->then(dev);
}

static void got_service(struct amt_dev *dev, const struct xml_node *answer)
{
	const struct switch_state *wanted = &work(dev)->wanted;
	struct pctl_error err = { 0 };
	char state[12];

	(void)snprintf(state, sizeof(state), "%u", service_state(wanted));
	const struct class_change changes[] = { { "EnabledState", state },
		{ "ListenerEnabled", wanted->listener ? "true" : "false" }, { NULL, NULL } };
	if (class_put(amt_put(dev, &class_redirection.class), &class_redirection, answer, changes,
		    &err) < 0)
		amt_end(dev, &err);
	else
		transmit(dev, put);
}

/* Behind a change of the service's state all peers do that too; without it nobody listens. It is
 * the last of all, for it opens and closes the ports. */
static void change_listener(struct amt_dev *dev)
{
	const struct switch_work *w = work(dev);

	if (w->is.listener == w->wanted.listener &&
		service_state(&w->is) == service_state(&w->wanted))
		w->then(dev);
	else
		amt_get(dev, &class_redirection.class, got_service, w->except);
}

static void kvm_changed(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	took_it(dev);
	change_listener(dev);
}

static void request_kvm(struct amt_dev *dev, bool on)
{
	wsman_uint(amt_invoke(dev, &class_kvm.class, "RequestStateChange", STATUS_STATE),
		"RequestedState", on ? KVM_ON : KVM_OFF);
}

static void change_kvm(struct amt_dev *dev)
{
	const struct switch_work *w = work(dev);

	if (w->is.kvm == w->wanted.kvm) {
		change_listener(dev);
		return;
	}
	request_kvm(dev, w->wanted.kvm);
	transmit(dev, kvm_changed);
}

static void service_changed(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	took_it(dev);
	change_kvm(dev);
}

void switch_change(struct amt_dev *dev, struct switch_work *w)
{
	dev->redirection_switch = w;
	if (service_state(&w->is) == service_state(&w->wanted)) {
		change_kvm(dev);
		return;
	}
	wsman_uint(amt_invoke(dev, &class_redirection.class, "RequestStateChange", STATUS_STATE),
		"RequestedState", service_state(&w->wanted));
	transmit(dev, service_changed);
}

void switch_kvm_on(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except)
{
	request_kvm(dev, true);
	amt_send(dev, then, except);
}

/* --- What a session needs. -------------------------------------------------------------------- */

/* Whether it may be looked at is one thing, whether a session may be opened another. */
static void not_told(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED || err->code == PCTL_E_FORBIDDEN)
		work(dev)->then(dev);
	else
		amt_end(dev, err);
}

static void not_switched(struct amt_dev *dev, const struct pctl_error *err)
{
	if (answer_is_lacking(err))
		amt_end_saying(dev, err,
			"%s is switched off on this machine, and it does not let us switch it on: "
			"%s",
			redirection_name(work(dev)->what), err->text);
	else
		amt_end(dev, err);
}

static bool needs_change(const struct switch_work *w)
{
	return service_state(&w->is) != service_state(&w->wanted) || w->is.kvm != w->wanted.kvm ||
	       w->is.listener != w->wanted.listener;
}

static void found_service(struct amt_dev *dev, const struct xml_node *answer)
{
	struct switch_work *w = work(dev);
	struct pctl_error err = { 0 };

	if (switch_read(answer, &w->is, &err) < 0) {
		amt_end(dev, &err);
		return;
	}
	w->wanted = w->is;
	w->wanted.listener = true;
	w->wanted.sol |= w->what == REDIRECTION_SOL;
	w->wanted.ider |= w->what == REDIRECTION_IDER;
	w->wanted.kvm |= w->what == REDIRECTION_KVM;
	if (w->leave && needs_change(w))
		amt_fail(dev, PCTL_E_REFUSED,
			"%s or its listener was switched off meanwhile, and is left off",
			redirection_name(w->what));
	else
		switch_change(dev, w);
}

static void read_service(struct amt_dev *dev)
{
	amt_get(dev, &class_redirection.class, found_service, not_told);
}

static void found_kvm(struct amt_dev *dev, const struct xml_node *answer)
{
	switch_read_kvm(answer, &work(dev)->is);
	read_service(dev);
}

static void no_kvm(struct amt_dev *dev, const struct pctl_error *err)
{
	work(dev)->is.kvm = true; /* nobody says otherwise */
	if (err->code == PCTL_E_FORBIDDEN)
		read_service(dev);
	else if (err->code == PCTL_E_UNSUPPORTED)
		amt_fail(dev, PCTL_E_UNSUPPORTED, "this machine has no KVM redirection");
	else
		amt_end(dev, err);
}

void redirection_switch_on(struct amt_dev *dev, struct switch_work *w, enum redirection what,
	bool leave, void (*then)(struct amt_dev *dev))
{
	*w = (struct switch_work){
		.what = what, .leave = leave, .then = then, .except = not_switched
	};
	dev->redirection_switch = w;
	if (what == REDIRECTION_KVM)
		amt_get(dev, &class_kvm.class, found_kvm, no_kvm);
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
		wsman_uint(
			amt_invoke(dev, &class_redirection.class, "TerminateSession", STATUS_PLAIN),
			"SessionType", what == REDIRECTION_SOL ? SESSION_SOL : SESSION_IDER);
	amt_send(dev, then, except);
}

/* That there was none is what it says of most, in words that differ. */
static bool had_none(const struct pctl_error *err)
{
	return err->code == PCTL_E_REFUSED || err->code == PCTL_E_STATE ||
	       err->code == PCTL_E_UNSUPPORTED;
}

static void ended_kvm(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_end(dev, NULL);
}

/* Who may not end screens is not kept from turning off: where one is open that is refused. */
static void not_ended_kvm(struct amt_dev *dev, const struct pctl_error *err)
{
	amt_end(dev, had_none(err) || err->code == PCTL_E_FORBIDDEN ? NULL : err);
}

static void ended_ider(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	redirection_end_others(dev, REDIRECTION_KVM, ended_kvm, not_ended_kvm);
}

static void not_ended_ider(struct amt_dev *dev, const struct pctl_error *err)
{
	if (had_none(err))
		ended_ider(dev, NULL);
	else
		amt_end(dev, err);
}

static void ended_sol(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	redirection_end_others(dev, REDIRECTION_IDER, ended_ider, not_ended_ider);
}

static void not_ended_sol(struct amt_dev *dev, const struct pctl_error *err)
{
	if (had_none(err))
		ended_sol(dev, NULL);
	else
		amt_end(dev, err);
}

void redirection_end_all(void *data, struct pctl_op *op)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	redirection_end_others(dev, REDIRECTION_SOL, ended_sol, not_ended_sol);
}
