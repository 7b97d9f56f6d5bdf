/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One-Click Recovery, before anything is changed: whether this machine can do it as it is set up,
 * and whether what it is to load will be loaded. A machine that cannot is restarted for nothing.
 */
#ifndef POWERCTL_AMT_BOOT_RECOVERY_H
#define POWERCTL_AMT_BOOT_RECOVERY_H

#include "amt.h"
#include "recovery.h"

struct recovery_work;

/* Of the settings: PCTL_E_CONFIG names the one at fault. */
int boot_recovery_check(const struct pctl_device *device, struct pctl_error *err);
/* Whether a wish is for it, and if so whether it can be fulfilled at all. */
bool boot_recovery_wanted(const struct pctl_boot *wish);
int boot_recovery_check_wish(
	const struct pctl_device *device, const struct pctl_boot *wish, struct pctl_error *err);

/*
 * Looks at the machine and at the URL of the op's wish, and goes on, or ends the op. From then on
 * boot_work.recovery has what follows, until the op ends.
 */
void boot_recovery_prepare(struct amt_dev *dev, void (*then)(struct amt_dev *dev));
const struct recovery *boot_recovery_parameters(const struct amt_dev *dev);
/* InstanceID of the boot source. */
const char *boot_recovery_source(const struct amt_dev *dev);

#endif
