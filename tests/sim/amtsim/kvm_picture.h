/* SPDX-License-Identifier: Apache-2.0 */
/* The screen of a stand-in: a test picture that moves, and how AMT packs it for viewers. */
#ifndef POWERCTL_AMTSIM_KVM_PICTURE_H
#define POWERCTL_AMTSIM_KVM_PICTURE_H

#include "util.h"

enum { ENCODING_RAW = 0, ENCODING_ZRLE = 16 };

struct picture {
	uint16_t width;
	uint16_t height;
	uint32_t frame;
	uint8_t pixel_bytes; /* 2: RGB565; 1: RGB332 */
};

/* The colour of a pixel: 565 or 332. */
uint32_t picture_pixel(const struct picture *p, unsigned x, unsigned y);

/*
 * The rectangles of the whole picture, at most 64x64 each, with their headers; *ret_count of them.
 * begins: the zlib stream of the session begins here.
 */
void picture_encode(
	const struct picture *p, int encoding, bool begins, struct buf *out, uint16_t *ret_count);

/* SHA-256 of all pixels, row by row, little endian: 64 digits and a zero. */
void picture_hash(const struct picture *p, char out[65]);

#endif
