/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The next start's device. The order of requests is the one on which the peers converge: read the
 * settings, clear the boot order (a source that is still there blocks the Put, or wins), write the
 * settings, arm them, set the boot order; the core then does the power action that uses them up.
 *
 * None of these requests is the op's commit point: setting the same again does no harm, so the core
 * may begin anew after an accident. Only the power action acts on the machine.
 */
#include <stddef.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "amt.h"
#include "boot_recovery.h"
#include "version.h"

static const struct wsman_class settings = WSMAN_CLASS(WSMAN_AMT, "AMT_BootSettingData");
static const struct wsman_class config_class = WSMAN_CLASS(WSMAN_CIM, "CIM_BootConfigSetting");
static const struct wsman_class source_class = WSMAN_CLASS(WSMAN_CIM, "CIM_BootSourceSetting");
static const struct wsman_class boot_service = WSMAN_CLASS(WSMAN_CIM, "CIM_BootService");
static const struct wsman_class associations = WSMAN_CLASS(WSMAN_CIM, "CIM_ElementSettingData");
static const struct wsman_class order = WSMAN_CLASS(WSMAN_CIM, "CIM_OrderedComponent");

#define CONFIG "Intel(r) AMT: Boot Configuration 0"
static const struct wsman_selector config[] = { { "InstanceID", CONFIG }, { NULL, NULL } };

enum { ROLE_NEXT_SINGLE_USE = 1, ROLE_NOT_NEXT = 32768 };
enum { IS_NEXT_SINGLE_USE = 3 };
enum { IDER_FLOPPY = 0, IDER_CD = 1 };

/* How each device is asked for. */
static const struct target {
	const char *source;  /* InstanceID of the CIM_BootSourceSetting, or NULL */
	const char *setting; /* the boolean of AMT_BootSettingData to set, or NULL */
} targets[PCTL_BOOT_COUNT] = {
	[PCTL_BOOT_PXE] = { .source = "Intel(r) AMT: Force PXE Boot" },
	[PCTL_BOOT_DISK] = { .source = "Intel(r) AMT: Force Hard-drive Boot" },
	[PCTL_BOOT_CD] = { .source = "Intel(r) AMT: Force CD/DVD Boot" },
	[PCTL_BOOT_DIAG] = { .source = "Intel(r) AMT: Force Diagnostic Boot" },
	[PCTL_BOOT_BIOS] = { .setting = "BIOSSetup" },
	[PCTL_BOOT_HTTP] = { .source = "Intel(r) AMT: Force OCR UEFI HTTPS Boot",
		.setting = "ForcedProgressEvents" },
	/* Which number the source has is the machine's matter. */
	[PCTL_BOOT_RECOVERY] = { .source = "Intel(r) AMT: Force OCR UEFI Boot Option",
		.setting = "ForcedProgressEvents" },
};

/*
 * What a Put may hold, in the order in which the firmware wants it; of these only what its Get
 * returned. Anything else it has is read-only and refused in a Put.
 */
static const struct field {
	const char *name;
	enum { CLEAR, ZERO, IDER_DEVICE, KEEP, SECURE_BOOT, PARAMETERS, PARAMETER_COUNT } how;
} fields[] = {
	{ "BIOSPause", CLEAR },
	{ "BIOSSetup", CLEAR },
	{ "BootMediaIndex", ZERO },
	{ "ConfigurationDataReset", CLEAR },
	{ "ElementName", KEEP },
	{ "EnforceSecureBoot", SECURE_BOOT },
	{ "FirmwareVerbosity", ZERO },
	{ "ForcedProgressEvents", CLEAR },
	{ "IDERBootDevice", IDER_DEVICE },
	{ "InstanceID", KEEP },
	{ "LockKeyboard", CLEAR },
	{ "LockPowerButton", CLEAR },
	{ "LockResetButton", CLEAR },
	{ "LockSleepButton", CLEAR },
	{ "OwningEntity", KEEP },
	{ "PlatformErase", CLEAR },
	{ "RSEPassword", KEEP }, /* write-only: it comes back empty */
	{ "ReflashBIOS", CLEAR },
	{ "SecureErase", CLEAR },
	{ "UefiBootParametersArray", PARAMETERS },
	{ "UefiBootNumberOfParams", PARAMETER_COUNT },
	{ "UseIDER", CLEAR },
	{ "UseSOL", CLEAR },
	{ "UseSafeMode", CLEAR },
	{ "UserPasswordBypass", CLEAR },
};

/* An older core has no flags. */
static bool has_flag(const struct pctl_boot *wish, uint32_t flag)
{
	return wish->size >= offsetof(struct pctl_boot, flags) + sizeof(wish->flags) &&
	       wish->flags & flag;
}

static bool wants_console(const struct pctl_boot *wish)
{
	return has_flag(wish, PCTL_BOOT_WITH_CONSOLE);
}

