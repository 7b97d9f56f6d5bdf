/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 services of many devices in one process, plain and over TLS: listeners, connections,
 * and every knob that spoils one. What is said is the program's.
 */
#ifndef POWERCTL_SIM_WEB_H
#define POWERCTL_SIM_WEB_H

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <uv.h>

#include "counter.h"
#include "http.h"
#include "knob.h"
#include "option.h"

/* More devices than this, told apart by address, share one listener. */
enum { WEB_SHARED = 1000 };

enum web_dead {
	WEB_DEAD_NO,
	WEB_DEAD_HANG,
	WEB_DEAD_REFUSE,
	WEB_DEAD_SILENT,
};

struct device;
struct fleet;
struct web;
struct web_conn;

/* A program's struct knobs has it as its member web. */
struct web_knobs {
	uint32_t latency_ms;
	uint32_t connect_drop_every;
	uint32_t drip_ms;
	uint32_t dead;
	uint32_t idle_ms;
};

#define WEB_KNOB_ROW(member, top, text)                                                         \
	{                                                                                       \
		.name = #member, .kind = KNOB_NUMBER, .at = offsetof(struct knobs, web.member), \
		.max = (top), .help = (text)                                                    \
	}
#define WEB_KNOB_ROWS                                                                       \
	WEB_KNOB_ROW(latency_ms, 600000,                                                    \
		"every answer comes that much later (the request acts at once)"),           \
		WEB_KNOB_ROW(connect_drop_every, UINT32_MAX,                                \
			"every N-th connection is reset when it comes"),                    \
		WEB_KNOB_ROW(drip_ms, 60000, "answers come byte by byte, this far apart"),  \
		WEB_KNOB_ROW(idle_ms, 3600000,                                              \
			"close a connection that was quiet for so long; 0: never"),         \
	{                                                                                   \
		.name = "dead", .kind = KNOB_WORD, .at = offsetof(struct knobs, web.dead),  \
		.words = "no hang refuse silent",                                           \
		.help = "accept and stay mute (no TLS either), do not listen, or be as if " \
			"switched off",                                                     \
		.changed = web_sync                                                         \
	}

#define WEB_KNOB_CERT_ENDS                                                                      \
	KNOB_CUSTOM("cert_ends", "seconds, - before them: so long ago",                         \
		"a certificate made from now on, with the same key, ends then; 0: in 10 years", \
		web_set_cert_ends, web_show_cert_ends)
#define WEB_KNOB_NEWCERT                                                               \
	KNOB_CUSTOM("newcert", "1", "a new TLS key and certificate; reads: how often", \
		web_set_newcert, web_show_newcert)

/* A program's struct counters has it as its member web. */
struct web_counters {
	uint64_t connections;
	uint64_t peak_connections;
	uint64_t peak_requests;
	uint64_t peak_fleet_connections;
	uint64_t peak_fleet_requests;
	uint64_t tls;
	uint64_t tls_failed;
	uint64_t dropped;
	uint64_t pipelined;
};

#define WEB_COUNTER_ROW(member, peak)                                \
	{                                                            \
#member, offsetof(struct counters, web.member), peak \
	}
#define WEB_COUNTER_ROWS                                                                 \
	WEB_COUNTER_ROW(connections, false), WEB_COUNTER_ROW(peak_connections, true),    \
		WEB_COUNTER_ROW(peak_requests, true),                                    \
		WEB_COUNTER_ROW(peak_fleet_connections, true),                           \
		WEB_COUNTER_ROW(peak_fleet_requests, true), WEB_COUNTER_ROW(tls, false), \
		WEB_COUNTER_ROW(tls_failed, false), WEB_COUNTER_ROW(dropped, false),     \
		WEB_COUNTER_ROW(pipelined, false)

/* A program's struct options has it as its member web. Strings point into argv. */
struct web_options {
	const char *tls_max;
	const char *client_ca;
	const char *cert;
	const char *key;
	uint32_t tls_port;
	bool no_tls;
	bool no_plain;
	bool old_tls;
};

#define WEB_OPTION_ROWS                                                                 \
	{ "no-tls", NULL, OPTION_FLAG, OPTION_AT(web.no_tls), 0, 0, "no TLS ports" },   \
		{ "no-plain", NULL, OPTION_FLAG, OPTION_AT(web.no_plain), 0, 0,         \
			"no plain ports" },                                             \
		{ "tls-max", "V", OPTION_TEXT, OPTION_AT(web.tls_max), 0, 0,            \
			"newest TLS: 1.0, 1.1, 1.2 or 1.3" },                           \
		{ "old-tls", NULL, OPTION_FLAG, OPTION_AT(web.old_tls), 0, 0,           \
			"as old firmware: TLS 1.0 and 1.1 with RSA and CBC only" },     \
		{ "client-ca", "FILE", OPTION_TEXT, OPTION_AT(web.client_ca), 0, 0,     \
			"demand client certificates of this authority" },               \
		{ "cert", "FILE", OPTION_TEXT, OPTION_AT(web.cert), 0, 0,               \
			"PEM certificate for every device" },                           \
	{                                                                               \
		"key", "FILE", OPTION_TEXT, OPTION_AT(web.key), 0, 0, "its private key" \
	}

