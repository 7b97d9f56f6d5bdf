/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual media: images that the service fetches by itself (DSP2046, VirtualMedia). */
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

#include "redfish.h"

#define DRIVES_MAX   16u
#define INSERT_PLACE "Actions/#VirtualMedia.InsertMedia/target"
#define EJECT_PLACE  "Actions/#VirtualMedia.EjectMedia/target"

enum media_task { MEDIA_LIST, MEDIA_INSERT, MEDIA_EJECT };

struct media_job {
	struct walk *walk;
	struct pctl_value *ret; /* NULL: nobody wants to know */
	enum media_task task;
	const char *drive, *image; /* arguments live as long as the op */
	bool writable, floppy;
	bool all;       /* eject: whatever is in some drive, one after the other */
	json_t *drives; /* documents of them */
	const json_t *chosen;
	bool brief; /* the longer request was refused */
};

static void done(void *data)
{
	struct media_job *job = data;

	redfish_walk_free(job->walk);
	json_decref(job->drives);
}

static bool is_inserted(const json_t *drive)
{
	return doc_is_true(drive, "Inserted") || doc_text(drive, "Image");
}

static bool takes_discs(const json_t *drive)
{
	return doc_lists(drive, "MediaTypes", "CD", false) ||
	       doc_lists(drive, "MediaTypes", "DVD", false);
}

static bool takes_floppies(const json_t *drive)
{
	return doc_lists(drive, "MediaTypes", "Floppy", false) ||
	       doc_lists(drive, "MediaTypes", "USBStick", false);
}

static bool can_change(const json_t *drive)
{
	/* Without actions Image itself is written (before VirtualMedia v1.1). */
	return doc_text(drive, INSERT_PLACE) || doc_at(drive, "Image");
}

/* --- Which drive. ----------------------------------------------------------------------------- */

static bool is_called(const json_t *drive, const char *id)
{
	const char *own = doc_text(drive, "Id");

	return own && strcmp(own, id) == 0;
}

static bool takes(const struct media_job *job, const json_t *drive)
{
	return job->floppy ? takes_floppies(drive) : takes_discs(drive);
}

static const json_t *choose_for_insert(const struct media_job *job)
{
	const json_t *drive;
	const json_t *any = NULL;
	size_t i;

	json_array_foreach(job->drives, i, drive)
	{
		if (job->drive ? is_called(drive, job->drive)
			       : takes(job, drive) && can_change(drive) && !is_inserted(drive))
			return drive;
		if (!job->drive && !any && can_change(drive) && !is_inserted(drive) &&
			!doc_at(drive, "MediaTypes/0"))
			any = drive;
	}
	return any;
}

static const json_t *choose_for_eject(const struct media_job *job, bool *ret_several)
{
	const json_t *found = NULL;
	const json_t *drive;
	size_t i;

	json_array_foreach(job->drives, i, drive)
	{
		if (job->all && found)
			break;
		if (job->drive ? !is_called(drive, job->drive) : !is_inserted(drive))
			continue;
		*ret_several |= found != NULL;
		found = drive;
	}
	return found;
}

static void tell_drives(struct redfish_dev *dev, int code, const char *what)
{
	const struct media_job *job = redfish_kept(dev);
	char text[200] = "";
	const json_t *drive;
	size_t i;

	json_array_foreach(job->drives, i, drive)
	{
		size_t used = strlen(text);
		const char *id = doc_text(drive, "Id");
		(void)snprintf(text + used, sizeof(text) - used, "%s%.40s%s", used ? ", " : "",
			id ? id : "?", is_inserted(drive) ? " (in use)" : "");
	}
	redfish_fail(dev, code, "drive: %s; there are: %s", what, *text ? text : "none");
}

/* --- Changing it. ----------------------------------------------------------------------------- */

static void send_change(struct redfish_dev *dev);
static void eject(struct redfish_dev *dev);

static void changed(struct redfish_dev *dev, const struct reply *reply)
{
	struct media_job *job = redfish_kept(dev);

	(void)reply;
	if (job->all) {
		for (size_t i = 0; i < json_array_size(job->drives); i++)
			if (json_array_get(job->drives, i) == job->chosen)
				(void)json_array_remove(job->drives, i);
		job->brief = false;
		eject(dev);
		return;
	}
	if (!job->ret) {
		redfish_end(dev, NULL);
		return;
	}
	pctl_value_set_text(job->ret, "drive", doc_text(job->chosen, "Id"));
	pctl_value_set_text(job->ret, "image", job->task == MEDIA_INSERT ? job->image : NULL);
	redfish_end(dev, NULL);
}

