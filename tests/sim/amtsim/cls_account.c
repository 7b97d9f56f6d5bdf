/* SPDX-License-Identifier: Apache-2.0 */
/* The login's own password: the administrator's, or that of another user. */
#include <string.h>

#include "account.h"
#include "classes.h"
#include "digest.h"
#include "sim.h"

enum {
	PT_INTERNAL = 1,
	PT_INVALID_HANDLE = 0x805,
	PT_INVALID_PASSWORD = 0x806,
};

bool account_is_admin(const struct device *dev)
{
	return strcmp(dev->sim->options.user, ACCOUNT_ADMIN) == 0;
}

/* What it was given is all that it has: the hash, from which nobody makes the password again. */
static void take_hash(struct device *dev, const uint8_t hash[16])
{
	hex_text(hash, 16, dev->ha1);
	dev->password[0] = '\0';
	dev->counters.set_password++;
}

static enum fault set_hash(struct call *c, const char *user, uint32_t *ret_value)
{
	struct device *dev = c->dev;
	uint8_t hash[32];

	dev->counters.asked_password++;
	if (!param(c, user).p || !param(c, "DigestPassword").p)
		return FAULT_INVALID_REPRESENTATION;
	if (base64_decode(param(c, "DigestPassword"), hash, sizeof(hash)) != 16)
		*ret_value = PT_INVALID_PASSWORD;
	else if (dev->knobs.passwd == PASSWD_REFUSE ||
		 !str_is(param(c, user), dev->sim->options.user))
		*ret_value = PT_INTERNAL;
	else if (dev->knobs.passwd != PASSWD_IGNORE && dev->knobs.passwd != PASSWD_HANG)
		take_hash(dev, hash);
	c->lost = dev->knobs.passwd >= PASSWD_LOSE;
	return FAULT_NONE;
}

enum fault account_set_admin(struct call *c, uint32_t *ret_value)
{
	if (!account_is_admin(c->dev)) {
		*ret_value = PT_INTERNAL; /* nobody knows his name here but the firmware */
		return FAULT_NONE;
	}
	return set_hash(c, "Username", ret_value);
}

/* The realms that are not there in the request are gone: so all of them have to be. */
static bool has_all_realms(const struct call *c)
{
	unsigned n = 0;

	for (int i = xml_first(c->doc, c->node); i >= 0; i = xml_next(c->doc, i))
		n += str_is(c->doc->nodes[i].name, "Realms");
	return n == 3;
}

enum fault account_update(struct call *c, uint32_t *ret_value)
{
	uint64_t handle = 0, access = 0;

	if (!param_uint(c, "Handle", UINT32_MAX, &handle) ||
		!param_uint(c, "AccessPermission", 2, &access))
		return FAULT_INVALID_REPRESENTATION;
	if (handle != ACCOUNT_HANDLE || account_is_admin(c->dev) || !has_all_realms(c)) {
		*ret_value = PT_INVALID_HANDLE;
		return FAULT_NONE;
	}
	return set_hash(c, "DigestUsername", ret_value);
}
