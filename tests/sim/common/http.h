/* SPDX-License-Identifier: Apache-2.0 */
/* Requests out of a stream of bytes: Content-Length and chunked bodies, sizes capped. No I/O. */
#ifndef POWERCTL_SIM_HTTP_H
#define POWERCTL_SIM_HTTP_H

#include "util.h"

enum {
	HTTP_HEAD_MAX = 16 * 1024,
	HTTP_BODY_MAX = 1024 * 1024,
};

/* Slices point into the reader: they hold until http_reader_drop or the next feed. */
struct http_request {
	struct str method;
	struct str target;
	struct str authorization;
	/* The lines of the header, for http_request_field. */
	struct str fields;
	struct str body;
	bool expect;
	bool close;
};

enum http_result {
	HTTP_MORE,
	HTTP_DONE,
	HTTP_BAD,
	HTTP_TOO_BIG,
};

struct http_reader {
	struct buf in;
	size_t head_n;
	size_t raw_at;
	size_t body_n;
	size_t chunk_left;
	uint64_t length;
	int phase;
};

void http_reader_init(struct http_reader *r);
void http_reader_done(struct http_reader *r);
void http_reader_feed(struct http_reader *r, const char *p, size_t n);
/* Bytes of an unfinished or unread request are there. */
bool http_reader_pending(const struct http_reader *r);
/* HTTP_DONE fills ret; call drop before the next one. */
enum http_result http_reader_next(struct http_reader *r, struct http_request *ret);
void http_reader_drop(struct http_reader *r);
/* The value of a header field, named in any case; false: there is none. */
bool http_request_field(const struct http_request *request, const char *name, struct str *ret);

#endif
