/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log's numbers as words. */
#ifndef POWERCTL_AMT_AUDIT_WORDS_H
#define POWERCTL_AMT_AUDIT_WORDS_H

#include "records/bytes.h"

/* What the bytes behind an event stand for. */
enum audit_more {
	AUDIT_MORE_NONE,
	AUDIT_MORE_WHERE,         /* where the login was tried */
	AUDIT_MORE_TLS,           /* remote and local mode */
	AUDIT_MORE_UNPROVISIONED, /* who did it */
	AUDIT_MORE_BOOT,          /* special command, its parameter, options */
	AUDIT_MORE_VERSIONS,      /* before and after, of four numbers each */
	AUDIT_MORE_CODE,          /* whether the consent code was right */
	AUDIT_MORE_TIME,          /* what the clock was set to */
};

struct audit_event {
	uint16_t app, event;
	const char *words;
	enum audit_more more;
	bool warns; /* worth a look: "warning" rather than "info" */
};

/* NULL: it is not in the table. */
const struct audit_event *audit_find(uint16_t app, uint16_t event);

extern const struct bytes_word audit_apps[], audit_places[], audit_tls_modes[],
	audit_unprovisioners[], audit_boot_commands[], audit_boot_bits[], audit_code_results[];

#endif
