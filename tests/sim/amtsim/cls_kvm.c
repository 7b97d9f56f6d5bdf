/* SPDX-License-Identifier: Apache-2.0 */
/* The classes about the screen: which one KVM shows, the port for viewers, what screens there are.
 */
#include "classes.h"
#include "sim.h"

#include <ctype.h>
#include <string.h>

enum { SCREENS = 4, SCREEN_MAX = 2, STATUS_NOT_FOUND = 2068 };

#define SETTINGS "Intel(r) KVM Redirection Settings"

static bool has_kvm(const struct device *dev)
{
	return !dev->knobs.no_kvm;
}

static const char *word(bool yes)
{
	return yes ? "true" : "false";
}

static void emit_settings(struct call *c, size_t i)
{
	const struct device *dev = c->dev;
	bool newer = dev->profile->major >= 15;

	(void)i;
	emit_field(c, "BackToBackFbMode", "false");
	emit_number(c, "DefaultScreen", dev->vnc.screen);
	if (newer) {
		emit_field(c, "DoubleBufferActive", "false");
		emit_field(c, "DoubleBufferEnabled", "true");
	}
	emit_field(c, "ElementName", SETTINGS);
	emit_field(c, "EnabledByMEBx", word(!dev->knobs.redirection_locked));
	if (newer) {
		emit_field(c, "GrayscalePixelFormatSupported", "true");
		emit_field(c, "InitialDecimationModeForLowRes", "2");
	}
	emit_field(c, "InstanceID", SETTINGS);
	emit_field(c, "Is5900PortEnabled", word(dev->vnc.port));
	emit_field(c, "OptInPolicy", word(dev->knobs.consent));
	emit_number(c, "OptInPolicyTimeout", 300);
	emit_field(c, "RFBPassword", "");
	emit_number(c, "SessionTimeout", 3);
	if (newer)
		emit_field(c, "ZlibControlSupported", "true");
}

/* Eight characters of four kinds. */
static bool good_password(struct str s)
{
	bool upper = false, lower = false, digit = false, special = false;

	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];

		upper |= isupper(ch) != 0;
		lower |= islower(ch) != 0;
		digit |= isdigit(ch) != 0;
		special |= ispunct(ch) != 0;
	}
	return s.n == VNC_PASSWORD && upper && lower && digit && special;
}

/* All fields have to be there again, and what cannot be changed must be as it was. */
static enum fault put_settings(struct call *c)
{
	struct str port = param(c, "Is5900PortEnabled"), password = param(c, "RFBPassword");
	struct vnc *vnc = &c->dev->vnc;
	uint64_t screen;
	bool on = str_is(port, "true");

	if (!param_uint(c, "DefaultScreen", SCREEN_MAX, &screen) || !param(c, "OptInPolicy").p ||
		!param(c, "SessionTimeout").p || !str_is(param(c, "InstanceID"), SETTINGS) ||
		(!on && !str_is(port, "false")) || (password.p && !good_password(password)))
		return FAULT_INVALID_REPRESENTATION;
	/* The port opens only where there is a password; from 16.1 on it is gone. */
	if (on && (strcmp(c->dev->profile->name, "16.1") == 0 || (!password.p && !*vnc->password)))
		return FAULT_INVALID_REPRESENTATION;
	vnc->port = on;
	vnc->screen = (uint8_t)screen;
	if (password.p)
		(void)str_copy(password, vnc->password, sizeof(vnc->password));
	redir_sync(c->dev);
	return FAULT_NONE;
}

static enum fault terminate(struct call *c, uint32_t *ret_value)
{
	if (!redir_oust(c->dev, REDIR_KVM))
		*ret_value = STATUS_NOT_FOUND;
	return FAULT_NONE;
}

static void emit_screens(struct call *c, size_t i)
{
	static const char *const names[] = { "ResolutionX", "ResolutionY", "UpperLeftX",
		"UpperLeftY" };
	const struct knobs *k = &c->dev->knobs;
	const uint32_t values[] = { k->kvm_width, k->kvm_height, 0, 0 };

	(void)i;
	emit_field(c, "ElementName", "Intel(r) Screen Settings");
	emit_field(c, "InstanceID", "Intel(r) Screen Settings 0");
	for (uint32_t n = 0; n < SCREENS; n++)
		emit_field(c, "IsActive", word(n < k->kvm_screens));
	emit_number(c, "PrimaryIndex", 1);
	for (size_t v = 0; v < COUNT(names); v++)
		for (uint32_t n = 0; n < SCREENS; n++)
			emit_number(c, names[v], n < k->kvm_screens ? values[v] : 0);
	emit_number(c, "SecondaryIndex", k->kvm_screens > 1 ? 2 : 0);
	emit_number(c, "TertiaryIndex", k->kvm_screens > 2 ? 3 : 0);
}

static const struct method settings_methods[] = {
	{ "TerminateSession", "", terminate, 0, NULL },
};

const struct wclass kvm_classes[] = {
	{
		.name = "IPS_KVMRedirectionSettingData",
		.uri = NS_IPS "IPS_KVMRedirectionSettingData",
		.selectors = "InstanceID",
		.common = true,
		.present = has_kvm,
		.emit = emit_settings,
		.put = put_settings,
		METHODS(settings_methods),
	},
	{
		.name = "IPS_ScreenSettingData",
		.uri = NS_IPS "IPS_ScreenSettingData",
		.selectors = "InstanceID",
		.common = true,
		.present = has_kvm,
		.emit = emit_screens,
	},
};

const size_t kvm_classes_count = COUNT(kvm_classes);
