/* SPDX-License-Identifier: Apache-2.0 */
#include "version.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/parse.h>

#define DIGITS "0123456789"

static bool number(const char **s, uint32_t *ret)
{
	size_t len = strspn(*s, DIGITS);
	char digits[12];
	uint64_t n;

	if (!len || len >= sizeof(digits))
		return false;
	(void)snprintf(digits, sizeof(digits), "%.*s", (int)len, *s);
	if (pctl_parse_uint(digits, UINT32_MAX, &n) < 0)
		return false;
	*ret = (uint32_t)n;
	*s += len;
	return true;
}

bool version_parse(const char *s, struct version *ret)
{
	struct version v = { 0 };

	if (!number(&s, &v.major) || *s++ != '.' || !number(&s, &v.minor))
		return false;
	if (*s == '.') {
		s++;
		if (!number(&s, &v.patch))
			return false;
	}
	*ret = v;
	return true;
}

const char *version_in_server(const char *header)
{
	const char *last = strrchr(header, ' ');
	struct version v;

	if (!strstr(header, "Active Management Technology") || !last ||
		!version_parse(last + 1, &v))
		return NULL;
	return last + 1;
}

/* A line of firmware begins at first and is sound from fixed on. */
static const struct {
	struct version first, fixed;
} lines[] = {
	{ { 6, 0, 0 }, { 6, 2, 61 } },
	{ { 7, 0, 0 }, { 7, 1, 91 } },
	{ { 8, 0, 0 }, { 8, 1, 71 } },
	{ { 9, 0, 0 }, { 9, 1, 41 } },
	{ { 9, 5, 0 }, { 9, 5, 61 } },
	{ { 10, 0, 0 }, { 10, 0, 55 } },
	{ { 11, 0, 0 }, { 11, 0, 25 } },
	{ { 11, 1, 0 }, { 11, 6, 27 } },
};

bool version_before(const struct version *a, const struct version *b)
{
	if (a->major != b->major)
		return a->major < b->major;
	if (a->minor != b->minor)
		return a->minor < b->minor;
	return a->patch < b->patch;
}

enum cve_state version_cve_2017_5689(const struct version *version)
{
	const struct version *sound = NULL;

	if (version->major < 6 || version->major > 11)
		return CVE_NOT_AFFECTED;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (!version_before(version, &lines[i].first))
			sound = &lines[i].fixed;
	}
	return version_before(version, sound) ? CVE_VULNERABLE : CVE_FIXED;
}

#define SKU_STANDARD 0x10u /* Intel Standard Manageability: no KVM */
#define SKU_PRO      0x08u
#define SKU_COMPANY  0x4000u

const char *version_sku(uint64_t sku, uint32_t major)
{
	if (major < 5)
		return sku & SKU_PRO ? "Intel AMT" : "other";
	if (sku & SKU_STANDARD)
		return "Intel Standard Manageability";
	if (!(sku & SKU_PRO))
		return "other";
	return sku & SKU_COMPANY ? "Intel AMT Pro Corporate" : "Intel AMT Pro";
}
