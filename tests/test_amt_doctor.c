/* SPDX-License-Identifier: Apache-2.0 */
/* Which known holes a version of AMT's firmware has, at the borders of each range. */
#include "test.h"

#include "doctor/advisories.h"

struct row {
	const char *version, *open, *others;
	const char *fixed; /* of both; "": nothing was found */
	bool never;
};

static const struct row rows[] = {
	/* Before AMT had any of them, and what is too new for all. */
	{ "2.2.20", "", "", "", false },
	{ "15.0.42", "", "", "", false },
	{ "16.1.25.2049", "", "", "", false },
	{ "14.0.45", "", "", "", false },
	{ "13.0.32", "", "", "", false },
	{ "3.0", "INTEL-SA-00112", "", "", true },
	{ "6.0.0", "INTEL-SA-00075, INTEL-SA-00112", "", "6.2.61", true },
	{ "6.2.60", "INTEL-SA-00075, INTEL-SA-00112", "", "6.2.61", true },
	{ "6.2.61.3535", "INTEL-SA-00112", "", "", true },
	{ "7.1.90", "INTEL-SA-00075, INTEL-SA-00112", "", "7.1.91", true },
	{ "7.1.91.3272", "INTEL-SA-00112", "", "", true },
	{ "8.1.70", "INTEL-SA-00075, INTEL-SA-00112", "", "8.1.71", true },
	{ "8.1.71", "INTEL-SA-00112", "", "", true },
	{ "9.0.0", "INTEL-SA-00075", "", "9.1.41", false },
	{ "9.1.40", "INTEL-SA-00075", "", "9.1.41", false },
	{ "9.1.41.3024", "", "", "", false },
	{ "9.5.60", "INTEL-SA-00075", "", "9.5.61", false },
	{ "9.5.61", "", "", "", false },
	{ "10.0.54", "INTEL-SA-00075", "", "10.0.55", false },
	{ "10.0.55.3000", "", "", "", false },
	{ "11.0.24",
		"INTEL-SA-00075, INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00086, INTEL-SA-00213", "11.8.80", false },
	{ "11.0.25", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00086, INTEL-SA-00213", "11.8.80", false },
	{ "11.6.26",
		"INTEL-SA-00075, INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00086, INTEL-SA-00213", "11.8.80", false },
	{ "11.6.27.3264", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00086, INTEL-SA-00213", "11.8.80", false },
	{ "11.7.99", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00086, INTEL-SA-00213", "11.8.80", false },
	{ "11.8.50.3425", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00213", "11.8.80", false },
	{ "11.8.64", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00213", "11.8.80", false },
	{ "11.8.65", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404", "",
		"11.8.80", false },
	{ "11.8.69", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404", "",
		"11.8.80", false },
	{ "11.8.70", "INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404", "", "11.8.80", false },
	{ "11.8.76", "INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404", "", "11.8.80", false },
	{ "11.8.77", "INTEL-SA-00391, INTEL-SA-00404", "", "11.8.80", false },
	{ "11.8.78", "INTEL-SA-00391, INTEL-SA-00404", "", "11.8.80", false },
	{ "11.8.79", "INTEL-SA-00391", "", "11.8.80", false },
	{ "11.8.80", "", "", "", false },
	/* Lines of their own, though 11.8.80 is before them. */
	{ "11.10.0", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00086, INTEL-SA-00213", "11.12.80", false },
	{ "11.11.64", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00213", "11.12.80", false },
	{ "11.11.70", "INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404", "", "11.12.80", false },
	{ "11.11.77", "INTEL-SA-00391, INTEL-SA-00404", "", "11.12.80", false },
	{ "11.12.78", "INTEL-SA-00391, INTEL-SA-00404", "", "11.12.80", false },
	{ "11.12.79", "INTEL-SA-00391", "", "11.12.80", false },
	{ "11.12.80", "", "", "", false },
	{ "11.20.10", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00086, INTEL-SA-00213", "11.22.80", false },
	{ "11.21.0", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00213", "11.22.80", false },
	{ "11.22.65", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404", "",
		"11.22.80", false },
	{ "11.22.70", "INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404", "", "11.22.80", false },
	{ "11.22.77", "INTEL-SA-00391, INTEL-SA-00404", "", "11.22.80", false },
	{ "11.22.79", "INTEL-SA-00391", "", "11.22.80", false },
	{ "11.22.80", "", "", "", false },
	{ "12.0.4", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00141, INTEL-SA-00213", "12.0.70", false },
	{ "12.0.5", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00213", "12.0.70", false },
	{ "12.0.34", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404",
		"INTEL-SA-00213", "12.0.70", false },
	{ "12.0.35", "INTEL-SA-00241, INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404", "",
		"12.0.70", false },
	{ "12.0.45", "INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404", "", "12.0.70", false },
	{ "12.0.63", "INTEL-SA-00295, INTEL-SA-00391, INTEL-SA-00404", "", "12.0.70", false },
	{ "12.0.64", "INTEL-SA-00391, INTEL-SA-00404", "", "12.0.70", false },
	{ "12.0.67.1579", "INTEL-SA-00391, INTEL-SA-00404", "", "12.0.70", false },
	{ "12.0.68", "INTEL-SA-00391", "", "12.0.70", false },
	{ "12.0.69", "INTEL-SA-00391", "", "12.0.70", false },
	{ "12.0.70", "", "", "", false },
	{ "14.0.38", "INTEL-SA-00391, INTEL-SA-00404", "", "14.0.45", false },
	{ "14.0.39", "INTEL-SA-00391", "", "14.0.45", false },
	{ "14.0.44", "INTEL-SA-00391", "", "14.0.45", false },
};

static unsigned count(const char *ids)
{
	unsigned n = *ids ? 1 : 0;

	for (const char *c = strchr(ids, ','); c; c = strchr(c + 1, ','))
		n++;
	return n;
}

static void test_borders(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *r = &rows[i];
		struct advisories_end end = { 0 };
		struct pctl_buf open, others;
		struct version v;
		char fixed[48] = "";

		pctl_buf_init(&open, 1024);
		pctl_buf_init(&others, 1024);
		assert_true(version_parse(r->version, &v));
		assert_int_equal(advisories_find(&v, true, &open, &end), count(r->open));
		assert_int_equal(advisories_find(&v, false, &others, &end), count(r->others));
		if (strcmp(open.data, r->open) != 0 || strcmp(others.data, r->others) != 0)
			print_message("# %s\n", r->version);
		assert_string_equal(open.data, r->open);
		assert_string_equal(others.data, r->others);
		assert_int_equal(end.never, r->never);
		if (end.fixed.major)
			(void)snprintf(fixed, sizeof(fixed), "%u.%u.%u", end.fixed.major,
				end.fixed.minor, end.fixed.patch);
		assert_string_equal(fixed, r->fixed);
		pctl_buf_done(&open);
		pctl_buf_done(&others);
	}
}

/* The older table, which `info` tells of, says the same of its one advisory. */
static void test_agrees_with_info(void **state)
{
	(void)state;
	for (uint32_t major = 1; major < 20; major++)
		for (uint32_t minor = 0; minor < 30; minor++)
			for (uint32_t patch = 0; patch < 100; patch++) {
				const struct version v = { major, minor, patch };
				struct advisories_end end = { 0 };
				struct pctl_buf ids;

				pctl_buf_init(&ids, 1024);
				(void)advisories_find(&v, true, &ids, &end);
				assert_int_equal(strstr(ids.data, "INTEL-SA-00075") != NULL,
					version_cve_2017_5689(&v) == CVE_VULNERABLE);
				pctl_buf_done(&ids);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_borders),
		cmocka_unit_test(test_agrees_with_info),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
