/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A change of a document, versioned by its ETag (DSP0266 section 6.5). Services disagree on what
 * an ETag is: the ladder goes from the one that was read, by one read anew, by the strong form of
 * a weak one, to none. Each step follows a 412 or 428, which changed nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "redfish.h"

enum rung {
	RUNG_EXACT,
	RUNG_ANEW,
	RUNG_STRONG,
	RUNG_NONE,
	RUNG_END,
};

struct patch {
	enum rung rung;
	char path[DOC_PATH_MAX], etag[ETAG_SIZE];
	json_t *body;
	struct pctl_buf secret; /* in place of body; empty: none */
	const char *what;
	redfish_then_fn *then;
	redfish_except_fn *except;
};

void redfish_patch_drop(struct call *call)
{
	if (call->patch) {
		json_decref(call->patch->body);
		pctl_buf_done(&call->patch->secret);
	}
	free(call->patch);
	call->patch = NULL;
}

static void try_rung(struct redfish_dev *dev);

static void done(struct redfish_dev *dev, const struct reply *reply)
{
	redfish_then_fn *then = dev->call.patch->then;

	redfish_patch_drop(&dev->call);
	then(dev, reply);
}

static void give_up(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	redfish_except_fn *except = dev->call.patch->except;

	redfish_patch_drop(&dev->call);
	if (except)
		except(dev, err, reply);
	else
		redfish_end(dev, err);
}

static void refused(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	struct patch *p = dev->call.patch;
	bool version = reply->status == 412 || reply->status == 428;

	if (!version || ++p->rung == RUNG_END)
		give_up(dev, err, reply);
	else
		try_rung(dev);
}

static void send_patch(struct redfish_dev *dev, const char *etag)
{
	struct patch *p = dev->call.patch;

	if (p->secret.len)
		redfish_send_secret(
			dev, "PATCH", p->path, &p->secret, etag, p->what, done, refused);
	else
		redfish_send(
			dev, "PATCH", p->path, json_incref(p->body), etag, p->what, done, refused);
}

static void got_etag(struct redfish_dev *dev, const struct reply *reply)
{
	struct patch *p = dev->call.patch;
	const char *etag = reply->etag ? reply->etag : doc_text(reply->doc, "@odata.etag");

	(void)snprintf(
		p->etag, sizeof(p->etag), "%s", etag && strlen(etag) < sizeof(p->etag) ? etag : "");
	send_patch(dev, p->etag);
}

static void try_rung(struct redfish_dev *dev)
{
	struct patch *p = dev->call.patch;
	const char *etag = p->etag;

	if (p->rung == RUNG_STRONG && strncmp(etag, "W/", 2) != 0)
		p->rung = RUNG_NONE;
	switch (p->rung) {
	case RUNG_ANEW:
		redfish_get(dev, p->path, 0, got_etag, give_up);
		return;
	case RUNG_STRONG:
		etag += 2;
		break;
	case RUNG_NONE:
		etag = "";
		break;
	default:
		break;
	}
	send_patch(dev, etag);
}

static struct patch *begin_patch(struct redfish_dev *dev, const char *path, const char *etag,
	const char *what, redfish_then_fn *then, redfish_except_fn *except)
{
	struct patch *p = pctl_xcalloc(1, sizeof(*p));

	redfish_patch_drop(&dev->call);
	p->what = what;
	p->then = then;
	p->except = except;
	(void)snprintf(p->path, sizeof(p->path), "%s", path);
	if (etag)
		(void)snprintf(p->etag, sizeof(p->etag), "%s", etag);
	dev->call.patch = p;
	return p;
}

void redfish_patch(struct redfish_dev *dev, const char *path, json_t *take_body, const char *etag,
	const char *what, redfish_then_fn *then, redfish_except_fn *except)
{
	begin_patch(dev, path, etag, what, then, except)->body = take_body;
	try_rung(dev);
}

void redfish_patch_secret(struct redfish_dev *dev, const char *path, const struct pctl_buf *body,
	const char *etag, const char *what, redfish_then_fn *then, redfish_except_fn *except)
{
	struct patch *p = begin_patch(dev, path, etag, what, then, except);

	pctl_buf_init_secret(&p->secret, body->len + 1);
	pctl_buf_add(&p->secret, body->data, body->len);
	try_rung(dev);
}
