/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/buf.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

/* What an empty buffer shows, so that data is never NULL without an allocation. */
static char nothing[1];

void pctl_buf_init(struct pctl_buf *buf, size_t max)
{
	*buf = (struct pctl_buf){ .data = nothing, .max = max };
}

void pctl_buf_init_secret(struct pctl_buf *buf, size_t max)
{
	pctl_buf_init(buf, max);
	buf->secret = true;
}

static void give_up(struct pctl_buf *buf)
{
	if (!buf->cap)
		return;
	if (buf->secret)
		explicit_bzero(buf->data, buf->cap);
	free(buf->data);
}

void pctl_buf_done(struct pctl_buf *buf)
{
	bool secret = buf->secret;

	give_up(buf);
	pctl_buf_init(buf, buf->max);
	buf->secret = secret;
}

/* Room for len more bytes and the zero byte, or false. */
static bool reserve(struct pctl_buf *buf, size_t len)
{
	if (buf->full || len > buf->max - buf->len) {
		buf->full = true;
		return false;
	}

	size_t need = buf->len + len + 1;
	if (need <= buf->cap)
		return true;

	size_t cap = buf->cap ? buf->cap : 64;
	while (cap < need)
		cap *= 2;
	char *data = pctl_xmalloc(cap); /* zeroing what is written next is felt in a fleet */
	memcpy(data, buf->data, buf->len);
	give_up(buf);
	buf->data = data;
	buf->cap = cap;
	return true;
}

void pctl_buf_add(struct pctl_buf *buf, const void *data, size_t len)
{
	if (!len || !reserve(buf, len))
		return;
	memcpy(buf->data + buf->len, data, len);
	buf->len += len;
	buf->data[buf->len] = '\0';
}

void pctl_buf_adds(struct pctl_buf *buf, const char *s)
{
	pctl_buf_add(buf, s, strlen(s));
}

void pctl_buf_addf(struct pctl_buf *buf, const char *fmt, ...)
{
	char small[256];
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		pctl_buf_add(buf, small, (size_t)n);
	} else if (n > 0 && reserve(buf, (size_t)n)) {
		(void)vsnprintf(buf->data + buf->len, (size_t)n + 1, fmt, again);
		buf->len += (size_t)n;
	}
	va_end(again);
	if (buf->secret)
		explicit_bzero(small, sizeof(small));
}

void pctl_buf_cut(struct pctl_buf *buf, size_t len)
{
	buf->full = false;
	if (len >= buf->len)
		return;
	if (buf->secret)
		explicit_bzero(buf->data + len, buf->len - len);
	buf->len = len;
	buf->data[len] = '\0';
}

char *pctl_buf_steal(struct pctl_buf *buf)
{
	char *s = buf->cap ? buf->data : pctl_xstrdup("");

	pctl_buf_init(buf, buf->max);
	return s;
}
