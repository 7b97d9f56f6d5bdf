/* SPDX-License-Identifier: Apache-2.0 */
#include "console_log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>

int console_log_open(struct console_log *log, const char *path, struct pctl_error *err)
{
	log->fd = -1;
	log->path = path;
	if (!path)
		return 0;
	/* A pipe without a reader, or one that does not read, must not stop the console. */
	log->fd =
		open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (log->fd < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "--log: %s cannot be written: %s", path,
			strerror(errno));
	return 0;
}

static void say_failed(const struct console_log *log, int errnum)
{
	PCTL_AUTO(free)
	char *text = pctl_xasprintf(
		"%s cannot be written: %s; going on without it", log->path, strerror(errnum));

	log->trouble(log->data, text);
}

static void say_again(const struct console_log *log)
{
	PCTL_AUTO(free)
	char *text = pctl_xasprintf(
		"%s is written again; %" PRIu64 " bytes are missing", log->path, log->missing);

	log->trouble(log->data, text);
}

void console_log_add(struct console_log *log, const char *bytes, size_t n)
{
	size_t done = 0;

	while (log->fd >= 0 && done < n) {
		ssize_t w = write(log->fd, bytes + done, n - done);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			if (!log->missing)
				say_failed(log, w < 0 ? errno : ENOSPC);
			log->missing += n - done;
			return;
		}
		if (log->missing)
			say_again(log);
		log->missing = 0;
		done += (size_t)w;
	}
}

void console_log_close(struct console_log *log)
{
	if (log->fd >= 0 && close(log->fd) < 0 && !log->missing)
		say_failed(log, errno);
	log->fd = -1;
}
