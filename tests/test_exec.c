/* SPDX-License-Identifier: Apache-2.0 */
/* What a program is asked and what it answers, without a program. */
#include "world.h"

#include <jansson.h>

#include <powerctl/buf.h>

#include "answer.h"
#include "request.h"

/* --- Answers. --------------------------------------------------------------------------------- */

static json_t *read_well(const char *text)
{
	struct pctl_error err = { 0 };
	json_t *answer = answer_read(text, strlen(text), "p", &err);

	if (!answer)
		fail_msg("'%s': %s", text, err.text);
	return answer;
}

static void test_lines(void **state)
{
	static const struct {
		const char *text, *why; /* NULL: well */
	} rows[] = {
		{ "{\"ok\":true}", NULL },
		{ "{\"ok\":true}\n", NULL },
		{ " {\"ok\":true} \r\n \n", NULL },
		{ "", "there is none: it printed nothing" },
		{ " \n\n", "there is none: it printed nothing" },
		{ "\n{\"ok\":true}\n", "more than one line" },
		{ "{\"ok\":true}\n{", "more than one line" },
		{ "{\"ok\":true}}", "line 1, column 12: no JSON: end of file expected near '}'" },
		{ "{\"ok\":true,}", "line 1, column 12: no JSON: string or '}' expected" },
		{ "{\"a\":\"\xff\"}", "no JSON: unable to decode byte 0xff" },
		{ "{\"a\":\"\\u0000\"}", "no JSON: \\u0000 is not allowed" },
		{ "true", "line 1, column 4: no JSON: '[' or '{' expected" },
		{ "[]", "no JSON object" },
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct pctl_error err = { 0 };
		json_t *answer = answer_read(rows[i].text, strlen(rows[i].text), "p", &err);

		assert_int_equal(answer != NULL, rows[i].why == NULL);
		json_decref(answer);
		if (!rows[i].why)
			continue;
		assert_int_equal(err.code, PCTL_E_PROTOCOL);
		assert_ptr_equal(strstr(err.text, "the answer of 'p': "), err.text);
		if (!strstr(err.text, rows[i].why))
			fail_msg("'%s' does not say '%s'", err.text, rows[i].why);
	}
}

/* A zero byte is no end of the line. */
static void test_zero_bytes(void **state)
{
	struct pctl_error err = { 0 };

	(void)state;
	assert_null(answer_read("{\"ok\":true}\0x", 13, "p", &err));
	assert_int_equal(err.code, PCTL_E_PROTOCOL);
}

