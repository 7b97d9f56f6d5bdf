/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One BMC without a socket hears datagrams: as they are, or as commands and SOL packets of a
 * session without keys, so that what is behind the sessions is reached as well. An answer that it
 * builds must be one that it could read.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "server.h"
#include "sim.h"
#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sim *sim;

static void set_up(void)
{
	struct user *u;

	sim = xcalloc(1, sizeof(*sim));
	uv_loop_init(&sim->loop);
	assert(crypt_init(&sim->crypt));
	sim->options.fleet.state = "on";
	sim->count = 1;
	u = &sim->users.user[sim->users.count++];
	str_copy(STR("admin"), u->name, sizeof(u->name));
	u->privilege = PRIV_ADMIN;
}

static void check_answer(const struct message *m)
{
	uint8_t out[MESSAGE_MAX + MESSAGE_FRAME];
	size_t n = message_respond(m, 0, m->data, m->n < MESSAGE_MAX ? m->n : MESSAGE_MAX, out);
	struct message back;

	assert(message_parse(out, n, &back));
	assert(back.netfn == (m->netfn | 1) && back.command == m->command);
	assert(back.rq_seq == m->rq_seq);
}

/* netfn, command and data become a message with checksums, in the session. */
static size_t make_message(const struct session *s, const uint8_t *p, size_t n, uint8_t *out)
{
	size_t at = frame_head_v20(PAYLOAD_IPMI, s->id, s->window[0].highest + 1, n + 5, out);
	uint8_t *m = out + at;
	struct message parsed;

	m[0] = 0x20;
	m[1] = (uint8_t)(p[0] << 2);
	m[2] = checksum(m, 2);
	m[3] = 0x81;
	m[4] = (uint8_t)(s->window[0].highest << 2);
	memcpy(m + 5, p + 1, n - 1);
	m[4 + n] = checksum(m + 3, n + 1);
	if (message_parse(m, n + 5, &parsed))
		check_answer(&parsed);
	return at + n + 5;
}

static size_t make_sol(const struct session *s, const uint8_t *p, size_t n, uint8_t *out)
{
	size_t at = frame_head_v20(PAYLOAD_SOL, s->id, s->window[0].highest + 1, n, out);

	memcpy(out + at, p, n);
	return at + n;
}

static void hear(struct device *dev, uint8_t kind, const uint8_t *p, size_t n)
{
	struct sockaddr_storage peer = { .ss_family = AF_INET };
	struct session *s = dev->sessions[0];
	uint8_t out[PACKET_MAX];

	if (kind % 3 == 1 && s && n >= 2) {
		n = make_message(s, p, n, out);
		p = out;
	} else if (kind % 3 == 2 && s) {
		n = make_sol(s, p, n, out);
		p = out;
	}
	wire_receive(dev, &peer, p, n);
}

static void begin(struct device *dev)
{
	struct session *s;

	device_init(dev, sim, 1);
	s = session_new(dev);
	s->v20 = true;
	s->user = &sim->users.user[0];
	s->limit = PRIV_ADMIN;
	s->peer.ss_family = AF_INET;
	session_activate(dev, s);
	s->privilege = PRIV_ADMIN;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct device *dev;

	if (!sim)
		set_up();
	dev = sim->devices = xcalloc(1, sizeof(*dev));
	begin(dev);
	while (size >= 2) {
		uint8_t kind = data[0];
		size_t n = data[1];

		data += 2;
		size -= 2;
		if (n > size)
			n = size;
		hear(dev, kind, data, n);
		data += n;
		size -= n;
	}
	session_free_all(dev);
	server_vanish(dev, 0);
	uv_run(&sim->loop, UV_RUN_NOWAIT);
	device_done(dev);
	free(dev);
	return 0;
}
