/* SPDX-License-Identifier: Apache-2.0 */
/* What people and programs read: lines, folding, trees, JSON, summary, exit status. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include <powerctl/mem.h>

#include "json.h"
#include "login.h"
#include "progress.h"
#include "render.h"
#include "tally.h"
#include "text.h"
#include "tree.h"

static const struct render_style plain = { 0 }, verbose = { .verbose = true },
				 indented = { .indented = true }, mend = { .mend = true };

static struct pctl_result good(enum pctl_verb verb, const char *word)
{
	return (struct pctl_result){
		.name = "n1",
		.driver = "null",
		.address = "10.0.0.1",
		.verb = verb,
		.ok = true,
		.word = word,
		.state = PCTL_POWER_ON,
		.state_known = true,
	};
}

static struct pctl_result bad(enum pctl_verb verb, int code, const char *text)
{
	struct pctl_result r = good(verb, "error");

	r.ok = false;
	r.state_known = false;
	pctl_error_set(&r.error, code, "%s", text);
	return r;
}

static void assert_line(
	const struct pctl_result *r, const struct render_style *style, const char *expected)
{
	PCTL_AUTO(free) char *text = render_result(r, style);

	assert_string_equal(text, expected);
}

static void test_words(void **state)
{
	struct pctl_result r = good(PCTL_VERB_STATUS, "on");

	(void)state;
	assert_line(&r, &plain, "on");
	r = good(PCTL_VERB_OFF, "accepted");
	assert_line(&r, &plain, "accepted");
	r = good(PCTL_VERB_BOOTDEV, "ok");
	r.note = "held for the next on";
	assert_line(&r, &plain, "ok: held for the next on");
	r = good(PCTL_VERB_ON, "skipped");
	r.note = "PSU out, ticket 4711";
	assert_line(&r, &plain, "skipped: PSU out, ticket 4711");
}

static void test_errors(void **state)
{
	struct pctl_result r = bad(PCTL_VERB_ON, PCTL_E_UNREACHABLE, "no answer in 6 s");

	(void)state;
	assert_line(&r, &plain, "error: unreachable: no answer in 6 s");
	r.verb = PCTL_VERB_STATUS;
	assert_line(&r, &plain, "unknown: unreachable: no answer in 6 s");
	r = bad(PCTL_VERB_RESET, PCTL_E_OUTCOME_UNKNOWN, "answer lost");
	assert_line(&r, &plain, "error: outcome_unknown: answer lost");
}

static void test_verbose_adds_address_code_and_hint(void **state)
{
	struct pctl_result r = good(PCTL_VERB_STATUS, "on");

	(void)state;
	r.changing = true;
	assert_line(&r, &verbose, "on (10.0.0.1; changing)");
	r = bad(PCTL_VERB_ON, PCTL_E_AUTH, "refused");
	pctl_error_device_code(&r.error, "HTTP 401");
	PCTL_AUTO(free)
	char *expected = pctl_xasprintf(
		"error: auth: refused (10.0.0.1; HTTP 401; %s)", pctl_error_hint(PCTL_E_AUTH));
	assert_line(&r, &verbose, expected);
	assert_line(&r, &plain, "error: auth: refused");
	r = good(PCTL_VERB_STATUS, "on");
	r.address = "";
	assert_line(&r, &verbose, "on");
	r.changing = true;
	assert_line(&r, &verbose, "on (changing)");
}

static void test_verbose_lines_fold(void **state)
{
	const struct render_style folded = { .verbose = true, .folded = true };
	struct pctl_result r = good(PCTL_VERB_STATUS, "on");

	(void)state;
	assert_line(&r, &folded, "on");
	r = bad(PCTL_VERB_ON, PCTL_E_BUSY, "busy");
	pctl_error_device_code(&r.error, "HTTP 503");
	assert_line(&r, &folded, "error: busy: busy (HTTP 503; try again in a moment)");
}

/* The device has no part in it. */
static void test_a_deadline_has_its_own_hint(void **state)
{
	struct pctl_result r = bad(PCTL_VERB_ON, PCTL_E_TIMEOUT, "over");

	(void)state;
	pctl_error_flag(&r.error, PCTL_ERROR_DEADLINE);
	assert_line(&r, &verbose,
		"error: timeout: over (10.0.0.1; --deadline gives the command longer)");
	assert_line(
		&r, &mend, "error: timeout: over; to mend: --deadline gives the command longer");
}

