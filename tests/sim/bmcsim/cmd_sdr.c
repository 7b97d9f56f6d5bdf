/* SPDX-License-Identifier: Apache-2.0 */
/* Sensors (network function 04h, section 35) and the SDR repository (0Ah, section 33). */
#include "request.h"
#include "sdr.h"
#include "sel.h"

enum {
	SDR_VERSION = 0x51,
	OPERATIONS = 0x22, /* non-modal update, reserve */
	FIRST = 0x0000,
	LAST = 0xFFFF,
	WHOLE = 0xFF,
	SCANNING = 0xC0, /* and events */
	UNAVAILABLE = 0x20,
	HYSTERESIS = 1,
};

static uint8_t get_info(struct request *rq)
{
	put8(rq, SDR_VERSION);
	put16(rq, sdr_count());
	put16(rq, 0);
	put32(rq, 0x60000000); /* one program, one repository: it never changes */
	put32(rq, 0x60000000);
	put8(rq, OPERATIONS);
	return CC_OK;
}

static uint8_t reserve(struct request *rq)
{
	if (!++rq->dev->sdr_reservation)
		rq->dev->sdr_reservation++;
	put16(rq, rq->dev->sdr_reservation);
	return CC_OK;
}

static uint8_t get_record(struct request *rq)
{
	struct device *dev = rq->dev;
	uint8_t record[SDR_RECORD_MAX];
	unsigned id = get_u16(rq->in + 2);
	size_t from = rq->in[4], n = rq->in[5], size;

	if (id == FIRST)
		id = 1;
	if (id == LAST)
		id = sdr_count();
	if (id > sdr_count())
		return CC_NOT_PRESENT;
	if (from && (get_u16(rq->in) != dev->sdr_reservation || sim_take(&dev->knobs.sdr_cancel)))
		return CC_RESERVATION;
	size = sdr_record((uint16_t)id, record);
	if (n == WHOLE)
		n = size - (from < size ? from : size);
	if (dev->knobs.sdr_max_read && n > dev->knobs.sdr_max_read)
		return CC_NOT_RETURNED;
	if (from + n > size)
		return CC_INVALID_DATA;
	put16(rq, id < sdr_count() ? id + 1 : LAST);
	put_bytes(rq, record + from, n);
	return CC_OK;
}

static uint8_t get_time(struct request *rq)
{
	put32(rq, sel_time(rq->dev));
	return CC_OK;
}

static uint8_t get_reading(struct request *rq)
{
	struct device *dev = rq->dev;
	const struct sensor *s = sensor_find(rq->in[0]);
	uint8_t reading;

	if (!s)
		return CC_NOT_PRESENT;
	reading = sensor_reading(dev, s);
	if (s->needs_power && !dev->power.on) {
		put8(rq, 0);
		put8(rq, SCANNING | UNAVAILABLE);
		put16(rq, s->discrete ? 0x8000 : 0xC0);
	} else if (s->discrete) {
		put8(rq, 0);
		put8(rq, SCANNING);
		put16(rq, 0x8000U | reading);
	} else {
		put8(rq, reading);
		put8(rq, SCANNING);
		put8(rq, 0xC0U | sensor_status(s, reading));
	}
	return CC_OK;
}

static uint8_t get_thresholds(struct request *rq)
{
	const struct sensor *s = sensor_find(rq->in[0]);

	if (!s)
		return CC_NOT_PRESENT;
	if (s->discrete)
		return CC_INVALID_COMMAND;
	put8(rq, s->threshold_mask);
	put_bytes(rq, s->threshold, THRESHOLDS);
	return CC_OK;
}

static uint8_t get_hysteresis(struct request *rq)
{
	const struct sensor *s = sensor_find(rq->in[0]);

	if (!s)
		return CC_NOT_PRESENT;
	put8(rq, HYSTERESIS);
	put8(rq, HYSTERESIS);
	return CC_OK;
}

static uint8_t get_event_enable(struct request *rq)
{
	if (!sensor_find(rq->in[0]))
		return CC_NOT_PRESENT;
	put8(rq, SCANNING);
	put32(rq, 0);
	return CC_OK;
}

static uint8_t get_type(struct request *rq)
{
	const struct sensor *s = sensor_find(rq->in[0]);

	if (!s)
		return CC_NOT_PRESENT;
	put8(rq, s->type);
	put8(rq, s->discrete ? 0x6F : 0x01);
	return CC_OK;
}

static const struct command table[] = {
	{ NETFN_SENSOR, 0x25, PRIV_USER, 2, 2, get_hysteresis },
	{ NETFN_SENSOR, 0x27, PRIV_USER, 1, 1, get_thresholds },
	{ NETFN_SENSOR, 0x29, PRIV_USER, 1, 1, get_event_enable },
	{ NETFN_SENSOR, 0x2D, PRIV_USER, 1, 1, get_reading },
	{ NETFN_SENSOR, 0x2F, PRIV_USER, 1, 1, get_type },
	{ NETFN_STORAGE, 0x20, PRIV_USER, 0, 0, get_info },
	{ NETFN_STORAGE, 0x22, PRIV_USER, 0, 0, reserve },
	{ NETFN_STORAGE, 0x23, PRIV_USER, 6, 6, get_record },
	{ NETFN_STORAGE, 0x28, PRIV_USER, 0, 0, get_time },
};

const struct commands commands_sdr = { table, COUNT(table) };
