/* SPDX-License-Identifier: Apache-2.0 */
/* Documents of Redfish services as makers write them: what is read of them, and what is not. */
#include "test.h"

#include <powerctl/mem.h>

#include "doc.h"
#include "quirks.h"
#include "tree.h"

static json_t *must_read(const char *text)
{
	struct pctl_error err = { 0 };
	json_t *doc = doc_read(text, strlen(text), &err);

	if (!doc)
		fail_msg("%s: %s", text, err.text);
	return doc;
}

static void must_fail(const char *text, size_t len, const char *words)
{
	struct pctl_error err = { 0 };
	json_t *doc = doc_read(text, len, &err);

	assert_null(doc);
	assert_int_equal(err.code, PCTL_E_PROTOCOL);
	if (!strstr(err.text, words))
		fail_msg("'%s' does not say '%s'", err.text, words);
}

/* --- Reading. --------------------------------------------------------------------------------- */

static void test_what_is_no_document(void **state)
{
	static const char *const bad[] = { "", " ", "<html></html>", "{", "{\"a\":", "{\"a\" 1}",
		"{\"a\":1}}", "\xff\xfe{}", "nan" };

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(bad); i++)
		must_fail(bad[i], strlen(bad[i]), "no JSON");
	must_fail("[1]", 3, "no object");
	must_fail("{\"a\":\"\\u0000\"}", 14, "no JSON");
}

static char *nested(unsigned depth)
{
	char *text = pctl_xcalloc(1, (size_t)depth * 2 + 8);

	(void)snprintf(text, 8, "{\"a\":");
	memset(text + 5, '[', depth - 1);
	memset(text + 5 + depth - 1, ']', depth - 1);
	text[5 + 2 * (depth - 1)] = '}';
	return text;
}

static void test_depth(void **state)
{
	PCTL_AUTO(free) char *fits = nested(DOC_DEPTH_MAX);
	PCTL_AUTO(free) char *deep = nested(DOC_DEPTH_MAX + 1);
	PCTL_AUTO(free) char *hell = nested(1000000);

	(void)state;
	json_decref(must_read(fits));
	must_fail(deep, strlen(deep), "nested deeper than 48");
	must_fail(hell, strlen(hell), "nested deeper than 48");
	/* Brackets in texts are no levels, not even behind a quoted quote. */
	json_decref(must_read(
		"{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[\"}"));
}

static void test_size(void **state)
{
	size_t n = DOC_VALUES_MAX + 2;
	PCTL_AUTO(free) char *many = pctl_xcalloc(1, 2 * n + 16);
	PCTL_AUTO(free) char *large = pctl_xcalloc(1, DOC_BYTES_MAX + 2);
	char *at = many + snprintf(many, 16, "{\"a\":[");

	(void)state;
	for (size_t i = 0; i < n; i++)
		*at++ = i % 2 ? ',' : '1';
	memcpy(at, "1]}", 3);
	json_decref(must_read(many)); /* half as many */
	memset(many + 6, ',', n);
	must_fail(many, strlen(many), "more than 262144 values");
	memset(large, ' ', DOC_BYTES_MAX + 1);
	must_fail(large, DOC_BYTES_MAX + 1, "more than 8388608 bytes");
}

/* --- Places. ---------------------------------------------------------------------------------- */

static void test_places(void **state)
{
	json_t *doc = must_read(
		"{\"a\":{\"b#c\":[{\"@odata.id\":\"/x\"},{\"@odata.id\":\"x\"},"
		"{\"@odata.id\":\"//h/x\"},{\"@odata.id\":\"/a b\"}]},\"t\":\"\",\"n\":null,"
		"\"b\":true}");

	(void)state;
	assert_string_equal(doc_link(doc, "a/b#c/0"), "/x");
	for (size_t i = 1; i < 5; i++) {
		char place[16];
		(void)snprintf(place, sizeof(place), "a/b#c/%zu", i);
		assert_null(doc_link(doc, place));
	}
	assert_int_equal(doc_count(doc, "a/b#c"), 4);
	assert_int_equal(doc_count(doc, "a"), 0);
	assert_null(doc_at(doc, "a/b#c/x"));
	assert_null(doc_at(doc, "t/x"));
	assert_null(doc_at(NULL, "t"));
	assert_null(doc_text(doc, "t"));
	assert_true(json_is_null(doc_at(doc, "n")));
	assert_true(doc_is_true(doc, "b"));
	assert_ptr_equal(doc_at(doc, ""), doc);
	json_decref(doc);
}

