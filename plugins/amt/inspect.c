/* SPDX-License-Identifier: Apache-2.0 */
/* Identity and firmware. What one kind of firmware lacks, or an account may not see, is left out.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "amt.h"
#include "version.h"

static const struct wsman_class general = WSMAN_CLASS(WSMAN_AMT, "AMT_GeneralSettings");
static const struct wsman_class software = WSMAN_CLASS(WSMAN_CIM, "CIM_SoftwareIdentity");
static const struct wsman_class package = WSMAN_CLASS(WSMAN_CIM, "CIM_ComputerSystemPackage");
static const struct wsman_class setup = WSMAN_CLASS(WSMAN_AMT, "AMT_SetupAndConfigurationService");
static const struct wsman_class host_setup = WSMAN_CLASS(WSMAN_IPS, "IPS_HostBasedSetupService");
static const struct wsman_class ethernet = WSMAN_CLASS(WSMAN_AMT, "AMT_EthernetPortSettings");
static const struct wsman_class opt_in = WSMAN_CLASS(WSMAN_IPS, "IPS_OptInService");

/* Numbers of the firmware as words; a number that is not here is told as it is. */
struct word {
	uint64_t number;
	const char *word;
};

static const struct word control_modes[] = { { 0, "none" }, { 1, "ccm" }, { 2, "acm" },
	{ 0, NULL } };
static const struct word provisioning_modes[] = { { 1, "acm" }, { 4, "ccm" }, { 0, NULL } };
static const struct word provisioning_states[] = {
	{ 0, "pre" },
	{ 1, "in" },
	{ 2, "post" },
	{ 0, NULL },
};
static const struct word power_sources[] = { { 0, "ac" }, { 1, "dc" }, { 0, NULL } };
static const struct word consents[] = {
	{ 0, "none" },
	{ 1, "kvm" },
	{ UINT32_MAX, "all" },
	{ 0, NULL },
};

/* A field that is there and has a text. */
static void copy_text(
	struct pctl_value *map, const char *key, const struct xml_node *from, const char *field)
{
	const char *text = xml_text(from, field);

	if (text && *text)
		pctl_value_set_text(map, key, text);
}

static const char *find_word(const struct word *words, const char *text)
{
	uint64_t n;

	if (!text || pctl_parse_uint(text, UINT32_MAX, &n) < 0)
		return NULL;
	for (; words->word; words++) {
		if (words->number == n)
			return words->word;
	}
	return text;
}

static struct pctl_value *submap(struct pctl_value *map, const char *key)
{
	struct pctl_value *sub = pctl_value_get(map, key);

	if (!sub) {
		sub = pctl_value_new_map();
		pctl_value_set(map, key, sub);
	}
	return sub;
}

static void read_general(struct amt_dev *dev, const struct xml_node *n)
{
	struct pctl_value *ret = dev->work.inspect.ret;

	copy_text(ret, "hostname", n, "HostName");
	copy_text(ret, "domain", n, "DomainName");
	copy_text(ret, "digest_realm", n, "DigestRealm");
	pctl_value_set_text(
		ret, "power_source", find_word(power_sources, xml_text(n, "PowerSource")));
}

static void read_software(struct amt_dev *dev, const struct xml_node *n)
{
	struct inspect_work *w = &dev->work.inspect;
	const char *id = xml_text(n, "InstanceID");
	const char *text = xml_text(n, "VersionString");

	if (!id || !text)
		return;
	if (strcmp(id, "AMT") == 0)
		(void)snprintf(w->version, sizeof(w->version), "%s", text);
	else if (strcmp(id, "Build Number") == 0)
		(void)snprintf(w->build, sizeof(w->build), "%s", text);
	else if (strcmp(id, "Sku") == 0)
		(void)snprintf(w->sku, sizeof(w->sku), "%s", text);
}

static char lower(char c)
{
	return (char)tolower((unsigned char)c);
}

/* The first three groups of the firmware's GUID are little endian. */
static void read_package(struct amt_dev *dev, const struct xml_node *n)
{
	static const unsigned char order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14,
		15 };
	const char *guid = xml_text(n, "PlatformGUID");
	char uuid[37], *out = uuid;

	if (!guid || strlen(guid) != 32 || strspn(guid, "0123456789abcdefABCDEF") != 32)
		return;
	for (size_t i = 0; i < sizeof(order); i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		const char *digits = guid + (size_t)order[i] * 2;
		*out++ = lower(digits[0]);
		*out++ = lower(digits[1]);
	}
	*out = '\0';
	pctl_value_set_text(dev->work.inspect.ret, "uuid", uuid);
}

