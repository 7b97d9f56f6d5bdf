/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <stdio.h>
#include <string.h>

#define COMMON_RESETS "On ForceOff GracefulShutdown GracefulRestart ForceRestart"

#define BOTH_LIGHTS (QUIRK_LED | QUIRK_LOCATION)

static const struct profile profiles[] = {
	{
		/* DMTF mockup public-rackmount1 (DSP2043), with what newer schemas add. */
		.name = "dmtf",
		.vendor = "Contoso",
		.product = "Stand-in",
		.manufacturer = "Contoso",
		.model = "3500",
		.redfish_version = "1.15.0",
		.firmware = "1.45.455b66-rev4",
		.system_name = "437XR1138R2",
		.chassis = "1U",
		.manager = "BMC",
		.resets = COMMON_RESETS " ForceOn PowerCycle Nmi PushPowerButton Pause Resume",
		.targets = "None Pxe Floppy Cd Usb Hdd BiosSetup Utilities Diags UefiTarget "
			   "UefiHttp",
		.media = "CD1 USB1",
		.manager_resets = "ForceRestart GracefulRestart",
		.log = "Log1",
		.registry = "Base.1.8.",
		.mode = "UEFI",
		.log_place = LOG_OF_SYSTEM,
		.etag = ETAG_STRONG,
		.quirks = QUIRK_OLD_THERMAL | QUIRK_SENSORS | BOTH_LIGHTS | QUIRK_RESTORE_POLICY |
			  QUIRK_TRANSITIONS | QUIRK_HTTP_BOOT | QUIRK_SYSTEM_MEDIA,
		.patch_status = 200,
		.reset_status = 204,
		.sessions = 16,
	},
	{
		.name = "dell",
		.vendor = "Dell",
		.product = "Integrated Dell Remote Access Controller",
		.manufacturer = "Dell Inc.",
		.model = "PowerEdge R650",
		.redfish_version = "1.17.0",
		.firmware = "7.00.00.00",
		.system_name = "System.Embedded.1",
		.chassis = "System.Embedded.1",
		.manager = "iDRAC.Embedded.1",
		.resets = COMMON_RESETS " PushPowerButton Nmi PowerCycle",
		.targets = "None Pxe Floppy Cd Hdd BiosSetup Utilities UefiTarget SDCard UefiHttp",
		.media = "CD RemovableDisk",
		.manager_resets = "GracefulRestart",
		.log = "Sel",
		.registry = "Base.1.12.",
		.mode = "UEFI",
		.log_place = LOG_OF_MANAGER,
		.etag = ETAG_WEAK,
		.quirks = QUIRK_OLD_THERMAL | QUIRK_SENSORS | BOTH_LIGHTS | QUIRK_RESTORE_POLICY |
			  QUIRK_ON_IS_ERROR | QUIRK_RESET_NEEDS_ON | QUIRK_HTTP_BOOT |
			  QUIRK_SUCCESS_BODY,
		.patch_status = 200,
		.reset_status = 204,
		.same_status = 409,
		.same_message = "IDRAC.2.8.PSU501",
		.same_text = "Server is already powered ",
		.sessions = 8,
	},
	{
		.name = "hpe",
		.vendor = "HPE",
		.product = "ProLiant DL360 Gen10",
		.manufacturer = "HPE",
		.model = "ProLiant DL360 Gen10",
		.redfish_version = "1.6.0",
		.firmware = "iLO 5 v2.72",
		.system_name = "1",
		.chassis = "1",
		.manager = "1",
		.resets = "On ForceOff GracefulShutdown ForceRestart Nmi PushPowerButton "
			  "GracefulRestart",
		.targets = "None Cd Hdd Usb SDCard Utilities Diags BiosSetup Pxe UefiShell "
			   "UefiHttp UefiTarget",
		.media = "1 2",
		.manager_resets = "ForceRestart GracefulRestart",
		.log = "IML",
		.registry = "iLO.2.14.",
		.mode = "UEFI",
		.log_place = LOG_OF_SYSTEM,
		.etag = ETAG_WEAK,
		.quirks = QUIRK_SLASH | QUIRK_MODE_FIXED | QUIRK_NO_CONTINUOUS |
			  QUIRK_POST_LOCKS_BOOT | QUIRK_SUCCESS_BODY | QUIRK_ON_IS_ERROR |
			  QUIRK_RESET_NEEDS_ON | QUIRK_OLD_THERMAL | QUIRK_LED |
			  QUIRK_RESTORE_POLICY | QUIRK_TARGET_FIRST | QUIRK_HTTP_BOOT,
		.patch_status = 200,
		.reset_status = 200,
		.same_status = 400,
		.same_message = "iLO.2.14.InvalidOperationForSystemState",
		.same_text =
			"The operation was not successful due to the current power state: power "
			"is ",
		.sessions = 12,
	},
	{
		.name = "hpe-gen9",
		.vendor = "HP",
		.product = "ProLiant DL380 Gen9",
		.manufacturer = "HP",
		.model = "ProLiant DL380 Gen9",
		.redfish_version = "1.0.0",
		.firmware = "iLO 4 v2.55",
		.system_name = "1",
		.chassis = "1",
		.manager = "1",
		.resets = "On ForceOff ForceRestart Nmi PushPowerButton",
		.targets = "None Cd Hdd Usb Utilities Diags BiosSetup Pxe UefiShell UefiTarget",
		.media = "1 2",
		.manager_resets = "",
		.log = "IML",
		.registry = "Base.0.10.",
		.log_place = LOG_OF_SYSTEM,
		.etag = ETAG_WEAK,
		.quirks = QUIRK_SLASH | QUIRK_NO_MODE | QUIRK_NO_CONTINUOUS | QUIRK_OLD_ERRORS |
			  QUIRK_SUCCESS_BODY | QUIRK_ON_IS_ERROR | QUIRK_RESET_NEEDS_ON |
			  QUIRK_OLD_THERMAL | QUIRK_LED | QUIRK_MEDIA_PATCH | QUIRK_TARGET_FIRST,
		.patch_status = 200,
		.reset_status = 200,
		.same_status = 400,
		.same_message = "iLO.0.10.InvalidOperationForSystemState",
		.same_text = "Power is ",
		.sessions = 8,
	},
	{
		.name = "supermicro",
		.vendor = "Supermicro",
		.product = "X12DPi-N6",
		.manufacturer = "Supermicro",
		.model = "SYS-620P-TRT",
		.redfish_version = "1.9.0",
		.firmware = "01.02.31",
		.system_name = "1",
		.chassis = "1",
		.manager = "1",
		.resets = COMMON_RESETS " Nmi ForceOn",
		.targets = "None Pxe Floppy Cd Usb Hdd BiosSetup UsbCd UefiBootNext",
		.media = "CD1",
		.manager_resets = "GracefulRestart",
		.log = "Log1",
		.registry = "Base.v1_10_3.",
		.mode = "Legacy",
		.log_place = LOG_OF_SYSTEM,
		.etag = ETAG_STRONG,
		.quirks = QUIRK_BOOT_ENABLED | QUIRK_MODE_RESETS | QUIRK_SUCCESS_BODY |
			  QUIRK_OLD_THERMAL | QUIRK_LED | QUIRK_RESTORE_POLICY,
		.patch_status = 200,
		.reset_status = 200,
		.sessions = 16,
	},
	{
		.name = "lenovo",
		.vendor = "Lenovo",
		.product = "ThinkSystem SR650 V2",
		.manufacturer = "Lenovo",
		.model = "ThinkSystem SR650 V2",
		.redfish_version = "1.14.0",
		.firmware = "AFBT40B-3.60",
		.system_name = "1",
		.chassis = "1",
		.manager = "1",
		.resets = COMMON_RESETS " Nmi ForceOn",
		.targets = "None Pxe Cd Usb Hdd BiosSetup Diags UefiTarget UefiHttp",
		.media = "EXT1 EXT2",
		.manager_resets = "GracefulRestart ForceRestart",
		.log = "PlatformLog",
		.registry = "Base.1.12.",
		.mode = "UEFI",
		.log_place = LOG_OF_SYSTEM,
		.etag = ETAG_STRONG,
		.quirks = QUIRK_NEED_ETAG | QUIRK_STRICT_ETAG | QUIRK_OLD_THERMAL | QUIRK_SENSORS |
			  BOTH_LIGHTS | QUIRK_RESTORE_POLICY | QUIRK_HTTP_BOOT | QUIRK_MEDIA_PATCH,
		.patch_status = 200,
		.reset_status = 204,
		.sessions = 16,
	},
	{
		.name = "ami",
		.vendor = "AMI",
		.product = "AMI Redfish Server",
		.manufacturer = "ASRockRack",
		.model = "ROMED8-2T",
		.redfish_version = "1.11.0",
		.firmware = "13.2.0",
		.system_name = "Self",
		.chassis = "Self",
		.manager = "Self",
		.resets = COMMON_RESETS " PowerCycle",
		.targets = "None Pxe Floppy Cd Usb Hdd BiosSetup UefiShell Diags",
		.media = "CD1 HD1",
		.manager_resets = "ForceRestart",
		.log = "SEL",
		.registry = "Base.1.12.",
		.mode = "Legacy",
		.log_place = LOG_OF_MANAGER,
		.etag = ETAG_WEAK,
		.quirks = QUIRK_NEED_ETAG | QUIRK_SETTINGS | QUIRK_BOOT_WHOLE | QUIRK_ACTION_INFO |
			  QUIRK_OLD_THERMAL | QUIRK_LED | QUIRK_RESTORE_POLICY,
		.patch_status = 204,
		.reset_status = 204,
		.sessions = 6,
	},
	{
		/*
		 * bmcweb: redfish-core/lib/systems.hpp, managers.hpp; include/query.hpp (ETag);
		 * src/utils/dbus_utils.cpp (204).
		 */
		.name = "openbmc",
		.vendor = "OpenBMC",
		.product = "Stand-in",
		.manufacturer = "OpenBMC",
		.model = "Board",
		.redfish_version = "1.17.0",
		.firmware = "2.14.0-dev",
		.system_name = "system",
		.chassis = "chassis",
		.manager = "bmc",
		.resets = COMMON_RESETS " ForceOn PowerCycle Nmi",
		.targets = "None Pxe Hdd Cd Diags BiosSetup Usb",
		.media = "Slot_0",
		.manager_resets = "GracefulRestart ForceRestart",
		.log = "EventLog",
		.registry = "Base.1.16.0.",
		.mode = "UEFI",
		.log_place = LOG_OF_SYSTEM,
		.etag = ETAG_BODY,
		.quirks = QUIRK_STRICT_ETAG | QUIRK_ACTION_INFO | QUIRK_SENSORS | QUIRK_LOCATION |
			  QUIRK_RESTORE_POLICY | QUIRK_TRANSITIONS,
		.patch_status = 204,
		.reset_status = 204,
		.sessions = 16,
	},
};

const struct profile *profile_find(struct str name)
{
	for (size_t i = 0; i < COUNT(profiles); i++)
		if (str_is(name, profiles[i].name))
			return &profiles[i];
	return NULL;
}

const char *profile_names(void)
{
	return "dmtf, dell, hpe, hpe-gen9, supermicro, lenovo, ami or openbmc";
}

void profile_id(const char *name, uint32_t n, char *out, size_t size)
{
	size_t stem = strlen(name);

	if (!n) {
		snprintf(out, size, "%s", name);
		return;
	}
	if (stem && name[stem - 1] == '1')
		stem--;
	snprintf(out, size, "%.*s%u", (int)stem, name, n + 1);
}
