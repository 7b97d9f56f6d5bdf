/* SPDX-License-Identifier: Apache-2.0 */
/* The methods: a table of parameters and a function each; their rows stand in methods.c. */
#ifndef POWERCTL_AMT_METHODS_H
#define POWERCTL_AMT_METHODS_H

#include "amt.h"

#define METHOD(of)                                                                       \
	extern const struct pctl_property of##_parameters[];                             \
	void of##_run(void *data, struct pctl_op *op, const struct pctl_arguments *args, \
		struct pctl_value *ret)

METHOD(features);
METHOD(time);
METHOD(alarms);
METHOD(general);
METHOD(mebx);
METHOD(network);
METHOD(wifi);
METHOD(tls);
METHOD(certs);
METHOD(users);
METHOD(cira);
METHOD(scheme);
METHOD(wsman_get);
METHOD(wsman_enumerate);
METHOD(wsman_put);
METHOD(wsman_invoke);
#undef METHOD

/* pctl_method.check of those that have one. */
#define CHECK(of) int of##_check(const struct pctl_arguments *args, struct pctl_error *err)
CHECK(alarms);
CHECK(general);
CHECK(mebx);
CHECK(network);
CHECK(wifi);
CHECK(tls);
CHECK(certs);
CHECK(users);
CHECK(cira);
CHECK(wsman_get);
CHECK(wsman_enumerate);
CHECK(wsman_put);
CHECK(wsman_invoke);
#undef CHECK

void unprovision_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret);

/* At most that many bytes of a file are read: a certificate, a list of fields. */
#define METHODS_FILE_MAX ((size_t)64 << 10)

#endif
