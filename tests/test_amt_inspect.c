/* SPDX-License-Identifier: Apache-2.0 */
/* Intel AMT's identity, and what is known of firmware versions. */
#include "amt_fake.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "version.h"

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

#define GET(class) .want = { "transfer/Get</a:Action>", "/" class "<" }
#define LIST(class, items)                                                           \
	{ .want = { "Enumerate</a:Action>", "/" class "<" }, .body = CONTEXT("c") }, \
	{                                                                            \
		.want = { "Pull</a:Action>", "/" class "<" }, .body = ITEMS(items)   \
	}
#define SOFTWARE(id, version) \
	INSTANCE("CIM_SoftwareIdentity", FIELD("InstanceID", id) FIELD("VersionString", version))
#define PORT(n, mac)                                                          \
	INSTANCE("AMT_EthernetPortSettings",                                  \
		FIELD("InstanceID", "Intel(r) AMT Ethernet Port Settings " n) \
			FIELD("MACAddress", mac))
#define ABSENT .status = 400, .body = FAULT("b:DestinationUnreachable", "")
#define DENIED .status = 400, .body = FAULT("e:AccessDenied", "")

static const char *text(const struct pctl_value *map, const char *key)
{
	const char *s = pctl_value_text(pctl_value_get(map, key));

	return s ? s : "(none)";
}

static void test_everything(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	f->tls = "true";
#define T .tls = true
	SCRIPT(f,
		{ GET("AMT_GeneralSettings"), T,
			.body = INSTANCE("AMT_GeneralSettings",
				FIELD("HostName", "nuc1") FIELD("DomainName", "") FIELD(
					"DigestRealm", "Digest:F3EB554784E729164447A89F60B641C5")
					FIELD("PowerSource", "0")) },
		{ .want = { "Enumerate", "CIM_SoftwareIdentity" }, T, .body = CONTEXT("c") },
		{ .want = { "Pull", "CIM_SoftwareIdentity" },
			T,
			.body = ITEMS(SOFTWARE("Flash", "12.0.66") SOFTWARE("AMT", "12.0.67")
					SOFTWARE("Sku", "16392")
						SOFTWARE("Build Number", "1579")) },
		{ GET("CIM_ComputerSystemPackage"), T,
			.body = INSTANCE("CIM_ComputerSystemPackage",
				FIELD("PlatformGUID", "13AEE355D2BFBB6117A088AEDD7037EA")) },
		{ GET("AMT_SetupAndConfigurationService"), T,
			.body = INSTANCE("AMT_SetupAndConfigurationService",
				FIELD("ProvisioningMode", "1") FIELD("ProvisioningState", "2")) },
		{ GET("IPS_HostBasedSetupService"), T,
			.body = INSTANCE(
				"IPS_HostBasedSetupService", FIELD("CurrentControlMode", "1")) },
		{ .want = { "Enumerate", "AMT_EthernetPortSettings" }, T, .body = CONTEXT("c") },
		{ .want = { "Pull", "AMT_EthernetPortSettings" },
			T,
			.body = ITEMS(
				PORT("0", "00-BE-43-d8-22-a4") PORT("1", "00-00-00-00-00-00")) },
		{ GET("IPS_OptInService"), T,
			.body = INSTANCE(
				"IPS_OptInService", FIELD("OptInRequired", "4294967295")) });
	fake_info(f, v);
	fake_assert_done(f);
	assert_string_equal(text(v, "vendor"), "Intel");
	assert_string_equal(text(v, "product"), "Intel AMT");
	assert_string_equal(text(v, "hostname"), "nuc1");
	assert_string_equal(text(v, "domain"), "(none)");
	assert_string_equal(text(v, "digest_realm"), "Digest:F3EB554784E729164447A89F60B641C5");
	assert_string_equal(text(v, "power_source"), "ac");
	assert_string_equal(text(v, "uuid"), "55e3ae13-bfd2-61bb-17a0-88aedd7037ea");
	assert_string_equal(text(v, "provisioning_state"), "post");
	assert_string_equal(text(v, "control_mode"), "ccm");
	assert_string_equal(text(v, "mac"), "00:be:43:d8:22:a4");
	assert_string_equal(text(v, "mac_wireless"), "(none)");
	assert_string_equal(text(v, "user_consent"), "all");
	assert_string_equal(fake_fact(f, "user_consent"), "all");
	const struct pctl_value *firmware = pctl_value_get(v, "firmware");
	assert_string_equal(text(firmware, "version"), "12.0.67.1579");
	assert_string_equal(text(firmware, "sku"), "Intel AMT Pro Corporate");
	const struct pctl_value *security = pctl_value_get(v, "security");
	assert_string_equal(text(security, "cve_2017_5689"), "not affected");
	assert_true(pctl_value_bool(pctl_value_get(security, "tls")));
	pctl_value_free(v);
}

