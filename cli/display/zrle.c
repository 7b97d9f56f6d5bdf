/* SPDX-License-Identifier: Apache-2.0 */
/* ZRLE behind its compression: tiles of 64x64, each in one of six forms (RFC 6143, 7.7.6). */
#include <string.h>

#include "display/rfb.h"

enum {
	TILE = 64,
	SOLID = 1,
	PACKED_MAX = 16,
	RLE = 128,
	RLE_PALETTE = 130,
	PALETTE_MAX = 127,
	MORE = 255, /* a run goes on */
};

struct tile {
	uint8_t *at;   /* its first pixel */
	size_t stride; /* bytes from row to row */
	unsigned width, height;
	size_t size; /* of a pixel */
};

struct bytes {
	const uint8_t *p, *end;
};

/* NULL: there are fewer than n. */
static const uint8_t *next(struct bytes *b, size_t n)
{
	const uint8_t *p = b->p;

	if ((size_t)(b->end - p) < n)
		return NULL;
	b->p += n;
	return p;
}

/* n pixels of one colour from the i-th on, row by row. */
static void fill(const struct tile *t, size_t i, size_t n, const uint8_t *pixel)
{
	while (n) {
		size_t x = i % t->width, row = t->width - x < n ? t->width - x : n;
		uint8_t *p = t->at + i / t->width * t->stride + x * t->size;

		if (t->size == 1)
			memset(p, *pixel, row);
		else
			for (size_t k = 0; k < row; k++)
				memcpy(p + 2 * k, pixel, 2);
		i += row;
		n -= row;
	}
}

static bool draw_raw(const struct tile *t, struct bytes *b)
{
	for (unsigned y = 0; y < t->height; y++) {
		const uint8_t *row = next(b, t->width * t->size);

		if (!row)
			return false;
		memcpy(t->at + y * t->stride, row, t->width * t->size);
	}
	return true;
}

static bool draw_solid(const struct tile *t, struct bytes *b)
{
	const uint8_t *pixel = next(b, t->size);

	if (pixel)
		fill(t, 0, (size_t)t->width * t->height, pixel);
	return pixel;
}

static bool draw_packed(const struct tile *t, struct bytes *b, unsigned colours)
{
	const uint8_t *palette = next(b, colours * t->size);
	unsigned bits = colours == 2 ? 1 : colours <= 4 ? 2 : 4;

	for (unsigned y = 0; palette && y < t->height; y++) {
		const uint8_t *row = next(b, ((size_t)t->width * bits + 7) / 8);

		if (!row)
			return false;
		for (unsigned x = 0; x < t->width; x++) {
			unsigned at = x * bits;
			unsigned i = row[at / 8] >> (8 - bits - at % 8) & ((1u << bits) - 1);

			if (i >= colours)
				return false;
			memcpy(t->at + y * t->stride + x * t->size, palette + i * t->size, t->size);
		}
	}
	return palette;
}

/* The rest of a run's length behind its first pixel; false: it is longer than room. */
static bool read_run(struct bytes *b, size_t room, size_t *ret)
{
	const uint8_t *p;

	*ret = 1;
	do {
		p = next(b, 1);
		if (!p)
			return false;
		*ret += *p;
		if (*ret > room)
			return false;
	} while (*p == MORE);
	return true;
}

static bool draw_runs(const struct tile *t, struct bytes *b)
{
	size_t total = (size_t)t->width * t->height;

	for (size_t i = 0, n; i < total; i += n) {
		const uint8_t *pixel = next(b, t->size);

		if (!pixel || !read_run(b, total - i, &n))
			return false;
		fill(t, i, n, pixel);
	}
	return true;
}

static bool draw_palette_runs(const struct tile *t, struct bytes *b, unsigned colours)
{
	const uint8_t *palette = next(b, colours * t->size);
	size_t total = (size_t)t->width * t->height;

	for (size_t i = 0, n; palette && i < total; i += n) {
		const uint8_t *index = next(b, 1);

		n = 1;
		if (!index || (*index & 127u) >= colours)
			return false;
		if (*index & 128 && !read_run(b, total - i, &n))
			return false;
		fill(t, i, n, palette + (*index & 127u) * t->size);
	}
	return palette;
}

static bool draw_tile(const struct tile *t, struct bytes *b)
{
	const uint8_t *form = next(b, 1);

	if (!form)
		return false;
	if (*form == 0)
		return draw_raw(t, b);
	if (*form == SOLID)
		return draw_solid(t, b);
	if (*form <= PACKED_MAX)
		return draw_packed(t, b, *form);
	if (*form == RLE)
		return draw_runs(t, b);
	if (*form >= RLE_PALETTE)
		return draw_palette_runs(t, b, *form - RLE);
	return false;
}

size_t rfb_zrle_max(unsigned width, unsigned height, size_t pixel_size)
{
	size_t tiles = (size_t)((width + TILE - 1) / TILE) * ((height + TILE - 1) / TILE);

	return tiles * (1 + PALETTE_MAX * pixel_size) + (size_t)width * height * (pixel_size + 1);
}

int rfb_zrle_draw(struct rfb_screen *screen, const struct rfb_rectangle *r, const uint8_t *data,
	size_t len, struct pctl_error *err)
{
	struct bytes b = { data, data + len };
	size_t size = rfb_pixel_size(screen->format), stride = screen->width * size;

	for (unsigned y = 0; y < r->height; y += TILE) {
		for (unsigned x = 0; x < r->width; x += TILE) {
			const struct tile t = {
				.at = screen->pixels + (r->y + y) * stride + (r->x + x) * size,
				.stride = stride,
				.width = r->width - x < TILE ? r->width - x : TILE,
				.height = r->height - y < TILE ? r->height - y : TILE,
				.size = size,
			};

			if (!draw_tile(&t, &b))
				return pctl_error_set(err, PCTL_E_PROTOCOL,
					"a rectangle of its picture makes no sense (ZRLE)");
		}
	}
	if (b.p == b.end)
		return 0;
	return pctl_error_set(
		err, PCTL_E_PROTOCOL, "a rectangle of its picture is longer than it says (ZRLE)");
}