static void test_last_parts(void **state)
{
	static const char *const paths[][2] = { { "/redfish/v1/Systems/1", "1" },
		{ "/redfish/v1/Systems/1/", "1" }, { "/redfish/v1/Systems/a.b?x=/y", "a.b" },
		{ "/", "" }, { "x", "x" } };
	size_t len;

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(paths); i++) {
		const char *part = doc_last_part(paths[i][0], &len);
		assert_int_equal(len, strlen(paths[i][1]));
		assert_memory_equal(part, paths[i][1], len);
	}
}

static void test_numbers(void **state)
{
	static const char *const rows[][2] = { { "45", "45" }, { "-3.5", "-3.5" },
		{ "12.06", "12.06" }, { "0", "0" }, { "1e3", "1000" }, { "1e30", NULL },
		{ "\"45\"", NULL }, { "null", NULL }, { "true", NULL } };
	char text[64], number[40];

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		(void)snprintf(text, sizeof(text), "{\"n\":%s}", rows[i][0]);
		json_t *doc = must_read(text);
		assert_int_equal(doc_number(doc, "n", number, sizeof(number)), rows[i][1] != NULL);
		if (rows[i][1])
			assert_string_equal(number, rows[i][1]);
		json_decref(doc);
	}
}

static void test_times(void **state)
{
	static const char *const rows[][2] = {
		{ "2026-01-31T12:00:00Z", "2026-01-31T12:00:00Z" },
		{ "2026-01-31T12:00:00+02:00", "2026-01-31T10:00:00Z" },
		{ "2026-01-01T00:00:00-05:30", "2026-01-01T05:30:00Z" },
		{ "2025-12-31T23:59:59.123+0000", "2025-12-31T23:59:59Z" },
		{ "2026-01-31 12:00:00", "2026-01-31T12:00:00Z" },
		{ "1970-01-01T00:00:05Z", NULL },
		{ "0000-00-00T00:00:00Z", NULL },
		{ "2026-13-01T00:00:00Z", NULL },
		{ "2026-01-31T12:00", NULL },
		{ "2026-01-31T12:00:00+99:00", NULL },
		{ "2026-01-31T12:00:00Zx", NULL },
		{ "yesterday", NULL },
	};
	char out[DOC_TIME_SIZE];

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		if (doc_time(rows[i][0], out) != (rows[i][1] != NULL))
			fail_msg("%s", rows[i][0]);
		if (rows[i][1])
			assert_string_equal(out, rows[i][1]);
	}
	assert_false(doc_time(NULL, out));
}

static void test_words(void **state)
{
	static const char *const rows[][2] = { { "PowerSupply", "power_supply" },
		{ "RackMount", "rack_mount" }, { "DDR4", "ddr4" }, { "OEM Thing", "oem_thing" },
		{ "Temperature", "temperature" }, { "BIOSVersion", "bios_version" }, { "", "" },
		{ "Add-in Card", "add_in_card" } };
	char out[32];

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		doc_words(rows[i][0], out, sizeof(out));
		assert_string_equal(out, rows[i][1]);
	}
	doc_words("AVeryLongWordThatDoesNotFitInHereAtAll", out, sizeof(out));
	assert_in_range(strlen(out), 20, 31);
}

static void test_uuids(void **state)
{
	char out[37];

	(void)state;
	assert_true(doc_uuid("38947555-7742-3448-3784-823347823834", out));
	assert_true(doc_uuid("ABCDEF55-7742-3448-3784-823347823834", out));
	assert_string_equal(out, "abcdef55-7742-3448-3784-823347823834");
	assert_false(doc_uuid("389475557742344837848233478238341234", out));
	assert_false(doc_uuid("38947555-7742-3448-3784-82334782383", out));
	assert_false(doc_uuid("38947555-7742-3448-3784-82334782383g", out));
	assert_false(doc_uuid(NULL, out));
}

