/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fence: any fence agent as a driver. An agent is started for each request, reads what to do from
 * its standard input and ends with a status. Source: FenceAgentAPI.md of ClusterLabs/fence-agents.
 */
#include <stdio.h>
#include <string.h>

#include <powerctl/driver.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "agent.h"
#include "words.h"

#define OUT_MAX 65536u
/* So much less than its own time an agent may wait for the power to change. */
#define LOGIN_S 4u

static const struct pctl_property properties[] = {
	PCTL_PROPERTY(.name = "agent", .type = PCTL_TYPE_TEXT,
		.flags = PCTL_PROPERTY_SELECTOR | PCTL_PROPERTY_REQUIRED,
		.help = "which agent: a name like fence_apc, or an absolute path"),
	{ 0 },
};

struct fence_dev {
	struct pctl_device *device;
	const struct fence_agent *agent;
	const struct pctl_secret **secrets; /* NULL-terminated: not to be in what it says */
	struct pctl_core *core;
	struct pctl_op *op; /* the one that is under way */
	struct pctl_program *program;
	struct pctl_power *power; /* where a state goes; NULL: it is an action */
	uint64_t time_ms;         /* that the agent has */
};

/* --- What came of it. ------------------------------------------------------------------------- */

/* The device was asked for a change, or may have been. */
static bool is_change(const struct fence_dev *dev)
{
	return !dev->power;
}

static void fail(struct fence_dev *dev, int code, unsigned flags, const char *text)
{
	struct pctl_op *op = dev->op;
	struct pctl_error err = { 0 };

	dev->op = NULL;
	(void)pctl_error_set(&err, code, "%s", text);
	(void)pctl_error_flag(&err, flags);
	pctl_op_fail_error(op, &err);
}

/* Nobody knows what it did: the core reads the state. */
static int doubtful(const struct fence_dev *dev, int code)
{
	return is_change(dev) ? PCTL_E_OUTCOME_UNKNOWN : code;
}

/* It ended by itself and was not content. */
static void take_complaint(struct fence_dev *dev, const struct pctl_program_result *result)
{
	struct fence_verdict v;

	fence_words_judge(result->said, result->said_len, &v);
	PCTL_AUTO(free)
	char *text = *v.text ? pctl_xasprintf("%s: %s", dev->agent->name, v.text)
			     : pctl_xasprintf("%s failed with status %d and did not say why",
				       dev->agent->name, result->status);
	if (is_change(dev) && v.before)
		pctl_op_not_taken(dev->op);
	fail(dev, v.before ? v.code : doubtful(dev, v.code), v.flags, text);
}

/* 0 is on and 2 is off, and it says so in words: a status alone may have another reason. */
static void take_state(struct fence_dev *dev, const struct pctl_program_result *result)
{
	enum fence_state said = fence_words_state(result->out, result->out_len);
	bool on = result->status == 0, off = result->status == 2;

	if ((on && said == FENCE_ON) || (off && said == FENCE_OFF)) {
		struct pctl_op *op = dev->op;

		dev->power->state = on ? PCTL_POWER_ON : PCTL_POWER_OFF;
		(void)snprintf(dev->power->device_code, sizeof(dev->power->device_code),
			"status %d", result->status);
		dev->op = NULL;
		pctl_op_done(op);
		return;
	}
	if (!on && said == FENCE_NO_STATE) {
		take_complaint(dev, result);
		return;
	}
	PCTL_AUTO(free)
	char *text = pctl_xasprintf("%s ended with status %d and printed %s, which do not belong "
				    "together: its state is not known",
		dev->agent->name, result->status,
		said == FENCE_NO_STATE ? "no 'Status: ON'"
		: said == FENCE_ON     ? "'Status: ON'"
				       : "'Status: OFF'");
	fail(dev, PCTL_E_PROTOCOL, 0, text);
}

