/* SPDX-License-Identifier: Apache-2.0 */
#include "standard.h"

#include <fcntl.h>
#include <stdio.h>
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
	struct stat st;
	bool stream = isatty(fd) || (fstat(fd, &st) == 0 && S_ISFIFO(st.st_mode));
	int own = stream ? open_again(fd, access) : -1;

	*s = (struct standard){ .fd = own >= 0 ? own : fd, .shared = -1 };
	if (own < 0)
		s->shared = fcntl(fd, F_GETFL);
	s->polled = uv_poll_init(loop, &s->poll, s->fd) == 0; /* also: from now on non-blocking */
}

void standard_close(struct standard *s)
{
	if (s->polled)
		uv_close((uv_handle_t *)&s->poll, NULL);
	if (s->shared < 0)
		(void)close(s->fd);
	else
		(void)fcntl(s->fd, F_SETFL, s->shared);
}
