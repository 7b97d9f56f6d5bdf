/* SPDX-License-Identifier: Apache-2.0 */
#include "sdr.h"

#include <string.h>

#include "sim.h"

enum {
	SDR_VERSION = 0x51,
	SDR_FULL = 0x01,
	SDR_COMPACT = 0x02,
	SDR_FRU = 0x11,
	SDR_MC = 0x12,
	SDR_HEADER = 5,
	BMC_ADDRESS = 0x20,
	TEXT_8BIT = 0xC0,
	READING_THRESHOLD = 0x01,
	READING_SPECIFIC = 0x6F,
	SIGNED = 0x80, /* two's complement */
	TYPE_TEMPERATURE = 0x01,
	TYPE_VOLTAGE = 0x02,
	TYPE_FAN = 0x04,
	TYPE_INTRUSION = 0x05,
	TYPE_PROCESSOR = 0x07,
	TYPE_SUPPLY = 0x08,
	TYPE_POWER_UNIT = 0x09,
	TYPE_OTHER = 0x0B,
	TYPE_ACPI = 0x22,
	UNIT_CELSIUS = 1,
	UNIT_VOLT = 4,
	UNIT_WATT = 6,
	UNIT_RPM = 18,
	ENTITY_PROCESSOR = 3,
	ENTITY_BOARD = 7,
	ENTITY_SUPPLY = 10,
	ENTITY_CHASSIS = 23,
	ENTITY_FAN = 29,
	ENTITY_BATTERY = 40,
	ENTITY_AIR_INLET = 55,
	SENSOR_ACPI = 20,
	LOWER = 1 << THRESHOLD_LNC | 1 << THRESHOLD_LC,
	UPPER = 1 << THRESHOLD_UNC | 1 << THRESHOLD_UC,
	EXTRA = 2, /* records that are of no sensor */
};

/* clang-format off */
static const struct sensor sensors[] = {
	{ 1, "CPU Temp", TYPE_TEMPERATURE, ENTITY_PROCESSOR, true, false, 45, false, UNIT_CELSIUS,
		1, 0, 0, 0, UPPER, { 0, 0, 0, 85, 95, 0 } },
	{ 2, "Inlet Temp", TYPE_TEMPERATURE, ENTITY_AIR_INLET, false, false, 22, true, UNIT_CELSIUS,
		1, 0, 0, 0, LOWER | UPPER, { 5, 0xFB, 0, 40, 45, 0 } },
	{ 3, "Fan 1", TYPE_FAN, ENTITY_FAN, true, false, 48, false, UNIT_RPM,
		75, 0, 0, 0, LOWER, { 10, 7, 0, 0, 0, 0 } },
	{ 4, "12V", TYPE_VOLTAGE, ENTITY_BOARD, true, false, 190, false, UNIT_VOLT,
		63, 0, 0, -3, LOWER | UPPER, { 177, 171, 0, 202, 208, 0 } },
	/* (8 x + 12 * 10^2) * 10^-3 */
	{ 5, "VBAT", TYPE_VOLTAGE, ENTITY_BATTERY, false, false, 230, false, UNIT_VOLT,
		8, 12, 2, -3, LOWER, { 180, 170, 0, 0, 0, 0 } },
	/* -40 degrees at 0, half a degree a step */
	{ 6, "VRM Temp", TYPE_TEMPERATURE, ENTITY_BOARD, true, false, 190, false, UNIT_CELSIUS,
		5, -40, 1, -1, UPPER, { 0, 0, 0, 250, 254, 0 } },
	{ 7, "Power", TYPE_OTHER, ENTITY_SUPPLY, false, false, 30, false, UNIT_WATT,
		4, 0, 0, 0, UPPER, { 0, 0, 0, 200, 225, 0 } },
	{ SENSOR_POWER_UNIT, "Power Unit", TYPE_POWER_UNIT, ENTITY_CHASSIS, false, true, 0x00,
		.unit = 0 },
	{ 17, "PS1 Status", TYPE_SUPPLY, ENTITY_SUPPLY, false, true, 0x01, .unit = 0 },
	{ 18, "Intrusion", TYPE_INTRUSION, ENTITY_CHASSIS, false, true, 0x00, .unit = 0 },
	{ 19, "CPU Status", TYPE_PROCESSOR, ENTITY_PROCESSOR, false, true, 0x80, .unit = 0 },
	{ SENSOR_ACPI, "ACPI State", TYPE_ACPI, ENTITY_BOARD, false, true, 0x00, .unit = 0 },
};
/* clang-format on */

const struct sensor *sensor_find(uint8_t number)
{
	for (size_t i = 0; i < COUNT(sensors); i++)
		if (sensors[i].number == number)
			return &sensors[i];
	return NULL;
}

void sensor_init(struct device *dev)
{
	for (size_t i = 0; i < COUNT(sensors); i++)
		dev->readings[sensors[i].number] = sensors[i].reading;
}

