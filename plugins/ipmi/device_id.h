/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers to Get Device ID (IPMI 2.0 section 20.1) and GUIDs (20.8, 22.14). Pure, no I/O. */
#ifndef POWERCTL_IPMI_DEVICE_ID_H
#define POWERCTL_IPMI_DEVICE_ID_H

#include <powerctl/value.h>

#include "reading.h"

struct device_id {
	uint8_t device, revision;
	uint8_t firmware[2]; /* major in 7 bits, minor in BCD */
	uint8_t aux[4];      /* further firmware revision, as the maker likes; zeros: none */
	uint8_t ipmi;        /* BCD, the digits swapped */
	uint8_t supports;    /* a bit for each of device_id_supports() */
	struct maker maker;
};

/* False if data is too short. */
bool device_id_decode(const uint8_t *data, size_t len, struct device_id *ret);

/* vendor, firmware, and what else docs/names.md has of it. */
void device_id_fill(const struct device_id *id, struct pctl_value *ret);

/*
 * What tells a BMC's records from those of other kinds: a cache key for what a repository with this
 * answer to Get SDR Repository Info (33.9) holds. False where that has no times, so that equal keys
 * do not mean equal records: then they stand for one BMC only.
 */
#define SDR_INFO_BYTES 14u
#define SDR_KEY_SIZE   64u
bool device_id_sdr_key(
	const struct device_id *id, const uint8_t sdr_info[SDR_INFO_BYTES], char *out);

/*
 * 16 bytes as SMBIOS writes a UUID. The specification has them all in reverse, most BMCs pass on
 * what SMBIOS stores, some send what is printed: which it is shows in the version and variant
 * fields; where that is open it is taken for SMBIOS's. False for zeros or FFh throughout.
 */
#define GUID_BYTES     16u
#define GUID_TEXT_SIZE 37u
bool guid_format(const uint8_t guid[GUID_BYTES], char *out);

#endif
