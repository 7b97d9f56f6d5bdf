/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/screens.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

#include "redirection/switch.h"

static const struct wsman_class settings = WSMAN_CLASS(WSMAN_IPS, "IPS_KVMRedirectionSettingData");
static const struct wsman_class screens = WSMAN_CLASS(WSMAN_IPS, "IPS_ScreenSettingData");

#define VNC_PORT        5900
#define PASSWORD_LENGTH 8u
/* Settings show at most so many screens. */
#define DISPLAY_MAX 4u

/*
 * Puts what was read with some fields changed: `change` gets each of them, in the order of the
 * answer, and returns the value it is to have, or NULL where it is to be left out.
 */
static void put_settings(struct amt_dev *dev, const struct xml_node *got,
	const char *(*change)(void *data, const struct xml_node *field), void *data)
{
	struct wsman *w = amt_put(dev, &settings);

	for (const struct xml_node *f = got->first; f; f = f->next) {
		const char *value = change(data, f);

		if (value)
			wsman_text(w, f->name, value);
	}
}

/* It is read as empty, and an empty one would break the rules for it. */
static bool is_password(const struct xml_node *field)
{
	return strcmp(field->name, "RFBPassword") == 0;
}

/* --- Which screen. ---------------------------------------------------------------------------- */

static struct screens_work *work(const struct amt_dev *dev)
{
	return dev->screens;
}

static const char *change_screen(void *data, const struct xml_node *field)
{
	return strcmp(field->name, "DefaultScreen") == 0 ? data
	       : is_password(field)                      ? NULL
							 : field->text;
}

static void chosen(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	work(dev)->changed = true;
	work(dev)->then(dev);
}

static void not_chosen(struct amt_dev *dev, const struct pctl_error *err)
{
	amt_end_saying(dev, err, "it does not show display %u: %s", work(dev)->display, err->text);
}

static void got_default(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *now = xml_text(answer, "DefaultScreen");
	char wanted[12];

	(void)snprintf(wanted, sizeof(wanted), "%u", work(dev)->display - 1);
	if (!now) {
		amt_fail(dev, PCTL_E_UNSUPPORTED, "this firmware has no choice of displays");
	} else if (strcmp(now, wanted) == 0) {
		work(dev)->then(dev);
	} else {
		put_settings(dev, answer, change_screen, wanted);
		amt_send(dev, chosen, not_chosen);
	}
}

static void read_default(struct amt_dev *dev)
{
	amt_get(dev, &settings, got_default, NULL);
}

/* Firmware that does not tell which screens there are may still have several. */
static void no_screens(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED || err->code == PCTL_E_FORBIDDEN)
		read_default(dev);
	else
		amt_end(dev, err);
}

static void got_screens(struct amt_dev *dev, const struct xml_node *answer)
{
	const struct xml_node *active = xml_child(answer, "IsActive");
	unsigned display = work(dev)->display, n = 0;
	char there[48] = "";
	bool found = !active;

	for (; active && n < DISPLAY_MAX; active = xml_again(active)) {
		size_t len = strlen(there);

		n++;
		if (strcmp(active->text, "true") != 0)
			continue;
		found |= n == display;
		(void)snprintf(there + len, sizeof(there) - len, "%s%u", *there ? ", " : "", n);
	}
	if (found)
		read_default(dev);
	else
		amt_fail(dev, PCTL_E_REFUSED, "no display %u is active; active: %s", display,
			*there ? there : "none");
}

void screens_choose(struct amt_dev *dev, struct screens_work *w)
{
	dev->screens = w;
	if (w->display > DISPLAY_MAX)
		amt_fail(dev, PCTL_E_CONFIG, "there are displays 1 to %u, and no %u", DISPLAY_MAX,
			w->display);
	else
		amt_get(dev, &screens, got_screens, no_screens);
}

/* --- The port for viewers. -------------------------------------------------------------------- */

static struct direct_work *direct_of(struct amt_dev *dev)
{
	return &dev->work.direct;
}

