/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The redirection ports of a device, plain and over TLS: a session is started and logged in here;
 * what is spoken then is its kind's own.
 */
#ifndef POWERCTL_AMTSIM_REDIR_H
#define POWERCTL_AMTSIM_REDIR_H

#include <uv.h>

#include "util.h"

struct device;
struct redir_conn;
struct sim;

enum redir_kind {
	REDIR_SOL,
	REDIR_IDER,
	REDIR_KVM,
	REDIR_KINDS,
};

/* In the order of the words of the knob redirection_login. */
enum redir_offer {
	REDIR_DIGEST,
	REDIR_DIGEST_OLD,
	REDIR_PLAIN,
	REDIR_ANY,
};

/* In the order of the words of the knob redirection_fault: what becomes of the challenge. */
enum redir_fault {
	REDIR_FAULT_NO,
	REDIR_FAULT_TRUNCATE,
	REDIR_FAULT_OVERSIZE,
	REDIR_FAULT_INTERLEAVE,
	REDIR_FAULT_UNKNOWN,
	REDIR_FAULT_DRIP,
	REDIR_FAULT_CLOSE,
	REDIR_FAULT_SILENT,
	REDIR_FAULT_EMPTY,
};

enum redir_door {
	REDIR_DOOR_PLAIN,
	REDIR_DOOR_TLS,
	REDIR_DOOR_VNC, /* 5900: the screen for any viewer, behind a password of its own */
	REDIR_DOORS,
};

struct redir_listener {
	uv_tcp_t *tcp; /* NULL: nobody listens */
	struct device *dev;
	enum redir_door door;
	uint16_t port;
};

/* A member of each struct device. */
struct redir {
	struct redir_listener doors[REDIR_DOORS];
	bool listening; /* ListenerEnabled */
	uint32_t state; /* EnabledState: 32768, and 1 for IDER, 2 for SOL */
	bool kvm;
	struct redir_conn *sessions[REDIR_KINDS]; /* logged in */
};

/* How a kind of session goes on. */
struct redir_protocol {
	const char *name;
	char magic[5];
	/* Logged in; what begin() returns is the session's, and end() frees it. */
	void *(*begin)(struct redir_conn *c);
	/* Bytes that came; how many of them were used. */
	size_t (*take)(struct redir_conn *c, void *session, const uint8_t *p, size_t n);
	/* All that was sent has left, and `full` was set. May be NULL. */
	void (*room)(struct redir_conn *c, void *session);
	void (*end)(void *session);
};
extern const struct redir_protocol redir_sol, redir_ider, redir_kvm, redir_vnc;

void redir_init(struct device *dev);
/* Opens or closes its ports as ListenerEnabled, profile and knobs say now. */
void redir_sync(struct device *dev);
/* All devices; 0, or -1 having said what is in the way. */
int redir_start(struct sim *sim);
void redir_stop(struct sim *sim);
/* "redirection_port", "redirection_tls_port" and "vnc_port"; null where none listens. */
void redir_json_identity(const struct device *dev, struct buf *out);
void redir_json(const struct device *dev, struct buf *out);
/* "redirection_ports", "redirection_tls_ports" and "vnc_ports" of all. */
void redir_json_ports(const struct sim *sim, struct buf *out);
/* Whether a session is open that forbids power actions. */
bool redir_is_open(const struct device *dev);
/* Hangs up on the session of that kind; false: there is none. */
bool redir_end(struct device *dev, enum redir_kind kind);
/* The same, where a client asks for it: see the knob redirection_linger. */
bool redir_oust(struct device *dev, enum redir_kind kind);

/* What begin() of that kind returned; NULL: none is open. */
void *redir_session(const struct device *dev, enum redir_kind kind);

/* Somebody has come to that port. */
void redir_accept(struct redir_listener *l, uv_stream_t *stream);
/* Hangs up on all. */
void redir_close_all(struct sim *sim);

/* --- For protocols. --------------------------------------------------------------------------- */

struct device *redir_device(const struct redir_conn *c);
/* Sends a copy. */
void redir_send(struct redir_conn *c, const void *p, size_t n);
/* How much of it has not left; above a few MB nothing more should be made. */
size_t redir_waiting(const struct redir_conn *c);
void redir_hang_up(struct redir_conn *c);
/* Stops reading what the client sends, or goes on. */
void redir_pause(struct redir_conn *c, bool pause);

#endif
