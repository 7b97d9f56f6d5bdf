/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A screen with a picture that stands still: how a driver opens a display whose device does not
 * speak RFB by itself. The user gets one end of a socketpair; here is a server of RFB 3.8 (RFC
 * 6143) that knows as much as viewers need: Raw, in whatever pixels they ask for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <powerctl/driver.h>
#include <powerctl/mem.h>

#include "null.h"

enum { WIDTH = 64, HEIGHT = 48, BYTES_MAX = 4 };
#define PICTURE_MAX (16u + WIDTH * HEIGHT * BYTES_MAX)
#define PART        4096u

/* As SetPixelFormat and ServerInit have it. */
struct format {
	uint8_t bits, depth, big_endian, true_colour;
	uint8_t red_max[2], green_max[2], blue_max[2];
	uint8_t red_shift, green_shift, blue_shift, padding[3];
};

struct screen;
struct step {
	/* How many bytes what comes next has; 0: more are needed to know; SIZE_MAX: too many. */
	size_t (*length)(const uint8_t *p, size_t n);
	void (*take)(struct screen *s, const uint8_t *p);
};

struct screen {
	struct pctl_session session; /* what the user sees */
	uv_pipe_t near;              /* our end */
	uv_write_t write;
	const struct step *step;
	struct format format;
	uint8_t in[PART], out[PICTURE_MAX];
	size_t in_len, out_len;
	struct pctl_error why; /* it ended */
};

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void say(struct screen *s, const void *data, size_t len)
{
	memcpy(s->out + s->out_len, data, len);
	s->out_len += len;
}

/* --- The picture. ----------------------------------------------------------------------------- */

/* 0 to 255 of each: red to the right, green downwards, blue in squares. */
static uint32_t pixel(const struct format *f, unsigned x, unsigned y)
{
	unsigned red = x * 255 / (WIDTH - 1), green = y * 255 / (HEIGHT - 1);
	unsigned blue = (x / 8 + y / 8) % 2 * 255;

	return red * be16(f->red_max) / 255 << (f->red_shift & 31) |
	       green * be16(f->green_max) / 255 << (f->green_shift & 31) |
	       blue * be16(f->blue_max) / 255 << (f->blue_shift & 31);
}

static void say_pixel(struct screen *s, uint32_t c)
{
	unsigned bytes = s->format.bits / 8;

	for (unsigned i = 0; i < bytes; i++) {
		unsigned at = s->format.big_endian ? bytes - 1 - i : i;
		uint8_t byte = (uint8_t)(c >> 8 * at);

		say(s, &byte, 1);
	}
}

/* One rectangle: Raw. */
static void say_picture(struct screen *s)
{
	static const uint8_t head[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, WIDTH, 0, HEIGHT, 0, 0, 0, 0 };

	say(s, head, sizeof(head));
	for (unsigned y = 0; y < HEIGHT; y++)
		for (unsigned x = 0; x < WIDTH; x++)
			say_pixel(s, pixel(&s->format, x, y));
}

/* --- What the viewer says. -------------------------------------------------------------------- */

static const struct step version, choice, share, message;

static size_t version_length(const uint8_t *p, size_t n)
{
	(void)p, (void)n;
	return 12;
}

static void take_version(struct screen *s, const uint8_t *p)
{
	(void)p;
	say(s, "\1\1", 2); /* one kind of security: none */
	s->step = &choice;
}

static size_t one_byte(const uint8_t *p, size_t n)
{
	(void)p, (void)n;
	return 1;
}

static void take_choice(struct screen *s, const uint8_t *p)
{
	(void)p;
	say(s, "\0\0\0\0", 4);
	s->step = &share;
}

static void take_share(struct screen *s, const uint8_t *p)
{
	static const uint8_t size[] = { 0, WIDTH, 0, HEIGHT };

	(void)p;
	say(s, size, sizeof(size));
	say(s, &s->format, sizeof(s->format));
	say(s, "\0\0\0\4null", 8);
	s->step = &message;
}

static size_t message_length(const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case 0: /* SetPixelFormat */
		return 20;
	case 2: /* SetEncodings */
		return n < 4 ? 0 : 4 + 4 * (size_t)be16(p + 2);
	case 3: /* FramebufferUpdateRequest */
		return 10;
	case 4: /* KeyEvent */
		return 8;
	case 5: /* PointerEvent */
		return 6;
	case 6: /* ClientCutText */
		return n < 8 ? 0 : p[4] || p[5] ? SIZE_MAX : 8 + (size_t)be16(p + 6);
	default:
		return SIZE_MAX;
	}
}

