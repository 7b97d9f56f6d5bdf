/* SPDX-License-Identifier: Apache-2.0 */
/* Where pictures of screens go. */
#ifndef POWERCTL_CLI_KVM_FILES_H
#define POWERCTL_CLI_KVM_FILES_H

#include "cli.h"

/*
 * An enum cli_status: whether pictures of count nodes can be written to path, and whether it is a
 * folder. make: one that path names and that is not there is made. What is wrong is said before
 * anything is sent.
 */
int kvm_files_check(const char *path, size_t count, bool make, bool *ret_folder);
/* A node's file at path. free() it. */
char *kvm_files_path(const struct cli *cli, size_t node, const char *path, bool folder);
/*
 * An enum cli_status: whether path is one that no other node of this command has; names, which has
 * those of the others, gets it. What stands for two URLs may be the same, and what is wrong is
 * said.
 */
int kvm_files_add(struct pctl_names *names, const struct cli *cli, size_t node, const char *path);
/* The mode that new files get. */
mode_t kvm_files_mode(void);

#endif
