/* SPDX-License-Identifier: Apache-2.0 */
/* What a search found, on its way to the screen and into the inventory. */
#ifndef POWERCTL_CLI_DISCOVERED_H
#define POWERCTL_CLI_DISCOVERED_H

#include <powerctl/discover.h>

#include "cli.h"

struct discovered_row {
	char *address, *driver;
	char *host; /* as it was asked for, else what DNS calls it; NULL: nobody calls it anything
		     */
	unsigned rank;
	struct pctl_value *tree;
	size_t number; /* in the order of finding */
};

struct discovered {
	struct cli *cli;
	struct discovered_row *rows;
	size_t n, cap;
	struct pctl_value *settings; /* drivers to maps of what --set says; or NULL */
	char *path;                  /* of the inventory, for --add */
};

void discovered_init(struct discovered *d, struct cli *cli);
void discovered_done(struct discovered *d);

/* What --set, --name and --add say, before anything is sent. PCTL_E_CONFIG if that is wrong. */
int discovered_prepare(struct discovered *d, struct pctl_error *err);
void discovered_add(struct discovered *d, const struct pctl_found *found);
/* By address, and at each the best choice first. */
void discovered_sort(struct discovered *d);
/* One line for each; empty where there is none. */
void discovered_table(const struct discovered *d, struct pctl_buf *out);
/* Writes those into the inventory that it does not have, and says which. An enum cli_status. */
int discovered_write(struct discovered *d);

#endif
