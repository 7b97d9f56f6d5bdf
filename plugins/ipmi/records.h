/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the operations on records share: reading the sensor data records and FRUs, waiting. Each of
 * these operations keeps a job (ipmi_keep()) that begins with a struct records, so that the steps
 * here find what is theirs.
 */
#ifndef POWERCTL_IPMI_RECORDS_H
#define POWERCTL_IPMI_RECORDS_H

#include <powerctl/buf.h>
#include <powerctl/value.h>

#include "device_id.h"
#include "fru.h"
#include "ipmi.h"
#include "sdr.h"

/* A step that ends or goes on with the op. */
typedef void records_then_fn(struct ipmi_dev *dev);

/* How many bytes are asked for at once: less with each "cannot return that many" (table 5-2). */
struct chunk {
	uint8_t size;
};
#define CHUNK_WHOLE 0xff
#define CHUNK_FIRST 32u
#define CHUNK_LEAST 4u
/* Whether code asks for less, and there is less to be asked for. */
bool chunk_shrink(struct chunk *chunk, int code);

/* 16-bit ids that were there: a list that comes back to one of them has no end. */
struct ids {
	uint8_t bits[65536 / 8];
};
/* False if it was there. */
bool ids_add(struct ids *ids, uint16_t id);

struct pause;

struct sdr_read {
	struct device_id id;
	struct pctl_buf records; /* one behind the other, for sdr_next() */
	bool whole;              /* nothing is missing */

	records_then_fn *then, *after_id;
	ipmi_except_fn *except;
	uint64_t reserve_ms; /* of the op's time: then what there is will do */
	char key[SDR_KEY_SIZE];
	bool shared; /* the key is one of a kind of BMC */
	struct chunk chunk;
	bool answered; /* some whole record came */
	uint16_t reservation, next;
	unsigned renewed, count;
	uint8_t record[SDR_RECORD_MAX];
	size_t have;
};

struct fru_read {
	uint8_t data[FRU_BYTES_MAX];
	size_t have;

	records_then_fn *then;
	ipmi_except_fn *except;
	uint8_t device;
	bool words; /* it counts in words of two bytes */
	size_t size;
	struct chunk chunk;
	unsigned busy;
};

struct records {
	struct sdr_read sdr;
	struct fru_read fru;
	struct ids ids;
	struct pause *pause;    /* NULL: nothing was waited for */
	struct pctl_value *ret; /* the core's */
};

/* Begins op with a job of size bytes, zeroed, that begins with a struct records. */
void *records_begin(struct ipmi_dev *dev, struct pctl_op *op, size_t size, struct pctl_value *ret);
/* For those that have more to free than a struct records: done calls records_done() in the end. */
void *records_begin_with(struct ipmi_dev *dev, struct pctl_op *op, size_t size,
	struct pctl_value *ret, void (*done)(void *job));
void records_done(void *job);
static inline struct records *records_of(const struct ipmi_dev *dev)
{
	return ipmi_kept(dev);
}

/* Goes on with then after ms. */
void records_pause(struct ipmi_dev *dev, uint64_t ms, records_then_fn *then);

/* Whether only this one thing failed, rather than the BMC or the way to it. */
static inline bool records_lacks(const struct pctl_error *err, int code)
{
	return code >= 0 || err->code == PCTL_E_PROTOCOL;
}

/*
 * Reads the sensor data records into job->sdr, from powerctl's cache where they were read before,
 * and the device id with them. Without except a failure ends the op. With less than reserve_ms left
 * of the op, it goes on with what was read.
 */
void sdr_read(
	struct ipmi_dev *dev, uint64_t reserve_ms, records_then_fn *then, ipmi_except_fn *except);
/* The device id alone. */
void sdr_read_device_id(struct ipmi_dev *dev, records_then_fn *then, ipmi_except_fn *except);

/* Reads of the FRU device what fru_decode() needs into job->fru. */
void fru_read(struct ipmi_dev *dev, uint8_t device, records_then_fn *then, ipmi_except_fn *except);

extern const struct pctl_inspect_if ipmi_inspect;
extern const struct pctl_log_if ipmi_log;
extern const struct pctl_sensors_if ipmi_sensors;
extern const struct pctl_method ipmi_methods[];

/* hardware.c, doctor.c and reset.c: operations of these tables that have files of their own. */
void hardware_run(void *data, struct pctl_op *op, struct pctl_value *ret);
void doctor_run(void *data, struct pctl_op *op, struct pctl_value *ret);
void reset_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret);

/* Facts. The most bytes of an SDR that this BMC was found to answer with. */
#define FACT_SDR_CHUNK "sdr_chunk"

#endif
