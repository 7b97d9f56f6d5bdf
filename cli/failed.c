/* SPDX-License-Identifier: Apache-2.0 */
#include "failed.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/powerctl.h>

/* NULL: there is none, or none that can be read; whoever might write to a pipe is not waited for.
 */
static FILE *open_regular(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return NULL;
	FILE *file = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? fdopen(fd, "r") : NULL;
	if (!file) {
		(void)close(fd);
		errno = EINVAL;
	}
	return file;
}

int failed_load(struct pctl_names *out, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;
	PCTL_AUTO(free) char *line = NULL;
	size_t size = 0;

	int r = pctl_path_state("failed", &path, err);
	if (r < 0)
		return r;
	FILE *file = open_regular(path);
	if (!file && errno == ENOENT)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"@failed: there was no command yet that could have failed, or the last one "
			"did not get to its end");
	if (!file)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"@failed: the last command's failures cannot be read: %s", path);
	while (getline(&line, &size, file) > 0) {
		line[strcspn(line, "\n")] = '\0';
		if (*line)
			(void)pctl_names_add(out, line);
	}
	(void)fclose(file);
	return 0;
}

static int write_names(const char *path, const struct pctl_names *names)
{
	FILE *file = fopen(path, "we");

	if (!file)
		return -1;
	for (size_t i = 0; i < pctl_names_count(names); i++)
		(void)fprintf(file, "%s\n", pctl_names_at(names, i));
	int bad = ferror(file);
	return fclose(file) || bad ? -1 : 0;
}

int failed_forget(struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;

	int r = pctl_path_state("failed", &path, err);
	if (r < 0)
		return r;
	if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"@failed: %s cannot be removed (%s): it names nodes of an earlier command",
			path, strerror(errno));
	return 0;
}

int failed_save(const struct pctl_names *names, struct pctl_error *err)
{
	PCTL_AUTO(free) char *path = NULL;

	int r = pctl_path_state("failed", &path, err);
	if (r < 0)
		return r;
	PCTL_AUTO(free) char *fresh = pctl_xasprintf("%s.%ld", path, (long)getpid());
	if (write_names(fresh, names) == 0 && rename(fresh, path) == 0)
		return 0;
	pctl_error_set(
		err, PCTL_E_CONFIG, "@failed: %s cannot be written (%s)", path, strerror(errno));
	(void)unlink(fresh);
	return PCTL_E_CONFIG;
}
