/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's end of a session that is a stream: a socketpair, one end of which is his descriptor.
 * Bytes for him are kept while he does not read; what he writes is not read while nobody wants it.
 */
#ifndef POWERCTL_AMT_REDIRECTION_TAP_H
#define POWERCTL_AMT_REDIRECTION_TAP_H

#include <uv.h>

#include <powerctl/buf.h>
#include <powerctl/error.h>

/* So much of what the user writes is read at a time; it fits into a frame of SOL. */
#define TAP_PART ((size_t)1000)
/* So much is kept for him at most: a frame of SOL, or one reading of the wire, is far less. */
#define TAP_KEPT_MAX ((size_t)1 << 17)

/* From the loop, never from within a function below. */
struct tap_user {
	/* At most TAP_PART bytes of the user's, which are wiped afterwards. */
	void (*typed)(void *data, const char *bytes, size_t len);
	/* He has all that was kept for him. */
	void (*emptied)(void *data);
	/* After tap_close(): last. */
	void (*closed)(void *data);
};

/* Zeroed, with ours -1, it is none. */
struct tap {
	int ours; /* -1: there is none */
	/* Private. */
	const struct tap_user *user;
	void *data;
	uv_poll_t poll;
	int watched; /* events */
	bool listens, left;
	struct pctl_buf kept;
	size_t taken; /* the first so many of them he has */
};

/* *ret_fd is the user's end, the caller's to close. */
int tap_open(struct tap *tap, uv_loop_t *loop, const struct tap_user *user, void *data, int *ret_fd,
	struct pctl_error *err);
/* False: some of it is kept, and nothing more is to be given until emptied(). */
bool tap_give(struct tap *tap, const void *bytes, size_t len);
/* Nothing is kept; of none as well. */
bool tap_empty(const struct tap *tap);
/* Whether typed() is to follow; of none nothing does. */
void tap_listen(struct tap *tap, bool on);
/* Nothing more comes: the user reads the end. */
void tap_end(struct tap *tap);
/* What is kept is lost. False: there is none, and closed() does not follow. */
bool tap_close(struct tap *tap);

#endif
