/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Intel AMT driver against answers of real firmware. They are not part of this tree: the folder
 * is $POWERCTL_VECTORS, else ../shared/vectors beside the sources; without it these tests are
 * skipped and say so.
 */
#include "amt_fake.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "wsman/answer.h"

#define RECORDED 297 /* files there are at least */

static char *folder;

static char *read_file(const char *path)
{
	char *s = pctl_xcalloc(1, 1 << 18);
	FILE *file = fopen(path, "rb");

	if (!file)
		fail_msg("%s is missing", path);
	(void)!fread(s, 1, (1 << 18) - 1, file);
	(void)fclose(file);
	return s;
}

/* A recorded answer as one to whatever is asked: its RelatesTo is made to fit. */
static char *recorded(const char *name)
{
	PCTL_AUTO(free) char *path = pctl_xasprintf("%s/%s", folder, name);
	PCTL_AUTO(free) char *s = read_file(path);
	char *from = strstr(s, "RelatesTo>");

	if (!from)
		return pctl_xstrdup(s);
	from += strlen("RelatesTo>");
	char *to = strchr(from, '<');
	assert_non_null(to);
	*from = '\0';
	/* What was cut off at from is the number and, with it, the first byte of "</". */
	return pctl_xasprintf("%s%%ID%%<%s", s, to + 1);
}

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

static void free_recorded(const struct exchange *script, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free((void *)(uintptr_t)script[i].raw);
}

static void need_folder(void)
{
	if (access(folder, R_OK | X_OK) == 0)
		return;
	print_message("# SKIP recorded AMT answers: no folder %s\n", folder);
	skip();
}

/* --- Everything parses. ----------------------------------------------------------------------- */

static struct xml_reader *reader;
static unsigned files;

static int read_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	struct pctl_error err = { 0 };

	(void)st, (void)ftw;
	if (type != FTW_F || !strstr(path, ".xml"))
		return 0;
	PCTL_AUTO(free) char *s = read_file(path);
	const struct xml_node *root = xml_read(reader, s, strlen(s), &err);
	if (!root)
		fail_msg("%s: %s", path, err.text);
	assert_string_equal(root ? root->name : "", "Envelope");
	assert_non_null(xml_child(root, "Body"));
	files++;
	return 0;
}

static void test_every_file_is_read(void **state)
{
	(void)state;
	need_folder();
	reader = xml_reader_new();
	files = 0;
	assert_int_equal(nftw(folder, read_one, 16, FTW_PHYS), 0);
	xml_reader_free(reader);
	print_message("# %u recorded answers\n", files);
	assert_true(files >= RECORDED);
}

/* What one of them is as the answer to a request. */
static const struct xml_node *as_answer(const char *name, enum wsman_verb verb, const char *method,
	enum status_kind kind, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = pctl_xasprintf("%s/%s", folder, name);
	PCTL_AUTO(free) char *s = read_file(path);
	const struct pctl_http_answer http = {
		.status = 200, .body = s, .len = strlen(s), .server = "", .content_type = ""
	};
	const struct answer_want want = {
		.verb = verb, .method = method, .returns = kind, .what = method, .any_id = true
	};

	*err = (struct pctl_error){ 0 };
	return answer_read(reader, &http, &want, err);
}

static void test_methods(void **state)
{
	static const struct {
		const char *file, *method;
		enum status_kind kind;
		int code;
		const char *text;
	} rows[] = {
		{ "cim/power/managementservice/requestpowerstatechange.xml",
			"RequestPowerStateChange", STATUS_POWER, 0, "" },
		{ "ips/power/managementservice/requestospowersavingstatechange.xml",
			"RequestOSPowerSavingStateChange", STATUS_POWER, 0, "" },
		{ "cim/boot/configsetting/changebootorder.xml", "ChangeBootOrder",
			STATUS_BOOT_ORDER, 0, "" },
		{ "cim/boot/service/setbootconfigrole.xml", "SetBootConfigRole", STATUS_BOOT_ROLE,
			0, "" },
		{ "ips/optin/startoptin.xml", "StartOptIn", STATUS_PLAIN, PCTL_E_REFUSED,
			"not ready" },
		{ "ips/http/addproxyaccesspoint.xml", "AddProxyAccessPoint", STATUS_PLAIN, 0, "" },
		{ "ips/http/addproxyaccesspoint_2058.xml", "AddProxyAccessPoint", STATUS_PLAIN,
			PCTL_E_REFUSED, "the device refused AddProxyAccessPoint: exists already" },
	};

	(void)state;
	need_folder();
	reader = xml_reader_new();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_error err;
		const struct xml_node *n =
			as_answer(rows[i].file, WSMAN_INVOKE, rows[i].method, rows[i].kind, &err);
		assert_int_equal(err.code, rows[i].code);
		assert_non_null(strstr(err.text, rows[i].text));
		assert_int_equal(n != NULL, rows[i].code == 0);
	}
	xml_reader_free(reader);
}

