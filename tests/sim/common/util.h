/* SPDX-License-Identifier: Apache-2.0 */
/* Byte ranges, a growing buffer with a maximum, numbers, base64: what every file here needs. */
#ifndef POWERCTL_SIM_UTIL_H
#define POWERCTL_SIM_UTIL_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A range of somebody else's bytes; not terminated. */
struct str {
	const char *p;
	size_t n;
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct str str_of(const char *text);
struct str str_trim(struct str s);
bool str_eq(struct str a, struct str b);
bool str_is(struct str s, const char *text);
bool str_is_nocase(struct str s, const char *text);
bool str_starts(struct str s, const char *text);
/* Copies s with a terminator; false if it needs more than size bytes. */
bool str_copy(struct str s, char *out, size_t size);
/* Takes everything up to the first sep from *rest; false when nothing was left. */
bool str_split(struct str *rest, char sep, struct str *ret_part);

/* Whole string, digits only, at most max. ret_value is untouched on failure. */
bool parse_uint(struct str s, uint64_t max, uint64_t *ret_value);
/* The same with a minus before it, or not. */
bool parse_int(struct str s, uint64_t max, int64_t *ret_value);
/* As parse_uint(), of hexadecimal digits, without 0x. */
bool parse_hex(struct str s, uint64_t max, uint64_t *ret_value);
/* Pairs of hexadecimal digits; how many bytes, or -1 if it is not that or longer than size. */
int hex_decode(struct str s, uint8_t *out, size_t size);

/* Appending beyond max keeps what fits and sets over; memory exhaustion aborts. */
struct buf {
	char *p;
	size_t n;
	size_t cap;
	size_t max;
	bool over;
};

enum { UUID_TEXT = 37 };

void buf_init(struct buf *b, size_t max);
void buf_done(struct buf *b);
void buf_add(struct buf *b, const char *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_text(struct buf *b, const char *text);
void buf_char(struct buf *b, char c);
void buf_uint(struct buf *b, uint64_t value);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* With & < > " escaped. */
void buf_xml(struct buf *b, struct str s);
/* A quoted JSON string. */
void buf_json(struct buf *b, struct str s);
/* Upper-case hexadecimal. */
void buf_hex(struct buf *b, const uint8_t *p, size_t n);
/* 8-4-4-4-12 in the order of the bytes. */
void uuid_text(const uint8_t uuid[16], char out[UUID_TEXT]);
/* Drops the first n bytes. */
void buf_drop(struct buf *b, size_t n);

/* out has room for 4 * ((n + 2) / 3) + 1 characters. */
void base64_encode(const uint8_t *p, size_t n, char *out);
/* Number of bytes, or -1 if s is not base64 or does not fit. */
int base64_decode(struct str s, uint8_t *out, size_t size);

/* Lower-case hexadecimal; out has room for 2 * n + 1 characters. */
void hex_text(const uint8_t *p, size_t n, char *out);

/* Numbers of the wire, the low or the high byte first. */
static inline uint16_t le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le32(const uint8_t *p)
{
	return le16(p) | (uint32_t)le16(p + 2) << 16;
}

static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

void *xcalloc(size_t n, size_t size);

#endif
