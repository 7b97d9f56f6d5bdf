/* SPDX-License-Identifier: Apache-2.0 */
/* What fits no interface: `powerctl redfish METHOD ...`. */
#include <string.h>

#include "redfish.h"
#include "tree.h"

#define METHOD_MS    60000u
#define RESET_ACTION "Actions/#Manager.Reset"

/* --- policy: what the machine does when mains power comes back. ------------------------------- */

static const char *const policies[] = { "always-off", "previous", "always-on", NULL };

static const struct pctl_property policy_parameters[] = {
	PCTL_PROPERTY(.name = "set", .type = PCTL_TYPE_CHOICE, .choices = policies,
		.help = "the policy to be set; without it the present one is told"),
	{ .name = NULL },
};

struct method_job {
	struct pctl_value *ret;
	const char *wish; /* Redfish's word, or NULL */
	bool bare;        /* the request without a parameter */
	char target[DOC_PATH_MAX];
};

static struct method_job *begin(
	struct redfish_dev *dev, struct pctl_op *op, struct pctl_value *ret, bool many)
{
	redfish_begin(dev, op, many);
	struct method_job *job = redfish_keep(dev, sizeof(*job), NULL);
	job->ret = ret;
	return job;
}

static void policy_set(struct redfish_dev *dev, const struct reply *reply)
{
	const struct method_job *job = redfish_kept(dev);

	(void)reply;
	redfish_forget_system(dev);
	pctl_value_set_text(job->ret, "policy", tree_policy(job->wish));
	redfish_end(dev, NULL);
}

static void got_policy(struct redfish_dev *dev, const struct reply *reply)
{
	const struct method_job *job = redfish_kept(dev);
	const char *word = doc_text(dev->host, "PowerRestorePolicy");

	(void)reply;
	if (!word) {
		redfish_fail(dev, PCTL_E_UNSUPPORTED,
			"this system does not tell what it does when power comes back");
	} else if (job->wish) {
		redfish_patch(dev, dev->system_path,
			json_pack("{s:s}", "PowerRestorePolicy", job->wish), dev->etag,
			"the policy", policy_set, NULL);
	} else {
		const char *name = tree_policy(word);
		pctl_value_set_text(job->ret, "policy", name ? name : "unknown");
		redfish_end(dev, NULL);
	}
}

static void run_policy(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct redfish_dev *dev = data;
	bool set = pctl_argument_given(args, "set");
	struct method_job *job = begin(dev, op, ret, set);

	if (set)
		job->wish = tree_policy_word(pctl_argument_text(args, "set"));
	redfish_read_system(dev, got_policy);
}

/* --- bmc-reset -------------------------------------------------------------------------------- */

static const char *const reset_kinds[] = { "graceful", "force", NULL };
static const char *const reset_words[] = { "GracefulRestart", "ForceRestart" };

static const struct pctl_property reset_parameters[] = {
	PCTL_PROPERTY(.name = "kind", .type = PCTL_TYPE_CHOICE, .choices = reset_kinds,
		.default_text = "graceful",
		.help = "graceful: it ends what it is doing; force: it does not; where it has "
			"one of them only, that"),
	{ .name = NULL },
};

static void send_reset(struct redfish_dev *dev);

/* It is gone, and its sessions with it. */
static void reset_accepted(struct redfish_dev *dev, const struct reply *reply)
{
	(void)reply;
	redfish_forget_system(dev);
	dev->lost = true;
	redfish_end(dev, NULL);
}

/* Before Manager v1.0 had the parameter. */
static void reset_refused(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	struct method_job *job = redfish_kept(dev);

	if (reply->status != 400 || job->bare || job->wish == NULL) {
		redfish_end(dev, err);
		return;
	}
	job->bare = true;
	send_reset(dev);
}

static void send_reset(struct redfish_dev *dev)
{
	const struct method_job *job = redfish_kept(dev);
	json_t *body = job->bare || !job->wish ? json_object()
					       : json_pack("{s:s}", "ResetType", job->wish);

	redfish_send(dev, "POST", job->target, body, NULL, "to start anew", reset_accepted,
		reset_refused);
}

