/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How `media detach` and `media status` reach the powerctl that serves a medium: a socket in the
 * runtime folder, which is this user's alone, named after the machine. A question is one word and a
 * line break; the answer is text up to the end of the connection.
 */
#ifndef POWERCTL_CLI_MEDIA_SOCKET_H
#define POWERCTL_CLI_MEDIA_SOCKET_H

#include <powerctl/op.h>
#include <powerctl/value.h>
#include <uv.h>

#include <powerctl/error.h>

struct media_asker;

struct media_socket {
	uv_pipe_t pipe;
	/* The owner's. From the loop; answered by media_socket_answer(), at once or later. */
	void (*asked)(void *data, struct media_asker *asker, const char *word);
	void *data;

	/* Private. */
	struct media_asker *askers;
	char *path;
	bool open;
};

/*
 * Begins to listen for a machine (pctl_run_machine()). PCTL_E_BUSY: another powerctl of this user
 * serves it. PCTL_E_INTERNAL: there can be no socket.
 */
int media_socket_open(struct media_socket *socket, uv_loop_t *loop, const char *machine,
	void (*asked)(void *data, struct media_asker *asker, const char *word), void *data,
	struct pctl_error *err);
void media_socket_answer(struct media_asker *asker, const char *text);
/* Who still waits for an answer gets none. The handles are closed by the loop's next turns. */
void media_socket_close(struct media_socket *socket);

/* The answer, or NULL: there was none, or an empty one. Ends op. */
typedef void media_answer_fn(struct pctl_op *op, const char *answer, struct pctl_value *ret);

/*
 * Asks the powerctl that serves a medium to a machine, on a worker; what it says is waited for 10 s
 * at most, and answered follows where op was not aborted meanwhile. False: there is none.
 */
bool media_socket_ask(const char *machine, struct pctl_op *op, const char *word,
	media_answer_fn *answered, struct pctl_value *ret);

#endif
