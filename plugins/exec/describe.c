/* SPDX-License-Identifier: Apache-2.0 */
/* A program's file, and what it says of itself: asked once for each version of the file. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/program.h>

#include "answer.h"

/* --- The file. -------------------------------------------------------------------------------- */

/* In a folder that others may write to they may put another file in its place, unless it is sticky.
 */
static int check_folder(const char *path, struct pctl_error *err)
{
	const char *slash = strrchr(path, '/');
	PCTL_AUTO(free)
	char *folder = pctl_xstrndup(path, slash > path ? (size_t)(slash - path) : 1);
	struct stat st;

	if (stat(folder, &st) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: %s", folder, strerror(errno));
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"its folder is writable by others, and it is not run; mend it with: chmod "
			"o-w %s",
			folder);
	return 0;
}

int exec_check_file(const char *path, uid_t owner, struct stat *ret_st, struct pctl_error *err)
{
	struct stat st;

	if (*path != '/')
		return pctl_error_set(
			err, PCTL_E_CONFIG, "there is no such file here; write its path in full");
	if (stat(path, &st) < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s",
			errno == ENOENT ? "there is no such file" : strerror(errno));
	if (!S_ISREG(st.st_mode))
		return pctl_error_set(err, PCTL_E_CONFIG, "it is no file");
	if (st.st_mode & S_IWOTH)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"it is writable by others and is not run; mend it with: chmod o-w %s",
			path);
	if (st.st_uid != 0 && st.st_uid != geteuid() && st.st_uid != owner)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"it belongs to user %u, not to root, to you or to the owner of the "
			"inventory, and is not run",
			(unsigned)st.st_uid);
	if (access(path, X_OK) < 0)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "it may not be run; mend it with: chmod +x %s", path);
	int r = check_folder(path, err);
	if (r == 0)
		*ret_st = st;
	return r;
}

static uid_t owner_of(const char *file)
{
	struct stat st;

	return file && stat(file, &st) == 0 ? st.st_uid : 0;
}

/* --- What is kept of it. ---------------------------------------------------------------------- */

/* FNV-1a: only names a file of the cache; what is in it is compared. */
static char *key_of(const char *path)
{
	uint64_t hash = 14695981039346656037u;

	for (; *path; path++)
		hash = (hash ^ (unsigned char)*path) * 1099511628211u;
	return pctl_xasprintf("describe-%016" PRIx64, hash);
}

/* The first line of what is kept: which version of which file said the second. */
static char *version_of(const char *path, const struct stat *st)
{
	return pctl_xasprintf("%d %ju %ju %jd %jd.%09ld %jd.%09ld %s\n", EXEC_VERSION,
		(uintmax_t)st->st_dev, (uintmax_t)st->st_ino, (intmax_t)st->st_size,
		(intmax_t)st->st_mtim.tv_sec, st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec,
		st->st_ctim.tv_nsec, path);
}

static struct exec_description *read_description(
	const char *text, size_t len, const char *path, struct pctl_error *err)
{
	struct exec_description *d = NULL;
	json_t *answer = answer_read(text, len, path, err);
	bool unsent = false;

	if (answer && answer_verdict(answer, path, &unsent, err) == 0)
		d = answer_description(answer, path, err);
	json_decref(answer);
	return d;
}

static struct exec_description *recall(
	const struct pctl_selector *selector, const char *key, const char *version)
{
	struct exec_description *d = NULL;
	size_t len = strlen(version);
	struct pctl_error err;
	struct pctl_buf buf;

	pctl_buf_init(&buf, EXEC_DESCRIBE_MAX + 8192);
	if (pctl_selector_cache_get(selector, key, &buf) && buf.len > len &&
		memcmp(buf.data, version, len) == 0)
		d = read_description(
			buf.data + len, buf.len - len, pctl_selector_value(selector), &err);
	pctl_buf_done(&buf);
	return d;
}

/* --- Asking. ---------------------------------------------------------------------------------- */

struct asking {
	const char *path;
	struct pctl_buf out;
	struct exec_description *d;
	struct pctl_error err;
};

static void on_described(void *data, const struct pctl_program_result *result)
{
	struct asking *a = data;

	a->err = result->err;
	if (result->end != PCTL_PROGRAM_EXITED)
		return;
	pctl_buf_add(&a->out, result->out, result->out_len);
	a->d = result->status == 0
		       ? read_description(result->out, result->out_len, a->path, &a->err)
		       : NULL;
}

static struct exec_description *ask(const struct pctl_selector *selector, const char *key,
	const char *version, struct pctl_error *err)
{
	static const char request[] = "{\"v\":1,\"op\":\"describe\"}\n";
	struct asking a = { .path = pctl_selector_value(selector) };
	const char *argv[] = { a.path, NULL };
	const struct pctl_program_options options = { .size = sizeof(options),
		.argv = argv,
		.input = request,
		.input_len = sizeof(request) - 1,
		.timeout_ms = EXEC_DESCRIBE_MS,
		.out_max = EXEC_DESCRIBE_MAX };

	pctl_buf_init(&a.out, EXEC_DESCRIBE_MAX + 8192);
	pctl_buf_adds(&a.out, version);
	pctl_program_wait(&options, on_described, &a);
	if (a.d && !strchr(a.path, '\n'))
		pctl_selector_cache_put(selector, key, a.out.data, a.out.len);
	pctl_buf_done(&a.out);
	if (!a.d)
		*err = a.err;
	return a.d;
}

int exec_describe(
	const struct pctl_selector *selector, struct pctl_description **ret, struct pctl_error *err)
{
	const char *path = pctl_selector_value(selector);
	uid_t owner = owner_of(pctl_selector_file(selector));
	struct stat st = { 0 };
	int r = exec_check_file(path, owner, &st, err);

	if (r < 0)
		return r;
	PCTL_AUTO(free) char *key = key_of(path);
	PCTL_AUTO(free) char *version = version_of(path, &st);
	struct exec_description *d = recall(selector, key, version);
	if (!d)
		d = ask(selector, key, version, err);
	if (!d)
		return PCTL_E_CONFIG;
	d->path = pctl_xstrdup(path);
	d->owner = owner;
	*ret = &d->description;
	return 0;
}

void exec_undescribe(struct pctl_description *description)
{
	exec_free_description(pctl_container_of(description, struct exec_description, description));
}