static void test_fields(void **state)
{
	static const struct {
		const char *file, *field, *value;
	} rows[] = {
		{ "cim/associatedpower/managementservice/get.xml", "PowerState", "2" },
		{ "ips/power/managementservice/get.xml", "OSPowerSavingState", "2" },
		{ "amt/boot/settingdata/get.xml", "InstanceID", "Intel(r) AMT:BootSettingData 0" },
		{ "amt/boot/settingdata/get.xml", "BIOSLastStatus", "2" },
		{ "amt/boot/settingdata/get.xml", "RSEPassword", "" },
		{ "amt/boot/capabilities/get.xml", "ForcePXEBoot", "true" },
		{ "amt/general/get.xml", "DigestRealm", "Digest:F3EB554784E729164447A89F60B641C5" },
		{ "amt/asset/get.xml", "Name", "Intel(r) AMT Asset Table Service" },
		{ "cim/computer/systempackage/get.xml", "PlatformGUID",
			"13AEE355D2BFBB6117A088AEDD7037EA" },
		{ "ips/hostbasedsetup/get.xml", "CurrentControlMode", "2" },
	};

	(void)state;
	need_folder();
	reader = xml_reader_new();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_error err;
		const struct xml_node *n =
			as_answer(rows[i].file, WSMAN_GET, NULL, STATUS_PLAIN, &err);
		if (!n)
			fail_msg("%s: %s", rows[i].file, err.text);
		assert_string_equal(xml_text(n, rows[i].field), rows[i].value);
	}
	xml_reader_free(reader);
}

/* --- The driver's operations on them. --------------------------------------------------------- */

#define BIT(a) PCTL_ACTION_BIT(PCTL_ACTION_##a)

static void test_power(void **state)
{
	struct fake *f = *state;
	struct pctl_power p = { .size = sizeof(p) };

	need_folder();
	const struct exchange script[] = {
		{ .want = { "CIM_AssociatedPowerManagementService" },
			.raw = recorded("cim/associatedpower/managementservice/get.xml") },
		{ .want = { "IPS_PowerManagementService" },
			.raw = recorded("ips/power/managementservice/get.xml") },
	};
	fake_script(f, script, 2);
	fake_get(f, 0, &p);
	fake_assert_done(f);
	assert_int_equal(p.state, PCTL_POWER_ON);
	assert_true(p.tells_actions);
	assert_int_equal(p.actions, BIT(RESET) | BIT(OFF) | BIT(CYCLE) | BIT(NMI) | BIT(SLEEP) |
					    BIT(SOFT_RESET) | BIT(SOFT_OFF));
	free_recorded(script, f->exchanges);
}

static void test_boot(void **state)
{
	struct fake *f = *state;
	const struct pctl_boot wish = { .device = PCTL_BOOT_PXE };

	need_folder();
	const struct exchange script[] = {
		{ .want = { "Get<" }, .raw = recorded("amt/boot/settingdata/get.xml") },
		{ .want = { "ChangeBootOrder" },
			.raw = recorded("cim/boot/configsetting/changebootorder.xml") },
		{ .want = { "transfer/Put<",
			  "<h:SecureErase>false</h:SecureErase><h:UefiBootNumberOfParams>0"
			  "</h:UefiBootNumberOfParams><h:UseIDER>false</h:UseIDER>",
			  "<h:RSEPassword></h:RSEPassword><h:ReflashBIOS>" },
			.lack = "Enabled>",
			.raw = recorded("amt/boot/settingdata/put.xml") },
		{ .want = { "SetBootConfigRole" },
			.raw = recorded("cim/boot/service/setbootconfigrole.xml") },
		{ .want = { "ChangeBootOrder", "Force PXE Boot" },
			.raw = recorded("cim/boot/configsetting/changebootorder.xml") },
	};
	fake_script(f, script, 5);
	fake_boot_set(f, &wish);
	fake_assert_done(f);
	free_recorded(script, f->exchanges);
}

static const char *text(const struct pctl_value *map, const char *key)
{
	const char *s = pctl_value_text(pctl_value_get(map, key));

	return s ? s : "(none)";
}

