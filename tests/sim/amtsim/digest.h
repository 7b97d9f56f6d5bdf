/* SPDX-License-Identifier: Apache-2.0 */
/* Digest login as the firmware does it: challenges, nonces of one device, verdicts. */
#ifndef POWERCTL_AMTSIM_DIGEST_H
#define POWERCTL_AMTSIM_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "http.h"

struct device;
struct sim;

enum verdict {
	LOGIN_GOOD,
	LOGIN_NONE,
	LOGIN_BAD,
	LOGIN_STALE,
	LOGIN_LOCKED,
};

void digest_md5(struct sim *sim, struct str text, uint8_t out[16]);
/* dev->ha1 from user, realm and password. */
void digest_ha1(struct device *dev);
/* A new nonce, SIM_NONCE_TEXT characters and a terminator. */
void digest_new_nonce(struct device *dev, char *out);
/* The value of WWW-Authenticate, with a new nonce. */
void digest_challenge(struct device *dev, bool stale, struct buf *out);
/* A login that came in other forms than a header; qop empty: RFC 2069. */
struct digest_parts {
	struct str user;
	struct str realm;
	struct str nonce;
	struct str method;
	struct str uri;
	struct str cnonce;
	struct str nc;
	struct str response;
	struct str qop;
};
/* Whether its response is that of the user's password. */
bool digest_is_right(struct device *dev, const struct digest_parts *parts);
/* Whether that is his password, as it came in clear. */
bool digest_is_password(struct device *dev, struct str user, struct str password);
/* Counts what it finds wrong. */
enum verdict digest_check(struct device *dev, const struct http_request *request);

#endif