static void test_a_certificate_of_ours_is_no_identity_of_its(void **state)
{
	struct pctl_result r = bad(PCTL_VERB_ON, PCTL_E_TRUST, "set client_cert");

	(void)state;
	pctl_error_flag(&r.error, PCTL_ERROR_OURS);
	assert_line(&r, &verbose, "error: trust: set client_cert (10.0.0.1)");
	assert_line(&r, &mend, "error: trust: set client_cert");
}

static void test_refused_login_says_whose_it_was(void **state)
{
	struct pctl_result r = bad(PCTL_VERB_ON, PCTL_E_AUTH, "password refused");

	(void)state;
	r.user = "root";
	assert_line(&r, &plain, "error: auth: password refused (user 'root')");
	r.credential = "bmc";
	assert_line(&r, &plain, "error: auth: password refused (credential 'bmc')");
	r = bad(PCTL_VERB_ON, PCTL_E_AUTH, "credential 'bmc' was refused by c1");
	r.credential = "bmc";
	assert_line(&r, &plain, "error: auth: credential 'bmc' was refused by c1");
	r = bad(PCTL_VERB_ON, PCTL_E_BUSY, "busy");
	r.credential = "bmc";
	assert_line(&r, &plain, "error: busy: busy");
}

static void test_check_says_what_mends(void **state)
{
	struct pctl_result r = bad(PCTL_VERB_STATUS, PCTL_E_TRUST, "another certificate");
	PCTL_AUTO(free) char *text = render_result(&r, &mend);

	(void)state;
	assert_non_null(strstr(text, "error: trust: another certificate; to mend: "));
	assert_non_null(strstr(text, "`powerctl trust --accept n1`"));
	assert_null(strstr(text, "NODE"));
	/* Of several in one line. */
	const struct render_style folded = { .mend = true, .folded = true };
	PCTL_AUTO(free) char *of_all = render_result(&r, &folded);
	assert_non_null(strstr(of_all, "`powerctl trust --accept NODE`"));
	/* One that its text says already is not said otherwise. */
	r = bad(PCTL_VERB_STATUS, PCTL_E_FORBIDDEN, "another password: `powerctl passwd` sets it");
	assert_line(&r, &mend, "error: forbidden: another password: `powerctl passwd` sets it");
}

static void test_devices_cannot_command_the_terminal(void **state)
{
	struct pctl_result r = bad(PCTL_VERB_ON, PCTL_E_REFUSED, "x");

	(void)state;
	(void)snprintf(r.error.text, sizeof(r.error.text),
		"a\033[2Jb\xc2\x9b"
		"c\xff"
		"d\xc3\xa4");
	assert_line(&r, &plain, "error: refused: a?[2Jb?c?d\xc3\xa4");
}

static struct pctl_value *sample(void)
{
	struct pctl_value *map = pctl_value_new_map(), *board = pctl_value_new_map();
	struct pctl_value *boot = pctl_value_new_list(), *cpus = pctl_value_new_list();
	struct pctl_value *cpu = pctl_value_new_map();

	pctl_value_set_text(map, "vendor", "In\ntel");
	pctl_value_set_int(board, "sockets", -2);
	pctl_value_set_bool(board, "uefi", true);
	pctl_value_set(map, "system", board);
	pctl_value_add(boot, pctl_value_new_text("pxe"));
	pctl_value_add(boot, pctl_value_new_text("disk"));
	pctl_value_set(map, "boot", boot);
	pctl_value_set_text(cpu, "model", "N100");
	pctl_value_add(cpus, cpu);
	pctl_value_set(map, "cpus", cpus);
	return map;
}

