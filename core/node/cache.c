/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache: a file for each key, drivers/DRIVER/KEY or drivers/DRIVER/KEY@ENDPOINT below the cache
 * folder.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "base/paths.h"
#include "keep/cache_file.h"
#include "node/core.h"

/* So many files of one driver: then the one that was written first makes room. */
#define FILES_MAX 4096u

/* An endpoint as part of a file's name. */
static char *file_name(const char *endpoint)
{
	struct pctl_buf buf;

	pctl_buf_init(&buf, 4096);
	for (const char *s = endpoint; *s; s++) {
		if (isalnum((unsigned char)*s) || strchr(".:-_[]", *s))
			pctl_buf_add(&buf, s, 1);
		else
			pctl_buf_addf(&buf, "%%%02x", (unsigned char)*s);
	}
	return pctl_buf_steal(&buf);
}

/* endpoint: NULL: of all nodes of the driver. NULL where there is no cache. */
static char *path_of(const char *driver, const char *key, const char *endpoint)
{
	PCTL_AUTO(free) char *end = endpoint ? file_name(endpoint) : NULL;
	PCTL_AUTO(free)
	char *name =
		pctl_xasprintf("drivers/%s/%s%s%s", driver, key, end ? "@" : "", end ? end : "");
	char *path = NULL;

	return pctl_path_cache(name, &path, NULL) < 0 ? NULL : path;
}

static char *path_for(
	const struct pctl_device *device, enum pctl_cache_scope scope, const char *key)
{
	const struct pctl_target *t = device->target;

	return path_of(
		t->loaded->driver->name, key, scope == PCTL_CACHE_DEVICE ? t->endpoint : NULL);
}

static bool get(const char *path, struct pctl_buf *ret)
{
	pctl_buf_cut(ret, 0);
	return path && pctl_cache_read_file(path, ret);
}

bool pctl_cache_get(const struct pctl_device *device, enum pctl_cache_scope scope, const char *key,
	struct pctl_buf *ret)
{
	PCTL_AUTO(free) char *path = path_for(device, scope, key);

	return get(path, ret);
}

bool pctl_selector_cache_get(
	const struct pctl_selector *selector, const char *key, struct pctl_buf *ret)
{
	PCTL_AUTO(free) char *path = path_of(selector->driver->name, key, NULL);

	return get(path, ret);
}

static bool is_older(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec < b->st_mtim.tv_sec ||
	       (a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec < b->st_mtim.tv_nsec);
}

/* Firmware changes, and machines go: what they left goes as well in the end. */
static void make_room(const char *path)
{
	PCTL_AUTO(free) char *folder = pctl_path_dirname(path);
	PCTL_AUTO(free) char *oldest = NULL;
	struct stat st, oldest_st = { 0 };
	DIR *dir = opendir(folder);
	size_t n = 0;

	for (const struct dirent *e; dir && (e = readdir(dir));) {
		if (e->d_name[0] == '.' || fstatat(dirfd(dir), e->d_name, &st, 0) < 0)
			continue;
		n++;
		if (oldest && !is_older(&st, &oldest_st))
			continue;
		free(oldest);
		oldest = pctl_xstrdup(e->d_name);
		oldest_st = st;
	}
	if (n >= FILES_MAX && oldest)
		(void)unlinkat(dirfd(dir), oldest, 0);
	if (dir)
		(void)closedir(dir);
}

static bool has(const char *path, const void *data, size_t len)
{
	struct pctl_buf old;

	pctl_buf_init(&old, PCTL_CACHE_MAX);
	bool same = pctl_cache_read_file(path, &old) && old.len == len &&
		    memcmp(old.data, data, len) == 0;
	pctl_buf_done(&old);
	return same;
}

static void put(const char *path, const void *data, size_t len)
{
	if (!path || len > PCTL_CACHE_MAX)
		return;
	/* A fleet that was read at once comes with the same thing a thousand times. */
	if (has(path, data, len))
		return;
	if (access(path, F_OK) < 0)
		make_room(path);
	(void)pctl_cache_write_file(path, data, len, NULL);
}

void pctl_cache_put(const struct pctl_device *device, enum pctl_cache_scope scope, const char *key,
	const void *data, size_t len)
{
	PCTL_AUTO(free) char *path = path_for(device, scope, key);

	put(path, data, len);
}

void pctl_selector_cache_put(
	const struct pctl_selector *selector, const char *key, const void *data, size_t len)
{
	PCTL_AUTO(free) char *path = path_of(selector->driver->name, key, NULL);

	put(path, data, len);
}
