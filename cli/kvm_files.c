/* SPDX-License-Identifier: Apache-2.0 */
#include "kvm_files.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "say.h"

static int make_folder(const char *path)
{
	struct stat st;

	if (mkdir(path, 0777) == 0)
		return CLI_OK;
	if (errno == EEXIST && (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)))
		errno = ENOTDIR;
	say("--screenshot: no folder %s can be made: %s", path, strerror(errno));
	return CLI_USAGE;
}

/* The one that a file is to be made in. */
static int check_folder(const char *path, bool is_folder)
{
	PCTL_AUTO(free) char *folder = pctl_xstrdup(path);
	char *slash = strrchr(folder, '/');
	const char *where = is_folder ? folder : slash == folder ? "/" : slash ? folder : ".";

	if (!is_folder && slash && slash != folder)
		*slash = '\0';
	if (access(where, W_OK | X_OK) == 0)
		return CLI_OK;
	say("--screenshot: no file can be made in %s: %s", where, strerror(errno));
	return CLI_USAGE;
}

/* "-" is standard output to many, and has the results here. */
static bool is_for_pictures(const char *path)
{
	static const char *const others[] = { "jpg", "jpeg", "gif", "bmp", "webp", "tif", "tiff",
		"ppm", "avif", "jxl", NULL };
	const char *dot = strrchr(path, '.');

	if (strcmp(path, "-") == 0) {
		say("--screenshot: a picture goes to a file, not to standard output: --screenshot "
		    "FILE.png");
		return false;
	}
	for (size_t i = 0; dot && others[i]; i++) {
		if (strcasecmp(dot + 1, others[i]) != 0)
			continue;
		say("--screenshot: pictures are PNG, and %s would not be what its name says: "
		    "--screenshot FILE.png",
			path);
		return false;
	}
	return true;
}

int kvm_files_check(const char *path, size_t count, bool make, bool *ret_folder)
{
	size_t len = strlen(path);
	struct stat st;
	bool there = stat(path, &st) == 0;

	if (!len) {
		say("--screenshot: names no file; write --screenshot FILE.png, or a folder");
		return CLI_USAGE;
	}
	if (!is_for_pictures(path))
		return CLI_USAGE;
	bool folder = path[len - 1] == '/' || (there && S_ISDIR(st.st_mode));
	if (!folder && count > 1) {
		say("--screenshot: pictures of several nodes go to a folder: --screenshot %s/",
			path);
		return CLI_USAGE;
	}
	if (there && !S_ISDIR(st.st_mode) && (folder || !S_ISREG(st.st_mode))) {
		say("--screenshot: %s is neither a file nor a folder", path);
		return CLI_USAGE;
	}
	int status = CLI_OK;
	if (!folder || there)
		status = check_folder(path, folder);
	else if (make)
		status = make_folder(path);
	if (status == CLI_OK)
		*ret_folder = folder;
	return status;
}

/* What stands for a node in a file's name: of a URL not all. */
static char *file_name(const struct cli *cli, size_t node)
{
	char *name = pctl_xasprintf("%s.png", pctl_inventory_name(cli->inventory, node));

	for (char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			*p = '_';
	return name;
}

char *kvm_files_path(const struct cli *cli, size_t node, const char *path, bool folder)
{
	PCTL_AUTO(free) char *name = file_name(cli, node);
	const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";

	return folder ? pctl_xasprintf("%s%s%s", path, slash, name) : pctl_xstrdup(path);
}

int kvm_files_add(struct pctl_names *names, const struct cli *cli, size_t node, const char *path)
{
	if (pctl_names_add(names, path))
		return CLI_OK;
	say("--screenshot: %s would be the picture of %s and of another node; take them one by one",
		path, pctl_inventory_name(cli->inventory, node));
	return CLI_USAGE;
}

mode_t kvm_files_mode(void)
{
	mode_t mask = umask(0);

	(void)umask(mask);
	return 0666 & ~mask;
}
