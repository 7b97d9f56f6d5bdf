/* SPDX-License-Identifier: Apache-2.0 */
/* The light at the machine: LocationIndicatorActive, or IndicatorLED before it (DSP2046). */
#include <stdio.h>
#include <string.h>

#include "redfish.h"

struct identify_job {
	bool on;
	bool blink; /* Lit was refused: it only blinks */
	char path[DOC_PATH_MAX], etag[ETAG_SIZE];
};

static void send_led(struct redfish_dev *dev);

static void refused(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	struct identify_job *job = redfish_kept(dev);

	if (reply->status != 400 || !job->on || job->blink) {
		redfish_end(dev, err);
		return;
	}
	job->blink = true;
	send_led(dev);
}

static void send_led(struct redfish_dev *dev)
{
	const struct identify_job *job = redfish_kept(dev);
	const char *word = !job->on ? "Off" : job->blink ? "Blinking" : "Lit";

	redfish_patch(dev, job->path, json_pack("{s:s}", "IndicatorLED", word), job->etag,
		"the light", redfish_then_end, refused);
}

/* False: doc has no light. */
static bool light(struct redfish_dev *dev, const json_t *doc, const char *path, const char *etag)
{
	struct identify_job *job = redfish_kept(dev);

	(void)snprintf(job->path, sizeof(job->path), "%s", path);
	(void)snprintf(job->etag, sizeof(job->etag), "%s",
		etag && strlen(etag) < sizeof(job->etag) ? etag : "");
	if (json_is_boolean(doc_at(doc, "LocationIndicatorActive")))
		redfish_patch(dev, job->path,
			json_pack("{s:b}", "LocationIndicatorActive", job->on), job->etag,
			"the light", redfish_then_end, NULL);
	else if (doc_text(doc, "IndicatorLED"))
		send_led(dev);
	else
		return false;
	return true;
}

static void got_chassis(struct redfish_dev *dev, const struct reply *reply)
{
	const char *etag = reply->etag ? reply->etag : doc_text(reply->doc, "@odata.etag");

	if (!light(dev, reply->doc, reply->path, etag))
		redfish_fail(
			dev, PCTL_E_UNSUPPORTED, "neither the system nor its chassis has a light");
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	const char *chassis = redfish_chassis(dev);

	(void)reply;
	if (light(dev, dev->host, dev->system_path, dev->etag))
		return;
	if (chassis)
		redfish_get(dev, chassis, 0, got_chassis, NULL);
	else
		redfish_fail(dev, PCTL_E_UNSUPPORTED, "the system has no light");
}

static void set(void *data, struct pctl_op *op, bool on)
{
	struct redfish_dev *dev = data;

	redfish_begin(dev, op, true);
	struct identify_job *job = redfish_keep(dev, sizeof(*job), NULL);
	job->on = on;
	redfish_read_system(dev, got_system);
}

const struct pctl_identify_if redfish_identify = {
	.size = sizeof(redfish_identify),
	.set = set,
};