static void test_verdicts(void **state)
{
	static const struct {
		const char *text;
		int code;
		bool unsent;
		const char *said;
	} rows[] = {
		{ "{\"ok\":true,\"sent\":false}", 0, false, "" },
		{ "{\"v\":1,\"ok\":true}", 0, false, "" },
		{ "{\"v\":\"1\",\"ok\":true}", PCTL_E_PROTOCOL, false, "\"v\" is not 1" },
		{ "{\"ok\":1}", PCTL_E_PROTOCOL, false, "no \"ok\"" },
		{ "{\"ok\":null}", PCTL_E_PROTOCOL, false, "no \"ok\"" },
		{ "{\"ok\":false,\"error\":{\"class\":\"busy\",\"message\":\"later\"}}",
			PCTL_E_BUSY, false, "later" },
		{ "{\"ok\":false,\"sent\":false,\"error\":{\"class\":\"auth\",\"message\":\"m\"}}",
			PCTL_E_AUTH, true, "m" },
		{ "{\"ok\":false,\"sent\":true,\"error\":{\"class\":\"state\",\"message\":\"m\"}}",
			PCTL_E_STATE, false, "m" },
		{ "{\"ok\":false,\"error\":{\"class\":\"outcome_unknown\",\"message\":\"m\"}}",
			PCTL_E_OUTCOME_UNKNOWN, false, "m" },
		{ "{\"ok\":false,\"error\":{\"class\":\"skipped\",\"message\":\"m\"}}",
			PCTL_E_PROTOCOL, false, "'skipped' is no class" },
		{ "{\"ok\":false,\"error\":{\"class\":\"internal\",\"message\":\"m\"}}",
			PCTL_E_PROTOCOL, false, "'internal' is no class" },
		{ "{\"ok\":false,\"sent\":0,\"error\":{}}", PCTL_E_PROTOCOL, false,
			"\"sent\" is neither" },
		{ "{\"ok\":false,\"error\":{\"class\":\"auth\"}}", PCTL_E_PROTOCOL, false,
			"lacks" },
		{ "{\"ok\":false,\"error\":{\"class\":\"auth\",\"message\":\"\"}}", PCTL_E_PROTOCOL,
			false, "lacks" },
		{ "{\"ok\":false,\"error\":{\"class\":3,\"message\":\"m\"}}", PCTL_E_PROTOCOL,
			false, "\"class\" is no text" },
		{ "{\"ok\":false,\"error\":\"auth\"}", PCTL_E_PROTOCOL, false, "no object" },
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct pctl_error err = { 0 };
		bool unsent = false;
		json_t *answer = read_well(rows[i].text);

		assert_int_equal(answer_verdict(answer, "p", &unsent, &err), rows[i].code);
		assert_int_equal(unsent, rows[i].unsent);
		if (!strstr(err.text, rows[i].said))
			fail_msg("'%s' does not say '%s'", err.text, rows[i].said);
		json_decref(answer);
	}
}

static void test_codes_of_devices(void **state)
{
	struct pctl_error err = { 0 };
	bool unsent = false;
	json_t *answer = read_well("{\"ok\":false,\"error\":{\"class\":\"refused\",\"message\":"
				   "\"no\\nway\",\"code\":\"E 7\"}}");

	(void)state;
	assert_int_equal(answer_verdict(answer, "p", &unsent, &err), PCTL_E_REFUSED);
	assert_string_equal(err.text, "no way");
	assert_string_equal(err.device_code, "E 7");
	json_decref(answer);
}

static void test_power(void **state)
{
	struct pctl_power power = { .size = sizeof(power), .state = PCTL_POWER_SLEEP };
	struct pctl_error err = { 0 };
	json_t *answer = read_well("{\"state\":\"off\",\"changing\":true,\"code\":\"S5\","
				   "\"actions\":[\"on\",\"ac_cycle\"],\"more\":{}}");

	(void)state;
	assert_int_equal(answer_power(answer, "p", &power, &err), 0);
	assert_int_equal(power.state, PCTL_POWER_OFF);
	assert_true(power.changing && power.tells_actions);
	assert_int_equal(power.actions,
		PCTL_ACTION_BIT(PCTL_ACTION_ON) | PCTL_ACTION_BIT(PCTL_ACTION_AC_CYCLE));
	assert_string_equal(power.device_code, "S5");
	json_decref(answer);
	answer = read_well("{\"state\":\"unknown\",\"actions\":null}");
	assert_int_equal(answer_power(answer, "p", &power, &err), 0);
	assert_int_equal(power.state, PCTL_POWER_UNKNOWN);
	assert_false(power.changing || power.tells_actions);
	json_decref(answer);
}

static void test_wrong_states(void **state)
{
	static const char *const rows[] = { "{}", "{\"state\":1}", "{\"state\":\"ON\"}",
		"{\"state\":\"\"}", "{\"state\":\"on\",\"changing\":\"no\"}",
		"{\"state\":\"on\",\"actions\":\"on\"}", "{\"state\":\"on\",\"actions\":[1]}",
		"{\"state\":\"on\",\"actions\":[\"up\"]}", "{\"state\":\"on\",\"code\":5}" };

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct pctl_power power = { .size = sizeof(power), .state = PCTL_POWER_SLEEP };
		struct pctl_error err = { 0 };
		json_t *answer = read_well(rows[i]);

		assert_int_equal(answer_power(answer, "p", &power, &err), PCTL_E_PROTOCOL);
		assert_int_equal(power.state, PCTL_POWER_SLEEP);
		assert_int_equal(power.actions, 0);
		json_decref(answer);
	}
}