/* --- Errors, as services have sent them. ------------------------------------------------------ */

static const struct {
	int status;
	const char *body; /* NULL: none */
	int code;
	const char *text, *device_code;
} errors[] = {
	{ 400,
		"{\"error\":{\"code\":\"Base.1.8.GeneralError\",\"message\":\"A general error has "
		"occurred. See ExtendedInfo for more information.\",\"@Message.ExtendedInfo\":[{"
		"\"MessageId\":\"Base.1.8.PropertyValueNotInList\",\"Message\":\"The value 'X' is "
		"not "
		"in the list.\",\"Severity\":\"Warning\"}]}}",
		PCTL_E_REFUSED, "it refused Reset: The value 'X' is not in the list (HTTP 400)",
		"PropertyValueNotInList" },
	/* iLO 4: no texts at all. */
	{ 400,
		"{\"error\":{\"@Message.ExtendedInfo\":[{\"MessageID\":"
		"\"iLO.0.10.InvalidOperationForSystemState\"}],\"code\":\"iLO.0.10.ExtendedInfo\","
		"\"message\":\"See @Message.ExtendedInfo for more information.\"}}",
		PCTL_E_STATE, "InvalidOperationForSystemState", "InvalidOperationForSystemState" },
	{ 400, "{\"Messages\":[{\"MessageID\":\"Base.0.10.ActionNotSupported\"}],\"Type\":\"x\"}",
		PCTL_E_UNSUPPORTED, "ActionNotSupported", "ActionNotSupported" },
	{ 400,
		"{\"error\":{\"@Message.ExtendedInfo\":[{\"MessageId\":"
		"\"iLO.2.14.UnableToModifyDuringSystemPOST\",\"Message\":\"busy\"}]}}",
		PCTL_E_BUSY, "busy", "UnableToModifyDuringSystemPOST" },
	/* GeneralError first, what matters behind it. */
	{ 503,
		"{\"error\":{\"@Message.ExtendedInfo\":[{\"MessageId\":\"Base.1.2.GeneralError\","
		"\"Message\":\"Look elsewhere.\"},{\"MessageId\":"
		"\"Base.1.2.ServiceTemporarilyUnavailable\",\"Message\":\"Come again.\"}]}}",
		PCTL_E_BUSY, "Come again (HTTP 503)", "ServiceTemporarilyUnavailable" },
	/* A single message where a list belongs. */
	{ 403,
		"{\"error\":{\"@Message.ExtendedInfo\":{\"MessageId\":"
		"\"Base.1.0.InsufficientPrivilege\",\"Message\":\"No.\"}}}",
		PCTL_E_FORBIDDEN, "No (HTTP 403)", "InsufficientPrivilege" },
	/* A refused login stays one, whatever it says. */
	{ 401, "{\"error\":{\"code\":\"Base.1.0.ResourceInUse\",\"message\":\"x\"}}", PCTL_E_AUTH,
		"it refused Reset: x (HTTP 401)", "ResourceInUse" },
	{ 404, NULL, PCTL_E_UNSUPPORTED, "it refused Reset: HTTP 404", "HTTP 404" },
	{ 405, "{}", PCTL_E_UNSUPPORTED, "HTTP 405", "HTTP 405" },
	{ 409, NULL, PCTL_E_BUSY, "HTTP 409", "HTTP 409" },
	{ 429, NULL, PCTL_E_BUSY, "HTTP 429", "HTTP 429" },
	{ 500, NULL, PCTL_E_REFUSED, "HTTP 500", "HTTP 500" },
	{ 502, NULL, PCTL_E_BUSY, "HTTP 502", "HTTP 502" },
	{ 302, NULL, PCTL_E_PROTOCOL, "HTTP 302", "HTTP 302" },
	{ 400, "{\"error\":[1,2]}", PCTL_E_REFUSED, "HTTP 400", "HTTP 400" },
	{ 400, "{\"error\":{\"@Message.ExtendedInfo\":[null,1,\"x\",[]]}}", PCTL_E_REFUSED,
		"HTTP 400", "HTTP 400" },
	{ 400, "{\"error\":{\"message\":\"Only words.  \"}}", PCTL_E_REFUSED,
		"it refused Reset: Only words (HTTP 400)", "HTTP 400" },
};

