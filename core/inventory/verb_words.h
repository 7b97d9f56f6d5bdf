/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that change machines, by the words that hooks, the history and its readers have. */
#ifndef POWERCTL_CORE_VERB_WORDS_H
#define POWERCTL_CORE_VERB_WORDS_H

#include <powerctl/powerctl.h>

/* Those that hooks may be for, beside a driver's methods. X(verb, word) */
#define PCTL_HOOK_VERBS(X)              \
	X(ON, "on")                     \
	X(OFF, "off")                   \
	X(REBOOT, "reboot")             \
	X(CYCLE, "cycle")               \
	X(RESET, "reset")               \
	X(BOOT, "boot")                 \
	X(BOOTDEV, "bootdev")           \
	X(NMI, "nmi")                   \
	X(SLEEP, "sleep")               \
	X(AC_CYCLE, "ac-cycle")         \
	X(LOG_CLEAR, "log-clear")       \
	X(PASSWD, "passwd")             \
	X(KVM_DIRECT, "kvm")            \
	X(MEDIA_ATTACH, "media attach") \
	X(MEDIA_DETACH, "media detach")

#define PCTL_CONSENT_VERBS(X)                 \
	X(CONSENT_REQUEST, "consent-request") \
	X(CONSENT_SUBMIT, "consent-submit")   \
	X(CONSENT_CANCEL, "consent-cancel")

#endif
