/* SPDX-License-Identifier: Apache-2.0 */
/* What differs from vendor to vendor, as a table. No I/O. */
#ifndef POWERCTL_REDFISH_QUIRKS_H
#define POWERCTL_REDFISH_QUIRKS_H

#include <jansson.h>

/* Target, Enabled and Mode go together, whatever of them changes. */
#define QUIRK_BOOT_WHOLE 1u
/* The boot settings are patched at @Redfish.Settings. */
#define QUIRK_BOOT_SETTINGS 2u
/* BootSourceOverrideMode is refused even unchanged. */
#define QUIRK_BOOT_NO_MODE 4u
/* The boot override is for one start only, whatever it lists. */
#define QUIRK_BOOT_ONCE 8u
/* Target None clears the override, and Enabled beside it is refused. */
#define QUIRK_BOOT_NONE_ALONE 16u

struct quirks {
	const char *name; /* of the setting `quirks` and the fact */
	/* How Vendor, Oem's key or Manufacturer begin, in any case; NULL-terminated. */
	const char *const *makers;
	unsigned flags;
};

/* The row of that name; NULL: there is none. */
const struct quirks *quirks_named(const char *name);
/* The row for what these documents (each may be NULL) say; the general one if they do not. */
const struct quirks *quirks_find(const json_t *root, const json_t *host);

/* "auto" and the names, for the property table. */
extern const char *const quirks_choices[];

#endif