static void test_old_firmware_and_a_small_account(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	f->server = "Intel(R) Active Management Technology 8.0.3";
	SCRIPT(f, { GET("AMT_GeneralSettings"), DENIED },
		{ .want = { "Enumerate" }, .status = 400, .body = FAULT("e:InternalError", "") },
		{ GET("CIM_ComputerSystemPackage"),
			.body = INSTANCE("CIM_ComputerSystemPackage",
				FIELD("PlatformGUID", "13AEE355D2BFBB6117A088AEDD7037E")) },
		{ GET("AMT_SetupAndConfigurationService"),
			.body = INSTANCE("AMT_SetupAndConfigurationService",
				FIELD("ProvisioningMode", "3") FIELD("ProvisioningState", "x")) },
		{ GET("IPS_HostBasedSetupService"), ABSENT },
		LIST("AMT_EthernetPortSettings", PORT("0", "short") PORT("1", "00-be-43-d8-22-a5")),
		{ GET("IPS_OptInService"), ABSENT });
	fake_info(f, v);
	fake_assert_done(f);
	assert_string_equal(text(v, "hostname"), "(none)");
	assert_string_equal(text(v, "uuid"), "(none)");
	assert_string_equal(text(v, "control_mode"), "3"); /* a number nobody explains */
	assert_string_equal(text(v, "provisioning_state"), "(none)");
	assert_string_equal(text(v, "mac"), "(none)");
	assert_string_equal(text(v, "mac_wireless"), "00:be:43:d8:22:a5");
	assert_string_equal(text(pctl_value_get(v, "firmware"), "version"), "8.0.3");
	assert_string_equal(text(pctl_value_get(v, "security"), "cve_2017_5689"), "vulnerable");
	assert_null(fake_fact(f, "user_consent"));
	pctl_value_free(v);
}

static void test_nothing_at_all_is_an_error(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

#define NO .want = { "<" }, DENIED
	SCRIPT(f, { NO }, { NO }, { NO }, { NO }, { NO }, { NO }, { NO });
	fake_info(f, v);
	fake_assert_failed(f, PCTL_E_FORBIDDEN, "access denied");
	SCRIPT(f, { NO }, { .want = { "<" }, .error = PCTL_E_TIMEOUT });
	fake_info(f, v);
	fake_assert_failed(f, PCTL_E_TIMEOUT, "scripted");
	pctl_value_free(v);
}

static void test_versions(void **state)
{
	struct version v = { 1, 2, 3 };

	(void)state;
	assert_true(version_parse("12.0.67", &v));
	assert_int_equal(v.major * 10000 + v.minor * 1000 + v.patch, 120067);
	assert_true(version_parse("15.0.23.1706", &v));
	assert_int_equal(v.patch, 23);
	assert_true(version_parse("6.2", &v));
	assert_int_equal(v.patch, 0);
	v.major = 77;
	assert_false(version_parse("", &v));
	assert_false(version_parse("12", &v));
	assert_false(version_parse("12.", &v));
	assert_false(version_parse(".1.2", &v));
	assert_false(version_parse("12.0.x", &v));
	assert_false(version_parse("-1.2", &v));
	assert_false(version_parse("99999999999.1", &v));
	assert_int_equal(v.major, 77);

	assert_string_equal(
		version_in_server("Intel(R) Active Management Technology 8.0.3"), "8.0.3");
	assert_null(version_in_server("Intel(R) Active Management Technology"));
	assert_null(version_in_server("Apache 2.4.1"));
	assert_null(version_in_server(""));
}

