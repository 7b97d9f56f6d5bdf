/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parameters of One-Click Recovery's HTTPS boot, as AMT_BootSettingData carries them: entries
 * of vendor, type and length, one after the other, in base64.
 */
#ifndef POWERCTL_AMT_RECOVERY_H
#define POWERCTL_AMT_RECOVERY_H

#include <powerctl/error.h>

#define RECOVERY_MAX_URL 300u

struct recovery {
	unsigned count; /* of entries: the firmware compares */
	char base64[4 * ((RECOVERY_MAX_URL + 8 + 9 + 2) / 3) + 1];
};

/*
 * The image at url, checked against the root certificates in the device where it comes over https.
 * PCTL_E_CONFIG if url is not an http:// or https:// one of at most RECOVERY_MAX_URL characters.
 */
int recovery_parameters(const char *url, struct recovery *ret, struct pctl_error *err);

#endif
