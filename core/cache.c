/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cache: a file for each key, drivers/DRIVER/KEY or drivers/DRIVER/KEY@ENDPOINT below the cache
 * folder. A file begins with a line that has the SHA-256 of all that follows.
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <powerctl/buf.h>
#include <powerctl/mem.h>

#include "cache.h"
#include "core.h"
#include "file.h"
#include "paths.h"

#define MAGIC  "powerctl cache 1 "
#define DIGEST 32u
/* "powerctl cache 1 ", the digest in hex, a line break. */
#define HEAD (sizeof(MAGIC) - 1 + (size_t)2 * DIGEST + 1)
/* So many files of one driver: then the one that was written first makes room. */
#define FILES_MAX 4096u

static void write_head(char head[HEAD + 1], const void *data, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	size_t at = sizeof(MAGIC) - 1;

	memcpy(head, MAGIC, at);
	(void)EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < DIGEST; i++, at += 2)
		(void)snprintf(head + at, 3, "%02x", digest[i]);
	memcpy(head + at, "\n", sizeof("\n"));
}

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

/* NULL where there is no cache. */
static char *path_of(const struct pctl_device *device, enum pctl_cache_scope scope, const char *key)
{
	PCTL_AUTO(free) char *endpoint = file_name(device->target->key);
	PCTL_AUTO(free)
	char *name = pctl_xasprintf("drivers/%s/%s%s%s", device->target->loaded->driver->name, key,
		scope == PCTL_CACHE_DEVICE ? "@" : "", scope == PCTL_CACHE_DEVICE ? endpoint : "");
	char *path = NULL;

	return pctl_path_cache(name, &path, NULL) < 0 ? NULL : path;
}

bool pctl_cache_read_file(const char *path, struct pctl_buf *ret)
{
	char head[HEAD + 1];
	struct pctl_buf file;

	pctl_buf_cut(ret, 0);
	pctl_buf_init(&file, ret->max < SIZE_MAX - HEAD ? HEAD + ret->max : SIZE_MAX);
	bool good = pctl_file_read(path, &file, NULL, NULL) == 0 && file.len >= HEAD;
	if (good) {
		write_head(head, file.data + HEAD, file.len - HEAD);
		good = memcmp(head, file.data, HEAD) == 0;
	}
	if (good)
		pctl_buf_add(ret, file.data + HEAD, file.len - HEAD);
	pctl_buf_done(&file);
	return good;
}

/* buf is to be done. */
static void make_file(struct pctl_buf *buf, const void *data, size_t len)
{
	char head[HEAD + 1];

	pctl_buf_init(buf, HEAD + len);
	write_head(head, data, len);
	pctl_buf_add(buf, head, HEAD);
	pctl_buf_add(buf, data, len);
}

int pctl_cache_write_file(const char *path, const void *data, size_t len, struct pctl_error *err)
{
	struct pctl_buf file;

	make_file(&file, data, len);
	int r = pctl_file_put(path, file.data, file.len, err);
	pctl_buf_done(&file);
	return r;
}

bool pctl_cache_get(const struct pctl_device *device, enum pctl_cache_scope scope, const char *key,
	struct pctl_buf *ret)
{
	PCTL_AUTO(free) char *path = path_of(device, scope, key);

	pctl_buf_cut(ret, 0);
	return path && pctl_cache_read_file(path, ret);
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

static bool has(const char *path, const struct pctl_buf *file)
{
	struct pctl_buf old;

	pctl_buf_init(&old, HEAD + PCTL_CACHE_MAX);
	bool same = pctl_file_read(path, &old, NULL, NULL) == 0 && old.len == file->len &&
		    memcmp(old.data, file->data, file->len) == 0;
	pctl_buf_done(&old);
	return same;
}

void pctl_cache_put(const struct pctl_device *device, enum pctl_cache_scope scope, const char *key,
	const void *data, size_t len)
{
	PCTL_AUTO(free) char *path = path_of(device, scope, key);
	struct pctl_buf file;

	if (!path || len > PCTL_CACHE_MAX)
		return;
	make_file(&file, data, len);
	/* A fleet that was read at once comes with the same thing a thousand times. */
	if (!has(path, &file)) {
		if (access(path, F_OK) < 0)
			make_room(path);
		(void)pctl_file_put(path, file.data, file.len, NULL);
	}
	pctl_buf_done(&file);
}
