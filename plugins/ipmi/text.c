/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "text.h"

#include <string.h>
#include <time.h>

/* Where a text grows; a character that does not fit is left out. */
struct out {
	char *s;
	size_t len, size;
};

static void put_char(struct out *o, uint32_t c)
{
	char utf8[4];
	size_t n = 0;

	/* Controls, half of a surrogate pair, and what no font has. */
	if (c < ' ' || (c >= 0x7f && c < 0xa0) || (c >= 0xd800 && c < 0xe000))
		c = ' ';
	if (c < 0x80) {
		utf8[n++] = (char)c;
	} else if (c < 0x800) {
		utf8[n++] = (char)(0xc0 | c >> 6);
		utf8[n++] = (char)(0x80 | (c & 0x3f));
	} else {
		utf8[n++] = (char)(0xe0 | c >> 12);
		utf8[n++] = (char)(0x80 | (c >> 6 & 0x3f));
		utf8[n++] = (char)(0x80 | (c & 0x3f));
	}
	if (o->len + n >= o->size)
		return;
	memcpy(o->s + o->len, utf8, n);
	o->len += n;
}

static void put_bcd(struct out *o, const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789 -.???";

	for (size_t i = 0; i < len; i++) {
		put_char(o, (uint8_t)digits[data[i] >> 4]);
		put_char(o, (uint8_t)digits[data[i] & 0xf]);
	}
}

/* Four characters in three bytes, the first in the low bits of the first. */
static void put_6bit(struct out *o, const uint8_t *data, size_t len)
{
	for (size_t bit = 0; bit + 6 <= len * 8; bit += 6) {
		size_t i = bit / 8;
		unsigned pair = data[i] | (i + 1 < len ? (unsigned)data[i + 1] << 8 : 0);

		put_char(o, ' ' + (pair >> bit % 8 & 0x3f));
	}
}

static void put_8bit(struct out *o, const uint8_t *data, size_t len)
{
	while (len && (data[len - 1] == 0xff || data[len - 1] == 0)) /* unwritten flash */
		len--;
	for (size_t i = 0; i < len; i++)
		put_char(o, data[i]);
}

static void put_unicode(struct out *o, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i + 2 <= len; i += 2)
		put_char(o, get_le16(data + i));
}

static bool trim(struct out *o)
{
	size_t blanks;

	while (o->len && o->s[o->len - 1] == ' ')
		o->len--;
	o->s[o->len] = '\0';
	blanks = strspn(o->s, " ");
	memmove(o->s, o->s + blanks, o->len - blanks + 1);
	return o->s[0] != '\0';
}

bool text_decode(enum text_kind kind, const uint8_t *data, size_t len, char *out)
{
	struct out o = { .s = out, .size = TEXT_SIZE };

	if (len > TEXT_BYTES_MAX)
		len = TEXT_BYTES_MAX;
	switch (kind) {
	case TEXT_BCD:
		put_bcd(&o, data, len);
		break;
	case TEXT_6BIT:
		put_6bit(&o, data, len);
		break;
	case TEXT_8BIT:
		put_8bit(&o, data, len);
		break;
	case TEXT_UNICODE:
		put_unicode(&o, data, len);
		break;
	case TEXT_BINARY:
	default:
		text_hex(data, len, "", out, TEXT_SIZE);
		return len != 0;
	}
	return trim(&o);
}

void text_hex(const void *data, size_t len, const char *between, char *out, size_t size)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *p = data;
	size_t gap = strlen(between), at = 0;

	for (size_t i = 0; i < len; i++) {
		size_t before = i ? gap : 0;

		if (at + before + 2 >= size)
			break;
		memcpy(out + at, between, before);
		at += before;
		out[at++] = digits[p[i] >> 4];
		out[at++] = digits[p[i] & 0xf];
	}
	out[at] = '\0';
}

int text_hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) & 0xf : -1;
}

void text_time(int64_t seconds, char *out)
{
	time_t t = (time_t)seconds;
	struct tm tm;

	out[0] = '\0';
	if (gmtime_r(&t, &tm))
		(void)strftime(out, TEXT_TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm);
}
