/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "base/paths.h"

#define SPARE      16u /* descriptors that are kept for files */
#define OPEN_LEAST 64u
#define NAME_TRIES 100

static int cannot(struct pctl_error *err, int code, const char *path, const char *what)
{
	return pctl_error_set(err, code, "%s: %s: %s", path, what, strerror(errno));
}

uint64_t pctl_file_spare(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return OPEN_LEAST;
	rlim_t spare = files.rlim_max / 4 < SPARE ? files.rlim_max / 4 : SPARE;
	files.rlim_cur = files.rlim_max - spare;
	(void)setrlimit(RLIMIT_NOFILE, &files);
	return files.rlim_cur;
}

/* Whether errno says that there are too few descriptors, and from now on there are more. */
static bool use_spare(struct rlimit *ret_before)
{
	struct rlimit all;

	if (errno != EMFILE || getrlimit(RLIMIT_NOFILE, ret_before) < 0)
		return false;
	all = *ret_before;
	all.rlim_cur = all.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &all) == 0;
}

static void leave_spare(const struct rlimit *before)
{
	int why = errno;

	(void)setrlimit(RLIMIT_NOFILE, before);
	errno = why;
}

int pctl_file_open(const char *path, int flags, mode_t mode)
{
	struct rlimit before;
	int fd = open(path, flags, mode);

	if (fd >= 0 || !use_spare(&before))
		return fd;
	fd = open(path, flags, mode);
	leave_spare(&before);
	return fd;
}

static int lock(const char *path, mode_t mode, int how, struct pctl_error *err)
{
	int fd = pctl_file_open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode);
	int r;

	if (fd < 0)
		return cannot(err, PCTL_E_INTERNAL, path, "cannot open this lock");
	do
		r = flock(fd, how);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return fd;
	r = cannot(err, PCTL_E_INTERNAL, path, "cannot lock it");
	(void)close(fd);
	return r;
}

int pctl_file_lock(const char *path, mode_t mode, struct pctl_error *err)
{
	return lock(path, mode, LOCK_EX, err);
}

int pctl_file_try_lock(const char *path, mode_t mode, struct pctl_error *err)
{
	return lock(path, mode, LOCK_EX | LOCK_NB, err);
}

int pctl_file_read_fd(int fd, const char *path, struct pctl_buf *buf, struct pctl_error *err)
{
	char chunk[16384];
	ssize_t n;
	int r = 0;

	while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			r = cannot(err, PCTL_E_CONFIG, path, "cannot read it");
			break;
		}
		pctl_buf_add(buf, chunk, (size_t)n);
		if (buf->full) {
			r = pctl_error_set(err, PCTL_E_CONFIG,
				"%s: too large: at most %zu bytes are read", path, buf->max);
			break;
		}
	}
	if (buf->secret)
		explicit_bzero(chunk, sizeof(chunk));
	return r;
}

static int read_file(const char *path, bool kept, struct pctl_buf *buf, struct stat *ret_st,
	struct pctl_error *err)
{
	int wait = kept ? O_NONBLOCK : 0;
	int fd = pctl_file_open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | wait, 0);
	struct stat st;
	int r = 0;

	if (fd < 0)
		return cannot(err, PCTL_E_CONFIG, path, "cannot open it");
	if (fstat(fd, &st) < 0)
		r = cannot(err, PCTL_E_CONFIG, path, "cannot read it");
	else if (kept && !S_ISREG(st.st_mode))
		r = pctl_error_set(
			err, PCTL_E_CONFIG, "%s: no regular file, so it is not read", path);
	else
		r = pctl_file_read_fd(fd, path, buf, err);
	(void)close(fd);
	if (r == 0 && ret_st)
		*ret_st = st;
	return r;
}

int pctl_file_read(
	const char *path, struct pctl_buf *buf, struct stat *ret_st, struct pctl_error *err)
{
	return read_file(path, false, buf, ret_st, err);
}

