/* SPDX-License-Identifier: Apache-2.0 */
#include "face.h"

#include <string.h>

static const struct face *const faces[] = { &face_powerman };

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
