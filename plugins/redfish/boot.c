/* SPDX-License-Identifier: Apache-2.0 */
/* The boot override: Boot of a ComputerSystem, or of its settings (DSP2046, ComputerSystem). */
#include <stdio.h>
#include <string.h>

#include "redfish.h"

#define BOOT    "Boot/"
#define TARGETS BOOT "BootSourceOverrideTarget@Redfish.AllowableValues"
#define ENABLES BOOT "BootSourceOverrideEnabled@Redfish.AllowableValues"
#define MODE    BOOT "BootSourceOverrideMode"
#define FUTURE  "@Redfish.Settings/SettingsObject"

/* In order: the first that a machine lists. */
static const char *const targets[PCTL_BOOT_COUNT][3] = {
	[PCTL_BOOT_NONE] = { "None" },
	[PCTL_BOOT_PXE] = { "Pxe" },
	[PCTL_BOOT_DISK] = { "Hdd" },
	[PCTL_BOOT_CD] = { "Cd", "UsbCd" },
	[PCTL_BOOT_USB] = { "Usb" },
	[PCTL_BOOT_BIOS] = { "BiosSetup" },
	[PCTL_BOOT_DIAG] = { "Diags", "Utilities" },
	[PCTL_BOOT_HTTP] = { "UefiHttp" },
	[PCTL_BOOT_RECOVERY] = { "Recovery" },
};

static const char *const modes[] = {
	[PCTL_BOOT_MODE_ANY] = NULL,
	[PCTL_BOOT_MODE_LEGACY] = "Legacy",
	[PCTL_BOOT_MODE_UEFI] = "UEFI",
};

struct boot_job {
	const struct pctl_boot *wish;
	struct pctl_boot *ret;
	const char *target, *mode; /* mode: as wished, or NULL */
	char path[DOC_PATH_MAX], etag[ETAG_SIZE];
	bool whole;            /* send Target, Enabled and Mode, whatever changes */
	bool alone;            /* Target None without Enabled */
	unsigned reshaped;     /* how many other shapes were tried */
	bool future;           /* path is that of the settings */
	struct pctl_error err; /* of the first try */
};

/* --- Set. ------------------------------------------------------------------------------------- */

static const char *target_for(const json_t *host, enum pctl_boot_device device)
{
	for (size_t i = 0; i < 3 && targets[device][i]; i++)
		if (doc_lists(host, TARGETS, targets[device][i], i == 0))
			return targets[device][i];
	return NULL;
}

/* "Pxe, Hdd": what it lists; "" where it lists nothing. Returns buf. */
static const char *listed(const json_t *host, const char *place, char *buf, size_t size)
{
	const json_t *item;
	size_t i, used = 0;

	*buf = '\0';
	json_array_foreach(doc_at(host, place), i, item)
	{
		const char *word = json_string_value(item);

		if (word && used + strlen(word) + 3 < size)
			used += (size_t)snprintf(
				buf + used, size - used, "%s%s", used ? ", " : "", word);
	}
	return buf;
}

static int no_target(
	const struct redfish_dev *dev, enum pctl_boot_device device, struct pctl_error *err)
{
	char words[160];

	(void)listed(dev->host, TARGETS, words, sizeof(words));
	return pctl_error_set(err, PCTL_E_UNSUPPORTED,
		"this system does not list '%s' among its boot devices: it has %s",
		targets[device][0], *words ? words : "none");
}

/* Fills in what is asked for, or says why it cannot be. */
static int check_wish(const struct redfish_dev *dev, struct boot_job *job, struct pctl_error *err)
{
	const struct pctl_boot *wish = job->wish;
	const struct quirks *q = redfish_quirks(dev);

	job->target = target_for(dev->host, wish->device);
	job->mode = modes[wish->mode];
	job->whole = q->flags & QUIRK_BOOT_WHOLE;
	job->alone =
		wish->device == PCTL_BOOT_NONE && job->target && (q->flags & QUIRK_BOOT_NONE_ALONE);
	if (wish->device == PCTL_BOOT_HTTP && wish->mode == PCTL_BOOT_MODE_LEGACY)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "an image from a URL is booted the UEFI way only");
	if (!json_is_object(doc_at(dev->host, "Boot")))
		return pctl_error_set(err, PCTL_E_UNSUPPORTED, "this system has no boot override");
	if (!job->target && wish->device != PCTL_BOOT_NONE)
		return no_target(dev, wish->device, err);
	if (wish->persistent && wish->device != PCTL_BOOT_NONE &&
		((q->flags & QUIRK_BOOT_ONCE) ||
			!doc_lists(dev->host, ENABLES, "Continuous", true)))
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"this system takes a boot device for the next start only: leave out "
			"--persistent, and set the order of its boot devices in its own setup "
			"(`powerctl boot bios`)");
	if (job->mode && !doc_at(dev->host, MODE))
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"this system does not let the boot mode be chosen");
	return 0;
}

