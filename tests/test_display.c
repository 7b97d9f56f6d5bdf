/* SPDX-License-Identifier: Apache-2.0 */
/* The viewer's side of RFB, fed whole and byte by byte; PNG; how viewers are started. */
#include "test.h"

#include <arpa/inet.h>
#include <png.h>
#include <sys/socket.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "display/peer.h"
#include "display/png.h"
#include "display/relay.h"
#include "display/rfb.h"
#include "kvm_viewer.h"

#define ALL_MAX ((size_t)1 << 20)

/* What a server says, built piece by piece, and where its zlib stream is. */
struct server {
	struct pctl_buf said;
	z_stream zlib;
};

static void say(struct server *s, const void *data, size_t len)
{
	pctl_buf_add(&s->said, data, len);
}

#define SAY(s, literal) say(s, literal, sizeof(literal) - 1)

static void be(struct server *s, uint64_t n, size_t bytes)
{
	while (bytes--) {
		uint8_t byte = (uint8_t)(n >> 8 * bytes);
		say(s, &byte, 1);
	}
}

/* Up to and with the screen's size. */
static void begin(struct server *s, unsigned width, unsigned height)
{
	*s = (struct server){ 0 };
	pctl_buf_init(&s->said, ALL_MAX);
	SAY(s, "RFB 003.008\n\1\1\0\0\0\0");
	be(s, width, 2);
	be(s, height, 2);
	SAY(s, "\x10\x10\0\1\0\x1f\0\x3f\0\x1f\x0b\5\0\0\0\0\0\0\0\4name");
}

static void done(struct server *s)
{
	if (s->zlib.state)
		assert_int_not_equal(deflateEnd(&s->zlib), Z_STREAM_ERROR);
	pctl_buf_done(&s->said);
}

static void update(struct server *s, unsigned rectangles)
{
	SAY(s, "\0\0");
	be(s, rectangles, 2);
}

static void rectangle(
	struct server *s, unsigned x, unsigned y, unsigned width, unsigned height, int32_t encoding)
{
	be(s, x, 2);
	be(s, y, 2);
	be(s, width, 2);
	be(s, height, 2);
	be(s, (uint32_t)encoding, 4);
}

/* level 0 as firmware does: stored blocks. */
static void packed(struct server *s, const void *tiles, size_t len, int level)
{
	uint8_t out[4096];

	if (!s->zlib.state)
		assert_int_equal(deflateInit(&s->zlib, level), Z_OK);
	s->zlib.next_in = (Bytef *)(uintptr_t)tiles;
	s->zlib.avail_in = (uInt)len;
	s->zlib.next_out = out;
	s->zlib.avail_out = sizeof(out);
	assert_int_equal(deflate(&s->zlib, Z_SYNC_FLUSH), Z_OK);
	be(s, sizeof(out) - s->zlib.avail_out, 4);
	say(s, out, sizeof(out) - s->zlib.avail_out);
}

static int feed(struct rfb *rfb, const struct server *s, size_t piece, struct pctl_error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->said.len; i += piece) {
		size_t n = s->said.len - i < piece ? s->said.len - i : piece;
		r = rfb_feed(rfb, s->said.data + i, n, err);
	}
	return r;
}

/* The same picture in whatever pieces it comes. */
static void shows(const struct server *s, enum rfb_format format, const void *pixels, size_t len)
{
	for (size_t piece = s->said.len; piece; piece = piece > 7 ? 7 : piece == 1 ? 0 : 1) {
		struct pctl_error err = { 0 };
		struct rfb rfb;

		rfb_init(&rfb, format, 0);
		int r = feed(&rfb, s, piece, &err);
		if (r != 1)
			fail_msg("%d: %s", r, err.text);
		assert_int_equal(
			(size_t)rfb.screen.width * rfb.screen.height * rfb_pixel_size(format), len);
		assert_memory_equal(rfb.screen.pixels, pixels, len);
		rfb_done(&rfb);
		rfb_done(&rfb);
	}
}

