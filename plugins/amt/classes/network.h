/* SPDX-License-Identifier: Apache-2.0 */
/* What network and wifi share: one of several ports. */
#ifndef POWERCTL_AMT_NETWORK_H
#define POWERCTL_AMT_NETWORK_H

#include "classes/chain.h"

/* With each port that is read into "ports": keeps the one of that InstanceID. */
void network_keep_port(
	struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map, const char *port);
/* The kept port's keys become the answer's, and "ports" goes. False: there is no such port. */
bool network_show_port(struct amt_dev *dev);

#endif