uint8_t sensor_reading(struct device *dev, const struct sensor *s)
{
	uint8_t reading = dev->readings[s->number];

	power_update(dev);
	if (s->number == SENSOR_POWER_UNIT)
		return reading | !dev->power.on; /* state 0: off */
	if (s->number == SENSOR_ACPI)
		return reading | (dev->power.on ? 0x01 : 0x20); /* S0, S5 */
	return reading;
}

static int value_of(const struct sensor *s, uint8_t raw)
{
	return s->is_signed ? (int8_t)raw : raw;
}

uint8_t sensor_status(const struct sensor *s, uint8_t reading)
{
	int value = value_of(s, reading);
	unsigned status = 0;

	for (unsigned i = 0; i < THRESHOLDS; i++) {
		int limit = value_of(s, s->threshold[i]);

		if (!(s->threshold_mask >> i & 1))
			continue;
		if (i < THRESHOLD_UNC ? value <= limit : value >= limit)
			status |= 1U << i;
	}
	return (uint8_t)status;
}

uint16_t sdr_count(void)
{
	return COUNT(sensors) + EXTRA;
}

/* The type and length byte, and the text; how many bytes. */
static size_t put_text(uint8_t *at, const char *text)
{
	size_t n = 0;

	for (; text[n]; n++)
		at[1 + n] = (uint8_t)text[n];
	at[0] = (uint8_t)(TEXT_8BIT | n);
	return 1 + n;
}

/* Bytes 6 to 14 are the same in full and compact records. */
static void put_common(uint8_t *out, const struct sensor *s)
{
	out[5] = BMC_ADDRESS;
	out[7] = s->number;
	out[8] = s->entity;
	out[9] = 1;
	out[10] = 0x7F; /* all is initialized, scanning is on */
	out[11] = s->discrete ? 0x40 : 0x44;
	out[12] = s->type;
	out[13] = s->discrete ? READING_SPECIFIC : READING_THRESHOLD;
}

static void put_factor(uint8_t *at, int16_t value)
{
	at[0] = (uint8_t)value;
	at[1] = (uint8_t)((value >> 8 & 3) << 6);
}

static size_t full(const struct sensor *s, uint8_t *out)
{
	/* In the record the upper ones come first, each beginning with non-recoverable. */
	static const uint8_t order[] = { THRESHOLD_UNR, THRESHOLD_UC, THRESHOLD_UNC, THRESHOLD_LNR,
		THRESHOLD_LC, THRESHOLD_LNC };

	put_common(out, s);
	out[18] = s->threshold_mask; /* readable */
	out[20] = s->is_signed ? SIGNED : 0;
	out[21] = s->unit;
	put_factor(out + 24, s->m);
	put_factor(out + 26, s->b);
	out[29] = (uint8_t)((s->r_exponent & 15) << 4 | (s->b_exponent & 15));
	out[30] = 0x01; /* nominal reading is given */
	out[31] = s->reading;
	out[34] = s->is_signed ? 0x7F : 0xFF;
	out[35] = s->is_signed ? 0x80 : 0x00;
	for (size_t i = 0; i < THRESHOLDS; i++)
		out[36 + i] = s->threshold[order[i]];
	out[42] = out[43] = 1;
	return 47 + put_text(out + 47, s->name);
}

static size_t compact(const struct sensor *s, uint8_t *out)
{
	put_common(out, s);
	out[14] = out[16] = out[18] = 0xFF;
	out[20] = 0xC0; /* no analog reading */
	out[23] = 1;    /* shared by nobody */
	return 31 + put_text(out + 31, s->name);
}

static size_t locate_bmc(uint8_t *out)
{
	out[5] = BMC_ADDRESS;
	out[8] = 0x8F;
	out[12] = 6; /* system management module */
	out[13] = 1;
	return 15 + put_text(out + 15, "BMC");
}

static size_t locate_fru(uint8_t *out)
{
	out[5] = BMC_ADDRESS;
	out[7] = 0x80; /* a logical one, number 0 */
	out[10] = 0x10;
	out[12] = ENTITY_BOARD;
	out[13] = 1;
	return 15 + put_text(out + 15, "Builtin FRU");
}

size_t sdr_record(uint16_t id, uint8_t *out)
{
	const struct sensor *s = id > EXTRA ? &sensors[id - EXTRA - 1] : NULL;
	size_t n;

	memset(out, 0, SDR_RECORD_MAX);
	if (!s)
		n = id == 1 ? locate_bmc(out) : locate_fru(out);
	else
		n = s->discrete ? compact(s, out) : full(s, out);
	put_u16(out, id);
	out[2] = SDR_VERSION;
	out[3] = !s ? (id == 1 ? SDR_MC : SDR_FRU) : s->discrete ? SDR_COMPACT : SDR_FULL;
	out[4] = (uint8_t)(n - SDR_HEADER);
	return n;
}
