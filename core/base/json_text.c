/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json_text.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

/*
 * The code point at s and how many bytes it has; 0: there is no UTF-8 (Unicode 15, table 3-7:
 * overlong forms and surrogates are none).
 */
static size_t decode(const unsigned char *s, uint32_t *ret)
{
	static const struct {
		unsigned char first, last, least, most, len, mask;
	} rows[] = {
		{ 0xc2, 0xdf, 0x80, 0xbf, 2, 0x1f },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3, 0x0f },
		{ 0xe1, 0xec, 0x80, 0xbf, 3, 0x0f },
		{ 0xed, 0xed, 0x80, 0x9f, 3, 0x0f },
		{ 0xee, 0xef, 0x80, 0xbf, 3, 0x0f },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4, 0x07 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4, 0x07 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4, 0x07 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (s[0] < rows[i].first || s[0] > rows[i].last)
			continue;
		if (s[1] < rows[i].least || s[1] > rows[i].most)
			return 0;
		uint32_t c = s[0] & rows[i].mask;
		for (size_t k = 1; k < rows[i].len; k++) {
			if (s[k] < 0x80 || s[k] > 0xbf)
				return 0;
			c = c << 6 | (s[k] & 0x3f);
		}
		*ret = c;
		return rows[i].len;
	}
	return 0;
}

static void add_point(struct pctl_buf *buf, uint32_t c)
{
	if (c >= 0x10000)
		pctl_buf_addf(buf, "\\u%04x\\u%04x", (unsigned)(0xd800 + ((c - 0x10000) >> 10)),
			(unsigned)(0xdc00 + ((c - 0x10000) & 0x3ff)));
	else
		pctl_buf_addf(buf, "\\u%04x", (unsigned)c);
}

/* Adds what is not plain. Returns how many bytes that was. */
static size_t add_special(struct pctl_buf *buf, const unsigned char *s)
{
	uint32_t c = *s;
	size_t len = 1;

	if (*s == '"' || *s == '\\') {
		pctl_buf_addf(buf, "\\%c", *s);
	} else if (*s < 0x80) {
		add_point(buf, c);
	} else {
		len = decode(s, &c);
		if (len)
			add_point(buf, c);
		else
			pctl_buf_adds(buf, "?");
	}
	return len ? len : 1;
}

static size_t plain_length(const unsigned char *s)
{
	size_t n = 0;

	while (s[n] >= 0x20 && s[n] < 0x7f && s[n] != '"' && s[n] != '\\')
		n++;
	return n;
}

void pctl_json_text(struct pctl_buf *buf, const char *s)
{
	const unsigned char *at = (const unsigned char *)s;

	if (!s) {
		pctl_buf_adds(buf, "null");
		return;
	}
	pctl_buf_add(buf, "\"", 1);
	while (*at) {
		size_t n = plain_length(at);

		if (n)
			pctl_buf_add(buf, at, n);
		else
			n = add_special(buf, at);
		at += n;
	}
	pctl_buf_add(buf, "\"", 1);
}

static void add_key(struct pctl_buf *buf, const char *key)
{
	pctl_buf_add(buf, ",\"", 2);
	pctl_buf_adds(buf, key);
	pctl_buf_add(buf, "\":", 2);
}

void pctl_json_add_text(struct pctl_buf *buf, const char *key, const char *s)
{
	add_key(buf, key);
	pctl_json_text(buf, s);
}

void pctl_json_add_uint(struct pctl_buf *buf, const char *key, uint64_t n)
{
	char digits[24], *at = digits + sizeof(digits);

	do
		*--at = (char)('0' + n % 10);
	while (n /= 10);
	add_key(buf, key);
	pctl_buf_add(buf, at, (size_t)(digits + sizeof(digits) - at));
}

void pctl_json_add_bool(struct pctl_buf *buf, const char *key, bool b)
{
	add_key(buf, key);
	pctl_buf_adds(buf, b ? "true" : "false");
}

void pctl_json_add_error(struct pctl_buf *buf, const char *key, const struct pctl_error *err)
{
	add_key(buf, key);
	if (!err->code) {
		pctl_buf_adds(buf, "null");
		return;
	}
	pctl_buf_adds(buf, "{\"class\":");
	pctl_json_text(buf, pctl_error_name(err->code));
	pctl_json_add_text(buf, "message", err->text);
	pctl_json_add_text(buf, "code", *err->device_code ? err->device_code : NULL);
	pctl_buf_adds(buf, "}");
}

const char *pctl_json_now(char buf[PCTL_JSON_TIME_SIZE])
{
	struct timespec ts = { 0 };
	struct tm tm = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	size_t n = strftime(buf, PCTL_JSON_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + n, PCTL_JSON_TIME_SIZE - n, ".%03uZ",
		(unsigned)(ts.tv_nsec / 1000000) % 1000);
	return buf;
}
