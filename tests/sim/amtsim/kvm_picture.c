/* SPDX-License-Identifier: Apache-2.0 */
#include "kvm_picture.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

enum {
	TILE = 64,
	PALETTE_MAX = 16,
	SUB_RAW = 0,
	SUB_SOLID = 1,
	SUB_RLE = 128,
	/* Of one stored block of deflate. */
	STORED_MAX = 65535,
	ROW_MAX = 65536 * 2,
};

struct tile {
	uint16_t x;
	uint16_t y;
	uint16_t w;
	uint16_t h;
	uint16_t pixels[TILE * TILE];
};

/* --- What is to be seen. ---------------------------------------------------------------------- */

/* Columns of plain colours, a gradient, letters of noise, and a box that moves. */
static uint16_t colour(const struct picture *p, unsigned x, unsigned y)
{
	unsigned box_x = p->frame * 16 % (p->width ? p->width : 1), box_y = p->height / 3;

	if (x - box_x < 48 && y - box_y < 48)
		return (uint16_t)(0xF81F ^ (p->frame & 31));
	if (y < p->height / 4u)
		return (uint16_t)((x * 8 / p->width & 7) * 0x2104 + 0x1F);
	if (y < p->height / 2u)
		return (uint16_t)((x & 31) << 11 | (y & 63) << 5 | ((x + y) & 31));
	if (y < p->height * 3u / 4)
		return (uint16_t)((x / 8 * 7 + y / 8 * 13) % 5 ? 0 : 0xFFFF);
	return (uint16_t)((x * 2654435761u ^ y * 40503u) >> 7);
}

static uint8_t narrow(uint16_t c)
{
	return (uint8_t)((c >> 13) << 5 | (c >> 8 & 7) << 2 | (c >> 3 & 3));
}

uint32_t picture_pixel(const struct picture *p, unsigned x, unsigned y)
{
	uint16_t c = colour(p, x, y);

	return p->pixel_bytes == 1 ? narrow(c) : c;
}

void picture_hash(const struct picture *p, char out[65])
{
	uint8_t row[ROW_MAX], digest[32];
	EVP_MD_CTX *md = EVP_MD_CTX_new();

	EVP_DigestInit_ex(md, EVP_sha256(), NULL);
	for (unsigned y = 0; y < p->height; y++) {
		for (unsigned x = 0; x < p->width; x++) {
			uint32_t c = picture_pixel(p, x, y);

			row[x * p->pixel_bytes] = (uint8_t)c;
			if (p->pixel_bytes == 2)
				row[x * 2 + 1] = (uint8_t)(c >> 8);
		}
		EVP_DigestUpdate(md, row, (size_t)p->width * p->pixel_bytes);
	}
	EVP_DigestFinal_ex(md, digest, NULL);
	EVP_MD_CTX_free(md);
	hex_text(digest, sizeof(digest), out);
}

/* --- How it is sent. -------------------------------------------------------------------------- */

static void add_be16(struct buf *b, unsigned n)
{
	buf_char(b, (char)(n >> 8));
	buf_char(b, (char)n);
}

static void add_be32(struct buf *b, uint32_t n)
{
	add_be16(b, n >> 16);
	add_be16(b, n & 65535);
}

static void put_pixel(struct buf *b, const struct picture *p, uint16_t c)
{
	buf_char(b, (char)c);
	if (p->pixel_bytes == 2)
		buf_char(b, (char)(c >> 8));
}

static void cut(const struct picture *p, unsigned x, unsigned y, struct tile *t)
{
	t->x = (uint16_t)x;
	t->y = (uint16_t)y;
	t->w = (uint16_t)(p->width - x < TILE ? p->width - x : TILE);
	t->h = (uint16_t)(p->height - y < TILE ? p->height - y : TILE);
	for (unsigned j = 0; j < t->h; j++)
		for (unsigned i = 0; i < t->w; i++)
			t->pixels[j * t->w + i] = (uint16_t)picture_pixel(p, x + i, y + j);
}

static size_t size_of(const struct tile *t)
{
	return (size_t)t->w * t->h;
}

