/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP for drivers: one libcurl engine on the loop, shared by all devices of a driver. It opens one
 * connection per device and has one request in flight on it; dials through the core, checks trust
 * and pins, answers Digest challenges, keeps the nonce for as long as the session lives, counts
 * every byte before it stores it, and traces with secrets redacted. In libpowerctl-http.
 */
#ifndef POWERCTL_HTTP_H
#define POWERCTL_HTTP_H

#include <uv.h>

#include <powerctl/device.h>
#include <powerctl/error.h>
#include <powerctl/op.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_http;

/* One per driver context: call from start() and stop(). closed follows from the loop. */
PCTL_API int pctl_http_new(uv_loop_t *loop, struct pctl_http **ret, struct pctl_error *err);
PCTL_API void pctl_http_close(struct pctl_http *http, void (*closed)(void *data), void *data);

enum pctl_http_auth {
	PCTL_HTTP_AUTH_NONE,
	PCTL_HTTP_AUTH_BASIC,
	PCTL_HTTP_AUTH_DIGEST, /* RFC 2617/7616: MD5 and SHA-256, qop auth, auth-int or none */
};

struct pctl_http_settings {
	uint32_t size;
	struct pctl_device *device; /* borrowed: outlives the session */
	uint16_t port;
	bool tls;
	bool legacy_tls; /* TLS 1.0 and 1.1, SECLEVEL 0, unsafe renegotiation */
	enum pctl_http_auth auth;
	const char *username; /* all texts and the password are copied */
	const struct pctl_secret *password;
	const char *client_cert; /* PEM files for mutual TLS, or NULL */
	const char *client_key;
	const char *ca_file; /* NULL: the system's */
	bool pin_realm;      /* the Digest realm names the machine: compare it as pin "realm" */
	size_t max_answer;   /* bytes of headers and body together; more is PCTL_E_PROTOCOL */
	bool http2;          /* over TLS: HTTP/2 where the device takes it (ALPN), else HTTP/1.1 */
};

struct pctl_http_session;

/* Touches no network. */
PCTL_API int pctl_http_session_new(struct pctl_http *http,
	const struct pctl_http_settings *settings, struct pctl_http_session **ret,
	struct pctl_error *err);
/* Aborts what is in flight, hangs up, wipes. Takes NULL. */
PCTL_API void pctl_http_session_free(struct pctl_http_session *session);
/* Hangs up but keeps the nonce. No request is in flight. */
PCTL_API void pctl_http_session_idle(struct pctl_http_session *session);

/*
 * When the certificate holds that the device showed in the session's latest handshake, in seconds
 * since 1970. false: there was none.
 */
PCTL_API bool pctl_http_certificate(
	const struct pctl_http_session *session, int64_t *ret_not_before, int64_t *ret_not_after);

/*
 * The realm of the Digest challenge that the session logs in to, as it stood between its quotes
 * (RFC 7616, 3.3); lives until the session's next request. NULL: it was not asked for a login, or
 * the last one was refused.
 */
PCTL_API const char *pctl_http_realm(const struct pctl_http_session *session);

/* A header field of a request. This struct never grows. */
struct pctl_http_field {
	const char *name;
	const char *value; /* printable; empty: the field is not sent */
	bool secret;       /* traces show its name only */
};
#define PCTL_HTTP_FIELDS_MAX 16u

struct pctl_http_request {
	uint32_t size;
	const char *method;       /* "POST" */
	const char *path;         /* "/wsman" */
	const char *content_type; /* NULL: none sent */
	const char *body;         /* lives until the answer; NULL: none */
	size_t body_len;
	/*
	 * A request that changes the device: pctl_op_committed(op) is called right before its body
	 * can leave, pctl_op_not_taken(op) when the device answers 401 or 503 instead. It is never
	 * sent again by the engine, except after a 401. A request without this that finds a kept
	 * connection dead before any byte of an answer is sent once more on a new one.
	 */
	bool changes;
	/* Without the session's login: what anybody may ask for, or another kind of login. */
	bool no_login;
	/* 401 (where the engine has no better answer to it) and 503 are answers, not errors. */
	bool any_status;
	/* At most PCTL_HTTP_FIELDS_MAX, which are copied. What the engine sends itself (Host,
	 * Content-Length, Content-Type, Authorization) is not among them. */
	const struct pctl_http_field *fields;
	size_t n_fields;
	/* Names of the answer's fields that are worth keeping, at most PCTL_HTTP_FIELDS_MAX and
	 * then NULL, for pctl_http_answer_field(); the list lives until the answer. NULL: none. */
	const char *const *wanted;
};

