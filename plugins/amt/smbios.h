/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SMBIOS texts and numbers in the hardware classes mean (DMTF DSP0134; CIM has its numbers).
 * Pure, no I/O.
 */
#ifndef POWERCTL_AMT_SMBIOS_H
#define POWERCTL_AMT_SMBIOS_H

#include "records/bytes.h"

/* text, or NULL where nobody filled it in: "To be filled by O.E.M.", zeros, nothing. */
const char *smbios_text(const char *text);

/* Who makes a memory module, by its JEDEC number ("859B"); NULL where that is not known. */
const char *smbios_memory_maker(const char *number);

extern const struct bytes_word smbios_chassis_types[], smbios_processor_families[],
	smbios_memory_types[], smbios_memory_forms[], smbios_battery_chemistries[];

#endif