static void take_end(struct fence_dev *dev, const struct pctl_program_result *result)
{
	struct pctl_op *op = dev->op;

	if (!is_change(dev)) {
		take_state(dev, result);
	} else if (result->status != 0) {
		take_complaint(dev, result);
	} else {
		dev->op = NULL;
		pctl_op_done(op);
	}
}

/* To what is read at a glance; and equal errors fold. */
static void format_time(uint64_t ms, char *ret, size_t size)
{
	uint64_t to = ms < 1000 ? 10 : ms < 10000 ? 100 : 1000;

	pctl_format_duration((ms + to / 2) / to * to, ret, size);
}

/* It was ended: what it said last, without what it only noted down. */
static void take_killed(struct fence_dev *dev, const struct pctl_program_result *result)
{
	bool late = result->end == PCTL_PROGRAM_LATE;
	char last[FENCE_REASON_SIZE], limit[32];
	struct pctl_error err = { 0 };

	fence_words_last(result->said, result->said_len, last);
	format_time(dev->time_ms, limit, sizeof(limit));
	const char *colon = *last ? ": " : "";
	if (late)
		(void)pctl_error_set(&err, PCTL_E_TIMEOUT,
			"no answer from %.100s in %s; it was killed%s%s", dev->agent->path, limit,
			colon, last);
	else
		(void)pctl_error_set(&err, PCTL_E_PROTOCOL,
			"%.100s was killed by signal %d (%s)%s%s", dev->agent->path, result->status,
			strsignal(result->status), colon, last);
	fail(dev, late ? err.code : doubtful(dev, err.code), 0, err.text);
}

static void on_done(void *data, const struct pctl_program_result *result)
{
	struct fence_dev *dev = data;

	dev->program = NULL;
	switch (result->end) {
	case PCTL_PROGRAM_EXITED:
		take_end(dev, result);
		break;
	case PCTL_PROGRAM_NOT_STARTED:
		if (is_change(dev))
			pctl_op_not_taken(dev->op);
		pctl_op_fail_error(dev->op, &result->err);
		dev->op = NULL;
		break;
	case PCTL_PROGRAM_LATE:
	case PCTL_PROGRAM_SIGNALED:
		take_killed(dev, result);
		break;
	default:
		fail(dev, doubtful(dev, PCTL_E_PROTOCOL), 0, result->err.text);
		break;
	}
}

/* --- Running it. ------------------------------------------------------------------------------ */

static void on_starting(void *data)
{
	struct fence_dev *dev = data;

	if (is_change(dev))
		pctl_op_committed(dev->op);
}

static void on_abort(struct pctl_op *op, void *work)
{
	struct fence_dev *dev = work;

	(void)op;
	pctl_program_abort(dev->program);
	dev->program = NULL;
	dev->op = NULL;
}

/* So long it may wait, so that it gives up and says why before it is killed. */
static unsigned patience_of(const struct fence_dev *dev)
{
	unsigned left_s = (unsigned)(dev->time_ms / 1000);
	unsigned rest_s = is_change(dev) ? LOGIN_S : left_s / 5 + 1;

	return left_s > rest_s + 1 ? left_s - rest_s : 1;
}

static void run(struct fence_dev *dev, struct pctl_op *op, const char *action)
{
	const char *const argv[] = { dev->agent->path, NULL };
	struct pctl_program_options options = { .size = sizeof(options),
		.argv = argv,
		.out_max = OUT_MAX,
		.secrets = dev->secrets,
		.op = op,
		.starting = on_starting };
	struct pctl_error err = { 0 };
	struct pctl_buf input;

	dev->time_ms = pctl_program_time(op);
	pctl_buf_init_secret(&input, PCTL_PROGRAM_INPUT_MAX);
	int r = fence_agent_input(dev->agent, dev->device, action, patience_of(dev), &input, &err);
	if (r < 0) {
		pctl_op_fail_error(op, &err);
	} else {
		options.input = input.data;
		options.input_len = input.len;
		dev->op = op;
		dev->program = pctl_program_run(dev->core, &options, on_done, dev);
		pctl_op_pending(op, on_abort, dev);
	}
	pctl_buf_done(&input);
}

