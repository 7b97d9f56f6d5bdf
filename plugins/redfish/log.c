/* SPDX-License-Identifier: Apache-2.0 */
/* The log of hardware events: the best of the LogServices of the system and of its manager. */
#include <stdio.h>
#include <stdlib.h>

#include <powerctl/mem.h>

#include "redfish.h"
#include "tree.h"

#define EVENTS_MAX 20000u

struct log_job {
	struct walk *walk;
	struct pctl_value *ret, *events;
	char *after;
	bool clear;
	unsigned rank; /* of what was found so far */
	char entries[DOC_PATH_MAX], clear_target[DOC_PATH_MAX];
};

static void done(void *data)
{
	struct log_job *job = data;

	redfish_walk_free(job->walk);
	pctl_value_free(job->events);
	free(job->after);
}

/* --- Which log it is. ------------------------------------------------------------------------- */

static void on_service(struct redfish_dev *dev, const json_t *doc)
{
	struct log_job *job = redfish_kept(dev);
	unsigned rank = tree_log_rank(doc);
	const char *target = doc_text(doc, "Actions/#LogService.ClearLog/target");

	if (rank <= job->rank)
		return;
	job->rank = rank;
	(void)snprintf(job->entries, sizeof(job->entries), "%s", doc_link(doc, "Entries"));
	(void)snprintf(job->clear_target, sizeof(job->clear_target), "%s",
		target && doc_is_path(target) ? target : "");
}

static void on_manager(struct redfish_dev *dev, const json_t *doc)
{
	struct log_job *job = redfish_kept(dev);

	redfish_walk_members(job->walk, doc_link(doc, "LogServices"), on_service);
}

/* --- Its entries. ----------------------------------------------------------------------------- */

static void on_entry(struct redfish_dev *dev, const json_t *doc)
{
	struct log_job *job = redfish_kept(dev);

	if (pctl_value_count(job->events) < EVENTS_MAX)
		pctl_value_add(job->events, tree_event(doc));
}

static void finish_read(struct redfish_dev *dev, const struct pctl_error *why)
{
	struct log_job *job = redfish_kept(dev);

	if (why) {
		redfish_end(dev, why);
		return;
	}
	tree_new_events(tree_in_order(job->events), job->after, job->ret);
	job->events = NULL;
	redfish_end(dev, NULL);
}

/* --- Emptying it. ----------------------------------------------------------------------------- */

static void clear_it(struct redfish_dev *dev)
{
	const struct log_job *job = redfish_kept(dev);

	if (!*job->clear_target)
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "its log cannot be emptied");
	else
		redfish_send(dev, "POST", job->clear_target, json_object(), NULL,
			"to empty the log", redfish_then_end, NULL);
}

static void found(struct redfish_dev *dev, const struct pctl_error *why)
{
	struct log_job *job = redfish_kept(dev);

	if (!job->rank && why) {
		redfish_end(dev, why);
	} else if (!job->rank) {
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "the system has no log of hardware events");
	} else if (job->clear) {
		clear_it(dev);
	} else {
		redfish_walk_free(job->walk);
		job->walk = redfish_walk_new();
		redfish_walk_members(job->walk, job->entries, on_entry);
		redfish_walk_run(dev, job->walk, finish_read);
	}
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	struct log_job *job = redfish_kept(dev);

	(void)reply;
	redfish_walk_members(job->walk, doc_link(dev->host, "LogServices"), on_service);
	redfish_walk_add(job->walk, redfish_manager(dev), on_manager);
	redfish_walk_run(dev, job->walk, found);
}

static struct log_job *begin(struct redfish_dev *dev, struct pctl_op *op)
{
	redfish_begin(dev, op, true);
	struct log_job *job = redfish_keep(dev, sizeof(*job), done);
	job->walk = redfish_walk_new();
	return job;
}

static void read_log(void *data, struct pctl_op *op, const char *after, struct pctl_value *ret)
{
	struct redfish_dev *dev = data;
	struct log_job *job = begin(dev, op);

	job->ret = ret;
	job->events = pctl_value_new_list();
	job->after = after ? pctl_xstrdup(after) : NULL;
	redfish_with_system(dev, got_system);
}

static void clear_log(void *data, struct pctl_op *op)
{
	struct redfish_dev *dev = data;
	struct log_job *job = begin(dev, op);

	job->clear = true;
	redfish_with_system(dev, got_system);
}

const struct pctl_log_if redfish_log = {
	.size = sizeof(redfish_log),
	.read = read_log,
	.clear = clear_log,
};
