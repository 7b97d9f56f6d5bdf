/* SPDX-License-Identifier: Apache-2.0 */
#include "http.h"

#include <string.h>

enum phase {
	PHASE_HEAD,
	PHASE_LENGTH,
	PHASE_CHUNK_SIZE,
	PHASE_CHUNK_DATA,
	PHASE_CHUNK_END,
	PHASE_TRAILER,
	PHASE_WHOLE,
};

struct head {
	struct http_request *request;
	bool chunked;
	bool has_length;
	uint64_t length;
};

void http_reader_init(struct http_reader *r)
{
	*r = (struct http_reader){ .phase = PHASE_HEAD };
	buf_init(&r->in, HTTP_HEAD_MAX + HTTP_BODY_MAX * 2);
}

void http_reader_done(struct http_reader *r)
{
	buf_done(&r->in);
}

void http_reader_feed(struct http_reader *r, const char *p, size_t n)
{
	buf_add(&r->in, p, n);
}

bool http_reader_pending(const struct http_reader *r)
{
	return r->in.n > 0;
}

static bool header(struct head *h, struct str name, struct str value)
{
	if (str_is_nocase(name, "Content-Length")) {
		if (h->has_length || !parse_uint(value, INT64_MAX, &h->length))
			return false;
		h->has_length = true;
	} else if (str_is_nocase(name, "Transfer-Encoding")) {
		if (!str_is_nocase(value, "chunked"))
			return false;
		h->chunked = true;
	} else if (str_is_nocase(name, "Authorization")) {
		h->request->authorization = value;
	} else if (str_is_nocase(name, "Expect")) {
		h->request->expect = true;
	} else if (str_is_nocase(name, "Connection")) {
		h->request->close = str_is_nocase(value, "close");
	}
	return true;
}

static bool request_line(struct str line, struct http_request *ret)
{
	struct str version, extra;

	if (!str_split(&line, ' ', &ret->method) || !str_split(&line, ' ', &ret->target) ||
		!str_split(&line, ' ', &version) || str_split(&line, ' ', &extra))
		return false;
	if (str_is(version, "HTTP/1.0"))
		ret->close = true;
	else if (!str_is(version, "HTTP/1.1"))
		return false;
	return ret->method.n && ret->target.n;
}

static struct str without_cr(struct str line)
{
	if (line.n && line.p[line.n - 1] == '\r')
		line.n--;
	return line;
}

static bool parse_head(struct str text, struct head *h)
{
	struct str line, name;

	if (!str_split(&text, '\n', &line) || !request_line(without_cr(line), h->request))
		return false;
	h->request->fields = text;
	while (str_split(&text, '\n', &line)) {
		line = without_cr(line);
		if (!line.n)
			continue;
		if (!str_split(&line, ':', &name) || !line.p || !name.n)
			return false;
		if (!header(h, name, str_trim(line)))
			return false;
	}
	return !(h->chunked && h->has_length);
}

bool http_request_field(const struct http_request *request, const char *name, struct str *ret)
{
	struct str text = request->fields, line, field;

	while (str_split(&text, '\n', &line))
		if (str_split(&line, ':', &field) && line.p && str_is_nocase(field, name)) {
			*ret = str_trim(line);
			return true;
		}
	return false;
}

static enum http_result read_head(struct http_reader *r)
{
	const char *end = r->in.n ? memmem(r->in.p, r->in.n, "\r\n\r\n", 4) : NULL;
	struct http_request request = { .body = { "", 0 } };
	struct head h = { .request = &request };

	if (!end)
		return r->in.n > HTTP_HEAD_MAX ? HTTP_TOO_BIG : HTTP_MORE;
	r->head_n = (size_t)(end - r->in.p) + 4;
	if (r->head_n > HTTP_HEAD_MAX)
		return HTTP_TOO_BIG;
	if (!parse_head((struct str){ r->in.p, r->head_n }, &h))
		return HTTP_BAD;
	if (h.length > HTTP_BODY_MAX)
		return HTTP_TOO_BIG;
	r->raw_at = r->head_n;
	r->body_n = 0;
	r->length = h.length;
	r->phase = h.chunked ? PHASE_CHUNK_SIZE : PHASE_LENGTH;
	return HTTP_DONE;
}

