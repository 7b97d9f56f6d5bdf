/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of libpowerctl-http, from below: a wire is one connection, a lane one libcurl multi
 * handle with the connections of some dozen sessions, an exchange one pctl_http_send() from its
 * first byte to its answer, which may take several turns (HTTP requests) for a login.
 *
 * libcurl opens and closes connections only through us, and keeps them apart by session: each
 * session has its own name in libcurl's connection cache, so that no request can end up on the
 * connection of another device that has the same address behind another tunnel.
 */
#ifndef POWERCTL_HTTP_INTERNAL_H
#define POWERCTL_HTTP_INTERNAL_H

#include <curl/curl.h>
#include <openssl/types.h>
#include <uv.h>

#include <powerctl/buf.h>
#include <powerctl/http.h>

struct exchange;
struct tls_store;

struct pctl_http {
	uv_loop_t *loop;
	int epoll; /* of all wires: libuv would take nine system calls for each, this takes two */
	uv_poll_t poll; /* of epoll; keeps no loop running, for the timers of exchanges do */
	size_t handles; /* libuv handles not closed yet */
	bool closing, libcurl;
	void (*closed)(void *data);
	void *closed_data;

	struct lane *lanes;
	struct wire **wires; /* by descriptor: libcurl names them by nothing else */
	size_t wires_cap, wires_n;
	struct exchange *spare;
	size_t spare_n;
	struct exchange *finished; /* libcurl is done with them, we are not */
	struct tls_store *stores;  /* loaded when first needed */
	SSL_CTX *contexts[2];      /* of connections: modern, legacy; made when first needed */
	size_t sessions;
	uint64_t serial;
	uint32_t wire_serial;
	unsigned char random[256]; /* for cnonces; getrandom() gives no fewer of so many */
	size_t random_n;           /* not used yet, at its end */
};

struct lane {
	struct pctl_http *http;
	CURLM *multi;
	uv_timer_t timer;
	size_t sessions; /* with a request in flight or a connection kept */
	struct lane *next;
};

struct wire {
	struct pctl_http *http;
	struct lane *lane;
	struct pctl_http_session *session; /* NULL once hung up, until libcurl closes it too */
	int fd;
	int stream;  /* what fd becomes once libcurl is content with it, or -1 */
	bool dialed; /* the core made it, and may know why it failed */
	bool http2;  /* as its last answer was */
	unsigned turns;
	uint32_t wanted,
		watched; /* EPOLLIN and EPOLLOUT: what libcurl asks for, what epoll knows */
	uint32_t serial; /* tells it from the next with the same descriptor */
};

struct pctl_http_session {
	struct pctl_http *http;
	struct pctl_device *device;
	struct lane *lane; /* while in flight or connected */
	struct wire *wire;
	struct exchange *exchange; /* in flight */
	struct exchange
		*resting; /* the last one, while its connection is kept: see http_exchange_rest() */
	uint64_t serial;

	uint16_t port;
	bool tls, legacy_tls, pin_realm;
	enum pctl_http_auth auth;
	char *username, *client_cert, *client_key, *ca_file;
	struct pctl_secret *password;
	size_t max_answer;
	bool http2;
	bool heard;                    /* an answer came, of whatever status */
	bool asked;                    /* for a certificate of ours, by the latest handshake */
	bool certified;                /* the two below are there */
	int64_t not_before, not_after; /* of its certificate, in seconds since 1970 */

	bool challenged; /* the three below are there */
	struct pctl_digest challenge;
	char cnonce[33];
	uint32_t nc; /* as last sent */
};

enum step {
	STEP_PROBE, /* an empty request for a challenge, so that the body goes out once */
	STEP_BARE,  /* the request without a login */
	STEP_LOGIN, /* the request with one */
};

/* What one turn came to; forgotten when the next begins. */
struct turn {
	bool sent;      /* connected, and libcurl sends */
	bool kept;      /* over a connection that had served before */
	bool committed; /* told to the op */
	bool handshake; /* connected, but TLS not finished while !sent */
	bool lost;      /* libcurl wanted a second connection for it */
	bool head_done;
	bool challenged;
	struct pctl_digest challenge;
	size_t received;
	int status;
	CURLcode result;
	struct pctl_error channel; /* what the core has to say about a connection of its making */
	uint64_t started;
};

struct exchange {
	struct pctl_http *http;
	struct exchange *next; /* in spare or finished */
	CURL *easy;
	bool running;     /* easy is in its session's lane */
	uv_timer_t timer; /* the turn's: connect, then answer; or a failure to tell from the loop */
	uint64_t deadline;                 /* when it really ends: timer may run out before */
	struct pctl_http_session *session; /* NULL while spare */
	struct pctl_op *op;
	pctl_http_done_fn *done;
	void *data;

	struct pctl_http_request request; /* its texts are ours, its body the caller's */
	enum step step;
	bool set_up;  /* easy has what all turns have in common */
	int refusals; /* 401s so far */

	struct turn turn;
	struct pctl_error err; /* why it failed, from inside a libcurl callback */
	struct pctl_buf body;
	char server[128], content_type[128];
	char url[320], connect_to[40], content_type_line[160], authorization[2048];
	char curl_text[CURL_ERROR_SIZE];
	struct curl_slist connect_node, headers[3];
	struct pctl_http_fields *fields; /* NULL: the request has none and wants none */
};

/* --- http.c: the engine. ---------------------------------------------------------------------- */