/* Messages that name things: what they name, and whether a text is anywhere in a document. */
static void test_named(void **state)
{
	static const char text[] =
		"{\"error\":{\"@Message.ExtendedInfo\":["
		"{\"MessageId\":\"Base.1.8.Success\",\"MessageArgs\":[\"other\"]},"
		"{\"MessageId\":\"Base.1.8.PasswordChangeRequired\","
		"\"MessageArgs\":[\"/redfish/v1/AccountService/Accounts/2\"]}]},"
		"\"n\":1,\"k\\\"ey\":[null,[{\"a\":\"it is h\\u0069dden here\"}]]}";
	json_t *doc = must_read(text), *bare = must_read("{\"a\":1}");
	struct pctl_error err = { 0 };

	(void)state;
	assert_string_equal(doc_argument(doc, "PasswordChangeRequired"),
		"/redfish/v1/AccountService/Accounts/2");
	assert_null(doc_argument(doc, "NoSuch"));
	assert_null(doc_argument(bare, "Success"));
	assert_null(doc_argument(NULL, "Success"));
	assert_true(doc_holds(doc, "hidden"));
	assert_true(doc_holds(doc, "k\"ey"));
	assert_false(doc_holds(doc, "nothing"));
	assert_false(doc_holds(bare, "1"));
	assert_false(doc_holds(NULL, "a"));
	assert_int_equal(doc_error(403, doc, "Reset", &err), PCTL_E_FORBIDDEN);
	assert_non_null(strstr(err.text, "`powerctl passwd` sets one"));
	assert_string_equal(err.device_code, "PasswordChangeRequired");
	json_decref(doc);
	json_decref(bare);
}

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(errors); i++) {
		struct pctl_error err = { 0 };
		json_t *doc = errors[i].body ? must_read(errors[i].body) : NULL;

		assert_int_equal(doc_error(errors[i].status, doc, "Reset", &err), errors[i].code);
		assert_int_equal(err.code, errors[i].code);
		if (!strstr(err.text, errors[i].text))
			fail_msg("%zu: '%s' does not say '%s'", i, err.text, errors[i].text);
		assert_string_equal(err.device_code, errors[i].device_code);
		json_decref(doc);
	}
}

static void test_locked_accounts(void **state)
{
	static const struct {
		const char *body, *text, *device_code; /* text NULL: it does not say so */
	} rows[] = {
		{ "{}", NULL, NULL },
		{ "{\"error\":{\"code\":\"Base.1.8.GeneralError\",\"@Message.ExtendedInfo\":[{"
		  "\"MessageId\":\"Base.1.8.NoValidSession\",\"Message\":\"No valid session.\"}]}}",
			NULL, NULL },
		{ "{\"error\":{\"@Message.ExtendedInfo\":[{\"MessageId\":\"Oem.1.0.UserLocked\","
		  "\"Message\":\"The account is LOCKED. Come back later. \"}]}}",
			"user 'ann' was refused: The account is LOCKED. Come back later (HTTP 401)",
			"UserLocked" },
		{ "{\"error\":{\"code\":\"Oem.1.0.AccountLockout\"}}",
			"user 'ann' was refused: AccountLockout (HTTP 401)", "AccountLockout" },
		{ "{\"error\":{\"code\":\"Oem.1.0.Lockout\",\"message\":\"Go away\"}}",
			"user 'ann' was refused: Go away (HTTP 401)", "Lockout" },
		{ "{\"error\":{\"message\":\"locked out\"}}",
			"user 'ann' was refused: locked out (HTTP 401)", "HTTP 401" },
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct pctl_error err = { 0 };
		json_t *doc = must_read(rows[i].body);

		assert_int_equal(doc_locked(doc, "ann", &err), rows[i].text != NULL);
		assert_int_equal(err.code, rows[i].text ? PCTL_E_AUTH : 0);
		assert_string_equal(err.text, rows[i].text ? rows[i].text : "");
		assert_string_equal(err.device_code, rows[i].text ? rows[i].device_code : "");
		json_decref(doc);
	}
	assert_false(doc_locked(NULL, "ann", NULL));
}

