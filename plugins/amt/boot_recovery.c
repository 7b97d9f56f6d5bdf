/* SPDX-License-Identifier: Apache-2.0 */
#include "boot_recovery.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "url_check.h"

static const struct wsman_class settings = WSMAN_CLASS(WSMAN_AMT, "AMT_BootSettingData");
static const struct wsman_class capabilities = WSMAN_CLASS(WSMAN_AMT, "AMT_BootCapabilities");
static const struct wsman_class service = WSMAN_CLASS(WSMAN_CIM, "CIM_BootService");
static const struct wsman_class sources = WSMAN_CLASS(WSMAN_CIM, "CIM_BootSourceSetting");
static const struct wsman_class setup = WSMAN_CLASS(WSMAN_AMT, "AMT_SetupAndConfigurationService");
static const struct wsman_class certificates = WSMAN_CLASS(WSMAN_AMT, "AMT_PublicKeyCertificate");

/* CIM_BootService.EnabledState; the same with remote erase. */
enum { STATE_OFF = 32768, STATE_ERASE_ONLY = 32770 };
enum { CLIENT_CONTROL_MODE = 4 };

/* The ways there are, and what firmware says about each. */
static const struct way {
	const char *name;
	const char *enabled;    /* in AMT_BootSettingData: not in the BIOS's way */
	const char *capability; /* in AMT_BootCapabilities */
} ways[] = {
	{ "HTTPS boot", "UEFIHTTPSBootEnabled", "ForceUEFIHTTPSBoot" },
	{ "recovery of Windows", "WinREBootEnabled", "ForceWinREBoot" },
	{ "start of a local application", "UEFILocalPBABootEnabled", "ForceUEFIPBABoot" },
};
enum { WAY_HTTP, WAY_WINRE, WAY_LOCAL };

#define HTTP_SOURCE "Intel(r) AMT: Force OCR UEFI HTTPS Boot"

struct recovery_work {
	struct amt_dev *dev;
	void (*then)(struct amt_dev *dev);
	const struct way *way;
	struct recovery parameters;
	struct url_waiter waiter;
	struct pctl_buf roots;
	const char *wanted; /* the setting `recovery` */
	unsigned fitting;   /* sources found */
	bool too_long;      /* one of them has a name that we cannot keep */
	char source[80], path[RECOVERY_MAX_URL + 2], names[240];
};

static struct recovery_work *work(const struct amt_dev *dev)
{
	return dev->work.boot.recovery;
}

const struct recovery *boot_recovery_parameters(const struct amt_dev *dev)
{
	return &work(dev)->parameters;
}

const char *boot_recovery_source(const struct amt_dev *dev)
{
	return work(dev)->source;
}

/* --- The wish. -------------------------------------------------------------------------------- */

static struct recovery_wish wish_of(const struct pctl_device *d, const char *url)
{
	return (struct recovery_wish){
		.url = url,
		.image_hash = pctl_setting_text(d, "boot_image_hash"),
		.server_name = pctl_setting_text(d, "boot_server_name"),
		.server_hash = pctl_setting_text(d, "boot_server_hash"),
		.user = pctl_setting_text(d, "boot_user"),
		.password = pctl_setting_secret(d, "boot_password"),
	};
}

