/* SPDX-License-Identifier: Apache-2.0 */
#include "face.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "prompt.h"

static const struct face *const faces[] = { &face_amtctrl, &face_ipmipower, &face_powerman };

const struct face *face_find(const char *argv0)
{
	static const char prefix[] = "powerctl-";
	const char *slash = argv0 ? strrchr(argv0, '/') : NULL;
	const char *name = slash ? slash + 1 : argv0;

	if (!name)
		return NULL;
	if (strncmp(name, prefix, sizeof(prefix) - 1) == 0)
		name += sizeof(prefix) - 1;
	for (size_t i = 0; i < sizeof(faces) / sizeof(faces[0]); i++)
		if (strcmp(faces[i]->name, name) == 0)
			return faces[i];
	return NULL;
}

int face_main(const struct face *face, struct cli *cli, int argc, char **argv)
{
	cli->command = face->command;
	return face->main(cli, argc, argv);
}

int face_inventory(struct cli *cli)
{
	return cli_inventory(cli, false);
}

/* Byte by byte: what comes behind the line is for somebody else. */
static int read_password(struct pctl_secret **ret, struct pctl_error *err)
{
	char line[PCTL_SECRET_MAX + 1];
	size_t len = 0;
	ssize_t n = 0;

	while (len < sizeof(line) && (n = read(STDIN_FILENO, line + len, 1)) != 0) {
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0 && line[len] == '\n')
			break;
		len += n > 0;
	}
	bool good = n >= 0 && len <= PCTL_SECRET_MAX && (n > 0 || len > 0);
	if (good && len > 0 && line[len - 1] == '\r')
		len--;
	*ret = good ? pctl_secret_new(line, len) : NULL;
	explicit_bzero(line, sizeof(line));
	return *ret ? 0
		    : pctl_error_set(err, PCTL_E_CONFIG,
			      "there is no terminal to ask for the password on, and none on "
			      "standard input");
}

int face_password(
	const char *question, bool stdin_first, struct pctl_secret **ret, struct pctl_error *err)
{
	int tty = stdin_first && !cli_is_terminal(STDIN_FILENO)
			  ? -1
			  : open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (tty < 0)
		return read_password(ret, err);
	(void)close(tty);
	return prompt_secret(question, ret, err);
}
