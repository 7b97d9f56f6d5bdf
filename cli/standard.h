/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standard input and output for the loop. It wants descriptors that never block, but the mode of
 * these is shared with whoever else has them open: a shell, the next command of a script. So
 * terminals and pipes are opened once more, and sockets are asked not to block each time.
 */
#ifndef POWERCTL_CLI_STANDARD_H
#define POWERCTL_CLI_STANDARD_H

#include <stdbool.h>
#include <sys/types.h>
#include <uv.h>

struct standard {
	int fd;
	bool own;    /* opened here */
	bool socket; /* its mode was left alone */
	int shared;  /* the mode of fd is somebody else's too, and this is how it was; -1: not so */
	bool polled; /* false: a file, which is always ready; poll is not set up */
	uv_poll_t poll;
};

/* access is O_RDONLY or O_WRONLY. poll.data is the caller's. */
void standard_open(struct standard *s, uv_loop_t *loop, int fd, int access);
/* As read() and write() of a descriptor that does not block. */
ssize_t standard_read(const struct standard *s, void *bytes, size_t n);
ssize_t standard_write(const struct standard *s, const void *bytes, size_t n);
/* Gives back what was opened. The handle is closed by the loop's next turn. */
void standard_close(struct standard *s);

#endif
