/* SPDX-License-Identifier: Apache-2.0 */
/* Intel AMT's identity, and what is known of firmware versions. */
#include "amt_fake.h"

#include <string.h>

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

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_everything),
		TEST(test_old_firmware_and_a_small_account),
		TEST(test_nothing_at_all_is_an_error),
		cmocka_unit_test(test_versions),
		cmocka_unit_test(test_cve_2017_5689),
		cmocka_unit_test(test_sku),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
