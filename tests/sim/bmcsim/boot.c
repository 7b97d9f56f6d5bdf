/* SPDX-License-Identifier: Apache-2.0 */
#include "boot.h"

#include <string.h>

#include "request.h"
#include "sim.h"

enum {
	FLAG_VALID = 0x80,
	FLAG_PERSISTENT = 0x40,
	FLAG_UEFI = 0x20,
	CLEARING_TIMEOUT = 0x08, /* set: keep the flags when no command comes within 60 s */
	PARAMETER_INVALID = 0x80,
	PARAMETER_VERSION = 0x01,
	PROGRESS_NONE = 0,
	PROGRESS_SET = 1,
	PROGRESS_COMMIT = 2,
	CC_PARAMETER = 0x80,
	CC_IN_PROGRESS = 0x81,
	FLAGS_SELECTOR = 5,
};

/* Table 28-14. min of data set, and where it is kept. */
struct parameter {
	uint8_t min;
	uint8_t size;
	size_t at;
};

#define AT(member) sizeof(((struct boot *)0)->member), offsetof(struct boot, member)

static const struct parameter parameters[BOOT_PARAMETERS] = {
	[0] = { 1, AT(progress) },
	[1] = { 1, AT(partition) },
	[2] = { 1, AT(scan) },
	[3] = { 1, AT(clearing) },
	[4] = { 2, AT(acknowledge) },
	[5] = { 5, AT(flags) },
	[6] = { 9, AT(initiator) },
};

static const char *const words[16] = {
	[0] = "default",
	[1] = "pxe",
	[2] = "disk",
	[3] = "safe",
	[4] = "diag",
	[5] = "cdrom",
	[6] = "bios",
	[7] = "remote-floppy",
	[8] = "remote-cdrom",
	[9] = "remote-primary",
	[11] = "remote-disk",
	[15] = "floppy",
};

static const char *word_of(uint8_t device)
{
	return words[device & 15] ? words[device & 15] : "reserved";
}

const char *boot_device_word(const struct boot *b)
{
	return b->boots ? word_of(b->last_device) : NULL;
}

static const struct parameter *find(const struct device *dev, uint8_t selector)
{
	if (selector >= BOOT_PARAMETERS || !parameters[selector].size ||
		dev->knobs.refuse_params >> selector & 1)
		return NULL;
	return &parameters[selector];
}

static bool flags_valid(const struct device *dev)
{
	const struct boot *b = &dev->boot;
	uint64_t limit = dev->knobs.boot_timeout_ms;

	if (!(b->flags[0] & FLAG_VALID))
		return false;
	return b->armed || !limit || (b->clearing & CLEARING_TIMEOUT) ||
	       sim_now(dev->sim) < b->set_at + limit;
}

const char *boot_set_word(const struct device *dev)
{
	return flags_valid(dev) ? word_of(dev->boot.flags[1] >> 2) : NULL;
}

static uint8_t set_progress(struct boot *b, uint8_t value)
{
	if (value > PROGRESS_COMMIT)
		return CC_INVALID_DATA;
	if (value == PROGRESS_SET && b->progress == PROGRESS_SET)
		return CC_IN_PROGRESS;
	b->progress = value == PROGRESS_COMMIT ? PROGRESS_NONE : value;
	return CC_OK;
}

/* Only the bits in the mask change, and it always reads as 0. */
static void acknowledge(struct boot *b, const uint8_t *data)
{
	b->acknowledge[1] = (uint8_t)((b->acknowledge[1] & ~data[0]) | (data[1] & data[0]));
}

static void flags_set(struct device *dev)
{
	struct boot *b = &dev->boot;

	if (dev->knobs.no_persistent)
		b->flags[0] &= (uint8_t)~FLAG_PERSISTENT;
	b->set_at = sim_now(dev->sim);
	b->armed = false;
	dev->counters.boot_flags_set++;
}

uint8_t boot_set_option(struct device *dev, uint8_t selector, const uint8_t *data, size_t n)
{
	unsigned number = selector & 0x7F;
	const struct parameter *p = find(dev, (uint8_t)number);
	struct boot *b = &dev->boot;

	if (!p)
		return CC_PARAMETER;
	b->invalid = (uint8_t)((b->invalid & ~(1U << number)) | (selector >> 7) << number);
	if (!n)
		return CC_OK;
	if (n < p->min || n > p->size)
		return CC_LENGTH;
	if (number == 0)
		return set_progress(b, data[0]);
	if (number == 4)
		acknowledge(b, data);
	else
		memcpy((char *)b + p->at, data, n);
	if (number == FLAGS_SELECTOR)
		flags_set(dev);
	return CC_OK;
}

uint8_t boot_get_option(struct device *dev, uint8_t selector, uint8_t *out, size_t *ret_n)
{
	const struct parameter *p = find(dev, selector);
	struct boot *b = &dev->boot;

	if (!p)
		return CC_PARAMETER;
	if (!flags_valid(dev))
		b->flags[0] &= (uint8_t)~FLAG_VALID;
	out[0] = PARAMETER_VERSION;
	out[1] = selector;
	if (b->invalid >> selector & 1)
		out[1] |= PARAMETER_INVALID;
	memcpy(out + 2, (const char *)b + p->at, p->size);
	if (selector == FLAGS_SELECTOR && dev->knobs.readback_invalid)
		out[2] &= (uint8_t)~FLAG_VALID;
	*ret_n = 2 + (size_t)p->size;
	return CC_OK;
}

void boot_arm(struct device *dev)
{
	dev->boot.armed = flags_valid(dev);
}

void boot_start(struct device *dev)
{
	struct boot *b = &dev->boot;

	b->boots++;
	b->last_valid = flags_valid(dev);
	b->last_device = b->last_valid ? b->flags[1] >> 2 & 15 : 0;
	b->last_uefi = b->last_valid ? b->flags[0] & FLAG_UEFI : dev->knobs.default_uefi;
	if (!(b->flags[0] & FLAG_PERSISTENT) || !b->last_valid)
		memset(b->flags, 0, sizeof(b->flags));
	b->armed = b->flags[0] & FLAG_VALID;
	b->acknowledge[1] |= 0x01; /* BIOS or POST has handled the boot information */
}