static void test_trees(void **state)
{
	struct pctl_result r = good(PCTL_VERB_INFO, "ok");
	struct pctl_value *tree = sample();

	(void)state;
	r.tree = tree;
	assert_line(&r, &indented,
		"\n  vendor: In?tel\n  system:\n    sockets: -2\n    uefi: true\n"
		"  boot: pxe, disk\n  cpus:\n    1:\n      model: N100");
	assert_line(&r, &plain,
		"vendor: In?tel\nsystem.sockets: -2\nsystem.uefi: true\nboot: pxe, disk\n"
		"cpus.1.model: N100");
	pctl_value_free(tree);
}

/* --- Events and sensors. ---------------------------------------------------------------------- */

static struct pctl_value *map_of(const char *const *words)
{
	struct pctl_value *map = pctl_value_new_map();

	for (; *words; words += 2)
		pctl_value_set_text(map, words[0], words[1]);
	return map;
}
#define MAP(...) map_of((const char *const[]){ __VA_ARGS__, NULL })

static struct pctl_value *tree_of(const char *key, struct pctl_value *const *take, size_t n)
{
	struct pctl_value *tree = pctl_value_new_map(), *list = pctl_value_new_list();

	for (size_t i = 0; i < n; i++)
		pctl_value_add(list, take[i]);
	pctl_value_set(tree, key, list);
	return tree;
}

static void test_events(void **state)
{
	struct pctl_result r = good(PCTL_VERB_LOG, "ok");
	struct pctl_value *const events[] = {
		MAP("time", "2026-11-20T21:04:05Z", "severity", "critical", "sensor", "PSU1",
			"event", "AC lost", "sensor_type", "power_supply", "raw", "ff"),
		MAP("sensor_type", "os\033", "event", "boot\nfailed"),
		MAP("severity", "ok", "time", "yesterday", "raw", "0102"),
	};
	struct pctl_value *tree = tree_of("events", events, 3);

	(void)state;
	pctl_value_set_bool(events[0], "asserted", false);
	pctl_value_set_bool(events[1], "asserted", true);
	r.tree = tree;
	assert_line(&r, &indented,
		"\n  2026-11-20 21:04:05Z  critical  PSU1: AC lost (ended)"
		"\n  -                     unknown   os?: boot?failed"
		"\n  yesterday             ok        not known, raw 0102");
	assert_line(&r, &plain,
		"2026-11-20 21:04:05Z  critical  PSU1: AC lost (ended)\n"
		"-                     unknown   os?: boot?failed\n"
		"yesterday             ok        not known, raw 0102");
	pctl_value_free(tree);
}

static void test_sensors(void **state)
{
	struct pctl_result r = good(PCTL_VERB_SENSORS, "ok");
	struct pctl_value *words = pctl_value_new_list();
	struct pctl_value *const sensors[] = {
		MAP("name",
			"L\xc3\xbc"
			"fter",
			"value", "-5.25", "unit",
			"\xc2\xb0"
			"C",
			"state", "ok"),
		MAP("name", "PSU", "unit", "W", "state", "critical"),
		MAP("value", "12"),
	};
	struct pctl_value *tree = tree_of("sensors", sensors, 3);

	(void)state;
	pctl_value_add(words, pctl_value_new_text("AC lost"));
	pctl_value_add(words, pctl_value_new_text("hot"));
	pctl_value_set(sensors[1], "events", words);
	r.tree = tree;
	assert_line(&r, &indented,
		"\n  L\xc3\xbc"
		"fter  -5.25 \xc2\xb0"
		"C  ok"
		"\n  PSU         -     critical  AC lost, hot"
		"\n  ?          12     unknown");
	pctl_value_free(tree);
}