/* Members that came with later versions of the schema are errors to earlier ones. */
static void refused(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	struct media_job *job = redfish_kept(dev);

	if (reply->status != 400 || job->brief) {
		redfish_end(dev, err);
		return;
	}
	job->brief = true;
	send_change(dev);
}

static json_t *body_for(const struct media_job *job, bool patch)
{
	if (job->task == MEDIA_EJECT)
		return !patch       ? json_object()
		       : job->brief ? json_pack("{s:n}", "Image")
				    : json_pack("{s:n,s:b}", "Image", "Inserted", 0);
	if (job->brief)
		return json_pack("{s:s}", "Image", job->image);
	return json_pack("{s:s,s:b,s:b}", "Image", job->image, "Inserted", 1, "WriteProtected",
		!job->writable);
}

static void send_change(struct redfish_dev *dev)
{
	const struct media_job *job = redfish_kept(dev);
	const char *place = job->task == MEDIA_EJECT ? EJECT_PLACE : INSERT_PLACE;
	const char *target = doc_text(job->chosen, place);
	const char *what = job->task == MEDIA_EJECT ? "to eject it" : "the image";
	const char *path = doc_link(job->chosen, "");

	if (target && doc_is_path(target))
		redfish_send(
			dev, "POST", target, body_for(job, false), NULL, what, changed, refused);
	else if (path && doc_at(job->chosen, "Image"))
		redfish_patch(dev, path, body_for(job, true), doc_text(job->chosen, "@odata.etag"),
			what, changed, refused);
	else
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "this drive takes no images by Redfish");
}

/* What is full is the device's state, and no mistake in the call. */
static void tell_no_drive(struct redfish_dev *dev, const struct media_job *job)
{
	bool any = false;
	const json_t *drive;
	size_t i;

	json_array_foreach(job->drives, i, drive) any |=
		can_change(drive) && is_inserted(drive) &&
		(takes(job, drive) || !doc_at(drive, "MediaTypes/0"));
	if (job->drive)
		tell_drives(dev, PCTL_E_CONFIG, "there is no such drive");
	else if (any)
		tell_drives(dev, PCTL_E_STATE, "none is free, eject what is in one first");
	else
		tell_drives(dev, PCTL_E_UNSUPPORTED, "none takes such a medium");
}

static void insert(struct redfish_dev *dev)
{
	struct media_job *job = redfish_kept(dev);

	job->chosen = choose_for_insert(job);
	if (!job->chosen)
		tell_no_drive(dev, job);
	else if (is_inserted(job->chosen))
		redfish_fail(dev, PCTL_E_STATE, "there is an image in it: eject that first");
	else
		send_change(dev);
}

static void eject(struct redfish_dev *dev)
{
	struct media_job *job = redfish_kept(dev);
	bool several = false;

	job->chosen = choose_for_eject(job, &several);
	if (several)
		tell_drives(dev, PCTL_E_CONFIG, "say which, for several have an image");
	else if (!job->chosen && job->drive)
		tell_drives(dev, PCTL_E_CONFIG, "there is no such drive");
	else if (!job->chosen || !is_inserted(job->chosen))
		redfish_end(dev, NULL); /* nothing is in it, as was asked for */
	else
		send_change(dev);
}

/* --- Reading them. ---------------------------------------------------------------------------- */

static void list(struct redfish_dev *dev)
{
	const struct media_job *job = redfish_kept(dev);
	struct pctl_value *all = pctl_value_new_list();
	const json_t *drive;
	bool any = false;
	size_t i;

	json_array_foreach(job->drives, i, drive)
	{
		struct pctl_value *map = pctl_value_new_map();
		struct pctl_value *types = pctl_value_new_list();

		pctl_value_set_text(map, "drive", doc_text(drive, "Id"));
		for (size_t t = 0; t < doc_count(drive, "MediaTypes") && t < DRIVES_MAX; t++) {
			const char *type =
				json_string_value(json_array_get(doc_at(drive, "MediaTypes"), t));
			if (type)
				pctl_value_add(types, pctl_value_new_text(type));
		}
		pctl_value_set(map, "types", types);
		any |= is_inserted(drive);
		pctl_value_set_bool(map, "inserted", is_inserted(drive));
		pctl_value_set_text(map, "image", doc_text(drive, "Image"));
		pctl_value_add(all, map);
	}
	pctl_value_set(job->ret, "drives", all);
	if (job->all)
		pctl_value_set_bool(job->ret, "attached", any);
	redfish_end(dev, NULL);
}

