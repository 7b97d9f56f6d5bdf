/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/mem.h>

#include "command.h"
#include "edit.h"
#include "say.h"

static int remove_one(const char *path, const char *name, void *data, struct pctl_error *err)
{
	(void)data;
	return pctl_inventory_edit_remove(path, name, err);
}

static int exec_rm(struct cli *cli)
{
	return edit_each(cli, cli->args, remove_one, NULL);
}

const struct command command_rm = {
	.name = "rm",
	.usage = "NODES",
	.summary = "remove nodes from the inventory",
	.help = "NODES as they stand in the file, or single nodes with an entry of their own. "
		"Comments and\norder survive. Files of credentials stay.",
	.flags = COMMAND_NODES,
	.exec = exec_rm,
};
