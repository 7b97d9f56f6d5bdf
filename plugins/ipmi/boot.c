/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The boot override (specification sections 28.12 and 28.13, table 28-14): parameter 5, after the
 * rule was switched off that forgets it 60 s later. What a BMC has no use for beside parameter 5
 * itself does no harm, so refusals of the rest are let pass.
 */
#include <string.h>

#include <powerctl/log.h>

#include "ipmi.h"

#define PARAMETER_VALID_BIT_CLEARING 0x03u
#define PARAMETER_INFO_ACKNOWLEDGE   0x04u
#define PARAMETER_BOOT_FLAGS         0x05u

#define KEEP_FLAGS_AFTER_60_S 0x08u /* parameter 3, bit 3 */

/* Parameter 5, bytes 1 and 2. */
#define FLAGS_VALID      0x80u
#define FLAGS_PERSISTENT 0x40u
#define FLAGS_UEFI       0x20u
#define DEVICE_MASK      0x3cu

static const uint8_t devices[PCTL_BOOT_COUNT] = {
	[PCTL_BOOT_NONE] = 0x00,
	[PCTL_BOOT_PXE] = 0x04,
	[PCTL_BOOT_DISK] = 0x08,
	[PCTL_BOOT_DIAG] = 0x10,
	[PCTL_BOOT_CD] = 0x14,
	[PCTL_BOOT_BIOS] = 0x18,
	[PCTL_BOOT_USB] = 0x3c, /* "floppy or primary removable media" */
};
#define CAN                                                                     \
	(PCTL_BOOT_BIT(PCTL_BOOT_NONE) | PCTL_BOOT_BIT(PCTL_BOOT_PXE) |         \
		PCTL_BOOT_BIT(PCTL_BOOT_DISK) | PCTL_BOOT_BIT(PCTL_BOOT_DIAG) | \
		PCTL_BOOT_BIT(PCTL_BOOT_CD) | PCTL_BOOT_BIT(PCTL_BOOT_BIOS) |   \
		PCTL_BOOT_BIT(PCTL_BOOT_USB))

static const uint8_t which_flags[] = { PARAMETER_BOOT_FLAGS, 0, 0 };

/* --- Set. ------------------------------------------------------------------------------------- */

/* Some read back as not valid what they do, so that it is told to whoever asks (-vv), no more. */
static void on_read_back(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	const uint8_t *flags = dev->work.boot.flags;

	if (len < 4 || data[2] != flags[0] || (data[3] & DEVICE_MASK) != flags[1])
		pctl_log(PCTL_LOG_DEBUG, dev->device,
			"boot flags %02x %02x were taken, and read back as %02x %02x", flags[0],
			flags[1], len < 4 ? 0 : data[2], len < 4 ? 0 : data[3]);
	ipmi_end(dev, NULL);
}

static void on_no_read_back(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	(void)code;
	pctl_log(PCTL_LOG_DEBUG, dev->device, "boot flags cannot be read back: %s", err->text);
	ipmi_end(dev, NULL);
}

static void on_flags_set(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)data, (void)len;
	ipmi_send(dev, &command_get_boot_options, which_flags, sizeof(which_flags), on_read_back,
		on_no_read_back);
}

static void set_flags(struct ipmi_dev *dev)
{
	const uint8_t data[] = { PARAMETER_BOOT_FLAGS, dev->work.boot.flags[0],
		dev->work.boot.flags[1], 0, 0, 0 };

	ipmi_send(dev, &command_set_boot_options, data, sizeof(data), on_flags_set, NULL);
}

static void on_acknowledge(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)data, (void)len;
	set_flags(dev);
}

static void on_no_acknowledge(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (ipmi_is_declined(err, code))
		set_flags(dev);
	else
		ipmi_end(dev, err);
}

/* Firmware that has seen "handled" from an earlier start may ignore the flags (table 28-14, 4). */
static void clear_acknowledge(struct ipmi_dev *dev)
{
	static const uint8_t data[] = { PARAMETER_INFO_ACKNOWLEDGE, 0x01, 0x01 };

	ipmi_send(dev, &command_set_boot_options, data, sizeof(data), on_acknowledge,
		on_no_acknowledge);
}

static void on_kept(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)data, (void)len;
	clear_acknowledge(dev);
}

static void on_not_kept(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (ipmi_is_declined(err, code))
		clear_acknowledge(dev);
	else
		ipmi_end(dev, err);
}

static void set(void *data, struct pctl_op *op, const struct pctl_boot *boot)
{
	static const uint8_t keep[] = { PARAMETER_VALID_BIT_CLEARING, KEEP_FLAGS_AFTER_60_S };
	struct ipmi_dev *dev = data;
	bool uefi = boot->mode == PCTL_BOOT_MODE_UEFI ||
		    (boot->mode == PCTL_BOOT_MODE_ANY &&
			    pctl_setting_choice(dev->device, "boot_mode") == 1);

	dev->before_change = true;
	dev->work.boot = (struct boot_work){
		.flags = { (uint8_t)(FLAGS_VALID | (boot->persistent ? FLAGS_PERSISTENT : 0) |
				     (uefi ? FLAGS_UEFI : 0)),
			devices[boot->device] },
	};
	ipmi_begin(dev, op);
	ipmi_send(dev, &command_set_boot_options, keep, sizeof(keep), on_kept, on_not_kept);
}

/* --- Get. ------------------------------------------------------------------------------------- */

static enum pctl_boot_device device_of(uint8_t flags)
{
	for (int i = 0; i < PCTL_BOOT_COUNT; i++)
		if (devices[i] == (flags & DEVICE_MASK) && (PCTL_BOOT_BIT(i) & CAN))
			return (enum pctl_boot_device)i;
	return PCTL_BOOT_NONE;
}

/* After the version and the parameter's own number. */
static void on_flags(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct pctl_boot *ret = dev->work.boot.ret;

	if (len < 4) {
		ipmi_fail(dev, PCTL_E_PROTOCOL, "the boot flags are too short: %zu bytes", len);
		return;
	}
	if (data[2] & FLAGS_VALID) {
		ret->device = device_of(data[3]);
		ret->persistent = data[2] & FLAGS_PERSISTENT;
		ret->mode = data[2] & FLAGS_UEFI ? PCTL_BOOT_MODE_UEFI : PCTL_BOOT_MODE_LEGACY;
	}
	ipmi_end(dev, NULL);
}

static void get(void *data, struct pctl_op *op, struct pctl_boot *ret)
{
	struct ipmi_dev *dev = data;

	dev->work.boot = (struct boot_work){ .ret = ret };
	ipmi_begin(dev, op);
	ipmi_send(dev, &command_get_boot_options, which_flags, sizeof(which_flags), on_flags, NULL);
}

const struct pctl_boot_if ipmi_boot = {
	.size = sizeof(ipmi_boot),
	.once = CAN,
	.persistent = CAN,
	.set = set,
	.get = get,
};