/* From a drive that is redirected; no source goes with that either. */
static bool wants_media(const struct pctl_boot *wish)
{
	return has_flag(wish, PCTL_BOOT_WITH_MEDIA);
}

static const struct target *target_of(const struct pctl_boot *wish)
{
	static const struct target media = { .setting = "UseIDER" };

	return wants_media(wish) ? &media : &targets[wish->device];
}

static const struct target *target(const struct amt_dev *dev)
{
	return target_of(dev->work.boot.wish);
}

/* --- User consent. ---------------------------------------------------------------------------- */

#define WHAT "boot options"

static bool lacks_consent(struct amt_dev *dev, const struct xml_node *service)
{
	return amt_consent_lacks(dev, service, PCTL_CONSENT_ALL);
}

static void got_reason(struct amt_dev *dev, const struct xml_node *answer)
{
	if (lacks_consent(dev, answer))
		amt_consent_want(dev, WHAT, dev->call.saved);
	else
		amt_end(dev, dev->call.saved);
}

static void no_reason(struct amt_dev *dev, const struct pctl_error *err)
{
	(void)err;
	amt_end(dev, dev->call.saved);
}

/* "Access denied" is said both for a missing right and for missing consent. */
static void on_denied(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_CONSENT) {
		pctl_fact_put(dev->device, FACT_CONSENT, "all");
		amt_consent_want(dev, WHAT, err);
	} else if (err->code != PCTL_E_FORBIDDEN) {
		amt_end(dev, err);
	} else {
		dev->call.saved = pctl_xcalloc(1, sizeof(*err));
		*dev->call.saved = *err;
		amt_get(dev, &amt_opt_in, got_reason, no_reason);
	}
}

/* --- Setting. --------------------------------------------------------------------------------- */

static const char *word(bool yes)
{
	return yes ? "true" : "false";
}

/* recovery is NULL but for One-Click Recovery. */
static void put_field(struct amt_dev *dev, struct wsman *w, const struct field *f, const char *was,
	const struct recovery *recovery)
{
	const char *wanted = target(dev)->setting;
	bool console = wants_console(dev->work.boot.wish);

	switch (f->how) {
	case CLEAR:
		wsman_text(w, f->name,
			word((wanted && strcmp(wanted, f->name) == 0) ||
				(console && strcmp(f->name, "UseSOL") == 0)));
		break;
	case ZERO:
		wsman_uint(w, f->name, 0);
		break;
	case IDER_DEVICE:
		wsman_uint(w, f->name,
			wants_media(dev->work.boot.wish) &&
					dev->work.boot.wish->device == PCTL_BOOT_CD
				? IDER_CD
				: IDER_FLOPPY);
		break;
	case KEEP:
		wsman_text(w, f->name, was);
		break;
	case SECURE_BOOT:
		if (recovery)
			was = word(pctl_setting_bool(dev->device, "secure_boot"));
		wsman_text(w, f->name, was);
		break;
	case PARAMETERS:
		if (recovery)
			wsman_text(w, f->name, recovery->base64);
		break;
	case PARAMETER_COUNT:
		wsman_uint(w, f->name, recovery ? recovery->count : 0);
		break;
	}
}

/* Only what the Get returned: older firmware refuses fields that it does not know. */
static void put_fields(struct amt_dev *dev, struct wsman *w, const struct xml_node *got,
	const struct recovery *recovery)
{
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct field *f = &fields[i];
		const char *was = xml_text(got, f->name);

		if (was || (recovery && f->how >= PARAMETERS))
			put_field(dev, w, f, was ? was : "", recovery);
	}
}

static void finish_set(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_end(dev, NULL);
}

/* AMT up to 5.0 wants the parameter in lower case. */
static const char *source_name(const struct amt_dev *dev)
{
	const char *s = version_in_server(dev->server);
	struct version v;

	if (!s || !version_parse(s, &v))
		return "Source";
	return v.major < 5 || (v.major == 5 && v.minor == 0) ? "source" : "Source";
}

static void change_order(
	struct amt_dev *dev, const char *source, amt_then_fn *then, amt_except_fn *except)
{
	struct wsman *w = amt_invoke(dev, &config_class, "ChangeBootOrder", STATUS_BOOT_ORDER);

	if (source) {
		const struct wsman_selector s[] = { { "InstanceID", source }, { NULL, NULL } };
		wsman_reference(w, source_name(dev), &source_class, s);
	}
	amt_send(dev, then, except);
}

static void armed(struct amt_dev *dev, const struct xml_node *answer)
{
	bool recovery = dev->work.boot.recovery;

	(void)answer;
	change_order(dev, recovery ? boot_recovery_source(dev) : target(dev)->source, finish_set,
		on_denied);
}

