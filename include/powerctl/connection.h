/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP connections for drivers whose protocol is not HTTP: dialed through the core, plain or over
 * TLS, with the trust, pins and limits of <powerctl/http.h>. In libpowerctl-http.
 */
#ifndef POWERCTL_CONNECTION_H
#define POWERCTL_CONNECTION_H

#include <powerctl/http.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_connection;

struct pctl_connection_settings {
	uint32_t size;
	struct pctl_device *device; /* borrowed: outlives the connection */
	uint16_t port;
	bool tls;
	bool legacy_tls; /* TLS 1.0 and 1.1, SECLEVEL 0, unsafe renegotiation */
	/* PEM files, borrowed: they live as long as the connection. */
	const char *client_cert, *client_key; /* mutual TLS, or NULL */
	const char *ca_file;                  /* NULL: the system's */
};

#define PCTL_CONNECTION_READ  1u
#define PCTL_CONNECTION_WRITE 2u

/* From the loop, never from within a function below; any of them may be called in there. */
struct pctl_connection_events {
	uint32_t size;
	/*
	 * Once. err is NULL where it is open, or why it is not: then it is only to be closed.
	 * Unreachable (PCTL_ERROR_NOT_LISTENING if the port refused it) within
	 * pctl_device_connect_ms(), protocol, trust (PCTL_ERROR_OURS: it wants a certificate from
	 * us, or another one). With TLS 1.3 the latter may come of reading only.
	 */
	void (*opened)(void *data, const struct pctl_error *err);
	/* What pctl_connection_watch() asked for is worth a try. */
	void (*ready)(void *data, unsigned what);
};

/*
 * Begins to connect; opened() follows where this returns 0. On failure nothing is there and nothing
 * follows.
 */
PCTL_API int pctl_connection_new(struct pctl_http *http,
	const struct pctl_connection_settings *settings,
	const struct pctl_connection_events *events, void *data, struct pctl_connection **ret,
	struct pctl_error *err);

/* What to wait for: PCTL_CONNECTION_ bits. It begins with none, and holds until the next call. */
PCTL_API void pctl_connection_watch(struct pctl_connection *connection, unsigned what);

/*
 * At most size bytes. 0, and *ret_n is 0 where nothing is there now; or negative: the other end has
 * closed it (PCTL_E_UNREACHABLE with PCTL_ERROR_DROPPED), or what else ended it.
 */
PCTL_API int pctl_connection_read(struct pctl_connection *connection, void *buf, size_t size,
	size_t *ret_n, struct pctl_error *err);
/* The same with what it takes now, which may be less than len, or nothing. */
PCTL_API int pctl_connection_write(struct pctl_connection *connection, const void *data, size_t len,
	size_t *ret_n, struct pctl_error *err);

/*
 * In ms from now reading ends with PCTL_E_TIMEOUT ("no answer in 10 s"), and is watched for until
 * then in any case. 0 takes that back.
 */
PCTL_API void pctl_connection_expect(struct pctl_connection *connection, uint64_t ms);

/*
 * A plain connection's descriptor, now the caller's: the connection is gone as after
 * pctl_connection_close(). -1, and nothing has changed: it is over TLS.
 */
PCTL_API int pctl_connection_take(struct pctl_connection *connection);

/* Hangs up, at once; no event follows. Takes NULL. */
PCTL_API void pctl_connection_close(struct pctl_connection *connection);

#ifdef __cplusplus
}
#endif

#endif
