/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-Click Recovery: the parameters of AMT_BootSettingData, and with the knob http_fetch what UEFI
 * firmware does about them: it loads the image for real, and writes into the event log how far it
 * came.
 */
#ifndef POWERCTL_AMTSIM_RECOVERY_H
#define POWERCTL_AMTSIM_RECOVERY_H

#include "util.h"

struct device;

enum { RECOVERY_URL_MAX = 300, RECOVERY_TYPES = 64 };

/* Its values point into bytes. */
struct recovery {
	uint8_t bytes[6144];
	unsigned count;
	struct str values[RECOVERY_TYPES]; /* by type; p is NULL where it was not sent */
};

/* The parameters in base64. False: not whole, one twice, or one that no firmware knows. */
bool recovery_parse(struct str base64, struct recovery *ret);
/* The host starts from one of its sources, whose path is NULL for HTTPS. */
void recovery_start(struct device *dev, const char *word, const char *path);

#endif
