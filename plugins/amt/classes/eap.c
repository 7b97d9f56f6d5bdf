/* SPDX-License-Identifier: Apache-2.0 */
#include "classes/eap.h"

#include <string.h>

#include "classes/refer.h"

#define IDENTITY_MAX 128u
#define PASSWORD_MAX 32u

/* Of IPS_IEEE8021xSettings.Enabled. */
enum { WITH_CERTIFICATES = 2, DISABLED = 3, WITHOUT_CERTIFICATES = 6 };
/* Of ServerCertificateNameComparison. */
enum { FULL_NAME = 0, SUFFIX = 1 };

static const struct class_method set_certificates = {
	.class = &class_8021x_wired.class,
	.name = "SetCertificates",
	.returns = STATUS_PLAIN,
};

/* --- Words. ----------------------------------------------------------------------------------- */

static bool is_tls(const struct pctl_arguments *args)
{
	const char *word = pctl_argument_text(args, "eap");

	return word && strcmp(word, "eap-tls") == 0;
}

static int check_off(const struct pctl_arguments *args, struct pctl_error *err)
{
	static const char *const words[] = { "identity", "identity_password", "domain",
		"roaming_identity", "certificate", "ca_certificate", "server_name", NULL };

	for (size_t i = 0; words[i]; i++)
		if (pctl_argument_given(args, words[i]))
			return pctl_error_set(
				err, PCTL_E_CONFIG, "%s: has no effect with eap=off", words[i]);
	return 0;
}

static int check_login(const struct pctl_arguments *args, struct pctl_error *err)
{
	const struct pctl_secret *password = pctl_argument_secret(args, "identity_password");

	if (is_tls(args) && !pctl_argument_given(args, "certificate"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"certificate: is missing; with eap-tls the device shows one of its own");
	if (is_tls(args) && password)
		return pctl_error_set(err, PCTL_E_CONFIG, "identity_password: eap-tls has none");
	if (!is_tls(args) && !password)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"identity_password_file: is missing; it names the file with the "
			"identity's password");
	if (password && pctl_secret_len(password) > PASSWORD_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"identity_password: has at most %u characters", PASSWORD_MAX);
	return 0;
}

int eap_check(const struct pctl_arguments *args, struct pctl_error *err)
{
	const char *eap = pctl_argument_text(args, "eap");
	const char *identity = pctl_argument_text(args, "identity");

	if (!eap)
		return 0;
	if (strcmp(eap, "off") == 0)
		return check_off(args, err);
	if (!identity || !*identity || strlen(identity) > IDENTITY_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"identity: is missing, or not from 1 to %u characters", IDENTITY_MAX);
	if (!pctl_argument_given(args, "ca_certificate"))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"ca_certificate: is missing; without it the device would log in anywhere");
	return check_login(args, err);
}

int eap_check_certificates(struct amt_dev *dev, struct pctl_error *err)
{
	int r = refer_check(dev, "certificate", false, err);

	return r == 0 ? refer_check(dev, "ca_certificate", true, err) : r;
}

static void add_given(
	struct amt_dev *dev, struct wsman *w, const char *field, const char *parameter)
{
	if (chain_given(dev, parameter))
		wsman_text(w, field, chain_text(dev, parameter));
}

void eap_add(struct amt_dev *dev, struct wsman *w)
{
	const struct pctl_secret *password =
		pctl_argument_secret(chain_work(dev)->args, "identity_password");
	const char *server = chain_text(dev, "server_name");
	bool suffix = server && *server == '.';

	wsman_uint(w, "AuthenticationProtocol",
		class_number(words_eap, chain_text(dev, "eap"))->number);
	add_given(dev, w, "RoamingIdentity", "roaming_identity");
	if (server) {
		wsman_text(w, "ServerCertificateName", server + suffix);
		wsman_uint(w, "ServerCertificateNameComparison", suffix ? SUFFIX : FULL_NAME);
	}
	add_given(dev, w, "Username", "identity");
	if (password)
		wsman_text(w, "Password", pctl_secret_data(password));
	add_given(dev, w, "Domain", "domain");
}

/* --- The wired port. -------------------------------------------------------------------------- */

static const char *text_of(const struct pctl_value *map, const char *key)
{
	return map ? pctl_value_text(pctl_value_get(map, key)) : NULL;
}

/* A number in newer firmware, a truth in older. */
static bool is_off(const char *enabled)
{
	return strcmp(enabled, "off") == 0 || strcmp(enabled, "false") == 0;
}

