/* SPDX-License-Identifier: Apache-2.0 */
/* One request on its way through the service, and what its answer is made of. */
#ifndef POWERCTL_REDFISHSIM_CALL_H
#define POWERCTL_REDFISHSIM_CALL_H

#include <jansson.h>

#include "http.h"
#include "login.h"
#include "profile.h"

enum { CALL_PATH = 256, CALL_ITEM = 64 };

struct device;
struct reply;
struct host;

/*
 * sys is the system or chassis of the path, item and entry what else it names. in is the body of
 * the request if it has one; out the answer's, NULL for none. Both are the call's.
 */
struct call {
	struct device *dev;
	const struct profile *p;
	struct host *sys;
	const struct http_request *request;
	char path[CALL_PATH];
	struct str query;
	char item[CALL_ITEM];
	char entry[CALL_ITEM];
	json_t *in;
	json_t *out;
	unsigned status;
	uint32_t retry_after;
	bool challenge;
	bool lost;
	bool silent;
	const char *allow;
	char etag[40];
	char location[CALL_PATH + 64];
	char token[TOKEN_TEXT + 1];
};

/* An error with this MessageId (without its registry, unless there is a dot in it) and text. */
void call_fail(struct call *c, unsigned status, const char *id, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* status, with the message Success where the vendor sends one. */
void call_done(struct call *c, unsigned status);
/* A path below /redfish/v1/, as the vendor writes it; out has room for CALL_PATH. */
void call_uri(const struct call *c, char *out, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* {"@odata.id": such a path}. */
json_t *call_ref(const struct call *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* An array of the words of a list with blanks. */
json_t *call_words(const char *words);
bool call_in_words(const char *words, struct str word);
/* A string of the body; NULL: it is not there, or not a string. */
const char *call_string(const struct call *c, const char *name);
/* The answer, as bytes; consumes out. */
void call_write(struct call *c, struct buf *out);

#endif
