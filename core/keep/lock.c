/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/file.h"
#include "base/paths.h"

struct pctl_locks {
	char *caller;
	char *holder_path; /* who this process is, for others to read */
	int fd;            /* -1: not opened yet */
};

struct pctl_locks *pctl_locks_new(const char *caller)
{
	struct pctl_locks *locks = pctl_xcalloc(1, sizeof(*locks));

	locks->caller = pctl_xstrdup(caller ? caller : "powerctl");
	locks->fd = -1;
	return locks;
}

void pctl_locks_free(struct pctl_locks *locks)
{
	if (!locks)
		return;
	if (locks->fd >= 0)
		(void)close(locks->fd);
	if (locks->holder_path)
		(void)unlink(locks->holder_path);
	free(locks->holder_path);
	free(locks->caller);
	free(locks);
}

static const char *user_name(char *buf, size_t size)
{
	const struct passwd *pw = getpwuid(geteuid());

	if (pw)
		(void)snprintf(buf, size, "%s", pw->pw_name);
	else
		(void)snprintf(buf, size, "uid %u", (unsigned)geteuid());
	return buf;
}

/* Says who we are before the first lock is taken. Others only lose the name if this fails. */
static void announce(struct pctl_locks *locks)
{
	char name[64], line[256];
	PCTL_AUTO(free) char *file = pctl_xasprintf("holder.%d", (int)getpid());

	if (pctl_path_runtime(file, &locks->holder_path, NULL) < 0)
		return;
	int fd = pctl_file_open(locks->holder_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	int n = snprintf(line, sizeof(line), "%s, %s, pid %d", user_name(name, sizeof(name)),
		locks->caller, (int)getpid());
	if (n > 0 && write(fd, line, (size_t)n) < 0)
		(void)unlink(locks->holder_path);
	(void)close(fd);
}

static int open_file(struct pctl_locks *locks, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;

	if (locks->fd >= 0)
		return 0;
	int r = pctl_path_runtime("locks", &path, err);
	if (r < 0)
		return r;
	locks->fd = pctl_file_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (locks->fd < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL,
			"%s cannot be opened: %s; it keeps two "
			"commands from acting on one machine at once",
			path, strerror(errno));
	announce(locks);
	return 0;
}

uint64_t pctl_lock_hash(const char *name)
{
	uint64_t h = 14695981039346656037u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return h;
}

static struct flock range_of(const char *key, short type)
{
	off_t at = (off_t)(pctl_lock_hash(key) >> 2);

	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
}

void pctl_lock_holder(pid_t pid, char *holder, size_t size)
{
	PCTL_AUTO(free) char *file = pctl_xasprintf("holder.%d", (int)pid);
	PCTL_AUTO(free) char *path = NULL;
	ssize_t n = -1;

	if (pctl_path_runtime(file, &path, NULL) == 0) {
		int fd = pctl_file_open(path, O_RDONLY | O_CLOEXEC, 0);
		if (fd >= 0) {
			n = read(fd, holder, size - 1);
			(void)close(fd);
		}
	}
	if (n > 0)
		holder[n] = '\0';
	else
		(void)snprintf(holder, size, "pid %d", (int)pid);
}

int pctl_lock_try(struct pctl_locks *locks, const char *key, char *holder, size_t holder_size,
	struct pctl_error *err)
{
	struct flock range = range_of(key, F_WRLCK);

	int r = open_file(locks, err);
	if (r < 0)
		return r;
	if (fcntl(locks->fd, F_SETLK, &range) == 0)
		return 0;
	if (errno != EAGAIN && errno != EACCES)
		return pctl_error_set(
			err, PCTL_E_INTERNAL, "the machine cannot be locked: %s", strerror(errno));
	if (!holder) /* it was told of before */
		return PCTL_E_BUSY;
	if (fcntl(locks->fd, F_GETLK, &range) == 0 && range.l_type != F_UNLCK)
		pctl_lock_holder(range.l_pid, holder, holder_size);
	else
		(void)snprintf(holder, holder_size, "another process");
	return pctl_error_set(err, PCTL_E_BUSY, "another command is at it (%s)", holder);
}

bool pctl_lock_is_of_our_caller(const struct pctl_locks *locks, const char *key)
{
	const char *callers = getenv("POWERCTL_HOOK_OF");
	struct flock range = range_of(key, F_WRLCK);
	uint64_t pid = 0;

	if (!callers || locks->fd < 0 || fcntl(locks->fd, F_GETLK, &range) < 0 ||
		range.l_type == F_UNLCK)
		return false;
	while (*callers) {
		size_t len = strcspn(callers, ",");
		PCTL_AUTO(free) char *one = pctl_xstrndup(callers, len);

		if (pctl_parse_uint(one, INT32_MAX, &pid) == 0 && range.l_pid == (pid_t)pid)
			return true;
		callers += len + (callers[len] == ',');
	}
	return false;
}

void pctl_lock_release(struct pctl_locks *locks, const char *key)
{
	struct flock range = range_of(key, F_UNLCK);

	if (locks->fd >= 0)
		(void)fcntl(locks->fd, F_SETLK, &range);
}