static void test_empty_lists_say_so(void **state)
{
	struct pctl_result r = good(PCTL_VERB_LOG, "ok");
	struct pctl_value *tree = tree_of("events", NULL, 0);

	(void)state;
	r.tree = tree;
	r.note = "no new events";
	assert_line(&r, &indented, "no new events");
	assert_line(&r, &verbose, "no new events (10.0.0.1)");
	r.tree = NULL;
	r.word = "skipped";
	r.note = "PSU out";
	r.error.code = PCTL_E_SKIPPED;
	assert_line(&r, &plain, "skipped: PSU out");
	pctl_value_free(tree);
}

static void test_states_that_nobody_asked_for(void **state)
{
	static const struct {
		enum pctl_verb verb;
		bool known;
		const char *wanted;
	} rows[] = {
		{ PCTL_VERB_INFO, false, NULL },
		{ PCTL_VERB_METHOD, false, NULL },
		{ PCTL_VERB_METHOD, true, "on" },
		{ PCTL_VERB_STATUS, false, "unknown" },
		{ PCTL_VERB_BOOT, false, "unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct pctl_result r = good(rows[i].verb, "ok");

		r.state_known = rows[i].known;
		PCTL_AUTO(free) char *line = json_result(&r, "verb");
		json_t *json = json_loads(line, 0, NULL);
		const char *found = json_string_value(json_object_get(json, "state"));
		assert_true((found == NULL) == (rows[i].wanted == NULL));
		if (found)
			assert_string_equal(found, rows[i].wanted);
		json_decref(json);
	}
}

/* --- JSON. ------------------------------------------------------------------------------------ */

static const char *const keys[] = { "v", "time", "node", "driver", "address", "verb", "ok", "state",
	"changed", "confirmed", "attempts", "elapsed_ms", "result", "error", "feeds", "warning",
	"overtook", "via" };
#define KEYS (sizeof(keys) / sizeof(keys[0]))

/* All keys, no other, in this order. */
static json_t *parse(const struct pctl_result *r, const char *verb)
{
	PCTL_AUTO(free) char *line = json_result(r, verb);
	json_t *json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	const char *key;
	json_t *value;
	size_t i = 0;

	assert_non_null(json);
	assert_null(strchr(line, '\n'));
	assert_int_equal(json_object_size(json), KEYS);
	json_object_foreach(json, key, value)
	{
		assert_string_equal(key, keys[i]);
		i++;
	}
	return json;
}

static const char *text_at(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static void test_json_of_success(void **state)
{
	struct pctl_result r = good(PCTL_VERB_BOOT, "on");

	(void)state;
	r.changed = true;
	r.confirmed = "seen";
	r.attempts = 2;
	r.elapsed_ms = 1234;
	json_t *json = parse(&r, "pxeboot");
	assert_int_equal(json_integer_value(json_object_get(json, "v")), 1);
	assert_int_equal(strlen(text_at(json, "time")), strlen("2026-01-01T00:00:00.000Z"));
	assert_string_equal(text_at(json, "node"), "n1");
	assert_string_equal(text_at(json, "driver"), "null");
	assert_string_equal(text_at(json, "address"), "10.0.0.1");
	assert_string_equal(text_at(json, "verb"), "pxeboot");
	assert_true(json_is_true(json_object_get(json, "ok")));
	assert_string_equal(text_at(json, "state"), "on");
	assert_true(json_is_true(json_object_get(json, "changed")));
	assert_string_equal(text_at(json, "confirmed"), "seen");
	assert_int_equal(json_integer_value(json_object_get(json, "attempts")), 2);
	assert_int_equal(json_integer_value(json_object_get(json, "elapsed_ms")), 1234);
	assert_true(json_is_null(json_object_get(json, "result")));
	assert_true(json_is_null(json_object_get(json, "error")));
	json_decref(json);
}

static void test_json_of_failure(void **state)
{
	struct pctl_result r = bad(PCTL_VERB_STATUS, PCTL_E_UNREACHABLE, "no \"answer\"");

	(void)state;
	r.state = PCTL_POWER_ON; /* not known: must not be told */
	r.address = NULL;
	json_t *json = parse(&r, "status");
	const json_t *error = json_object_get(json, "error");
	assert_true(json_is_false(json_object_get(json, "ok")));
	assert_string_equal(text_at(json, "state"), "unknown");
	assert_true(json_is_null(json_object_get(json, "address")));
	assert_true(json_is_null(json_object_get(json, "confirmed")));
	assert_int_equal(json_object_size(error), 3);
	assert_string_equal(text_at(error, "class"), "unreachable");
	assert_string_equal(text_at(error, "message"), "no \"answer\"");
	assert_true(json_is_null(json_object_get(error, "code")));
	json_decref(json);

	pctl_error_device_code(&r.error, "AMT-STATUS 2");
	json = parse(&r, "status");
	assert_string_equal(text_at(json_object_get(json, "error"), "code"), "AMT-STATUS 2");
	json_decref(json);
}

static void test_json_of_trees_and_notes(void **state)
{
	struct pctl_result r = good(PCTL_VERB_INFO, "ok");
	struct pctl_value *tree = sample();

	(void)state;
	r.tree = tree;
	json_t *json = parse(&r, "info");
	const json_t *result = json_object_get(json, "result");
	assert_string_equal(text_at(result, "vendor"), "In\ntel");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(result, "system"), "sockets")),
		-2);
	assert_int_equal(json_array_size(json_object_get(result, "boot")), 2);
	json_decref(json);
	pctl_value_free(tree);

	r = good(PCTL_VERB_BOOTDEV, "ok");
	r.note = "held";
	json = parse(&r, "bootdev");
	assert_string_equal(text_at(json_object_get(json, "result"), "note"), "held");
	json_decref(json);
}

