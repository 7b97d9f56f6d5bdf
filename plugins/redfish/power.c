/* SPDX-License-Identifier: Apache-2.0 */
/* Power: PowerState and the action Reset of a ComputerSystem (DSP2046, Resource schema). */
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

#include "redfish.h"

#define RESET_ACTION "Actions/#ComputerSystem.Reset"
#define BIT(a)       PCTL_ACTION_BIT(PCTL_ACTION_##a)

struct power_job {
	struct pctl_power *ret;
	bool before_change;
	enum pctl_action action;
	const char *word;
	struct pctl_error err; /* what it said to the action, while its state is read */
	int status;
};

/* ResetTypes, the better ones first. What stays out: PushPowerButton does one thing or the other.
 */
static const struct reset {
	const char *word;
	enum pctl_action action;
} resets[] = {
	{ "On", PCTL_ACTION_ON },
	{ "ForceOn", PCTL_ACTION_ON },
	{ "ForceOff", PCTL_ACTION_OFF },
	{ "GracefulShutdown", PCTL_ACTION_SOFT_OFF },
	{ "PowerCycle", PCTL_ACTION_CYCLE },
	{ "ForceRestart", PCTL_ACTION_RESET },
	{ "GracefulRestart", PCTL_ACTION_SOFT_RESET },
	{ "Nmi", PCTL_ACTION_NMI },
	{ "Suspend", PCTL_ACTION_SLEEP },
	{ "Pause", PCTL_ACTION_SLEEP },
	{ "FullPowerCycle", PCTL_ACTION_AC_CYCLE },
	/* From PowerState Paused. */
	{ "Resume", PCTL_ACTION_ON },
};
#define RESETS       (sizeof(resets) / sizeof(resets[0]))
#define RESET_RESUME (RESETS - 1)

/*
 * Paused is neither on nor off: nothing runs, and power is not removed. What is on its way has no
 * state yet: "PoweringOff" may take minutes, with disks that are written to.
 */
static const struct {
	const char *word;
	enum pctl_power_state state;
	bool changing;
} states[] = {
	{ "On", PCTL_POWER_ON, false },
	{ "Off", PCTL_POWER_OFF, false },
	{ "PoweringOn", PCTL_POWER_UNKNOWN, true },
	{ "PoweringOff", PCTL_POWER_UNKNOWN, true },
	{ "Paused", PCTL_POWER_SLEEP, false },
};

static enum pctl_power_state state_of(const json_t *host, bool *ret_changing)
{
	const char *word = doc_text(host, "PowerState");

	*ret_changing = false;
	for (size_t i = 0; word && i < sizeof(states) / sizeof(states[0]); i++) {
		if (strcmp(states[i].word, word) == 0) {
			*ret_changing = states[i].changing;
			return states[i].state;
		}
	}
	return PCTL_POWER_UNKNOWN;
}

/* --- What it takes. --------------------------------------------------------------------------- */

/* The rows that an array of words names. */
static uint32_t rows_of(const json_t *words)
{
	uint32_t rows = 0;
	const json_t *word;
	size_t i;

	json_array_foreach(words, i, word)
	{
		const char *text = json_string_value(word);
		for (size_t r = 0; text && r < RESETS; r++)
			if (strcmp(resets[r].word, text) == 0)
				rows |= 1u << r;
	}
	return rows;
}