/* --- URLs. ------------------------------------------------------------------------------------ */

static void test_origins(void **state)
{
	static const struct {
		const char *location, *host;
		unsigned port;
		bool tls;
		const char *path; /* NULL: elsewhere */
	} rows[] = {
		{ "/redfish/v1/x", "bmc", 443, true, "/redfish/v1/x" },
		{ "/redfish/v1/x#/y", "bmc", 443, true, "/redfish/v1/x" },
		{ "https://bmc/x", "bmc", 443, true, "/x" },
		{ "https://BMC:443/x", "bmc", 443, true, "/x" },
		{ "https://bmc:8443/x", "bmc", 8443, true, "/x" },
		{ "https://[fe80::1]:8443/x", "fe80::1", 8443, true, "/x" },
		{ "http://bmc/x", "bmc", 80, false, "/x" },
		{ "http://bmc/x", "bmc", 443, true, NULL },
		{ "https://bmc/x", "bmc", 80, false, NULL },
		{ "https://bmc/x", "bmc", 8443, true, NULL },
		{ "https://bmc.evil/x", "bmc", 443, true, NULL },
		{ "https://bmc@evil/x", "bmc", 443, true, NULL },
		{ "https://evil/x", "bmc", 443, true, NULL },
		{ "//evil/x", "bmc", 443, true, NULL },
		{ "https://bmc:44x/x", "bmc", 443, true, NULL },
		{ "https://bmc:99999/x", "bmc", 443, true, NULL },
		{ "https://bmc", "bmc", 443, true, NULL },
		{ "x", "bmc", 443, true, NULL },
		{ "", "bmc", 443, true, NULL },
		{ "/a b", "bmc", 443, true, NULL },
		{ "ftp://bmc/x", "bmc", 443, true, NULL },
	};
	char path[32];

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		bool same = doc_same_origin(rows[i].location, rows[i].host, rows[i].port,
			rows[i].tls, path, sizeof(path));
		if (same != (rows[i].path != NULL))
			fail_msg("%s", rows[i].location);
		if (same)
			assert_string_equal(path, rows[i].path);
	}
	assert_false(doc_same_origin(
		"/a/very/long/path/that/does/not/fit", "bmc", 443, true, path, sizeof(path)));
}

/* --- Vendors. --------------------------------------------------------------------------------- */

static void test_vendors(void **state)
{
	static const char *const rows[][3] = {
		{ "{\"Vendor\":\"Dell\"}", NULL, "dell" },
		{ "{\"Oem\":{\"Hpe\":{}}}", NULL, "hpe" },
		{ "{\"Oem\":{\"Hp\":{}}}", NULL, "hpe" },
		{ "{\"Oem\":{\"Supermicro\":{}}}", NULL, "supermicro" },
		{ "{\"Vendor\":\"AMI\"}", "{\"Manufacturer\":\"Dell Inc.\"}", "ami" },
		{ NULL, "{\"Manufacturer\":\"ASRockRack\"}", "ami" },
		{ "{\"Vendor\":\"Contoso\"}", "{\"Manufacturer\":\"Lenovo\"}", "lenovo" },
		{ "{}", "{}", "none" },
		{ NULL, NULL, "none" },
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		json_t *root = rows[i][0] ? must_read(rows[i][0]) : NULL;
		json_t *host = rows[i][1] ? must_read(rows[i][1]) : NULL;
		assert_string_equal(quirks_find(root, host)->name, rows[i][2]);
		json_decref(root);
		json_decref(host);
	}
	for (size_t i = 1; quirks_choices[i]; i++)
		assert_non_null(quirks_named(quirks_choices[i]));
	assert_null(quirks_named("auto"));
	assert_null(quirks_named(NULL));
}

