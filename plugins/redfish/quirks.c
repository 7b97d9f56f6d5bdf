/* SPDX-License-Identifier: Apache-2.0 */
#include "quirks.h"

#include <string.h>
#include <strings.h>

#include "doc.h"

const char *const quirks_choices[] = { "auto", "none", "dell", "hpe", "supermicro", "lenovo", "ami",
	"openbmc", NULL };

/*
 * Where it comes from: ironic's and sushy's work-arounds (drivers/modules/redfish/management.py,
 * resources/system/system.py), DMTF's Redfish-Tacklebox #111, Redfishtool #106. ETags need no row:
 * they are sent wherever the service gives one.
 */
static const struct quirks rows[] = {
	{ .name = "none", .makers = (const char *const[]){ NULL } },
	{ .name = "dell", .makers = (const char *const[]){ "dell", NULL } },
	{
		.name = "hpe",
		.makers = (const char *const[]){ "hp", "hewlett", NULL },
		.flags = QUIRK_BOOT_NO_MODE | QUIRK_BOOT_ONCE | QUIRK_BOOT_NONE_ALONE,
	},
	{
		/* A PATCH without Mode sets it back to Legacy, and one without Enabled does
		   nothing. */
		.name = "supermicro",
		.makers = (const char *const[]){ "supermicro", "super micro", "smci", NULL },
		.flags = QUIRK_BOOT_WHOLE,
	},
	{ .name = "lenovo", .makers = (const char *const[]){ "lenovo", NULL } },
	{
		.name = "ami",
		.makers = (const char *const[]){ "ami", "american megatrends", "asrockrack",
			"asrock", NULL },
		.flags = QUIRK_BOOT_WHOLE | QUIRK_BOOT_SETTINGS,
	},
	{ .name = "openbmc", .makers = (const char *const[]){ "openbmc", NULL } },
};

const struct quirks *quirks_named(const char *name)
{
	for (size_t i = 0; name && i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	}
	return NULL;
}

static const struct quirks *by_maker(const char *maker)
{
	for (size_t i = 0; maker && i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t m = 0; rows[i].makers[m]; m++) {
			const char *word = rows[i].makers[m];
			if (strncasecmp(maker, word, strlen(word)) == 0)
				return &rows[i];
		}
	}
	return NULL;
}

/* The service's maker before the machine's: it is the firmware that is odd. */
const struct quirks *quirks_find(const json_t *root, const json_t *host)
{
	const struct quirks *row = by_maker(doc_text(root, "Vendor"));
	const json_t *oem = doc_at(root, "Oem");
	const char *key;
	const json_t *value;

	if (row)
		return row;
	json_object_foreach((json_t *)(uintptr_t)oem, key, value)
	{
		row = by_maker(key);
		if (row)
			return row;
	}
	row = by_maker(doc_text(host, "Manufacturer"));
	return row ? row : &rows[0];
}
