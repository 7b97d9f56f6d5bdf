/* SPDX-License-Identifier: Apache-2.0 */
/* check: what is wrong with the device, read by the classes that the methods have, too. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "classes/chain.h"
#include "doctor/advisories.h"
#include "redirection/switch.h"

#define TEXT_MAX  1024u
#define MEND_SIZE 256u

/* Under which keys of the answer it is while it is read; they are gone when the op ends. */
#define GENERAL     "general"
#define SOFTWARE    "software"
#define SETUP       "setup"
#define REDIRECTION "redirection"
#define KVM         "kvm"
#define CONSENT     "consent"
#define SCREENS     "screens"
#define USED        "used"
#define PACKAGES    "packages"
#define USERS       "users"
static const char *const keys[] = { GENERAL, SOFTWARE, SETUP, REDIRECTION, KVM, CONSENT, SCREENS,
	USED, PACKAGES, USERS };

static struct pctl_value *seen(struct amt_dev *dev, const char *key)
{
	return pctl_value_get(chain_work(dev)->ret, key);
}

static const char *seen_text(struct amt_dev *dev, const char *key, const char *field)
{
	return pctl_value_text(pctl_value_get(seen(dev, key), field));
}

/* --- Firmware. -------------------------------------------------------------------------------- */

static const char *find_version(struct amt_dev *dev)
{
	const struct pctl_value *amt = chain_find(dev, SOFTWARE, "id", "AMT");
	const char *version = pctl_value_text(pctl_value_get(amt, "version"));

	/* Some firmware refuses the list of versions. */
	return version ? version : version_in_server(dev->server);
}

static void mend_firmware(const struct advisories_end *end, char mend[MEND_SIZE])
{
	const struct version *v = &end->fixed;

	if (end->never)
		(void)snprintf(mend, MEND_SIZE,
			"no update mends all of them: keep it in a network of its own, or take it "
			"out of management with `powerctl amt unprovision NODE`");
	else
		(void)snprintf(mend, MEND_SIZE,
			"a firmware or BIOS update of the machine's maker with %u.%u.%u or later",
			v->major, v->minor, v->patch);
}

static void find_holes(struct amt_dev *dev, const struct version *v, bool open)
{
	struct advisories_end end = { 0 };
	char mend[MEND_SIZE];
	struct pctl_buf ids;

	pctl_buf_init(&ids, TEXT_MAX);
	if (advisories_find(v, open, &ids, &end)) {
		mend_firmware(&end, mend);
		(void)pctl_finding_add(chain_work(dev)->ret,
			open ? PCTL_FINDING_FAULT : PCTL_FINDING_WARNING, "firmware", mend,
			"firmware %u.%u.%u has known holes%s: %s", v->major, v->minor, v->patch,
			open ? ", open to whoever reaches it without a login" : "", ids.data);
	}
	pctl_buf_done(&ids);
}

static void find_firmware(struct amt_dev *dev)
{
	const char *text = find_version(dev);
	struct version v;

	if (text && version_parse(text, &v)) {
		find_holes(dev, &v, true);
		find_holes(dev, &v, false);
		return;
	}
	(void)pctl_finding_add(chain_work(dev)->ret, PCTL_FINDING_INFO, "firmware", NULL,
		"which version its firmware has is not known, and so not which holes it has");
}

/* --- Trust. ----------------------------------------------------------------------------------- */

static void find_tls(struct amt_dev *dev)
{
	int64_t not_before, not_after;

	if (!dev->link.tls)
		(void)pctl_finding_add(chain_work(dev)->ret, PCTL_FINDING_INFO, "tls",
			"`powerctl amt tls certificate=ID enabled=true NODE` with an id from "
			"`powerctl amt certs NODE`, then `powerctl set tls=true NODE`",
			"it is spoken to without TLS: who is in between reads along, and can try "
			"passwords against the login (INTEL-SA-00709)");
	else if (amt_link_certificate(dev, &not_before, &not_after))
		(void)pctl_finding_certificate(chain_work(dev)->ret, not_before, not_after,
			"`powerctl amt certs add=FILE private_key_file=FILE NODE`, then "
			"`powerctl amt tls certificate=ID NODE` with its id");
}

/* "Digest:" and 32 digits, which are the device's own (RFC 2617; recorded from AMT 8 to 16). */
static bool is_realm(const char *realm)
{
	static const char head[] = "Digest:";
	size_t n = sizeof(head) - 1;

	return strncmp(realm, head, n) == 0 && strlen(realm) == n + 32 &&
	       strspn(realm + n, "0123456789ABCDEFabcdef") == 32;
}

