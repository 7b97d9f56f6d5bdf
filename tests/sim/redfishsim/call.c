/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static const struct {
	unsigned status;
	const char *text;
} reasons[] = {
	{ 200, "OK" },
	{ 201, "Created" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 304, "Not Modified" },
	{ 307, "Temporary Redirect" },
	{ 308, "Permanent Redirect" },
	{ 400, "Bad Request" },
	{ 401, "Unauthorized" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 409, "Conflict" },
	{ 412, "Precondition Failed" },
	{ 428, "Precondition Required" },
	{ 500, "Internal Server Error" },
	{ 501, "Not Implemented" },
	{ 503, "Service Unavailable" },
};

static const char *reason(unsigned status)
{
	for (size_t i = 0; i < COUNT(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Unknown";
}

static void put_out(struct call *c, json_t *doc)
{
	json_decref(c->out);
	c->out = doc;
}

static json_t *old_message(const char *id, const char *text)
{
	return json_pack("{s:s, s:[s]}", "MessageID", id, "MessageArgs", text);
}

static json_t *new_message(const char *id, const char *text, const char *severity)
{
	return json_pack("{s:s, s:s, s:s, s:[], s:s, s:s, s:s}", "@odata.type",
		"#Message.v1_1_1.Message", "MessageId", id, "Message", text, "MessageArgs",
		"Severity", severity, "MessageSeverity", severity, "Resolution",
		"Correct the request and send it again.");
}

static json_t *error_of(const struct call *c, const char *id, json_t *message)
{
	if (c->p->quirks & QUIRK_OLD_ERRORS)
		return json_pack("{s:[O], s:s, s:{s:[o], s:s, s:s}}", "Messages", message, "Type",
			"ExtendedError.1.0.0", "error", "@Message.ExtendedInfo", message, "code",
			"iLO.0.10.ExtendedInfo", "message",
			"See @Message.ExtendedInfo for more information.");
	return json_pack("{s:{s:s, s:s, s:[o]}}", "error", "code", id, "message",
		"A general error has occurred. See ExtendedInfo for more information.",
		"@Message.ExtendedInfo", message);
}

static void name_message(const struct call *c, const char *id, char *out, size_t size)
{
	snprintf(out, size, "%s%s", strchr(id, '.') ? "" : c->p->registry, id);
}

void call_fail(struct call *c, unsigned status, const char *id, const char *fmt, ...)
{
	char name[96], text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	name_message(c, id, name, sizeof(name));
	c->status = status;

	/* What a client sent may not be UTF-8; then it is not said again. */
	json_t *check = json_string(text);
	const char *said = check ? text : "The request has text that is not UTF-8.";

	put_out(c, error_of(c, name,
			   c->p->quirks & QUIRK_OLD_ERRORS ? old_message(name, said)
							   : new_message(name, said, "Critical")));
	json_decref(check);
}

void call_done(struct call *c, unsigned status)
{
	char name[96];

	c->status = status;
	put_out(c, NULL);
	if (status == 204 || !(c->p->quirks & QUIRK_SUCCESS_BODY))
		return;
	name_message(c, "Success", name, sizeof(name));
	if (c->p->quirks & QUIRK_OLD_ERRORS)
		put_out(c, error_of(c, name, json_pack("{s:s}", "MessageID", name)));
	else
		put_out(c, json_pack("{s:[o]}", "@Message.ExtendedInfo",
				   new_message(name, "The request completed successfully.", "OK")));
}

__attribute__((format(printf, 3, 0))) static void write_uri(
	const struct call *c, char *out, const char *fmt, va_list args)
{
	int n = snprintf(out, CALL_PATH, "/redfish/v1/");

	vsnprintf(out + n, (size_t)(CALL_PATH - n - 1), fmt, args);
	n = (int)strlen(out);
	if ((c->p->quirks & QUIRK_SLASH) && out[n - 1] != '/')
		memcpy(out + n, "/", 2);
}

void call_uri(const struct call *c, char *out, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	write_uri(c, out, fmt, args);
	va_end(args);
}

json_t *call_ref(const struct call *c, const char *fmt, ...)
{
	char uri[CALL_PATH];
	va_list args;

	va_start(args, fmt);
	write_uri(c, uri, fmt, args);
	va_end(args);
	return json_pack("{s:s}", "@odata.id", uri);
}

json_t *call_words(const char *words)
{
	struct str rest = str_of(words), word;
	json_t *list = json_array();

	while (str_split(&rest, ' ', &word))
		if (word.n)
			json_array_append_new(list, json_stringn(word.p, word.n));
	return list;
}

bool call_in_words(const char *words, struct str word)
{
	struct str rest = str_of(words), each;

	while (str_split(&rest, ' ', &each))
		if (each.n && str_eq(each, word))
			return true;
	return false;
}

const char *call_string(const struct call *c, const char *name)
{
	return json_string_value(json_object_get(c->in, name));
}

static void header(struct buf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_text(out, name);
	buf_text(out, ": ");
	buf_text(out, value);
	buf_text(out, "\r\n");
}

static void chunks(struct buf *out, const char *p, size_t n, size_t size)
{
	for (size_t at = 0; at < n; at += size) {
		size_t part = n - at < size ? n - at : size;

		buf_fmt(out, "%zx\r\n", part);
		buf_add(out, p + at, part);
		buf_text(out, "\r\n");
	}
	buf_text(out, "0\r\n\r\n");
}

static void write_head(struct call *c, struct buf *out)
{
	buf_fmt(out, "HTTP/1.1 %u %s\r\n", c->status, reason(c->status));
	header(out, "OData-Version", "4.0");
	header(out, "Cache-Control", "no-cache");
	header(out, "Allow", c->allow);
	header(out, "ETag", c->etag);
	header(out, "Location", c->location);
	header(out, "X-Auth-Token", c->token);
	if (c->challenge)
		header(out, "WWW-Authenticate", "Basic realm=\"Redfish\"");
	if (c->retry_after)
		buf_fmt(out, "Retry-After: %u\r\n", c->retry_after);
	if (c->request && c->request->close)
		header(out, "Connection", "close");
}

void call_write(struct call *c, struct buf *out)
{
	const struct knobs *k = &c->dev->knobs;
	char *text = c->out ? json_dumps(c->out, JSON_COMPACT) : NULL;
	size_t n = text ? strlen(text) : 0;
	bool head = c->request && str_is(c->request->method, "HEAD");

	put_out(c, NULL);
	if (k->truncate && n)
		n = n * 2 / 3;
	if (k->garbage && n)
		for (size_t i = n / 2; i < n && i < n / 2 + 8; i++)
			text[i] = '}';
	write_head(c, out);
	if (text)
		header(out, "Content-Type",
			k->wrong_type ? "text/html" : "application/json; charset=utf-8");
	if (text && k->chunked && !head) {
		header(out, "Transfer-Encoding", "chunked");
		buf_text(out, "\r\n");
		chunks(out, text, n, k->chunked);
	} else {
		if (c->status != 204 && c->status != 304)
			buf_fmt(out, "Content-Length: %zu\r\n", n);
		buf_text(out, "\r\n");
		if (!head)
			buf_add(out, text ? text : "", n);
	}
	free(text);
}
