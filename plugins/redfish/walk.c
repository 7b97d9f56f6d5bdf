/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents to be read, in a row that grows as they are read: a machine's parts are links to lists
 * of links. Their number is capped, so that lists without an end come to one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "redfish.h"

#define WALK_MAX 4096u
#define EXPAND   "?$expand=.($levels=1)"

struct place {
	char *path;
	redfish_each_fn *each;
	bool members;  /* a collection: each is for what is in it */
	bool expanded; /* asked for with all that is in it */
};

struct walk {
	struct place *places;
	size_t n, at, cap;
	size_t read; /* documents that came */
	struct pctl_error why;
	redfish_finish_fn *finish;
};

struct walk *redfish_walk_new(void)
{
	return pctl_xcalloc(1, sizeof(struct walk));
}

void redfish_walk_free(struct walk *walk)
{
	for (size_t i = 0; walk && i < walk->n; i++)
		free(walk->places[i].path);
	if (walk)
		free(walk->places);
	free(walk);
}

static void add(struct walk *walk, const char *path, redfish_each_fn *each, bool members)
{
	if (!path || !doc_is_path(path) || walk->n >= WALK_MAX)
		return;
	walk->places = pctl_xgrow(walk->places, &walk->cap, walk->n + 1, sizeof(struct place));
	walk->places[walk->n++] =
		(struct place){ .path = pctl_xstrdup(path), .each = each, .members = members };
}

void redfish_walk_add(struct walk *walk, const char *path, redfish_each_fn *each)
{
	add(walk, path, each, false);
}

void redfish_walk_members(struct walk *walk, const char *path, redfish_each_fn *each)
{
	add(walk, path, each, true);
}

/* A walk is the first member of a job. */
static struct walk *walk_of(const struct redfish_dev *dev)
{
	return *(struct walk **)redfish_kept(dev);
}

static void next(struct redfish_dev *dev);

static void take_members(struct redfish_dev *dev, const struct place *at, const json_t *doc)
{
	struct walk *walk = walk_of(dev);
	const char *more = doc_text(doc, "Members@odata.nextLink");
	redfish_each_fn *each = at->each; /* the row may move */
	const json_t *list = doc_at(doc, "Members");
	const json_t *member;
	size_t i;

	json_array_foreach(list, i, member)
	{
		if (json_object_size(member) > 1)
			each(dev, member);
		else
			add(walk, doc_link(member, ""), each, false);
	}
	if (more)
		add(walk, more, each, true);
}

static void got(struct redfish_dev *dev, const struct reply *reply)
{
	struct walk *walk = walk_of(dev);
	struct place at = walk->places[walk->at++];

	walk->read++;
	if (at.members)
		take_members(dev, &at, reply->doc);
	else
		at.each(dev, reply->doc);
	next(dev);
}

static void no_luck(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	struct walk *walk = walk_of(dev);
	struct place *at = &walk->places[walk->at];

	if (at->expanded && reply->status >= 400 && redfish_lacks(err)) {
		/* It does not do what it says. */
		pctl_fact_put(dev->device, FACT_EXPAND, "no");
		next(dev);
		return;
	}
	/* One bad document is none: its error is the service's, or its JSON is broken. */
	if (!redfish_lacks(err) && err->code != PCTL_E_PROTOCOL) {
		redfish_end(dev, err);
		return;
	}
	pctl_log(PCTL_LOG_DEBUG, dev->device, "%s is left out: %s", at->path, err->text);
	if (!walk->why.code)
		walk->why = *err;
	walk->at++;
	next(dev);
}

static void next(struct redfish_dev *dev)
{
	struct walk *walk = walk_of(dev);
	const char *expand = pctl_fact_get(dev->device, FACT_EXPAND);
	char path[DOC_PATH_MAX];

	if (walk->at == walk->n) {
		walk->finish(dev, !walk->read && walk->why.code ? &walk->why : NULL);
		return;
	}
	struct place *at = &walk->places[walk->at];
	at->expanded =
		at->members && expand && strcmp(expand, "yes") == 0 && !strchr(at->path, '?');
	(void)snprintf(path, sizeof(path), "%s%s", at->path, at->expanded ? EXPAND : "");
	redfish_get(dev, path, 0, got, no_luck);
}

void redfish_walk_run(struct redfish_dev *dev, struct walk *walk, redfish_finish_fn *finish)
{
	walk->finish = finish;
	next(dev);
}
