/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session is what a console, a display or a medium is while it is open: a stream descriptor (none
 * for media), a few facts, a table of controls, and an end with a reason. It begins as the result
 * of an op and from then on lives by itself: no deadline, no place in the queue.
 *
 * A driver embeds struct pctl_session in its own and fills in the upper part before it ends the op.
 * Whoever opened it (the user, in powerctl always the core) fills in ended and data when it hears
 * of the op's end, and calls close.
 *
 * When a session ends by itself, reading fd comes to an end. A driver that knows why says so by
 * ended(), unless that is NULL yet; one that has not said it by then says it when close() is
 * called.
 */
#ifndef POWERCTL_SESSION_H
#define POWERCTL_SESSION_H

#include <powerctl/error.h>
#include <powerctl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_session;

/* One thing that can be done to an open session. A table of these ends with a row without a name.
 */
struct pctl_control {
	uint32_t size;
	const char *name; /* break, resize, progress, eject */
	const char *help;
	/* arg may be NULL. 0 or PCTL_E_... */
	int (*run)(struct pctl_session *session, const char *arg, struct pctl_error *err);
};

struct pctl_session {
	uint32_t size;

	/* The driver's. */
	int fd;                              /* stream, non-blocking; -1 for media; the session's */
	struct pctl_value *facts;            /* kind, geometry, pixel format; freed by the driver */
	const struct pctl_control *controls; /* NULL: none */
	/*
	 * Ends the session and frees it, within 2 s. ended() follows, once, from the loop, unless
	 * it was called before; after that the session is gone. May be called from within ended();
	 * where ended() came before, the device may be closed right afterwards.
	 */
	void (*close)(struct pctl_session *session);

	/*
	 * The user's. ended: code 0 after close() or a normal end, else a class and a text;
	 * PCTL_E_BUSY: somebody else took it.
	 */
	void (*ended)(void *data, const struct pctl_error *err);
	void *data;
	/*
	 * The user's. Something that whoever looks at the session should know while it goes on, one
	 * line: "the machine is off". From the loop, not after ended(); NULL: nobody wants it.
	 */
	void (*note)(void *data, const char *text);
};

#ifdef __cplusplus
}
#endif

#endif