/* How many colours, at most PALETTE_MAX + 1. */
static unsigned colours(const struct tile *t, uint16_t palette[PALETTE_MAX])
{
	unsigned n = 0;

	for (size_t i = 0; i < size_of(t); i++) {
		unsigned k = 0;

		while (k < n && palette[k] != t->pixels[i])
			k++;
		if (k < n)
			continue;
		if (n == PALETTE_MAX)
			return PALETTE_MAX + 1;
		palette[n++] = t->pixels[i];
	}
	return n;
}

static void put_packed(struct buf *b, const struct picture *p, const struct tile *t,
	const uint16_t *palette, unsigned n)
{
	unsigned bits = n == 2 ? 1 : n <= 4 ? 2 : 4;

	buf_char(b, (char)n);
	for (unsigned k = 0; k < n; k++)
		put_pixel(b, p, palette[k]);
	for (unsigned y = 0; y < t->h; y++) {
		unsigned byte = 0, used = 0;

		for (unsigned x = 0; x < t->w; x++) {
			unsigned k = 0;

			while (palette[k] != t->pixels[y * t->w + x])
				k++;
			byte |= k << (8 - bits - used);
			used += bits;
			if (used == 8) {
				buf_char(b, (char)byte);
				byte = used = 0;
			}
		}
		if (used)
			buf_char(b, (char)byte);
	}
}

static size_t run_at(const struct tile *t, size_t i)
{
	size_t n = 1;

	while (i + n < size_of(t) && t->pixels[i + n] == t->pixels[i])
		n++;
	return n;
}

static size_t count_runs(const struct tile *t)
{
	size_t runs = 0;

	for (size_t i = 0; i < size_of(t); i += run_at(t, i))
		runs++;
	return runs;
}

static void put_runs(struct buf *b, const struct picture *p, const struct tile *t)
{
	buf_char(b, (char)SUB_RLE);
	for (size_t i = 0, n; i < size_of(t); i += n) {
		size_t left;

		n = run_at(t, i);
		put_pixel(b, p, t->pixels[i]);
		for (left = n - 1; left >= 255; left -= 255)
			buf_char(b, (char)255);
		buf_char(b, (char)left);
	}
}

static void put_raw(struct buf *b, const struct picture *p, const struct tile *t)
{
	for (size_t i = 0; i < size_of(t); i++)
		put_pixel(b, p, t->pixels[i]);
}

/* Compressed in the way of ZRLE, and not compressed again: a stored block of deflate. */
static void put_zrle(struct buf *out, const struct picture *p, const struct tile *t, bool begins)
{
	uint16_t palette[PALETTE_MAX];
	unsigned n = colours(t, palette);
	struct buf b;

	buf_init(&b, STORED_MAX);
	if (n == 1) {
		buf_char(&b, SUB_SOLID);
		put_pixel(&b, p, palette[0]);
	} else if (n <= PALETTE_MAX) {
		put_packed(&b, p, t, palette, n);
	} else if (count_runs(t) < size_of(t) / 2) {
		put_runs(&b, p, t);
	} else {
		buf_char(&b, SUB_RAW);
		put_raw(&b, p, t);
	}
	add_be32(out, (uint32_t)(b.n + 5 + (begins ? 2 : 0)));
	if (begins)
		buf_add(out, "\x78\x01", 2);
	buf_char(out, 0);
	buf_char(out, (char)b.n);
	buf_char(out, (char)(b.n >> 8));
	buf_char(out, (char)~b.n);
	buf_char(out, (char)(~b.n >> 8));
	buf_add(out, b.p, b.n);
	buf_done(&b);
}

void picture_encode(
	const struct picture *p, int encoding, bool begins, struct buf *out, uint16_t *ret_count)
{
	struct tile t;
	uint16_t count = 0;

	for (unsigned y = 0; y < p->height; y += TILE) {
		for (unsigned x = 0; x < p->width; x += TILE) {
			cut(p, x, y, &t);
			add_be16(out, t.x);
			add_be16(out, t.y);
			add_be16(out, t.w);
			add_be16(out, t.h);
			add_be32(out, (uint32_t)encoding);
			if (encoding == ENCODING_RAW)
				put_raw(out, p, &t);
			else
				put_zrle(out, p, &t, begins && !count);
			count++;
		}
	}
	*ret_count = count;
}