static void test_boot(void **state)
{
	struct pctl_boot boot = { .size = sizeof(boot) };
	struct pctl_error err = { 0 };
	json_t *answer = read_well("{\"device\":\"cd\",\"mode\":\"legacy\",\"persistent\":true}");

	(void)state;
	assert_int_equal(answer_boot(answer, "p", &boot, &err), 0);
	assert_int_equal(boot.device, PCTL_BOOT_CD);
	assert_int_equal(boot.mode, PCTL_BOOT_MODE_LEGACY);
	assert_true(boot.persistent);
	json_decref(answer);
	answer = read_well("{\"device\":\"none\"}");
	assert_int_equal(answer_boot(answer, "p", &boot, &err), 0);
	assert_int_equal(boot.device, PCTL_BOOT_NONE);
	assert_int_equal(boot.mode, PCTL_BOOT_MODE_ANY);
	json_decref(answer);
	answer = read_well("{\"device\":\"pxe\",\"mode\":\"bios\"}");
	assert_int_equal(answer_boot(answer, "p", &boot, &err), PCTL_E_PROTOCOL);
	assert_int_equal(boot.device, PCTL_BOOT_NONE);
	json_decref(answer);
}

static void test_descriptions(void **state)
{
	struct pctl_error err = { 0 };
	json_t *answer = read_well(
		"{\"v\":1,\"ok\":true,\"name\":\"x\",\"summary\":\"does y\",\"actions\":[\"on\","
		"\"off\"],\"boot\":[\"pxe\"],\"boot_reads\":true,\"max_in_flight\":5,"
		"\"properties\":["
		"{\"name\":\"port\",\"type\":\"number\",\"min\":1,\"max\":9,\"default\":3,"
		"\"required\":false,\"help\":\"h\"},{\"name\":\"tls\",\"type\":\"boolean\","
		"\"default\":true},{\"name\":\"way\",\"type\":\"choice\",\"choices\":[\"a\",\"b\"],"
		"\"required\":true,\"unit\":true},{\"name\":\"password\",\"secret\":true}]}");

	(void)state;
	struct exec_description *d = answer_description(answer, "p", &err);
	json_decref(answer); /* nothing in it is borrowed */
	assert_non_null(d);
	assert_string_equal(d->description.summary, "x: does y");
	assert_int_equal(d->description.actions, 3);
	assert_int_equal(d->description.boot_once, PCTL_BOOT_BIT(PCTL_BOOT_PXE));
	assert_int_equal(d->description.boot_persistent, 0);
	assert_true(d->reads_boot);
	assert_int_equal(d->description.max_in_flight, 5);
	const struct pctl_property *p = d->description.properties;
	assert_int_equal(p[0].type, PCTL_TYPE_UINT);
	assert_int_equal(p[0].min, 1);
	assert_int_equal(p[0].max, 9);
	assert_string_equal(p[0].default_text, "3");
	assert_string_equal(p[0].help, "h");
	assert_string_equal(p[1].default_text, "true");
	assert_string_equal(p[2].choices[1], "b");
	assert_null(p[2].choices[2]);
	assert_int_equal(p[2].flags, PCTL_PROPERTY_REQUIRED | PCTL_PROPERTY_UNIT);
	assert_int_equal(p[3].type, PCTL_TYPE_TEXT);
	assert_int_equal(p[3].flags, PCTL_PROPERTY_SECRET);
	assert_null(p[4].name);
	exec_free_description(d);
}

