/* SPDX-License-Identifier: Apache-2.0 */
#include "node/channel.h"

#include <errno.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "base/paths.h"
#include "node/core.h"

/*
 * A name for getpeername() at the other end: libcurl 7.88 takes a TLS peer without one for one that
 * is still being resolved, and makes a new connection for every request. It stands in no folder for
 * longer than this; without it things are only slower.
 */
static void give_name(int fd)
{
	PCTL_AUTO(free) char *file = pctl_xasprintf("channel.%d", (int)getpid());
	PCTL_AUTO(free) char *path = NULL;
	struct sockaddr_un name = { .sun_family = AF_UNIX };

	if (pctl_path_runtime(file, &path, NULL) < 0 || strlen(path) >= sizeof(name.sun_path))
		return;
	memcpy(name.sun_path, path, strlen(path) + 1);
	if (bind(fd, (const struct sockaddr *)&name, sizeof(name)) == 0)
		(void)unlink(path);
}

int pctl_channel_pair(int pair[2], struct pctl_error *err)
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
		return pctl_error_shortage(err, errno)
			       ? PCTL_E_INTERNAL
			       : pctl_error_set(err, PCTL_E_INTERNAL,
					 "no socketpair for its channel: %s", strerror(errno));
	give_name(pair[1]);
	return 0;
}

/* A device that is kept open dials many times. fd is a new one's. */
static void drop_ended(struct pctl_device *device, int fd)
{
	for (struct pctl_channel **link = &device->channels, *c; (c = *link);) {
		if (c->work || (c->err.code && !c->told && c->fd != fd)) {
			link = &c->next;
			continue;
		}
		*link = c->next;
		free(c);
	}
}

struct pctl_channel *pctl_channel_new(struct pctl_device *device, int fd, void *work,
	void (*stop)(void *work), void (*look)(void *work))
{
	struct pctl_channel *channel = pctl_xcalloc(1, sizeof(*channel));

	drop_ended(device, fd);
	*channel = (struct pctl_channel){
		.fd = fd, .work = work, .stop = stop, .look = look, .next = device->channels
	};
	device->channels = channel;
	return channel;
}

void pctl_channel_end(struct pctl_channel **channel, const struct pctl_error *err)
{
	struct pctl_channel *c = *channel;

	*channel = NULL;
	if (!c)
		return;
	c->work = NULL;
	if (err)
		c->err = *err;
}

int pctl_channel_error(struct pctl_channel *channels, int fd, struct pctl_error *err)
{
	for (struct pctl_channel *c = channels; c; c = c->next) {
		if (c->fd != fd)
			continue;
		if (c->work && c->look)
			c->look(c->work);
		c->told = true;
		if (c->err.code && err)
			*err = c->err;
		return c->err.code;
	}
	return 0;
}

size_t pctl_channels_count(const struct pctl_channel *channels)
{
	size_t n = 0;

	for (; channels; channels = channels->next)
		n++;
	return n;
}

void pctl_channels_free(struct pctl_channel *channels)
{
	while (channels) {
		struct pctl_channel *next = channels->next;

		if (channels->work)
			channels->stop(channels->work);
		free(channels);
		channels = next;
	}
}
