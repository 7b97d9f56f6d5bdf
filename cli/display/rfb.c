/* SPDX-License-Identifier: Apache-2.0 */
#include "display/rfb.h"

#include <string.h>

#include <powerctl/mem.h>

#define OUT_MAX         ((size_t)4096)
#define TEXT_MAX        200u
#define CUT_MAX         ((uint32_t)1 << 20)
#define SCREEN_NAME_MAX ((uint32_t)4096)

enum { GREETING_SIZE = 12, INIT_SIZE = 24, RECTANGLE_SIZE = 12 };
enum { SECURITY_NONE = 1 };
enum { ENCODING_RAW = 0, ENCODING_ZRLE = 16, ENCODING_SIZE = -223 };
enum { SET_FORMAT = 0, SET_ENCODINGS = 2, ASK = 3 };
enum { UPDATE = 0, COLOURS = 1, BELL = 2, CUT_TEXT = 3 };

/*
 * What comes next: rfb->need bytes of it are collected, then take() has them and says what follows
 * by expect(). 1: the picture is whole.
 */
struct rfb_step {
	int (*take)(struct rfb *rfb, const uint8_t *p, struct pctl_error *err);
};

static const struct rfb_step greeting, security_count, security, result, reason_size, reason, init,
	name, message, update, rectangle, raw, zrle_size, zrle, cut_head, colours_head, skipped;

static int expect(struct rfb *rfb, const struct rfb_step *step, size_t need)
{
	rfb->step = step;
	rfb->need = need;
	return 0;
}

size_t rfb_pixel_size(enum rfb_format format)
{
	return format == RFB_RGB565 ? 2 : 1;
}

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

static void put(struct rfb *rfb, const void *data, size_t len)
{
	pctl_buf_add(&rfb->out, data, len);
}

/* --- Until the screen's size is known. -------------------------------------------------------- */

static int take_greeting(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	if (memcmp(p, "RFB ", 4) != 0 || p[7] != '.' || p[11] != '\n' || p[4] != '0' ||
		p[5] != '0' || p[6] < '3')
		return pctl_error_set(
			err, PCTL_E_PROTOCOL, "it does not greet as a server of RFB does");
	if (p[6] == '3' && memcmp(p + 8, "008", 3) < 0)
		return pctl_error_set(
			err, PCTL_E_UNSUPPORTED, "it speaks RFB %.3s.%.3s, not 3.8", p + 4, p + 8);
	put(rfb, "RFB 003.008\n", GREETING_SIZE);
	return expect(rfb, &security_count, 1);
}

static int take_security_count(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	(void)err;
	return *p ? expect(rfb, &security, *p) : expect(rfb, &reason_size, 4);
}

static int take_security(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	if (!memchr(p, SECURITY_NONE, rfb->need))
		return pctl_error_set(
			err, PCTL_E_UNSUPPORTED, "its screen asks for a password of its own (RFB)");
	put(rfb, "\1", 1);
	return expect(rfb, &result, 4);
}

static int take_result(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	(void)err;
	if (be32(p))
		return expect(rfb, &reason_size, 4);
	put(rfb, "\1", 1); /* others may look too */
	return expect(rfb, &init, INIT_SIZE);
}

static int take_reason_size(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	uint32_t n = be32(p);

	if (n == 0)
		return pctl_error_set(err, PCTL_E_REFUSED, "its screen says no, and not why (RFB)");
	return expect(rfb, &reason, n < TEXT_MAX ? n : TEXT_MAX);
}

static int take_reason(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	return pctl_error_set(
		err, PCTL_E_REFUSED, "its screen says no: %.*s", (int)rfb->need, (const char *)p);
}

/* --- The screen. ------------------------------------------------------------------------------ */

