/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sensors of the system's chassis: a list of Sensor documents, or Thermal and Power, which came
 * before them and which services that have both fill from the same readings.
 */
#include <stdio.h>

#include "redfish.h"
#include "tree.h"

#define SENSORS_MAX 4096u
#define CHASSIS_MAX 16u

struct sensors_job {
	struct walk *walk;
	struct pctl_value *ret, *list;
};

static void done(void *data)
{
	struct sensors_job *job = data;

	redfish_walk_free(job->walk);
	pctl_value_free(job->list);
}

static void on_sensor(struct redfish_dev *dev, const json_t *doc)
{
	struct sensors_job *job = redfish_kept(dev);
	struct pctl_value *sensor =
		pctl_value_count(job->list) < SENSORS_MAX ? tree_sensor(doc) : NULL;

	if (sensor)
		pctl_value_add(job->list, sensor);
}

static void on_thermal(struct redfish_dev *dev, const json_t *doc)
{
	struct sensors_job *job = redfish_kept(dev);

	if (pctl_value_count(job->list) < SENSORS_MAX)
		tree_thermal(doc, job->list);
}

static void on_power(struct redfish_dev *dev, const json_t *doc)
{
	struct sensors_job *job = redfish_kept(dev);

	if (pctl_value_count(job->list) < SENSORS_MAX)
		tree_power(doc, job->list);
}

/* Two documents tell what else takes one for each sensor, where there is no $expand. */
static void on_chassis(struct redfish_dev *dev, const json_t *doc)
{
	struct sensors_job *job = redfish_kept(dev);
	const char *thermal = doc_link(doc, "Thermal"), *power = doc_link(doc, "Power");

	if (!thermal && !power) {
		redfish_walk_members(job->walk, doc_link(doc, "Sensors"), on_sensor);
		return;
	}
	redfish_walk_add(job->walk, thermal, on_thermal);
	redfish_walk_add(job->walk, power, on_power);
}

static void finish(struct redfish_dev *dev, const struct pctl_error *why)
{
	struct sensors_job *job = redfish_kept(dev);

	if (why) {
		redfish_end(dev, why);
		return;
	}
	pctl_value_set(job->ret, "sensors", job->list);
	job->list = NULL;
	redfish_end(dev, NULL);
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	struct sensors_job *job = redfish_kept(dev);
	size_t n = doc_count(dev->host, "Links/Chassis");

	(void)reply;
	if (!n) {
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "the system names no chassis with sensors");
		return;
	}
	for (size_t i = 0; i < n && i < CHASSIS_MAX; i++) {
		char place[40];
		(void)snprintf(place, sizeof(place), "Links/Chassis/%zu", i);
		redfish_walk_add(job->walk, doc_link(dev->host, place), on_chassis);
	}
	redfish_walk_run(dev, job->walk, finish);
}

static void read_sensors(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct redfish_dev *dev = data;

	redfish_begin(dev, op, true);
	struct sensors_job *job = redfish_keep(dev, sizeof(*job), done);
	job->walk = redfish_walk_new();
	job->ret = ret;
	job->list = pctl_value_new_list();
	redfish_with_system(dev, got_system);
}

const struct pctl_sensors_if redfish_sensors = {
	.size = sizeof(redfish_sensors),
	.read = read_sensors,
};
