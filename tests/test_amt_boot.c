/* SPDX-License-Identifier: Apache-2.0 */
/* Intel AMT's boot interface, request by request, in the order that real firmware was seen to want.
 */
#include "amt_fake.h"

#include <stdio.h>
#include <string.h>

#define SETTINGS "AMT_BootSettingData"

static int set_up(void **state)
{
	*state = fake_new();
	return 0;
}

static int tear_down(void **state)
{
	fake_free(*state);
	return 0;
}

/* AMT 16 as recorded, with a few things set that have to be cleared. */
#define NEW_SETTINGS                                                                             \
	INSTANCE(SETTINGS,                                                                       \
		FIELD("BIOSLastStatus", "2") FIELD("BIOSLastStatus", "0") FIELD(                 \
			"BIOSPause", "false") FIELD("BIOSSetup", "true") FIELD("BootMediaIndex", \
			"2") FIELD("BootguardStatus", "127") FIELD("ConfigurationDataReset",     \
			"false") FIELD("ElementName",                                            \
			"Settings &lt;1&gt;") FIELD("EnforceSecureBoot",                         \
			"true") FIELD("FirmwareVerbosity", "1") FIELD("ForcedProgressEvents",    \
			"true") FIELD("IDERBootDevice", "1") FIELD("InstanceID",                 \
			"Intel(r) AMT:BootSettingData 0") FIELD("LockKeyboard",                  \
			"true") FIELD("LockPowerButton", "false") FIELD("LockResetButton",       \
			"false") FIELD("LockSleepButton", "false") FIELD("OptionsCleared",       \
			"true") FIELD("OwningEntity", "Intel(r) AMT") FIELD("PlatformErase",     \
			"false") FIELD("RPEEnabled", "true") FIELD("RSEPassword",                \
			"") FIELD("ReflashBIOS", "false") FIELD("SecureBootControlEnabled",      \
			"true") FIELD("SecureErase", "false") FIELD("UEFIHTTPSBootEnabled",      \
			"true") FIELD("UEFILocalPBABootEnabled", "true")                         \
			FIELD("UefiBootNumberOfParams", "3") FIELD("UseIDER", "true")            \
				FIELD("UseSOL", "true") FIELD("UseSafeMode", "false")            \
					FIELD("UserPasswordBypass", "false")                     \
						FIELD("WinREBootEnabled", "true"))

/* AMT 6: knows less. */
#define OLD_SETTINGS                                                                        \
	INSTANCE(SETTINGS,                                                                  \
		FIELD("BIOSLastStatus", "0") FIELD("BIOSPause", "false") FIELD("BIOSSetup", \
			"false") FIELD("BootMediaIndex", "0") FIELD("ElementName", "n")     \
			FIELD("InstanceID", "i") FIELD("OwningEntity", "o")                 \
				FIELD("UseIDER", "false") FIELD("UseSOL", "false"))

#define GET_SETTINGS .want = { "transfer/Get</a:Action>", "amt-schema/1/AMT_BootSettingData<" }
#define CLEAR_ORDER                                                                      \
	.want = { "CIM_BootConfigSetting/ChangeBootOrder</a:Action>",                    \
		"<h:ChangeBootOrder_INPUT xmlns:h=\"http://schemas.dmtf.org/wbem/wscim/" \
		"1/cim-schema/2/CIM_BootConfigSetting\"></h:ChangeBootOrder_INPUT>" }
#define PUT                                                                                    \
	.want = { "transfer/Put</a:Action>",                                                   \
		"<h:AMT_BootSettingData xmlns:h=\"http://intel.com/wbem/wscim/1/amt-schema/1/" \
		"AMT_BootSettingData\">" }
#define ARM(role)                                                                          \
	.want = { "CIM_BootService/SetBootConfigRole</a:Action>", "<h:BootConfigSetting>", \
		"<Selector Name=\"InstanceID\">Intel(r) AMT: Boot Configuration 0"         \
		"</Selector>",                                                             \
		"<h:Role>" role "</h:Role>" }
#define SET_ORDER(source)                                                           \
	.want = { "CIM_BootConfigSetting/ChangeBootOrder</a:Action>", "<h:Source>", \
		"/CIM_BootSourceSetting</ResourceURI>",                             \
		"<Selector Name=\"InstanceID\">" source "</Selector>" }

#define ORDER_OK .body = OUTPUT("ChangeBootOrder", "0")
#define ROLE_OK  .body = OUTPUT("SetBootConfigRole", "0")

static void set(struct fake *f, enum pctl_boot_device device)
{
	const struct pctl_boot wish = { .size = sizeof(wish), .device = device };

	fake_boot_set(f, &wish);
}