static int set_size(struct rfb *rfb, unsigned width, unsigned height, struct pctl_error *err)
{
	size_t pixels = (size_t)width * height;

	if (!pixels || pixels > RFB_PIXELS_MAX)
		return pctl_error_set(
			err, PCTL_E_PROTOCOL, "its screen is %u x %u pixels large", width, height);
	free(rfb->screen.pixels);
	free(rfb->seen);
	rfb->screen.width = width;
	rfb->screen.height = height;
	rfb->screen.pixels = pctl_xcalloc(pixels, rfb_pixel_size(rfb->screen.format));
	rfb->seen = pctl_xcalloc(pixels, 1);
	rfb->missing = pixels;
	return 0;
}

static void ask(struct rfb *rfb, bool only_changes)
{
	const uint8_t request[] = { ASK, only_changes, 0, 0, 0, 0,
		(uint8_t)(rfb->screen.width >> 8), (uint8_t)rfb->screen.width,
		(uint8_t)(rfb->screen.height >> 8), (uint8_t)rfb->screen.height };

	put(rfb, request, sizeof(request));
}

static void ask_first(struct rfb *rfb)
{
	static const uint8_t formats[][20] = {
		[RFB_RGB565] = { SET_FORMAT, 0, 0, 0, 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0 },
		[RFB_RGB332] = { SET_FORMAT, 0, 0, 0, 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 5, 2, 0 },
	};
	static const uint8_t encodings[] = { SET_ENCODINGS, 0, 0, 3, 0, 0, 0, ENCODING_ZRLE, 0, 0,
		0, ENCODING_RAW, 0xFF, 0xFF, 0xFF, (uint8_t)ENCODING_SIZE };

	put(rfb, formats[rfb->screen.format], sizeof(formats[0]));
	put(rfb, encodings, sizeof(encodings));
	ask(rfb, false);
	rfb->asked = true;
}

static bool is_too_wide(const struct rfb *rfb, unsigned width, unsigned height)
{
	return rfb->screen.format == RFB_RGB565 && rfb->wide_max &&
	       (size_t)width * height * 2 > rfb->wide_max;
}

static int take_init(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	unsigned width = be16(p), height = be16(p + 2);
	uint32_t n = be32(p + 20);

	if (is_too_wide(rfb, width, height))
		rfb->screen.format = RFB_RGB332;
	if (n > SCREEN_NAME_MAX)
		return pctl_error_set(err, PCTL_E_PROTOCOL, "its screen has a name of %u bytes", n);
	int r = set_size(rfb, width, height, err);
	if (r < 0)
		return r;
	return n ? expect(rfb, &name, n) : name.take(rfb, p, err);
}

static int take_name(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	(void)p, (void)err;
	ask_first(rfb);
	return expect(rfb, &message, 1);
}

/* --- Messages. -------------------------------------------------------------------------------- */

static int take_message(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	rfb->answered = true;
	switch (*p) {
	case UPDATE:
		return expect(rfb, &update, 3);
	case COLOURS:
		return expect(rfb, &colours_head, 5);
	case BELL:
		return expect(rfb, &message, 1);
	case CUT_TEXT:
		return expect(rfb, &cut_head, 7);
	default:
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"its screen sends a message that nobody knows (RFB, %u)", *p);
	}
}

static int skip(struct rfb *rfb, size_t n)
{
	return n ? expect(rfb, &skipped, n) : expect(rfb, &message, 1);
}

static int take_skipped(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	(void)p, (void)err;
	return expect(rfb, &message, 1);
}

static int take_colours_head(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	(void)err;
	return skip(rfb, (size_t)be16(p + 3) * 6);
}

static int take_cut_head(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	uint32_t n = be32(p + 3);

	if (n > CUT_MAX)
		return pctl_error_set(err, PCTL_E_PROTOCOL, "its clipboard holds %u bytes", n);
	return skip(rfb, n);
}

/* --- Updates. --------------------------------------------------------------------------------- */

/* All of it anew, in the size that it has now; rectangles of what was asked for before are in. */
static int ask_resized(struct rfb *rfb, struct pctl_error *err)
{
	bool narrower = rfb->narrower;

	rfb->resized = rfb->narrower = rfb->answered = false;
	if (!narrower) {
		ask(rfb, false);
		return 0;
	}
	rfb->screen.format = RFB_RGB332;
	ask_first(rfb);
	return set_size(rfb, rfb->screen.width, rfb->screen.height, err);
}