/* Nothing changes, so that a request for changes only stays open for ever. */
static void take_message(struct screen *s, const uint8_t *p)
{
	if (p[0] == 0 && (p[4] == 8 || p[4] == 16 || p[4] == 32) && p[7])
		memcpy(&s->format, p + 4, sizeof(s->format));
	else if (p[0] == 3 && !p[1])
		say_picture(s);
}

static const struct step version = { version_length, take_version },
			 choice = { one_byte, take_choice }, share = { one_byte, take_share },
			 message = { message_length, take_message };

/* --- Bytes. ----------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
	struct screen *s = pctl_container_of((uv_pipe_t *)handle, struct screen, near);

	if (s->session.ended)
		s->session.ended(s->session.data, &s->why);
	(void)close(s->session.fd);
	pctl_value_free(s->session.facts);
	free(s);
}

static void close_session(struct pctl_session *session)
{
	struct screen *s = pctl_container_of(session, struct screen, session);

	uv_close((uv_handle_t *)&s->near, on_closed);
}

/* By itself: the user reads the end of it. */
static void end(struct screen *s)
{
	uv_os_fd_t fd = -1;

	(void)uv_fileno((uv_handle_t *)&s->near, &fd);
	(void)shutdown(fd, SHUT_RDWR);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *buf)
{
	struct screen *s = pctl_container_of((uv_pipe_t *)handle, struct screen, near);

	(void)size;
	*buf = uv_buf_init((char *)s->in + s->in_len, (unsigned)(PART - s->in_len));
}

static void go_on(struct screen *s);

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
	struct screen *s = pctl_container_of((uv_pipe_t *)stream, struct screen, near);

	(void)buf;
	if (n == 0)
		return;
	(void)uv_read_stop(stream);
	if (n < 0)
		return;
	s->in_len += (size_t)n;
	go_on(s);
}

static void on_written(uv_write_t *write, int status)
{
	struct screen *s = pctl_container_of(write, struct screen, write);

	s->out_len = 0;
	if (status == 0)
		go_on(s);
}

/* One answer at a time: who does not read is not heard either. */
static void go_on(struct screen *s)
{
	size_t n = 0;

	while (s->in_len && !s->out_len) {
		n = s->step->length(s->in, s->in_len);
		if (n == 0 || n > s->in_len)
			break;
		s->step->take(s, s->in);
		s->in_len -= n;
		memmove(s->in, s->in + n, s->in_len);
	}
	if (s->out_len) {
		uv_buf_t part = uv_buf_init((char *)s->out, (unsigned)s->out_len);
		(void)uv_write(&s->write, (uv_stream_t *)&s->near, &part, 1, on_written);
	} else if (n > PART) {
		end(s);
	} else {
		(void)uv_read_start((uv_stream_t *)&s->near, on_alloc, on_read);
	}
}

/* --- Opening. --------------------------------------------------------------------------------- */

static struct pctl_value *new_facts(void)
{
	struct pctl_value *facts = pctl_value_new_map();

	pctl_value_set_text(facts, "kind", "rfb");
	pctl_value_set_text(facts, "version", "3.8");
	return facts;
}

static void finish_open(struct null_dev *dev, struct pctl_op *op)
{
	static const struct format usual = { 32, 24, 0, 1, { 0, 255 }, { 0, 255 }, { 0, 255 }, 16,
		8, 0, { 0 } };
	int pair[2];

	if (null_failed(dev, op, "fail_reads"))
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0) {
		pctl_op_fail(op, PCTL_E_INTERNAL, "no socketpair: %s", strerror(errno));
		return;
	}
	struct screen *s = pctl_xcalloc(1, sizeof(*s));
	s->session = (struct pctl_session){ .size = sizeof(s->session),
		.fd = pair[0],
		.facts = new_facts(),
		.close = close_session };
	s->step = &version;
	s->format = usual;
	(void)uv_pipe_init(pctl_device_loop(dev->device), &s->near, 0);
	(void)uv_pipe_open(&s->near, pair[1]);
	say(s, "RFB 003.008\n", 12);
	go_on(s);
	*dev->ret_session = &s->session;
	pctl_op_done(op);
}

static void open_display(void *data, struct pctl_op *op, const struct pctl_display_wish *wish,
	struct pctl_session **ret_session)
{
	struct null_dev *dev = data;

	if (wish->display > 1) {
		pctl_op_fail(op, PCTL_E_REFUSED, "it has one display, and no %u", wish->display);
		return;
	}
	dev->ret_session = ret_session;
	null_finish_later(dev, op, finish_open);
}

const struct pctl_display_if null_display = {
	.size = sizeof(null_display), .open = open_display,
	/* no .direct: the core answers "unsupported" */
};