/* The fields of the Put that was the request of that number. */
static void assert_put(const struct fake *f, size_t n, const char *fields)
{
	const char *from = strstr(f->requests[n], "AMT_BootSettingData\">");

	assert_non_null(from);
	from += strlen("AMT_BootSettingData\">");
	const char *to = strstr(from, "</h:AMT_BootSettingData>");
	assert_non_null(to);
	assert_int_equal(strlen(fields), (size_t)(to - from));
	assert_memory_equal(from, fields, strlen(fields));
}

#define H(name, value) "<h:" name ">" value "</h:" name ">"

static void test_pxe(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { GET_SETTINGS, .body = NEW_SETTINGS }, { CLEAR_ORDER, ORDER_OK },
		{ PUT, .body = NEW_SETTINGS }, { ARM("1"), ROLE_OK },
		{ SET_ORDER("Intel(r) AMT: Force PXE Boot"), ORDER_OK });
	set(f, PCTL_BOOT_PXE);
	fake_assert_done(f);
	assert_put(f, 2,
		H("BIOSPause", "false") H("BIOSSetup", "false") H("BootMediaIndex", "0") H(
			"ConfigurationDataReset", "false") H("ElementName",
			"Settings &lt;1&gt;") H("EnforceSecureBoot", "true") H("FirmwareVerbosity",
			"0") H("ForcedProgressEvents", "false") H("IDERBootDevice",
			"0") H("InstanceID", "Intel(r) AMT:BootSettingData 0") H("LockKeyboard",
			"false") H("LockPowerButton", "false") H("LockResetButton", "false")
			H("LockSleepButton", "false") H("OwningEntity", "Intel(r) AMT") H(
				"PlatformErase", "false") H("RSEPassword", "") H("ReflashBIOS",
				"false") H("SecureErase", "false") H("UefiBootNumberOfParams", "0")
				H("UseIDER", "false") H("UseSOL", "false") H("UseSafeMode", "false")
					H("UserPasswordBypass", "false"));
}

static void test_old_firmware_gets_only_what_it_knows(void **state)
{
	struct fake *f = *state;

	f->server = "Intel(R) Active Management Technology 5.0.1";
	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, ORDER_OK },
		{ PUT, .body = OLD_SETTINGS }, { ARM("1"), ROLE_OK },
		{ .want = { "<h:source><Address", "Force Hard-drive Boot</Selector>" }, ORDER_OK });
	set(f, PCTL_BOOT_DISK);
	fake_assert_done(f);
	assert_put(f, 2,
		H("BIOSPause", "false") H("BIOSSetup", "false") H("BootMediaIndex", "0")
			H("ElementName", "n") H("InstanceID", "i") H("OwningEntity", "o")
				H("UseIDER", "false") H("UseSOL", "false"));
}

static void test_cd_and_diag(void **state)
{
	struct fake *f = *state;

	f->server = "Intel(R) Active Management Technology 5.1.0";
	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, ORDER_OK },
		{ PUT, .body = OLD_SETTINGS }, { ARM("1"), ROLE_OK },
		{ SET_ORDER("Intel(r) AMT: Force CD/DVD Boot"), ORDER_OK });
	set(f, PCTL_BOOT_CD);
	fake_assert_done(f);
	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, ORDER_OK },
		{ PUT, .body = OLD_SETTINGS }, { ARM("1"), ROLE_OK },
		{ SET_ORDER("Intel(r) AMT: Force Diagnostic Boot"), ORDER_OK });
	set(f, PCTL_BOOT_DIAG);
	fake_assert_done(f);
}

static void test_bios_is_a_setting_without_a_source(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, ORDER_OK },
		{ PUT, .body = OLD_SETTINGS }, { ARM("1"), ROLE_OK }, { CLEAR_ORDER, ORDER_OK });
	set(f, PCTL_BOOT_BIOS);
	fake_assert_done(f);
	assert_put(f, 2,
		H("BIOSPause", "false") H("BIOSSetup", "true") H("BootMediaIndex", "0")
			H("ElementName", "n") H("InstanceID", "i") H("OwningEntity", "o")
				H("UseIDER", "false") H("UseSOL", "false"));
	SCRIPT(f, { GET_SETTINGS, .body = INSTANCE(SETTINGS, FIELD("InstanceID", "i")) });
	set(f, PCTL_BOOT_BIOS);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "no boot setting BIOSSetup");
}

static void test_none_clears_and_disarms(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, ORDER_OK },
		{ PUT, .body = OLD_SETTINGS }, { ARM("32768"), ROLE_OK });
	set(f, PCTL_BOOT_NONE);
	fake_assert_done(f);
	/* Firmware before 7.0 cannot disarm. */
	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, ORDER_OK },
		{ PUT, .body = OLD_SETTINGS },
		{ ARM("32768"), .body = OUTPUT("SetBootConfigRole", "5") });
	set(f, PCTL_BOOT_NONE);
	fake_assert_done(f);
	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, ORDER_OK },
		{ PUT, .body = OLD_SETTINGS }, { ARM("32768"), .error = PCTL_E_TIMEOUT });
	set(f, PCTL_BOOT_NONE);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "");
}