int boot_recovery_check(const struct pctl_device *d, struct pctl_error *err)
{
	const struct recovery_wish wish = wish_of(d, NULL);
	bool user = pctl_setting_given(d, "boot_user");

	if (user != pctl_setting_given(d, "boot_password"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s: is missing; the image's server takes boot_user and boot_password",
			user ? "boot_password" : "boot_user");
	if (!*pctl_setting_text(d, "recovery"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"recovery: is empty; it is winre, pba, or a part of an application's path");
	return recovery_check(&wish, err);
}

bool boot_recovery_wanted(const struct pctl_boot *wish)
{
	return wish->device == PCTL_BOOT_HTTP || wish->device == PCTL_BOOT_RECOVERY;
}

/* An older core has no flags. */
static bool is_unchecked(const struct pctl_boot *wish)
{
	return wish->size >= offsetof(struct pctl_boot, flags) + sizeof(wish->flags) &&
	       wish->flags & PCTL_BOOT_UNCHECKED;
}

int boot_recovery_check_wish(
	const struct pctl_device *d, const struct pctl_boot *wish, struct pctl_error *err)
{
	const struct recovery_wish what = wish_of(d, wish->url);
	struct recovery unused;

	if (wish->device == PCTL_BOOT_RECOVERY && !pctl_setting_bool(d, "secure_boot"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"secure_boot: the firmware starts what is on the machine's own disk only "
			"where Secure Boot holds for it: take secure_boot: false away");
	if (wish->device == PCTL_BOOT_RECOVERY)
		return 0;
	int r = recovery_network(&what, &unused, err);
	explicit_bzero(&unused, sizeof(unused));
	return r;
}

/* --- Ends. ------------------------------------------------------------------------------------ */

static void over(void *kept)
{
	struct recovery_work *w = kept;

	url_check_leave(&w->waiter);
	pctl_buf_done(&w->roots);
	w->dev->work.boot.recovery = NULL;
	explicit_bzero(&w->parameters, sizeof(w->parameters));
	free(w);
}

static void go_on(struct amt_dev *dev)
{
	work(dev)->then(dev);
}

/* --- The URL. --------------------------------------------------------------------------------- */

static void url_checked(struct url_waiter *waiter, const struct pctl_error *err)
{
	struct recovery_work *w = pctl_container_of(waiter, struct recovery_work, waiter);

	pctl_op_untouched(w->dev->call.op, false);
	if (err)
		amt_end(w->dev, err);
	else
		go_on(w->dev);
}

static void check_url(struct amt_dev *dev)
{
	struct recovery_work *w = work(dev);
	const struct url_check_wish wish = {
		.what = wish_of(dev->device, dev->work.boot.wish->url),
		.roots = w->roots.data ? w->roots.data : "",
		.secure_boot = pctl_setting_bool(dev->device, "secure_boot"),
	};

	if (w->roots.full) {
		amt_fail(dev, PCTL_E_PROTOCOL,
			"the machine's root certificates have more than %zu kB together",
			URL_CHECK_ROOTS_MAX >> 10);
		return;
	}
	w->waiter.done = url_checked;
	pctl_op_untouched(dev->call.op, true);
	url_check_begin(dev->amt, &wish, &w->waiter);
}

static void each_certificate(struct amt_dev *dev, const struct xml_node *item)
{
	struct pctl_buf *roots = &work(dev)->roots;
	const char *blob = xml_text(item, "X509Certificate");
	const char *trusted = xml_text(item, "TrustedRootCertficate"); /* as firmware spells it */

	if (!trusted)
		trusted = xml_text(item, "TrustedRootCertificate");
	/* A list that was begun anew tells some twice. */
	if (!blob || !*blob || !trusted || strcmp(trusted, "true") != 0 ||
		(roots->data && strstr(roots->data, blob)))
		return;
	pctl_buf_adds(roots, blob);
	pctl_buf_adds(roots, "\n");
}

static void got_certificates(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	check_url(dev);
}

static void no_certificates(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_FORBIDDEN)
		amt_fail(dev, PCTL_E_FORBIDDEN,
			"this user may not read which root certificates the machine trusts, so "
			"that the URL cannot be checked; --no-url-check leaves this check out");
	else
		amt_end(dev, err);
}

/* --- What is on the machine's own disk. ------------------------------------------------------- */

static bool contains(const char *text, const char *part)
{
	size_t n = strlen(part);

	for (; *text; text++)
		if (strncasecmp(text, part, n) == 0)
			return true;
	return n == 0;
}

static bool fits(const char *wanted, const char *bios, const char *path)
{
	bool windows = strncasecmp(bios, "WinRe", 5) == 0;

	if (strcmp(wanted, "winre") == 0)
		return windows;
	return !windows && (strcmp(wanted, "pba") == 0 || contains(path, wanted));
}

static void each_source(struct amt_dev *dev, const struct xml_node *item)
{
	struct recovery_work *w = work(dev);
	const char *id = xml_text(item, "InstanceID");
	const char *bios = xml_text(item, "BIOSBootString");
	const char *path = xml_text(item, "BootString");
	size_t used = strlen(w->names);

	if (!id || !bios || !path || !fits(w->wanted, bios, path) || strcmp(id, w->source) == 0)
		return;
	if (strlen(id) >= sizeof(w->source)) {
		w->too_long = true;
		return;
	}
	if (w->fitting++ == 0) {
		(void)snprintf(w->source, sizeof(w->source), "%s", id);
		(void)snprintf(w->path, sizeof(w->path), "%s", path);
	}
	(void)snprintf(
		w->names + used, sizeof(w->names) - used, "%s%.100s", used ? ", " : "", path);
}

static void got_sources(struct amt_dev *dev, const struct xml_node *answer)
{
	struct recovery_work *w = work(dev);
	struct pctl_error err = { 0 };

	(void)answer;
	if (w->too_long)
		amt_fail(dev, PCTL_E_PROTOCOL,
			"what the BIOS of this machine lists to recover it with has a name of more "
			"than %zu bytes",
			sizeof(w->source) - 1);
	else if (w->fitting == 0)
		amt_fail(dev, PCTL_E_UNSUPPORTED,
			"the BIOS of this machine lists nothing to recover it with that is '%s'",
			w->wanted);
	else if (w->fitting > 1)
		amt_fail(dev, PCTL_E_CONFIG,
			"recovery: '%s' is more than one thing on this machine: %s; a part of a "
			"path says which",
			w->wanted, w->names);
	else if (recovery_file(w->path, &w->parameters, &err) < 0)
		amt_end(dev, &err);
	else
		go_on(dev);
}

/* --- The machine. ----------------------------------------------------------------------------- */

static void machine_is_ready(struct amt_dev *dev)
{
	const struct pctl_boot *wish = dev->work.boot.wish;

	if (wish->device == PCTL_BOOT_RECOVERY)
		amt_list(dev, &sources, each_source, got_sources, NULL);
	else if (is_unchecked(wish))
		go_on(dev);
	else if (strncmp(wish->url, "https:", 6) == 0)
		amt_list(dev, &certificates, each_certificate, got_certificates, no_certificates);
	else
		check_url(dev);
}

static void got_setup(struct amt_dev *dev, const struct xml_node *answer)
{
	if (xml_uint(answer, "ProvisioningMode", 0) == CLIENT_CONTROL_MODE)
		amt_fail(dev, PCTL_E_UNSUPPORTED,
			"secure_boot: false is refused in client control mode, where Secure Boot "
			"always holds");
	else
		machine_is_ready(dev);
}

/* Some users may not read it; the firmware then says so itself. */
static void no_setup(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED || err->code == PCTL_E_FORBIDDEN)
		machine_is_ready(dev);
	else
		amt_end(dev, err);
}

static void is_switched_on(struct amt_dev *dev)
{
	if (pctl_setting_bool(dev->device, "secure_boot"))
		machine_is_ready(dev);
	else
		amt_get(dev, &setup, got_setup, no_setup);
}

static void got_service(struct amt_dev *dev, const struct xml_node *answer)
{
	uint64_t state = xml_uint(answer, "EnabledState", 0);

	if (state == STATE_OFF || state == STATE_ERASE_ONLY)
		amt_fail(dev, PCTL_E_FORBIDDEN,
			"One-Click Recovery is switched off on this machine; `powerctl amt "
			"features recovery=on NODE` switches it on");
	else
		is_switched_on(dev);
}

/* Firmware before 16 does not answer for it. */
static void no_service(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED || err->code == PCTL_E_FORBIDDEN)
		is_switched_on(dev);
	else
		amt_end(dev, err);
}

