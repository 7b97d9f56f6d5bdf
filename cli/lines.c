/* SPDX-License-Identifier: Apache-2.0 */
#include "lines.h"

#include "text.h"

#define TAB 8u
#define ESC 0x1b
#define BEL 0x07

void lines_init(struct lines *l, lines_fn *take, void *data)
{
	*l = (struct lines){ .take = take, .data = data };
	pctl_buf_init(&l->line, LINES_MAX);
}

void lines_done(struct lines *l)
{
	pctl_buf_done(&l->line);
}

bool lines_waits(const struct lines *l)
{
	return l->line.len > 0;
}

static void hand_out(struct lines *l)
{
	struct pctl_buf clean;

	pctl_buf_init(&clean, TEXT_LINE_MAX);
	text_clean(&clean, l->line.data);
	pctl_buf_cut(&l->line, 0);
	l->take(l->data, clean.data);
	pctl_buf_done(&clean);
}

void lines_flush(struct lines *l)
{
	if (!lines_waits(l))
		return;
	hand_out(l);
	l->parted = true;
}

/* An empty line is one, unless it is only the end of what was handed out already. */
static void end_line(struct lines *l)
{
	if (lines_waits(l) || !l->parted)
		hand_out(l);
	l->parted = false;
}

static bool is_tail(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

static void take_back(struct lines *l)
{
	size_t len = l->line.len;

	while (len > 0 && is_tail(l->line.data[len - 1]))
		len--;
	pctl_buf_cut(&l->line, len ? len - 1 : 0);
}

/* A character of several bytes is not cut in two. */
static void add(struct lines *l, char c)
{
	if (l->line.len >= LINES_MAX - 4 && !is_tail(c))
		lines_flush(l);
	if (l->line.len >= LINES_MAX)
		lines_flush(l);
	pctl_buf_add(&l->line, &c, 1);
}

static void take_plain(struct lines *l, unsigned char c)
{
	switch (c) {
	case '\n':
		end_line(l);
		break;
	case '\r':
		break;
	case '\b':
		take_back(l);
		break;
	case '\t':
		do
			add(l, ' ');
		while (l->line.len % TAB);
		break;
	case ESC:
		l->state = LINES_ESCAPE;
		break;
	default:
		if (c >= ' ' && c != 0x7f)
			add(l, (char)c);
		break;
	}
}

static void take_escape(struct lines *l, unsigned char c)
{
	if (c == '[')
		l->state = LINES_CSI;
	else if (c == ']' || c == 'P' || c == 'X' || c == '^' || c == '_')
		l->state = LINES_STRING;
	else if (c < 0x20 || c > 0x2f)
		l->state = LINES_PLAIN;
}

static void take_csi(struct lines *l, unsigned char c)
{
	if (c >= 0x20 && c <= 0x3f)
		return;
	l->state = LINES_PLAIN;
	if ((c == 'H' || c == 'f' || c == 'E') && lines_waits(l))
		end_line(l);
}

static void take_one(struct lines *l, unsigned char c)
{
	/* Whatever began before: a new line is a new line. */
	if (c == '\r' || c == '\n')
		l->state = LINES_PLAIN;
	switch (l->state) {
	case LINES_PLAIN:
		/* A return alone goes over the line once more: a new one here. */
		if (l->returned && c != '\r' && c != '\n' && lines_waits(l))
			end_line(l);
		l->returned = c == '\r';
		take_plain(l, c);
		break;
	case LINES_ESCAPE:
		take_escape(l, c);
		break;
	case LINES_CSI:
		take_csi(l, c);
		break;
	case LINES_STRING:
		if (c == BEL)
			l->state = LINES_PLAIN;
		else if (c == ESC)
			l->state = LINES_STRING_ESCAPE;
		break;
	case LINES_STRING_ESCAPE:
		l->state = c == '\\' ? LINES_PLAIN : LINES_STRING;
		break;
	}
}

void lines_add(struct lines *l, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++)
		take_one(l, (unsigned char)bytes[i]);
}