static void test_cve_2017_5689(void **state)
{
	static const struct {
		const char *version;
		enum cve_state state;
	} rows[] = {
		{ "2.2.1", CVE_NOT_AFFECTED },
		{ "5.2.0", CVE_NOT_AFFECTED },
		{ "6.0.0", CVE_VULNERABLE },
		{ "6.2.60", CVE_VULNERABLE },
		{ "6.2.61", CVE_FIXED },
		{ "7.1.90", CVE_VULNERABLE },
		{ "7.1.91", CVE_FIXED },
		{ "8.0.3", CVE_VULNERABLE },
		{ "8.1.71", CVE_FIXED },
		{ "9.0.99", CVE_VULNERABLE },
		{ "9.1.40", CVE_VULNERABLE },
		{ "9.1.41", CVE_FIXED },
		{ "9.5.60", CVE_VULNERABLE },
		{ "9.5.61", CVE_FIXED },
		{ "10.0.54", CVE_VULNERABLE },
		{ "10.0.55", CVE_FIXED },
		{ "11.0.24", CVE_VULNERABLE },
		{ "11.0.25", CVE_FIXED },
		{ "11.5.0", CVE_VULNERABLE },
		{ "11.6.26", CVE_VULNERABLE },
		{ "11.6.27", CVE_FIXED },
		{ "11.8.50", CVE_FIXED },
		{ "12.0.1", CVE_NOT_AFFECTED },
		{ "16.1.25", CVE_NOT_AFFECTED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct version v;
		assert_true(version_parse(rows[i].version, &v));
		if (version_cve_2017_5689(&v) != rows[i].state)
			fail_msg("%s", rows[i].version);
	}
}

static void test_sku(void **state)
{
	(void)state;
	assert_string_equal(version_sku(16392, 12), "Intel AMT Pro Corporate");
	assert_string_equal(version_sku(8, 7), "Intel AMT Pro");
	assert_string_equal(version_sku(0x4010, 16), "Intel Standard Manageability");
	assert_string_equal(version_sku(0x18, 16), "Intel Standard Manageability");
	assert_string_equal(version_sku(0x4000, 16), "other");
	assert_string_equal(version_sku(8, 3), "Intel AMT");
	assert_string_equal(version_sku(4, 3), "other");
}

/* --- Methods and check, over the same exchanges. ---------------------------------------------- */

#define REDIRECTION(fields)                                                                       \
	{                                                                                         \
		GET("AMT_RedirectionService"), .body = INSTANCE("AMT_RedirectionService", fields) \
	}
#define LACKS(class)                              \
	{                                         \
		.want = { "/" class "<" }, ABSENT \
	}
#define KVM_ON                                                                                \
	{                                                                                     \
		GET("CIM_KVMRedirectionSAP"),                                                 \
			.body = INSTANCE("CIM_KVMRedirectionSAP", FIELD("EnabledState", "6")) \
	}
#define CHECK_BEFORE                                                 \
	LACKS("AMT_GeneralSettings"), LACKS("CIM_SoftwareIdentity"), \
		LACKS("AMT_SetupAndConfigurationService")
#define CHECK_AFTER                                                              \
	LACKS("IPS_OptInService"), LACKS("IPS_ScreenSettingData"),               \
		LACKS("CIM_ElementSettingData"), LACKS("AMT_SystemPowerScheme"), \
		LACKS("AMT_AuthorizationService"), LACKS("AMT_TimeSynchronizationService")

/* Of what is switched off. */
static size_t found_off(const struct pctl_value *v)
{
	const struct pctl_value *list = pctl_value_get(v, "findings");
	size_t n = 0;

	for (size_t i = 0; list && i < pctl_value_count(list); i++) {
		const char *id = text(pctl_value_at(list, i), "name");

		n += !strcmp(id, "sol") || !strcmp(id, "ider") || !strcmp(id, "listener");
	}
	return n;
}

static void test_check_says_what_is_certain(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	SCRIPT(f, CHECK_BEFORE, REDIRECTION(FIELD("ListenerEnabled", "false")), KVM_ON,
		CHECK_AFTER);
	fake_check(f, v);
	fake_assert_done(f);
	assert_int_equal(found_off(v), 0);
	SCRIPT(f, CHECK_BEFORE, LACKS("AMT_RedirectionService"), KVM_ON, CHECK_AFTER);
	fake_check(f, v);
	fake_assert_done(f);
	assert_int_equal(found_off(v), 0);
	SCRIPT(f, CHECK_BEFORE,
		REDIRECTION(FIELD("EnabledState", "32768") FIELD("ListenerEnabled", "false")),
		KVM_ON, CHECK_AFTER);
	fake_check(f, v);
	fake_assert_done(f);
	assert_int_equal(found_off(v), 3);
	pctl_value_free(v);
}

#define BOOT_SERVICE(state)                                                               \
	{                                                                                 \
		GET("CIM_BootService"),                                                   \
			.body = INSTANCE("CIM_BootService", FIELD("EnabledState", state)) \
	}
#define ALL_OFF REDIRECTION(FIELD("EnabledState", "32768") FIELD("ListenerEnabled", "false"))
#define SET_STATE(value)                                                     \
	{                                                                    \
		.want = { "CIM_BootService/RequestStateChange</a:Action>",   \
			"RequestedState>32769<" },                           \
		.changes = true, .body = OUTPUT("RequestStateChange", value) \
	}

static struct pctl_value *parameter(const char *name, const char *value)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, name, value);
	return map;
}

