/* SPDX-License-Identifier: Apache-2.0 */
/* Metrics for Prometheus: labels that hold anything, times at the bounds of the histogram. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "metrics.h"

static void write_one(struct pctl_buf *text, const struct pctl_result *results, size_t n)
{
	struct metrics *m = metrics_new();

	for (size_t i = 0; i < n; i++)
		metrics_add(m, &results[i]);
	pctl_buf_init(text, 1u << 20);
	metrics_write(m, &(struct metrics_run){ .ended_ms = 61005, .took_ms = 7 }, text);
	metrics_free(m);
	assert_false(text->full);
}

static void test_labels(void **state)
{
	const struct pctl_result r = {
		.name = "a\\b\"c\nd\xff}\xc3\xb6,",
		.driver = "null",
		.ok = true,
		.state = PCTL_POWER_OFF,
		.state_known = true,
	};
	struct pctl_buf text;

	(void)state;
	write_one(&text, &r, 1);
	assert_non_null(strstr(text.data,
		"powerctl_node_up{node=\"a\\\\b\\\"c\\nd?}\xc3\xb6,\",driver=\"null\"} 1\n"));
	assert_non_null(strstr(text.data, "d?}\xc3\xb6,\",driver=\"null\",state=\"off\"} 1\n"));
	assert_non_null(strstr(text.data, "\npowerctl_run_timestamp_seconds 61.005\n"));
	assert_non_null(strstr(text.data, "\npowerctl_run_duration_seconds 0.007\n"));
	pctl_buf_done(&text);
}

/* What was read before an error says nothing of now; a state that nobody read is not up. */
static void test_unknown(void **state)
{
	const struct pctl_result results[] = {
		{ .node = 1,
			.name = "b",
			.state = PCTL_POWER_OFF,
			.state_known = true,
			.error.code = PCTL_E_TIMEOUT },
		{ .node = 0, .name = "a", .ok = true, .state = PCTL_POWER_OFF },
		{ .node = 2, .name = "c", .ok = true, .error.code = PCTL_E_SKIPPED },
	};
	struct pctl_buf text;

	(void)state;
	write_one(&text, results, 3);
	assert_non_null(strstr(text.data, "powerctl_node_up{node=\"a\",driver=\"\"} 0\n"
					  "powerctl_node_up{node=\"b\",driver=\"\"} 0\n#"));
	assert_non_null(strstr(text.data, "\npowerctl_nodes{state=\"off\"} 0\n"));
	assert_non_null(strstr(text.data, "\npowerctl_nodes{state=\"unknown\"} 2\n"));
	assert_non_null(strstr(text.data, "\npowerctl_nodes{state=\"maintenance\"} 1\n"));
	assert_non_null(strstr(text.data, "\npowerctl_errors{class=\"timeout\"} 1\n"));
	assert_null(strstr(text.data, "skipped"));
	pctl_buf_done(&text);
}

static void test_times(void **state)
{
	struct pctl_result results[3] = { 0 };
	struct pctl_buf text;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		results[i] = (struct pctl_result){ .node = i, .name = "n", .ok = true };
	results[0].elapsed_ms = 100;
	results[1].elapsed_ms = 101;
	results[2].elapsed_ms = 3600000;
	write_one(&text, results, 3);
	assert_non_null(strstr(text.data, "_bucket{le=\"0.05\"} 0\n"));
	assert_non_null(strstr(text.data, "_bucket{le=\"0.1\"} 1\n"));
	assert_non_null(strstr(text.data, "_bucket{le=\"0.25\"} 2\n"));
	assert_non_null(strstr(text.data, "_bucket{le=\"30\"} 2\n"));
	assert_non_null(strstr(text.data, "_bucket{le=\"+Inf\"} 3\n"));
	assert_non_null(strstr(text.data, "_sum 3600.201\n"));
	pctl_buf_done(&text);
}

static void test_none(void **state)
{
	struct pctl_buf text;

	(void)state;
	write_one(&text, NULL, 0);
	assert_non_null(strstr(text.data, "\npowerctl_node_duration_seconds_count 0\n"));
	assert_null(strstr(text.data, "\n\n"));
	pctl_buf_done(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
