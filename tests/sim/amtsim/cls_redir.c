/* SPDX-License-Identifier: Apache-2.0 */
/* The classes about redirection: who may, who listens, who is thrown out. */
#include "classes.h"
#include "sim.h"

enum { STATUS_NOT_PERMITTED = 16, STATUS_NOT_FOUND = 2068, INVALID_PARAMETER = 5 };
enum { STATE_NONE = 32768, STATE_BOTH = 32771 };
enum { END_IDER = 0, END_SOL = 1 };

#define SERVICE "Intel(r) AMT Redirection Service"
/* The keys of a service: they may be given, and say nothing. */
#define KEYS "CreationClassName Name SystemCreationClassName SystemName"

static void emit_redirection(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "AMT_RedirectionService");
	emit_field(c, "ElementName", SERVICE);
	emit_number(c, "EnabledState", c->dev->redir.state);
	emit_field(c, "ListenerEnabled", c->dev->redir.listening ? "true" : "false");
	emit_service_keys(c, SERVICE, "Intel(r) AMT");
}

static enum fault refuse(struct call *c, uint32_t status)
{
	c->status = status;
	return FAULT_INTERNAL;
}

/* The fields that may change must be there and make sense. */
static enum fault put_redirection(struct call *c)
{
	struct str listener = param(c, "ListenerEnabled");
	struct redir *r = &c->dev->redir;
	uint64_t state;
	bool on = str_is(listener, "true");

	if (!param_uint(c, "EnabledState", STATE_BOTH, &state) || state < STATE_NONE ||
		(!on && !str_is(listener, "false")) || !param(c, "Name").p ||
		!param(c, "ElementName").p)
		return FAULT_INVALID_REPRESENTATION;
	if (c->dev->knobs.redirection_locked && (on || state != STATE_NONE))
		return refuse(c, STATUS_NOT_PERMITTED);
	r->state = (uint32_t)state;
	r->listening = on;
	redir_sync(c->dev);
	return FAULT_NONE;
}

static enum fault change_redirection(struct call *c, uint32_t *ret_value)
{
	uint64_t state;

	if (!param_uint(c, "RequestedState", 65535, &state))
		return FAULT_INVALID_REPRESENTATION;
	if (state < STATE_NONE || state > STATE_BOTH)
		*ret_value = INVALID_PARAMETER;
	else if (c->dev->knobs.redirection_locked && state != STATE_NONE)
		*ret_value = STATUS_NOT_PERMITTED;
	else
		c->dev->redir.state = (uint32_t)state;
	return FAULT_NONE;
}

static enum fault terminate(struct call *c, uint32_t *ret_value)
{
	uint64_t type;

	if (!param_uint(c, "SessionType", UINT32_MAX, &type))
		return FAULT_INVALID_REPRESENTATION;
	if (type != END_IDER && type != END_SOL)
		*ret_value = INVALID_PARAMETER;
	else if (!redir_oust(c->dev, type == END_SOL ? REDIR_SOL : REDIR_IDER))
		*ret_value = STATUS_NOT_FOUND;
	return FAULT_NONE;
}

static bool has_kvm(const struct device *dev)
{
	return !dev->knobs.no_kvm;
}

/* 2: in use, 6: enabled, 3: disabled. */
static uint32_t kvm_state(const struct device *dev)
{
	if (!dev->redir.kvm)
		return 3;
	return dev->redir.sessions[REDIR_KVM] ? 2 : 6;
}

static void emit_kvm(struct call *c, size_t i)
{
	(void)i;
	emit_field(c, "CreationClassName", "CIM_KVMRedirectionSAP");
	emit_field(c, "ElementName", "KVM Redirection Service Access Point");
	emit_number(c, "EnabledState", kvm_state(c->dev));
	emit_field(c, "KVMProtocol", "4");
	emit_field(c, "Name", "KVM Redirection Service Access Point");
	emit_number(c, "RequestedState", c->dev->redir.kvm ? 2 : 3);
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", "ManagedSystem");
}

static enum fault change_kvm(struct call *c, uint32_t *ret_value)
{
	uint64_t state;

	if (!param_uint(c, "RequestedState", 65535, &state))
		return FAULT_INVALID_REPRESENTATION;
	if (state != 2 && state != 3)
		*ret_value = INVALID_PARAMETER;
	else if (c->dev->knobs.redirection_locked && state == 2)
		*ret_value = STATUS_NOT_PERMITTED;
	else
		c->dev->redir.kvm = state == 2;
	redir_sync(c->dev);
	return FAULT_NONE;
}

static const struct method redirection_methods[] = {
	{ "RequestStateChange", "RequestedState", change_redirection, 0, NULL },
	{ "TerminateSession", "SessionType", terminate, 0, NULL },
};
static const struct method kvm_methods[] = {
	{ "RequestStateChange", "RequestedState", change_kvm, 0, NULL },
};

const struct wclass redir_classes[] = {
	{
		.name = "AMT_RedirectionService",
		.uri = NS_AMT "AMT_RedirectionService",
		.selectors = KEYS,
		.common = true,
		.emit = emit_redirection,
		.put = put_redirection,
		METHODS(redirection_methods),
	},
	{
		.name = "CIM_KVMRedirectionSAP",
		.uri = NS_CIM "CIM_KVMRedirectionSAP",
		.selectors = KEYS,
		.common = true,
		.present = has_kvm,
		.emit = emit_kvm,
		METHODS(kvm_methods),
	},
};

const size_t redir_classes_count = COUNT(redir_classes);
