/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a BMC sends, in whatever phase of a session: it is read or refused, and what was read
 * lies within the buffer. The first byte chooses the phase; check values are switched off where
 * they would keep everything out.
 */
#include <assert.h>
#include <string.h>

#include "wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_message(bool good, const struct message *m)
{
	unsigned sum = 0;

	if (!good)
		return;
	assert(m->len <= WIRE_DATA_MAX);
	for (size_t i = 0; i < m->len; i++)
		sum += m->data[i];
	assert(sum <= 255 * WIRE_DATA_MAX);
}

static void fuzz_setup(struct wire *wire, struct security *s, const struct credential *c,
	enum setup_kind kind, const uint8_t *packet, size_t len)
{
	struct setup setup;

	if (!rmcpplus_unpack_setup(wire, s, kind, packet, len, &setup) || setup.status)
		return;
	if (kind == SETUP_RAKP2)
		(void)rmcpplus_check_rakp2(wire, s, c);
	if (kind == SETUP_RAKP4)
		(void)rmcpplus_check_rakp4(wire, s, c);
}

static void fuzz_session(struct wire *wire, struct security *s, const struct credential *c,
	uint8_t confidentiality, const uint8_t *packet, size_t len)
{
	struct message m;

	s->authentication = s->integrity = 0;
	s->confidentiality = confidentiality;
	s->k2.len = confidentiality ? 16 : 0;
	s->console_id = 0;
	check_message(rmcpplus_unpack(wire, s, c, packet, len, &m), &m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct wire *wire;
	struct credential c = { .username = "admin" };
	struct security s = { .privilege = 3 };
	uint8_t packet[WIRE_PACKET_MAX];
	struct message m;

	if (!wire && wire_new(&wire, NULL) < 0)
		return 0;
	if (size < 1 || size - 1 > sizeof(packet))
		return 0;
	size_t len = size - 1;
	if (len)
		memcpy(packet, data + 1, len);
	if (wire_format(packet, len) == WIRE_OTHER)
		return 0;
	(void)rmcpplus_set_suite(&s, data[0] & 0x80 ? 17 : 3);
	c.workarounds = data[0] & 0x40 ? ~(uint64_t)0 : 0;
	switch (data[0] & 0x07) {
	case 0:
	case 1:
	case 2:
		fuzz_setup(wire, &s, &c, (enum setup_kind)(data[0] & 0x07), packet, len);
		break;
	case 3:
	case 4:
		fuzz_session(wire, &s, &c, (data[0] & 0x07) == 4, packet, len);
		break;
	case 5:
		check_message(lan_unpack(wire, NULL, &c, packet, len, &m), &m);
		break;
	case 6:
		check_message(lan_unpack(wire, &s, &c, packet, len, &m), &m);
		break;
	default:
		check_message(lan_unpack_activate(wire, &s, &c, packet, len, &m), &m);
		break;
	}
	return 0;
}