/* What goes as Mode; NULL: nothing. */
static const char *mode_to_send(const struct redfish_dev *dev, const struct boot_job *job)
{
	const char *now = doc_text(dev->host, MODE);
	bool fixed = redfish_quirks(dev)->flags & QUIRK_BOOT_NO_MODE;

	if (job->wish->device == PCTL_BOOT_HTTP && doc_at(dev->host, MODE) && !fixed)
		return "UEFI";
	if (job->mode && (!now || strcmp(now, job->mode) != 0))
		return job->mode;
	if (!job->whole || fixed)
		return NULL;
	return job->mode ? job->mode : now;
}

static json_t *make_body(const struct redfish_dev *dev, const struct boot_job *job)
{
	const struct pctl_boot *wish = job->wish;
	const char *mode = mode_to_send(dev, job);
	json_t *boot = json_object();
	const char *enabled = wish->device == PCTL_BOOT_NONE ? "Disabled"
			      : wish->persistent             ? "Continuous"
							     : "Once";

	if (!job->alone)
		(void)json_object_set_new(boot, "BootSourceOverrideEnabled", json_string(enabled));
	if (job->target)
		(void)json_object_set_new(
			boot, "BootSourceOverrideTarget", json_string(job->target));
	if (mode)
		(void)json_object_set_new(boot, "BootSourceOverrideMode", json_string(mode));
	if (wish->device == PCTL_BOOT_HTTP && wish->url)
		(void)json_object_set_new(boot, "HttpBootUri", json_string(wish->url));
	return json_pack("{s:o}", "Boot", boot);
}

static void send_wish(struct redfish_dev *dev);

static void taken(struct redfish_dev *dev, const struct reply *reply)
{
	(void)reply;
	redfish_forget_system(dev);
	redfish_end(dev, NULL);
}

static void got_future(struct redfish_dev *dev, const struct reply *reply)
{
	struct boot_job *job = redfish_kept(dev);
	const char *etag = reply->etag ? reply->etag : doc_text(reply->doc, "@odata.etag");

	(void)snprintf(job->etag, sizeof(job->etag), "%s",
		etag && strlen(etag) < sizeof(job->etag) ? etag : "");
	(void)snprintf(job->path, sizeof(job->path), "%s", reply->path);
	send_wish(dev);
}

static bool go_to_future(struct redfish_dev *dev)
{
	struct boot_job *job = redfish_kept(dev);
	const char *path = doc_link(dev->host, FUTURE);

	if (!path || job->future)
		return false;
	job->future = true;
	redfish_get(dev, path, 0, got_future, NULL);
	return true;
}

/* The next shape; false: there is none that makes a difference. */
static bool reshape(const struct redfish_dev *dev, struct boot_job *job)
{
	bool had_mode = mode_to_send(dev, job) != NULL;

	if (++job->reshaped > 2)
		return false;
	if (job->reshaped == 1 && job->wish->device == PCTL_BOOT_NONE && job->target &&
		!job->whole) {
		job->alone = !job->alone;
		return true;
	}
	job->reshaped = 2;
	job->alone = false;
	job->whole = !job->whole;
	return (mode_to_send(dev, job) != NULL) != had_mode;
}

/* Which shape a service wants shows only when it has refused the other. */
static void refused(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	struct boot_job *job = redfish_kept(dev);
	bool elsewhere = reply->status == 405 || reply->status == 404 ||
			 doc_says(reply->doc, "OperationSupportedInFutureStateURI");

	if (elsewhere && go_to_future(dev))
		return;
	if (reply->status != 400 || err->code == PCTL_E_BUSY) {
		redfish_end(dev, job->reshaped ? &job->err : err);
		return;
	}
	if (!job->reshaped)
		job->err = *err;
	if (reshape(dev, job)) {
		send_wish(dev);
		return;
	}
	redfish_end(dev, &job->err);
}

static void send_wish(struct redfish_dev *dev)
{
	const struct boot_job *job = redfish_kept(dev);

	redfish_patch(
		dev, job->path, make_body(dev, job), job->etag, "the boot device", taken, refused);
}

