/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sensor data records (IPMI 2.0 chapter 43): bytes to structs, and a repository of them as one run
 * of bytes. Pure, no I/O.
 */
#ifndef POWERCTL_IPMI_SDR_H
#define POWERCTL_IPMI_SDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "text.h"

#define SDR_HEADER     5u                  /* id, version, type, length of what follows */
#define SDR_RECORD_MAX (SDR_HEADER + 255u) /* 43.1: the length is one byte */

/* Limits of ours on a repository; real ones have up to some hundred records of 64 bytes. */
#define SDR_RECORDS_MAX 4096u
#define SDR_BYTES_MAX   ((size_t)256 * 1024)

enum sdr_type {
	SDR_FULL = 0x01,
	SDR_COMPACT = 0x02,
	SDR_EVENT_ONLY = 0x03,
	SDR_FRU_LOCATOR = 0x11,
	SDR_MC_LOCATOR = 0x12,
};

/* The BMC's own address on the IPMB: sensors of other owners need bridging. */
#define SDR_OWNER_BMC 0x20

/* Thresholds in the order of their bits and of Get Sensor Thresholds. */
enum sdr_threshold {
	SDR_LOWER_WARNING, /* "non-critical" */
	SDR_LOWER_CRITICAL,
	SDR_LOWER_FATAL, /* "non-recoverable" */
	SDR_UPPER_WARNING,
	SDR_UPPER_CRITICAL,
	SDR_UPPER_FATAL,
	SDR_THRESHOLDS,
};

/* Bits 7:6 of Sensor Units 1. */
enum sdr_format {
	SDR_UNSIGNED,
	SDR_ONES_COMPLEMENT,
	SDR_TWOS_COMPLEMENT,
	SDR_NO_NUMBER,
};

/* y = L[(M x + B 10^b_exp) 10^r_exp] (36.3). */
struct sdr_factors {
	int16_t m, b;
	int8_t r_exp, b_exp;
	uint8_t linearization; /* from 70h on the factors depend on the reading and are asked for */
};
#define SDR_LINEAR     0x00
#define SDR_NON_LINEAR 0x70

/* What a type does not have is zero. */
struct sdr {
	uint16_t id;
	enum sdr_type type;
	char name[TEXT_SIZE]; /* may be empty */
	uint8_t entity, instance;

	/* SDR_FULL, SDR_COMPACT, SDR_EVENT_ONLY */
	uint8_t owner, lun, number;
	uint8_t sensor_type, reading_type;
	uint8_t share;        /* so many sensors, numbered upwards, have this record; at least 1 */
	bool share_letters;   /* their names end in letters, not numbers */
	uint8_t share_offset; /* of the first */

	/* SDR_FULL, SDR_COMPACT */
	uint8_t unit_flags, unit_base, unit_modifier;

	/* SDR_FULL */
	enum sdr_format format; /* SDR_NO_NUMBER elsewhere */
	struct sdr_factors factors;
	uint8_t threshold_access; /* bits 3:2 of the capabilities */
	uint8_t readable;         /* a bit for each threshold */
	uint8_t thresholds[SDR_THRESHOLDS];

	/* SDR_FRU_LOCATOR */
	uint8_t access_address, fru_id, device_type, device_modifier;
	bool logical; /* a FRU that the owner itself answers for by Read FRU Data */
};

/*
 * The record's length with its header, by its own word; 0 if there is not even a header. data is
 * what has been read so far.
 */
size_t sdr_length(const uint8_t *data, size_t len);

/* False for a record of another type, or one that is cut short: *ret is then undefined. */
bool sdr_decode(const uint8_t *data, size_t len, struct sdr *ret);

bool sdr_is_sensor(const struct sdr *sdr);
/* A sensor that the BMC itself can be asked for. */
bool sdr_is_readable(const struct sdr *sdr);

/* The name of the i-th sensor that shares the record; TEXT_SIZE bytes. */
void sdr_sensor_name(const struct sdr *sdr, unsigned i, char *out);

/* Factors of one reading, as Get Sensor Reading Factors answers (35.5): M to the exponents. */
#define SDR_FACTORS_BYTES 6u
void sdr_factors_decode(const uint8_t data[SDR_FACTORS_BYTES], struct sdr_factors *ret);

/* --- A repository. ---------------------------------------------------------------------------- */

/* Records one behind the other, each as long as its header says. *at begins at 0. */
bool sdr_next(const uint8_t *data, size_t len, size_t *at, const uint8_t **ret, size_t *ret_len);

/*
 * The sensor that an event is about. False where no record has it; *ret_index is which of those
 * that share the record.
 */
bool sdr_find_sensor(const uint8_t *data, size_t len, uint8_t owner, uint8_t lun, uint8_t number,
	struct sdr *ret, unsigned *ret_index);

#endif