static void got_reset_info(struct redfish_dev *dev, const struct reply *reply)
{
	struct method_job *job = redfish_kept(dev);
	const char *other =
		strcmp(job->wish, reset_words[0]) == 0 ? reset_words[1] : reset_words[0];
	const json_t *parameter;
	size_t i;

	json_array_foreach(doc_at(reply->doc, "Parameters"), i, parameter)
	{
		const char *name = doc_text(parameter, "Name");
		if (name && strcmp(name, "ResetType") == 0 &&
			!doc_lists(parameter, "AllowableValues", job->wish, true) &&
			doc_lists(parameter, "AllowableValues", other, false))
			job->wish = other;
	}
	send_reset(dev);
}

static void no_reset_info(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	(void)reply;
	if (redfish_lacks(err))
		send_reset(dev);
	else
		redfish_end(dev, err);
}

static void got_manager(struct redfish_dev *dev, const struct reply *reply)
{
	static const char values[] = RESET_ACTION "/ResetType@Redfish.AllowableValues";
	struct method_job *job = redfish_kept(dev);
	const char *target = doc_text(reply->doc, RESET_ACTION "/target");
	const char *info = doc_text(reply->doc, RESET_ACTION "/@Redfish.ActionInfo");
	const char *other =
		strcmp(job->wish, reset_words[0]) == 0 ? reset_words[1] : reset_words[0];

	if (!target || !doc_is_path(target)) {
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "its manager has no action Reset");
		return;
	}
	(void)snprintf(job->target, sizeof(job->target), "%s", target);
	if (!doc_lists(reply->doc, values, job->wish, true) &&
		doc_lists(reply->doc, values, other, false))
		job->wish = other;
	if (!doc_count(reply->doc, values) && info && doc_is_path(info))
		redfish_get(dev, info, 0, got_reset_info, no_reset_info);
	else
		send_reset(dev);
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	const char *manager = redfish_manager(dev);

	(void)reply;
	if (manager)
		redfish_get(dev, manager, 0, got_manager, NULL);
	else
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "the system names no manager");
}

static void run_reset(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct redfish_dev *dev = data;
	struct method_job *job = begin(dev, op, ret, true);

	job->wish = reset_words[pctl_argument_choice(args, "kind")];
	redfish_with_system(dev, got_system);
}

/* --- The table. ------------------------------------------------------------------------------- */

static const struct pctl_property insert_parameters[] = {
	PCTL_PROPERTY(.name = "image", .type = PCTL_TYPE_TEXT, .flags = PCTL_PROPERTY_REQUIRED,
		.help = "URL of the image, as the management controller reaches it"),
	PCTL_PROPERTY(.name = "drive", .type = PCTL_TYPE_TEXT,
		.help = "which drive, by its id; without it the first free one for discs"),
	PCTL_PROPERTY(.name = "writable", .type = PCTL_TYPE_BOOL, .default_text = "false",
		.help = "the machine may write to it"),
	{ .name = NULL },
};

static const struct pctl_property eject_parameters[] = {
	PCTL_PROPERTY(.name = "drive", .type = PCTL_TYPE_TEXT,
		.help = "which drive, by its id; without it the only one with an image"),
	{ .name = NULL },
};

const struct pctl_method redfish_methods[] = {
	{
		.size = sizeof(struct pctl_method),
		.flags = PCTL_METHOD_CHANGES | PCTL_METHOD_REPEATABLE | PCTL_METHOD_READS_BARE,
		.name = "policy",
		.help = "what the machine does when mains power comes back",
		.parameters = policy_parameters,
		.run = run_policy,
	},
	{
		.size = sizeof(struct pctl_method),
		.flags = PCTL_METHOD_CHANGES,
		.name = "bmc-reset",
		.help = "start the management controller anew; ends when that is accepted, and the "
			"machine itself goes on",
		.parameters = reset_parameters,
		.limit_ms = METHOD_MS,
		.run = run_reset,
	},
	{
		.size = sizeof(struct pctl_method),
		.name = "media",
		.help = "virtual drives and the images in them",
		.run = redfish_media_list,
	},
	{
		.size = sizeof(struct pctl_method),
		.flags = PCTL_METHOD_CHANGES,
		.name = "media-insert",
		.help = "put an image from a URL into a virtual drive",
		.parameters = insert_parameters,
		.limit_ms = METHOD_MS,
		.run = redfish_media_insert,
	},
	{
		.size = sizeof(struct pctl_method),
		.flags = PCTL_METHOD_CHANGES,
		.name = "media-eject",
		.help = "take the image out of a virtual drive",
		.parameters = eject_parameters,
		.limit_ms = METHOD_MS,
		.run = redfish_media_eject,
	},
	{ .name = NULL },
};
