/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of AMT_AuditLog: who did what, big endian, of any length (Intel AMT SDK, "Access
 * Monitor"). Pure, no I/O.
 */
#ifndef POWERCTL_AMT_AUDIT_H
#define POWERCTL_AMT_AUDIT_H

#include "records/bytes.h"

/* Two texts and an initiator of at most 255 bytes each. */
#define AUDIT_RECORD_MAX 800u

enum audit_initiator {
	AUDIT_DIGEST,
	AUDIT_KERBEROS,
	AUDIT_LOCAL,
	AUDIT_KVM_PORT,
};

/* What it points to is within the record. */
struct audit {
	uint16_t app, event;
	uint8_t initiator; /* enum audit_initiator */
	uint32_t domain;   /* AUDIT_KERBEROS: of the SID */
	const uint8_t *user;
	size_t user_len;
	uint32_t time;
	const uint8_t *from; /* address, as text */
	size_t from_len;
	const uint8_t *more;
	size_t more_len;
};

/* False for a record that ends too early or has bytes left over, or an unknown initiator. */
bool audit_parse(const uint8_t *record, size_t len, struct audit *ret);

/* As a map of docs/names.md, "Events". */
struct pctl_value *audit_tell(const struct audit *a);

#endif