static enum http_result read_length(struct http_reader *r)
{
	if (r->in.n - r->head_n < r->length)
		return HTTP_MORE;
	r->body_n = (size_t)r->length;
	r->raw_at = r->head_n + r->body_n;
	r->phase = PHASE_WHOLE;
	return HTTP_DONE;
}

/* The line at raw_at, without its end; false: it is not all there. */
static bool take_line(struct http_reader *r, struct str *ret)
{
	const char *from = r->in.p + r->raw_at;
	size_t left = r->in.n - r->raw_at;
	const char *end = left ? memchr(from, '\n', left) : NULL;

	if (!end)
		return false;
	*ret = without_cr((struct str){ from, (size_t)(end - from) });
	r->raw_at += (size_t)(end - from) + 1;
	return true;
}

static enum http_result read_chunk_size(struct http_reader *r)
{
	struct str line, size;
	uint64_t n;

	if (!take_line(r, &line))
		return r->in.n - r->raw_at > 1024 ? HTTP_BAD : HTTP_MORE;
	if (!str_split(&line, ';', &size) || !parse_hex(str_trim(size), 0xFFFFFFF, &n))
		return HTTP_BAD;
	r->chunk_left = (size_t)n;
	if (r->body_n + r->chunk_left > HTTP_BODY_MAX)
		return HTTP_TOO_BIG;
	r->phase = r->chunk_left ? PHASE_CHUNK_DATA : PHASE_TRAILER;
	return HTTP_DONE;
}

/* The body is put together behind the head, over the framing that was read. */
static enum http_result read_chunk_data(struct http_reader *r)
{
	size_t n = r->in.n - r->raw_at;

	if (n > r->chunk_left)
		n = r->chunk_left;
	memmove(r->in.p + r->head_n + r->body_n, r->in.p + r->raw_at, n);
	r->body_n += n;
	r->raw_at += n;
	r->chunk_left -= n;
	if (r->chunk_left)
		return HTTP_MORE;
	r->phase = PHASE_CHUNK_END;
	return HTTP_DONE;
}

static enum http_result read_chunk_end(struct http_reader *r)
{
	struct str line;

	if (!take_line(r, &line))
		return r->in.n - r->raw_at > 2 ? HTTP_BAD : HTTP_MORE;
	if (line.n)
		return HTTP_BAD;
	r->phase = PHASE_CHUNK_SIZE;
	return HTTP_DONE;
}

static enum http_result read_trailer(struct http_reader *r)
{
	struct str line;

	if (!take_line(r, &line))
		return r->in.n - r->raw_at > HTTP_HEAD_MAX ? HTTP_TOO_BIG : HTTP_MORE;
	if (!line.n)
		r->phase = PHASE_WHOLE;
	return HTTP_DONE;
}

static enum http_result (*const steps[])(struct http_reader *r) = {
	[PHASE_HEAD] = read_head,
	[PHASE_LENGTH] = read_length,
	[PHASE_CHUNK_SIZE] = read_chunk_size,
	[PHASE_CHUNK_DATA] = read_chunk_data,
	[PHASE_CHUNK_END] = read_chunk_end,
	[PHASE_TRAILER] = read_trailer,
};

enum http_result http_reader_next(struct http_reader *r, struct http_request *ret)
{
	struct head h = { .request = ret };

	while (r->phase != PHASE_WHOLE) {
		enum http_result result = steps[r->phase](r);

		if (result != HTTP_DONE)
			return result == HTTP_MORE && r->in.over ? HTTP_TOO_BIG : result;
	}
	*ret = (struct http_request){ .body = { r->in.p + r->head_n, r->body_n } };
	parse_head((struct str){ r->in.p, r->head_n }, &h);
	return HTTP_DONE;
}

void http_reader_drop(struct http_reader *r)
{
	buf_drop(&r->in, r->raw_at);
	r->phase = PHASE_HEAD;
	r->head_n = r->raw_at = r->body_n = 0;
	r->in.over = false;
}