static void finish(struct redfish_dev *dev, const struct pctl_error *why)
{
	const struct media_job *job = redfish_kept(dev);

	if (why)
		redfish_end(dev, why);
	else if (!json_array_size(job->drives))
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "the service has no virtual media");
	else if (job->task == MEDIA_LIST)
		list(dev);
	else if (job->task == MEDIA_INSERT)
		insert(dev);
	else
		eject(dev);
}

static void on_drive(struct redfish_dev *dev, const json_t *doc)
{
	struct media_job *job = redfish_kept(dev);

	if (json_array_size(job->drives) < DRIVES_MAX)
		(void)json_array_append(job->drives, (json_t *)(uintptr_t)doc);
}

static void on_manager(struct redfish_dev *dev, const json_t *doc)
{
	struct media_job *job = redfish_kept(dev);

	redfish_walk_members(job->walk, doc_link(doc, "VirtualMedia"), on_drive);
}

/* A system's own are that system's, a manager's may be of several. */
static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	struct media_job *job = redfish_kept(dev);
	const char *own = doc_link(dev->host, "VirtualMedia");

	(void)reply;
	if (own)
		redfish_walk_members(job->walk, own, on_drive);
	else
		redfish_walk_add(job->walk, redfish_manager(dev), on_manager);
	redfish_walk_run(dev, job->walk, finish);
}

static struct media_job *begin(
	struct redfish_dev *dev, struct pctl_op *op, enum media_task task, struct pctl_value *ret)
{
	redfish_begin(dev, op, true);
	struct media_job *job = redfish_keep(dev, sizeof(*job), done);
	job->walk = redfish_walk_new();
	job->ret = ret;
	job->task = task;
	job->drives = json_array();
	return job;
}

void redfish_media_list(
	void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	(void)args;
	(void)begin(dev, op, MEDIA_LIST, ret);
	redfish_with_system(dev, got_system);
}

/* A file:// may do without. */
static bool names_no_host(const char *url)
{
	const char *host = strstr(url, "://") + 3;

	return !*host || (*host == '/' && strncmp(url, "file:", 5) != 0) || strchr(":?#", *host);
}

static void begin_insert(struct redfish_dev *dev, const struct media_job *job, const char *what)
{
	if (!strstr(job->image, "://"))
		redfish_fail(dev, PCTL_E_CONFIG,
			"%sis a URL that the management controller fetches by itself: http://, "
			"https://, nfs:// or what it takes",
			what);
	else if (names_no_host(job->image))
		redfish_fail(dev, PCTL_E_CONFIG, "%sis a URL that names no host", what);
	else
		redfish_with_system(dev, got_system);
}

void redfish_media_insert(
	void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct media_job *job = begin(dev, op, MEDIA_INSERT, ret);

	job->image = pctl_argument_text(args, "image");
	job->drive = pctl_argument_text(args, "drive");
	job->writable = pctl_argument_bool(args, "writable");
	begin_insert(dev, job, "image: ");
}

void redfish_media_eject(
	void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct media_job *job = begin(dev, op, MEDIA_EJECT, ret);

	job->drive = pctl_argument_text(args, "drive");
	redfish_with_system(dev, got_system);
}

/* --- The same as the interface that drivers share. -------------------------------------------- */

static void attach(void *dev, struct pctl_op *op, const struct pctl_media *media,
	struct pctl_session **ret_session)
{
	struct media_job *job = begin(dev, op, MEDIA_INSERT, NULL);

	(void)ret_session; /* it fetches the image by itself: nothing is to be kept open */
	job->image = media->cd ? media->cd : media->floppy;
	job->floppy = !media->cd;
	job->writable = media->writable;
	if (media->cd && media->floppy)
		redfish_fail(dev, PCTL_E_UNSUPPORTED,
			"Redfish takes one medium at a time: attach the floppy by itself");
	else
		begin_insert(dev, job, "the medium ");
}

static void detach(void *dev, struct pctl_op *op)
{
	begin(dev, op, MEDIA_EJECT, NULL)->all = true;
	redfish_with_system(dev, got_system);
}

static void status(void *dev, struct pctl_op *op, struct pctl_value *ret)
{
	begin(dev, op, MEDIA_LIST, ret)->all = true;
	redfish_with_system(dev, got_system);
}

const struct pctl_media_if redfish_media = {
	.size = sizeof(redfish_media),
	.attach = attach,
	.detach = detach,
	.status = status,
};
