/* SPDX-License-Identifier: Apache-2.0 */
/* The words of users and JSON for the enums of <powerctl/driver.h>. */
#include <powerctl/driver.h>

#include <powerctl/parse.h>

#define WORD(table, i) ((size_t)(i) < sizeof(table) / sizeof((table)[0]) ? (table)[i] : NULL)

static const char *const states[] = {
	[PCTL_POWER_UNKNOWN] = "unknown",
	[PCTL_POWER_OFF] = "off",
	[PCTL_POWER_ON] = "on",
	[PCTL_POWER_SLEEP] = "sleep",
	[PCTL_POWER_HIBERNATE] = "hibernate",
};

static const char *const actions[] = {
	[PCTL_ACTION_ON] = "on",
	[PCTL_ACTION_OFF] = "off",
	[PCTL_ACTION_SOFT_OFF] = "soft_off",
	[PCTL_ACTION_CYCLE] = "cycle",
	[PCTL_ACTION_RESET] = "reset",
	[PCTL_ACTION_SOFT_RESET] = "soft_reset",
	[PCTL_ACTION_SLEEP] = "sleep",
	[PCTL_ACTION_NMI] = "nmi",
	[PCTL_ACTION_AC_CYCLE] = "ac_cycle",
};

static const char *const boot_devices[] = {
	[PCTL_BOOT_NONE] = "none",
	[PCTL_BOOT_PXE] = "pxe",
	[PCTL_BOOT_DISK] = "disk",
	[PCTL_BOOT_CD] = "cd",
	[PCTL_BOOT_USB] = "usb",
	[PCTL_BOOT_BIOS] = "bios",
	[PCTL_BOOT_DIAG] = "diag",
	[PCTL_BOOT_HTTP] = "http",
	[PCTL_BOOT_RECOVERY] = "recovery",
	[PCTL_BOOT_COUNT] = NULL,
};

static const char *const boot_modes[] = {
	[PCTL_BOOT_MODE_ANY] = "any",
	[PCTL_BOOT_MODE_LEGACY] = "legacy",
	[PCTL_BOOT_MODE_UEFI] = "uefi",
};

static const char *const consent_needs[] = {
	[PCTL_CONSENT_NONE] = "none",
	[PCTL_CONSENT_KVM] = "kvm",
	[PCTL_CONSENT_ALL] = "all",
};

static const char *const consent_states[] = {
	[PCTL_CONSENT_IDLE] = "none",
	[PCTL_CONSENT_REQUESTED] = "requested",
	[PCTL_CONSENT_DISPLAYED] = "displayed",
	[PCTL_CONSENT_RECEIVED] = "received",
	[PCTL_CONSENT_IN_SESSION] = "in_session",
};

const char *pctl_consent_need_name(enum pctl_consent_need need)
{
	return WORD(consent_needs, need);
}

const char *pctl_consent_state_name(enum pctl_consent_state state)
{
	return WORD(consent_states, state);
}

const char *pctl_power_state_name(enum pctl_power_state state)
{
	return WORD(states, state);
}

const char *pctl_action_name(enum pctl_action action)
{
	return WORD(actions, action);
}

const char *pctl_boot_device_name(enum pctl_boot_device device)
{
	return WORD(boot_devices, device);
}

const char *pctl_boot_mode_name(enum pctl_boot_mode mode)
{
	return WORD(boot_modes, mode);
}

int pctl_boot_device_from_name(const char *word)
{
	return pctl_parse_choice(word, boot_devices);
}