static void test_json_of_what_is_no_utf8(void **state)
{
	struct pctl_result r = bad(PCTL_VERB_ON, PCTL_E_REFUSED, "x");

	(void)state;
	(void)snprintf(r.error.text, sizeof(r.error.text), "\xff\xc0\x80\xed\xa0\x80 \xe2\x82\xac");
	json_t *json = parse(&r, "on");
	assert_string_equal(
		text_at(json_object_get(json, "error"), "message"), "?????? \xe2\x82\xac");
	json_decref(json);
}

/* --- Counts. ---------------------------------------------------------------------------------- */

static void count(struct tally *t, size_t n, const struct pctl_result *r)
{
	for (size_t i = 0; i < n; i++)
		tally_add(t, r);
}

static struct tally tally_of(int code, size_t n, int other, size_t m)
{
	struct tally t = { .total = n + m };
	struct pctl_result a = bad(PCTL_VERB_ON, code, "x"), b = bad(PCTL_VERB_ON, other, "x");

	count(&t, n, &a);
	count(&t, m, &b);
	return t;
}

static void test_summary(void **state)
{
	struct tally t = { .total = 4000 };
	struct pctl_result on = good(PCTL_VERB_ON, "on");
	struct pctl_result dead = bad(PCTL_VERB_ON, PCTL_E_UNREACHABLE, "x");
	struct pctl_result refused = bad(PCTL_VERB_ON, PCTL_E_AUTH, "x");
	struct pctl_buf buf;

	(void)state;
	count(&t, 3, &refused);
	count(&t, 9, &dead);
	count(&t, 3988, &on);
	pctl_buf_init(&buf, 1000);
	tally_summary(&t, &buf);
	assert_string_equal(buf.data, "3,988 on, 12 failed (9 unreachable, 3 auth)");
	pctl_buf_cut(&buf, 0);
	progress_text(&buf, "on", &t, 12900);
	assert_string_equal(buf.data, "on: 4000/4000 done, 12 failed, 12 s");
	pctl_buf_cut(&buf, 0);
	t.waiting = 312;
	progress_text(&buf, "on", &t, 12900);
	assert_string_equal(
		buf.data, "on: 4000/4000 done, 12 failed, 312 waiting for places, 12 s");
	pctl_buf_cut(&buf, 0);
	t.locked_out = 1499;
	progress_text(&buf, "on", &t, 12900);
	assert_string_equal(buf.data, "on: 4000/4000 done, 12 failed, 312 waiting for places, "
				      "1499 waiting for other commands, 12 s");
	pctl_buf_done(&buf);
}

