/* SPDX-License-Identifier: Apache-2.0 */
/* Pieces of JSON into a buffer: pure ASCII and one line, whatever a device or a file said. */
#ifndef POWERCTL_CORE_JSON_TEXT_H
#define POWERCTL_CORE_JSON_TEXT_H

#include <powerctl/buf.h>

/*
 * s in quotes; NULL: null. Bytes that are no UTF-8 become '?', and all that is not printable ASCII
 * is escaped.
 */
void pctl_json_text(struct pctl_buf *buf, const char *s);

/* ,"KEY": and the value. key is ours: it needs no escaping. */
void pctl_json_add_text(struct pctl_buf *buf, const char *key, const char *s);
void pctl_json_add_uint(struct pctl_buf *buf, const char *key, uint64_t n);
void pctl_json_add_bool(struct pctl_buf *buf, const char *key, bool b);
/* Class, message and the device's own code; null where err has code 0. */
void pctl_json_add_error(struct pctl_buf *buf, const char *key, const struct pctl_error *err);

#define PCTL_JSON_TIME_SIZE 32u
/* The time of day, as "2026-11-21T07:45:00.123Z". Returns buf. */
const char *pctl_json_now(char buf[PCTL_JSON_TIME_SIZE]);

#endif