static void test_wishes_that_cannot_be_met_send_nothing(void **state)
{
	struct fake *f = *state;
	static const struct {
		struct pctl_boot wish;
		int code;
		const char *text;
	} rows[] = {
		{ { .device = PCTL_BOOT_USB }, PCTL_E_UNSUPPORTED, "cannot boot from usb" },
		{ { .device = PCTL_BOOT_PXE, .persistent = true }, PCTL_E_UNSUPPORTED,
			"next start only" },
		{ { .device = PCTL_BOOT_PXE, .mode = PCTL_BOOT_MODE_UEFI }, PCTL_E_UNSUPPORTED,
			"no say" },
		{ { .device = PCTL_BOOT_DISK, .mode = PCTL_BOOT_MODE_LEGACY }, PCTL_E_UNSUPPORTED,
			"no say" },
		{ { .device = PCTL_BOOT_HTTP, .url = "https://x/y" }, PCTL_E_UNSUPPORTED, "TLS" },
		{ { .size = sizeof(struct pctl_boot),
			  .device = PCTL_BOOT_PXE,
			  .flags = PCTL_BOOT_WITH_MEDIA },
			PCTL_E_UNSUPPORTED, "as cd or usb" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		fake_script(f, NULL, 0);
		fake_boot_set(f, &rows[i].wish);
		fake_assert_failed(f, rows[i].code, rows[i].text);
	}
}

static void test_urls_are_checked(void **state)
{
	struct fake *f = *state;
	static char longest[400];
	const char *const urls[] = { NULL, "", "ftp://x/y", "x", "https://x/a b", "https://x/\n",
		"https://x/\xc3\xa4", longest, "http://", "http:///x", "http://:80/x",
		"https://u:p@x/y", "http://x/y#z" };

	f->tls = "true";
	(void)snprintf(longest, sizeof(longest), "https://%0293d", 0);
	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
		const struct pctl_boot wish = { .device = PCTL_BOOT_HTTP, .url = urls[i] };
		fake_script(f, NULL, 0);
		fake_boot_set(f, &wish);
		fake_assert_failed(f, PCTL_E_CONFIG, "url");
	}
}

#define GET_CAPABILITIES .want = { "Get</a:Action>", "AMT_BootCapabilities<" }
#define CAPABLE(yes)     INSTANCE("AMT_BootCapabilities", FIELD("ForceUEFIHTTPSBoot", yes))
#define GET_SERVICE      .want = { "Get</a:Action>", "CIM_BootService<" }
#define SERVICE(state)   INSTANCE("CIM_BootService", FIELD("EnabledState", state))
#define GET_SETUP        .want = { "Get</a:Action>", "AMT_SetupAndConfigurationService<" }
#define CONTROL_MODE(n)  INSTANCE("AMT_SetupAndConfigurationService", FIELD("ProvisioningMode", n))
/* A machine that can, asked for all it needs. */
#define READY(state)                                                        \
	{ GET_SETTINGS, .tls = true, .body = NEW_SETTINGS },                \
		{ GET_CAPABILITIES, .tls = true, .body = CAPABLE("true") }, \
	{                                                                   \
		GET_SERVICE, .tls = true, .body = SERVICE(state)            \
	}

static void test_http_boot(void **state)
{
	struct fake *f = *state;
	const struct pctl_boot wish = { .size = sizeof(wish),
		.device = PCTL_BOOT_HTTP,
		.mode = PCTL_BOOT_MODE_UEFI,
		.url = "https://boot/i.efi",
		.flags = PCTL_BOOT_UNCHECKED };

	f->tls = "true";
	SCRIPT(f, READY("32771"), { GET_SETTINGS, .tls = true, .body = NEW_SETTINGS },
		{ CLEAR_ORDER, .tls = true, ORDER_OK }, { PUT, .tls = true, .body = NEW_SETTINGS },
		{ ARM("1"), .tls = true, ROLE_OK },
		{ SET_ORDER("Intel(r) AMT: Force OCR UEFI HTTPS Boot"), .tls = true, ORDER_OK });
	fake_boot_set(f, &wish);
	fake_assert_done(f);
	/* 8086, 1, 18 bytes, the URL; 8086, 20, 1 byte, 1. */
	assert_put(f, 5,
		H("BIOSPause", "false") H("BIOSSetup", "false") H("BootMediaIndex", "0") H(
			"ConfigurationDataReset", "false") H("ElementName",
			"Settings &lt;1&gt;") H("EnforceSecureBoot", "true") H("FirmwareVerbosity",
			"0") H("ForcedProgressEvents", "true") H("IDERBootDevice",
			"0") H("InstanceID", "Intel(r) AMT:BootSettingData 0") H("LockKeyboard",
			"false") H("LockPowerButton", "false") H("LockResetButton",
			"false") H("LockSleepButton", "false") H("OwningEntity", "Intel(r) AMT")
			H("PlatformErase", "false") H("RSEPassword", "") H("ReflashBIOS", "false")
				H("SecureErase", "false") H("UefiBootParametersArray",
					"hoABABIAAABodHRwczovL2Jvb3QvaS5lZmmGgBQAAQAAAAE=")
					H("UefiBootNumberOfParams", "2") H("UseIDER", "false")
						H("UseSOL", "false") H("UseSafeMode", "false")
							H("UserPasswordBypass", "false"));
}

