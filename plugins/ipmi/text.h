/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Texts and numbers in records: type/length fields (IPMI 2.0 section 43.15; FRU information 1.0
 * section 13), little-endian numbers, times, bytes as hex. Pure, no I/O.
 */
#ifndef POWERCTL_IPMI_TEXT_H
#define POWERCTL_IPMI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bits 7:6 of a type/length byte. */
enum text_kind {
	TEXT_BINARY, /* in an SDR: Unicode, little endian */
	TEXT_BCD,    /* "BCD plus" */
	TEXT_6BIT,   /* packed ASCII */
	TEXT_8BIT,   /* ASCII and Latin-1 */
	TEXT_UNICODE,
};

#define TEXT_BYTES_MAX 63u  /* what a length field can say */
#define TEXT_SIZE      132u /* holds any such field as UTF-8 */

/*
 * data (at most TEXT_BYTES_MAX bytes) as UTF-8 into out, TEXT_SIZE bytes, without control
 * characters, padding and blanks at its ends. Binary becomes hex. Returns whether anything is left.
 */
bool text_decode(enum text_kind kind, const uint8_t *data, size_t len, char *out);

/* Bytes as lower-case hex with between in between; what does not fit is left out. */
void text_hex(const void *data, size_t len, const char *between, char *out, size_t size);

/* What a hex digit of either case counts; -1: it is none. */
int text_hex_digit(char c);

/* 2026-01-31T12:00:00Z; TEXT_TIME_SIZE bytes. seconds is counted from 1970. */
#define TEXT_TIME_SIZE 32u
void text_time(int64_t seconds, char *out);

static inline uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t get_le24(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
}

static inline uint32_t get_le32(const uint8_t *p)
{
	return get_le24(p) | (uint32_t)p[3] << 24;
}

static inline void put_le16(uint8_t *p, uint16_t n)
{
	p[0] = (uint8_t)n;
	p[1] = (uint8_t)(n >> 8);
}

#endif
