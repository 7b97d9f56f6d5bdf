/* SPDX-License-Identifier: Apache-2.0 */
/* Power: CIM_AssociatedPowerManagementService, and the layer of the operating system above it. */
#include <stdio.h>
#include <string.h>

#include <powerctl/parse.h>

#include "amt.h"

static const struct wsman_class associated =
	WSMAN_CLASS(WSMAN_CIM, "CIM_AssociatedPowerManagementService");
static const struct wsman_class service = WSMAN_CLASS(WSMAN_CIM, "CIM_PowerManagementService");
static const struct wsman_class os_service = WSMAN_CLASS(WSMAN_IPS, "IPS_PowerManagementService");
static const struct wsman_class system_class = WSMAN_CLASS(WSMAN_CIM, "CIM_ComputerSystem");

/* The machine itself; the management engine is another CIM_ComputerSystem. */
static const struct wsman_selector managed_system[] = {
	{ "CreationClassName", "CIM_ComputerSystem" },
	{ "Name", "ManagedSystem" },
	{ NULL, NULL },
};

enum { OS_FULL_POWER = 2, OS_POWER_SAVING = 3 };

/* DSP1027's PowerState. Numbers that are not here are states nobody has seen, and say nothing. */
static const struct {
	enum pctl_power_state state;
	uint8_t number;
	bool changing;
} states[] = {
	{ PCTL_POWER_ON, 2, false },
	{ PCTL_POWER_SLEEP, 3, false },
	{ PCTL_POWER_SLEEP, 4, false },
	{ PCTL_POWER_UNKNOWN, 5, true }, /* amid a power cycle */
	{ PCTL_POWER_OFF, 6, false },
	{ PCTL_POWER_HIBERNATE, 7, false },
	{ PCTL_POWER_OFF, 8, false },
	{ PCTL_POWER_OFF, 12, false },
	{ PCTL_POWER_OFF, 13, false },
};

#define BIT(a) PCTL_ACTION_BIT(PCTL_ACTION_##a)

/* What to request; from_sleep: the firmware takes it from standby, as it takes all while on. */
static const struct request {
	enum pctl_action action;
	uint8_t number;
	bool from_on, from_sleep, from_off;
} requests[] = {
	{ PCTL_ACTION_ON, 2, false, true, true },
	{ PCTL_ACTION_SLEEP, 4, true, false, false },
	{ PCTL_ACTION_CYCLE, 5, true, true, false },
	{ PCTL_ACTION_OFF, 8, true, true, false },
	{ PCTL_ACTION_RESET, 10, true, false, false },
	{ PCTL_ACTION_NMI, 11, true, false, false },
	{ PCTL_ACTION_SOFT_OFF, 12, true, false, false },
	{ PCTL_ACTION_SOFT_RESET, 14, true, false, false },
};
#define REQUESTS (sizeof(requests) / sizeof(requests[0]))

/* --- Reading the state. ----------------------------------------------------------------------- */

static void set_state(struct pctl_power *p, uint64_t number)
{
	p->state = PCTL_POWER_UNKNOWN;
	p->changing = false;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		if (states[i].number == number) {
			p->state = states[i].state;
			p->changing = states[i].changing;
		}
	}
	(void)snprintf(p->device_code, sizeof(p->device_code), "PowerState %llu",
		(unsigned long long)number);
}

/* What the firmware says it takes now, or for older firmware what the table says. */
static void set_actions(struct pctl_power *p, const struct xml_node *answer)
{
	const struct xml_node *n = xml_child(answer, "AvailableRequestedPowerStates");
	bool listed = n != NULL;
	uint64_t number;

	p->actions = 0;
	for (; n; n = xml_again(n)) {
		if (pctl_parse_uint(n->text, UINT16_MAX, &number) < 0)
			continue;
		for (size_t i = 0; i < REQUESTS; i++)
			if (requests[i].number == number)
				p->actions |= PCTL_ACTION_BIT(requests[i].action);
	}
	for (size_t i = 0; !listed && i < REQUESTS; i++) {
		const struct request *r = &requests[i];
		if ((p->state == PCTL_POWER_ON && r->from_on) ||
			(p->state == PCTL_POWER_SLEEP && r->from_sleep) ||
			((p->state == PCTL_POWER_OFF || p->state == PCTL_POWER_HIBERNATE) &&
				r->from_off))
			p->actions |= PCTL_ACTION_BIT(r->action);
	}
	p->tells_actions = listed || p->state != PCTL_POWER_UNKNOWN;
}

static void finish_get(struct amt_dev *dev)
{
	struct power_work *w = &dev->work.power;

	/* Member by member: the struct is as large as the core's header made it, not as ours. */
	w->ret->state = w->seen.state;
	w->ret->changing = w->seen.changing;
	w->ret->tells_actions = w->seen.tells_actions;
	w->ret->actions = w->seen.actions;
	memcpy(w->ret->device_code, w->seen.device_code, sizeof(w->ret->device_code));
	dev->standby = w->standby;
	amt_end(dev, NULL);
}

/* Empty values are no facts. */
static const char *firmware(const struct amt_dev *dev)
{
	return *dev->server ? dev->server : "unknown";
}

