/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Power (specification sections 28.2 and 28.3). */
#include <stdio.h>

#include "ipmi.h"

/* Byte 1 of Get Chassis Status, table 28-3. */
#define POWER_IS_ON   0x01u
#define POWER_FAULT   0x08u
#define CONTROL_FAULT 0x10u

static void on_status(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct pctl_power *ret = dev->work.power.ret;

	(void)len;
	ret->state = data[0] & POWER_IS_ON ? PCTL_POWER_ON : PCTL_POWER_OFF;
	(void)snprintf(ret->device_code, sizeof(ret->device_code), "%02Xh%s%s", data[0],
		data[0] & POWER_FAULT ? " fault" : "",
		data[0] & CONTROL_FAULT ? " control-fault" : "");
	ipmi_end(dev, NULL);
}

static void get(void *data, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	struct ipmi_dev *dev = data;

	dev->before_change = flags & PCTL_GET_BEFORE_CHANGE;
	dev->work.power = (struct power_work){ .ret = ret };
	ipmi_begin(dev, op);
	ipmi_send(dev, &command_get_chassis_status, NULL, 0, on_status, NULL);
}

/* Table 28-4. */
static const struct {
	uint8_t code;
	const struct command *command;
} controls[PCTL_ACTION_COUNT] = {
	[PCTL_ACTION_OFF] = { 0x00, &command_chassis_control },
	[PCTL_ACTION_ON] = { 0x01, &command_chassis_control_on },
	[PCTL_ACTION_CYCLE] = { 0x02, &command_chassis_control },
	[PCTL_ACTION_RESET] = { 0x03, &command_chassis_control },
	[PCTL_ACTION_NMI] = { 0x04, &command_chassis_control },
	[PCTL_ACTION_SOFT_OFF] = { 0x05, &command_chassis_control },
};

static void act(void *data, struct pctl_op *op, enum pctl_action action)
{
	struct ipmi_dev *dev = data;

	ipmi_begin(dev, op);
	ipmi_send(dev, controls[action].command, &controls[action].code, 1, ipmi_then_end, NULL);
}

const struct pctl_power_if ipmi_power = {
	.size = sizeof(ipmi_power),
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_OFF) |
		   PCTL_ACTION_BIT(PCTL_ACTION_SOFT_OFF) | PCTL_ACTION_BIT(PCTL_ACTION_CYCLE) |
		   PCTL_ACTION_BIT(PCTL_ACTION_RESET) | PCTL_ACTION_BIT(PCTL_ACTION_NMI),
	.get = get,
	.act = act,
};
