/* SPDX-License-Identifier: Apache-2.0 */
/* Whose service it is: names, and what each demands, refuses and does its own way. */
#ifndef POWERCTL_REDFISHSIM_PROFILE_H
#define POWERCTL_REDFISHSIM_PROFILE_H

#include "util.h"

/* Each bit is explained where profile.c sets it. */
enum quirk {
	QUIRK_SLASH = 1 << 0,
	QUIRK_NEED_ETAG = 1 << 1,
	QUIRK_STRICT_ETAG = 1 << 2,
	QUIRK_SETTINGS = 1 << 3,
	QUIRK_BOOT_WHOLE = 1 << 4,
	QUIRK_BOOT_ENABLED = 1 << 5,
	QUIRK_MODE_RESETS = 1 << 6,
	QUIRK_NO_MODE = 1 << 7,
	QUIRK_MODE_FIXED = 1 << 8,
	QUIRK_NO_CONTINUOUS = 1 << 9,
	QUIRK_POST_LOCKS_BOOT = 1 << 10,
	QUIRK_OLD_ERRORS = 1 << 11,
	QUIRK_SUCCESS_BODY = 1 << 12,
	QUIRK_RESET_NEEDS_ON = 1 << 13,
	QUIRK_ON_IS_ERROR = 1 << 14,
	QUIRK_OLD_THERMAL = 1 << 15,
	QUIRK_SENSORS = 1 << 16,
	QUIRK_LED = 1 << 17,
	QUIRK_LOCATION = 1 << 18,
	QUIRK_RESTORE_POLICY = 1 << 19,
	QUIRK_ACTION_INFO = 1 << 20,
	QUIRK_TRANSITIONS = 1 << 21,
	QUIRK_HTTP_BOOT = 1 << 22,
	QUIRK_MEDIA_PATCH = 1 << 23,
	QUIRK_SYSTEM_MEDIA = 1 << 24,
	QUIRK_ODATA_4_2 = 1 << 25,
	QUIRK_NO_MANAGER_RESET_TYPE = 1 << 26,
};

enum etag_kind {
	ETAG_NONE,
	ETAG_STRONG,
	ETAG_WEAK,
	/* Of the whole body: another one as soon as anything changes. */
	ETAG_BODY,
};

/* Where the log with the hardware's events is. */
enum log_place {
	LOG_OF_SYSTEM,
	LOG_OF_MANAGER,
};

struct profile {
	const char *name;
	const char *vendor;
	const char *product;
	const char *manufacturer;
	const char *model;
	const char *redfish_version;
	const char *firmware;
	/* With several systems, the first has this Id and the others a number behind or in it. */
	const char *system_name;
	const char *chassis;
	const char *manager;
	/* Words, as in AllowableValues. */
	const char *resets;
	const char *targets;
	const char *media;
	const char *manager_resets;
	const char *log;
	/* What stands before MessageIds. */
	const char *registry;
	const char *mode;
	enum log_place log_place;
	enum etag_kind etag;
	uint32_t quirks;
	/* Answers to: a PATCH, a Reset, what is already so. */
	unsigned patch_status;
	unsigned reset_status;
	unsigned same_status;
	const char *same_message;
	const char *same_text;
	uint32_t sessions;
};

/* NULL if there is none. */
const struct profile *profile_find(struct str name);
const char *profile_names(void);
/* Id of the n-th (from 0) of those that are called like name. */
void profile_id(const char *name, uint32_t n, char *out, size_t size);

#endif