/* The next rectangle, or the end of the update: some devices send a picture in several. */
static int next_rectangle(struct rfb *rfb, struct pctl_error *err)
{
	if (rfb->left) {
		rfb->left--;
		return expect(rfb, &rectangle, RECTANGLE_SIZE);
	}
	(void)expect(rfb, &message, 1);
	if (!rfb->missing)
		return 1;
	if (rfb->resized)
		return ask_resized(rfb, err);
	ask(rfb, true);
	return 0;
}

static int take_update(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	rfb->left = be16(p + 1);
	return next_rectangle(rfb, err);
}

static bool fits(const struct rfb *rfb, const struct rfb_rectangle *r)
{
	return r->width && r->height && r->x + r->width <= rfb->screen.width &&
	       r->y + r->height <= rfb->screen.height;
}

static int refuse_rectangle(const struct rfb *rfb, struct pctl_error *err)
{
	const struct rfb_rectangle *r = &rfb->rectangle;

	return pctl_error_set(err, PCTL_E_PROTOCOL,
		"its screen of %u x %u has no rectangle of %u x %u at %u, %u", rfb->screen.width,
		rfb->screen.height, r->width, r->height, r->x, r->y);
}

static int take_rectangle(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	struct rfb_rectangle *r = &rfb->rectangle;

	*r = (struct rfb_rectangle){ be16(p), be16(p + 2), be16(p + 4), be16(p + 6),
		(int32_t)be32(p + 8) };
	if (r->encoding == ENCODING_SIZE) {
		rfb->resized = true;
		rfb->narrower = is_too_wide(rfb, r->width, r->height);
		int e = set_size(rfb, r->width, r->height, err);
		return e < 0 ? e : next_rectangle(rfb, err);
	}
	if (!fits(rfb, r))
		return refuse_rectangle(rfb, err);
	if (r->encoding == ENCODING_RAW)
		return expect(rfb, &raw,
			(size_t)r->width * r->height * rfb_pixel_size(rfb->screen.format));
	if (r->encoding == ENCODING_ZRLE)
		return expect(rfb, &zrle_size, 4);
	return pctl_error_set(err, PCTL_E_PROTOCOL,
		"its screen is sent in an encoding that was not asked for (%d)", r->encoding);
}

static int drawn(struct rfb *rfb, struct pctl_error *err)
{
	const struct rfb_rectangle *r = &rfb->rectangle;

	for (unsigned y = r->y; y < r->y + r->height; y++) {
		uint8_t *row = rfb->seen + (size_t)y * rfb->screen.width + r->x;
		size_t known = 0;

		for (unsigned x = 0; x < r->width; x++)
			known += row[x];
		memset(row, 1, r->width);
		rfb->missing -= r->width - known;
	}
	return next_rectangle(rfb, err);
}

static int take_raw(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	const struct rfb_rectangle *r = &rfb->rectangle;
	size_t size = rfb_pixel_size(rfb->screen.format), row = r->width * size;

	for (unsigned y = 0; y < r->height; y++, p += row)
		memcpy(rfb->screen.pixels + ((size_t)(r->y + y) * rfb->screen.width + r->x) * size,
			p, row);
	return drawn(rfb, err);
}

/* How many bytes a rectangle has at most when it is unpacked, and when it is packed as badly as
 * can be: stored blocks of any size, and a flush. */
static size_t most_plain(const struct rfb *rfb)
{
	return rfb_zrle_max(
		rfb->rectangle.width, rfb->rectangle.height, rfb_pixel_size(rfb->screen.format));
}

static int take_zrle_size(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	size_t n = be32(p), most = most_plain(rfb);

	if (n > most + most / 64 + 1024)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"a rectangle of %u x %u comes as %zu bytes (ZRLE)", rfb->rectangle.width,
			rfb->rectangle.height, n);
	if (n == 0)
		return pctl_error_set(err, PCTL_E_PROTOCOL, "a rectangle comes empty (ZRLE)");
	return expect(rfb, &zrle, n);
}

