/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media that nothing reads: how a driver opens a session that has no descriptor. It lives until it
 * is closed, and holds nothing but what it says of itself.
 */
#include <stdlib.h>

#include <powerctl/driver.h>
#include <powerctl/mem.h>

#include "null.h"

struct drives {
	struct pctl_session session; /* what the user sees */
	uv_timer_t timer;            /* takes the end to the loop */
};

static void on_closed(uv_handle_t *handle)
{
	struct drives *drives = handle->data;
	const struct pctl_error normal = { 0 };

	if (drives->session.ended)
		drives->session.ended(drives->session.data, &normal);
	pctl_value_free(drives->session.facts);
	free(drives);
}

static void close_session(struct pctl_session *session)
{
	struct drives *drives = pctl_container_of(session, struct drives, session);

	uv_close((uv_handle_t *)&drives->timer, on_closed);
}

static int tell_progress(struct pctl_session *session, const char *arg, struct pctl_error *err)
{
	(void)session, (void)arg, (void)err;
	return 0; /* nothing is ever read: the facts are true as they are */
}

static const struct pctl_control controls[] = {
	{ .size = sizeof(struct pctl_control),
		.name = "progress",
		.help = "brings the facts up to date",
		.run = tell_progress },
	{ 0 },
};

static void add_drive(struct pctl_value *list, const char *name, const char *image)
{
	struct pctl_value *map = pctl_value_new_map();

	pctl_value_set_text(map, "drive", name);
	pctl_value_set_bool(map, "inserted", image != NULL);
	pctl_value_set_text(map, "image", image);
	pctl_value_set_int(map, "read", 0);
	pctl_value_add(list, map);
}

static void attach(void *data, struct pctl_op *op, const struct pctl_media *media,
	struct pctl_session **ret_session)
{
	struct null_dev *dev = data;
	struct drives *drives = pctl_xcalloc(1, sizeof(*drives));
	struct pctl_value *list = pctl_value_new_list();

	drives->session = (struct pctl_session){ .size = sizeof(drives->session),
		.fd = -1,
		.facts = pctl_value_new_map(),
		.controls = controls,
		.close = close_session };
	pctl_value_set_text(drives->session.facts, "kind", "null");
	add_drive(list, "cd", media->cd);
	add_drive(list, "floppy", media->floppy);
	pctl_value_set(drives->session.facts, "drives", list);
	(void)uv_timer_init(pctl_device_loop(dev->device), &drives->timer);
	drives->timer.data = drives;
	*ret_session = &drives->session;
	pctl_op_done(op);
}

/* A session ends with whoever has it; there is nothing else. */
static void detach(void *dev, struct pctl_op *op)
{
	(void)dev;
	pctl_op_done(op);
}

static void status(void *dev, struct pctl_op *op, struct pctl_value *ret)
{
	(void)dev;
	pctl_value_set_bool(ret, "attached", false);
	pctl_op_done(op);
}

const struct pctl_media_if null_media = {
	.size = sizeof(null_media),
	.attach = attach,
	.detach = detach,
	.status = status,
};
