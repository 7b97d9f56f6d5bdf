/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <inttypes.h>
#include <string.h>

size_t text_character(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;
	static const struct {
		unsigned char first, last, second_min, second_max, len;
	} rows[] = {
		{ 0x01, 0x7f, 0, 0, 1 },
		{ 0xc2, 0xdf, 0x80, 0xbf, 2 },
		{ 0xe0, 0xe0, 0xa0, 0xbf, 3 },
		{ 0xe1, 0xec, 0x80, 0xbf, 3 },
		{ 0xed, 0xed, 0x80, 0x9f, 3 },
		{ 0xee, 0xef, 0x80, 0xbf, 3 },
		{ 0xf0, 0xf0, 0x90, 0xbf, 4 },
		{ 0xf1, 0xf3, 0x80, 0xbf, 4 },
		{ 0xf4, 0xf4, 0x80, 0x8f, 4 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (u[0] < rows[i].first || u[0] > rows[i].last)
			continue;
		if (rows[i].len > 1 && (u[1] < rows[i].second_min || u[1] > rows[i].second_max))
			return 0;
		for (size_t k = 2; k < rows[i].len; k++)
			if (u[k] < 0x80 || u[k] > 0xbf)
				return 0;
		return rows[i].len;
	}
	return 0;
}

static bool is_control(const unsigned char *s, size_t len)
{
	if (len == 1)
		return s[0] < 0x20 || s[0] == 0x7f;
	return len == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

static void copy(struct pctl_buf *buf, const char *text, bool keep_controls)
{
	while (*text) {
		size_t len = text_character(text);

		if (len == 0 || (!keep_controls && is_control((const unsigned char *)text, len)))
			pctl_buf_adds(buf, "?");
		else
			pctl_buf_add(buf, text, len);
		text += len ? len : 1;
	}
}

void text_clean(struct pctl_buf *buf, const char *s)
{
	copy(buf, s, false);
}

void text_utf8(struct pctl_buf *buf, const char *s)
{
	copy(buf, s, true);
}

const char *text_count(uint64_t n, char buf[TEXT_COUNT_SIZE])
{
	char *p = buf + TEXT_COUNT_SIZE - 1;
	unsigned digits = 0;

	*p = '\0';
	do {
		if (digits > 0 && digits % 3 == 0)
			*--p = ',';
		*--p = (char)('0' + n % 10);
		n /= 10;
		digits++;
	} while (n > 0);
	memmove(buf, p, strlen(p) + 1);
	return buf;
}

const char *text_scalar(const struct pctl_value *v, char buf[TEXT_COUNT_SIZE])
{
	switch (pctl_value_kind(v)) {
	case PCTL_VALUE_TEXT:
		return pctl_value_text(v);
	case PCTL_VALUE_INT:
		(void)snprintf(buf, TEXT_COUNT_SIZE, "%" PRId64, pctl_value_int(v));
		return buf;
	case PCTL_VALUE_BOOL:
		return pctl_value_bool(v) ? "true" : "false";
	default:
		return NULL;
	}
}