static void got_capabilities(struct amt_dev *dev, const struct xml_node *answer)
{
	const struct way *way = work(dev)->way;

	if (!xml_true(answer, way->capability))
		amt_fail(dev, PCTL_E_UNSUPPORTED, "this firmware has no %s (One-Click Recovery)",
			way->name);
	else if (!pctl_setting_bool(dev->device, "secure_boot") &&
		 xml_text(answer, "AMTSecureBootControl") &&
		 !xml_true(answer, "AMTSecureBootControl"))
		amt_fail(dev, PCTL_E_UNSUPPORTED,
			"this firmware has no say in Secure Boot, so that secure_boot: false is "
			"of no use");
	else
		amt_get(dev, &service, got_service, no_service);
}

static int check_settings(
	struct amt_dev *dev, const struct xml_node *instance, struct pctl_error *err)
{
	const struct way *way = work(dev)->way;

	if (!dev->link.tls)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"%s (One-Click Recovery) is taken over TLS only; set up TLS on the "
			"device and `tls: true`",
			way->name);
	if (!xml_text(instance, way->enabled))
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"this firmware has no %s (One-Click Recovery)", way->name);
	if (!xml_true(instance, way->enabled))
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"%s is disabled in the BIOS of this machine", way->name);
	if (!pctl_setting_bool(dev->device, "secure_boot") &&
		xml_text(instance, "SecureBootControlEnabled") &&
		!xml_true(instance, "SecureBootControlEnabled"))
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"the BIOS of this machine does not let AMT leave Secure Boot out: take "
			"secure_boot: false away, or allow it there");
	return 0;
}

static void got_settings(struct amt_dev *dev, const struct xml_node *answer)
{
	struct pctl_error err = { 0 };

	if (check_settings(dev, answer, &err) < 0)
		amt_end(dev, &err);
	else
		amt_get(dev, &capabilities, got_capabilities, NULL);
}

void boot_recovery_prepare(struct amt_dev *dev, void (*then)(struct amt_dev *dev))
{
	const struct pctl_boot *wish = dev->work.boot.wish;
	struct recovery_work *w = pctl_xcalloc(1, sizeof(*w));
	const struct recovery_wish what = wish_of(dev->device, wish->url);
	bool http = wish->device == PCTL_BOOT_HTTP;
	struct pctl_error err = { 0 };

	w->dev = dev;
	w->then = then;
	w->wanted = pctl_setting_text(dev->device, "recovery");
	w->way = &ways[http ? WAY_HTTP : strcmp(w->wanted, "winre") == 0 ? WAY_WINRE : WAY_LOCAL];
	pctl_buf_init(&w->roots, URL_CHECK_ROOTS_MAX);
	if (http)
		(void)snprintf(w->source, sizeof(w->source), HTTP_SOURCE);
	dev->work.boot.recovery = w;
	amt_keep(dev, w, over);
	if (http && recovery_network(&what, &w->parameters, &err) < 0)
		amt_end(dev, &err);
	else
		amt_get(dev, &settings, got_settings, NULL);
}
