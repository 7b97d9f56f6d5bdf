/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reading the sensor data record repository (IPMI 2.0 section 33). Reading it takes a request or
 * more for each of some hundred records, so what was read is cached for all BMCs of a kind.
 */
#include <stdio.h>
#include <string.h>

#include <powerctl/parse.h>

#include "records.h"

#define NO_RECORD    0xffffu
#define CODE_LOST    0xc5 /* the reservation */
#define CODE_ABSENT  0xcb
#define RENEWALS_MAX 32u

static void finish(struct ipmi_dev *dev)
{
	records_of(dev)->sdr.then(dev);
}

static void on_failure(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	struct sdr_read *r = &records_of(dev)->sdr;

	if (r->except)
		r->except(dev, err, code);
	else
		ipmi_end(dev, err);
}

static void fail(struct ipmi_dev *dev, const char *what)
{
	struct pctl_error err = { 0 };

	(void)pctl_error_set(&err, PCTL_E_PROTOCOL, "the sensor data records %s", what);
	on_failure(dev, &err, -1);
}

/* --- The cache. ------------------------------------------------------------------------------- */

static enum pctl_cache_scope scope(const struct sdr_read *r)
{
	return r->shared ? PCTL_CACHE_DRIVER : PCTL_CACHE_DEVICE;
}

/* Records to the last byte, and each of a kind that we keep. */
static bool is_repository(const struct pctl_buf *buf)
{
	const uint8_t *data = (const uint8_t *)buf->data, *record;
	size_t at = 0, len;
	struct sdr sdr;

	while (sdr_next(data, buf->len, &at, &record, &len)) {
		if (!sdr_decode(record, len, &sdr))
			return false;
	}
	return at == buf->len;
}

static bool find_cached(const struct ipmi_dev *dev, struct sdr_read *r)
{
	if (pctl_cache_get(dev->device, scope(r), r->key, &r->records) &&
		is_repository(&r->records))
		return true;
	pctl_buf_cut(&r->records, 0);
	return false;
}

/* --- One record after the other. -------------------------------------------------------------- */

static void get_record(struct ipmi_dev *dev);

static void end_of_list(struct ipmi_dev *dev, bool whole)
{
	struct sdr_read *r = &records_of(dev)->sdr;

	r->whole = whole && !r->records.full;
	if (r->whole)
		pctl_cache_put(dev->device, scope(r), r->key, r->records.data, r->records.len);
	finish(dev);
}

static void next_record(struct ipmi_dev *dev, uint16_t next)
{
	struct records *job = records_of(dev);
	struct sdr_read *r = &job->sdr;
	struct sdr sdr;

	if (sdr_decode(r->record, r->have, &sdr))
		pctl_buf_add(&r->records, r->record, sdr_length(r->record, r->have));
	if (r->count == 0)
		(void)ids_add(&job->ids, get_le16(r->record)); /* asked for as 0 */
	r->have = 0;
	r->answered = true;
	r->next = next;
	if (next == NO_RECORD)
		end_of_list(dev, true);
	else if (++r->count >= SDR_RECORDS_MAX || !ids_add(&job->ids, next) ||
		 pctl_op_time_left(dev->call.op) < r->reserve_ms)
		end_of_list(dev, false);
	else
		get_record(dev);
}

/* With a whole record asked for, what comes is one or it takes chunks. */
static void take_whole(struct ipmi_dev *dev, const uint8_t *data, size_t len, uint16_t next)
{
	struct sdr_read *r = &records_of(dev)->sdr;
	size_t whole = sdr_length(data, len);

	if (!whole || whole > len) {
		r->chunk.size = CHUNK_FIRST;
		get_record(dev);
		return;
	}
	memcpy(r->record, data, whole);
	r->have = whole;
	next_record(dev, next);
}

/* How many bytes to ask for: the header first, for it says how many there are. */
static uint8_t wanted(const struct sdr_read *r)
{
	size_t whole = sdr_length(r->record, r->have);
	size_t left = whole ? whole - r->have : SDR_HEADER - r->have;

	if (r->chunk.size == CHUNK_WHOLE)
		return CHUNK_WHOLE;
	return (uint8_t)(left < r->chunk.size ? left : r->chunk.size);
}

static void on_record(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct sdr_read *r = &records_of(dev)->sdr;
	uint16_t next = get_le16(data);
	size_t n = len - 2, want = wanted(r);

	if (r->chunk.size == CHUNK_WHOLE) {
		take_whole(dev, data + 2, n, next);
		return;
	}
	if (n > want)
		n = want;
	if (!n) {
		fail(dev, "come without data");
		return;
	}
	memcpy(r->record + r->have, data + 2, n);
	r->have += n;
	if (r->have >= SDR_HEADER && r->have == sdr_length(r->record, r->have))
		next_record(dev, next);
	else
		get_record(dev);
}

