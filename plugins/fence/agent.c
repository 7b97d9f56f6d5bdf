/* SPDX-License-Identifier: Apache-2.0 */
/* Where an agent is, whether it may be run, and what it says of itself. */
#include "agent.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#define FOLDER      "/usr/sbin"
#define PREFIX      "fence_"
#define ASK_MS      10000u
#define STAMP_MAX   1024u
#define AGENTS_MAX  400u
#define NAME_LENGTH 100u /* of an agent, at most */

/* --- Finding it. ------------------------------------------------------------------------------ */

/* fence_[a-z0-9_]+ */
static bool is_name(const char *s)
{
	size_t len = strlen(s);

	return strncmp(s, PREFIX, strlen(PREFIX)) == 0 && len > strlen(PREFIX) &&
	       len <= NAME_LENGTH && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == len;
}

void fence_values(void (*add)(void *data, const char *value), void *data)
{
	DIR *dir = opendir(FOLDER);
	size_t n = 0;

	for (const struct dirent *e; dir && n < AGENTS_MAX && (e = readdir(dir));)
		if (is_name(e->d_name)) {
			add(data, e->d_name);
			n++;
		}
	if (dir)
		(void)closedir(dir);
}

struct agents {
	char *names[AGENTS_MAX + 1];
	size_t n;
};

static void keep_name(void *data, const char *name)
{
	struct agents *all = data;

	all->names[all->n++] = pctl_xstrdup(name);
}

/* The one of those that are there that was probably meant; free() it. */
static char *nearest(const char *name, bool *ret_any)
{
	struct agents all = { .n = 0 };

	fence_values(keep_name, &all);
	const char *near = pctl_parse_nearest(name, (const char *const *)all.names);
	char *copy = near ? pctl_xstrdup(near) : NULL;
	for (size_t i = 0; i < all.n; i++)
		free(all.names[i]);
	*ret_any = all.n > 0;
	return copy;
}

static int not_there(const char *path, struct pctl_error *err)
{
	const char *slash = strrchr(path, '/');
	bool any = false;
	PCTL_AUTO(free) char *near = nearest(slash + 1, &any);

	if (near && strcmp(near, slash + 1) != 0)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "%s does not exist; did you mean '%s'?", path, near);
	return pctl_error_set(err, PCTL_E_CONFIG, "%s does not exist%s", path,
		any ? "; `ls " FOLDER "/" PREFIX "*` lists the agents that are there"
		    : "; Debian's agents are in the package fence-agents");
}

/* Who may write it decides what this program does with the passwords it is given. */
static int check_owner(const char *path, const struct stat *st, struct pctl_error *err)
{
	if (st->st_mode & S_IWOTH)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s is writable by others and is not run; mend it with: chmod o-w %s", path,
			path);
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s belongs to user %u, not to root or to you; it is not run", path,
			(unsigned)st->st_uid);
	return 0;
}