static void test_http_boot_without_tls_to_the_image(void **state)
{
	struct fake *f = *state;
	const struct pctl_boot wish = { .size = sizeof(wish),
		.device = PCTL_BOOT_HTTP,
		.url = "http://b/x",
		.flags = PCTL_BOOT_UNCHECKED };

	f->tls = "true";
	f->secure_boot = "false";
	SCRIPT(f, READY("2"), { GET_SETUP, .tls = true, .body = CONTROL_MODE("1") },
		{ GET_SETTINGS, .tls = true, .body = NEW_SETTINGS },
		{ CLEAR_ORDER, .tls = true, ORDER_OK },
		{ .want = { H("UefiBootParametersArray", "hoABAAoAAABodHRwOi8vYi94"),
			  H("UefiBootNumberOfParams", "1"), H("EnforceSecureBoot", "false") },
			.tls = true,
			.body = NEW_SETTINGS },
		{ ARM("1"), .tls = true, ROLE_OK },
		{ SET_ORDER("Intel(r) AMT: Force OCR UEFI HTTPS Boot"), .tls = true, ORDER_OK });
	fake_boot_set(f, &wish);
	fake_assert_done(f);
}

static void test_http_boot_where_it_is_not_to_be_had(void **state)
{
	struct fake *f = *state;
	const struct pctl_boot wish = { .device = PCTL_BOOT_HTTP, .url = "https://b/x" };

	f->tls = "true";
	SCRIPT(f, { GET_SETTINGS, .tls = true, .body = OLD_SETTINGS });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "no HTTPS boot");
	SCRIPT(f, { GET_SETTINGS, .tls = true,
			  .body = INSTANCE(SETTINGS,
				  FIELD("InstanceID", "i") FIELD("ForcedProgressEvents", "false")
					  FIELD("UEFIHTTPSBootEnabled", "false")) });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "disabled in the BIOS");
	SCRIPT(f, { GET_SETTINGS, .tls = true, .body = NEW_SETTINGS },
		{ GET_CAPABILITIES, .tls = true, .body = CAPABLE("false") });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "no HTTPS boot");
}

static void test_recovery_that_is_switched_off(void **state)
{
	struct fake *f = *state;
	const struct pctl_boot wish = { .device = PCTL_BOOT_HTTP, .url = "https://b/x" };

	f->tls = "true";
	SCRIPT(f, READY("32768"));
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_FORBIDDEN, "features recovery=on");
	SCRIPT(f, READY("32770"));
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_FORBIDDEN, "switched off");
}

#define NO_SUCH .body = FAULT("b:DestinationUnreachable", "")

/* Firmware 15 has no such class; who may not read the mode hears of it from the firmware. */
static void test_recovery_of_a_machine_that_tells_little(void **state)
{
	struct fake *f = *state;
	const struct pctl_boot wish = { .size = sizeof(wish),
		.device = PCTL_BOOT_HTTP,
		.url = "https://b/x",
		.flags = PCTL_BOOT_UNCHECKED };

	f->tls = "true";
	f->secure_boot = "false";
	SCRIPT(f, { GET_SETTINGS, .tls = true, .body = NEW_SETTINGS },
		{ GET_CAPABILITIES, .tls = true, .body = CAPABLE("true") },
		{ GET_SERVICE, .tls = true, .status = 400, NO_SUCH },
		{ GET_SETUP, .tls = true, .status = 400, NO_SUCH },
		{ GET_SETTINGS, .tls = true, .error = PCTL_E_UNREACHABLE });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_UNREACHABLE, "");
}