static void test_features(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	/* What cannot be read is neither on nor off. */
	SCRIPT(f, REDIRECTION(FIELD("ListenerEnabled", "true")), LACKS("CIM_KVMRedirectionSAP"),
		LACKS("IPS_OptInService"), LACKS("CIM_BootService"));
	fake_method(f, "features", pctl_value_new_map(), v);
	fake_assert_failed(f, PCTL_E_PROTOCOL, "without its EnabledState");

	/* 4096: a job was started. */
	SCRIPT(f, ALL_OFF, LACKS("CIM_KVMRedirectionSAP"), LACKS("IPS_OptInService"),
		BOOT_SERVICE("32768"), SET_STATE("4096"), ALL_OFF, LACKS("CIM_KVMRedirectionSAP"),
		LACKS("IPS_OptInService"), BOOT_SERVICE("32769"));
	fake_method(f, "features", parameter("recovery", "on"), v);
	fake_assert_done(f);
	assert_string_equal(text(v, "recovery"), "on");

	/* The numbers are those of CIM's method. */
	SCRIPT(f, ALL_OFF, LACKS("CIM_KVMRedirectionSAP"), LACKS("IPS_OptInService"),
		BOOT_SERVICE("32768"), SET_STATE("1"));
	fake_method(f, "features", parameter("recovery", "on"), v);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "not supported");
	pctl_value_free(v);
}

#define POLICY                                                                                   \
	INSTANCE("AMT_RemoteAccessPolicyRule", FIELD("PolicyRuleName", "Alert") FIELD("Trigger", \
						       "1") FIELD("TunnelLifeTime", "0"))

/* Why a change was refused is told, also where nothing can be read any more. */
static void test_cira_that_is_cut_off(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();

	SCRIPT(f,
		{ GET("AMT_RemoteAccessService"), .body = INSTANCE("AMT_RemoteAccessService", "") },
		LACKS("AMT_ManagementPresenceRemoteSAP"),
		LIST("AMT_RemoteAccessPolicyRule", POLICY),
		LACKS("AMT_RemoteAccessPolicyAppliesToMPS"),
		LACKS("AMT_UserInitiatedConnectionService"),
		LACKS("AMT_EnvironmentDetectionSettingData"), LACKS("IPS_HTTPProxyService"),
		LACKS("IPS_HTTPProxyAccessPoint"),
		{ .want = { "transfer/Delete</a:Action>" },
			.changes = true,
			.status = 400,
			.body = FAULT("w:QuotaLimit", "") },
		{ GET("AMT_RemoteAccessService"), .error = PCTL_E_TIMEOUT });
	fake_method(f, "cira", parameter("clear", "true"), v);
	fake_assert_failed(f, PCTL_E_REFUSED, "a limit is reached; not all was done");
	fake_assert_failed(f, PCTL_E_REFUSED, "could not be read (scripted)");
	assert_string_equal(f->result.device_code, "QuotaLimit");
	pctl_value_free(v);
}

/* --- A key whose id the device does not tell. ------------------------------------------------- */

