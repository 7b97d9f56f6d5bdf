/* SPDX-License-Identifier: Apache-2.0 */
/* Sensors and the records that describe them, section 43. The same on every BMC. */
#ifndef POWERCTL_BMCSIM_SDR_H
#define POWERCTL_BMCSIM_SDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

enum {
	SDR_RECORD_MAX = 64,
	SENSOR_MAX = 32, /* numbers are below */
	SENSOR_POWER_UNIT = 16,
	/* Bits of a mask of thresholds, and their places in a table: 35.9. */
	THRESHOLD_LNC = 0,
	THRESHOLD_LC,
	THRESHOLD_LNR,
	THRESHOLD_UNC,
	THRESHOLD_UC,
	THRESHOLD_UNR,
	THRESHOLDS,
};

struct sensor {
	uint8_t number;
	const char *name;
	uint8_t type;
	uint8_t entity;
	/* Works only while the host is on. */
	bool needs_power;
	bool discrete;
	uint8_t reading; /* raw, or the states 0 to 7 */
	/* Of analog ones. */
	bool is_signed;
	uint8_t unit;
	int16_t m;
	int16_t b;
	int8_t b_exponent;
	int8_t r_exponent;
	uint8_t threshold_mask;
	uint8_t threshold[THRESHOLDS];
};

/* NULL: no such number. */
const struct sensor *sensor_find(uint8_t number);
uint8_t sensor_reading(struct device *dev, const struct sensor *s);
/* The thresholds that it is beyond. */
uint8_t sensor_status(const struct sensor *s, uint8_t reading);
void sensor_init(struct device *dev);

/* Record ids count from 1. */
uint16_t sdr_count(void);
/* The record as it is on the wire; how many bytes, at most SDR_RECORD_MAX. */
size_t sdr_record(uint16_t id, uint8_t *out);

#endif