struct pctl_http_fields;

struct pctl_http_answer {
	uint32_t size;
	int status;       /* 200, 400, ...; see any_status */
	const char *body; /* zero-terminated; valid during the callback */
	size_t len;
	const char *server;                    /* the Server header, or "" */
	const char *content_type;              /* or "" */
	const struct pctl_http_fields *fields; /* the engine's */
};

/*
 * The value of a field that the request wanted: the first of that name, valid during the callback.
 * NULL: the answer has none, or it is longer than 8 kB.
 */
PCTL_API const char *pctl_http_answer_field(
	const struct pctl_http_answer *answer, const char *name);

/*
 * From the loop, never from within pctl_http_send(). Exactly one of answer and err is given.
 * Errors: unreachable (connect; PCTL_ERROR_NOT_LISTENING if the port refused it), timeout (no
 * answer within pctl_device_answer_ms), auth (two 401s, or one that cannot be answered; a fresh
 * nonce refused is a wrong password and is not tried again), trust (PCTL_ERROR_OURS: it wants
 * a certificate from us, or another one), protocol (over max_answer, malformed, a header field that
 * cannot be sent), busy (503).
 */
typedef void pctl_http_done_fn(
	void *data, const struct pctl_http_answer *answer, const struct pctl_error *err);

/*
 * Sends one request; none may be in flight. op is where the commit point is told and is not
 * otherwise touched. With pctl_http_cancel() the callback does not come any more.
 */
PCTL_API void pctl_http_send(struct pctl_http_session *session, struct pctl_op *op,
	const struct pctl_http_request *request, pctl_http_done_fn *done, void *data);
PCTL_API void pctl_http_cancel(struct pctl_http_session *session);

/* --- Digest, as a codec: no I/O. -------------------------------------------------------------- */

struct pctl_digest {
	char realm[256];
	char nonce[256];
	char opaque[256];   /* "" if absent */
	char algorithm[16]; /* "MD5", "MD5-sess", "SHA-256", ... as recognised; "MD5" if absent */
	bool qop_auth, qop_auth_int; /* neither: RFC 2069 */
	bool stale;                  /* the login was right, its nonce is too old (RFC 7616, 3.3) */
};

/*
 * Reads the value of a WWW-Authenticate header (len bytes, need not end in zero) with quoted
 * strings that may hold commas, quoted or bare stale and qop, any order, blanks or none. 0, or
 * PCTL_E_PROTOCOL for what is not a Digest challenge that can be answered (other scheme, no realm
 * or nonce, a field over its limit, unknown algorithm); *ret is untouched then.
 */
PCTL_API int pctl_digest_parse(const char *header, size_t len, struct pctl_digest *ret);

struct pctl_digest_answer {
	const char *username, *method, *uri;
	const char *password;
	size_t password_len;
	const char *body; /* hashed for auth-int, which is used only if auth is not offered */
	size_t body_len;
	const char *cnonce;
	uint32_t nc; /* written with 8 hex digits */
};

/*
 * The value of an Authorization header into buf, zero-terminated. PCTL_E_INTERNAL if it does not
 * fit or a hash fails; a response that is not the full hash is never written.
 */
PCTL_API int pctl_digest_answer(const struct pctl_digest *challenge,
	const struct pctl_digest_answer *answer, char *buf, size_t size);

/* The longest response with its zero: SHA-256 in hex. */
#define PCTL_DIGEST_RESPONSE 65u

/*
 * Only the response, for protocols that carry the fields of a Digest login in another form than
 * HTTP's: lower-case hex with a zero. Without qop (RFC 2069) cnonce and nc are not hashed.
 */
PCTL_API int pctl_digest_response(const struct pctl_digest *challenge,
	const struct pctl_digest_answer *answer, char ret[PCTL_DIGEST_RESPONSE]);

#ifdef __cplusplus
}
#endif

#endif