static void find_realm(struct amt_dev *dev)
{
	const char *realm = seen_text(dev, GENERAL, "realm");

	if (realm && !is_realm(realm))
		(void)pctl_finding_add(chain_work(dev)->ret, PCTL_FINDING_WARNING, "realm",
			"`powerctl trust NODE` shows as whom it is known",
			"its Digest realm is none of AMT's: something else answers at this "
			"address, or stands before it");
}

/* Those of the firmware itself ($$uns) are nobody's; of one by a SID no name is known. */
static void find_users(struct amt_dev *dev)
{
	const struct pctl_value *all = seen(dev, USERS);

	for (size_t i = 0; i < pctl_value_count(all); i++) {
		const struct pctl_value *user = pctl_value_at(all, i);
		const struct pctl_value *enabled = pctl_value_get(user, "enabled");
		const char *name = pctl_value_text(pctl_value_get(user, "name"));

		if (name && *name && *name != '$' && enabled && !pctl_value_bool(enabled))
			(void)pctl_finding_add(chain_work(dev)->ret, PCTL_FINDING_INFO, "account",
				"`powerctl amt users enable=USER NODE`, if somebody needs it",
				"user '%s' is disabled", name);
	}
}

/* --- Redirection. ----------------------------------------------------------------------------- */

static void find_off(struct amt_dev *dev, const char *name, const char *what)
{
	char mend[MEND_SIZE];

	(void)snprintf(mend, sizeof(mend), "`powerctl amt features %s=true NODE`", name);
	(void)pctl_finding_add(chain_work(dev)->ret, PCTL_FINDING_INFO, name, mend, "%s", what);
}

static bool is_on(struct amt_dev *dev, const char *key, const char *field)
{
	return pctl_value_bool(pctl_value_get(seen(dev, key), field));
}

static void find_redirection(struct amt_dev *dev)
{
	bool sol = is_on(dev, REDIRECTION, "sol"), ider = is_on(dev, REDIRECTION, "ider");
	bool kvm = is_on(dev, KVM, "on");

	bool known = pctl_value_get(seen(dev, REDIRECTION), "listener");

	if (known && !sol)
		find_off(dev, "sol", "Serial over LAN is off: `console` has to turn it on");
	if (known && !ider)
		find_off(dev, "ider", "storage redirection is off: `media` has to turn it on");
	if (seen(dev, KVM) && !kvm)
		find_off(dev, "kvm", "the remote screen is off: `kvm` has to turn it on");
	if (known && (sol || ider || kvm) && !is_on(dev, REDIRECTION, "listener"))
		find_off(dev, "listener",
			"nobody listens on the ports of consoles, media and screens");
}

/* Graphics of the processor with nothing plugged in has no picture to send. */
static void find_display(struct amt_dev *dev)
{
	(void)pctl_finding_add(chain_work(dev)->ret, PCTL_FINDING_WARNING, "display",
		"plug a display, or a plug that passes for one, into the processor's own graphics",
		"the remote screen is on, and no display is: there is nothing to see");
}

/* --- Power and consent. ----------------------------------------------------------------------- */

/* "Mobile: ON in S0, ME Wake in S3, S4-5 (AC only)" */
static bool wakes(const char *description)
{
	return strstr(description, "S5") || strstr(description, "S4-5") ||
	       strstr(description, "S4/5");
}

static const char *find_waking(struct amt_dev *dev)
{
	const struct pctl_value *all = seen(dev, PACKAGES);

	for (size_t i = 0; i < pctl_value_count(all); i++) {
		const struct pctl_value *package = pctl_value_at(all, i);
		const char *what = pctl_value_text(pctl_value_get(package, "description"));

		if (what && wakes(what))
			return pctl_value_text(pctl_value_get(package, "id"));
	}
	return NULL;
}

static void find_package(struct amt_dev *dev)
{
	const char *id = pctl_value_text(seen(dev, "power_package"));
	const struct pctl_value *now = id ? chain_find(dev, PACKAGES, "id", id) : NULL;
	const char *what = pctl_value_text(pctl_value_get(now, "description"));
	const char *better = find_waking(dev);
	char mend[MEND_SIZE] = "";

	/* Where it is not said, nothing is known. */
	if (!what || !strstr(what, "S0") || wakes(what))
		return;
	if (better)
		(void)snprintf(
			mend, sizeof(mend), "`powerctl amt power-package set=%.40s NODE`", better);
	(void)pctl_finding_add(chain_work(dev)->ret, PCTL_FINDING_WARNING, "power_package",
		better ? mend : NULL,
		"its management engine sleeps while the machine is off, which then cannot be "
		"turned on from here");
}

