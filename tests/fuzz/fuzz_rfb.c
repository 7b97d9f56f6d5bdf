/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a screen sends, whole and byte by byte: the same picture or the same error, nothing is
 * written beside it, and what is asked of it stays small. The first byte chooses where it begins.
 */
#include "display/rfb.h"
#include "fuzz.h"

/* Larger screens are only slower. */
#define SIDE_MAX 512u

static const char small[] =
	"RFB 003.008\n\1\1\0\0\0\0\0\x48\0\x42\x10\x10\0\1\0\x1f\0\x3f\0\x1f\x0b\5"
	"\0\0\0\0\0\0\0\0";

struct run {
	struct rfb rfb;
	int result;
	struct pctl_error err;
};

static void check(const struct run *run)
{
	require(run->rfb.out.len <= 4096);
	require((size_t)run->rfb.screen.width * run->rfb.screen.height <= RFB_PIXELS_MAX);
	require(run->result >= 0 || run->err.code == run->result);
}

static void feed(struct run *run, const void *data, size_t size, size_t piece)
{
	const uint8_t *p = data;

	while (size && run->result == 0) {
		size_t n = size < piece ? size : piece;

		run->result = rfb_feed(&run->rfb, p, n, &run->err);
		check(run);
		if (run->rfb.screen.width > SIDE_MAX || run->rfb.screen.height > SIDE_MAX)
			run->result = -1000;
		p += n;
		size -= n;
	}
}

static void begin(struct run *run, uint8_t how, size_t piece)
{
	*run = (struct run){ 0 };
	rfb_init(&run->rfb, how & 1 ? RFB_RGB332 : RFB_RGB565, how & 2 ? 5000 : 0);
	if (how & 4)
		feed(run, small, sizeof(small) - 1, piece);
}

static void tiles(const uint8_t *data, size_t size, enum rfb_format format)
{
	uint8_t pixels[70 * 66 * 2 + 16];
	struct rfb_screen screen = {
		.width = 70, .height = 66, .format = format, .pixels = pixels
	};
	const struct rfb_rectangle whole = { .width = 70, .height = 66 };
	size_t used = (size_t)70 * 66 * rfb_pixel_size(format);
	struct pctl_error err;

	memset(pixels, 0xA5, sizeof(pixels));
	(void)rfb_zrle_draw(&screen, &whole, data, size, &err);
	for (size_t i = used; i < sizeof(pixels); i++)
		require(pixels[i] == 0xA5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run whole, dripped;

	if (!size)
		return 0;
	begin(&whole, data[0], SIZE_MAX);
	begin(&dripped, data[0], 1);
	feed(&whole, data + 1, size - 1, 1 + (data[0] >> 3) * 97u);
	feed(&dripped, data + 1, size - 1, 1);
	if (whole.result != -1000 && dripped.result != -1000 && !whole.rfb.out.full) {
		require(whole.result == dripped.result);
		if (whole.result == 1)
			require(memcmp(whole.rfb.screen.pixels, dripped.rfb.screen.pixels,
					(size_t)whole.rfb.screen.width * whole.rfb.screen.height *
						rfb_pixel_size(whole.rfb.screen.format)) == 0);
	}
	rfb_done(&whole.rfb);
	rfb_done(&dripped.rfb);
	tiles(data + 1, size - 1, data[0] & 1 ? RFB_RGB332 : RFB_RGB565);
	return 0;
}