int screens_check_password(const struct pctl_secret *password, struct pctl_error *err)
{
	const unsigned char *p = (const unsigned char *)pctl_secret_data(password);
	size_t len = pctl_secret_len(password);
	bool upper = false, lower = false, digit = false, special = false, plain = true;

	for (size_t i = 0; i < len; i++) {
		upper |= p[i] >= 'A' && p[i] <= 'Z';
		lower |= p[i] >= 'a' && p[i] <= 'z';
		digit |= p[i] >= '0' && p[i] <= '9';
		special |= p[i] < 0x80 && ispunct(p[i]) && !strchr("\",:", p[i]);
		plain &= p[i] > ' ' && p[i] < 0x7f;
	}
	if (len == PASSWORD_LENGTH && upper && lower && digit && special && plain)
		return 0;
	return pctl_error_set(err, PCTL_E_CONFIG,
		"the password for viewers: Intel AMT takes exactly %u characters of plain ASCII, "
		"among them a capital and a small letter, a digit and one that is none of these "
		"(not only \" , :)",
		PASSWORD_LENGTH);
}

static const char *change_port(void *data, const struct xml_node *field)
{
	const struct pctl_display_direct *direct = data;

	if (strcmp(field->name, "Is5900PortEnabled") == 0)
		return direct->on ? "true" : "false";
	if (is_password(field))
		return direct->on ? pctl_secret_data(direct->password) : NULL;
	return field->text;
}

static void end_direct(struct amt_dev *dev)
{
	struct direct_work *d = direct_of(dev);

	pctl_value_set_bool(d->ret, "on", d->wish->on);
	if (d->wish->on)
		pctl_value_set_int(d->ret, "port", VNC_PORT);
	amt_end(dev, NULL);
}

static void kvm_enabled(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	end_direct(dev);
}

static void port_set(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_changed(dev);
	if (!direct_of(dev)->wish->on) {
		end_direct(dev);
		return;
	}
	switch_kvm_on(dev, kvm_enabled, NULL);
}

static void port_not_set(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_REFUSED || err->code == PCTL_E_PROTOCOL)
		amt_fail(dev, PCTL_E_UNSUPPORTED,
			"the firmware does not take it (%s): it breaks a rule of its own, or there "
			"is no VNC port any more, as since AMT 16.1; `powerctl kvm` needs none",
			err->text);
	else
		amt_end(dev, err);
}

static void got_port(struct amt_dev *dev, const struct xml_node *answer)
{
	const char *allowed = xml_text(answer, "EnabledByMEBx");
	const char *open = xml_text(answer, "Is5900PortEnabled");
	struct direct_work *d = direct_of(dev);

	if (!open) {
		amt_fail(dev, PCTL_E_UNSUPPORTED,
			"this firmware has no VNC port of its own; `powerctl kvm` needs none");
	} else if (d->wish->on && allowed && strcmp(allowed, "false") == 0) {
		amt_fail(dev, PCTL_E_REFUSED,
			"KVM is switched off in the BIOS (MEBx), and only there it can be switched "
			"on");
	} else if (!d->wish->on && strcmp(open, "false") == 0) {
		end_direct(dev); /* as it is */
	} else {
		put_settings(dev, answer, change_port, (void *)(uintptr_t)d->wish);
		amt_send(dev, port_set, port_not_set);
	}
}

static void no_port(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED)
		amt_fail(dev, PCTL_E_UNSUPPORTED, "this machine has no KVM redirection");
	else
		amt_end(dev, err);
}

void screens_direct(void *data, struct pctl_op *op, const struct pctl_display_direct *direct,
	struct pctl_value *ret)
{
	struct amt_dev *dev = data;
	struct pctl_error err = { 0 };

	amt_begin(dev, op);
	dev->work.direct = (struct direct_work){ .wish = direct, .ret = ret };
	if (direct->on && screens_check_password(direct->password, &err) < 0)
		amt_end(dev, &err);
	else
		amt_get(dev, &settings, got_port, no_port);
}