/* What the options of a web forbid each other; OPTION_BAD has said so. */
enum option_result web_check_options(const struct option_table *table,
	const struct fleet_options *fleet, const struct web_options *o);

/* dev is NULL where devices share it: then theirs are only marks, open or not. */
struct web_listener {
	uv_tcp_t tcp;
	struct web *web;
	struct web_device *dev;
	uint16_t port;
	bool open;
	bool closing;
	bool tls;
};

/* What the service made of a request. */
struct reply {
	/* Close the connection without a byte. */
	bool lost;
	/* Read it and stay silent. */
	bool silent;
	bool close;
	/* Where a cut answer ends; 0: it is whole. */
	size_t cut;
	/* Bytes that follow web->out, made up as they go. */
	uint64_t filler;
};

/* A member of each struct device, in zeroed memory; web_device_init fills it in. */
struct web_device {
	struct web *web;
	struct device *dev;
	const struct web_knobs *knobs;
	struct web_counters *counters;
	uint32_t n;
	struct sockaddr_storage address;
	struct web_listener plain;
	struct web_listener tls;
	uint32_t connections_open;
	uint32_t requests_open;
	uint32_t drop_seq;
	uint64_t last_seen;
	uint32_t cert_epoch;
	int64_t cert_ends; /* seconds after it is made; 0: in 10 years */
	X509 *cert;
	EVP_PKEY *key;
};

/*
 * One process. The program fills in what stands between count and out, options and organization;
 * web_join() the rest before that. What an answer consists of goes to out, which is scratch.
 */
struct web {
	const char *program;
	/* What the certificates say. */
	const char *organization;
	uv_loop_t *loop;
	const struct fleet_options *fleet;
	const struct web_options *options;
	/* The first of count, each so many bytes from the one before. */
	struct web_device *first;
	size_t stride;
	uint32_t count;
	/* Whether a device listens there at all; NULL: always. */
	bool (*listens)(const struct device *dev, bool tls);
	/* Whether a connection that just came is reset; NULL: none. */
	bool (*refuses)(struct device *dev);
	/* Gives a new connection a certificate of the device's own; false, NULL: it has none. */
	bool (*dress)(struct device *dev, SSL *ssl);
	/* Knobs or profile may have opened or closed ports; may be NULL. */
	void (*synced)(struct device *dev);
	/* Some time has passed, half a second at most; may be NULL. */
	void (*tick)(struct web *web);
	void (*answer)(struct device *dev, const struct http_request *request, struct reply *reply);
	void (*malformed)(struct device *dev, struct reply *reply);
	/* The next n bytes of a long answer of which left are to come. */
	void (*filler)(struct buf *out, size_t n, uint64_t left);

	struct buf out;
	char read_buffer[64 * 1024];
	SSL_CTX *tls;
	EVP_PKEY *key;
	struct web_listener shared_plain;
	struct web_listener shared_tls;
	bool shared;
	uint32_t connections_open;
	uint32_t requests_open;
	struct web_conn *conns;
	uv_timer_t sweep;
	/* The ports are open: knobs act on them. */
	bool running;
};

/* Loop time in milliseconds. */
static inline uint64_t web_now(const struct web *web)
{
	return uv_now(web->loop);
}

struct web_device *web_at(const struct web *web, uint32_t index);
/* n counts from 1. */
void web_device_init(struct web_device *w, struct web *web, struct device *dev, uint32_t n);
void web_device_done(struct web_device *w);
/* Counters of what is open now, after all were zeroed. */
void web_device_reset(struct web_device *w);
/* "address", "port" and "tls_port"; a port that does not listen is null. */
void web_device_json(const struct web_device *w, struct buf *out);
/* All ports, in two lists: 0 where none listens. */
void web_json_ports(const struct web *web, struct buf *out);

/* Makes it that fleet's, whose options are there already: both learn of the other what they need.
 */
void web_join(struct web *web, uv_loop_t *loop, struct fleet *fleet);
/* Descriptors for the listeners; false, having said so, if there are too few. */
bool web_raise_files(const struct web *web);
/* TLS; 0, or -1 having said what is in the way. */
int web_setup(struct web *web);
void web_teardown(struct web *web);
/* Gives every device its address and opens the ports; 0, or -1 having said what is in the way. */
int web_start(struct web *web);
/* Closes listeners and connections. */
void web_stop(struct web *web);
/* Whose address that is; NULL: nobody's. */
struct web_device *web_find(struct web *web, const struct sockaddr *address);
/* Opens or closes a device's ports as listens() and its knobs say now. */
void web_sync_device(struct web_device *w);
/* Whether it listens where it should now. */
bool web_device_is_open(const struct web_device *w);
/* The program defines it: where in a struct device its struct web_device is. */
extern const size_t web_offset;
/* For knobs. */
void web_sync(struct device *dev);
bool web_set_newcert(struct device *dev, struct str value);
void web_show_newcert(const struct device *dev, struct buf *out);
bool web_set_cert_ends(struct device *dev, struct str value);
void web_show_cert_ends(const struct device *dev, struct buf *out);
/* Counts one; true for every N-th, never if every is 0. */
bool web_every(uint32_t every, uint32_t *seq);

#endif
