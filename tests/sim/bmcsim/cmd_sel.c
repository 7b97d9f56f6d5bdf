/* SPDX-License-Identifier: Apache-2.0 */
/* Network function 0Ah: the event log and its clock, section 31. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "request.h"
#include "sel.h"

enum {
	SEL_VERSION = 0x51,
	SUPPORTS_RESERVE = 0x02,
	OVERFLOW = 0x80,
	FIRST = 0x0000,
	LAST = 0xFFFF,
	WHOLE = 0xFF,
	ERASE = 0xAA,
	ERASE_STATUS = 0x00,
	ERASE_DONE = 0x01,
	TYPE_EVENT = 0x02,
	TYPE_NO_TIME = 0xE0, /* from here on records have no time */
	GENERATOR_BMC = 0x20,
	EVENT_REVISION = 0x04,
	CC_FULL = 0xC4,
	UTC_UNSPECIFIED = 0x07FF,
};

uint32_t sel_time(const struct device *dev)
{
	return (uint32_t)((int64_t)time(NULL) + dev->sel.offset);
}

uint16_t sel_add(struct device *dev, const uint8_t record[SEL_RECORD])
{
	struct sel *sel = &dev->sel;
	uint8_t *at;

	if (sel->count >= dev->knobs.sel_capacity) {
		sel->overflow = true;
		return 0;
	}
	if (!sel->records)
		sel->records = xcalloc(SEL_CAPACITY, SEL_RECORD);
	at = sel->records[sel->count++];
	memcpy(at, record, SEL_RECORD);
	put_u16(at, sel->count);
	sel->added = sel_time(dev);
	if (record[2] < TYPE_NO_TIME)
		put_u32(at + 3, sel->added);
	return (uint16_t)sel->count;
}

void sel_event(struct device *dev, uint8_t type, uint8_t sensor, uint8_t event, uint8_t offset)
{
	const uint8_t record[SEL_RECORD] = {
		[2] = TYPE_EVENT,
		[7] = GENERATOR_BMC,
		[9] = EVENT_REVISION,
		[10] = type,
		[11] = sensor,
		[12] = event,
		[13] = offset,
		[14] = 0xFF,
		[15] = 0xFF,
	};

	if (dev->knobs.sel_events)
		sel_add(dev, record);
}

void sel_clear(struct device *dev)
{
	dev->sel.count = 0;
	dev->sel.overflow = false;
	dev->sel.reservation++;
	dev->sel.erased = sel_time(dev);
}

void sel_done(struct device *dev)
{
	free(dev->sel.records);
	dev->sel.records = NULL;
}

static uint8_t get_info(struct request *rq)
{
	const struct sel *sel = &rq->dev->sel;

	put8(rq, SEL_VERSION);
	put16(rq, sel->count);
	put16(rq, (rq->dev->knobs.sel_capacity - sel->count) * SEL_RECORD);
	put32(rq, sel->count ? sel->added : 0xFFFFFFFF);
	put32(rq, sel->erased ? sel->erased : 0xFFFFFFFF);
	put8(rq, SUPPORTS_RESERVE | (sel->overflow ? OVERFLOW : 0));
	return CC_OK;
}

static uint8_t get_allocation(struct request *rq)
{
	uint32_t room = rq->dev->knobs.sel_capacity - rq->dev->sel.count;

	put16(rq, rq->dev->knobs.sel_capacity);
	put16(rq, SEL_RECORD);
	put16(rq, room);
	put16(rq, room);
	put8(rq, 1);
	return CC_OK;
}

static uint8_t reserve(struct request *rq)
{
	struct sel *sel = &rq->dev->sel;

	if (!++sel->reservation)
		sel->reservation++;
	put16(rq, sel->reservation);
	return CC_OK;
}

/* Record ids count from 1; 0: none of that id. */
static uint32_t find(const struct sel *sel, uint32_t id)
{
	if (id == FIRST)
		id = 1;
	if (id == LAST)
		id = sel->count;
	return id <= sel->count ? id : 0;
}

static uint8_t get_entry(struct request *rq)
{
	const struct sel *sel = &rq->dev->sel;
	uint16_t reservation = get_u16(rq->in);
	uint32_t id = find(sel, get_u16(rq->in + 2));
	size_t from = rq->in[4], n = rq->in[5];

	if (!id)
		return CC_NOT_PRESENT;
	if (from && reservation != sel->reservation)
		return CC_RESERVATION;
	if (n == WHOLE)
		n = SEL_RECORD - (from < SEL_RECORD ? from : SEL_RECORD);
	if (from + n > SEL_RECORD)
		return CC_INVALID_DATA;
	put16(rq, id < sel->count ? id + 1 : LAST);
	put_bytes(rq, sel->records[id - 1] + from, n);
	return CC_OK;
}

static uint8_t add_entry(struct request *rq)
{
	uint16_t id = sel_add(rq->dev, rq->in);

	if (!id)
		return CC_FULL;
	put16(rq, id);
	return CC_OK;
}

static uint8_t clear(struct request *rq)
{
	if (memcmp(rq->in + 2, "CLR", 3) != 0)
		return CC_INVALID_DATA;
	if (get_u16(rq->in) != rq->dev->sel.reservation)
		return CC_RESERVATION;
	if (rq->in[5] == ERASE)
		sel_clear(rq->dev);
	else if (rq->in[5] != ERASE_STATUS)
		return CC_INVALID_DATA;
	put8(rq, ERASE_DONE);
	return CC_OK;
}

static uint8_t get_time(struct request *rq)
{
	put32(rq, sel_time(rq->dev));
	return CC_OK;
}

static uint8_t set_time(struct request *rq)
{
	rq->dev->sel.offset = (int64_t)get_u32(rq->in) - (int64_t)time(NULL);
	return CC_OK;
}

static uint8_t get_utc_offset(struct request *rq)
{
	put16(rq, rq->dev->knobs.utc_offset_known ? 0 : UTC_UNSPECIFIED);
	return CC_OK;
}

static const struct command table[] = {
	{ NETFN_STORAGE, 0x40, PRIV_USER, 0, 0, get_info },
	{ NETFN_STORAGE, 0x41, PRIV_USER, 0, 0, get_allocation },
	{ NETFN_STORAGE, 0x42, PRIV_USER, 0, 0, reserve },
	{ NETFN_STORAGE, 0x43, PRIV_USER, 6, 6, get_entry },
	{ NETFN_STORAGE, 0x44, PRIV_OPERATOR, 16, 16, add_entry },
	{ NETFN_STORAGE, 0x47, PRIV_OPERATOR, 6, 6, clear },
	{ NETFN_STORAGE, 0x48, PRIV_USER, 0, 0, get_time },
	{ NETFN_STORAGE, 0x49, PRIV_OPERATOR, 4, 4, set_time },
	{ NETFN_STORAGE, 0x5C, PRIV_USER, 0, 0, get_utc_offset },
};

const struct commands commands_sel = { table, COUNT(table) };
