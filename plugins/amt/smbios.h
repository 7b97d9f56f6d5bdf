/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SMBIOS texts and numbers in the hardware classes mean (DMTF DSP0134; CIM has its numbers).
 * Pure, no I/O.
 */
#ifndef POWERCTL_AMT_SMBIOS_H
#define POWERCTL_AMT_SMBIOS_H

#include "classes/class.h"

/* Whether somebody filled it in: not "To be filled by O.E.M.", not only zeros. */
bool smbios_says(const char *text);
/* Takes the texts and numbers out of a map that say nothing. */
void smbios_clean(struct pctl_value *map);

/* Who makes a memory module, by its JEDEC number ("859B"); NULL where that is not known. */
const char *smbios_memory_maker(const char *number);

extern const struct class_word smbios_chassis_types[], smbios_processor_families[],
	smbios_memory_types[], smbios_memory_forms[], smbios_battery_chemistries[];

#endif
