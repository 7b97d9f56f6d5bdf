/* SPDX-License-Identifier: Apache-2.0 */
/* The user's consent: IPS_OptInService. */
#ifndef POWERCTL_AMTSIM_OPTIN_H
#define POWERCTL_AMTSIM_OPTIN_H

#include <stdbool.h>
#include <stdint.h>

struct device;

enum optin_state {
	OPTIN_NOT_STARTED,
	OPTIN_REQUESTED,
	OPTIN_DISPLAYED,
	OPTIN_RECEIVED,
	OPTIN_IN_SESSION,
};

/* 0 none, 1 KVM, 0xFFFFFFFF all. */
uint32_t optin_required(const struct device *dev);
enum optin_state optin_state(struct device *dev);
/* Boot options may be set now, media redirected. */
bool optin_allows_boot(struct device *dev);
/* The screen may be seen. */
bool optin_allows_kvm(struct device *dev);
/* A redirection session begins or ends: an agreement holds as long as there is one. */
void optin_session(struct device *dev, bool open);
/* ReturnValues: 0 ok, 2 invalid state, 3 blocked, that of the knob for a wrong code. */
uint32_t optin_start(struct device *dev);
uint32_t optin_send(struct device *dev, uint32_t code);
uint32_t optin_cancel(struct device *dev);

#endif