/* A fact is one text: words with blanks between. */
static uint32_t rows_of_fact(const char *text)
{
	uint32_t rows = 0;

	for (size_t r = 0; text && r < RESETS; r++) {
		size_t len = strlen(resets[r].word);
		for (const char *at = text; (at = strstr(at, resets[r].word)); at += len)
			if ((at == text || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
				rows |= 1u << r;
	}
	return rows;
}

static void remember_rows(struct redfish_dev *dev)
{
	char text[200] = "";

	for (size_t r = 0; r < RESETS; r++) {
		size_t used = strlen(text);
		if (dev->resets & 1u << r)
			(void)snprintf(text + used, sizeof(text) - used, "%s%s", used ? " " : "",
				resets[r].word);
	}
	if (!dev->unit && *text)
		pctl_fact_put(dev->device, FACT_RESETS, text);
}

static uint32_t actions_of(uint32_t rows)
{
	uint32_t actions = 0;

	for (size_t r = 0; r < RESET_RESUME; r++)
		if (rows & 1u << r)
			actions |= PCTL_ACTION_BIT(resets[r].action);
	return actions;
}

static void find_rows(struct redfish_dev *dev)
{
	uint32_t rows =
		rows_of(doc_at(dev->host, RESET_ACTION "/ResetType@Redfish.AllowableValues"));

	if (!rows && !dev->resets && !dev->unit)
		rows = rows_of_fact(pctl_fact_get(dev->device, FACT_RESETS));
	if (rows)
		dev->resets = rows;
}

static void got_action_info(struct redfish_dev *dev, const struct reply *reply)
{
	const json_t *parameter;
	size_t i;

	json_array_foreach(doc_at(reply->doc, "Parameters"), i, parameter)
	{
		const char *name = doc_text(parameter, "Name");
		if (name && strcmp(name, "ResetType") == 0)
			dev->resets = rows_of(doc_at(parameter, "AllowableValues"));
	}
	remember_rows(dev);
	dev->call.system_then(dev, NULL);
}

static void no_action_info(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	(void)reply;
	if (redfish_lacks(err))
		dev->call.system_then(dev, NULL);
	else
		redfish_end(dev, err);
}

/* then(dev, NULL) once dev->resets is known, or cannot be. */
static void with_resets(struct redfish_dev *dev, redfish_then_fn *then)
{
	const char *info = doc_text(dev->host, RESET_ACTION "/@Redfish.ActionInfo");

	find_rows(dev);
	if (dev->resets || !info || !doc_is_path(info)) {
		then(dev, NULL);
		return;
	}
	dev->call.system_then = then;
	redfish_get(dev, info, 0, got_action_info, no_action_info);
}

/* --- Reading. --------------------------------------------------------------------------------- */

static void finish_get(struct redfish_dev *dev, const struct reply *reply)
{
	const struct power_job *job = redfish_kept(dev);
	const json_t *state = doc_at(dev->host, "PowerState");
	const char *word = doc_text(dev->host, "PowerState");
	struct pctl_power *ret = job->ret;
	bool changing;

	(void)reply;
	ret->state = state_of(dev->host, &changing);
	ret->changing = changing;
	ret->tells_actions = dev->resets != 0;
	ret->actions = actions_of(dev->resets);
	/* What it lists does not hang on its state. */
	if (ret->size >= offsetof(struct pctl_power, lacks) + sizeof(ret->lacks))
		ret->lacks = dev->resets ? redfish_power.actions & ~ret->actions : 0;
	if (ret->size >= offsetof(struct pctl_power, lacks_boot) + sizeof(ret->lacks_boot))
		ret->tells_boot = redfish_boot_lacks(dev, &ret->lacks_boot);
	(void)snprintf(ret->device_code, sizeof(ret->device_code), "%s",
		word                  ? word
		: json_is_null(state) ? "null"
				      : "no PowerState");
	redfish_end(dev, NULL);
}

static void got_state(struct redfish_dev *dev, const struct reply *reply)
{
	const struct power_job *job = redfish_kept(dev);

	if (job->before_change) {
		with_resets(dev, finish_get);
	} else {
		find_rows(dev);
		finish_get(dev, reply);
	}
}

static void get(void *data, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	struct redfish_dev *dev = data;
	bool change = flags & PCTL_GET_BEFORE_CHANGE;

	redfish_begin(dev, op, change);
	struct power_job *job = redfish_keep(dev, sizeof(*job), NULL);
	job->ret = ret;
	job->before_change = change;
	redfish_read_system(dev, got_state);
}

/* --- Changing it. ----------------------------------------------------------------------------- */

static void accepted(struct redfish_dev *dev, const struct reply *reply)
{
	(void)reply;
	redfish_forget_system(dev);
	redfish_end(dev, NULL);
}

/* Its own word about the state is what counts, not which error it took for "it is so already". */
static void read_again(struct redfish_dev *dev, const struct reply *reply)
{
	struct power_job *job = redfish_kept(dev);
	bool changing, busy = job->status == 409 || job->err.code == PCTL_E_STATE;
	enum pctl_power_state state = state_of(dev->host, &changing);
	bool off = job->action == PCTL_ACTION_OFF || job->action == PCTL_ACTION_SOFT_OFF;

	(void)reply;
	if ((job->action == PCTL_ACTION_ON && state == PCTL_POWER_ON) ||
		(off && state == PCTL_POWER_OFF)) {
		redfish_end(dev, NULL);
		return;
	}
	if (state == PCTL_POWER_OFF && job->action != PCTL_ACTION_ON)
		job->err.code = PCTL_E_STATE;
	else if (busy && job->err.code != PCTL_E_UNSUPPORTED)
		job->err.code = PCTL_E_BUSY; /* between two states, or just past one */
	redfish_end(dev, &job->err);
}

static void refused(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	struct power_job *job = redfish_kept(dev);

	if (reply->status != 400 && reply->status != 409) {
		redfish_end(dev, err);
		return;
	}
	job->err = *err;
	job->status = reply->status;
	redfish_read_system(dev, read_again);
}

static const char *word_for(const struct redfish_dev *dev, enum pctl_action action)
{
	const char *state = doc_text(dev->host, "PowerState");

	if (action == PCTL_ACTION_ON && state && strcmp(state, "Paused") == 0 &&
		(!dev->resets || dev->resets & 1u << RESET_RESUME))
		return resets[RESET_RESUME].word;
	for (size_t r = 0; r < RESET_RESUME; r++)
		if (resets[r].action == action && (!dev->resets || dev->resets & 1u << r))
			return resets[r].word;
	return NULL;
}

static void post_reset(struct redfish_dev *dev, const struct reply *reply)
{
	struct power_job *job = redfish_kept(dev);
	const char *target = doc_text(dev->host, RESET_ACTION "/target");

	(void)reply;
	job->word = word_for(dev, job->action);
	if (!target || !doc_is_path(target))
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "this system has no action Reset");
	else if (!job->word)
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "this system has no ResetType for '%s'",
			pctl_action_name(job->action));
	else
		redfish_send(dev, "POST", target, json_pack("{s:s}", "ResetType", job->word), NULL,
			job->word, accepted, refused);
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	(void)reply;
	with_resets(dev, post_reset);
}

static void act(void *data, struct pctl_op *op, enum pctl_action action)
{
	struct redfish_dev *dev = data;

	redfish_begin(dev, op, true);
	struct power_job *job = redfish_keep(dev, sizeof(*job), NULL);
	job->action = action;
	redfish_with_system(dev, got_system);
}

const struct pctl_power_if redfish_power = {
	.size = sizeof(redfish_power),
	.actions = BIT(ON) | BIT(OFF) | BIT(SOFT_OFF) | BIT(CYCLE) | BIT(RESET) | BIT(SOFT_RESET) |
		   BIT(SLEEP) | BIT(NMI) | BIT(AC_CYCLE),
	.get = get,
	.act = act,
};
