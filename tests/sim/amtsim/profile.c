/* SPDX-License-Identifier: Apache-2.0 */
#include "profile.h"

#include <stddef.h>
#include <string.h>

#include "util.h"

static const struct profile profiles[] = {
	{
		.name = "8",
		.server = "8.0.3",
		.version = "8.0.3",
		.build = "1427",
		.major = 8,
		.qop = "auth",
		.realm_digits = 4,
		.nonce_zeros = 2,
		.plain = true,
	},
	{
		.name = "11",
		.server = "11.8.50.3425",
		.version = "11.8.50",
		.build = "3425",
		.major = 11,
		.qop = "auth",
		.realm_digits = 4,
		.nonce_zeros = 6,
		.plain = true,
	},
	{
		.name = "12",
		.server = "12.0.67.1579",
		.version = "12.0.67",
		.build = "1579",
		.major = 12,
		.qop = "auth",
		.realm_digits = 32,
		.nonce_zeros = 6,
		.plain = true,
		.available_states = true,
	},
	{
		.name = "15",
		.server = "15.0.42.2235",
		.version = "15.0.42",
		.build = "2235",
		.major = 15,
		.qop = "auth-int, auth",
		.auth_int = true,
		.strict_nc = true,
		.realm_digits = 32,
		.nonce_zeros = 6,
		.plain = true,
		.available_states = true,
	},
	{
		.name = "16.1",
		.server = "16.1.25.1917",
		.version = "16.1.25",
		.build = "1917",
		.major = 16,
		.qop = "auth-int, auth",
		.auth_int = true,
		.strict_nc = true,
		.realm_digits = 32,
		.nonce_zeros = 6,
		.available_states = true,
	},
};

const struct profile *profile_find(const char *name)
{
	for (size_t i = 0; i < COUNT(profiles); i++)
		if (strcmp(profiles[i].name, name) == 0)
			return &profiles[i];
	return NULL;
}

const char *profile_names(void)
{
	return "8, 11, 12, 15 or 16.1";
}
