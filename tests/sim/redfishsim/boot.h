/* SPDX-License-Identifier: Apache-2.0 */
/* The boot override: what a PATCH may set, and what a start makes of it. */
#ifndef POWERCTL_REDFISHSIM_BOOT_H
#define POWERCTL_REDFISHSIM_BOOT_H

#include <jansson.h>

#include "util.h"

struct call;
struct host;

enum boot_enabled {
	BOOT_DISABLED,
	BOOT_ONCE,
	BOOT_CONTINUOUS,
};

enum boot_mode {
	BOOT_UEFI,
	BOOT_LEGACY,
};

enum { BOOT_WORD = 24 };

/* last_...: what the last start was told; last_url is on the heap. */
struct boot {
	enum boot_enabled enabled;
	enum boot_mode mode;
	char target[BOOT_WORD];
	char *url;
	uint64_t starts;
	char last[BOOT_WORD];
	enum boot_mode last_mode;
	char *last_url;
};

void boot_init(struct host *sys);
void boot_done(struct boot *b);
/* The host starts: an override for once is used up. */
void boot_start(struct host *sys);
const char *boot_enabled_word(enum boot_enabled enabled);
const char *boot_mode_word(enum boot_mode mode);
/* The member Boot, with allowable values where settings are accepted. */
json_t *boot_document(struct host *sys, bool writable);
/* A member Boot of a PATCH; false: an error is the answer already. */
bool boot_patch(struct call *c, json_t *boot);

#endif
