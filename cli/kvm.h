/* SPDX-License-Identifier: Apache-2.0 */
/* What can be done with a machine's screen: hand it to a viewer, or take a picture of it. */
#ifndef POWERCTL_CLI_KVM_H
#define POWERCTL_CLI_KVM_H

#include "select.h"

/* All return an enum cli_status. */

/* Waits for a viewer of one node's screen, and relays between the two until one leaves. */
int kvm_serve(struct cli *cli, size_t node);
/* Writes a PNG of each node's screen. path: a file, of one node; or a folder. */
int kvm_shoot(struct cli *cli, const struct selection *selection, const char *path);

/* What the options say to KVM. */
struct pctl_request kvm_request(const struct cli *cli);

#endif
