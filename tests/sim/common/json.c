/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <string.h>

void json_reader_init(struct json_reader *r, struct str text)
{
	*r = (struct json_reader){ .rest = str_trim(text) };
}

static bool stop(struct json_reader *r)
{
	r->bad = true;
	return false;
}

static void skip_blanks(struct json_reader *r)
{
	while (r->rest.n && strchr(" \t\r\n", r->rest.p[0])) {
		r->rest.p++;
		r->rest.n--;
	}
}

static bool take(struct json_reader *r, char c)
{
	skip_blanks(r);
	if (!r->rest.n || r->rest.p[0] != c)
		return false;
	r->rest.p++;
	r->rest.n--;
	return true;
}

static bool take_string(struct json_reader *r, struct str *ret)
{
	const char *end;

	if (!take(r, '"') || !r->rest.n)
		return false;
	end = memchr(r->rest.p, '"', r->rest.n);
	if (!end)
		return false;
	*ret = (struct str){ r->rest.p, (size_t)(end - r->rest.p) };
	r->rest.n -= ret->n + 1;
	r->rest.p = end + 1;
	return !ret->n || !memchr(ret->p, '\\', ret->n);
}

static bool take_word(struct json_reader *r, struct str *ret)
{
	size_t n = 0;

	skip_blanks(r);
	while (n < r->rest.n && !strchr(",}{[]\": \t\r\n", r->rest.p[n]))
		n++;
	*ret = (struct str){ r->rest.p, n };
	r->rest.p += n;
	r->rest.n -= n;
	return n > 0;
}

bool json_reader_next(struct json_reader *r, struct str *ret_name, struct str *ret_value)
{
	if (r->bad)
		return false;
	if (!r->started && !take(r, '{'))
		return stop(r);
	if (take(r, '}'))
		return r->rest.n ? stop(r) : false;
	if (r->started && !take(r, ','))
		return stop(r);
	r->started = true;
	if (!take_string(r, ret_name) || !take(r, ':'))
		return stop(r);
	skip_blanks(r);
	if (r->rest.n && r->rest.p[0] == '"')
		return take_string(r, ret_value) || stop(r);
	return take_word(r, ret_value) || stop(r);
}

void json_member(struct buf *out, const char *name)
{
	if (out->n && out->p[out->n - 1] != '{')
		buf_char(out, ',');
	buf_char(out, '"');
	buf_text(out, name);
	buf_text(out, "\":");
}

void json_member_text(struct buf *out, const char *name, const char *text)
{
	json_member(out, name);
	if (text)
		buf_json(out, str_of(text));
	else
		buf_text(out, "null");
}

void json_member_number(struct buf *out, const char *name, uint64_t value)
{
	json_member(out, name);
	buf_uint(out, value);
}

void json_member_bool(struct buf *out, const char *name, bool value)
{
	json_member(out, name);
	buf_text(out, value ? "true" : "false");
}
