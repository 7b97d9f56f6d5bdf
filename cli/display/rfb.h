/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The viewer's side of RFB as far as one whole picture: bytes in, a screen and bytes to be sent
 * out; no I/O. It speaks 3.8 without a password, and asks for RGB565 or RGB332 as Raw or ZRLE, with
 * changes of size in between. Every rectangle is checked against the screen and every length
 * against what there can be before memory is taken.
 *
 * Source: RFC 6143; how Intel AMT does it: Implementation and Reference Guide, "KVM".
 */
#ifndef POWERCTL_CLI_DISPLAY_RFB_H
#define POWERCTL_CLI_DISPLAY_RFB_H

#include <zlib.h>

#include <powerctl/buf.h>

/*
 * A screen has at most so many pixels, twice 4K. Of each one 14 bytes may be in memory at a time,
 * of a whole picture that comes as large as it can: 3 of it, 8 of what came and what that unpacks
 * to, 3 of the PNG.
 */
#define RFB_PIXELS_MAX ((size_t)1 << 24)

enum rfb_format {
	RFB_RGB565, /* two bytes a pixel, little endian */
	RFB_RGB332,
};

struct rfb_screen {
	unsigned width, height; /* 0: not known yet */
	enum rfb_format format;
	uint8_t *pixels; /* row by row, without gaps */
};

/* Bytes of a pixel. */
size_t rfb_pixel_size(enum rfb_format format);

struct rfb_rectangle {
	unsigned x, y, width, height;
	int32_t encoding;
};

struct rfb {
	struct rfb_screen screen;
	struct pctl_buf out; /* to be sent; whoever has sent it cuts it */
	bool asked;          /* for a picture, in this format */
	bool answered;       /* some of it came, in this size: the device takes the format */

	/* Private. */
	size_t wide_max;
	const struct rfb_step *step;
	size_t need;
	struct pctl_buf in;
	unsigned left; /* rectangles of this update */
	struct rfb_rectangle rectangle;
	bool resized, narrower; /* in this update: the latter, so far that RGB565 is too much */
	uint8_t *seen;          /* of each pixel: whether it came */
	size_t missing;
	z_stream zlib;
	bool zlib_begun;
	uint8_t *plain; /* of a rectangle that was compressed */
	size_t plain_max;
};

/*
 * format is what is asked for; a picture that would have more than wide_max bytes (0: any number)
 * in RGB565 is asked for in RGB332.
 */
void rfb_init(struct rfb *rfb, enum rfb_format format, size_t wide_max);
/* Takes zeroed ones. */
void rfb_done(struct rfb *rfb);

/*
 * What came. 1: the whole screen is there, as it is at the end of an update; 0: more is to come;
 * PCTL_E_PROTOCOL, or PCTL_E_UNSUPPORTED where it wants a password or speaks an old RFB,
 * PCTL_E_REFUSED where it says no: then it is over.
 */
int rfb_feed(struct rfb *rfb, const void *data, size_t len, struct pctl_error *err);

/* --- Tiles of ZRLE. --------------------------------------------------------------------------- */

/* At most so many bytes stand for a rectangle, before they are compressed. */
size_t rfb_zrle_max(unsigned width, unsigned height, size_t pixel_size);

/*
 * Fills a rectangle that lies within the screen with exactly len bytes of tiles, uncompressed.
 * PCTL_E_PROTOCOL: they are no tiles, too few or too many; some of it may be filled then.
 */
int rfb_zrle_draw(struct rfb_screen *screen, const struct rfb_rectangle *rectangle,
	const uint8_t *data, size_t len, struct pctl_error *err);

#endif
