/* SPDX-License-Identifier: Apache-2.0 */
#include "smbios.h"

#include <string.h>
#include <strings.h>

/* Types of system enclosures; CIM_Chassis.ChassisPackageType. */
const struct class_word smbios_chassis_types[] = {
	{ 1, "other" },
	{ 2, "unknown" },
	{ 3, "desktop" },
	{ 4, "low profile desktop" },
	{ 5, "pizza box" },
	{ 6, "mini tower" },
	{ 7, "tower" },
	{ 8, "portable" },
	{ 9, "laptop" },
	{ 10, "notebook" },
	{ 11, "hand held" },
	{ 12, "docking station" },
	{ 13, "all in one" },
	{ 14, "sub notebook" },
	{ 15, "space saving" },
	{ 16, "lunch box" },
	{ 17, "main server chassis" },
	{ 23, "rack mount" },
	{ 24, "sealed case" },
	{ 30, "tablet" },
	{ 31, "convertible" },
	{ 32, "detachable" },
	{ 35, "mini PC" },
	{ 36, "stick PC" },
	{ 0, NULL },
};

const struct class_word smbios_processor_families[] = {
	{ 1, "other" },
	{ 2, "unknown" },
	{ 11, "Pentium" },
	{ 15, "Celeron" },
	{ 40, "Core Duo" },
	{ 41, "Core Duo mobile" },
	{ 42, "Core Solo mobile" },
	{ 43, "Atom" },
	{ 44, "Core M" },
	{ 45, "Core m3" },
	{ 46, "Core m5" },
	{ 47, "Core m7" },
	{ 179, "Xeon" },
	{ 181, "Xeon MP" },
	{ 191, "Core 2 Duo" },
	{ 192, "Core 2 Solo" },
	{ 193, "Core 2 Extreme" },
	{ 194, "Core 2 Quad" },
	{ 195, "Core 2 Extreme mobile" },
	{ 196, "Core 2 Duo mobile" },
	{ 197, "Core 2 Solo mobile" },
	{ 198, "Core i7" },
	{ 199, "Dual-Core Celeron" },
	{ 205, "Core i5" },
	{ 206, "Core i3" },
	{ 207, "Core i9" },
	{ 0, NULL },
};

const struct class_word smbios_memory_types[] = {
	{ 1, "other" },
	{ 2, "unknown" },
	{ 15, "SDRAM" },
	{ 18, "DDR" },
	{ 19, "DDR2" },
	{ 20, "DDR2 FB-DIMM" },
	{ 24, "DDR3" },
	{ 26, "DDR4" },
	{ 27, "LPDDR" },
	{ 28, "LPDDR2" },
	{ 29, "LPDDR3" },
	{ 30, "LPDDR4" },
	{ 32, "HBM" },
	{ 33, "HBM2" },
	{ 34, "DDR5" },
	{ 35, "LPDDR5" },
	{ 0, NULL },
};

const struct class_word smbios_memory_forms[] = {
	{ 1, "other" },
	{ 2, "unknown" },
	{ 3, "SIMM" },
	{ 5, "chip" },
	{ 9, "DIMM" },
	{ 11, "row of chips" },
	{ 12, "RIMM" },
	{ 13, "SO-DIMM" },
	{ 15, "FB-DIMM" },
	{ 16, "die" },
	{ 0, NULL },
};

/* CIM_Battery.Chemistry: SMBIOS has the same. */
const struct class_word smbios_battery_chemistries[] = {
	{ 1, "other" },
	{ 2, "unknown" },
	{ 3, "lead acid" },
	{ 4, "NiCd" },
	{ 5, "NiMH" },
	{ 6, "Li-ion" },
	{ 7, "zinc air" },
	{ 8, "Li-polymer" },
	{ 0, NULL },
};

static const struct {
	const char *number, *maker;
} makers[] = {
	{ "0198", "Kingston" },
	{ "029E", "Corsair" },
	{ "04CB", "ADATA" },
	{ "04CD", "G.Skill" },
	{ "04EF", "Team Group" },
	{ "802C", "Micron" },
	{ "80AD", "SK hynix" },
	{ "80CE", "Samsung" },
	{ "830B", "Nanya" },
	{ "859B", "Crucial" },
};

const char *smbios_memory_maker(const char *number)
{
	for (size_t i = 0; number && i < sizeof(makers) / sizeof(makers[0]); i++)
		if (strcasecmp(makers[i].number, number) == 0)
			return makers[i].maker;
	return NULL;
}

/* What boards come with until somebody fills it in. */
static const char *const placeholders[] = { "default string", "invalid", "n/a", "na", "none",
	"not applicable", "not available", "not specified", "o.e.m.", "other", "oem", "unknown",
	"undefined", "system manufacturer", "system product name", "system serial number",
	"system version", "base board serial number", "chassis manufacture",
	"chassis serial number", "chassis version", "serial number", "123456789", "0123456789",
	"1234567890", "no dimm", "[empty]", "empty" };

bool smbios_says(const char *text)
{
	if (text[strspn(text, " 0.-_xX*?")] == '\0' || strncasecmp(text, "to be filled", 12) == 0)
		return false;
	for (size_t i = 0; i < sizeof(placeholders) / sizeof(placeholders[0]); i++)
		if (strcasecmp(text, placeholders[i]) == 0)
			return false;
	return true;
}

void smbios_clean(struct pctl_value *map)
{
	for (size_t i = pctl_value_count(map); i-- > 0;) {
		const struct pctl_value *v = pctl_value_at(map, i);
		const char *text = pctl_value_text(v);
		bool zero = pctl_value_kind(v) == PCTL_VALUE_INT && !pctl_value_int(v);

		if (zero || (text && !smbios_says(text)))
			(void)pctl_value_unset(map, pctl_value_key_at(map, i));
	}
}