static void got_system(struct redfish_dev *dev, const struct reply *reply)
{
	struct boot_job *job = redfish_kept(dev);
	struct pctl_error err = { 0 };

	(void)reply;
	if (check_wish(dev, job, &err) < 0) {
		redfish_end(dev, &err);
		return;
	}
	if (((redfish_quirks(dev)->flags & QUIRK_BOOT_SETTINGS) || dev->no_patch) &&
		go_to_future(dev))
		return;
	(void)snprintf(job->path, sizeof(job->path), "%s", dev->system_path);
	(void)snprintf(job->etag, sizeof(job->etag), "%s", dev->etag);
	send_wish(dev);
}

static void set(void *data, struct pctl_op *op, const struct pctl_boot *boot)
{
	struct redfish_dev *dev = data;

	redfish_begin(dev, op, true);
	struct boot_job *job = redfish_keep(dev, sizeof(*job), NULL);
	job->wish = boot;
	redfish_read_system(dev, got_system);
}

/* --- Get. ------------------------------------------------------------------------------------- */

static enum pctl_boot_device device_of(const char *target)
{
	for (int d = 0; target && d < PCTL_BOOT_COUNT; d++)
		for (size_t i = 0; i < 3 && targets[d][i]; i++)
			if (strcmp(targets[d][i], target) == 0)
				return (enum pctl_boot_device)d;
	return PCTL_BOOT_COUNT;
}

static void tell(struct redfish_dev *dev, const json_t *doc)
{
	const struct boot_job *job = redfish_kept(dev);
	const char *enabled = doc_text(doc, BOOT "BootSourceOverrideEnabled");
	const char *target = doc_text(doc, BOOT "BootSourceOverrideTarget");
	const char *mode = doc_text(doc, MODE);
	enum pctl_boot_device device = device_of(target);

	if (!enabled || strcmp(enabled, "Disabled") == 0 || !target) {
		redfish_end(dev, NULL);
		return;
	}
	if (device == PCTL_BOOT_COUNT) {
		redfish_fail(dev, PCTL_E_UNSUPPORTED,
			"it is set to boot from '%.60s', which has no word here", target);
		return;
	}
	job->ret->device = device;
	job->ret->persistent = strcmp(enabled, "Continuous") == 0;
	for (int m = PCTL_BOOT_MODE_LEGACY; mode && m <= PCTL_BOOT_MODE_UEFI; m++)
		if (strcmp(mode, modes[m]) == 0)
			job->ret->mode = (enum pctl_boot_mode)m;
	redfish_end(dev, NULL);
}

static void got_settings(struct redfish_dev *dev, const struct reply *reply)
{
	tell(dev, doc_at(reply->doc, BOOT "BootSourceOverrideEnabled") ? reply->doc : dev->host);
}

static void no_settings(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply)
{
	(void)reply;
	if (redfish_lacks(err))
		tell(dev, dev->host);
	else
		redfish_end(dev, err);
}

static void got_state(struct redfish_dev *dev, const struct reply *reply)
{
	const char *path = doc_link(dev->host, FUTURE);

	(void)reply;
	/* There it stands until the next start. */
	if (path && (redfish_quirks(dev)->flags & QUIRK_BOOT_SETTINGS))
		redfish_get(dev, path, 0, got_settings, no_settings);
	else
		tell(dev, dev->host);
}

static void get(void *data, struct pctl_op *op, struct pctl_boot *ret)
{
	struct redfish_dev *dev = data;

	redfish_begin(dev, op, false);
	struct boot_job *job = redfish_keep(dev, sizeof(*job), NULL);
	job->ret = ret;
	redfish_read_system(dev, got_state);
}

#define BIT(d) PCTL_BOOT_BIT(PCTL_BOOT_##d)
#define ALL \
	(BIT(NONE) | BIT(PXE) | BIT(DISK) | BIT(CD) | BIT(USB) | BIT(BIOS) | BIT(DIAG) | BIT(HTTP))

const struct pctl_boot_if redfish_boot = {
	.size = sizeof(redfish_boot),
	.once = ALL,
	.persistent = ALL,
	.set = set,
	.get = get,
};

bool redfish_boot_lacks(const struct redfish_dev *dev, uint32_t *ret)
{
	uint32_t all = redfish_boot.once | redfish_boot.persistent, lacks = 0;

	if (!json_is_array(doc_at(dev->host, TARGETS)))
		return false;
	for (unsigned i = 0; i < PCTL_BOOT_COUNT; i++)
		if (i != PCTL_BOOT_NONE && (all & PCTL_BOOT_BIT(i)) &&
			!target_for(dev->host, (enum pctl_boot_device)i))
			lacks |= PCTL_BOOT_BIT(i);
	*ret = lacks;
	return true;
}