static void test_secure_boot_that_cannot_be_left_out(void **state)
{
	struct fake *f = *state;
	const struct pctl_boot wish = { .device = PCTL_BOOT_HTTP, .url = "https://b/x" };
	const struct pctl_boot local = { .device = PCTL_BOOT_RECOVERY };

	f->tls = "true";
	f->secure_boot = "false";
	fake_script(f, NULL, 0);
	fake_boot_set(f, &local);
	fake_assert_failed(f, PCTL_E_CONFIG, "secure_boot:");
	SCRIPT(f, READY("32771"), { GET_SETUP, .tls = true, .body = CONTROL_MODE("4") });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "client control mode");
	SCRIPT(f, { GET_SETTINGS, .tls = true,
			  .body = INSTANCE(SETTINGS,
				  FIELD("InstanceID", "i") FIELD("UEFIHTTPSBootEnabled", "true")
					  FIELD("SecureBootControlEnabled", "false")) });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "leave Secure Boot out");
	SCRIPT(f, { GET_SETTINGS, .tls = true, .body = NEW_SETTINGS },
		{ GET_CAPABILITIES, .tls = true,
			.body = INSTANCE("AMT_BootCapabilities",
				FIELD("AMTSecureBootControl", "false")
					FIELD("ForceUEFIHTTPSBoot", "true")) });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "no say in Secure Boot");
}

#define LIST_SOURCES .want = { "Enumerate</a:Action>", "CIM_BootSourceSetting<" }
#define PULL_SOURCES .want = { "Pull</a:Action>", "CIM_BootSourceSetting<" }
#define LOCAL_SOURCE(n, bios, path)                                     \
	INSTANCE("CIM_BootSourceSetting",                               \
		FIELD("BIOSBootString", bios) FIELD("BootString", path) \
			FIELD("InstanceID", "Intel(r) AMT: Force OCR UEFI Boot Option " n))
#define CAN_RECOVER                                                           \
	{ GET_SETTINGS, .tls = true, .body = NEW_SETTINGS },                  \
		{ GET_CAPABILITIES, .tls = true,                              \
			.body = INSTANCE("AMT_BootCapabilities",              \
				FIELD("ForceWinREBoot", "true")               \
					FIELD("ForceUEFIPBABoot", "true")) }, \
	{                                                                     \
		GET_SERVICE, .tls = true, .body = SERVICE("32769")            \
	}

static void test_recovery_from_its_own_disk(void **state)
{
	struct fake *f = *state;
	const struct pctl_boot wish = { .device = PCTL_BOOT_RECOVERY };

	f->tls = "true";
	SCRIPT(f, CAN_RECOVER, { LIST_SOURCES, .tls = true, .body = CONTEXT("1") },
		{ PULL_SOURCES, .tls = true,
			.body = ITEMS(INSTANCE("CIM_BootSourceSetting",
				FIELD("InstanceID", "Intel(r) AMT: Force PXE Boot"))
					LOCAL_SOURCE("1", "Oem", "HD(1)/\\b")
						LOCAL_SOURCE("7", "WinRE", "HD(1)/\\a")) },
		{ GET_SETTINGS, .tls = true, .body = NEW_SETTINGS },
		{ CLEAR_ORDER, .tls = true, ORDER_OK },
		{ .want = { H("ForcedProgressEvents", "true"),
			  H("UefiBootParametersArray", "hoACAAgAAABIRCgxKS9cYYaAAwACAAAACAA="),
			  H("UefiBootNumberOfParams", "2"), H("EnforceSecureBoot", "true") },
			.tls = true,
			.body = NEW_SETTINGS },
		{ ARM("1"), .tls = true, ROLE_OK },
		{ SET_ORDER("Intel(r) AMT: Force OCR UEFI Boot Option 7"), .tls = true, ORDER_OK });
	fake_boot_set(f, &wish);
	fake_assert_done(f);
}

#define LENGTHY "1234567890123456789012345678901234567890123456789012345678901234567890"

static void test_recovery_that_is_not_there(void **state)
{
	struct fake *f = *state;
	const struct pctl_boot wish = { .device = PCTL_BOOT_RECOVERY };

	f->tls = "true";
	SCRIPT(f, CAN_RECOVER, { LIST_SOURCES, .tls = true, .body = CONTEXT("1") },
		{ PULL_SOURCES, .tls = true, .body = ITEMS(LOCAL_SOURCE("1", "Oem", "b")) });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "'winre'");
	SCRIPT(f, CAN_RECOVER, { LIST_SOURCES, .tls = true, .body = CONTEXT("1") },
		{ PULL_SOURCES, .tls = true,
			.body = ITEMS(
				LOCAL_SOURCE("1", "WinRe", "a") LOCAL_SOURCE("2", "WinRe", "b")) });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_CONFIG, "more than one thing on this machine: a, b");
	SCRIPT(f, CAN_RECOVER, { LIST_SOURCES, .tls = true, .body = CONTEXT("1") },
		{ PULL_SOURCES, .tls = true, .body = ITEMS(LOCAL_SOURCE(LENGTHY, "WinRe", "a")) });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_PROTOCOL, "a name of more than 79 bytes");
}

/* tls: auto is known only once the device was spoken to. */
static void test_http_boot_over_plain_is_refused_before_any_change(void **state)
{
	struct fake *f = *state;
	const struct pctl_boot wish = { .device = PCTL_BOOT_HTTP, .url = "https://b/x" };

	f->tls = "auto";
	SCRIPT(f,
		{ GET_SETTINGS, .tls = true, .error = PCTL_E_UNREACHABLE, .code = "ECONNREFUSED" },
		{ GET_SETTINGS, .body = NEW_SETTINGS });
	fake_boot_set(f, &wish);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "over TLS only");
}

