/* SPDX-License-Identifier: Apache-2.0 */
/* check: what the service says of its health, its clock, its certificate and its logins. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "redfish.h"

struct doctor_job {
	struct walk *walk; /* first: walk.c looks for it there */
	struct pctl_value *ret;
};

static struct pctl_value *ret_of(struct redfish_dev *dev)
{
	const struct doctor_job *job = redfish_kept(dev);

	return job->ret;
}

/* --- Health (DSP0268, Status). ---------------------------------------------------------------- */

static const struct {
	const char *health;
	enum pctl_finding_class class;
	const char *what;
} healths[] = {
	{ "Critical", PCTL_FINDING_FAULT, "is in a critical state" },
	{ "Warning", PCTL_FINDING_WARNING, "needs attention" },
};

/* Of all that it is made of where that is told, else of itself. */
static void find_health(struct redfish_dev *dev, const json_t *doc, const char *who)
{
	const char *word = doc_text(doc, "Status/HealthRollup");

	if (!word)
		word = doc_text(doc, "Status/Health");
	for (size_t i = 0; word && i < sizeof(healths) / sizeof(healths[0]); i++)
		if (strcmp(word, healths[i].health) == 0)
			(void)pctl_finding_add(ret_of(dev), healths[i].class, "health",
				"`powerctl log NODE` and `powerctl sensors NODE` say what it is",
				"%s %s, it says", who, healths[i].what);
}

/* --- The manager. ----------------------------------------------------------------------------- */

static void find_clock(struct redfish_dev *dev, const json_t *doc)
{
	const char *text = doc_text(doc, "DateTime");
	char utc[DOC_TIME_SIZE];
	struct tm tm = { 0 };

	if (!text || !doc_time(text, utc) || !strptime(utc, "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	(void)pctl_finding_clock(ret_of(dev), (int64_t)timegm(&tm),
		"set its clock, or NTP, in the BMC's own settings");
}

static void each_manager(struct redfish_dev *dev, const json_t *doc)
{
	find_health(dev, doc, "the management controller");
	find_clock(dev, doc);
}

/* --- Logins. ---------------------------------------------------------------------------------- */

static void each_accounts(struct redfish_dev *dev, const json_t *doc)
{
	const json_t *after = doc_at(doc, "AccountLockoutThreshold");

	/* Null or 0: never (AccountService, AccountLockoutThreshold). */
	if (after && (json_is_null(after) || json_integer_value(after) == 0))
		(void)pctl_finding_add(ret_of(dev), PCTL_FINDING_INFO, "lockout",
			"set AccountLockoutThreshold of its AccountService in the BMC's own "
			"settings",
			"no number of wrong passwords locks an account");
}

static void find_tls(struct redfish_dev *dev)
{
	int64_t not_before, not_after;

	if (!dev->tls)
		(void)pctl_finding_add(ret_of(dev), PCTL_FINDING_WARNING, "tls",
			"`powerctl set tls=true NODE`, where the service has HTTPS",
			"it is spoken to without TLS: who is in between reads the password");
	else if (pctl_http_certificate(dev->http, &not_before, &not_after))
		(void)pctl_finding_certificate(ret_of(dev), not_before, not_after,
			"give it a new one in the BMC's own settings");
}

/* --- The op. ---------------------------------------------------------------------------------- */

static void finish(struct redfish_dev *dev, const struct pctl_error *why)
{
	redfish_end(dev, why && !redfish_lacks(why) ? why : NULL);
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	const struct doctor_job *job = redfish_kept(dev);

	(void)reply;
	find_health(dev, dev->host, "the machine");
	find_tls(dev);
	redfish_walk_add(job->walk, redfish_manager(dev), each_manager);
	redfish_walk_add(job->walk, doc_link(dev->root, "AccountService"), each_accounts);
	redfish_walk_run(dev, job->walk, finish);
}

static void got_root(struct redfish_dev *dev, const struct reply *reply)
{
	(void)reply;
	redfish_with_system(dev, got_system);
}

static void job_done(void *data)
{
	struct doctor_job *job = data;

	redfish_walk_free(job->walk);
}

void redfish_check(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct redfish_dev *dev = data;

	redfish_begin(dev, op, true);
	struct doctor_job *job = redfish_keep(dev, sizeof(*job), job_done);
	job->walk = redfish_walk_new();
	job->ret = ret;
	redfish_with_root(dev, got_root);
}