/* Firmware before 7.0 cannot disarm; with its settings and its order cleared nothing is left. */
static void not_disarmed(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED || err->code == PCTL_E_REFUSED)
		amt_end(dev, NULL);
	else
		amt_end(dev, err);
}

static void written(struct amt_dev *dev, const struct xml_node *answer)
{
	const struct pctl_boot *wish = dev->work.boot.wish;
	bool clear = wish->device == PCTL_BOOT_NONE && !wants_console(wish);
	struct wsman *w = amt_invoke(dev, &boot_service, "SetBootConfigRole", STATUS_BOOT_ROLE);

	(void)answer;
	wsman_reference(w, "BootConfigSetting", &config_class, config);
	wsman_uint(w, "Role", clear ? ROLE_NOT_NEXT : ROLE_NEXT_SINGLE_USE);
	if (clear)
		amt_send(dev, finish_set, not_disarmed);
	else
		amt_send(dev, armed, on_denied);
}

static void order_cleared(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_unhold(dev);
	amt_send(dev, written, on_denied);
}

static void clear_order(struct amt_dev *dev)
{
	change_order(dev, NULL, order_cleared, on_denied);
}

/* 0, or why this machine's settings do not allow the wish. */
static int check_settings(
	struct amt_dev *dev, const struct xml_node *instance, struct pctl_error *err)
{
	const char *wanted = target(dev)->setting;

	if (!xml_text(instance, "InstanceID"))
		return pctl_error_set(
			err, PCTL_E_PROTOCOL, "the boot settings came without their InstanceID");
	if (wants_console(dev->work.boot.wish) && !xml_text(instance, "UseSOL"))
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"this firmware cannot show its BIOS on the console (no UseSOL)");
	if (wanted && !xml_text(instance, wanted))
		return pctl_error_set(
			err, PCTL_E_UNSUPPORTED, "this firmware has no boot setting %s", wanted);
	return 0;
}

static void got_settings(struct amt_dev *dev, const struct xml_node *answer)
{
	const struct recovery *r = dev->work.boot.recovery ? boot_recovery_parameters(dev) : NULL;
	struct pctl_error err = { 0 };
	struct wsman *w;

	if (check_settings(dev, answer, &err) < 0) {
		amt_end(dev, &err);
		return;
	}
	/* Written now, while the answer is there; sent once the boot order is cleared. */
	w = amt_put(dev, &settings);
	put_fields(dev, w, answer, r);
	amt_hold(dev);
	clear_order(dev);
}

static void read_settings(struct amt_dev *dev)
{
	amt_get(dev, &settings, got_settings, NULL);
}

static void agreed(struct amt_dev *dev)
{
	if (boot_recovery_wanted(dev->work.boot.wish))
		boot_recovery_prepare(dev, read_settings);
	else
		read_settings(dev);
}

static void got_consent(struct amt_dev *dev, const struct xml_node *answer)
{
	if (lacks_consent(dev, answer))
		amt_consent_want(dev, WHAT, NULL);
	else
		agreed(dev);
}

static void no_consent_service(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED || err->code == PCTL_E_FORBIDDEN)
		agreed(dev);
	else
		amt_end(dev, err);
}

static int check_wish(
	const struct amt_dev *dev, const struct pctl_boot *wish, struct pctl_error *err)
{
	bool clear = wish->device == PCTL_BOOT_NONE, recovery = boot_recovery_wanted(wish);
	const struct target *t = target_of(wish);

	if (wants_media(wish) && wish->device != PCTL_BOOT_CD && wish->device != PCTL_BOOT_USB)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"media are booted from as cd or usb, not as %s",
			pctl_boot_device_name(wish->device));
	if (!clear && !t->source && !t->setting)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED, "Intel AMT cannot boot from %s",
			pctl_boot_device_name(wish->device));
	/* Firmware refuses both together: "invalid message length". */
	if (wants_console(wish) && t->source)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"Intel AMT does not show the BIOS on the console while it boots from %s",
			pctl_boot_device_name(wish->device));
	if (wish->persistent && !clear)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"Intel AMT sets a boot device for the next start only");
	if (wish->mode == PCTL_BOOT_MODE_LEGACY || (wish->mode == PCTL_BOOT_MODE_UEFI && !recovery))
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"Intel AMT has no say in whether a machine boots by UEFI or legacy BIOS");
	if (recovery && pctl_setting_choice(dev->device, "tls") == LINK_TLS_FALSE)
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"One-Click Recovery (boot http, boot recovery) is taken over TLS only, and "
			"the inventory says `tls: false`");
	return recovery ? boot_recovery_check_wish(dev->device, wish, err) : 0;
}

