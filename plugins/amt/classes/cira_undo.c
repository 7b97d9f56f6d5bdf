/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside cira: back from a server that the device refused half-way to the one that it had, step by
 * step, or else what it has now.
 */
#include "classes/cira.h"

#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

static void undo(struct amt_dev *dev);

/* Adds the texts of a list. */
static void add_list(struct pctl_buf *buf, const struct pctl_value *list, const char *key)
{
	size_t n = list ? pctl_value_count(list) : 0;

	for (size_t i = 0; i < n; i++)
		pctl_buf_addf(
			buf, "%s%s", i ? ", " : "", cira_text_in(pctl_value_at(list, i), key));
	pctl_buf_adds(buf, n ? "" : "none");
}

/* What it has now, by its own words: whoever reads this has to go on from there. */
static void told(struct amt_dev *dev)
{
	const struct cira *c = cira_of(dev);
	const struct pctl_value *servers = cira_listed(dev, "servers"),
				*policies = cira_listed(dev, "policies");
	struct pctl_buf left;

	pctl_buf_init(&left, 65536);
	pctl_buf_adds(&left, "servers: ");
	add_list(&left, servers, "address");
	pctl_buf_adds(&left, "; policies: ");
	add_list(&left, policies, "name");
	if (strlen(c->why.text) + left.len + 32 < sizeof(c->why.text))
		amt_end_saying(dev, &c->why, "%s; what it has now: %s", c->why.text, left.data);
	else
		amt_end_saying(dev, &c->why,
			"%.200s; it has %zu servers and %zu policies now, which `amt cira` lists",
			c->why.text, servers ? pctl_value_count(servers) : 0,
			policies ? pctl_value_count(policies) : 0);
	pctl_buf_done(&left);
}

/* Why it came to this is what counts, whatever became of the look at it. */
static void not_told(struct amt_dev *dev, const struct pctl_error *err)
{
	amt_end_saying(dev, &cira_of(dev)->why,
		"%.130s; not all was done or put back, and what it has now could not be read "
		"(%.80s); `amt cira` tells it",
		cira_of(dev)->why.text, err->text);
}

void cira_tell_what_is_left(struct amt_dev *dev)
{
	cira_of(dev)->first = NULL; /* it is in the list that is read anew */
	cira_look(dev, told, not_told);
}

static void is_back(struct amt_dev *dev)
{
	const struct cira *c = cira_of(dev);

	if (c->failures)
		cira_tell_what_is_left(dev);
	else
		amt_end_saying(
			dev, &c->why, "%.240s; servers and policies are as they were", c->why.text);
}

static void undone(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	undo(dev);
}

static void not_undone(struct amt_dev *dev, const struct pctl_error *err)
{
	cira_of(dev)->failures++;
	if (answer_is_verdict(err)) {
		undo(dev);
		return;
	}
	amt_end_saying(dev, err,
		"%.130s; and while it was put back: %.110s; `amt cira` tells what there is",
		cira_of(dev)->why.text, err->text);
}

static bool undo_made(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);

	while (c->at < CIRA_TRIGGERS && !c->made[c->at])
		c->at++;
	if (c->at == CIRA_TRIGGERS)
		return false;
	chain_delete(dev, &class_cira_policy, "PolicyRuleName", c->made[c->at++]);
	cira_send(dev, undone, not_undone);
	return true;
}

static bool undo_added(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);

	if (!c->added || c->at++)
		return false;
	chain_delete(dev, &class_cira_server, "Name", c->added);
	cira_send(dev, undone, not_undone);
	return true;
}

static void first_is_back(struct amt_dev *dev, const struct xml_node *answer)
{
	struct cira *c = cira_of(dev);

	c->restored = cira_name_in(answer, "Name");
	undone(dev, answer);
}

/* Its login cannot be read; where it is the same server, the one that is given is its own. */
static bool undo_first(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);
	const char *cn = c->first ? cira_text_in(c->first, "certificate_name") : "";

	if (!c->first_gone || c->at++)
		return false;
	if (strcmp(cira_text_in(c->first, "address"), chain_text(dev, "server")) != 0) {
		c->failures++;
		return false;
	}
	cira_begin_server(dev, cira_text_in(c->first, "address"),
		(uint64_t)pctl_value_int(pctl_value_get(c->first, "port")), *cn ? cn : NULL);
	cira_send(dev, first_is_back, not_undone);
	return true;
}

static const char *server_now(const struct cira *c, const char *name)
{
	bool first = name && c->first_gone && strcmp(name, cira_text_in(c->first, "name")) == 0;

	return first ? c->restored : name;
}

static bool undo_policies(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);

	while (c->at < c->n && !c->policies[c->at].gone)
		c->at++;
	if (c->at == c->n)
		return false;
	struct cira_policy p = c->policies[c->at++];
	for (size_t k = 0; k < CIRA_POLICY_SERVERS; k++) {
		const char *name = server_now(c, p.servers[k]);

		p.servers[k] = name ? pctl_xstrdup(name) : NULL;
	}
	cira_begin_policy(dev, &p);
	for (size_t k = 0; k < CIRA_POLICY_SERVERS; k++)
		free(p.servers[k]);
	cira_send(dev, undone, not_undone);
	return true;
}

/* Newly made ones are for calls from outside. */
static bool undo_networks(struct amt_dev *dev)
{
	struct cira *c = cira_of(dev);
	const struct cira_policy *p = NULL;

	for (; c->at < c->n; c->at++) {
		p = &c->policies[c->at];
		if (p->gone && p->networks && strcmp(p->networks, "0") != 0 &&
			server_now(c, p->servers[0]))
			break;
	}
	if (c->at++ >= c->n)
		return false;
	cira_begin_apply(dev, p->name, server_now(c, p->servers[0]), p->networks, p->order);
	cira_send(dev, undone, not_undone);
	return true;
}

static void undo(struct amt_dev *dev)
{
	static bool (*const steps[])(struct amt_dev * dev) = { undo_made, undo_added, undo_first,
		undo_policies, undo_networks };
	struct cira *c = cira_of(dev);

	for (; c->undoing < sizeof(steps) / sizeof(steps[0]); c->undoing++, c->at = 0)
		if (steps[c->undoing](dev))
			return;
	is_back(dev);
}

static bool any_gone(const struct cira *c)
{
	for (size_t i = 0; i < c->n; i++)
		if (c->policies[i].gone)
			return true;
	return false;
}

/* Of a clearing that stops nothing is put back: it shall go, and is tried again. */
void cira_go_back(struct amt_dev *dev, const struct pctl_error *err)
{
	struct cira *c = cira_of(dev);
	bool verdict = answer_is_verdict(err) || err->code == PCTL_E_UNSUPPORTED;
	bool untouched = !c->added && !c->first_gone && !any_gone(c);

	c->why = *err;
	c->at = 0;
	if (verdict && cira_is_cleared(dev))
		cira_tell_what_is_left(dev);
	else if (!verdict || untouched)
		amt_end(dev, err);
	else
		undo(dev);
}
