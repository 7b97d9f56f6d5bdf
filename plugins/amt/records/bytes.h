/* SPDX-License-Identifier: Apache-2.0 */
/* Base64, times and bytes as texts: what both logs' records need. Pure, no I/O. */
#ifndef POWERCTL_AMT_BYTES_H
#define POWERCTL_AMT_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <powerctl/buf.h>
#include <powerctl/value.h>

/*
 * Base64 (RFC 4648), with or without its padding and with blanks anywhere, into at most size bytes.
 * False for anything else, and for more bytes than that; *ret_len is set only where it is true.
 */
bool bytes_from_base64(const char *text, uint8_t *out, size_t size, size_t *ret_len);

uint16_t bytes_be16(const uint8_t *p);
uint32_t bytes_be32(const uint8_t *p);

/* Lower case, two digits a byte. */
void bytes_add_hex(struct pctl_buf *buf, const uint8_t *data, size_t len);

/* Bytes that should be text: what is no printable ASCII is a question mark. */
void bytes_add_text(struct pctl_buf *buf, const uint8_t *data, size_t len);

/*
 * Sets "time" of an event, and "clock" to "unset" for a time before there was a firmware to keep
 * it: then the device counts from its own start. 0 is no time.
 */
void bytes_set_time(struct pctl_value *event, uint32_t seconds);
bool bytes_is_time(uint32_t seconds);

/* A row of a table from numbers to words, which ends with a NULL. */
struct bytes_word {
	uint32_t number;
	const char *word;
};

/* NULL for a number that is not there. */
const char *bytes_find_word(const struct bytes_word *words, uint32_t number);

#endif