static void fence_get(void *data, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	struct fence_dev *dev = data;

	(void)flags;
	dev->power = ret;
	run(dev, op, "status");
}

static void fence_act(void *data, struct pctl_op *op, enum pctl_action action)
{
	struct fence_dev *dev = data;

	dev->power = NULL;
	run(dev, op, action == PCTL_ACTION_ON ? "on" : "off");
}

/* --- Open and close. -------------------------------------------------------------------------- */

static int fence_start(
	struct pctl_core *core, uv_loop_t *loop, void **ret_ctx, struct pctl_error *err)
{
	(void)loop, (void)err;
	*ret_ctx = core;
	return 0;
}

static void fence_stop(void *ctx, pctl_closed_fn *closed, void *data)
{
	(void)ctx;
	closed(data);
}

static void find_secrets(struct fence_dev *dev)
{
	const struct fence_agent *agent = dev->agent;
	size_t n = 0;

	dev->secrets = pctl_xcalloc(agent->n + 1, sizeof(const struct pctl_secret *));
	for (size_t i = 0; i < agent->n; i++) {
		if (!(agent->properties[i].flags & PCTL_PROPERTY_SECRET))
			continue;
		dev->secrets[n] = pctl_setting_secret(dev->device, agent->settings[i].name);
		n += dev->secrets[n] != NULL;
	}
}

/* What no agent could be told is found before any is started. */
static int check(const struct fence_dev *dev, struct pctl_error *err)
{
	const struct fence_agent *agent = dev->agent;
	struct pctl_buf input;

	if (agent->useless)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED, "%s", agent->useless);
	if (agent->address && agent->address->required && !*pctl_device_host(dev->device))
		return pctl_error_set(
			err, PCTL_E_CONFIG, "address is missing: %s needs it", agent->name);
	pctl_buf_init_secret(&input, PCTL_PROGRAM_INPUT_MAX);
	int r = fence_agent_input(agent, dev->device, "status", 1, &input, err);
	pctl_buf_done(&input);
	return r;
}

static void free_dev(struct fence_dev *dev)
{
	free(dev->secrets);
	free(dev);
}

static int fence_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	struct fence_dev *dev = pctl_xcalloc(1, sizeof(*dev));
	const struct pctl_description *d = pctl_device_description(device);

	dev->core = ctx;
	dev->device = device;
	dev->agent = fence_agent_of(d);
	find_secrets(dev);
	int r = check(dev, err);
	if (r < 0)
		free_dev(dev);
	else
		*ret_dev = dev;
	return r;
}

static void fence_close(void *data, pctl_closed_fn *closed, void *closed_data)
{
	free_dev(data);
	closed(closed_data);
}

static const struct pctl_power_if power = {
	.size = sizeof(power),
	/* An agent's "reboot" counts as done when the machine did not come on again: off, then on.
	 */
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_OFF),
	.get = fence_get,
	.act = fence_act,
};

PCTL_API const struct pctl_driver pctl_driver = {
	.size = sizeof(pctl_driver),
	.abi = PCTL_DRIVER_ABI,
	.name = "fence",
	.summary = "any fence agent: power switches, management processors, hypervisors, clouds",
	.maturity = PCTL_BETA,
	.properties = properties,
	.start = fence_start,
	.stop = fence_stop,
	.open = fence_open,
	.close = fence_close,
	.power = &power,
	.key_port = fence_key_port,
	.describe = fence_describe,
	.undescribe = fence_undescribe,
	.values = fence_values,
	/* Agents ask again by themselves, and a login that was refused sounds like one that was
	   lost. */
	.flags = PCTL_DRIVER_REPEATS | PCTL_DRIVER_NO_DIAL,
};
