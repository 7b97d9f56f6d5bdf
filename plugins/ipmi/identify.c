/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The identify light (specification section 28.5). */
#include "ipmi.h"

static void on_done(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)data, (void)len;
	ipmi_end(dev, NULL);
}

/* A BMC that cannot keep it on for ever (IPMI 1.5) does so for as long as it can be told. */
static void on_refused(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	static const uint8_t longest[] = { 0xff };

	if (code < 0 || err->code == PCTL_E_FORBIDDEN || dev->call.len < 2)
		ipmi_end(dev, err);
	else
		ipmi_send(dev, &command_chassis_identify, longest, 1, on_done, NULL);
}

static void set(void *data, struct pctl_op *op, bool on)
{
	static const uint8_t forever[] = { 0, 1 }, never[] = { 0 };
	struct ipmi_dev *dev = data;

	ipmi_begin(dev, op);
	if (on)
		ipmi_send(dev, &command_chassis_identify, forever, 2, on_done, on_refused);
	else
		ipmi_send(dev, &command_chassis_identify, never, 1, on_done, NULL);
}

const struct pctl_identify_if ipmi_identify = {
	.size = sizeof(ipmi_identify),
	.set = set,
};
