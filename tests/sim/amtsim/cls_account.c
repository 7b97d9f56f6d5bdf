/* SPDX-License-Identifier: Apache-2.0 */
/* The class about users: the one account, which is the administrator's or that of another user. */
#include <string.h>

#include "classes.h"
#include "digest.h"
#include "sim.h"

#define ADMIN "admin"

enum {
	PT_INTERNAL = 1,
	PT_INVALID_HANDLE = 0x805,
	PT_INVALID_PASSWORD = 0x806,
	HANDLE = 7,
	OTHERS_HANDLE = 3,
	FIRST_REALM = 3,
	LAST_REALM = 21,
};

static bool is_admin(const struct device *dev)
{
	return strcmp(dev->sim->options.user, ADMIN) == 0;
}

static void emit_authorization(struct call *c, size_t i)
{
	(void)i;
	emit_number(c, "AllowHttpQopAuthOnly", 1);
	emit_field(c, "CreationClassName", "AMT_AuthorizationService");
	emit_field(c, "ElementName", "Intel(r) AMT Authorization Service");
	emit_field(c, "EnabledState", "5");
	emit_field(c, "Name", "Intel(r) AMT Authorization Service");
	emit_field(c, "RequestedState", "12");
	emit_field(c, "SystemCreationClassName", "CIM_ComputerSystem");
	emit_field(c, "SystemName", "ManagedSystem");
}

static enum fault get_admin(struct call *c, uint32_t *ret_value)
{
	*ret_value = 0;
	emit_field(c, "Username", ADMIN);
	return FAULT_NONE;
}

/* What it was given is all that it has: the hash, from which nobody makes the password again. */
static void take_hash(struct device *dev, const uint8_t hash[16])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < 16; i++) {
		dev->ha1[2 * i] = digits[hash[i] >> 4];
		dev->ha1[2 * i + 1] = digits[hash[i] & 15];
	}
	dev->ha1[32] = '\0';
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

static enum fault set_admin(struct call *c, uint32_t *ret_value)
{
	if (!is_admin(c->dev)) {
		*ret_value = PT_INTERNAL; /* nobody knows his name here but the firmware */
		return FAULT_NONE;
	}
	return set_hash(c, "Username", ret_value);
}

static enum fault list_users(struct call *c, uint32_t *ret_value)
{
	size_t n = is_admin(c->dev) ? 1 : 2;
	const unsigned handles[] = { OTHERS_HANDLE, HANDLE };
	uint64_t start = 0;

	*ret_value = 0;
	if (!param_uint(c, "StartIndex", 50, &start) || !start)
		return FAULT_INVALID_REPRESENTATION;
	emit_number(c, "TotalCount", n);
	emit_number(c, "HandlesCount", start > n ? 0 : 1);
	if (start <= n) /* one at a time, so that clients have to go on */
		emit_number(c, "Handles", handles[start - 1]);
	return FAULT_NONE;
}

static enum fault get_user(struct call *c, uint32_t *ret_value)
{
	uint64_t handle = 0;

	*ret_value = 0;
	if (!param_uint(c, "Handle", UINT32_MAX, &handle))
		return FAULT_INVALID_REPRESENTATION;
	if (handle == OTHERS_HANDLE) {
		emit_field(c, "DigestUsername", "$$uns");
		emit_number(c, "AccessPermission", 0);
		emit_number(c, "Realms", 16);
	} else if (handle == HANDLE && !is_admin(c->dev)) {
		emit_field(c, "DigestUsername", c->dev->sim->options.user);
		emit_number(c, "AccessPermission", 2);
		for (unsigned realm = FIRST_REALM; realm <= LAST_REALM; realm += 9)
			emit_number(c, "Realms", realm);
	} else {
		*ret_value = PT_INVALID_HANDLE;
	}
	return FAULT_NONE;
}

/* The realms that are not there in the request are gone: so all of them have to be. */
static bool has_all_realms(const struct call *c)
{
	unsigned n = 0;

	for (int i = xml_first(c->doc, c->node); i >= 0; i = xml_next(c->doc, i))
		n += str_is(c->doc->nodes[i].name, "Realms");
	return n == 3;
}

static enum fault update_user(struct call *c, uint32_t *ret_value)
{
	uint64_t handle = 0, access = 0;

	if (!param_uint(c, "Handle", UINT32_MAX, &handle) ||
		!param_uint(c, "AccessPermission", 2, &access))
		return FAULT_INVALID_REPRESENTATION;
	if (handle != HANDLE || is_admin(c->dev) || !has_all_realms(c)) {
		*ret_value = PT_INVALID_HANDLE;
		return FAULT_NONE;
	}
	return set_hash(c, "DigestUsername", ret_value);
}

static const struct method methods[] = {
	{ "GetAdminAclEntry", "", get_admin, 0 },
	{ "SetAdminAclEntryEx", "Username DigestPassword", set_admin, 0 },
	{ "EnumerateUserAclEntries", "StartIndex", list_users, 0 },
	{ "GetUserAclEntryEx", "Handle", get_user, 0 },
	{ "UpdateUserAclEntryEx",
		"Handle DigestUsername DigestPassword KerberosUserSid AccessPermission Realms",
		update_user, 0 },
};

const struct wclass account_classes[] = {
	{
		.name = "AMT_AuthorizationService",
		.uri = NS_AMT "AMT_AuthorizationService",
		.selectors = "CreationClassName Name SystemCreationClassName SystemName",
		.common = true,
		.emit = emit_authorization,
		METHODS(methods),
	},
};

const size_t account_classes_count = COUNT(account_classes);