/* A libuv handle of the engine was initialised; http_handle_closed() in its close callback. */
void http_handle_opened(struct pctl_http *http);
void http_handle_closed(struct pctl_http *http);

/* Gives session a lane, if it has none. */
int http_lane_join(struct pctl_http_session *session, struct pctl_error *err);
/* Gives it back, if nothing of the session is in it. */
void http_lane_leave(struct pctl_http_session *session);
/* Lets libcurl look at a descriptor and settles what is finished; callbacks run. */
void http_lane_act(struct lane *lane, curl_socket_t fd, int events);

struct exchange *http_exchange_take(struct pctl_http *http, struct pctl_error *err);
/* Wipes; stops it first if it is running. Takes NULL. */
void http_exchange_give_back(struct exchange *ex);
/*
 * Wipes all but the session, whose resting one it is from here on: libcurl closes a connection only
 * through the easy handle that used it last. See exchange_hang_up().
 */
void http_exchange_rest(struct exchange *ex);

/* --- wire.c: connections. --------------------------------------------------------------------- */

/* Something happened to some of http's wires. */
void wires_act(struct pctl_http *http);

/* For libcurl: CURLOPT_OPENSOCKETFUNCTION of an exchange, ..CLOSE.. and the socket function of an
 * engine. */
curl_socket_t wire_open(void *data, curlsocktype purpose, struct curl_sockaddr *address);
int wire_close(void *data, curl_socket_t fd);
int wire_watch(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data);

/* libcurl believes itself connected: it is from here on. */
int wire_ready(struct wire *wire);
/* No request is on it: hang up when the device does. */
void wire_rest(struct wire *wire);
/* After libcurl was made to stop: whether it took a connection that was just coming about with it.
 */
void wire_check(struct pctl_http_session *session);
/* What libcurl left behind when its lanes were closed. */
void wires_forget(struct pctl_http *http);
/* Closes session's connection, if there is one. */
void wire_hang_up(struct pctl_http_session *session);

/* --- exchange.c: one turn through libcurl. ---------------------------------------------------- */

/* Begins ex->step. From the loop follow exchange_settle() in session.c, or ex's timer. */
int exchange_start(struct exchange *ex);
/* exchange_expire() follows in ms, unless it is armed or stopped before. */
void exchange_arm(struct exchange *ex, uint64_t ms);
void exchange_stop(struct exchange *ex);
/* The same, and libcurl closes the connection it was on or had been on. */
void exchange_hang_up(struct exchange *ex);
/* Whether line is the field of that name; its value without blanks. */
bool exchange_is_header(
	const char *line, size_t len, const char *name, const char **ret, size_t *n);
/* Turns what libcurl has to say into an error of ours; ex->err wins if it is set. */
int exchange_error(struct exchange *ex, struct pctl_error *ret);
/* Why a connection did not come about: number is an errno value, 0 where none is known. */
int exchange_not_connected(uint16_t port, int number, struct pctl_error *ret);

/* --- session.c -------------------------------------------------------------------------------- */

/* libcurl is done with the turn. */
void exchange_settle(struct exchange *ex);
/* The turn's time is up. */
void exchange_expire(struct exchange *ex);

/* --- fields.c: header fields of requests and answers, where there are any. -------------------- */

/* Takes over what the request says of them. */
int fields_take(struct exchange *ex, const struct pctl_http_request *request);
/* Wipes. Takes NULL. */
void fields_free(struct pctl_http_fields *fields);
/* What goes behind the others in CURLOPT_HTTPHEADER; NULL: nothing. */
struct curl_slist *fields_list(struct pctl_http_fields *fields);
/* A line of the answer's head; the head begins anew. */
void fields_note(struct pctl_http_fields *fields, const char *line, size_t len);
void fields_forget(struct pctl_http_fields *fields);
void fields_trace(const struct pctl_http_fields *fields, const struct pctl_device *device);

/* --- digest.c --------------------------------------------------------------------------------- */

/* n bytes as 2 * n lower-case digits and a zero. */
void digest_hex(const unsigned char *bytes, size_t n, char *hex);

/* --- tls.c ------------------------------------------------------------------------------------ */

/* AMT up to 11: SHA-1 signatures, 2047-bit keys, no secure renegotiation. */
#define TLS_LEGACY_CIPHERS "DEFAULT:@SECLEVEL=0"
#define TLS_LEGACY_OPTIONS (SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION)

/* Who shows a certificate, and who may vouch for it. */
struct tls_peer {
	struct pctl_http *http;
	struct pctl_device *device;
	const char *ca_file;
	bool legacy;
};

/* In place of OpenSSL's own: 1 accepts, else err says why not. */
int tls_verify(const struct tls_peer *peer, X509_STORE_CTX *ctx, struct pctl_error *err);

/* How far it was when OpenSSL said something. */
struct tls_talk {
	bool handshake; /* is not over */
	bool legacy;
	bool asked;     /* for a certificate of ours */
	bool certified; /* we have one */
};

/*
 * What OpenSSL's words mean: fills ret and returns its class. 0: nothing that is known, which a
 * handshake and an alert always are. A certificate of ours that is missing or was refused is trust:
 * no login was tried.
 */
int tls_said(const char *words, const struct tls_talk *talk, struct pctl_error *ret);
int tls_set_up(struct exchange *ex);
/* A CURLcode that TLS is to blame for: fills ret and returns its class, else 0. */
int tls_error(const struct exchange *ex, struct pctl_error *ret);
void tls_stores_free(struct tls_store *stores);

#endif
