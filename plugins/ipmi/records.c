/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records.h"

#include <stdlib.h>

#include <powerctl/mem.h>

bool chunk_shrink(struct chunk *chunk, int code)
{
	static const uint8_t codes[] = { 0xc4, 0xc6, 0xc7, 0xc8, 0xc9, 0xca, 0xcc, 0xff };
	bool asked = false;

	for (size_t i = 0; i < sizeof(codes); i++)
		asked = asked || code == codes[i];
	if (!asked || chunk->size <= CHUNK_LEAST)
		return false;
	chunk->size = chunk->size == CHUNK_WHOLE ? CHUNK_FIRST : chunk->size / 2;
	return true;
}

bool ids_add(struct ids *ids, uint16_t id)
{
	uint8_t bit = (uint8_t)(1u << id % 8);
	bool is_new = !(ids->bits[id / 8] & bit);

	ids->bits[id / 8] |= bit;
	return is_new;
}

/* --- Waiting. --------------------------------------------------------------------------------- */

struct pause {
	uv_timer_t timer;
	struct ipmi_dev *dev;
	records_then_fn *then;
};

static void on_pause_over(uv_timer_t *timer)
{
	struct pause *p = pctl_container_of(timer, struct pause, timer);

	p->then(p->dev);
}

static void free_pause(uv_handle_t *handle)
{
	free(pctl_container_of((uv_timer_t *)handle, struct pause, timer));
}

void records_pause(struct ipmi_dev *dev, uint64_t ms, records_then_fn *then)
{
	struct records *job = records_of(dev);

	if (!job->pause) {
		job->pause = pctl_xcalloc(1, sizeof(*job->pause));
		(void)uv_timer_init(pctl_device_loop(dev->device), &job->pause->timer);
		job->pause->dev = dev;
	}
	job->pause->then = then;
	(void)uv_timer_start(&job->pause->timer, on_pause_over, ms, 0);
}

/* --- Jobs. ------------------------------------------------------------------------------------ */

void records_done(void *job)
{
	struct records *r = job;

	if (r->pause)
		uv_close((uv_handle_t *)&r->pause->timer, free_pause);
	pctl_buf_done(&r->sdr.records);
	free(r);
}

void *records_begin_with(struct ipmi_dev *dev, struct pctl_op *op, size_t size,
	struct pctl_value *ret, void (*done)(void *job))
{
	struct records *r = pctl_xcalloc(1, size);

	pctl_buf_init(&r->sdr.records, SDR_BYTES_MAX);
	r->ret = ret;
	ipmi_begin(dev, op);
	ipmi_keep(dev, r, done);
	return r;
}

void *records_begin(struct ipmi_dev *dev, struct pctl_op *op, size_t size, struct pctl_value *ret)
{
	return records_begin_with(dev, op, size, ret, records_done);
}
