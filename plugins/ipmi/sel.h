/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of the system event log (IPMI 2.0 chapter 32), as maps of docs/names.md. Pure, no I/O. */
#ifndef POWERCTL_IPMI_SEL_H
#define POWERCTL_IPMI_SEL_H

#include "reading.h"

#define SEL_RECORD 16u

/*
 * One record as a map. sdr is a repository as sdr_next() reads it, or NULL: sensors are then named
 * by their numbers.
 */
struct pctl_value *sel_decode(const struct reading_words *words, const uint8_t *sdr, size_t sdr_len,
	const uint8_t record[SEL_RECORD]);

/*
 * A record's cursor: its id, and its bytes boiled down, since ids are given anew after a clear.
 * parse is false for what is no cursor.
 */
#define SEL_CURSOR_SIZE 32u
void sel_cursor(const uint8_t record[SEL_RECORD], char *out);
bool sel_cursor_parse(const char *cursor, uint16_t *ret_id);

#endif
