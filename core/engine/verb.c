/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs: what each is called, what it needs, how long it may take, where it begins. */
#include "engine/task.h"

#define POWER         "power"
#define LIMIT(member) offsetof(struct pctl_target, member)

static const struct pctl_verb_def verbs[] = {
	[PCTL_VERB_STATUS] = { "status", 0, pctl_verb_status, LIMIT(read_ms), 0, POWER },
	[PCTL_VERB_ON] = { "on", PCTL_VERB_CHANGES | PCTL_VERB_STARTS, pctl_verb_on,
		LIMIT(confirm_ms), 0, POWER },
	[PCTL_VERB_OFF] = { "off", PCTL_VERB_CHANGES | PCTL_VERB_DISRUPTS, pctl_verb_off,
		LIMIT(confirm_ms), LIMIT(soft_ms), POWER },
	[PCTL_VERB_REBOOT] = { "reboot", PCTL_VERB_CHANGES | PCTL_VERB_DISRUPTS | PCTL_VERB_STARTS,
		pctl_verb_reboot, LIMIT(reboot_ms), LIMIT(soft_ms), POWER },
	[PCTL_VERB_CYCLE] = { "cycle", PCTL_VERB_CHANGES | PCTL_VERB_DISRUPTS | PCTL_VERB_STARTS,
		pctl_verb_reboot, LIMIT(reboot_ms), LIMIT(soft_ms), POWER },
	[PCTL_VERB_RESET] = { "reset", PCTL_VERB_CHANGES | PCTL_VERB_DISRUPTS | PCTL_VERB_STARTS,
		pctl_verb_reset, LIMIT(confirm_ms), 0, POWER },
	[PCTL_VERB_BOOTDEV] = { "bootdev", PCTL_VERB_CHANGES, pctl_verb_bootdev, LIMIT(confirm_ms),
		0, "boot" },
	[PCTL_VERB_BOOTDEV_SHOW] = { "bootdev", 0, pctl_verb_bootdev_show, LIMIT(read_ms), 0,
		"boot" },
	[PCTL_VERB_BOOT] = { "boot", PCTL_VERB_CHANGES | PCTL_VERB_DISRUPTS | PCTL_VERB_STARTS,
		pctl_verb_boot, LIMIT(confirm_ms), 0, POWER },
	[PCTL_VERB_NMI] = { "nmi", PCTL_VERB_CHANGES | PCTL_VERB_DISRUPTS, pctl_verb_plain_action,
		LIMIT(confirm_ms), 0, POWER },
	[PCTL_VERB_SLEEP] = { "sleep", PCTL_VERB_CHANGES | PCTL_VERB_DISRUPTS,
		pctl_verb_plain_action, LIMIT(confirm_ms), 0, POWER },
	[PCTL_VERB_IDENTIFY] = { "identify", 0, pctl_verb_identify, LIMIT(read_ms), 0, "identify" },
	[PCTL_VERB_WAIT] = { "wait", 0, pctl_verb_wait, LIMIT(soft_ms), 0, POWER },
	[PCTL_VERB_WAIT_READY] = { "wait", 0, pctl_verb_wait_ready, LIMIT(ready_ms), 0, NULL },
	[PCTL_VERB_INFO] = { "info", 0, pctl_verb_info, LIMIT(confirm_ms), 0, "inspect" },
	[PCTL_VERB_HARDWARE] = { "hardware", 0, pctl_verb_hardware, LIMIT(confirm_ms), 0,
		"inspect" },
	[PCTL_VERB_CAPS] = { "caps", 0, pctl_verb_caps, LIMIT(read_ms), 0, NULL },
	[PCTL_VERB_CONSOLE] = { "console", 0, pctl_verb_console, LIMIT(read_ms), 0, "console" },
	[PCTL_VERB_KVM] = { "kvm", 0, pctl_verb_kvm, LIMIT(read_ms), 0, "display" },
	[PCTL_VERB_KVM_DIRECT] = { "kvm", PCTL_VERB_CHANGES, pctl_verb_kvm_direct,
		LIMIT(confirm_ms), 0, "display" },
	[PCTL_VERB_LOG] = { "log", 0, pctl_verb_log, LIMIT(confirm_ms), 0, "log" },
	[PCTL_VERB_LOG_CLEAR] = { "log", PCTL_VERB_CHANGES | PCTL_VERB_DESTROYS | PCTL_VERB_CONFIRM,
		pctl_verb_log_clear, LIMIT(confirm_ms), 0, "log" },
	[PCTL_VERB_SENSORS] = { "sensors", 0, pctl_verb_sensors, LIMIT(confirm_ms), 0, "sensors" },
	[PCTL_VERB_MEDIA_ATTACH] = { "media attach", PCTL_VERB_CHANGES, pctl_verb_media,
		LIMIT(confirm_ms), 0, NULL },
	[PCTL_VERB_MEDIA_DETACH] = { "media detach", PCTL_VERB_CHANGES, pctl_verb_media,
		LIMIT(confirm_ms), 0, NULL },
	[PCTL_VERB_MEDIA_STATUS] = { "media status", 0, pctl_verb_media, LIMIT(read_ms), 0, NULL },
	[PCTL_VERB_CHECK] = { "check", 0, pctl_verb_check, LIMIT(confirm_ms), 0, POWER },
	[PCTL_VERB_METHOD] = { "method", 0, pctl_verb_method, LIMIT(read_ms), 0, NULL },
	[PCTL_VERB_PASSWD] = { "passwd", PCTL_VERB_CHANGES | PCTL_VERB_CONFIRM, pctl_verb_passwd,
		LIMIT(confirm_ms), 0, NULL },
	[PCTL_VERB_LOGIN] = { "login", 0, pctl_verb_login, LIMIT(read_ms), 0, NULL },
	[PCTL_VERB_AC_CYCLE] = { "ac-cycle",
		PCTL_VERB_CHANGES | PCTL_VERB_DISRUPTS | PCTL_VERB_STARTS, pctl_verb_ac_cycle,
		LIMIT(reboot_ms), 0, POWER },
	[PCTL_VERB_CONSENT_STATUS] = { "consent", 0, pctl_verb_consent_status, LIMIT(read_ms), 0,
		NULL },
	[PCTL_VERB_CONSENT_REQUEST] = { "consent", PCTL_VERB_CHANGES, pctl_verb_consent_request,
		LIMIT(confirm_ms), 0, NULL },
	[PCTL_VERB_CONSENT_SUBMIT] = { "consent", PCTL_VERB_CHANGES, pctl_verb_consent_submit,
		LIMIT(confirm_ms), 0, NULL },
	[PCTL_VERB_CONSENT_CANCEL] = { "consent", PCTL_VERB_CHANGES, pctl_verb_consent_cancel,
		LIMIT(confirm_ms), 0, NULL },
};

const struct pctl_verb_def *pctl_verb_def(enum pctl_verb verb)
{
	return &verbs[verb];
}

const char *pctl_verb_name(enum pctl_verb verb)
{
	return (unsigned)verb < PCTL_VERB_COUNT ? verbs[verb].name : NULL;
}

unsigned pctl_verb_flags(enum pctl_verb verb)
{
	return (unsigned)verb < PCTL_VERB_COUNT ? verbs[verb].flags : 0;
}
