/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For programs: an open console or display, or a medium that this computer serves. The result of
 * PCTL_VERB_CONSOLE, PCTL_VERB_KVM and PCTL_VERB_MEDIA_ATTACH carries one (the latter not where the
 * device itself fetches the medium); a program that wants it takes it over inside the result
 * callback, reads and writes its descriptor, which a medium has none of, and closes it. The run
 * that opened it is over by then; the device stays open until the stream is gone. Core and
 * inventory outlive it. (Drivers see the other side: <powerctl/session.h>.)
 */
#ifndef POWERCTL_STREAM_H
#define POWERCTL_STREAM_H

#include <powerctl/error.h>
#include <powerctl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_stream;

/*
 * It has ended by itself: code 0 where that is how the device ends one, else a class and a text;
 * PCTL_E_BUSY: somebody else took it. At most once, from the loop, never after pctl_stream_close().
 * What the descriptor still holds can be read; then it is to be closed.
 */
typedef void pctl_stream_ended_fn(void *data, const struct pctl_error *err);
/* Once, last, from the loop: stream and device are gone. err: why it had ended; 0 if it had not. */
typedef void pctl_stream_closed_fn(void *data, const struct pctl_error *err);

/* Inside the result callback only; what nobody takes there is closed by the core. */
PCTL_API void pctl_stream_take(struct pctl_stream *stream, pctl_stream_ended_fn *ended, void *data);

/*
 * What is told while it is open ("the machine is off"): text lives for the call. Once the stream
 * was taken; not after pctl_stream_close().
 */
typedef void pctl_stream_note_fn(void *data, const char *text);
PCTL_API void pctl_stream_on_note(struct pctl_stream *stream, pctl_stream_note_fn *note);

/*
 * Non-blocking; -1 where there is none. It stays the stream's: watch it, read and write it, do not
 * close it. Its end of file is the end of the stream, which may be all that shows it: close it, and
 * closed() says why.
 */
PCTL_API int pctl_stream_fd(const struct pctl_stream *stream);

/*
 * A map with the names of docs/names.md. It lives as long as the stream; what is in it may be made
 * anew by a control ("progress"), and what was got out of it before is gone then.
 */
PCTL_API const struct pctl_value *pctl_stream_facts(const struct pctl_stream *stream);

/*
 * Does one of the things that can be done to it: "break" and "resize" of consoles, "progress" and
 * "eject" of media. arg may be NULL. 0, PCTL_E_UNSUPPORTED
 * where it has no such control, or why it could not be done.
 */
PCTL_API int pctl_stream_control(
	struct pctl_stream *stream, const char *name, const char *arg, struct pctl_error *err);

/* Ends it; the descriptor is not to be touched any more. Whoever took it calls this, once. */
PCTL_API void pctl_stream_close(
	struct pctl_stream *stream, pctl_stream_closed_fn *closed, void *data);

#ifdef __cplusplus
}
#endif

#endif
