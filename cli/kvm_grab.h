/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One picture of an open screen: it is asked for a whole one, closed, and what came is packed on a
 * worker and written in one step.
 */
#ifndef POWERCTL_CLI_KVM_GRAB_H
#define POWERCTL_CLI_KVM_GRAB_H

#include <sys/stat.h>

#include <powerctl/stream.h>
#include <uv.h>

#include "display/rfb.h"

struct kvm_grab {
	/* The caller's. */
	uv_loop_t *loop;
	const char *path;
	mode_t mode;
	enum rfb_format format;
	uint64_t timeout_ms; /* 0: as long as pictures usually may take */
	/*
	 * Once, from the loop, when the screen is closed: the file is there, or err says why not.
	 */
	void (*done)(void *data);
	void *data;

	/* What became of it. */
	struct pctl_error err;
	bool too_wide; /* it hung up on RGB565: in RGB332 it may have a picture */
	unsigned width, height;

	/* Private. */
	struct pctl_stream *stream;
	bool ended;
	struct rfb rfb;
	uv_poll_t poll;
	uv_timer_t timer;
	uv_work_t work;
	unsigned handles;
	struct pctl_buf png;
};

/* The stream, which is taken over, has just been opened. May be called again after done(). */
void kvm_grab_begin(struct kvm_grab *grab, struct pctl_stream *stream);
/* Ends it as interrupted, where its screen is open; else nothing. */
void kvm_grab_cancel(struct kvm_grab *grab);

#endif