static void read_setup(struct amt_dev *dev, const struct xml_node *n)
{
	struct pctl_value *ret = dev->work.inspect.ret;

	pctl_value_set_text(ret, "control_mode",
		find_word(provisioning_modes, xml_text(n, "ProvisioningMode")));
	pctl_value_set_text(ret, "provisioning_state",
		find_word(provisioning_states, xml_text(n, "ProvisioningState")));
}

/* Says better than the above what the mode is, where it exists. */
static void read_host_setup(struct amt_dev *dev, const struct xml_node *n)
{
	pctl_value_set_text(dev->work.inspect.ret, "control_mode",
		find_word(control_modes, xml_text(n, "CurrentControlMode")));
}

static void read_ethernet(struct amt_dev *dev, const struct xml_node *n)
{
	const char *id = xml_text(n, "InstanceID");
	const char *mac = xml_text(n, "MACAddress");
	char text[18];

	if (!id || !*id || !mac || strlen(mac) != 17 || !mac[strspn(mac, "0-:")])
		return;
	for (size_t i = 0; i <= 17; i++)
		text[i] = mac[i] == '-' ? ':' : lower(mac[i]);
	/* "Intel(r) AMT Ethernet Port Settings 0" is the wired one, 1 the wireless. */
	pctl_value_set_text(
		dev->work.inspect.ret, id[strlen(id) - 1] == '0' ? "mac" : "mac_wireless", text);
}

static void read_opt_in(struct amt_dev *dev, const struct xml_node *n)
{
	const char *word = find_word(consents, xml_text(n, "OptInRequired"));

	pctl_value_set_text(dev->work.inspect.ret, "user_consent", word);
	if (word)
		pctl_fact_put(dev->device, FACT_CONSENT, word);
}

static const struct step {
	const struct wsman_class *class;
	bool list;
	amt_each_fn *read;
} steps[] = {
	{ &general, false, read_general },
	{ &software, true, read_software },
	{ &package, false, read_package },
	{ &setup, false, read_setup },
	{ &host_setup, false, read_host_setup },
	{ &ethernet, true, read_ethernet },
	{ &opt_in, false, read_opt_in },
};
#define STEPS (sizeof(steps) / sizeof(steps[0]))

static void finish(struct amt_dev *dev)
{
	static const char *const cve[] = {
		[CVE_NOT_AFFECTED] = "not affected",
		[CVE_FIXED] = "fixed",
		[CVE_VULNERABLE] = "vulnerable",
	};
	struct inspect_work *w = &dev->work.inspect;
	struct pctl_value *firmware = submap(w->ret, "firmware");
	struct pctl_value *security = submap(w->ret, "security");
	/* Some firmware refuses the list of versions. */
	const char *in_server = version_in_server(dev->server);
	struct version v;
	uint64_t sku;

	if (!*w->version && in_server)
		(void)snprintf(w->version, sizeof(w->version), "%s", in_server);
	if (*w->version) {
		PCTL_AUTO(free)
		char *full = pctl_xasprintf("%s%s%s", w->version, *w->build ? "." : "", w->build);
		pctl_value_set_text(firmware, "version", full);
	}
	bool known = version_parse(w->version, &v);
	if (known)
		pctl_value_set_text(security, "cve_2017_5689", cve[version_cve_2017_5689(&v)]);
	if (known && pctl_parse_uint(w->sku, UINT32_MAX, &sku) == 0)
		pctl_value_set_text(firmware, "sku", version_sku(sku, v.major));
	pctl_value_set_bool(security, "tls", dev->link.tls);
	amt_end(dev, NULL);
}

static void next_step(struct amt_dev *dev);

static void step_done(struct amt_dev *dev, const struct xml_node *answer)
{
	struct inspect_work *w = &dev->work.inspect;

	if (!steps[w->step].list)
		steps[w->step].read(dev, answer);
	w->any = true;
	w->step++;
	next_step(dev);
}

static void step_failed(struct amt_dev *dev, const struct pctl_error *err)
{
	struct inspect_work *w = &dev->work.inspect;
	bool missing = answer_is_lacking(err);

	w->step++;
	if (!missing || (w->step == STEPS && !w->any))
		amt_end(dev, err);
	else
		next_step(dev);
}

static void next_step(struct amt_dev *dev)
{
	const struct step *s = &steps[dev->work.inspect.step];

	if (dev->work.inspect.step == STEPS)
		finish(dev);
	else if (s->list)
		amt_list(dev, s->class, s->read, step_done, step_failed);
	else
		amt_get(dev, s->class, step_done, step_failed);
}

static void info(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	dev->work.inspect = (struct inspect_work){ .ret = ret };
	pctl_value_set_text(ret, "vendor", "Intel");
	pctl_value_set_text(ret, "product", "Intel AMT");
	next_step(dev);
}

const struct pctl_inspect_if amt_inspect = {
	.size = sizeof(amt_inspect),
	.info = info,
	.hardware = amt_hardware,
	.check = amt_check,
};
