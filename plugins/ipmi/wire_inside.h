/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lan.c and rmcpplus.c share: the templates. */
#ifndef POWERCTL_IPMI_WIRE_INSIDE_H
#define POWERCTL_IPMI_WIRE_INSIDE_H

#include <freeipmi/freeipmi.h>

#include "wire.h"

struct wire {
	fiid_obj_t rmcp, rmcp_in;
	fiid_obj_t request_head, request; /* of an IPMI message; the rest of it as plain bytes */
	fiid_obj_t answer_head, answer, answer_tail;
	fiid_obj_t lan, lan_in;
	fiid_obj_t plus, plus_tail, plus_in, plus_payload, plus_tail_in;
	fiid_obj_t open, rakp1, rakp3, open_in, rakp2_in, rakp4_in;
	/* Of the packet that was read last: command, completion code, data. */
	uint8_t body[WIRE_DATA_MAX];
};

static inline bool works_around(const struct credential *credential, enum workaround workaround)
{
	return credential->workarounds & WORKAROUND_BIT(workaround);
}

/* What the password is to a field of at most max bytes. */
static inline unsigned password_len(const struct credential *credential, size_t max)
{
	size_t len = pctl_secret_len(credential->password);

	return (unsigned)(len < max ? len : max);
}

/* Fills in request_head and request. */
bool wire_set_request(struct wire *wire, const struct message *message);
/* Reads answer_head and answer, of which the checksums are right. */
bool wire_get_answer(struct wire *wire, const struct credential *credential, struct message *ret);

#endif
