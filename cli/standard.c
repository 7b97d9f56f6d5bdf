/* SPDX-License-Identifier: Apache-2.0 */
#include "standard.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE 32u

static int open_again(int fd, int access)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

void standard_open(struct standard *s, uv_loop_t *loop, int fd, int access)
{
	struct stat st = { 0 };
	bool known = fstat(fd, &st) == 0;
	bool stream = isatty(fd) || (known && S_ISFIFO(st.st_mode));
	int own = stream ? open_again(fd, access) : -1;

	*s = (struct standard){ .fd = own >= 0 ? own : fd, .own = own >= 0, .shared = -1 };
	s->socket = known && S_ISSOCK(st.st_mode);
	if (!s->own)
		s->shared = fcntl(fd, F_GETFL);
	s->polled = uv_poll_init(loop, &s->poll, s->fd) == 0; /* also: from now on non-blocking */
	if (s->socket && s->shared >= 0) {
		(void)fcntl(fd, F_SETFL, s->shared);
		s->shared = -1;
	}
}

ssize_t standard_read(const struct standard *s, void *bytes, size_t n)
{
	return s->socket ? recv(s->fd, bytes, n, MSG_DONTWAIT) : read(s->fd, bytes, n);
}

ssize_t standard_write(const struct standard *s, const void *bytes, size_t n)
{
	return s->socket ? send(s->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL)
			 : write(s->fd, bytes, n);
}

void standard_close(struct standard *s)
{
	if (s->polled)
		uv_close((uv_handle_t *)&s->poll, NULL);
	if (s->own)
		(void)close(s->fd);
	else if (s->shared >= 0)
		(void)fcntl(s->fd, F_SETFL, s->shared);
}
