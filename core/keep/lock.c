/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
	int marks;         /* the same */
};

/* One of the slots of the file of marks, which are shared by the devices whose hashes say so: of
 * two that are overtaken at the same moment one may lose its mark, and no more than that. */
struct mark {
	uint64_t hash;
	uint32_t count, pid;
};
#define MARKS 4096u

/* Beside each lock, at which nobody waits: that of those who went first. */
#define FIRST ((off_t)1 << 62)

#define HOLDER "holder."

struct pctl_locks *pctl_locks_new(const char *caller)
{
	struct pctl_locks *locks = pctl_xcalloc(1, sizeof(*locks));

	locks->caller = pctl_xstrdup(caller ? caller : "powerctl");
	locks->fd = locks->marks = -1;
	return locks;
}

void pctl_locks_free(struct pctl_locks *locks)
{
	if (!locks)
		return;
	if (locks->fd >= 0)
		(void)close(locks->fd);
	if (locks->marks >= 0)
		(void)close(locks->marks);
	if (locks->holder_path)
		(void)unlink(locks->holder_path);
	free(locks->holder_path);
	free(locks->caller);
	free(locks);
}

/* What processes left that were killed: nobody reads it any more. */
static void sweep(const char *path)
{
	PCTL_AUTO(free) char *folder = pctl_path_dirname(path);
	DIR *dir = opendir(folder);
	uint64_t pid;

	for (const struct dirent *e; dir && (e = readdir(dir));) {
		if (strncmp(e->d_name, HOLDER, strlen(HOLDER)) != 0 ||
			pctl_parse_uint(e->d_name + strlen(HOLDER), INT32_MAX, &pid) < 0 ||
			pid == 0)
			continue;
		if (kill((pid_t)pid, 0) < 0 && errno == ESRCH)
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	if (dir)
		(void)closedir(dir);
}

/* Says who we are before the first lock is taken. Others only lose the name if this fails. */
static void announce(struct pctl_locks *locks)
{
	char line[256];
	PCTL_AUTO(free) char *user = pctl_path_user();
	PCTL_AUTO(free) char *file = pctl_xasprintf(HOLDER "%d", (int)getpid());

	if (pctl_path_runtime(file, &locks->holder_path, NULL) < 0)
		return;
	int fd = pctl_file_open(
		locks->holder_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0)
		return;
	sweep(locks->holder_path);
	int n = snprintf(
		line, sizeof(line), "%.64s, %.150s, pid %d", user, locks->caller, (int)getpid());
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

/* Without it nobody is told that somebody went first. As long as nobody did, there is none. */
static int open_marks(struct pctl_locks *locks, int create)
{
	PCTL_AUTO(free) char *path = NULL;

	if (locks->marks < 0 && pctl_path_runtime("overtaken", &path, NULL) == 0)
		locks->marks = pctl_file_open(path, O_RDWR | O_CLOEXEC | create, 0600);
	return locks->marks;
}

uint64_t pctl_lock_hash(const char *name)
{
	uint64_t h = 14695981039346656037u;

	for (; *name; name++)
		h = (h ^ (unsigned char)*name) * 1099511628211u;
	return h;
}

static struct flock range_of(const char *key, short type, off_t beside)
{
	off_t at = (off_t)(pctl_lock_hash(key) >> 2) | beside;

	return (struct flock){ .l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1 };
}

void pctl_lock_holder(pid_t pid, char *holder, size_t size)
{
	PCTL_AUTO(free) char *file = pctl_xasprintf(HOLDER "%d", (int)pid);
	PCTL_AUTO(free) char *path = NULL;
	ssize_t n = -1;

	if (pctl_path_runtime(file, &path, NULL) == 0) {
		int fd = pctl_file_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
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

/* Who has a range that we could not have. */
static int tell_holder(const struct pctl_locks *locks, struct flock range, char *holder,
	size_t holder_size, struct pctl_error *err)
{
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
	const char *callers = getenv(PCTL_LOCK_CALLERS);
	struct flock range = range_of(key, F_WRLCK, 0);
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

static void unlock(struct pctl_locks *locks, const char *key, off_t beside)
{
	struct flock range = range_of(key, F_UNLCK, beside);

	(void)fcntl(locks->fd, F_SETLK, &range);
}

int pctl_lock_try(struct pctl_locks *locks, const char *key, char *holder, size_t holder_size,
	struct pctl_error *err)
{
	struct flock range = range_of(key, F_WRLCK, 0);
	struct flock first = range_of(key, F_WRLCK, FIRST), found = first;

	int r = open_file(locks, err);
	if (r < 0)
		return r;
	if (fcntl(locks->fd, F_SETLK, &range) < 0) {
		if (errno != EAGAIN && errno != EACCES)
			return pctl_error_set(err, PCTL_E_INTERNAL,
				"the machine cannot be locked: %s; set $XDG_RUNTIME_DIR to a "
				"folder on a local disk",
				strerror(errno));
		return tell_holder(locks, range, holder, holder_size, err);
	}
	if (fcntl(locks->fd, F_GETLK, &found) < 0 || found.l_type == F_UNLCK)
		return 0;
	unlock(locks, key, 0);
	return tell_holder(locks, first, holder, holder_size, err);
}

static off_t slot_of(uint64_t hash)
{
	return (off_t)((hash % MARKS) * sizeof(struct mark));
}

static bool read_mark(struct pctl_locks *locks, uint64_t hash, struct mark *ret)
{
	ssize_t n = open_marks(locks, 0) < 0
			    ? -1
			    : pread(locks->marks, ret, sizeof(*ret), slot_of(hash));

	return n == sizeof(*ret) && ret->hash == hash;
}

int pctl_lock_overtake(struct pctl_locks *locks, const char *key, struct pctl_error *err)
{
	struct flock first = range_of(key, F_WRLCK, FIRST);
	struct mark mark = { 0 };
	uint64_t hash = pctl_lock_hash(key);

	int r = open_file(locks, err);
	if (r < 0)
		return r;
	(void)fcntl(locks->fd, F_SETLK, &first);
	(void)open_marks(locks, O_CREAT);
	if (!read_mark(locks, hash, &mark))
		mark = (struct mark){ .hash = hash };
	mark.count++;
	mark.pid = (uint32_t)getpid();
	if (locks->marks >= 0)
		(void)!pwrite(locks->marks, &mark, sizeof(mark), slot_of(hash));
	return 0;
}

uint64_t pctl_lock_mark(struct pctl_locks *locks, const char *key, pid_t *ret_pid)
{
	struct mark mark;

	if (!read_mark(locks, pctl_lock_hash(key), &mark))
		return 0;
	if (ret_pid)
		*ret_pid = (pid_t)mark.pid;
	return mark.count;
}

void pctl_lock_release(struct pctl_locks *locks, const char *key)
{
	if (locks->fd < 0)
		return;
	unlock(locks, key, 0);
	unlock(locks, key, FIRST);
}
