/* SPDX-License-Identifier: Apache-2.0 */
/* Whose service it is: names, and what each demands, refuses and does its own way. */
#ifndef POWERCTL_REDFISHSIM_PROFILE_H
#define POWERCTL_REDFISHSIM_PROFILE_H

#include "util.h"

/* What a vendor does its own way; in brackets who says so. DSP... are DMTF's documents. */
enum quirk {
	/* URIs end in a slash; GET without it is redirected there (ansible #48296). */
	QUIRK_SLASH = 1 << 0,
	/* PATCH without If-Match: 428 (gofish #171, Redfish-Tacklebox #22, libredfish #34). */
	QUIRK_NEED_ETAG = 1 << 1,
	/* If-Match must be the very ETag; otherwise W/ is overlooked (bmcweb, query.hpp). */
	QUIRK_STRICT_ETAG = 1 << 2,
	/*
	 * Boot is patched at @Redfish.Settings, .../SD, not at the system (Redfish-Tacklebox #111,
	 * #144).
	 */
	QUIRK_SETTINGS = 1 << 3,
	/*
	 * Target, Enabled and Mode are taken only together (community.general #11542; ironic,
	 * asrockrack and ami in redfish/management.py).
	 */
	QUIRK_BOOT_WHOLE = 1 << 4,
	/*
	 * A target without Enabled does not arm the override (ironic-image #145, ironic
	 * story 2008547).
	 */
	QUIRK_BOOT_ENABLED = 1 << 5,
	/* A PATCH without Mode sets Mode to Legacy (Redfishtool #106). */
	QUIRK_MODE_RESETS = 1 << 6,
	/* There is no BootSourceOverrideMode (metal-operator #982 of an old Supermicro; iLO 4). */
	QUIRK_NO_MODE = 1 << 7,
	/* BootSourceOverrideMode is read-only, even unchanged (community.general #3509). */
	QUIRK_MODE_FIXED = 1 << 8,
	/* Enabled: Continuous is refused (ironic, drivers/modules/redfish/management.py). */
	QUIRK_NO_CONTINUOUS = 1 << 9,
	/* Enabled is refused where the target is, or becomes, None (metal-operator #998). */
	QUIRK_TARGET_FIRST = 1 << 10,
	/*
	 * While the host is in POST a PATCH of Boot is 400 (iLO message registry,
	 * UnableToModifyDuringSystemPOST).
	 */
	QUIRK_POST_LOCKS_BOOT = 1 << 11,
	/* MessageID, Messages and Type as of 2015 (goldyfruit/ansible-ilo #1). */
	QUIRK_OLD_ERRORS = 1 << 12,
	/* A success has a body with the message Success (goldyfruit/ansible-ilo #1). */
	QUIRK_SUCCESS_BODY = 1 << 13,
	/* ForceRestart while off is refused like On while on (goldyfruit/ansible-ilo #1). */
	QUIRK_RESET_NEEDS_ON = 1 << 14,
	/* What is already so is an error, same_status (dellemc-openmanage-ansible-modules #132). */
	QUIRK_ON_IS_ERROR = 1 << 15,
	/* Chassis has Thermal and Power (DSP2046). */
	QUIRK_OLD_THERMAL = 1 << 16,
	/* Chassis has Sensors, ThermalSubsystem and PowerSubsystem (DSP2046). */
	QUIRK_SENSORS = 1 << 17,
	/* IndicatorLED, at the system and at the chassis. */
	QUIRK_LED = 1 << 18,
	/* LocationIndicatorActive, likewise. */
	QUIRK_LOCATION = 1 << 19,
	/* PowerRestorePolicy at the system. */
	QUIRK_RESTORE_POLICY = 1 << 20,
	/* Reset's values are in ActionInfo and not at the action (bmcweb, systems.hpp). */
	QUIRK_ACTION_INFO = 1 << 21,
	/* PoweringOn and PoweringOff are shown (DSP2046, ComputerSystem; bmcweb, systems.hpp). */
	QUIRK_TRANSITIONS = 1 << 22,
	/* There is HttpBootUri (DSP2046, ComputerSystem, Boot). */
	QUIRK_HTTP_BOOT = 1 << 23,
	/* Virtual media have no actions: Image is patched (python-redfish-lenovo #21). */
	QUIRK_MEDIA_PATCH = 1 << 24,
	/* Virtual media are at the system as well (DSP2046, ComputerSystem 1.13). */
	QUIRK_SYSTEM_MEDIA = 1 << 25,
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