static void test_every_step_can_fail(void **state)
{
	struct fake *f = *state;
	static const struct exchange good[] = { { GET_SETTINGS, .body = OLD_SETTINGS },
		{ CLEAR_ORDER, ORDER_OK }, { PUT, .body = OLD_SETTINGS }, { ARM("1"), ROLE_OK },
		{ SET_ORDER("Intel(r) AMT: Force PXE Boot"), ORDER_OK } };
	static const struct {
		size_t step;
		struct exchange x;
		int code;
		const char *text;
	} rows[] = {
		{ 0, { GET_SETTINGS, .body = "<g:AMT_BootSettingData/>" }, PCTL_E_PROTOCOL,
			"InstanceID" },
		{ 1, { CLEAR_ORDER, .body = OUTPUT("ChangeBootOrder", "3") }, PCTL_E_BUSY,
			"the device refused ChangeBootOrder: busy" },
		{ 2,
			{ PUT, .status = 400,
				.body = FAULT("d:InvalidRepresentation",
					"<e:FaultDetail>http://schemas.dmtf.org/wbem/wsman/1/wsman/"
					"faultDetail/MissingValues</e:FaultDetail>") },
			PCTL_E_REFUSED,
			"the device refused AMT_BootSettingData: it did not take these values "
			"(MissingValues)" },
		{ 2,
			{ PUT, .status = 400,
				.body = FAULT("e:InternalError", "<x>AMT-STATUS 38</x>") },
			PCTL_E_REFUSED, "flash memory" },
		{ 3, { ARM("1"), .body = OUTPUT("SetBootConfigRole", "2") }, PCTL_E_REFUSED,
			"the device refused SetBootConfigRole: not ready" },
		{ 4,
			{ SET_ORDER("Intel(r) AMT: Force PXE Boot"),
				.body = OUTPUT("ChangeBootOrder", "4") },
			PCTL_E_REFUSED, "lack this boot source" },
		{ 4, { SET_ORDER("Intel(r) AMT: Force PXE Boot"), .error = PCTL_E_TIMEOUT },
			PCTL_E_TIMEOUT, "scripted" },
		{ 4,
			{ SET_ORDER("Intel(r) AMT: Force PXE Boot"),
				.body = OUTPUT("ChangeBootOrder", "34849") },
			PCTL_E_CONSENT, "somebody there" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct exchange script[5];
		memcpy(script, good, sizeof(good));
		script[rows[i].step] = rows[i].x;
		fake_script(f, script, rows[i].step + 1);
		set(f, PCTL_BOOT_PXE);
		fake_assert_failed(f, rows[i].code, rows[i].text);
	}
}

#define GET_OPT_IN .want = { "Get</a:Action>", "ips-schema/1/IPS_OptInService<" }
#define OPT_IN(required, state) \
	.body = INSTANCE(       \
		"IPS_OptInService", FIELD("OptInRequired", required) FIELD("OptInState", state))
#define DENIED .status = 400, .body = FAULT("e:AccessDenied", "")

static void test_access_denied_may_mean_consent(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, DENIED },
		{ GET_OPT_IN, OPT_IN("0", "0") });
	set(f, PCTL_BOOT_PXE);
	fake_assert_failed(
		f, PCTL_E_FORBIDDEN, "the device refused ChangeBootOrder: access denied");
	assert_string_equal(f->result.device_code, "AccessDenied");

	/* Where only the screen needs it, that is not why. */
	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, DENIED },
		{ GET_OPT_IN, OPT_IN("1", "0") });
	set(f, PCTL_BOOT_PXE);
	fake_assert_failed(f, PCTL_E_FORBIDDEN, "access denied");
	assert_string_equal(fake_fact(f, "user_consent"), "kvm");

	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, DENIED },
		{ GET_OPT_IN, .error = PCTL_E_TIMEOUT });
	set(f, PCTL_BOOT_PXE);
	fake_assert_failed(f, PCTL_E_FORBIDDEN, "access denied");

	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, ORDER_OK },
		{ PUT, .body = OLD_SETTINGS }, { ARM("1"), ROLE_OK },
		{ SET_ORDER("Intel(r) AMT: Force PXE Boot"),
			.body = OUTPUT("ChangeBootOrder", "6") },
		{ GET_OPT_IN, OPT_IN("4294967295", "0") });
	set(f, PCTL_BOOT_PXE);
	fake_assert_failed(f, PCTL_E_CONSENT, "user consent");

	assert_string_equal(f->result.device_code, "ReturnValue 6");
	assert_string_equal(fake_fact(f, "user_consent"), "all");

	/* From then on it is asked first, for some firmware only pretends. */
	SCRIPT(f, { GET_OPT_IN, OPT_IN("4294967295", "2") });
	set(f, PCTL_BOOT_PXE);
	fake_assert_failed(f, PCTL_E_CONSENT, "user consent");
	SCRIPT(f, { GET_OPT_IN, OPT_IN("4294967295", "3") },
		{ GET_SETTINGS, .error = PCTL_E_TIMEOUT });
	set(f, PCTL_BOOT_PXE);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "");
	SCRIPT(f, { GET_OPT_IN, .status = 400, .body = FAULT("b:DestinationUnreachable", "") },
		{ GET_SETTINGS, .error = PCTL_E_TIMEOUT });
	set(f, PCTL_BOOT_PXE);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "");
	/* Until it is not wanted any more. */
	SCRIPT(f, { GET_OPT_IN, OPT_IN("1", "0") }, { GET_SETTINGS, .error = PCTL_E_TIMEOUT });
	set(f, PCTL_BOOT_PXE);
	SCRIPT(f, { GET_SETTINGS, .error = PCTL_E_TIMEOUT });
	set(f, PCTL_BOOT_PXE);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "");
}