static void find_consent(struct amt_dev *dev)
{
	const char *word = seen_text(dev, CONSENT, "consent");
	const char *mode = seen_text(dev, SETUP, "control_mode");
	bool client = mode && strcmp(mode, "ccm") == 0;
	bool all = client || (word && strcmp(word, "all") == 0);
	bool fixed = client || !is_on(dev, CONSENT, "consent_changeable");

	if (!all && !(word && strcmp(word, "kvm") == 0))
		return;
	(void)pctl_finding_add(chain_work(dev)->ret, all ? PCTL_FINDING_WARNING : PCTL_FINDING_INFO,
		"consent",
		client  ? "activate it in admin control mode, from within the machine"
		: fixed ? "its MEBx, where what needs consent was fixed"
			: "`powerctl amt features consent=none NODE`",
		"%s: somebody has to sit at the machine%s",
		all ? "boot devices, media and the remote screen need consent"
		    : "the remote screen needs consent",
		client ? " (client control mode)" : "");
}

/* --- Reading. --------------------------------------------------------------------------------- */

static void also_realm(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	(void)dev;
	pctl_value_set_text(map, "realm", xml_text(item, "DigestRealm"));
}

static void also_switches(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	struct switch_state state = { 0 };
	struct pctl_error unused;

	(void)dev;
	if (switch_read(item, &state, &unused) < 0)
		return;
	pctl_value_set_bool(map, "sol", state.sol);
	pctl_value_set_bool(map, "ider", state.ider);
	pctl_value_set_bool(map, "listener", state.listener);
}

static void also_kvm(struct amt_dev *dev, const struct xml_node *item, struct pctl_value *map)
{
	struct switch_state state;

	(void)dev;
	switch_read_kvm(item, &state);
	pctl_value_set_bool(map, "on", state.kvm);
}

/* What an account may not see is left out, as what the firmware lacks is. */
static const struct chain_step steps[] = {
	{ &class_general, GENERAL, STEP_MAY_LACK, also_realm },
	{ &class_software, SOFTWARE, STEP_LIST | STEP_MAY_LACK, NULL },
	{ &class_setup, SETUP, STEP_MAY_LACK, NULL },
	{ &class_redirection, REDIRECTION, STEP_MAY_LACK, also_switches },
	{ &class_kvm, KVM, STEP_MAY_LACK, also_kvm },
	{ &class_consent, CONSENT, STEP_MAY_LACK, NULL },
	{ &class_screens, SCREENS, STEP_MAY_LACK, NULL },
	{ &class_setting_used, USED, STEP_LIST | STEP_MAY_LACK, scheme_also_used },
	{ &class_power_scheme, PACKAGES, STEP_LIST | STEP_MAY_LACK, scheme_also_id },
	{ .class = NULL },
};

static void end(struct amt_dev *dev)
{
	struct pctl_value *ret = chain_work(dev)->ret;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		(void)pctl_value_unset(ret, keys[i]);
	(void)pctl_value_unset(ret, "power_package");
	chain_end(dev);
}

static void got_power(struct amt_dev *dev, const struct xml_node *answer)
{
	if (amt_power_state(answer) == PCTL_POWER_ON)
		find_display(dev);
	end(dev);
}

static void no_power(struct amt_dev *dev, const struct pctl_error *err)
{
	(void)err;
	end(dev);
}

/* What is off shows nothing, and is no trouble. */
static void look_for_display(struct amt_dev *dev)
{
	const struct pctl_value *active = pctl_value_get(seen(dev, SCREENS), "active");
	bool dark = pctl_value_count(active) > 0;

	for (size_t i = 0; i < pctl_value_count(active); i++)
		dark = dark && !pctl_value_bool(pctl_value_at(active, i));
	if (dark && is_on(dev, KVM, "on"))
		amt_power_look(dev, got_power, no_power);
	else
		end(dev);
}

static void judge(struct amt_dev *dev)
{
	find_firmware(dev);
	find_realm(dev);
	find_tls(dev);
	find_users(dev);
	find_package(dev);
	find_consent(dev);
	find_redirection(dev);
	look_for_display(dev);
}

static void got_time(struct amt_dev *dev, const struct xml_node *answer)
{
	uint64_t theirs = xml_uint(answer, "Ta0", 0);

	if (theirs)
		(void)pctl_finding_clock(
			chain_work(dev)->ret, (int64_t)theirs, "`powerctl amt time set=now NODE`");
	judge(dev);
}

static void no_time(struct amt_dev *dev, const struct pctl_error *err)
{
	if (pctl_error_retried(err->code))
		amt_end(dev, err);
	else
		judge(dev);
}

static void ask_time(struct amt_dev *dev)
{
	(void)amt_invoke(dev, &class_clock.class, "GetLowAccuracyTimeSynch", STATUS_PLAIN);
	amt_send(dev, got_time, no_time);
}

static void look_for_users(struct amt_dev *dev)
{
	users_look(dev, ask_time);
}

void amt_check(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	chain_begin(data, op, NULL, ret);
	chain_read(data, steps, look_for_users);
}