static void set(void *data, struct pctl_op *op, const struct pctl_boot *boot)
{
	struct amt_dev *dev = data;
	struct pctl_error err = { 0 };
	const char *consent = pctl_fact_get(dev->device, FACT_CONSENT);

	amt_begin(dev, op);
	dev->work.boot = (struct boot_work){ .wish = boot };
	if (check_wish(dev, boot, &err) < 0) {
		amt_end(dev, &err);
		return;
	}
	/*
	 * Without consent some firmware takes every request and then boots as always. Where consent
	 * was once seen to be wanted, it is worth a request to ask.
	 */
	if (consent && strcmp(consent, "all") == 0)
		amt_get(dev, &amt_opt_in, got_consent, no_consent_service);
	else
		agreed(dev);
}

/* --- Reading. --------------------------------------------------------------------------------- */

/* The InstanceID in a reference, or "". */
static const char *instance(const struct xml_node *reference)
{
	const struct xml_node *set = xml_find(reference, "SelectorSet");
	const struct xml_node *s = xml_child(set, "Selector");

	for (; s; s = xml_again(s)) {
		if (s->key && strcmp(s->key, "InstanceID") == 0)
			return s->text;
	}
	return "";
}

static void finish_get(struct amt_dev *dev, enum pctl_boot_device device)
{
	struct pctl_boot *ret = dev->work.boot.ret;

	ret->device = device;
	ret->mode = PCTL_BOOT_MODE_ANY;
	ret->persistent = false;
	ret->url = NULL;
	amt_end(dev, NULL);
}

static bool is_source(const struct target *t, const char *source)
{
	bool numbered = t == &targets[PCTL_BOOT_RECOVERY];

	return t->source && strncmp(t->source, source, strlen(t->source)) == 0 &&
	       (numbered || strcmp(t->source, source) == 0);
}

/* Sources with number 0 are not used; of the others only the first is. */
static void each_source(struct amt_dev *dev, const struct xml_node *item)
{
	struct boot_work *w = &dev->work.boot;
	const char *sequence = xml_text(item, "AssignedSequence");
	const char *source = instance(xml_child(item, "PartComponent"));
	uint64_t n;

	if (!sequence || pctl_parse_uint(sequence, UINT32_MAX, &n) < 0 || !n ||
		(w->sequence && n >= w->sequence))
		return;
	for (int i = 0; i < PCTL_BOOT_COUNT; i++) {
		if (is_source(&targets[i], source)) {
			w->found = (enum pctl_boot_device)i;
			w->sequence = n;
		}
	}
}

static void got_order(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	finish_get(dev, dev->work.boot.sequence ? dev->work.boot.found : PCTL_BOOT_NONE);
}

static void no_order(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED)
		amt_fail(dev, PCTL_E_UNSUPPORTED,
			"a boot device is set, but this firmware does not tell which");
	else
		amt_end(dev, err);
}

static void got_armed_settings(struct amt_dev *dev, const struct xml_node *answer)
{
	if (xml_true(answer, "BIOSSetup") || xml_true(answer, "BIOSPause"))
		finish_get(dev, PCTL_BOOT_BIOS);
	else if (xml_true(answer, "UseIDER")) /* of the drives that are redirected */
		finish_get(dev, xml_uint(answer, "IDERBootDevice", IDER_CD) == IDER_FLOPPY
					? PCTL_BOOT_USB
					: PCTL_BOOT_CD);
	else
		amt_list(dev, &order, each_source, got_order, no_order);
}

static void each_association(struct amt_dev *dev, const struct xml_node *item)
{
	const char *next = xml_text(item, "IsNext");
	uint64_t n;

	if (strcmp(instance(xml_child(item, "SettingData")), CONFIG) != 0)
		return;
	if (next && pctl_parse_uint(next, UINT32_MAX, &n) == 0 && n == IS_NEXT_SINGLE_USE)
		dev->work.boot.armed = true;
}

static void got_associations(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	if (dev->work.boot.armed)
		amt_get(dev, &settings, got_armed_settings, NULL);
	else
		finish_get(dev, PCTL_BOOT_NONE);
}

static void get(void *data, struct pctl_op *op, struct pctl_boot *ret)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	dev->work.boot = (struct boot_work){ .ret = ret };
	amt_list(dev, &associations, each_association, got_associations, NULL);
}

#define BIT(d) PCTL_BOOT_BIT(PCTL_BOOT_##d)

const struct pctl_boot_if amt_boot = {
	.size = sizeof(amt_boot),
	.flags = PCTL_BOOT_APPLY_AT_POWER_ACTION | PCTL_BOOT_TAKES_CONSOLE | PCTL_BOOT_TAKES_MEDIA,
	.once = BIT(NONE) | BIT(PXE) | BIT(DISK) | BIT(CD) | BIT(BIOS) | BIT(DIAG) | BIT(HTTP) |
		BIT(RECOVERY),
	.set = set,
	.get = get,
};