/* --- Trees. ----------------------------------------------------------------------------------- */

static const char *at(const struct pctl_value *map, const char *key)
{
	const char *text = pctl_value_text(pctl_value_get(map, key));

	return text ? text : "-";
}

static void test_sensors(void **state)
{
	json_t *thermal = must_read(
		"{\"Temperatures\":[{\"Name\":\"CPU\",\"ReadingCelsius\":42,\"Status\":{\"Health\":"
		"\"OK\"},\"UpperThresholdCritical\":95.5},{\"Name\":\"Gone\",\"ReadingCelsius\":0,"
		"\"Status\":{\"State\":\"Absent\"}}],\"Fans\":[{\"FanName\":\"F1\",\"Reading\":30,"
		"\"ReadingUnits\":\"Percent\",\"Status\":{\"Health\":\"Critical\"}},{\"x\":1}]}");
	json_t *sensor =
		must_read("{\"Name\":\"12V\",\"Reading\":12.06,\"ReadingType\":\"Voltage\","
			  "\"ReadingUnits\":\"V\",\"Thresholds\":{\"LowerCaution\":{"
			  "\"Reading\":11.4}}}");
	struct pctl_value *list = pctl_value_new_list();

	(void)state;
	tree_thermal(thermal, list);
	assert_int_equal(pctl_value_count(list), 3);
	const struct pctl_value *cpu = pctl_value_at(list, 0);
	assert_string_equal(at(cpu, "value"), "42");
	assert_string_equal(at(pctl_value_get(cpu, "thresholds"), "upper_critical"), "95.5");
	assert_string_equal(at(cpu, "state"), "ok");
	assert_string_equal(at(pctl_value_at(list, 1), "state"), "absent");
	assert_string_equal(at(pctl_value_at(list, 1), "value"), "-");
	assert_string_equal(at(pctl_value_at(list, 2), "unit"), "%");
	assert_string_equal(at(pctl_value_at(list, 2), "name"), "F1");
	struct pctl_value *one = tree_sensor(sensor);
	assert_string_equal(at(one, "type"), "voltage");
	assert_string_equal(at(one, "state"), "unknown");
	assert_string_equal(at(pctl_value_get(one, "thresholds"), "lower_warning"), "11.4");
	pctl_value_free(one);
	pctl_value_free(list);
	json_decref(thermal);
	json_decref(sensor);
}

static struct pctl_value *events_of(const char *const *entries, size_t n)
{
	struct pctl_value *list = pctl_value_new_list();

	for (size_t i = 0; i < n; i++) {
		json_t *doc = must_read(entries[i]);
		pctl_value_add(list, tree_event(doc));
		json_decref(doc);
	}
	return tree_in_order(list);
}

static void test_events_in_order(void **state)
{
	static const char *const newest_first[] = {
		"{\"Id\":\"3\",\"Created\":\"2026-01-01T03:00:00Z\",\"Message\":\"c\"}",
		"{\"Id\":\"2\",\"Message\":\"b\"}",
		"{\"Id\":\"1\",\"Created\":\"2026-01-01T01:00:00Z\",\"Message\":\"a\"}",
	};
	static const char *const without_times[] = { "{\"Id\":\"10\",\"Message\":\"b\"}",
		"{\"Id\":\"9\",\"Message\":\"a\"}" };
	struct pctl_value *ret = pctl_value_new_map();

	(void)state;
	struct pctl_value *list = events_of(newest_first, 3);
	assert_string_equal(at(pctl_value_at(list, 0), "event"), "a");
	assert_string_equal(at(pctl_value_at(list, 2), "event"), "c");
	tree_new_events(list, "2 ", ret);
	assert_int_equal(pctl_value_count(pctl_value_get(ret, "events")), 1);
	assert_string_equal(at(ret, "cursor"), "3 2026-01-01T03:00:00Z");
	/* An event that is gone: all are new. */
	tree_new_events(events_of(newest_first, 3), "7 x", ret);
	assert_int_equal(pctl_value_count(pctl_value_get(ret, "events")), 3);
	tree_new_events(events_of(newest_first, 3), "3 2026-01-01T03:00:00Z", ret);
	assert_int_equal(pctl_value_count(pctl_value_get(ret, "events")), 0);
	list = events_of(without_times, 2);
	assert_string_equal(at(pctl_value_at(list, 0), "event"), "a");
	pctl_value_free(list);
	pctl_value_free(ret);
}