static void test_wrong_descriptions(void **state)
{
#define WITH(members) "{\"v\":1,\"ok\":true,\"name\":\"x\"," members "}"
#define ROW(members)  WITH("\"properties\":[{\"name\":\"a\"}," members "]")
	static const char *const rows[] = {
		"{\"ok\":true,\"name\":\"x\"}",
		"{\"v\":1,\"ok\":true}",
		"{\"v\":1,\"ok\":true,\"name\":\"\"}",
		WITH("\"summary\":7"),
		WITH("\"actions\":{}"),
		WITH("\"boot\":[\"floppy\"]"),
		WITH("\"boot_reads\":1"),
		WITH("\"max_in_flight\":0"),
		WITH("\"max_in_flight\":65"),
		WITH("\"properties\":{}"),
		ROW("7"),
		ROW("{}"),
		ROW("{\"name\":5}"),
		ROW("{\"name\":\"b\",\"type\":\"int\"}"),
		ROW("{\"name\":\"b\",\"default\":[]}"),
		ROW("{\"name\":\"b\",\"default\":1.5}"),
		ROW("{\"name\":\"b\",\"choices\":\"a\"}"),
		ROW("{\"name\":\"b\",\"choices\":[1]}"),
		ROW("{\"name\":\"b\",\"min\":-1}"),
		ROW("{\"name\":\"b\",\"max\":\"9\"}"),
		ROW("{\"name\":\"b\",\"secret\":\"yes\"}"),
		ROW("{\"name\":\"b\",\"help\":[]}"),
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct pctl_error err = { 0 };
		json_t *answer = read_well(rows[i]);

		if (answer_description(answer, "p", &err))
			fail_msg("'%s' was taken", rows[i]);
		assert_int_equal(err.code, PCTL_E_PROTOCOL);
		json_decref(answer);
	}
}

/* --- Requests. -------------------------------------------------------------------------------- */

static void test_texts(void **state)
{
	static const struct {
		const char *text, *json; /* NULL: not UTF-8 */
	} rows[] = {
		{ "", "\"\"" },
		{ "a\"b\\c/", "\"a\\\"b\\\\c/\"" },
		{ "\n\t\x7f", "\"\\u000a\\u0009\\u007f\"" },
		{ "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80",
			"\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\"" },
		{ "\x80", NULL },
		{ "\xc3", NULL },
		{ "\xc0\x80", NULL },         /* longer than it need be */
		{ "\xe0\x80\x80", NULL },     /* the same */
		{ "\xed\xa0\x80", NULL },     /* half of a pair */
		{ "\xf4\x90\x80\x80", NULL }, /* beyond the last */
		{ "\xf8\x88\x80\x80\x80", NULL },
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct pctl_buf buf;

		pctl_buf_init(&buf, 1000);
		assert_int_equal(
			request_add_text(&buf, rows[i].text, strlen(rows[i].text)), !!rows[i].json);
		assert_string_equal(buf.data, rows[i].json ? rows[i].json : "");
		pctl_buf_done(&buf);
	}
}

static const char *const choices[] = { "x", "y", "z", NULL };
static const struct pctl_property table[] = {
	PCTL_PROPERTY(.name = "t", .type = PCTL_TYPE_TEXT),
	PCTL_PROPERTY(.name = "b", .type = PCTL_TYPE_BOOL),
	PCTL_PROPERTY(.name = "n", .type = PCTL_TYPE_UINT, .default_text = "7"),
	PCTL_PROPERTY(.name = "d", .type = PCTL_TYPE_DURATION),
	PCTL_PROPERTY(.name = "c", .type = PCTL_TYPE_CHOICE, .choices = choices),
	PCTL_PROPERTY(.name = "f", .type = PCTL_TYPE_FILE),
	PCTL_PROPERTY(.name = "l", .type = PCTL_TYPE_TEXTS),
	PCTL_PROPERTY(.name = "s", .type = PCTL_TYPE_FLAGS, .choices = choices),
	PCTL_PROPERTY(.name = "password", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_SECRET),
	{ 0 },
};

static int open_none(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	(void)ctx, (void)device, (void)err;
	*ret_dev = NULL;
	return 0;
}

static void close_none(void *dev, pctl_closed_fn *closed, void *data)
{
	(void)dev;
	closed(data);
}