int pctl_file_read_kept(
	const char *path, struct pctl_buf *buf, struct stat *ret_st, struct pctl_error *err)
{
	return read_file(path, true, buf, ret_st, err);
}

bool pctl_file_is_as_it_was(const struct stat *was, const struct stat *is)
{
	return was->st_ino == is->st_ino && was->st_size == is->st_size &&
	       was->st_mode == is->st_mode && was->st_mtim.tv_sec == is->st_mtim.tv_sec &&
	       was->st_mtim.tv_nsec == is->st_mtim.tv_nsec;
}

int pctl_file_check_private(const char *path, const struct stat *st, struct pctl_error *err)
{
	if (!S_ISREG(st->st_mode) || !(st->st_mode & 0007))
		return 0;
	return pctl_error_set(err, PCTL_E_CONFIG,
		"%s holds a secret and others can read it (mode %04o); run: chmod o-rwx %s", path,
		(unsigned)(st->st_mode & 07777), path);
}

static int check_owned(const char *path, const struct stat *st, uid_t owner, struct pctl_error *err)
{
	if (st->st_uid != 0 && st->st_uid != owner)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s belongs to user %u, neither to root nor to the owner of the inventory; "
			"it is not run",
			path, (unsigned)st->st_uid);
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s can be written by others and is not run; mend it with: chmod go-w %s",
			path, path);
	return 0;
}

/* Who may write a folder may put another one in place of what is in it. */
static int check_folders(const char *file, uid_t owner, struct pctl_error *err)
{
	char *dir = pctl_path_dirname(file);
	bool first = true;
	struct stat st;
	int r = 0;

	for (bool top = false; r == 0 && !top; first = false) {
		top = strcmp(dir, "/") == 0;
		if (stat(dir, &st) < 0)
			r = cannot(err, PCTL_E_CONFIG, dir, "cannot look at it");
		else if (first)
			r = check_owned(dir, &st, owner, err);
		else if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
			r = pctl_error_set(err, PCTL_E_CONFIG,
				"%s can be written by others: nothing in it is run; mend it with: "
				"chmod o-w %s",
				dir, dir);
		char *above = pctl_path_dirname(dir);
		free(dir);
		dir = above;
	}
	free(dir);
	return r;
}

int pctl_file_check_program(const char *path, uid_t owner, struct pctl_error *err)
{
	PCTL_AUTO(free) char *real = realpath(path, NULL);
	struct stat st;

	if (!real || stat(real, &st) < 0)
		return cannot(err, PCTL_E_CONFIG, path, "cannot run it");
	if (!S_ISREG(st.st_mode))
		return pctl_error_set(err, PCTL_E_CONFIG, "%s is no program", path);
	int r = check_owned(real, &st, owner, err);
	if (r == 0)
		r = check_folders(real, owner, err);
	if (r == 0 && access(real, X_OK) < 0)
		r = pctl_error_set(err, PCTL_E_CONFIG,
			"%s cannot be run; make it executable: chmod +x %s", path, path);
	return r;
}

