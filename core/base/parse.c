/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/parse.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int pctl_parse_uint(const char *s, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0;

	if (!*s)
		return PCTL_E_CONFIG;
	for (; *s; s++) {
		unsigned digit = (unsigned)*s - '0';

		if (digit > 9 || digit > max || n > (max - digit) / 10)
			return PCTL_E_CONFIG;
		n = n * 10 + digit;
	}
	*ret = n;
	return 0;
}

int pctl_parse_bool(const char *s, bool *ret)
{
	static const char *const words[] = { "false", "true", "no", "yes", "off", "on", NULL };
	int i = pctl_parse_choice(s, words);

	if (i < 0)
		return i;
	*ret = i % 2;
	return 0;
}

/* Digits with at most one point, in thousandths; *s is moved behind them. */
static int thousandths(const char **s, uint64_t max, uint64_t *ret)
{
	uint64_t n = 0, unit = 1000;
	bool point = false, any = false;

	for (;; (*s)++) {
		uint64_t digit = (uint64_t)(unsigned char)**s - '0';

		if (**s == '.' && !point) {
			point = true;
			continue;
		}
		if (digit > 9)
			break;
		any = true;
		if (point) {
			unit /= 10;
			n += digit * unit;
		} else {
			n = n * 10 + digit * 1000;
		}
		if (n > max * 1000)
			return PCTL_E_CONFIG;
	}
	*ret = n;
	return any ? 0 : PCTL_E_CONFIG;
}

int pctl_parse_duration(const char *s, uint64_t *ret_ms)
{
	static const struct {
		const char *name;
		uint64_t ms;
	} units[] = { { "", 1000 }, { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
	const uint64_t most = 1000000000; /* 30 years in seconds */
	uint64_t n;

	if (thousandths(&s, most, &n) < 0)
		return PCTL_E_CONFIG;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(s, units[i].name) != 0)
			continue;
		*ret_ms = n * units[i].ms / 1000;
		return 0;
	}
	return PCTL_E_CONFIG;
}

int pctl_parse_choice(const char *s, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(s, words[i]) == 0)
			return i;
	return PCTL_E_CONFIG;
}

#define NEAREST_MAX ((size_t)64)

/* Edits (insert, delete, replace, swap of neighbours) between two short words. */
static size_t distance(const char *a, const char *b)
{
	size_t rows[3][NEAREST_MAX + 1];
	size_t la = strlen(a), lb = strlen(b);

	for (size_t j = 0; j <= lb; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = up[j - 1] + (a[i - 1] != b[j - 1]);

			best = up[j] + 1 < best ? up[j] + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
				up2[j - 2] + 1 < best)
				best = up2[j - 2] + 1;
			row[j] = best;
		}
	}
	return rows[la % 3][lb];
}

static size_t longer(size_t a, size_t b)
{
	return a > b ? a : b;
}

const char *pctl_parse_nearest(const char *s, const char *const *words)
{
	const char *best = NULL;
	size_t len = strlen(s), least = 3;

	if (len > NEAREST_MAX)
		return NULL;
	for (; *words; words++) {
		if (strlen(*words) > NEAREST_MAX)
			continue;
		size_t d = distance(s, *words);
		if (d < least && d * 2 < longer(len, strlen(*words))) {
			least = d;
			best = *words;
		}
	}
	return best;
}

const char *pctl_format_duration(uint64_t ms, char *buf, size_t size)
{
	if (ms < 1000)
		(void)snprintf(buf, size, "%" PRIu64 " ms", ms);
	else if (ms % 1000 >= 50 && ms < 10000)
		(void)snprintf(buf, size, "%" PRIu64 ".%" PRIu64 " s", ms / 1000, ms % 1000 / 100);
	else if (ms >= 120000 && ms % 60000 == 0)
		(void)snprintf(buf, size, "%" PRIu64 " m", ms / 60000);
	else
		(void)snprintf(buf, size, "%" PRIu64 " s", ms / 1000);
	return buf;
}
