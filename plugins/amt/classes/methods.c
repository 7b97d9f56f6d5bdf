/* SPDX-License-Identifier: Apache-2.0 */
/* What fits no interface: `powerctl amt METHOD ...`. */
#include "classes/methods.h"

/* A chain of a dozen requests to firmware that thinks about each. */
#define LIMIT_MS 120000u

#define CHANGES (PCTL_METHOD_CHANGES | PCTL_METHOD_READS_BARE)
#define CHECKED(of, word, bits, text, checked)                                         \
	{                                                                              \
		.size = sizeof(struct pctl_method), .flags = (bits) | PCTL_METHOD_DRY, \
		.name = (word), .help = (text), .parameters = of##_parameters,         \
		.limit_ms = LIMIT_MS, .run = of##_run, .check = (checked)              \
	}
#define METHOD(of, word, bits, text) CHECKED(of, word, bits, text, NULL)

const struct pctl_method amt_methods[] = {
	METHOD(features, "features", CHANGES | PCTL_METHOD_REPEATABLE,
		"Serial over LAN, storage and screen redirection, user consent"),
	METHOD(time, "time", CHANGES | PCTL_METHOD_REPEATABLE, "the device's clock"),
	CHECKED(alarms, "alarms", CHANGES, "times at which it turns the machine on", alarms_check),
	METHOD(general, "general", CHANGES | PCTL_METHOD_REPEATABLE,
		"its name, what it answers to, when it sleeps"),
	METHOD(network, "network", CHANGES | PCTL_METHOD_CONFIRM,
		"the addresses of its wired port"),
	METHOD(wifi, "wifi", CHANGES, "its Wi-Fi: state, profiles, who has the radio"),
	METHOD(tls, "tls", CHANGES | PCTL_METHOD_CONFIRM, "TLS on its ports"),
	METHOD(certs, "certs", CHANGES, "the certificates and keys that it keeps"),
	METHOD(users, "users", CHANGES, "users beside the administrator, and their rights"),
	METHOD(cira, "cira", CHANGES, "the server to which it opens a connection itself"),
	METHOD(scheme, "power-package", CHANGES | PCTL_METHOD_REPEATABLE,
		"in which states of the machine it has power"),
	METHOD(mebx, "mebx-password", PCTL_METHOD_CHANGES | PCTL_METHOD_CONFIRM,
		"the password of the set-up menu at the machine (MEBx)"),
	{
		.size = sizeof(struct pctl_method),
		.flags = PCTL_METHOD_CHANGES | PCTL_METHOD_DISRUPTS | PCTL_METHOD_CONFIRM |
			 PCTL_METHOD_DRY,
		.name = "unprovision",
		.help = "take it out of management: users, certificates, settings, login are lost",
		.limit_ms = LIMIT_MS,
		.run = unprovision_run,
	},
	CHECKED(wsman_get, "wsman-get", 0, "read one instance of any WS-Management class",
		wsman_get_check),
	CHECKED(wsman_enumerate, "wsman-enumerate", 0, "read all instances of any class",
		wsman_enumerate_check),
	CHECKED(wsman_put, "wsman-put", PCTL_METHOD_CHANGES | PCTL_METHOD_CONFIRM,
		"change fields of an instance of any class", wsman_put_check),
	CHECKED(wsman_invoke, "wsman-invoke",
		PCTL_METHOD_CHANGES | PCTL_METHOD_DISRUPTS | PCTL_METHOD_CONFIRM,
		"call a method of any class", wsman_invoke_check),
	{ .name = NULL },
};