void eap_show_wired(struct amt_dev *dev)
{
	static const char *const same[] = { "identity", "server_name", "pxe_timeout", NULL };
	struct pctl_value *ret = chain_work(dev)->ret;
	const struct pctl_value *now = pctl_value_get(ret, "eap_now");
	const struct pctl_value *map = now ? now : pctl_value_get(ret, "eap_then");
	const char *enabled = text_of(map, "enabled"), *method = text_of(map, "method");

	if (enabled && is_off(enabled))
		pctl_value_set_text(ret, "eap", "off");
	else if (enabled)
		pctl_value_set_text(ret, "eap", method ? method : "on");
	for (size_t i = 0; enabled && same[i]; i++)
		if (pctl_value_get(map, same[i]))
			pctl_value_set(ret, same[i], pctl_value_copy(pctl_value_get(map, same[i])));
	(void)pctl_value_unset(ret, "eap_now");
	(void)pctl_value_unset(ret, "eap_then");
}

static void add_texts(struct wsman *w, const struct pctl_value *map)
{
	wsman_text(w, "ElementName", text_of(map, "element") ? text_of(map, "element") : "");
	wsman_text(w, "InstanceID", text_of(map, "id") ? text_of(map, "id") : "");
}

static struct wsman *begin_put(struct amt_dev *dev, const struct class *class)
{
	struct wsman *w = amt_request(dev,
		&(struct wsman_head){ .verb = WSMAN_PUT, .class = &class->class }, STATUS_PLAIN);

	return w;
}

static void then_certificates(struct amt_dev *dev)
{
	chain_fn *then = chain_work(dev)->is.network.after_eap;

	if (!chain_given(dev, "ca_certificate")) {
		then(dev);
		return;
	}
	struct wsman *w = amt_request(dev,
		&(struct wsman_head){ .verb = WSMAN_INVOKE,
			.class = set_certificates.class,
			.method = set_certificates.name },
		set_certificates.returns);
	refer_add(dev, w, "ServerCertificateIssuer", "ca_certificate");
	refer_add(dev, w, "ClientCertificate", "certificate");
	chain_send(dev, then);
}

/* IPS_IEEE8021xSettings: the settings first, then the certificates. */
static void change_now(struct amt_dev *dev, const struct pctl_value *map, bool on)
{
	struct wsman *w = begin_put(dev, &class_8021x_wired);

	add_texts(w, map);
	if (on)
		eap_add(dev, w);
	wsman_uint(w, "Enabled",
		!on                             ? DISABLED
		: is_tls(chain_work(dev)->args) ? WITH_CERTIFICATES
						: WITHOUT_CERTIFICATES);
	if (pctl_value_get(map, "pxe_timeout"))
		wsman_uint(w, "PxeTimeout",
			(uint64_t)pctl_value_int(pctl_value_get(map, "pxe_timeout")));
	if (text_of(map, "in_s0"))
		wsman_text(w, "AvailableInS0", text_of(map, "in_s0"));
	chain_send(dev, then_certificates);
}

/* AMT_8021XProfile has the certificates among its fields. */
static void change_then(struct amt_dev *dev, const struct pctl_value *map, bool on)
{
	struct wsman *w = begin_put(dev, &class_8021x_old);

	add_texts(w, map);
	wsman_text(w, "Enabled", on ? "true" : "false");
	if (text_of(map, "in_s0"))
		wsman_text(w, "ActiveInS0", text_of(map, "in_s0"));
	if (on) {
		eap_add(dev, w);
		refer_add(dev, w, "ClientCertificate", "certificate");
		refer_add(dev, w, "ServerCertificateIssuer", "ca_certificate");
	}
	if (pctl_value_get(map, "pxe_timeout"))
		wsman_uint(w, "PxeTimeout",
			(uint64_t)pctl_value_int(pctl_value_get(map, "pxe_timeout")));
	chain_send(dev, chain_work(dev)->is.network.after_eap);
}

void eap_change_wired(struct amt_dev *dev, chain_fn *then)
{
	const struct pctl_value *ret = chain_work(dev)->ret;
	const struct pctl_value *now = pctl_value_get(ret, "eap_now");
	const struct pctl_value *old = pctl_value_get(ret, "eap_then");
	const char *word = chain_text(dev, "eap");
	bool on = word && strcmp(word, "off") != 0;
	const char *is = text_of(now ? now : old, "enabled");

	chain_work(dev)->is.network.after_eap = then;
	if (!word || (!on && is && is_off(is)))
		then(dev);
	else if (now)
		change_now(dev, now, on);
	else
		change_then(dev, old, on);
}
