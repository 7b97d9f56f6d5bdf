/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine is made of: lists of links from its system, its chassis and UpdateService. */
#include "redfish.h"
#include "tree.h"

#define PARTS_MAX 2048u

struct hardware_job {
	struct walk *walk;
	struct pctl_value *ret, *parts, *firmware;
};

static void done(void *data)
{
	struct hardware_job *job = data;

	redfish_walk_free(job->walk);
	pctl_value_free(job->parts);
	pctl_value_free(job->firmware);
}

static void add(struct pctl_value *list, struct pctl_value *take_v)
{
	if (take_v && pctl_value_count(list) < PARTS_MAX)
		pctl_value_add(list, take_v);
	else
		pctl_value_free(take_v);
}

static void add_processor(struct redfish_dev *dev, const json_t *doc)
{
	struct hardware_job *job = redfish_kept(dev);

	add(job->parts, tree_part(doc, "processor"));
}

static void add_memory(struct redfish_dev *dev, const json_t *doc)
{
	struct hardware_job *job = redfish_kept(dev);

	add(job->parts, tree_part(doc, "memory_module"));
}

static void add_supply(struct redfish_dev *dev, const json_t *doc)
{
	struct hardware_job *job = redfish_kept(dev);

	add(job->parts, tree_part(doc, "power_supply"));
}

static void add_firmware(struct redfish_dev *dev, const json_t *doc)
{
	struct hardware_job *job = redfish_kept(dev);

	add(job->firmware, tree_firmware(doc));
}

static void on_power(struct redfish_dev *dev, const json_t *doc)
{
	const json_t *list = doc_at(doc, "PowerSupplies");

	for (size_t i = 0; i < json_array_size(list); i++)
		add_supply(dev, json_array_get(list, i));
}

static void on_subsystem(struct redfish_dev *dev, const json_t *doc)
{
	struct hardware_job *job = redfish_kept(dev);

	redfish_walk_members(job->walk, doc_link(doc, "PowerSupplies"), add_supply);
}

static void on_chassis(struct redfish_dev *dev, const json_t *doc)
{
	struct hardware_job *job = redfish_kept(dev);

	if (!pctl_value_get(job->ret, "chassis"))
		tree_chassis(doc, job->ret);
	if (doc_link(doc, "PowerSubsystem"))
		redfish_walk_add(job->walk, doc_link(doc, "PowerSubsystem"), on_subsystem);
	else
		redfish_walk_add(job->walk, doc_link(doc, "Power"), on_power);
}

static void on_update_service(struct redfish_dev *dev, const json_t *doc)
{
	struct hardware_job *job = redfish_kept(dev);

	redfish_walk_members(job->walk, doc_link(doc, "FirmwareInventory"), add_firmware);
}

static void give(struct pctl_value *ret, const char *key, struct pctl_value **list)
{
	if (!pctl_value_count(*list))
		return;
	pctl_value_set(ret, key, *list);
	*list = NULL;
}

/* What only the walk was refused is no reason to hide what the system itself said. */
static void finish(struct redfish_dev *dev, const struct pctl_error *why)
{
	struct hardware_job *job = redfish_kept(dev);

	give(job->ret, "parts", &job->parts);
	give(job->ret, "firmware", &job->firmware);
	redfish_end(dev, pctl_value_count(job->ret) ? NULL : why);
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	struct hardware_job *job = redfish_kept(dev);

	(void)reply;
	tree_product(dev->host, job->ret);
	redfish_walk_members(job->walk, doc_link(dev->host, "Processors"), add_processor);
	redfish_walk_members(job->walk, doc_link(dev->host, "Memory"), add_memory);
	redfish_walk_add(job->walk, redfish_chassis(dev), on_chassis);
	redfish_walk_add(job->walk, doc_link(dev->root, "UpdateService"), on_update_service);
	redfish_walk_run(dev, job->walk, finish);
}

static void got_root(struct redfish_dev *dev, const struct reply *reply)
{
	(void)reply;
	redfish_read_system(dev, got_system);
}

void redfish_hardware(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct redfish_dev *dev = data;

	redfish_begin(dev, op, true);
	struct hardware_job *job = redfish_keep(dev, sizeof(*job), done);
	job->walk = redfish_walk_new();
	job->ret = ret;
	job->parts = pctl_value_new_list();
	job->firmware = pctl_value_new_list();
	redfish_with_root(dev, got_root);
}