static void test_the_deadline_while_asking_why(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, { GET_SETTINGS, .body = OLD_SETTINGS }, { CLEAR_ORDER, DENIED },
		{ GET_OPT_IN, .silent = true });
	set(f, PCTL_BOOT_PXE);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "");
}

/* --- Reading. --------------------------------------------------------------------------------- */

#define EPR(name, class, id)                                                                \
	"<g:" name "><b:Address>x</b:Address><b:ReferenceParameters><c:ResourceURI>" class  \
		"</c:ResourceURI><c:SelectorSet><c:Selector Name= \"Other\">y</c:Selector>" \
		"<c:Selector Name = \"InstanceID\">" id "</c:Selector></c:SelectorSet>"     \
		"</b:ReferenceParameters></g:" name ">"
#define ASSOCIATION(id, next) \
	INSTANCE("CIM_ElementSettingData", FIELD("IsNext", next) EPR("SettingData", "x", id))
#define COMPONENT(id, sequence)                                                   \
	INSTANCE("CIM_OrderedComponent", FIELD("AssignedSequence", sequence) EPR( \
						 "PartComponent", "CIM_BootSourceSetting", id))
#define LIST(class, c)                                                       \
	{                                                                    \
		.want = { "enumeration/Enumerate</a:Action>", "/" class "<", \
			"<Enumerate xmlns=" },                               \
		.body = CONTEXT(c)                                           \
	}
#define PULL(class, c)                                            \
	.want = { "enumeration/Pull</a:Action>", "/" class "<",   \
		"<EnumerationContext>" c "</EnumerationContext>", \
		"<MaxElements>999</MaxElements><MaxCharacters>99999</MaxCharacters>" }
#define ARMED(next)                                                                           \
	LIST("CIM_ElementSettingData", "5E1A"),                                               \
	{                                                                                     \
		PULL("CIM_ElementSettingData", "5E1A"),                                       \
			.body = ITEMS(ASSOCIATION("Intel(r) AMT: Boot Configuration 0", next) \
					ASSOCIATION("another", "3"))                          \
	}

static enum pctl_boot_device get(struct fake *f)
{
	struct pctl_boot b = { .size = sizeof(b), .device = PCTL_BOOT_COUNT };

	fake_boot_get(f, &b);
	return b.device;
}

static void test_nothing_is_armed(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, ARMED("2"));
	assert_int_equal(get(f), PCTL_BOOT_NONE);
	fake_assert_done(f);
	SCRIPT(f, LIST("CIM_ElementSettingData", "1"),
		{ PULL("CIM_ElementSettingData", "1"), .body = ITEMS("") });
	assert_int_equal(get(f), PCTL_BOOT_NONE);
	fake_assert_done(f);
}