static void test_an_event(void **state)
{
	char text[1400] = "{\"Id\":\"1\",\"Severity\":\"Warning\",\"EntryCode\":\"Deassert\","
			  "\"SensorType\":\"Power Supply / Converter\",\"Message\":\"";
	size_t len = strlen(text);

	(void)state;
	/* Cut at a character, not within it. */
	for (size_t i = 0; i < 500; i++)
		(void)snprintf(text + len + 2 * i, 3, "\xc3\xa4");
	(void)snprintf(text + len + 1000, 8, "\\n\"}");
	json_t *doc = must_read(text);
	struct pctl_value *event = tree_event(doc);
	assert_string_equal(at(event, "severity"), "warning");
	assert_string_equal(at(event, "sensor_type"), "power_supply_converter");
	assert_false(pctl_value_bool(pctl_value_get(event, "asserted")));
	assert_int_equal(strlen(at(event, "event")), 500);
	assert_null(pctl_value_get(event, "time"));
	pctl_value_free(event);
	json_decref(doc);
}

static void test_logs(void **state)
{
	static const struct {
		const char *id;
		bool better; /* than the one before it */
	} rows[] = { { "Dump", false }, { "Lclog", true }, { "Log1", true }, { "EventLog", true },
		{ "IML", true }, { "Sel", true } };
	unsigned last = 0;
	char text[128];

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		(void)snprintf(text, sizeof(text),
			"{\"Id\":\"%s\",\"Entries\":{\"@odata.id\":\"/e\"}}", rows[i].id);
		json_t *doc = must_read(text);
		unsigned rank = tree_log_rank(doc);
		assert_int_equal(rank > last, rows[i].better);
		last = rank;
		json_decref(doc);
	}
	json_t *doc = must_read("{\"Id\":\"Sel\"}");
	assert_int_equal(tree_log_rank(doc), 0);
	json_decref(doc);
}

static void test_parts(void **state)
{
	json_t *dimm =
		must_read("{\"Name\":\"DIMM 1\",\"DeviceLocator\":\"A1\",\"CapacityMiB\":16384,"
			  "\"Manufacturer\":\"M\",\"SerialNumber\":\" \",\"Status\":{\"State\":"
			  "\"Enabled\"}}");
	json_t *empty = must_read("{\"Name\":\"DIMM 2\",\"Status\":{\"State\":\"Absent\"}}");
	struct pctl_value *part = tree_part(dimm, "memory_module");

	(void)state;
	assert_string_equal(at(part, "name"), "A1");
	assert_int_equal(pctl_value_int(pctl_value_get(part, "size_mib")), 16384);
	assert_null(pctl_value_get(part, "serial")); /* there are no empty values */
	assert_null(tree_part(empty, "memory_module"));
	assert_null(tree_part(NULL, "memory_module"));
	assert_string_equal(tree_policy("LastState"), "previous");
	assert_string_equal(tree_policy_word("always-on"), "AlwaysOn");
	assert_null(tree_policy("x"));
	pctl_value_free(part);
	json_decref(dimm);
	json_decref(empty);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_no_document),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_last_parts),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_uuids),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_locked_accounts),
		cmocka_unit_test(test_named),
		cmocka_unit_test(test_origins),
		cmocka_unit_test(test_vendors),
		cmocka_unit_test(test_sensors),
		cmocka_unit_test(test_events_in_order),
		cmocka_unit_test(test_an_event),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_parts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
