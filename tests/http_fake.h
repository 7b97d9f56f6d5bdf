/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of http/ stand on: a device as the core would show it, an op that counts, and a
 * server that answers by script on the same loop.
 */
#ifndef POWERCTL_TESTS_HTTP_FAKE_H
#define POWERCTL_TESTS_HTTP_FAKE_H

#include "test.h"

#include <powerctl/http.h>

struct fake_pin {
	const char *known; /* or NULL */
	char shown[100];
	int asked;
};

struct pctl_device {
	uv_loop_t *loop;
	const char *host;
	uint16_t port; /* where direct dials go, whatever is asked for */
	uint64_t connect_ms, answer_ms;
	enum pctl_trust trust;
	struct fake_pin tls, realm;
	int dials;
	struct fake_server *pipe_to; /* dial: a socketpair to it */
	const char *channel_error;
	const char *dial_error;
	bool connected; /* dial: a socket that is connected already */
};

struct pctl_op {
	int committed, not_taken;
	struct fake_server *server;
	int requests_before; /* that the server had when it was committed */
};

enum fake_then { FAKE_KEEP, FAKE_CLOSE, FAKE_RESET, FAKE_SILENT, FAKE_DRIP };

/* The answer to the next request, on whichever connection it comes. */
struct fake_reply {
	const char *text;
	enum fake_then then;
	size_t split; /* so many bytes first */
};

#define FAKE_MAX 16

struct fake_server {
	uv_tcp_t tcp;
	uv_loop_t *loop;
	uint16_t port;
	const struct fake_reply *replies;
	size_t n_replies;
	char *requests[FAKE_MAX];
	int connection[FAKE_MAX]; /* on which each came, from 1 */
	int n, accepted, open, max_open;
	bool mute; /* reads nothing */
	struct fake_connection *connections;
};

void fake_server_start(struct fake_server *s, uv_loop_t *loop);
/* Takes a connected stream as if it had come in. */
void fake_server_adopt(struct fake_server *s, int fd);
/* Forgets what came and sets what goes. */
void fake_server_script(struct fake_server *s, const struct fake_reply *replies, size_t n);
void fake_server_stop(struct fake_server *s);

#endif