static void test_info(void **state)
{
	struct fake *f = *state;

	need_folder();
	struct pctl_value *v = pctl_value_new_map();
	const struct exchange script[] = {
		{ .want = { "Get<" }, .raw = recorded("amt/general/get.xml") },
		{ .want = { "Enumerate<" },
			.raw = recorded("cim/software/identity/enumerate.xml") },
		{ .want = { "Pull<" }, .raw = recorded("cim/software/identity/pull.xml") },
		{ .want = { "Get<" }, .raw = recorded("cim/computer/systempackage/get.xml") },
		{ .want = { "Get<" }, .raw = recorded("amt/setupandconfiguration/get.xml") },
		{ .want = { "Get<" }, .raw = recorded("ips/hostbasedsetup/get.xml") },
		{ .want = { "Enumerate<" }, .raw = recorded("amt/ethernetport/enumerate.xml") },
		{ .want = { "Pull<" }, .raw = recorded("amt/ethernetport/pull.xml") },
		{ .want = { "Get<" }, .raw = recorded("ips/optin/get.xml") },
	};
	fake_script(f, script, 9);
	fake_info(f, v);
	fake_assert_done(f);
	assert_string_equal(text(v, "hostname"), "Test Host Name");
	assert_string_equal(text(v, "uuid"), "55e3ae13-bfd2-61bb-17a0-88aedd7037ea");
	assert_string_equal(text(v, "control_mode"), "acm");
	assert_string_equal(text(v, "provisioning_state"), "post");
	assert_string_equal(text(v, "mac"), "00:be:43:d8:22:a4");
	assert_string_equal(text(v, "mac_wireless"), "(none)");
	assert_string_equal(text(v, "user_consent"), "none");
	assert_string_equal(text(pctl_value_get(v, "firmware"), "version"), "12.0.67.1579");
	assert_string_equal(text(pctl_value_get(v, "firmware"), "sku"), "Intel AMT Pro Corporate");
	pctl_value_free(v);
	free_recorded(script, f->exchanges);
}

static void test_hardware(void **state)
{
	struct fake *f = *state;

	need_folder();
	struct pctl_value *v = pctl_value_new_map();
	const struct exchange script[] = {
		{ .want = { "Get<" }, .raw = recorded("cim/chassis/get.xml") },
		{ .want = { "Get<" }, .raw = recorded("cim/card/get.xml") },
		{ .want = { "Get<" }, .raw = recorded("cim/bios/element/get.xml") },
		{ .want = { "Enumerate<" }, .raw = recorded("cim/chip/enumerate.xml") },
		{ .want = { "Pull<" }, .raw = recorded("cim/chip/pull.xml") },
		/* There is more, it says: then it is the memory, which is a kind of chips. */
		{ .want = { "Pull<" }, .raw = recorded("cim/physical/memory/pull.xml") },
		{ .want = { "Enumerate<" },
			.raw = recorded("cim/physical/processor/enumerate.xml") },
		{ .want = { "Pull<" }, .raw = recorded("cim/physical/processor/pull.xml") },
		{ .want = { "Enumerate<" }, .raw = recorded("cim/physical/memory/enumerate.xml") },
		{ .want = { "Pull<" }, .raw = recorded("cim/physical/memory/pull.xml") },
		{ .want = { "Enumerate<" }, .raw = recorded("cim/mediaaccess/enumerate.xml") },
		{ .want = { "Pull<" }, .raw = recorded("cim/mediaaccess/pull.xml") },
		{ .want = { "Enumerate<" }, .raw = recorded("cim/physical/package/enumerate.xml") },
		{ .want = { "Pull<" }, .raw = recorded("cim/physical/package/pull.xml") },
		{ .want = { "Enumerate<" }, .raw = recorded("cim/battery/enumerate.xml") },
		{ .want = { "Pull<" }, .raw = recorded("cim/battery/pull.xml") },
	};
	fake_script(f, script, sizeof(script) / sizeof(script[0]));
	fake_hardware(f, v);
	fake_assert_done(f);
	assert_string_equal(text(pctl_value_get(v, "chassis"), "serial"), "JRQN0243007J");
	assert_string_equal(text(pctl_value_get(v, "board"), "name"), "NUC9V7QNB");
	const struct pctl_value *bios = pctl_value_at(pctl_value_get(v, "firmware"), 0);
	assert_string_equal(text(bios, "version"), "QNCFLX70.0054.2020.0810.2227");
	assert_string_equal(text(bios, "released"), "2020-08-10T00:00:00Z");
	const struct pctl_value *parts = pctl_value_get(v, "parts");
	/* A processor, two modules, two disks, a battery. */
	assert_int_equal(pctl_value_count(parts), 6);
	const struct pctl_value *cpu = pctl_value_at(parts, 0), *dimm = pctl_value_at(parts, 2);
	assert_string_equal(text(cpu, "type"), "processor");
	assert_string_equal(text(cpu, "product"), "Intel(R) Core(TM) i7-9850H CPU @ 2.60GHz");
	assert_string_equal(text(cpu, "family"), "Core i7");
	assert_int_equal(pctl_value_int(pctl_value_get(cpu, "speed_mhz")), 2400);
	assert_string_equal(text(dimm, "name"), "BANK 2");
	assert_string_equal(text(dimm, "manufacturer"), "Crucial");
	assert_string_equal(text(dimm, "part_number"), "CT16G4SFD824A.M16FE");
	assert_string_equal(text(dimm, "memory_type"), "DDR4");
	assert_string_equal(text(dimm, "form_factor"), "SO-DIMM");
	assert_int_equal(pctl_value_int(pctl_value_get(dimm, "size_mib")), 16384);
	const struct pctl_value *disk = pctl_value_at(parts, 4);
	assert_string_equal(text(disk, "type"), "disk");
	/* 500107862 thousand bytes. */
	assert_int_equal(pctl_value_int(pctl_value_get(disk, "size_mib")), 476940);
	assert_string_equal(text(disk, "product"), "(none)"); /* the only package is the board */
	pctl_value_free(v);
	free_recorded(script, f->exchanges);
}

