/* SPDX-License-Identifier: Apache-2.0 */
/* Actions that were answered 202: tasks with a monitor each. */
#ifndef POWERCTL_REDFISHSIM_TASK_H
#define POWERCTL_REDFISHSIM_TASK_H

#include <jansson.h>

#include "util.h"

struct call;
struct device;

enum { TASKS_KEPT = 8 };

struct task {
	uint32_t id;
	uint64_t begun;
	uint64_t until;
	const char *name;
	bool failed;
};

struct tasks_list {
	struct task ring[TASKS_KEPT];
	uint32_t made;
};

/* The answer of c becomes 202 and a task. */
void task_answer(struct call *c, const char *name);
/* NULL: there is none with that Id. */
const struct task *task_find(const struct device *dev, struct str id);
json_t *task_document(const struct device *dev, const struct task *t);
bool task_done(const struct device *dev, const struct task *t);

#endif
