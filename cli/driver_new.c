/* SPDX-License-Identifier: Apache-2.0 */
#include "driver_new.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/file.h>
#include <powerctl/mem.h>

#include "command.h"
#include "embedded.h"
#include "say.h"

#ifndef POWERCTL_VERSION
#error "POWERCTL_VERSION is set by the build"
#endif

#define NAME_MAX_LEN 32u
#define FILE_MAX     (64u << 10)

/* --- The name. -------------------------------------------------------------------------------- */

static bool is_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");

	return *name >= 'a' && *name <= 'z' && !name[len] && len <= NAME_MAX_LEN;
}

/* A driver's name is also what `powerctl NAME METHOD` begins with, and what `drivers NAME` asks
 * for. */
static bool check_name(struct cli *cli, const char *name)
{

	if (!is_name(name)) {
		say("'%s' is not a driver's name: small letters and digits, a letter first, at "
		    "most %u",
			name, NAME_MAX_LEN);
		return false;
	}
	if (strcmp(name, "new") == 0 || strcmp(name, "complete") == 0 || command_find(name)) {
		say("'%s' is a word of powerctl's; choose another name", name);
		return false;
	}
	struct pctl_names *names = pctl_names_new();
	pctl_core_driver_names(cli_core(cli), names);
	bool taken = pctl_names_has(names, name);
	pctl_names_free(names);
	if (taken)
		say("there is a driver '%s' already; choose another name", name);
	return !taken;
}

/* --- The files. ------------------------------------------------------------------------------- */

static void replace(struct pctl_buf *buf, const char *text, const char *name)
{
	static const char mark[] = "@NAME@", version[] = "@VERSION@";

	while (*text) {
		size_t len = strcspn(text, "@");

		pctl_buf_add(buf, text, len);
		text += len;
		if (strncmp(text, mark, strlen(mark)) == 0) {
			pctl_buf_adds(buf, name);
			text += strlen(mark);
		} else if (strncmp(text, version, strlen(version)) == 0) {
			pctl_buf_adds(buf, POWERCTL_VERSION);
			text += strlen(version);
		} else if (*text) {
			pctl_buf_add(buf, text++, 1);
		}
	}
}

/* driver.c takes the driver's name. */
static char *path_of(const char *folder, const char *name, const struct embedded_file *file)
{
	if (strcmp(file->name, "driver.c") == 0)
		return pctl_xasprintf("%s/%s.c", folder, name);
	return pctl_xasprintf("%s/%s", folder, file->name);
}

/* All of them, before any is written. */
static bool check_files(const char *folder, const char *name)
{
	bool good = true;

	for (const struct embedded_file *f = embedded_files; f->name; f++) {
		PCTL_AUTO(free) char *path = path_of(folder, name, f);
		struct stat st;

		if (lstat(path, &st) < 0)
			continue;
		say("%s is there already; it is not touched", path);
		good = false;
	}
	return good;
}

static bool write_file(const char *path, const char *text, const char *name)
{
	bool program = strncmp(text, "#!", 2) == 0;
	struct pctl_buf buf;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, program ? 0777 : 0666);

	pctl_buf_init(&buf, FILE_MAX);
	replace(&buf, text, name);
	bool good = fd >= 0 && pctl_file_write(fd, buf.data, buf.len) == 0;
	if (fd >= 0 && close(fd) < 0)
		good = false;
	if (!good)
		say("%s cannot be written: %s", path, strerror(errno));
	pctl_buf_done(&buf);
	return good;
}

int driver_new(struct cli *cli, const char *name)
{
	const char *above = cli->options.dir ? cli->options.dir : ".";
	PCTL_AUTO(free) char *folder = pctl_xasprintf("%s/%s", above, name);
	const char *shown = cli->options.dir ? folder : name;

	if (!check_name(cli, name) || !check_files(folder, name))
		return CLI_USAGE;
	if (mkdir(folder, 0777) < 0 && errno != EEXIST) {
		say("%s cannot be made: %s", folder, strerror(errno));
		return CLI_USAGE;
	}
	for (const struct embedded_file *f = embedded_files; f->name; f++) {
		PCTL_AUTO(free) char *path = path_of(folder, name, f);

		if (!write_file(path, f->text, name))
			return CLI_USAGE;
	}
	(void)printf("%s: a driver that works, on a pretended machine\n"
		     "next: cd %s && make && make check; README.md goes on\n",
		shown, shown);
	return CLI_OK;
}
