/* SPDX-License-Identifier: Apache-2.0 */
/* check: what the service says of its health, its clock, its certificate and its logins. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "redfish.h"

struct doctor_job {
	struct walk *walk; /* first: walk.c looks for it there */
	struct pctl_value *ret;
	json_int_t unlock_s; /* a locked account opens by itself after so long; 0: not known */
	bool stays_locked;
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

/* utc: as doc_time() writes it. */
static bool read_time(const json_t *doc, const char *key, char utc[DOC_TIME_SIZE], int64_t *ret)
{
	const char *text = doc_text(doc, key);
	struct tm tm = { 0 };

	if (!text || !doc_time(text, utc) || !strptime(utc, "%Y-%m-%dT%H:%M:%S", &tm))
		return false;
	*ret = (int64_t)timegm(&tm);
	return true;
}

static void find_clock(struct redfish_dev *dev, const json_t *doc)
{
	char utc[DOC_TIME_SIZE];
	int64_t theirs;

	if (read_time(doc, "DateTime", utc, &theirs))
		(void)pctl_finding_clock(
			ret_of(dev), theirs, "set its clock, or NTP, in the BMC's own settings");
}

static void each_manager(struct redfish_dev *dev, const json_t *doc)
{
	find_health(dev, doc, "the management controller");
	find_clock(dev, doc);
}

/* --- Accounts (DSP2046: AccountService, ManagerAccount). -------------------------------------- */

#define OWN_SETTINGS "in the BMC's own settings"
#define SOON         (30 * INT64_C(86400))

static void find_locked(struct redfish_dev *dev, const char *name)
{
	const struct doctor_job *job = redfish_kept(dev);
	struct pctl_value *map = pctl_finding_add(ret_of(dev), PCTL_FINDING_WARNING, "account",
		job->stays_locked
			? "unlock it " OWN_SETTINGS " (its Locked: false): it does not open by "
			  "itself"
			: "wait until it opens by itself (AccountLockoutDuration), or unlock it "
			  "" OWN_SETTINGS " (its Locked: false)",
		"account '%s' is locked: too many wrong passwords came for it", name);

	if (job->unlock_s > 0 && !job->stays_locked)
		pctl_value_set_int(map, "unlock_s", job->unlock_s);
}

static void find_expired(struct redfish_dev *dev, const char *name, const json_t *doc)
{
	const char *own = pctl_setting_text(dev->device, "username");
	int64_t now = (int64_t)time(NULL), ends;
	char utc[DOC_TIME_SIZE];
	struct pctl_value *map;

	if (!read_time(doc, "PasswordExpiration", utc, &ends) || ends - now > SOON)
		return;
	map = pctl_finding_add(ret_of(dev), PCTL_FINDING_WARNING, "account",
		own && strcmp(own, name) == 0 ? "`powerctl passwd NODE`"
					      : "give it a new one " OWN_SETTINGS,
		"the password of account '%s' %s", name,
		ends <= now ? "has expired" : "expires in less than 30 days");
	pctl_value_set_text(map, "expires", utc);
}

/* Places that nobody has are accounts without a name. */
static void each_account(struct redfish_dev *dev, const json_t *doc)
{
	const char *name = doc_text(doc, "UserName");

	if (!name)
		return;
	if (json_is_false(doc_at(doc, "Enabled"))) {
		(void)pctl_finding_add(ret_of(dev), PCTL_FINDING_INFO, "account",
			"enable it " OWN_SETTINGS ", if somebody needs it",
			"account '%s' is disabled", name);
		return;
	}
	if (doc_is_true(doc, "Locked"))
		find_locked(dev, name);
	find_expired(dev, name, doc);
}

static void each_service(struct redfish_dev *dev, const json_t *doc)
{
	struct doctor_job *job = redfish_kept(dev);
	const json_t *after = doc_at(doc, "AccountLockoutThreshold");

	/* Null or 0: never (AccountService, AccountLockoutThreshold). */
	if (after && (json_is_null(after) || json_integer_value(after) == 0))
		(void)pctl_finding_add(ret_of(dev), PCTL_FINDING_INFO, "lockout",
			"set AccountLockoutThreshold of its AccountService in the BMC's own "
			"settings",
			"no number of wrong passwords locks an account");
	job->unlock_s = json_integer_value(doc_at(doc, "AccountLockoutDuration"));
	job->stays_locked = json_is_false(doc_at(doc, "AccountLockoutCounterResetEnabled"));
	redfish_walk_members(job->walk, doc_link(doc, "Accounts"), each_account);
}

/* --- Transport. ------------------------------------------------------------------------------- */

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
	redfish_walk_add(job->walk, doc_link(dev->root, "AccountService"), each_service);
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
