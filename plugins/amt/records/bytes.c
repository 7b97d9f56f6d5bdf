/* SPDX-License-Identifier: Apache-2.0 */
#include "records/bytes.h"

#include <string.h>
#include <time.h>

/* 2006-01-01: AMT 1.0 came in that year. A clock that nobody set starts in 2004 or in 1970. */
#define FIRST_TIME 1136073600u

static int digit_of(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const char *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool bytes_from_base64(const char *text, uint8_t *out, size_t size, size_t *ret_len)
{
	uint32_t bits = 0;
	unsigned have = 0, digits = 0, pads = 0;
	size_t len = 0;

	for (; *text; text++) {
		if (is_blank(*text))
			continue;
		if (*text == '=' && digits % 4 + pads >= 2 && pads < 2) {
			pads++;
			continue;
		}
		int d = digit_of(*text);
		if (d < 0 || pads)
			return false;
		digits++;
		bits = (bits << 6 | (uint32_t)d) & 0xffff;
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		if (len == size)
			return false;
		out[len++] = (uint8_t)(bits >> have);
	}
	if (digits % 4 == 1 || (pads && (digits + pads) % 4 != 0))
		return false;
	*ret_len = len;
	return true;
}

uint16_t bytes_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t bytes_be32(const uint8_t *p)
{
	return (uint32_t)bytes_be16(p) << 16 | bytes_be16(p + 2);
}

void bytes_add_hex(struct pctl_buf *buf, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		pctl_buf_addf(buf, "%02x", data[i]);
}

void bytes_add_text(struct pctl_buf *buf, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		pctl_buf_addf(buf, "%c", data[i] >= ' ' && data[i] < 0x7f ? data[i] : '?');
}

bool bytes_is_time(uint32_t seconds)
{
	return seconds >= FIRST_TIME;
}

void bytes_set_time(struct pctl_value *event, uint32_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char text[32];

	if (!seconds || !gmtime_r(&t, &tm) ||
		!strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		return;
	pctl_value_set_text(event, "time", text);
	if (!bytes_is_time(seconds))
		pctl_value_set_text(event, "clock", "unset");
}

const char *bytes_find_word(const struct bytes_word *words, uint32_t number)
{
	for (; words->word; words++)
		if (words->number == number)
			return words->word;
	return NULL;
}