static const char both_pem[] = "-----BEGIN CERTIFICATE-----\n"
			       "MIIB+jCCAWOgAwIBAgIUQOKoG8Qz/Fts1Dzi1zzJCrfm6TIwDQYJKoZIhvcNAQEL\n"
			       "BQAwDjEMMAoGA1UEAwwDYm94MCAXDTI2MTEyMTE4MzIxNloYDzIxMjYxMDI4MTgz\n"
			       "MjE2WjAOMQwwCgYDVQQDDANib3gwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGB\n"
			       "AOVVhxIXObZNRecPAj5Tx/682RuErGL/oUude0grZFInPlTC1QhoJDvu6hAACqjQ\n"
			       "X2sX+Z9liJ5aPQNErjJMMffZQknflU3e4osC8jDwXWTaoZm/xDEl/27R6JOIHskb\n"
			       "yf3oi30s6CxLnXW7WXt/BbnDFo/ctKwQZLc+VE6dC06HAgMBAAGjUzBRMB0GA1Ud\n"
			       "DgQWBBTMNVE7vTE+HmrxClv5T+bfXoMrrjAfBgNVHSMEGDAWgBTMNVE7vTE+Hmrx\n"
			       "Clv5T+bfXoMrrjAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4GBAAUW\n"
			       "87HNfLaRjcLQUvxeKnGWEfbcb506iuBCVd5jiX+ic0wG8g0dCJj3ww8VngEVlCas\n"
			       "NSwAEz5TEsdsflPSPjtc7JtUFD4p/cBbQrW0ieJbbb7n7HsqJYlr2bK6Ha7JhF8h\n"
			       "SeRL45XslC0wakG0b7kchG0fN0rsFrnmX8tDfqTF\n"
			       "-----END CERTIFICATE-----\n"
			       "-----BEGIN PRIVATE KEY-----\n"
			       "MIICdgIBADANBgkqhkiG9w0BAQEFAASCAmAwggJcAgEAAoGBAOVVhxIXObZNRecP\n"
			       "Aj5Tx/682RuErGL/oUude0grZFInPlTC1QhoJDvu6hAACqjQX2sX+Z9liJ5aPQNE\n"
			       "rjJMMffZQknflU3e4osC8jDwXWTaoZm/xDEl/27R6JOIHskbyf3oi30s6CxLnXW7\n"
			       "WXt/BbnDFo/ctKwQZLc+VE6dC06HAgMBAAECgYBQf4D13KkpUF5lCGOlNQtSYz9h\n"
			       "5WQNK+WWASUw4+pG2/eJEQpt9QAi+W23SAx1zQ5xLO02AhG+Y7Ze21C53vz6dDg9\n"
			       "c7B50wZs8dbRGnrhN70a3s1kiAwutol5vvoKA2biySsXPhBXu8g1Il8q8rybZUgU\n"
			       "j9mT3iCTCeQcvcwcYQJBAP8le+cCaDB5UWo4oROvVoPJGd7H7XPsOPOxweTdCh0l\n"
			       "+af8BHldMw7oFR8VG5VQpcHBcAx2BiBa/Zt2UMCtSnsCQQDmGe/kNZ+fLzk8zlyc\n"
			       "q0FHVDgq9vmE7g4WNezrdf6W0vRcLshS871R5dfKSowjfdAC5XZwP6zXMbrxtf0g\n"
			       "mQRlAkEA1JsVfc+BpjLRZqO9hTur6bCfQAZ0lQ4X/uj2WpDdpqBIQnQ7/i1tKFS3\n"
			       "lOjvzSIgnS1lAt0uCbQIc4zJiWRdFQJAAPnfMKKhmLVEkuN1NRzs2/aZfmUpzcyM\n"
			       "tr9nz9/iQpWGf9Wa9+8cwHovHiaOzZ+9ACYlCHjcrNUDK/9PoZHEmQJAP5gyN6hF\n"
			       "u0RO1dLxitCcFIMG18H8WCI9dVVqkbP/rN92JhHPR3KffldOHY+XOSAgEjbJ2gUN\n"
			       "UBmC5xuqZbmlSA==\n"
			       "-----END PRIVATE KEY-----\n";

static void test_a_key_without_an_id(void **state)
{
	struct fake *f = *state;
	struct pctl_value *v = pctl_value_new_map();
	char path[] = "/tmp/powerctl-test-XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, both_pem, sizeof(both_pem) - 1), sizeof(both_pem) - 1);
	(void)close(fd);
	SCRIPT(f, LIST("AMT_PublicKeyCertificate", ""), LACKS("AMT_PublicPrivateKeyPair"),
		LACKS("AMT_TLSCredentialContext"),
		{ .want = { "AMT_PublicKeyManagementService/AddKey</a:Action>" },
			.changes = true,
			.body = OUTPUT("AddKey", "0") },
		{ .want = { "AMT_PublicKeyManagementService/AddCertificate</a:Action>" },
			.changes = true,
			.body = OUTPUT("AddCertificate", "38") });
	fake_method(f, "certs", parameter("add", path), v);
	(void)unlink(path);
	fake_assert_failed(f, PCTL_E_REFUSED, "its key was added before");
	assert_string_equal(f->result.device_code, "ReturnValue 38");
	pctl_value_free(v);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_everything),
		TEST(test_old_firmware_and_a_small_account),
		TEST(test_nothing_at_all_is_an_error),
		TEST(test_check_says_what_is_certain),
		TEST(test_features),
		TEST(test_cira_that_is_cut_off),
		TEST(test_a_key_without_an_id),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_cve_2017_5689),
		cmocka_unit_test(test_sku),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
