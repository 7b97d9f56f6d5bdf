/* SPDX-License-Identifier: Apache-2.0 */
/* What fits no interface: `powerctl amt METHOD ...`. */
#include "classes/methods.h"

/* A chain of a dozen requests to firmware that thinks about each. */
#define LIMIT_MS 120000u

#define CHANGES (PCTL_METHOD_CHANGES | PCTL_METHOD_READS_BARE)
#define METHOD(of, word, bits, text)                                                   \
	{                                                                              \
		.size = sizeof(struct pctl_method), .flags = (bits) | PCTL_METHOD_DRY, \
		.name = (word), .help = (text), .parameters = of##_parameters,         \
		.limit_ms = LIMIT_MS, .run = of##_run                                  \
	}
/* The same, and its arguments are checked before there is any device. */
#define CHECKED(of, word, bits, text)                                                  \
	{                                                                              \
		.size = sizeof(struct pctl_method), .flags = (bits) | PCTL_METHOD_DRY, \
		.name = (word), .help = (text), .parameters = of##_parameters,         \
		.limit_ms = LIMIT_MS, .run = of##_run, .check = of##_check             \
	}

const struct pctl_method amt_methods[] = {
	METHOD(features, "features", CHANGES | PCTL_METHOD_REPEATABLE,
		"Serial over LAN, storage and screen redirection, user consent"),
	METHOD(time, "time", CHANGES | PCTL_METHOD_REPEATABLE, "the device's clock"),
	CHECKED(alarms, "alarms", CHANGES, "times at which it turns the machine on"),
	CHECKED(general, "general", CHANGES | PCTL_METHOD_REPEATABLE,
		"its name, what it answers to, when it sleeps"),
	CHECKED(network, "network", CHANGES | PCTL_METHOD_CONFIRM,
		"the addresses of its wired port"),
	CHECKED(wifi, "wifi", CHANGES, "its Wi-Fi: state, profiles, who has the radio"),
	CHECKED(tls, "tls", CHANGES | PCTL_METHOD_CONFIRM, "TLS on its ports"),
	CHECKED(certs, "certs", CHANGES, "the certificates and keys that it keeps"),
	CHECKED(users, "users", CHANGES, "users beside the administrator, and their rights"),
	CHECKED(cira, "cira", CHANGES, "the server to which it opens a connection itself"),
	METHOD(scheme, "power-package", CHANGES | PCTL_METHOD_REPEATABLE,
		"in which states of the machine it has power"),
	CHECKED(mebx, "mebx-password", PCTL_METHOD_CHANGES | PCTL_METHOD_CONFIRM,
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
	CHECKED(wsman_get, "wsman-get", 0, "read one instance of any WS-Management class"),
	CHECKED(wsman_enumerate, "wsman-enumerate", 0, "read all instances of any class"),
	CHECKED(wsman_put, "wsman-put", PCTL_METHOD_CHANGES | PCTL_METHOD_CONFIRM,
		"change fields of an instance of any class"),
	CHECKED(wsman_invoke, "wsman-invoke",
		PCTL_METHOD_CHANGES | PCTL_METHOD_DISRUPTS | PCTL_METHOD_CONFIRM,
		"call a method of any class"),
	{ .name = NULL },
};
