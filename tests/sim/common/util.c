/* SPDX-License-Identifier: Apache-2.0 */
#include "util.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct str str_of(const char *text)
{
	return (struct str){ text, strlen(text) };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct str str_trim(struct str s)
{
	while (s.n && is_blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n && is_blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

bool str_eq(struct str a, struct str b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

bool str_is(struct str s, const char *text)
{
	return str_eq(s, str_of(text));
}

bool str_is_nocase(struct str s, const char *text)
{
	return s.n == strlen(text) && strncasecmp(s.p, text, s.n) == 0;
}

bool str_starts(struct str s, const char *text)
{
	size_t n = strlen(text);

	return s.n >= n && memcmp(s.p, text, n) == 0;
}

bool str_copy(struct str s, char *out, size_t size)
{
	if (s.n >= size)
		return false;
	if (s.n)
		memcpy(out, s.p, s.n);
	out[s.n] = '\0';
	return true;
}

bool str_split(struct str *rest, char sep, struct str *ret_part)
{
	if (!rest->p)
		return false;

	const char *end = rest->n ? memchr(rest->p, sep, rest->n) : NULL;

	if (!end) {
		*ret_part = *rest;
		*rest = (struct str){ NULL, 0 };
		return true;
	}
	*ret_part = (struct str){ rest->p, (size_t)(end - rest->p) };
	rest->n -= ret_part->n + 1;
	rest->p = end + 1;
	return true;
}

bool parse_uint(struct str s, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (!s.n || s.n > 20)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		unsigned digit = (unsigned)(s.p[i] - '0');

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	if (value > max)
		return false;
	*ret_value = value;
	return true;
}

bool parse_int(struct str s, uint64_t max, int64_t *ret_value)
{
	bool minus = str_starts(s, "-");
	uint64_t value;

	if (minus) {
		s.p++;
		s.n--;
	}
	if (!parse_uint(s, max, &value))
		return false;
	*ret_value = minus ? -(int64_t)value : (int64_t)value;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool parse_hex(struct str s, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (!s.n || s.n > 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		int digit = hex_digit(s.p[i]);

		if (digit < 0)
			return false;
		value = value << 4 | (unsigned)digit;
	}
	if (value > max)
		return false;
	*ret_value = value;
	return true;
}

int hex_decode(struct str s, uint8_t *out, size_t size)
{
	if (s.n % 2 || s.n / 2 > size)
		return -1;
	for (size_t i = 0; i < s.n / 2; i++) {
		int high = hex_digit(s.p[2 * i]), low = hex_digit(s.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return -1;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return (int)(s.n / 2);
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n ? n : 1, size);

	if (!p)
		abort();
	return p;
}

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max };
}

void buf_done(struct buf *b)
{
	free(b->p);
	b->p = NULL;
	b->n = b->cap = 0;
}

static void grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : 1024;

	while (cap < need)
		cap *= 2;
	b->p = realloc(b->p, cap);
	if (!b->p)
		abort();
	b->cap = cap;
}

void buf_add(struct buf *b, const char *p, size_t n)
{
	if (n > b->max - b->n) {
		n = b->max - b->n;
		b->over = true;
	}
	if (!n)
		return;
	if (b->n + n > b->cap)
		grow(b, b->n + n);
	memcpy(b->p + b->n, p, n);
	b->n += n;
}

void buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void buf_text(struct buf *b, const char *text)
{
	buf_add(b, text, strlen(text));
}

void buf_char(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void buf_uint(struct buf *b, uint64_t value)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	buf_add(b, digits + at, sizeof(digits) - at);
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	int n = vsnprintf(text, sizeof(text), fmt, args);

	va_end(args);
	if (n < 0)
		return;
	if ((size_t)n >= sizeof(text)) {
		n = (int)sizeof(text) - 1;
		b->over = true;
	}
	buf_add(b, text, (size_t)n);
}

static const char *xml_entity(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	default:
		return NULL;
	}
}

void buf_xml(struct buf *b, struct str s)
{
	size_t from = 0;

	for (size_t i = 0; i < s.n; i++) {
		const char *entity = xml_entity(s.p[i]);

		if (!entity)
			continue;
		buf_add(b, s.p + from, i - from);
		buf_text(b, entity);
		from = i + 1;
	}
	buf_add(b, s.p + from, s.n - from);
}

void buf_json(struct buf *b, struct str s)
{
	buf_char(b, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];

		if (c == '"' || c == '\\')
			buf_char(b, '\\');
		if (c < 0x20)
			buf_fmt(b, "\\u%04x", c);
		else
			buf_char(b, (char)c);
	}
	buf_char(b, '"');
}

void buf_hex(struct buf *b, const uint8_t *p, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < n; i++) {
		buf_char(b, digits[p[i] >> 4]);
		buf_char(b, digits[p[i] & 15]);
	}
}

void hex_text(const uint8_t *p, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[p[i] >> 4];
		out[2 * i + 1] = digits[p[i] & 15];
	}
	out[2 * n] = '\0';
}

void uuid_text(const uint8_t uuid[16], char out[UUID_TEXT])
{
	for (size_t i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		snprintf(out, 3, "%02x", uuid[i]);
		out += 2;
	}
}

void buf_drop(struct buf *b, size_t n)
{
	if (n && n < b->n)
		memmove(b->p, b->p + n, b->n - n);
	b->n = n < b->n ? b->n - n : 0;
}

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const uint8_t *p, size_t n, char *out)
{
	for (size_t i = 0; i < n; i += 3) {
		unsigned v = (unsigned)p[i] << 16;

		v |= i + 1 < n ? (unsigned)p[i + 1] << 8 : 0;
		v |= i + 2 < n ? p[i + 2] : 0;
		*out++ = base64_digits[v >> 18];
		*out++ = base64_digits[v >> 12 & 63];
		*out++ = i + 1 < n ? base64_digits[v >> 6 & 63] : '=';
		*out++ = i + 2 < n ? base64_digits[v & 63] : '=';
	}
	*out = '\0';
}

int base64_decode(struct str s, uint8_t *out, size_t size)
{
	unsigned bits = 0, value = 0;
	size_t n = 0;

	if (s.n % 4)
		return -1;
	while (s.n && s.p[s.n - 1] == '=')
		s.n--;
	for (size_t i = 0; i < s.n; i++) {
		const char *digit = s.p[i] ? strchr(base64_digits, s.p[i]) : NULL;

		if (!digit || n >= size)
			return -1;
		value = value << 6 | (unsigned)(digit - base64_digits);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (uint8_t)(value >> bits);
		}
	}
	return (int)n;
}