static void refuses(const struct server *s, enum rfb_format format, int code, const char *words)
{
	for (size_t piece = s->said.len; piece; piece = piece == 1 ? 0 : 1) {
		struct pctl_error err = { 0 };
		struct rfb rfb;

		rfb_init(&rfb, format, 0);
		assert_int_equal(feed(&rfb, s, piece, &err), code);
		if (!strstr(err.text, words))
			fail_msg("no '%s' in '%s'", words, err.text);
		rfb_done(&rfb);
	}
}

static void raw_in_several_updates(void **state)
{
	static const uint8_t pixels[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
	struct server s;

	(void)state;
	begin(&s, 3, 2);
	SAY(&s, "\2"); /* a bell */
	update(&s, 1);
	rectangle(&s, 0, 0, 3, 1, 0);
	say(&s, pixels, 6);
	SAY(&s, "\3\0\0\0\0\0\0\5hello");    /* a clipboard */
	SAY(&s, "\1\0\0\0\0\1\0\0\0\0\0\0"); /* colours */
	update(&s, 0);
	update(&s, 2);
	rectangle(&s, 1, 1, 2, 1, 0);
	say(&s, pixels + 8, 4);
	rectangle(&s, 0, 1, 1, 1, 0);
	say(&s, pixels + 6, 2);
	shows(&s, RFB_RGB565, pixels, sizeof(pixels));
	done(&s);
}

/* What it sends: version, choice, share, then format, encodings, and a request for all of it. */
static void what_is_sent(void **state)
{
	struct pctl_error err = { 0 };
	struct server s;
	struct rfb rfb;

	(void)state;
	begin(&s, 0x123, 0x45);
	rfb_init(&rfb, RFB_RGB565, 0);
	assert_false(rfb.asked);
	assert_int_equal(feed(&rfb, &s, 1, &err), 0);
	assert_true(rfb.asked);
	assert_false(rfb.answered);
	static const char sent[] = "RFB 003.008\n\1\1"
				   "\0\0\0\0\x10\x10\0\1\0\x1f\0\x3f\0\x1f\x0b\5\0\0\0\0"
				   "\2\0\0\3\0\0\0\x10\0\0\0\0\xff\xff\xff\x21"
				   "\3\0\0\0\0\0\1\x23\0\x45";
	assert_int_equal(rfb.out.len, sizeof(sent) - 1);
	assert_memory_equal(rfb.out.data, sent, rfb.out.len);
	rfb_done(&rfb);

	/* Too large for two bytes a pixel. */
	rfb_init(&rfb, RFB_RGB565, (size_t)0x123 * 0x45 * 2 - 1);
	assert_int_equal(feed(&rfb, &s, 1, &err), 0);
	assert_int_equal(rfb.screen.format, RFB_RGB332);
	assert_memory_equal(rfb.out.data + 14, "\0\0\0\0\x08\x08\0\1\0\7\0\7\0\3\5\2\0\0\0\0", 20);
	rfb_done(&rfb);
	done(&s);
}

/* Every form of a tile, in both sizes of pixels. */
static const struct {
	const char *tiles;
	size_t len;
	enum rfb_format format;
	uint8_t pixels[16]; /* of 4x2 */
} forms[] = {
#define FORM(f, t, ...)              \
	{                            \
		t, sizeof(t) - 1, f, \
		{                    \
			__VA_ARGS__  \
		}                    \
	}
	FORM(RFB_RGB332, "\0ABCDEFGH", 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'),
	FORM(RFB_RGB565, "\0abcdefghABCDEFGH", 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'A', 'B',
		'C', 'D', 'E', 'F', 'G', 'H'),
	FORM(RFB_RGB332, "\1x", 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x'),
	FORM(RFB_RGB565, "\1xy", 'x', 'y', 'x', 'y', 'x', 'y', 'x', 'y', 'x', 'y', 'x', 'y', 'x',
		'y', 'x', 'y'),
	/* One bit, two, four an index; rows begin with a byte. */
	FORM(RFB_RGB332, "\2ab\x50\xA0", 'a', 'b', 'a', 'b', 'b', 'a', 'b', 'a'),
	FORM(RFB_RGB332, "\3abc\x1B\0", 0),
	FORM(RFB_RGB332, "\4abcd\x1B\xE4", 'a', 'b', 'c', 'd', 'd', 'c', 'b', 'a'),
	FORM(RFB_RGB565, "\5aAbBcCdDeE\x01\x23\x44\x44", 'a', 'A', 'b', 'B', 'c', 'C', 'd', 'D',
		'e', 'E', 'e', 'E', 'e', 'E', 'e', 'E'),
	/* Runs, which go over the ends of rows. */
	FORM(RFB_RGB332,
		"\x80"
		"a\4b\2",
		'a', 'a', 'a', 'a', 'a', 'b', 'b', 'b'),
	FORM(RFB_RGB565,
		"\x80"
		"aA\0bB\6",
		'a', 'A', 'b', 'B', 'b', 'B', 'b', 'B', 'b', 'B', 'b', 'B', 'b', 'B', 'b', 'B'),
	FORM(RFB_RGB332,
		"\x82"
		"ab\0\x81\6",
		'a', 'b', 'b', 'b', 'b', 'b', 'b', 'b'),
	FORM(RFB_RGB565,
		"\x83"
		"aAbBcC\2\x80\5\1",
		'c', 'C', 'a', 'A', 'a', 'A', 'a', 'A', 'a', 'A', 'a', 'A', 'a', 'A', 'b', 'B'),
#undef FORM
};

static void tiles_of_every_form(void **state)
{
	(void)state;
	for (size_t i = 0; i < TEST_COUNT(forms); i++) {
		size_t len = 8 * rfb_pixel_size(forms[i].format);
		struct server s;

		begin(&s, 4, 2);
		update(&s, 1);
		rectangle(&s, 0, 0, 4, 2, 16);
		packed(&s, forms[i].tiles, forms[i].len, (int)(i % 2) * 6);
		if (forms[i].pixels[0])
			shows(&s, forms[i].format, forms[i].pixels, len);
		else
			refuses(&s, forms[i].format, PCTL_E_PROTOCOL, "ZRLE");
		done(&s);
	}
}

/* Three tiles in one rectangle, and the stream of zlib goes on over two of them. */
static void stream_over_rectangles(void **state)
{
	uint8_t pixels[130 * 3], tiles[] = { 1, 'a', 128, 'b', 191, 1, 'c' };
	struct server s;

	(void)state;
	memset(pixels, 'a', sizeof(pixels));
	for (unsigned y = 0; y < 3; y++)
		for (unsigned x = 0; x < 130; x++)
			pixels[y * 130 + x] = x < 64 ? 'a' : x < 128 ? 'b' : 'c';
	for (int level = 0; level < 7; level += 6) {
		begin(&s, 130, 3);
		update(&s, 2);
		rectangle(&s, 0, 0, 130, 3, 16);
		packed(&s, tiles, sizeof(tiles), level);
		rectangle(&s, 0, 0, 130, 3, 16);
		packed(&s, tiles, sizeof(tiles), level);
		shows(&s, RFB_RGB332, pixels, sizeof(pixels));
		done(&s);
	}
}

static void size_changes(void **state)
{
	static const uint8_t pixels[] = { 'a', 'b', 'c', 'd' };
	struct server s;

	(void)state;
	begin(&s, 2, 1);
	update(&s, 2);
	rectangle(&s, 0, 0, 2, 1, 0);
	say(&s, pixels, 2);
	rectangle(&s, 0, 0, 4, 1, -223);
	update(&s, 1);
	rectangle(&s, 0, 0, 4, 1, 0);
	say(&s, pixels, 4);
	shows(&s, RFB_RGB332, pixels, sizeof(pixels));
	done(&s);
}

/* It grows over what the device sends in 16 bits a pixel: from there on it is asked for 8. */
static void size_grows_too_wide(void **state)
{
	static const uint8_t pixels[] = { 'a', 'b', 'c', 'd' };
	struct pctl_error err = { 0 };
	struct server s;
	struct rfb rfb;

	(void)state;
	begin(&s, 2, 1);
	rfb_init(&rfb, RFB_RGB565, 4);
	assert_int_equal(feed(&rfb, &s, 1, &err), 0);
	done(&s);
	pctl_buf_cut(&rfb.out, 0);
	s = (struct server){ 0 };
	pctl_buf_init(&s.said, ALL_MAX);
	update(&s, 2);
	rectangle(&s, 0, 0, 4, 1, -223);
	rectangle(&s, 0, 0, 2, 1, 0); /* of what was asked for before */
	say(&s, pixels, 4);
	assert_int_equal(feed(&rfb, &s, 1, &err), 0);
	assert_int_equal(rfb.screen.format, RFB_RGB332);
	assert_false(rfb.answered);
	static const char sent[] = "\0\0\0\0\x08\x08\0\1\0\7\0\7\0\3\5\2\0\0\0\0"
				   "\2\0\0\3\0\0\0\x10\0\0\0\0\xff\xff\xff\x21"
				   "\3\0\0\0\0\0\0\4\0\1";
	assert_int_equal(rfb.out.len, sizeof(sent) - 1);
	assert_memory_equal(rfb.out.data, sent, rfb.out.len);
	pctl_buf_cut(&s.said, 0);
	update(&s, 1);
	rectangle(&s, 0, 0, 4, 1, 0);
	say(&s, pixels, 4);
	assert_int_equal(feed(&rfb, &s, 1, &err), 1);
	assert_memory_equal(rfb.screen.pixels, pixels, 4);
	rfb_done(&rfb);
	done(&s);
}

static void greetings(void **state)
{
	static const struct {
		const char *said;
		size_t len;
		int code;
		const char *words;
	} rows[] = {
#define ROW(said, code, words) { said, sizeof(said) - 1, code, words }
		ROW("RFB 003.003\n", PCTL_E_UNSUPPORTED, "003.003"),
		ROW("HTTP/1.1 400", PCTL_E_PROTOCOL, "greet"),
		ROW("RFB 003.008\n\2\2\x10", PCTL_E_UNSUPPORTED, "password"),
		ROW("RFB 003.008\n\0\0\0\0\4busy", PCTL_E_REFUSED, "busy"),
		ROW("RFB 003.008\n\1\1\0\0\0\1\0\0\0\2no", PCTL_E_REFUSED, "no"),
		ROW("RFB 003.008\n\1\1\0\0\0\1\0\0\0\0", PCTL_E_REFUSED, "not why"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct server s = { 0 };

		pctl_buf_init(&s.said, ALL_MAX);
		say(&s, rows[i].said, rows[i].len);
		refuses(&s, RFB_RGB565, rows[i].code, rows[i].words);
		done(&s);
	}
	struct pctl_error err = { 0 };
	struct rfb rfb;

	rfb_init(&rfb, RFB_RGB565, 0);
	assert_int_equal(rfb_feed(&rfb, "RFB 004.000\n", 12, &err), 0);
	assert_string_equal(rfb.out.data, "RFB 003.008\n");
	rfb_done(&rfb);
}

static void refuse_rectangle(unsigned x, unsigned y, unsigned width, unsigned height,
	int32_t encoding, const char *rest, size_t len, const char *words)
{
	struct server s;

	begin(&s, 100, 50);
	update(&s, 1);
	rectangle(&s, x, y, width, height, encoding);
	say(&s, rest, len);
	refuses(&s, RFB_RGB565, PCTL_E_PROTOCOL, words);
	done(&s);
}

static void impossible_things(void **state)
{
	struct server s;

	(void)state;
	refuse_rectangle(99, 0, 2, 1, 0, "", 0, "no rectangle");
	refuse_rectangle(0, 49, 1, 2, 0, "", 0, "no rectangle");
	refuse_rectangle(65535, 65535, 65535, 65535, 0, "", 0, "no rectangle");
	refuse_rectangle(0, 0, 0, 1, 0, "", 0, "no rectangle");
	refuse_rectangle(0, 0, 1, 1, 5, "", 0, "not asked for");
	refuse_rectangle(0, 0, 0, 0, -223, "", 0, "0 x 0");
	refuse_rectangle(0, 0, 65535, 65535, -223, "", 0, "65535 x 65535");
	refuse_rectangle(0, 0, 64, 50, 16, "\x7f\xff\xff\xff", 4, "comes as");
	refuse_rectangle(0, 0, 64, 50, 16, "\0\0\0\0", 4, "empty");
	refuse_rectangle(0, 0, 64, 50, 16, "\0\0\0\4\x78\1\xff\xff", 8, "unpacked");
	begin(&s, 0, 50);
	refuses(&s, RFB_RGB565, PCTL_E_PROTOCOL, "0 x 50");
	done(&s);
	begin(&s, 65535, 65535);
	refuses(&s, RFB_RGB565, PCTL_E_PROTOCOL, "65535 x 65535");
	done(&s);
	begin(&s, 8192, 4096); /* many are looked at at once */
	refuses(&s, RFB_RGB565, PCTL_E_PROTOCOL, "8192 x 4096");
	done(&s);
	begin(&s, 4, 4);
	SAY(&s, "\x99");
	refuses(&s, RFB_RGB565, PCTL_E_PROTOCOL, "nobody knows");
	done(&s);
	begin(&s, 4, 4);
	SAY(&s, "\3\0\0\0\x7f\xff\xff\xff");
	refuses(&s, RFB_RGB565, PCTL_E_PROTOCOL, "clipboard");
	done(&s);
}

static void broken_tiles(void **state)
{
	static const struct {
		const char *tiles;
		size_t len;
	} rows[] = {
#define ROW(t) { t, sizeof(t) - 1 }
		ROW(""),       /* nothing */
		ROW("\0aAbB"), /* too little */
		ROW("\1aA!"),  /* too much */
		ROW("\x11"),   /* forms that do not exist */
		ROW("\x7f"),
		ROW("\x81"),
		ROW("\3aAbBcC\xff\xff"), /* a colour that is not there */
		ROW("\x82"
		    "aAbB\2"),
		ROW("\x80"
		    "aA\x08"), /* a run beyond the end */
		ROW("\x80"
		    "aA\xff\xff\xff"), /* and one without end */
		ROW("\x82"
		    "aAbB\x80\x08"),
		ROW("\x80"
		    "aA"),
#undef ROW
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(rows); i++) {
		struct server s;

		begin(&s, 4, 2);
		update(&s, 1);
		rectangle(&s, 0, 0, 4, 2, 16);
		packed(&s, rows[i].tiles, rows[i].len, 0);
		refuses(&s, RFB_RGB565, PCTL_E_PROTOCOL, "ZRLE");
		done(&s);
	}
}

/* An update that never shows anything ends, also where all comes at once. */
static void endless_nothing(void **state)
{
	struct server s;

	(void)state;
	begin(&s, 4, 2);
	for (int i = 0; i < 1000; i++)
		update(&s, 0);
	struct pctl_error err = { 0 };
	struct rfb rfb;

	rfb_init(&rfb, RFB_RGB565, 0);
	assert_int_equal(feed(&rfb, &s, s.said.len, &err), PCTL_E_PROTOCOL);
	rfb_done(&rfb);
	done(&s);
}

static void read_png(const struct pctl_buf *file, png_bytep rgb, unsigned width, unsigned height)
{
	png_image image = { .version = PNG_IMAGE_VERSION };

	assert_true(png_image_begin_read_from_memory(&image, file->data, file->len));
	assert_int_equal(image.width, width);
	assert_int_equal(image.height, height);
	image.format = PNG_FORMAT_RGB;
	assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
}

static void pictures(void **state)
{
	uint8_t wide[] = { 0x1f, 0xf8, 0xe0, 0x07, 0xff, 0xff }, narrow[] = { 0xe3, 0x1c, 0xff };
	static const uint8_t wanted[] = { 255, 0, 255, 0, 255, 0, 255, 255, 255 };
	const struct rfb_screen screens[] = {
		{ .width = 3, .height = 1, .format = RFB_RGB565, .pixels = wide },
		{ .width = 3, .height = 1, .format = RFB_RGB332, .pixels = narrow },
	};

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(screens); i++) {
		struct pctl_error err = { 0 };
		struct pctl_buf file;
		png_byte rgb[9];

		pctl_buf_init(&file, ALL_MAX);
		assert_int_equal(display_png(&screens[i], &file, &err), 0);
		read_png(&file, rgb, 3, 1);
		assert_memory_equal(rgb, wanted, sizeof(wanted));
		pctl_buf_done(&file);
		pctl_buf_init(&file, 20);
		assert_int_equal(display_png(&screens[i], &file, &err), PCTL_E_INTERNAL);
		pctl_buf_done(&file);
	}
}

static void greeting_for_viewers(void **state)
{
	char got[RELAY_GREETING];

	(void)state;
	assert_true(relay_greeting("RFB 003.008\n", got));
	assert_memory_equal(got, "RFB 003.008\n", sizeof(got));
	assert_true(relay_greeting("RFB 004.000\n", got));
	assert_memory_equal(got, "RFB 003.008\n", sizeof(got));
	assert_true(relay_greeting("RFB 003.889\n", got));
	assert_memory_equal(got, "RFB 003.008\n", sizeof(got));
	assert_true(relay_greeting("RFB 003.003\n", got));
	assert_memory_equal(got, "RFB 003.003\n", sizeof(got));
	assert_false(relay_greeting("HTTP/1.1 400", got));
}

static void words_are(const char *program, const char *const *wanted)
{
	char **words = kvm_viewer_words(program, 41234);
	size_t i = 0;

	for (; wanted[i]; i++) {
		assert_non_null(words[i]);
		assert_string_equal(words[i], wanted[i]);
		free(words[i]);
	}
	assert_null(words[i]);
	free(words);
}

#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void viewers(void **state)
{
	(void)state;
	words_are("vncviewer", WORDS("vncviewer", "127.0.0.1::41234"));
	words_are(" /opt/my viewer\t-x ", WORDS("/opt/my", "viewer", "-x", "127.0.0.1::41234"));
	words_are("/usr/bin/gvncviewer", WORDS("/usr/bin/gvncviewer", "127.0.0.1:35334"));
	words_are("remmina", WORDS("remmina", "-c", "vnc://127.0.0.1:41234"));
	words_are("a;b $(c)", WORDS("a;b", "$(c)", "127.0.0.1::41234"));
}

/* --- Whose a connection is. ------------------------------------------------------------------- */

static bool table_says(const char *rows, uint64_t *ret_uid)
{
	const struct sockaddr_in near = { .sin_family = AF_INET,
		.sin_port = htons(0x1f90),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	const struct sockaddr_in far = { .sin_family = AF_INET,
		.sin_port = htons(0xc001),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	char host[9], text[1024];
	size_t n = 0;

	/* L stands for the loopback as this host writes it, M for what makes it one of IPv6. */
	(void)snprintf(host, sizeof(host), "%08X", htonl(INADDR_LOOPBACK));
	for (; *rows && n < sizeof(text) - 32; rows++)
		n += (size_t)(*rows == 'L'   ? snprintf(text + n, 9, "%s", host)
			      : *rows == 'M' ? snprintf(text + n, 25, "%016X%08X", 0, htonl(0xffff))
					     : snprintf(text + n, 2, "%c", *rows));
	FILE *f = fmemopen(text, n, "r");
	assert_non_null(f);
	bool found = display_peer_uid(f, &near, &far, ret_uid);
	assert_int_equal(fclose(f), 0);
	return found;
}

#define REST " 00000000:00000000 00:00000000 00000000 "

static void rows_of_peers(void **state)
{
	static const char head[] = "  sl  local_address rem_address   st tx_queue rx_queue tr\n";
	uint64_t uid = 7;

	(void)state;
	assert_false(table_says(head, &uid));
	/* Our own end, the listener, and one whose owner has closed it: that one is nobody's. */
	assert_false(table_says("0: L:1F90 L:C001 01" REST "0 0 9\n"
				"1: L:1F90 00000000:0000 0A" REST "0 0 9\n"
				"2: L:C001 L:1F90 05" REST "0 0 0\n"
				"3: L:C001 L:1F90 06" REST "0 0 0\n"
				"4: L:C001 L:1F91 01" REST "0 0 9\n"
				"5: L:C001 L:1F90 01",
		&uid));
	assert_int_equal(uid, 7);
	assert_true(table_says("  12: L:C001 L:1F90 06" REST "0 0 0\n"
			       "  13: L:C001 L:1F90 01" REST " 1000 0 9 1 0\n",
		&uid));
	assert_int_equal(uid, 1000);
	assert_true(table_says("1: ML:C001 ML:1F90 01" REST "1001 0 9\n", &uid));
	assert_int_equal(uid, 1001);
	assert_false(table_says("1: ML:C001 ML:1F90 05" REST "0 0 9\n", &uid));
}

/* One end of a connection to a listener of ours, whose other end is *ret_far. */
static int connection(int family, int *ret_far)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 mapped = { .sin6_family = AF_INET6 };
	const struct sockaddr *to = (const struct sockaddr *)&a;
	socklen_t len = sizeof(a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(listener, to, len), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &len), 0);
	assert_int_equal(inet_pton(AF_INET6, "::ffff:127.0.0.1", &mapped.sin6_addr), 1);
	mapped.sin6_port = a.sin_port;
	if (family == AF_INET6) {
		to = (const struct sockaddr *)&mapped;
		len = sizeof(mapped);
	}
	*ret_far = socket(family, SOCK_STREAM, 0);
	if (*ret_far < 0 || connect(*ret_far, to, len) < 0) {
		assert_int_equal(family, AF_INET6); /* a host may have none of it */
		assert_int_equal(close(listener), 0);
		return -1;
	}
	int near = accept(listener, NULL, NULL);
	assert_int_equal(close(listener), 0);
	return near;
}

/* A viewer that has hung up is nobody's: its row is root's then, and whoever it was not known. */
static void peers(void **state)
{
	static const int families[] = { AF_INET, AF_INET6 };

	(void)state;
	for (size_t i = 0; i < TEST_COUNT(families); i++) {
		int far = -1, near = connection(families[i], &far);

		if (near < 0)
			continue;
		assert_true(display_peer_is_ours(near));
		assert_int_equal(shutdown(far, SHUT_WR), 0);
		assert_false(display_peer_is_ours(near));
		assert_int_equal(close(far), 0);
		assert_false(display_peer_is_ours(near));
		assert_int_equal(close(near), 0);
	}
	assert_false(display_peer_is_ours(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(raw_in_several_updates),
		cmocka_unit_test(what_is_sent),
		cmocka_unit_test(tiles_of_every_form),
		cmocka_unit_test(stream_over_rectangles),
		cmocka_unit_test(size_changes),
		cmocka_unit_test(size_grows_too_wide),
		cmocka_unit_test(greetings),
		cmocka_unit_test(impossible_things),
		cmocka_unit_test(broken_tiles),
		cmocka_unit_test(endless_nothing),
		cmocka_unit_test(pictures),
		cmocka_unit_test(greeting_for_viewers),
		cmocka_unit_test(viewers),
		cmocka_unit_test(rows_of_peers),
		cmocka_unit_test(peers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
