/* SPDX-License-Identifier: Apache-2.0 */
#include "task.h"

#include <stdio.h>
#include <string.h>

#include "call.h"
#include "sim.h"

void task_answer(struct call *c, const char *name)
{
	struct device *dev = c->dev;
	struct task *t = &dev->tasks.ring[dev->tasks.made++ % TASKS_KEPT];
	uint64_t now = sim_now(dev->sim);

	*t = (struct task){ .id = dev->tasks.made,
		.begun = now,
		.until = now + dev->knobs.task_ms,
		.name = name,
		.failed = dev->knobs.task_fails };
	call_uri(c, c->location, "TaskService/TaskMonitors/%u", t->id);
	c->status = 202;
	c->retry_after = dev->knobs.retry_after;
	json_decref(c->out);
	c->out = task_document(dev, t);
}

const struct task *task_find(const struct device *dev, struct str id)
{
	uint64_t n;

	if (!parse_uint(id, UINT32_MAX, &n) || !n)
		return NULL;
	for (size_t i = 0; i < TASKS_KEPT; i++)
		if (dev->tasks.ring[i].id == n)
			return &dev->tasks.ring[i];
	return NULL;
}

bool task_done(const struct device *dev, const struct task *t)
{
	return sim_now(dev->sim) >= t->until;
}

json_t *task_document(const struct device *dev, const struct task *t)
{
	bool done = task_done(dev, t);
	uint64_t now = sim_now(dev->sim);
	char id[16], uri[64], monitor[64], start[40], end[40];
	json_t *doc;

	snprintf(id, sizeof(id), "%u", t->id);
	snprintf(uri, sizeof(uri), "/redfish/v1/TaskService/Tasks/%u", t->id);
	snprintf(monitor, sizeof(monitor), "/redfish/v1/TaskService/TaskMonitors/%u", t->id);
	sim_time((now - t->begun) / 1000, start);
	doc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s}", "@odata.id", uri,
		"@odata.type", "#Task.v1_7_0.Task", "Id", id, "Name", t->name, "TaskState",
		!done       ? "Running"
		: t->failed ? "Exception"
			    : "Completed",
		"TaskStatus", done && t->failed ? "Critical" : "OK", "StartTime", start,
		"PercentComplete", done ? 100 : 50, "TaskMonitor", monitor);
	if (!done)
		return doc;
	sim_time((now - t->until) / 1000, end);
	json_object_set_new(doc, "EndTime", json_string(end));
	json_object_set_new(doc, "Messages",
		json_pack("[{s:s, s:s, s:s}]", "MessageId",
			t->failed ? "Base.1.8.InternalError" : "Base.1.8.Success", "Message",
			t->failed ? "The task failed inside." : "Successfully Completed Request",
			"Severity", t->failed ? "Critical" : "OK"));
	return doc;
}
