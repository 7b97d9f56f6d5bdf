/* SPDX-License-Identifier: Apache-2.0 */
#include "request.h"

#include <stdlib.h>
#include <string.h>

void put_bytes(struct request *rq, const void *p, size_t n)
{
	if (n > MESSAGE_MAX - rq->n)
		n = MESSAGE_MAX - rq->n;
	if (n)
		memcpy(rq->out + rq->n, p, n);
	rq->n += n;
}

void put8(struct request *rq, unsigned value)
{
	put_bytes(rq, &(uint8_t){ (uint8_t)value }, 1);
}

void put16(struct request *rq, unsigned value)
{
	put8(rq, value);
	put8(rq, value >> 8);
}

void put24(struct request *rq, uint32_t value)
{
	put16(rq, value & 0xFFFF);
	put8(rq, value >> 16);
}

void put32(struct request *rq, uint32_t value)
{
	put16(rq, value & 0xFFFF);
	put16(rq, value >> 16);
}

static const struct commands *const all[] = { &commands_app, &commands_chassis, &commands_sol,
	&commands_sel, &commands_sdr, &commands_fru, &commands_lan, &commands_user };

static const struct command *find(const struct message *m)
{
	for (size_t i = 0; i < COUNT(all); i++)
		for (size_t k = 0; k < all[i]->count; k++) {
			const struct command *c = &all[i]->table[k];

			if (c->netfn == m->netfn && c->command == m->command)
				return c;
		}
	return NULL;
}

/* What the knobs say instead; CC_OK: nothing. */
static uint8_t forced(struct device *dev, const struct message *m)
{
	for (size_t i = 0; i < SIM_FORCED; i++) {
		struct forced *f = &dev->forced[i];

		if (!f->cc || f->netfn != m->netfn || f->command != m->command)
			continue;

		uint8_t cc = f->cc;

		if (f->counted && !--f->left)
			*f = (struct forced){ .cc = 0 };
		return cc;
	}
	return CC_OK;
}

static uint8_t refusal(struct request *rq, const struct command *c)
{
	struct device *dev = rq->dev;
	uint8_t cc = forced(dev, rq->message);

	if (cc)
		return cc;
	if (rq->session && sim_take(&dev->knobs.busy_next))
		return CC_BUSY;
	if (!c || rq->message->lun)
		return CC_INVALID_COMMAND;
	if (rq->session && dev->knobs.enforce_privilege && rq->session->privilege < c->privilege) {
		dev->counters.refused_privilege++;
		return CC_PRIVILEGE;
	}
	return rq->in_n < c->min || rq->in_n > c->max ? CC_LENGTH : CC_OK;
}

static void note(struct request *rq, uint8_t cc)
{
	struct device *dev = rq->dev;

	dev->counters.commands++;
	dev->counters.refused += cc != CC_OK;
	dev->log[dev->logged++ % SIM_LOG] = (struct log_entry){
		.netfn = rq->message->netfn,
		.command = rq->message->command,
		.cc = cc,
		.first = rq->in_n ? rq->in[0] : 0,
	};
}

static bool same_again(const struct request *rq)
{
	const struct session *s = rq->session;
	const struct message *m = rq->message;

	return s && s->answered && s->last_rq_seq == m->rq_seq && s->last_netfn == m->netfn &&
	       s->last_command == m->command && rq->dev->knobs.dedup != DEDUP_OFF;
}

/* Section 5.1: who asks again with the same number gets no second action. */
static uint8_t repeat(struct request *rq)
{
	const struct session *s = rq->session;

	rq->dev->counters.duplicates++;
	if (rq->dev->knobs.dedup == DEDUP_CF)
		return CC_DUPLICATE;
	put_bytes(rq, s->last_answer + 1, s->last_n - 1);
	return s->last_answer[0];
}

static void remember(struct request *rq, uint8_t cc)
{
	struct session *s = rq->session;

	if (!s || rq->dev->knobs.dedup == DEDUP_OFF)
		return;
	if (!s->last_answer)
		s->last_answer = xcalloc(1, MESSAGE_MAX + 1);
	s->answered = true;
	s->last_netfn = rq->message->netfn;
	s->last_command = rq->message->command;
	s->last_rq_seq = rq->message->rq_seq;
	s->last_answer[0] = cc;
	s->last_n = 1 + (cc ? 0 : rq->n);
	memcpy(s->last_answer + 1, rq->out, s->last_n - 1);
}

uint8_t request_run(struct request *rq)
{
	const struct command *c;
	uint8_t cc;

	if (same_again(rq))
		return repeat(rq);
	c = find(rq->message);
	if (!rq->session && (!c || c->privilege != PRIV_NONE)) {
		rq->silent = true; /* 6.12.8: outside of a session only what the table allows */
		return CC_PRIVILEGE;
	}
	cc = refusal(rq, c);
	if (cc == CC_OK && c)
		cc = c->run(rq);
	note(rq, cc);
	remember(rq, cc);
	return cc;
}