static void test_exit_status(void **state)
{
	struct tally t = { .total = 1 };
	struct pctl_result skipped = good(PCTL_VERB_ON, "skipped");

	(void)state;
	tally_add(&t, &skipped);
	assert_int_equal(tally_status(&t, false), 0);
	assert_int_equal(tally_status(&t, true), 0);
	t = tally_of(PCTL_E_UNREACHABLE, 2, 0, 0);
	assert_int_equal(tally_status(&t, false), 1);
	assert_int_equal(tally_status(&t, true), 3);
	t = tally_of(PCTL_E_AUTH, 2, PCTL_E_TRUST, 1);
	assert_int_equal(tally_status(&t, true), 4);
	t = tally_of(PCTL_E_TIMEOUT, 2, PCTL_E_OUTCOME_UNKNOWN, 1);
	assert_int_equal(tally_status(&t, true), 5);
	t = tally_of(PCTL_E_TIMEOUT, 2, PCTL_E_AUTH, 1);
	assert_int_equal(tally_status(&t, true), 1);
	t = tally_of(PCTL_E_REFUSED, 1, 0, 0);
	assert_int_equal(tally_status(&t, true), 1);
}

static void test_counts_are_readable(void **state)
{
	char buf[TEXT_COUNT_SIZE];

	(void)state;
	assert_string_equal(text_count(0, buf), "0");
	assert_string_equal(text_count(999, buf), "999");
	assert_string_equal(text_count(1000, buf), "1,000");
	assert_string_equal(text_count(UINT64_MAX, buf), "18,446,744,073,709,551,615");
}

static void test_secrets_are_known_by_name(void **state)
{
	static const char *const secrets[] = { "password", "bmc_password", "kg", "api_token",
		"apikey" };
	static const char *const others[] = { "password_file", "password_env", "password_command",
		"username", "address", "keyboard", "port" };

	(void)state;
	for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++)
		assert_true(pctl_key_is_secret(secrets[i]));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(pctl_key_is_secret(others[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_verbose_adds_address_code_and_hint),
		cmocka_unit_test(test_verbose_lines_fold),
		cmocka_unit_test(test_a_deadline_has_its_own_hint),
		cmocka_unit_test(test_refused_login_says_whose_it_was),
		cmocka_unit_test(test_a_certificate_of_ours_is_no_identity_of_its),
		cmocka_unit_test(test_check_says_what_mends),
		cmocka_unit_test(test_devices_cannot_command_the_terminal),
		cmocka_unit_test(test_trees),
		cmocka_unit_test(test_events),
		cmocka_unit_test(test_sensors),
		cmocka_unit_test(test_empty_lists_say_so),
		cmocka_unit_test(test_states_that_nobody_asked_for),
		cmocka_unit_test(test_json_of_success),
		cmocka_unit_test(test_json_of_failure),
		cmocka_unit_test(test_json_of_trees_and_notes),
		cmocka_unit_test(test_json_of_what_is_no_utf8),
		cmocka_unit_test(test_summary),
		cmocka_unit_test(test_exit_status),
		cmocka_unit_test(test_counts_are_readable),
		cmocka_unit_test(test_secrets_are_known_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
