/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <string.h>

#include <powerctl/mem.h>

#include "text.h"

void table_init(struct table *t, const unsigned *columns, size_t width)
{
	*t = (struct table){ .columns = columns, .width = width };
}

void table_done(struct table *t)
{
	for (size_t i = 0; i < t->n; i++)
		free(t->cells[i]);
	free(t->cells);
	*t = (struct table){ 0 };
}

void table_add(struct table *t, const char *text)
{
	struct pctl_buf cell;

	pctl_buf_init(&cell, TEXT_ANSWER_MAX);
	text_clean(&cell, text);
	t->cells = pctl_xgrow(t->cells, &t->cap, t->n + 1, sizeof(char *));
	t->cells[t->n++] = pctl_buf_steal(&cell);
}

/* Characters of valid UTF-8, each as wide as a blank. */
static size_t width_of(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static size_t widest(const struct table *t, size_t column)
{
	size_t most = 0;

	for (size_t i = column; i < t->n; i += t->width) {
		size_t width = width_of(t->cells[i]);

		most = width > most ? width : most;
	}
	return most;
}

static void write_cell(
	const struct table *t, struct pctl_buf *buf, size_t column, const char *text, size_t width)
{
	unsigned flags = t->columns[column];
	int pad = (int)(width - width_of(text));
	const char *gap = flags & TABLE_CLOSE ? " " : "  ";

	if (!width) /* nobody has anything here */
		return;
	pctl_buf_addf(buf, "%s%*s%s%*s", column ? gap : "", flags & TABLE_RIGHT ? pad : 0, "", text,
		flags & TABLE_RIGHT ? 0 : pad, "");
}

static void trim(struct pctl_buf *buf, size_t start)
{
	size_t len = buf->len;

	while (len > start && buf->data[len - 1] == ' ')
		len--;
	pctl_buf_cut(buf, len);
}

void table_write(
	const struct table *t, struct pctl_buf *buf, const char *before, const char *between)
{
	PCTL_AUTO(free) size_t *widths = pctl_xcalloc(t->width, sizeof(*widths));

	for (size_t c = 0; c < t->width; c++)
		widths[c] = widest(t, c);
	for (size_t row = 0; row + t->width <= t->n; row += t->width) {
		pctl_buf_addf(buf, "%s%s", row ? between : "", before);
		size_t start = buf->len;
		for (size_t c = 0; c < t->width; c++)
			write_cell(t, buf, c, t->cells[row + c], widths[c]);
		trim(buf, start);
	}
}
