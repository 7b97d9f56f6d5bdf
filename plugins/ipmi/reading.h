/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a sensor says, in words: values, units, states, events (IPMI 2.0 chapters 35, 36 and 42),
 * with the texts of libfreeipmi. Pure, no I/O.
 */
#ifndef POWERCTL_IPMI_READING_H
#define POWERCTL_IPMI_READING_H

#include <powerctl/value.h>

#include "sdr.h"

/* Who made the BMC: some events mean what only the maker says. */
struct maker {
	uint32_t manufacturer; /* IANA */
	uint16_t product;
};

/* libfreeipmi's tables of states; costs 50 us, so an op makes one. NULL: memory is out. */
struct reading_words;
struct reading_words *reading_words_new(const struct maker *maker);
void reading_words_free(struct reading_words *words);
const struct maker *reading_words_maker(const struct reading_words *words);

/* An answer to Get Sensor Reading (35.14). */
struct reading {
	bool available;
	uint8_t raw;
	uint16_t bits; /* thresholds that hold (enum sdr_threshold), or states */
};
/* False if data is too short. */
bool reading_decode(const uint8_t *data, size_t len, struct reading *ret);

/*
 * raw as a decimal number, in as many places as the factors make sense of: "12.096". False where
 * the sensor has no numbers or this one is none.
 */
#define READING_NUMBER_SIZE 48u
bool reading_number(
	const struct sdr *sdr, const struct sdr_factors *factors, uint8_t raw, char *out);

/* "V", "rpm", "W", "C"; READING_UNIT_SIZE bytes. False if there is none. */
#define READING_UNIT_SIZE 64u
bool reading_unit(const struct sdr *sdr, char *out);

/*
 * What kind of thing it is about, in words joined by _: "temperature", "power_supply"; "other" for
 * what only its maker knows. unit_base tells what sensors "based on other units" measure. Of the
 * same size.
 */
void reading_type(const struct maker *maker, uint8_t sensor_type, uint8_t reading_type,
	uint8_t unit_base, char *out);

/* What an entity is, in the same words (table 43-13): "power_supply", "memory_module". */
void reading_entity(uint8_t entity, char *out);

/* What one bit of a discrete sensor, or one event's offset, means; READING_EVENT_SIZE bytes. */
#define READING_EVENT_SIZE 256u
void reading_event(const struct maker *maker, uint8_t sensor_type, uint8_t reading_type,
	uint8_t number, unsigned offset, char *out);

/* "lower_critical" and so on. */
const char *reading_threshold_name(enum sdr_threshold threshold);

/* The keys of docs/names.md that a reading fills in: state, value, events. */
void reading_fill(const struct reading_words *words, const struct sdr *sdr, unsigned index,
	const struct sdr_factors *factors, const struct reading *reading, struct pctl_value *ret);

/* The thresholds that mask names, as numbers. */
void reading_fill_thresholds(const struct sdr *sdr, const struct sdr_factors *factors, uint8_t mask,
	const uint8_t raw[SDR_THRESHOLDS], struct pctl_value *ret);

/* libfreeipmi's opinion of an event record of 16 bytes: "info", "warning", "critical", or NULL. */
const char *reading_severity(const struct reading_words *words, const uint8_t record[16]);

#define READING_TYPE_THRESHOLD 0x01
#define READING_TYPE_PRESENCE  0x08
#define READING_TYPE_SPECIFIC  0x6f

#endif
