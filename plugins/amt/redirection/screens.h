/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which screen KVM shows, and the firmware's own VNC port: IPS_KVMRedirectionSettingData and
 * IPS_ScreenSettingData, over WS-Management.
 */
#ifndef POWERCTL_AMT_REDIRECTION_SCREENS_H
#define POWERCTL_AMT_REDIRECTION_SCREENS_H

#include "amt.h"

/* Within an op that was begun; then() follows, or the op ends with why not. */
struct screens_work {
	unsigned display; /* from 1 */
	bool changed;     /* KVM showed another one before */
	void (*then)(struct amt_dev *dev);
};

/* Makes `display` the one that KVM shows. work is the caller's and lives until then. */
void screens_choose(struct amt_dev *dev, struct screens_work *work);

/* As struct pctl_display_if has it. */
void screens_direct(void *data, struct pctl_op *op, const struct pctl_display_direct *direct,
	struct pctl_value *ret);

/* What is wrong with a password for viewers: exactly eight characters, of four kinds. */
int screens_check_password(const struct pctl_secret *password, struct pctl_error *err);

#endif