static int unpack(
	struct rfb *rfb, const uint8_t *p, size_t len, size_t *ret_len, struct pctl_error *err)
{
	size_t most = most_plain(rfb);
	z_stream *z = &rfb->zlib;

	if (!rfb->zlib_begun && inflateInit(z) != Z_OK)
		pctl_out_of_memory();
	rfb->zlib_begun = true;
	if (most > rfb->plain_max) {
		free(rfb->plain);
		rfb->plain = pctl_xmalloc(most);
		rfb->plain_max = most;
	}
	z->next_in = (Bytef *)(uintptr_t)p;
	z->avail_in = (uInt)len;
	z->next_out = rfb->plain;
	z->avail_out = (uInt)most;
	int r = inflate(z, Z_SYNC_FLUSH);
	*ret_len = most - z->avail_out;
	if ((r == Z_OK || r == Z_BUF_ERROR || r == Z_STREAM_END) && z->avail_in == 0)
		return 0;
	return pctl_error_set(err, PCTL_E_PROTOCOL, "a rectangle cannot be unpacked (ZRLE: %s)",
		r == Z_OK || r == Z_BUF_ERROR ? "longer than it says"
		: z->msg                      ? z->msg
					      : "broken");
}

static int take_zrle(struct rfb *rfb, const uint8_t *p, struct pctl_error *err)
{
	size_t len = 0;
	int r = unpack(rfb, p, rfb->need, &len, err);

	if (r == 0)
		r = rfb_zrle_draw(&rfb->screen, &rfb->rectangle, rfb->plain, len, err);
	return r < 0 ? r : drawn(rfb, err);
}

static const struct rfb_step greeting = { take_greeting }, security_count = { take_security_count },
			     security = { take_security }, result = { take_result },
			     reason_size = { take_reason_size }, reason = { take_reason },
			     init = { take_init }, name = { take_name }, message = { take_message },
			     update = { take_update }, rectangle = { take_rectangle },
			     raw = { take_raw }, zrle_size = { take_zrle_size },
			     zrle = { take_zrle }, cut_head = { take_cut_head },
			     colours_head = { take_colours_head }, skipped = { take_skipped };

/* --- Bytes. ----------------------------------------------------------------------------------- */

void rfb_init(struct rfb *rfb, enum rfb_format format, size_t wide_max)
{
	*rfb = (struct rfb){ .screen.format = format, .wide_max = wide_max };
	pctl_buf_init(&rfb->out, OUT_MAX);
	pctl_buf_init(&rfb->in, RFB_PIXELS_MAX * 4);
	(void)expect(rfb, &greeting, GREETING_SIZE);
}

void rfb_done(struct rfb *rfb)
{
	if (!rfb->step)
		return;
	if (rfb->zlib_begun)
		(void)inflateEnd(&rfb->zlib);
	free(rfb->screen.pixels);
	free(rfb->seen);
	free(rfb->plain);
	pctl_buf_done(&rfb->out);
	pctl_buf_done(&rfb->in);
	*rfb = (struct rfb){ 0 };
}

int rfb_feed(struct rfb *rfb, const void *data, size_t len, struct pctl_error *err)
{
	const uint8_t *p = data;
	int r = 0;

	while (r == 0 && len) {
		size_t n = rfb->need - rfb->in.len < len ? rfb->need - rfb->in.len : len;

		if (rfb->in.len || n < rfb->need) {
			pctl_buf_add(&rfb->in, p, n);
			if (rfb->in.len < rfb->need)
				return 0;
			r = rfb->step->take(rfb, (const uint8_t *)rfb->in.data, err);
			pctl_buf_cut(&rfb->in, 0);
		} else {
			r = rfb->step->take(rfb, p, err);
		}
		p += n;
		len -= n;
	}
	if (r == 0 && rfb->out.full)
		return pctl_error_set(
			err, PCTL_E_PROTOCOL, "its screen is told of and never shown (RFB)");
	return r;
}
