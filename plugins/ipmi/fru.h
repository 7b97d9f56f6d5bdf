/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * FRU information (Platform Management FRU Information Storage Definition 1.0): chassis, board and
 * product areas as maps of docs/names.md. Pure, no I/O.
 */
#ifndef POWERCTL_IPMI_FRU_H
#define POWERCTL_IPMI_FRU_H

#include <powerctl/value.h>

#include "text.h"

/* An area says its length in one byte times 8, and so does the header where one begins. */
#define FRU_BYTES_MAX ((size_t)2 * 255 * 8)

/*
 * How many bytes from the beginning have to be read to know more: asked again after each read until
 * it is no more than have. Never more than FRU_BYTES_MAX, nor than size, what the device has.
 */
size_t fru_need(const uint8_t *data, size_t have, size_t size);

/*
 * Sets "chassis", "board" and "product" in ret, those that are there with what is in them. An area
 * whose checksum is wrong is told with "checksum": "wrong". False: this is no FRU information.
 */
bool fru_decode(const uint8_t *data, size_t len, struct pctl_value *ret);

#endif
