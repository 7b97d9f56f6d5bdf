/* SPDX-License-Identifier: Apache-2.0 */
/* Identity and firmware: the service root, the system and its manager. */
#include "redfish.h"
#include "tree.h"

struct inspect_job {
	struct pctl_value *ret;
};

static void got_manager(struct redfish_dev *dev, const struct reply *reply)
{
	const struct inspect_job *job = redfish_kept(dev);

	tree_manager(reply->doc, job->ret);
	redfish_end(dev, NULL);
}

static void no_manager(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	(void)reply;
	redfish_end(dev, redfish_lacks(err) ? NULL : err);
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	const struct inspect_job *job = redfish_kept(dev);
	const char *manager = redfish_manager(dev);

	(void)reply;
	tree_info(dev->root, dev->host, dev->tls, job->ret);
	if (manager)
		redfish_get(dev, manager, 0, got_manager, no_manager);
	else
		redfish_end(dev, NULL);
}

static void got_root(struct redfish_dev *dev, const struct reply *reply)
{
	(void)reply;
	redfish_read_system(dev, got_system);
}

static void info(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct redfish_dev *dev = data;

	redfish_begin(dev, op, false);
	struct inspect_job *job = redfish_keep(dev, sizeof(*job), NULL);
	job->ret = ret;
	redfish_with_root(dev, got_root);
}

const struct pctl_inspect_if redfish_inspect = {
	.size = sizeof(redfish_inspect),
	.info = info,
	.hardware = redfish_hardware,
	.check = redfish_check,
};
