/* SPDX-License-Identifier: Apache-2.0 */
#include "medium.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "say.h"

#define BLOCK      ((size_t)2048)
#define FIRST      ((size_t)16) /* the block where volume descriptors begin */
#define EL_TORITO  ((size_t)17) /* where its record is, if there is one */
#define FLOPPY_MAX ((uint64_t)2949120)

static bool is_at(const uint8_t *head, size_t n, size_t at, const char *text)
{
	return at + strlen(text) <= n && memcmp(head + at, text, strlen(text)) == 0;
}

unsigned medium_look(const uint8_t *head, size_t n)
{
	unsigned found = 0;

	for (size_t at = FIRST * BLOCK; at < n; at += BLOCK) {
		if (is_at(head, n, at + 1, "CD001"))
			found |= MEDIUM_ISO;
		if (is_at(head, n, at + 1, "NSR02") || is_at(head, n, at + 1, "NSR03"))
			found |= MEDIUM_UDF;
	}
	if (is_at(head, n, EL_TORITO * BLOCK + 1, "CD001\1EL TORITO SPECIFICATION"))
		found |= MEDIUM_EL_TORITO;
	if (is_at(head, n, 510, "\x55\xaa"))
		found |= MEDIUM_SECTOR;
	return found;
}

struct looked {
	unsigned found;
	uint64_t size;
};

/* False: it is nothing that could be looked at. Never waits for the other side of a pipe. */
static bool look(const char *path, struct looked *ret)
{
	PCTL_AUTO(free) uint8_t *head = NULL;
	struct stat st;

	if (!path || strstr(path, "://"))
		return false;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return false;
	head = pctl_xcalloc(1, MEDIUM_HEAD);
	ssize_t n =
		fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? pread(fd, head, MEDIUM_HEAD, 0) : 0;
	(void)close(fd);
	if (n <= 0)
		return false;
	*ret = (struct looked){ medium_look(head, (size_t)n), (uint64_t)st.st_size };
	return true;
}

static int check_cd(const struct cli *cli, const char *path, const struct looked *l)
{
	if (cli->options.boot && !(l->found & MEDIUM_EL_TORITO)) {
		say("%s has no boot record of CDs (El Torito): no machine starts from it; without "
		    "--boot it is attached as it is",
			path);
		return CLI_USAGE;
	}
	if (!(l->found & (MEDIUM_ISO | MEDIUM_UDF)) && !cli->options.quiet)
		say("warning: %s is no image of a CD (ISO 9660, UDF)%s", path,
			l->found & MEDIUM_SECTOR ? ", but of a disk" : "");
	return CLI_OK;
}

static void check_floppy(
	const struct cli *cli, const char *path, bool boots, const struct looked *l)
{
	if (cli->options.quiet)
		return;
	if (l->size > FLOPPY_MAX)
		say("warning: %s is larger than the largest floppy, 2.88 MB: not every machine "
		    "reads all of it",
			path);
	if (boots && !(l->found & MEDIUM_SECTOR))
		say("warning: %s begins with no boot sector", path);
}

int medium_check(const struct cli *cli, const char *cd, const char *floppy)
{
	struct looked l;

	if (look(cd, &l) && check_cd(cli, cd, &l) != CLI_OK)
		return CLI_USAGE;
	if (look(floppy, &l))
		check_floppy(cli, floppy, cli->options.boot && !cd, &l);
	return CLI_OK;
}