static void got_os_state(struct amt_dev *dev, const struct xml_node *answer)
{
	struct power_work *w = &dev->work.power;
	/* Absent while the machine is off or starts: then there is nothing to refine. */
	const char *text = xml_text(answer, "OSPowerSavingState");
	uint64_t n = 0;

	if (text && pctl_parse_uint(text, UINT32_MAX, &n) < 0) {
		amt_fail(dev, PCTL_E_PROTOCOL, "OSPowerSavingState is not a number");
		return;
	}
	w->standby = n == OS_POWER_SAVING;
	if (w->standby) {
		struct pctl_power *p = &w->seen;

		p->state = PCTL_POWER_SLEEP;
		/* Waking is not among the hardware's requests, for the hardware is on. */
		p->actions |= BIT(ON);
		(void)snprintf(p->device_code, sizeof(p->device_code),
			"PowerState 2, OSPowerSaving %llu", (unsigned long long)n);
	}
	finish_get(dev);
}

/* The hardware's answer stands where the firmware does not tell more. */
static void no_os_state(struct amt_dev *dev, const struct pctl_error *err)
{
	switch (err->code) {
	case PCTL_E_UNSUPPORTED:
		pctl_fact_put(dev->device, FACT_NO_OS_SAVING, firmware(dev));
		finish_get(dev);
		break;
	case PCTL_E_FORBIDDEN:
	case PCTL_E_REFUSED:
		finish_get(dev);
		break;
	default:
		amt_end(dev, err);
		break;
	}
}

static bool ask_os_state(const struct amt_dev *dev)
{
	const char *lacking = pctl_fact_get(dev->device, FACT_NO_OS_SAVING);

	if (dev->work.power.seen.state != PCTL_POWER_ON)
		return false;
	if (dev->work.power.confirm && !dev->standby)
		return false;
	/* Other firmware than then may have it. */
	return !lacking || strcmp(lacking, firmware(dev)) != 0;
}

static void got_state(struct amt_dev *dev, const struct xml_node *answer)
{
	struct pctl_power *p = &dev->work.power.seen;
	const char *text = xml_text(answer, "PowerState");
	uint64_t n;

	if (!text || pctl_parse_uint(text, UINT32_MAX, &n) < 0) {
		amt_fail(dev, PCTL_E_PROTOCOL, "the answer has no valid PowerState");
		return;
	}
	set_state(p, n);
	set_actions(p, answer);
	if (ask_os_state(dev))
		amt_get(dev, &os_service, got_os_state, no_os_state);
	else
		finish_get(dev);
}

static void get(void *data, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	dev->work.power = (struct power_work){ .ret = ret, .confirm = flags & PCTL_GET_CONFIRM };
	amt_get(dev, &associated, got_state, NULL);
}

/* --- Changing it. ----------------------------------------------------------------------------- */

static void accepted(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_end(dev, NULL);
}

/* Power is the only thing that acts on the machine: what follows is the commit point. */
static void request_state(struct amt_dev *dev, const struct wsman_class *class, const char *method,
	const char *field, uint64_t state, amt_then_fn *then, amt_except_fn *except)
{
	struct wsman *w = amt_invoke(dev, class, method, STATUS_POWER);

	dev->call.want.what = NULL;
	wsman_uint(w, field, state);
	wsman_reference(w, "ManagedElement", &system_class, managed_system);
	amt_changes(dev);
	amt_send(dev, then, except);
}

static void act(void *data, struct pctl_op *op, enum pctl_action action)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	/* "On" to hardware that is on is taken and does nothing: it is the OS that has to wake. */
	if (action == PCTL_ACTION_ON && dev->standby) {
		request_state(dev, &os_service, "RequestOSPowerSavingStateChange",
			"OSPowerSavingState", OS_FULL_POWER, accepted, NULL);
		return;
	}
	for (size_t i = 0; i < REQUESTS; i++) {
		if (requests[i].action == action) {
			request_state(dev, &service, "RequestPowerStateChange", "PowerState",
				requests[i].number, accepted, NULL);
			return;
		}
	}
	amt_fail(dev, PCTL_E_UNSUPPORTED, "Intel AMT has no such action");
}

void amt_power_look(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except)
{
	amt_get(dev, &associated, then, except);
}

enum pctl_power_state amt_power_state(const struct xml_node *answer)
{
	const char *text = xml_text(answer, "PowerState");
	struct pctl_power power = { 0 };
	uint64_t n;

	if (text && pctl_parse_uint(text, UINT32_MAX, &n) == 0)
		set_state(&power, n);
	return power.state;
}

void amt_power_on(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except)
{
	request_state(dev, &service, "RequestPowerStateChange", "PowerState", requests[0].number,
		then, except);
}

const struct pctl_power_if amt_power = {
	.size = sizeof(amt_power),
	.actions = BIT(ON) | BIT(OFF) | BIT(SOFT_OFF) | BIT(CYCLE) | BIT(RESET) | BIT(SOFT_RESET) |
		   BIT(SLEEP) | BIT(NMI),
	.get = get,
	.act = act,
};