static int check_program(const char *path, struct stat *ret, struct pctl_error *err)
{
	const char *slash = strrchr(path, '/');
	PCTL_AUTO(free) char *folder = pctl_xstrndup(path, (size_t)(slash - path) + 1);
	struct stat in;

	if (stat(path, ret) < 0 || stat(folder, &in) < 0)
		return errno == ENOENT ? not_there(path, err)
				       : pctl_error_set(err, PCTL_E_CONFIG, "%s: %s", path,
						 strerror(errno));
	if (!S_ISREG(ret->st_mode) || access(path, X_OK) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s is no program", path);
	int r = check_owner(path, ret, err);
	/* In a folder like /tmp nobody can put another file in the place of one's own. */
	if (r == 0 && !(in.st_mode & S_ISVTX))
		r = check_owner(folder, &in, err);
	return r;
}

static int no_name(const char *value, struct pctl_error *err)
{
	PCTL_AUTO(free) char *full = pctl_xasprintf(FOLDER "/" PREFIX "%s", value);
	bool is_there = is_name(strrchr(full, '/') + 1) && access(full, X_OK) == 0;

	return pctl_error_set(err, PCTL_E_CONFIG,
		"an agent is a name like fence_apc, which is looked for in " FOLDER
		", or an absolute path%s%.100s%s",
		is_there ? "; did you mean '" PREFIX : "", is_there ? value : "",
		is_there ? "'?" : "");
}

/* free() *ret. */
static int find(const char *value, char **ret, struct stat *ret_st, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;

	if (*value == '/')
		path = pctl_xstrdup(value);
	else if (is_name(value))
		path = pctl_xasprintf(FOLDER "/%s", value);
	else
		return no_name(value, err);
	int r = check_program(path, ret_st, err);
	if (r < 0)
		return r;
	*ret = path;
	path = NULL;
	return 0;
}

/* --- What it says of itself. ------------------------------------------------------------------ */

/* Which version of which file: the line before the metadata in the cache. */
static char *make_stamp(const char *path, const struct stat *st)
{
	return pctl_xasprintf("%s %ju:%ju %jd %jd.%09ld\n", path, (uintmax_t)st->st_dev,
		(uintmax_t)st->st_ino, (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec,
		st->st_mtim.tv_nsec);
}

/* [a-z0-9-]+: a name, or where it is not in the usual folder, a number that stands for its path. */
static char *make_key(const char *path)
{
	uint64_t h = 14695981039346656037u;

	if (strncmp(path, FOLDER "/", strlen(FOLDER "/")) != 0 ||
		!is_name(path + strlen(FOLDER "/"))) {
		for (const char *c = path; *c; c++)
			h = (h ^ (unsigned char)*c) * 1099511628211u;
		return pctl_xasprintf("agent-at-%016llx", (unsigned long long)h);
	}
	char *key = pctl_xasprintf("agent-%s", path + strlen(FOLDER "/"));
	for (char *c = key; *c; c++)
		if (*c == '_')
			*c = '-';
	return key;
}

static struct fence_metadata *read_cache(
	const struct pctl_selector *selector, const char *key, const char *stamp)
{
	struct fence_metadata *metadata = NULL;
	size_t len = strlen(stamp);
	struct pctl_buf kept;

	pctl_buf_init(&kept, FENCE_METADATA_BYTES + STAMP_MAX);
	if (pctl_selector_cache_get(selector, key, &kept) && kept.len > len &&
		memcmp(kept.data, stamp, len) == 0)
		(void)fence_metadata_parse(kept.data + len, kept.len - len, &metadata, NULL);
	pctl_buf_done(&kept);
	return metadata;
}

struct asking {
	const char *path;
	struct pctl_buf printed;
	struct fence_metadata *metadata;
	struct pctl_error err;
};

static void on_told(void *data, const struct pctl_program_result *result)
{
	struct asking *a = data;

	if (result->err.code) {
		(void)pctl_error_set(
			&a->err, PCTL_E_CONFIG, "`%s -o metadata`: %s", a->path, result->err.text);
		return;
	}
	struct pctl_error err = { 0 };
	if (fence_metadata_parse(result->out, result->out_len, &a->metadata, &err) < 0)
		(void)pctl_error_set(&a->err, PCTL_E_CONFIG,
			"`%s -o metadata` prints no metadata: %s", a->path, err.text);
	else
		pctl_buf_add(&a->printed, result->out, result->out_len);
}

static int ask(const struct pctl_selector *selector, const char *path, const char *key,
	const char *stamp, struct fence_metadata **ret, struct pctl_error *err)
{
	const char *const argv[] = { path, "-o", "metadata", NULL };
	const struct pctl_program_options options = { .size = sizeof(options),
		.argv = argv,
		.timeout_ms = ASK_MS,
		.out_max = FENCE_METADATA_BYTES };
	struct asking a = { .path = path };

	pctl_buf_init(&a.printed, FENCE_METADATA_BYTES + STAMP_MAX);
	pctl_buf_adds(&a.printed, stamp);
	pctl_program_wait(&options, on_told, &a);
	if (a.metadata)
		pctl_selector_cache_put(selector, key, a.printed.data, a.printed.len);
	pctl_buf_done(&a.printed);
	if (!a.metadata)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s", a.err.text);
	*ret = a.metadata;
	return 0;
}

int fence_describe(
	const struct pctl_selector *selector, struct pctl_description **ret, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;
	struct stat st = { 0 };
	int r = find(pctl_selector_value(selector), &path, &st, err);

	if (r < 0 || !path)
		return r;
	PCTL_AUTO(free) char *stamp = make_stamp(path, &st);
	PCTL_AUTO(free) char *key = make_key(path);
	struct fence_metadata *metadata = read_cache(selector, key, stamp);
	if (!metadata)
		r = ask(selector, path, key, stamp, &metadata, err);
	if (r < 0)
		return r;
	*ret = &fence_agent_new(path, metadata)->description;
	return 0;
}

void fence_undescribe(struct pctl_description *description)
{
	fence_agent_free(pctl_container_of(description, struct fence_agent, description));
}
