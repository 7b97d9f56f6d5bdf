/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The identify light (specification section 28.5). */
#include "ipmi.h"

/* A BMC that cannot keep it on for ever (IPMI 1.5) does so for as long as it can be told. */
static void on_refused(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	static const uint8_t longest[] = { 0xff };

	if (ipmi_is_declined(err, code))
		ipmi_send(dev, &command_chassis_identify, longest, 1, ipmi_then_end, NULL);
	else
		ipmi_end(dev, err);
}

static void set(void *data, struct pctl_op *op, bool on)
{
	static const uint8_t forever[] = { 0, 1 }, never[] = { 0 };
	struct ipmi_dev *dev = data;

	ipmi_begin(dev, op);
	if (on)
		ipmi_send(dev, &command_chassis_identify, forever, 2, ipmi_then_end, on_refused);
	else
		ipmi_send(dev, &command_chassis_identify, never, 1, ipmi_then_end, NULL);
}

const struct pctl_identify_if ipmi_identify = {
	.size = sizeof(ipmi_identify),
	.set = set,
};
