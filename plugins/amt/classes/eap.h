/* SPDX-License-Identifier: Apache-2.0 */
/* 802.1X: how the device logs in to a network, wired or not. */
#ifndef POWERCTL_AMT_EAP_H
#define POWERCTL_AMT_EAP_H

#include "classes/chain.h"

/* Rows of a table of parameters; methods: a list of words, of words_eap; with: what eap needs. */
#define EAP_PARAMETERS(methods, with, text)                                                        \
	PCTL_PROPERTY(.name = "eap", .type = PCTL_TYPE_CHOICE, .choices = (methods),               \
		.needs = (with), .help = (text)),                                                  \
		PCTL_PROPERTY(.name = "identity", .type = PCTL_TYPE_TEXT, .needs = "eap",          \
			.help = "802.1X: the device's user name"),                                 \
		PCTL_PROPERTY(.name = "identity_password", .type = PCTL_TYPE_TEXT, .needs = "eap", \
			.flags = PCTL_PROPERTY_SECRET,                                             \
			.help = "802.1X: that user's password; not with eap-tls"),                 \
		PCTL_PROPERTY(.name = "domain", .type = PCTL_TYPE_TEXT, .needs = "eap",            \
			.help = "802.1X: that user's domain, without its suffix"),                 \
		PCTL_PROPERTY(.name = "roaming_identity", .type = PCTL_TYPE_TEXT, .needs = "eap",  \
			.help = "802.1X: the name that is sent before there is TLS"),              \
		PCTL_PROPERTY(.name = "certificate", .type = PCTL_TYPE_TEXT, .needs = "eap",       \
			.help = "802.1X: the device's own, by its id in `amt certs`; with "        \
				"eap-tls"),                                                        \
		PCTL_PROPERTY(.name = "ca_certificate", .type = PCTL_TYPE_TEXT, .needs = "eap",    \
			.help = "802.1X: the root of the server's certificate, by its id"),        \
		PCTL_PROPERTY(.name = "server_name", .type = PCTL_TYPE_TEXT, .needs = "eap",       \
			.help = "802.1X: the name in the server's certificate; .example.org: "     \
				"how it ends")

/* Before there is any device: what does not fit together. PCTL_E_CONFIG. */
int eap_check(const struct pctl_arguments *args, struct pctl_error *err);
/* With the certificates that were read: whether those that are named are there. */
int eap_check_certificates(struct amt_dev *dev, struct pctl_error *err);
/* Adds the fields from AuthenticationProtocol on, in the order that the firmware wants. */
void eap_add(struct amt_dev *dev, struct wsman *w);

/* --- The wired port. -------------------------------------------------------------------------- */

/* The steps that read it, into the answer's "eap_now" and "eap_then" (older firmware). */
#define EAP_WIRED_STEPS                                                       \
	{ &class_8021x_wired, "eap_now", STEP_MAY_LACK, NULL },               \
	{                                                                     \
		&class_8021x_old, "eap_then", STEP_MAY_LACK | STEP_ELSE, NULL \
	}
/* Makes keys of the answer of what the steps read. */
void eap_show_wired(struct amt_dev *dev);
/* Sets what the parameters say, after the steps and eap_check_certificates(), and goes on. */
void eap_change_wired(struct amt_dev *dev, chain_fn *then);

#endif