static const struct pctl_driver driver = { .size = sizeof(driver),
	.abi = PCTL_DRIVER_ABI,
	.name = "fake",
	.properties = table,
	.open = open_none,
	.close = close_none };

/* What is asked about a node with these settings; PCTL_E_CONFIG: text is the error's. */
static int write_about(
	const char *settings, const struct request *request, size_t max, char *ret, size_t size)
{
	PCTL_AUTO(free) char *text = pctl_xasprintf("nodes:\n  n1: {driver: fake%s}\n", settings);
	struct pctl_problems *problems = pctl_problems_new();
	struct pctl_error err = { 0 };
	struct pctl_target target;
	struct world w;
	struct pctl_buf buf;

	(void)setenv("TOLD", "pass\"word", 1);
	world_init(&w, text);
	(void)world_enter(&w, &driver);
	assert_int_equal(
		pctl_target_init(&target, w.core, w.inventory, 0, NULL, true, problems), 0);
	const struct pctl_device device = { .target = &target };
	pctl_buf_init_secret(&buf, max);
	int r = request_write(&buf, &device, table, request, &err);
	(void)snprintf(ret, size, "%s", r < 0 ? err.text : buf.data);
	pctl_buf_done(&buf);
	pctl_target_done(&target);
	pctl_problems_free(problems);
	world_done(&w);
	return r;
}

static void test_requests(void **state)
{
	const struct request get = { .op = "get", .timeout_ms = 900 };
	const struct request act = { .op = "act", .action = "soft_off", .timeout_ms = 1 };
	const struct pctl_boot http = { .size = sizeof(http),
		.device = PCTL_BOOT_HTTP,
		.mode = PCTL_BOOT_MODE_UEFI,
		.persistent = true,
		.url = "http://b/\"x" };
	const struct request boot = { .op = "boot", .boot = &http, .timeout_ms = 1 };
	char text[2000];

	(void)state;
	assert_int_equal(write_about("", &get, 1000, text, sizeof(text)), 0);
	assert_string_equal(text, "{\"v\":1,\"op\":\"get\",\"node\":\"n1\",\"settings\":{\"n\":7},"
				  "\"secrets\":{},\"timeout_ms\":900}\n");
	assert_int_equal(write_about(", address: h, t: \"a\\nb\", b: true, d: 2s, c: z, f: /f, "
				     "l: [p, q], s: [x, z], password_env: TOLD",
				 &act, 1000, text, sizeof(text)),
		0);
	assert_string_equal(text,
		"{\"v\":1,\"op\":\"act\",\"node\":\"n1\",\"address\":\"h\",\"action\":\"soft_off\","
		"\"settings\":{\"t\":\"a\\u000ab\",\"b\":true,\"n\":7,\"d\":2000,\"c\":\"z\","
		"\"f\":\"/f\",\"l\":[\"p\",\"q\"],\"s\":[\"x\",\"z\"]},"
		"\"secrets\":{\"password\":\"pass\\\"word\"},\"timeout_ms\":1}\n");
	assert_int_equal(write_about("", &boot, 1000, text, sizeof(text)), 0);
	assert_non_null(strstr(text, ",\"device\":\"http\",\"mode\":\"uefi\",\"persistent\":true,"
				     "\"url\":\"http://b/\\\"x\",\"settings\""));
}

static void test_too_much(void **state)
{
	const struct request get = { .op = "get", .timeout_ms = 900 };
	char text[400];

	(void)state;
	assert_int_equal(write_about("", &get, 40, text, sizeof(text)), PCTL_E_CONFIG);
	assert_string_equal(
		text, "the settings are more than 40 bytes, which a program may be given");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_zero_bytes),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_codes_of_devices),
		cmocka_unit_test(test_power),
		cmocka_unit_test(test_wrong_states),
		cmocka_unit_test(test_boot),
		cmocka_unit_test(test_descriptions),
		cmocka_unit_test(test_wrong_descriptions),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_requests),
		cmocka_unit_test(test_too_much),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