static void test_log(void **state)
{
	struct fake *f = *state;

	need_folder();
	struct pctl_value *v = pctl_value_new_map();
	const struct exchange script[] = {
		{ .want = { "PositionToFirstRecord_INPUT" },
			.raw = recorded("amt/messagelog/positiontofirstrecord.xml") },
		{ .want = { "<h:IterationIdentifier>1<", "<h:MaxReadRecords>390<" },
			.raw = recorded("amt/messagelog/getrecords.xml") },
		{ .want = { "ReadRecords_INPUT", "<h:StartIndex>1<" },
			.raw = recorded("amt/auditlog/readrecords.xml") },
	};
	fake_script(f, script, 3);
	fake_log(f, NULL, v);
	fake_assert_done(f);
	const struct pctl_value *events = pctl_value_get(v, "events");
	assert_int_equal(pctl_value_count(events), 5);
	assert_string_equal(text(pctl_value_at(events, 0), "source"), "audit");
	assert_string_equal(text(pctl_value_at(events, 0), "clock"), "unset");
	assert_string_equal(text(pctl_value_at(events, 1), "event"),
		"firmware updated (from 12.0.40.1433 to 12.0.36.1428), by the machine itself");
	assert_string_equal(text(pctl_value_at(events, 2), "event"), "starting: PCI resources");
	assert_string_equal(
		text(pctl_value_at(events, 4), "event"), "authentication failed 10 times");
	assert_string_equal(text(pctl_value_at(events, 4), "time"), "2024-01-06T03:26:27Z");
	pctl_value_free(v);
	free_recorded(script, f->exchanges);
}

static void test_sensors(void **state)
{
	struct fake *f = *state;

	need_folder();
	struct pctl_value *v = pctl_value_new_map();
	const struct exchange script[] = {
		{ .want = { "Enumerate<", "CIM_NumericSensor" },
			.raw = recorded("cim/sensor/enumerate.xml") },
		{ .want = { "Pull<" }, .raw = recorded("cim/physical/package/pull.xml") },
		{ .want = { "Enumerate<", "CIM_Sensor" },
			.raw = recorded("cim/sensor/enumerate.xml") },
		{ .want = { "Pull<" }, .raw = recorded("cim/sensor/pull.xml") },
		{ .want = { "Pull<" }, .raw = recorded("cim/physical/package/pull.xml") },
	};
	fake_script(f, script, 5);
	fake_sensors(f, v);
	fake_assert_failed(f, PCTL_E_UNSUPPORTED, "no sensors that measure");
	pctl_value_free(v);
	free_recorded(script, f->exchanges);
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, set_up, tear_down)

int main(void)
{
	const char *vectors = getenv("POWERCTL_VECTORS");
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_file_is_read),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_fields),
		TEST(test_power),
		TEST(test_boot),
		TEST(test_info),
		TEST(test_hardware),
		TEST(test_log),
		TEST(test_sensors),
	};

	folder = vectors ? pctl_xasprintf("%s/amt", vectors)
			 : pctl_xasprintf("%s/../shared/vectors/amt", TEST_SOURCE_DIR);
	int r = cmocka_run_group_tests(tests, NULL, NULL);
	free(folder);
	return r;
}
