/* SPDX-License-Identifier: Apache-2.0 */
#include "display/png.h"

#include <png.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

/* Screens have large plain areas: more effort takes several times as long and saves little. */
#define EFFORT      1
#define COLOURS     256
#define PIXEL_BYTES 3

struct writing {
	struct pctl_buf *out;
	struct pctl_error *err;
};

/* The nearest of 0..255 to n of 0..most. */
static png_byte scale(unsigned n, unsigned most)
{
	return (png_byte)((n * 255 + most / 2) / most);
}

static void on_write(png_structp png, png_bytep data, png_size_t len)
{
	struct writing *w = png_get_io_ptr(png);

	pctl_buf_add(w->out, data, len);
	if (w->out->full)
		png_error(png, "it is too large");
}

static void on_flush(png_structp png)
{
	(void)png;
}

static void on_error(png_structp png, png_const_charp text)
{
	const struct writing *w = png_get_error_ptr(png);

	(void)pctl_error_set(w->err, PCTL_E_INTERNAL, "no PNG can be made: %s", text);
	longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
	(void)png, (void)text;
}

static void put_palette(png_structp png, png_infop info)
{
	png_color palette[COLOURS];

	for (unsigned i = 0; i < COLOURS; i++)
		palette[i] = (png_color){ scale(i >> 5, 7), scale(i >> 2 & 7, 7), scale(i & 3, 3) };
	png_set_PLTE(png, info, palette, COLOURS);
}

static void widen(const uint8_t *from, unsigned width, png_bytep to)
{
	for (size_t x = 0; x < width; x++) {
		unsigned c = from[2 * x] | (unsigned)from[2 * x + 1] << 8;

		/* scale(), of 31 and of 63, without a division. */
		to[3 * x] = (png_byte)(((c >> 11) * 527 + 23) >> 6);
		to[3 * x + 1] = (png_byte)(((c >> 5 & 63) * 259 + 33) >> 6);
		to[3 * x + 2] = (png_byte)(((c & 31) * 527 + 23) >> 6);
	}
}

static void put_rows(png_structp png, const struct rfb_screen *s, png_bytep row)
{
	size_t size = rfb_pixel_size(s->format);

	for (unsigned y = 0; y < s->height; y++) {
		const uint8_t *from = s->pixels + (size_t)y * s->width * size;

		if (s->format == RFB_RGB565)
			widen(from, s->width, row);
		else
			memcpy(row, from, s->width);
		png_write_row(png, row);
	}
}

static int put_all(png_structp png, png_infop info, const struct rfb_screen *s, png_bytep row)
{
	bool narrow = s->format == RFB_RGB332;

	if (setjmp(png_jmpbuf(png)))
		return PCTL_E_INTERNAL;
	png_set_IHDR(png, info, s->width, s->height, 8,
		narrow ? PNG_COLOR_TYPE_PALETTE : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
		PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (narrow)
		put_palette(png, info);
	png_set_compression_level(png, EFFORT);
	png_set_filter(png, 0, narrow ? PNG_FILTER_NONE : PNG_FILTER_UP);
	png_write_info(png, info);
	put_rows(png, s, row);
	png_write_end(png, info);
	return 0;
}

int display_png(const struct rfb_screen *screen, struct pctl_buf *out, struct pctl_error *err)
{
	struct writing w = { out, err };
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &w, on_error, on_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;

	if (!info) {
		png_destroy_write_struct(&png, NULL);
		return pctl_error_set(err, PCTL_E_INTERNAL, "no PNG can be made: libpng fails");
	}
	PCTL_AUTO(free) png_bytep row = pctl_xmalloc((size_t)screen->width * PIXEL_BYTES);
	png_set_write_fn(png, &w, on_write, on_flush);
	int r = put_all(png, info, screen, row);
	png_destroy_write_struct(&png, &info);
	return r;
}
