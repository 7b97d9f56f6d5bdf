/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Identity, firmware and what the BMC does by itself. What one BMC lacks is left out. */
#include "chassis.h"
#include "records.h"

struct inspect {
	struct records records;
	size_t step;
};

static void next_step(struct ipmi_dev *dev);

static struct inspect *job_of(const struct ipmi_dev *dev)
{
	return ipmi_kept(dev);
}

static bool read_guid(struct pctl_value *ret, const uint8_t *data)
{
	char uuid[GUID_TEXT_SIZE];

	if (pctl_value_get(ret, "uuid") || !guid_format(data, uuid))
		return false;
	pctl_value_set_text(ret, "uuid", uuid);
	return true;
}

static bool read_status(struct pctl_value *ret, const uint8_t *data)
{
	struct pctl_value *events = chassis_last_events(data[1]);

	pctl_value_set_text(ret, "power_policy", chassis_policy_name(data[0] >> 5 & 3));
	if (events)
		pctl_value_set(ret, "last_power_event", events);
	return true;
}

static bool read_cause(struct pctl_value *ret, const uint8_t *data)
{
	pctl_value_set_text(ret, "restart_cause", chassis_restart_cause(data[0] & 0xf));
	return true;
}

/* The system's GUID is the machine's; the device's is the BMC's, and often the same. */
static const struct step {
	const struct command *command;
	bool (*read)(struct pctl_value *ret, const uint8_t *data);
	bool in_place_of_last; /* only where that brought nothing */
} steps[] = {
	{ &command_get_system_guid, read_guid, false },
	{ &command_get_device_guid, read_guid, true },
	{ &command_get_chassis_status, read_status, false },
	{ &command_get_restart_cause, read_cause, false },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void on_step(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct inspect *i = job_of(dev);

	(void)len;
	bool brought = steps[i->step].read(i->records.ret, data);
	i->step++;
	if (brought && i->step < STEPS && steps[i->step].in_place_of_last)
		i->step++;
	next_step(dev);
}

static void on_no_step(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (!records_lacks(err, code)) {
		ipmi_end(dev, err);
		return;
	}
	job_of(dev)->step++;
	next_step(dev);
}

static void next_step(struct ipmi_dev *dev)
{
	const struct inspect *i = job_of(dev);

	if (i->step == STEPS)
		ipmi_end(dev, NULL);
	else
		ipmi_send(dev, steps[i->step].command, NULL, 0, on_step, on_no_step);
}

static void on_device_id(struct ipmi_dev *dev)
{
	const struct inspect *i = job_of(dev);

	device_id_fill(&i->records.sdr.id, i->records.ret);
	next_step(dev);
}

static void on_no_device_id(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (records_lacks(err, code))
		next_step(dev);
	else
		ipmi_end(dev, err);
}

static void info(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct ipmi_dev *dev = data;

	(void)records_begin(dev, op, sizeof(struct inspect), ret);
	sdr_read_device_id(dev, on_device_id, on_no_device_id);
}

const struct pctl_inspect_if ipmi_inspect = {
	.size = sizeof(ipmi_inspect),
	.info = info,
	.hardware = hardware_run,
	.check = doctor_run,
};