static void reserve(struct ipmi_dev *dev);

/* Silence to a whole record may be a BMC that drops long answers: next time in chunks. */
static void note_silence(const struct ipmi_dev *dev, const struct pctl_error *err)
{
	const struct sdr_read *r = &records_of(dev)->sdr;
	char text[8];

	if (err->code != PCTL_E_TIMEOUT || r->chunk.size != CHUNK_WHOLE || r->answered)
		return;
	(void)snprintf(text, sizeof(text), "%u", CHUNK_FIRST);
	pctl_fact_put(dev->device, FACT_SDR_CHUNK, text);
}

static void on_no_record(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	struct sdr_read *r = &records_of(dev)->sdr;

	if (code < 0) {
		note_silence(dev, err);
		on_failure(dev, err, code);
	} else if (code == CODE_ABSENT && r->have == 0) {
		/* An empty one, or it became shorter meanwhile. */
		end_of_list(dev, r->count == 0);
	} else if (code == CODE_LOST || chunk_shrink(&r->chunk, code)) {
		reserve(dev);
	} else {
		on_failure(dev, err, code);
	}
}

static void get_record(struct ipmi_dev *dev)
{
	const struct sdr_read *r = &records_of(dev)->sdr;
	uint8_t data[6];

	put_le16(data, r->reservation);
	put_le16(data + 2, r->next);
	data[4] = (uint8_t)r->have;
	data[5] = wanted(r);
	ipmi_send(dev, &command_get_sdr, data, sizeof(data), on_record, on_no_record);
}

/* --- Before the first, and after a loss. ------------------------------------------------------ */

static void on_reserved(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)len;
	records_of(dev)->sdr.reservation = get_le16(data);
	get_record(dev);
}

/* Where there are no reservations none is needed. */
static void on_not_reserved(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	struct sdr_read *r = &records_of(dev)->sdr;

	if (err->code != PCTL_E_UNSUPPORTED) {
		on_failure(dev, err, code);
		return;
	}
	r->reservation = 0;
	get_record(dev);
}

/* The record at hand is read anew: it may be another one by now. */
static void reserve(struct ipmi_dev *dev)
{
	struct sdr_read *r = &records_of(dev)->sdr;

	r->have = 0;
	if (++r->renewed > RENEWALS_MAX)
		fail(dev, "change faster than they can be read");
	else
		ipmi_send(dev, &command_reserve_sdr, NULL, 0, on_reserved, on_not_reserved);
}

static void on_sdr_info(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct sdr_read *r = &records_of(dev)->sdr;
	const char *chunk = pctl_fact_get(dev->device, FACT_SDR_CHUNK);
	uint64_t size = CHUNK_WHOLE;

	(void)len;
	r->shared = device_id_sdr_key(&r->id, data, r->key);
	if (find_cached(dev, r)) {
		r->whole = true;
		finish(dev);
		return;
	}
	if (chunk && pctl_parse_uint(chunk, CHUNK_FIRST, &size) < 0)
		size = CHUNK_WHOLE;
	r->chunk.size = (uint8_t)(size < CHUNK_LEAST ? CHUNK_LEAST : size);
	reserve(dev);
}

static void read_repository(struct ipmi_dev *dev)
{
	ipmi_send(dev, &command_get_sdr_info, NULL, 0, on_sdr_info, on_failure);
}

static void on_device_id(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct sdr_read *r = &records_of(dev)->sdr;

	if (device_id_decode(data, len, &r->id))
		r->then(dev);
	else
		fail(dev, "have no owner: the device id is too short");
}

void sdr_read_device_id(struct ipmi_dev *dev, records_then_fn *then, ipmi_except_fn *except)
{
	struct sdr_read *r = &records_of(dev)->sdr;

	r->then = then;
	r->except = except;
	ipmi_send(dev, &command_get_device_id, NULL, 0, on_device_id, on_failure);
}

static void on_id_known(struct ipmi_dev *dev)
{
	struct sdr_read *r = &records_of(dev)->sdr;

	r->then = r->after_id;
	read_repository(dev);
}

void sdr_read(
	struct ipmi_dev *dev, uint64_t reserve_ms, records_then_fn *then, ipmi_except_fn *except)
{
	struct sdr_read *r = &records_of(dev)->sdr;

	r->reserve_ms = reserve_ms;
	r->after_id = then;
	sdr_read_device_id(dev, on_id_known, except);
}