int pctl_file_write(int fd, const void *data, size_t len)
{
	const char *next = data;

	while (len) {
		ssize_t n = write(fd, next, len);

		if (n < 0 && errno != EINTR)
			return -1;
		if (n > 0) {
			next += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* What is to be in a file, and how. */
struct file_text {
	const void *data;
	size_t len;
	mode_t mode;
	const struct stat *like; /* NULL: mode, and ours */
	bool flushed;
};

static int dress(int fd, mode_t mode, const struct stat *like)
{
	struct stat st;

	if (!like)
		return fchmod(fd, mode);
	if (fstat(fd, &st) < 0)
		return -1;
	if ((st.st_uid != like->st_uid || st.st_gid != like->st_gid) &&
		fchown(fd, like->st_uid, like->st_gid) < 0)
		return -1;
	return fchmod(fd, like->st_mode & 07777);
}

/* The rename is on the disk only when its folder is. */
static void sync_folder(const char *path)
{
	PCTL_AUTO(free) char *dir = pctl_path_dirname(path);
	int fd = pctl_file_open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);

	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static int open_beside(const char *target, char **ret_path)
{
	struct rlimit before;

	*ret_path = pctl_xasprintf("%s.XXXXXX", target);
	int fd = mkostemp(*ret_path, O_CLOEXEC);
	if (fd >= 0 || !use_spare(&before))
		return fd;
	free(*ret_path);
	*ret_path = pctl_xasprintf("%s.XXXXXX", target);
	fd = mkostemp(*ret_path, O_CLOEXEC);
	leave_spare(&before);
	return fd;
}

/* One that is gone with us until it gets a name; -1: not in this folder. */
static int open_unnamed(const char *target)
{
	PCTL_AUTO(free) char *dir = pctl_path_dirname(target);

	return pctl_file_open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
}

/* Names it target, or where that is there already something beside it, which *ret_temp is then. */
static int give_name(int fd, const char *target, char **ret_temp)
{
	char self[32];
	unsigned random;

	(void)snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, self, AT_FDCWD, target, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	for (int tries = 0; errno == EEXIST && tries < NAME_TRIES; tries++) {
		if (getrandom(&random, sizeof(random), 0) != sizeof(random))
			return -1;
		free(*ret_temp);
		*ret_temp = pctl_xasprintf("%s.%06x", target, random & 0xFFFFFFu);
		if (linkat(AT_FDCWD, self, AT_FDCWD, *ret_temp, AT_SYMLINK_FOLLOW) == 0)
			return 0;
	}
	free(*ret_temp);
	*ret_temp = NULL;
	return -1;
}

static int fill(const struct file_text *text, int fd)
{
	if (dress(fd, text->mode, text->like) < 0 || pctl_file_write(fd, text->data, text->len) < 0)
		return -1;
	return text->flushed ? fsync(fd) : 0;
}

/* 1: it cannot be done so here. */
static int replace_unnamed(const char *target, const struct file_text *text)
{
	PCTL_AUTO(free) char *temp = NULL;
	int fd = open_unnamed(target);

	if (fd < 0)
		return 1;
	int r = fill(text, fd);
	if (r == 0 && give_name(fd, target, &temp) < 0)
		r = 1;
	int saved = errno;
	(void)close(fd);
	errno = saved;
	if (r || !temp || rename(temp, target) == 0)
		return r;
	saved = errno;
	(void)unlink(temp);
	errno = saved;
	return -1;
}

/* By way of a file beside it, which stays there if we are killed meanwhile. */
static int replace_named(const char *target, const struct file_text *text)
{
	PCTL_AUTO(free) char *temp = NULL;
	int fd = open_beside(target, &temp);

	if (fd < 0)
		return -1;
	int r = fill(text, fd);
	int saved = errno;
	if (close(fd) < 0 && r == 0) {
		r = -1;
		saved = errno;
	}
	if (r == 0 && rename(temp, target) == 0)
		return 0;
	if (r == 0)
		saved = errno;
	(void)unlink(temp);
	errno = saved;
	return -1;
}

static int replace(const char *target, const struct file_text *text, struct pctl_error *err)
{
	int r = replace_unnamed(target, text);

	if (r == 1)
		r = replace_named(target, text);
	if (r == 0)
		return 0;
	return cannot(err, PCTL_E_INTERNAL, target, "cannot write it; nothing was changed");
}

int pctl_file_replace(const char *path, const void *data, size_t len, mode_t mode,
	const struct stat *like, struct pctl_error *err)
{
	PCTL_AUTO(free) char *real = realpath(path, NULL);
	const char *target = real ? real : path;
	int r = replace(target,
		&(struct file_text){
			.data = data, .len = len, .mode = mode, .like = like, .flushed = true },
		err);

	if (r == 0)
		sync_folder(target);
	return r;
}

int pctl_file_put(const char *path, const void *data, size_t len, struct pctl_error *err)
{
	return replace(path, &(struct file_text){ .data = data, .len = len, .mode = 0600 }, err);
}