static void test_what_is_armed(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, ARMED("3"), { GET_SETTINGS, .body = OLD_SETTINGS },
		LIST("CIM_OrderedComponent", "7"),
		{ PULL("CIM_OrderedComponent", "7"),
			.body = ITEMS(COMPONENT("Intel(r) AMT: Force Hard-drive Boot", "0")
					COMPONENT("Intel(r) AMT: Force CD/DVD Boot", "2")
						COMPONENT("Intel(r) AMT: Force PXE Boot", "1")) });
	assert_int_equal(get(f), PCTL_BOOT_PXE);
	fake_assert_done(f);

	SCRIPT(f, ARMED("3"), { GET_SETTINGS, .body = NEW_SETTINGS });
	assert_int_equal(get(f), PCTL_BOOT_BIOS);

	SCRIPT(f, ARMED("3"),
		{ GET_SETTINGS, .body = INSTANCE(SETTINGS, FIELD("UseIDER", "true")) });
	assert_int_equal(get(f), PCTL_BOOT_CD);

	/* Which of the two drives that are redirected. */
	SCRIPT(f, ARMED("3"),
		{ GET_SETTINGS, .body = INSTANCE(SETTINGS,
					FIELD("IDERBootDevice", "1") FIELD("UseIDER", "true")) });
	assert_int_equal(get(f), PCTL_BOOT_CD);
	SCRIPT(f, ARMED("3"),
		{ GET_SETTINGS, .body = INSTANCE(SETTINGS,
					FIELD("IDERBootDevice", "0") FIELD("UseIDER", "true")) });
	assert_int_equal(get(f), PCTL_BOOT_USB);

	SCRIPT(f, ARMED("3"), { GET_SETTINGS, .body = OLD_SETTINGS },
		LIST("CIM_OrderedComponent", "7"),
		{ PULL("CIM_OrderedComponent", "7"),
			.body = ITEMS(COMPONENT("Intel(r) AMT: Force PXE Boot", "0")) });
	assert_int_equal(get(f), PCTL_BOOT_NONE);
	fake_assert_done(f);
}

static void test_firmware_that_does_not_tell(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, ARMED("3"), { GET_SETTINGS, .body = OLD_SETTINGS },
		{ .want = { "Enumerate</a:Action>" },
			.status = 400,
			.body = FAULT("b:DestinationUnreachable", "") });
	assert_int_equal(get(f), PCTL_BOOT_COUNT);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "does not tell which");
}

/* --- Lists in general. ------------------------------------------------------------------------ */

static void test_a_list_in_pieces(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, LIST("CIM_ElementSettingData", "a"),
		{ PULL("CIM_ElementSettingData", "a"),
			.body = MORE_ITEMS("b", ASSOCIATION("another", "3")) },
		{ PULL("CIM_ElementSettingData", "b"),
			.body = MORE_ITEMS(
				"b", ASSOCIATION("Intel(r) AMT: Boot Configuration 0", "3")) },
		{ PULL("CIM_ElementSettingData", "b"), .body = ITEMS("") },
		{ GET_SETTINGS, .body = NEW_SETTINGS });
	assert_int_equal(get(f), PCTL_BOOT_BIOS);
	fake_assert_done(f);
}

static void test_a_list_that_does_not_end(void **state)
{
	struct fake *f = *state;

	SCRIPT(f, LIST("CIM_ElementSettingData", "a"),
		{ PULL("CIM_ElementSettingData", "a"), .body = MORE_ITEMS("a", "") });
	(void)get(f);
	fake_assert_failed(f, PCTL_E_PROTOCOL, "does not come to an end");
	SCRIPT(f, { .want = { "Enumerate" }, .body = "<g:EnumerateResponse/>" });
	(void)get(f);
	fake_assert_failed(f, PCTL_E_PROTOCOL, "without a context");
}

static void test_a_lost_place_is_found_once(void **state)
{
	struct fake *f = *state;

#define LOST { .want = { "Pull" }, .status = 400, .body = FAULT("c:InvalidEnumerationContext", "") }
	SCRIPT(f, LIST("CIM_ElementSettingData", "a"), LOST, ARMED("2"));
	assert_int_equal(get(f), PCTL_BOOT_NONE);
	fake_assert_done(f);
	SCRIPT(f, LIST("CIM_ElementSettingData", "a"), LOST, LIST("CIM_ElementSettingData", "a"),
		LOST);
	(void)get(f);
	fake_assert_failed(f, PCTL_E_BUSY, "lost its place");
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pxe),
		TEST(test_old_firmware_gets_only_what_it_knows),
		TEST(test_cd_and_diag),
		TEST(test_bios_is_a_setting_without_a_source),
		TEST(test_none_clears_and_disarms),
		TEST(test_wishes_that_cannot_be_met_send_nothing),
		TEST(test_urls_are_checked),
		TEST(test_http_boot),
		TEST(test_http_boot_without_tls_to_the_image),
		TEST(test_http_boot_where_it_is_not_to_be_had),
		TEST(test_http_boot_over_plain_is_refused_before_any_change),
		TEST(test_recovery_that_is_not_there),
		TEST(test_recovery_from_its_own_disk),
		TEST(test_secure_boot_that_cannot_be_left_out),
		TEST(test_recovery_of_a_machine_that_tells_little),
		TEST(test_recovery_that_is_switched_off),
		TEST(test_every_step_can_fail),
		TEST(test_access_denied_may_mean_consent),
		TEST(test_the_deadline_while_asking_why),
		TEST(test_nothing_is_armed),
		TEST(test_what_is_armed),
		TEST(test_firmware_that_does_not_tell),
		TEST(test_a_list_in_pieces),
		TEST(test_a_list_that_does_not_end),
		TEST(test_a_lost_place_is_found_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
