/* SPDX-License-Identifier: Apache-2.0 */
#include "keep/places.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "base/file.h"
#include "base/paths.h"
#include "keep/lock.h"

/* The file, in numbers of eight bytes. */
enum {
	AT_LAST,    /* the latest start; its lock: of whoever reads and writes it */
	AT_WAITING, /* shared lock: of who waits */
	AT_PLACES,
};

struct pctl_places {
	char *group;
	int fd; /* -1: not opened yet */
};

struct pctl_places *pctl_places_new(const char *group)
{
	struct pctl_places *places = pctl_xcalloc(1, sizeof(*places));

	places->group = pctl_xstrdup(group);
	places->fd = -1;
	return places;
}

void pctl_places_free(struct pctl_places *places)
{
	if (!places)
		return;
	if (places->fd >= 0)
		(void)close(places->fd);
	free(places->group);
	free(places);
}

uint64_t pctl_places_clock(void)
{
	struct timespec t = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int pctl_places_open(struct pctl_places *places, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;

	if (places->fd >= 0)
		return 0;
	PCTL_AUTO(free)
	char *name = pctl_xasprintf("limits/%016" PRIx64, pctl_lock_hash(places->group));
	int r = pctl_path_runtime(name, &path, err);
	if (r < 0)
		return r;
	places->fd = pctl_file_open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (places->fd < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL,
			"%s cannot be opened: %s; it keeps the limits of group '%s' between "
			"commands",
			path, strerror(errno), places->group);
	return 0;
}

static bool lock(const struct pctl_places *places, size_t at, short type)
{
	struct flock range = { .l_type = type,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(at * sizeof(uint64_t)),
		.l_len = sizeof(uint64_t) };

	return fcntl(places->fd, F_SETLK, &range) == 0;
}

/* Who would keep this process from locking n numbers for itself alone; 0: nobody. */
static pid_t locker(const struct pctl_places *places, size_t at, size_t n)
{
	struct flock range = { .l_type = F_WRLCK,
		.l_whence = SEEK_SET,
		.l_start = (off_t)(at * sizeof(uint64_t)),
		.l_len = (off_t)(n * sizeof(uint64_t)) };

	return fcntl(places->fd, F_GETLK, &range) == 0 && range.l_type != F_UNLCK ? range.l_pid : 0;
}

static uint64_t read_at(const struct pctl_places *places, size_t at)
{
	uint64_t value = 0;
	ssize_t n = pread(places->fd, &value, sizeof(value), (off_t)(at * sizeof(value)));

	return n == sizeof(value) ? value : 0;
}

/* On a full disk others do not see the time: the locks hold all the same. */
static void write_at(const struct pctl_places *places, size_t at, uint64_t value)
{
	ssize_t n = pwrite(places->fd, &value, sizeof(value), (off_t)(at * sizeof(value)));

	(void)n;
}

bool pctl_places_take(
	struct pctl_places *places, size_t i, uint64_t now, uint64_t keep_max, uint64_t *ret_until)
{
	*ret_until = 0;
	if (!lock(places, AT_PLACES + i, F_WRLCK))
		return false;
	uint64_t until = read_at(places, AT_PLACES + i);
	if (until <= now || until > now + keep_max)
		return true;
	(void)lock(places, AT_PLACES + i, F_UNLCK);
	*ret_until = until;
	return false;
}

void pctl_places_give(struct pctl_places *places, size_t i, uint64_t keep_until)
{
	if (keep_until > pctl_places_clock())
		write_at(places, AT_PLACES + i, keep_until);
	(void)lock(places, AT_PLACES + i, F_UNLCK);
}

bool pctl_places_holder(struct pctl_places *places, size_t n, char *holder, size_t size)
{
	pid_t pid = locker(places, AT_PLACES, n);

	if (pid)
		pctl_lock_holder(pid, holder, size);
	return pid != 0;
}

void pctl_places_wait(struct pctl_places *places, bool waits)
{
	(void)lock(places, AT_WAITING, waits ? F_RDLCK : F_UNLCK);
}

bool pctl_places_others_wait(struct pctl_places *places)
{
	return locker(places, AT_WAITING, 1) != 0;
}

uint64_t pctl_places_last(struct pctl_places *places, uint64_t now)
{
	uint64_t last = read_at(places, AT_LAST);

	return last <= now ? last : 0;
}

void pctl_places_set_last(struct pctl_places *places, uint64_t now)
{
	write_at(places, AT_LAST, now);
}

bool pctl_places_lock(struct pctl_places *places)
{
	return lock(places, AT_LAST, F_WRLCK);
}

void pctl_places_unlock(struct pctl_places *places)
{
	(void)lock(places, AT_LAST, F_UNLCK);
}
