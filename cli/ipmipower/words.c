/* SPDX-License-Identifier: Apache-2.0 */
#include "ipmipower/words.h"

#include <string.h>

static const char *const texts[] = {
	[IPMIPOWER_ON] = "on",
	[IPMIPOWER_OFF] = "off",
	[IPMIPOWER_OK] = "ok",
	[IPMIPOWER_UNKNOWN] = "unknown",
	[IPMIPOWER_USERNAME] = "username invalid",
	[IPMIPOWER_PASSWORD] = "password invalid",
	[IPMIPOWER_KG] = "k_g invalid",
	[IPMIPOWER_NO_PRIVILEGE] = "privilege level cannot be obtained for this user",
	[IPMIPOWER_LITTLE_PRIVILEGE] = "privilege level insufficient",
	[IPMIPOWER_OPERATION] = "operation invalid",
	[IPMIPOWER_AUTH_TYPE] = "authentication type unavailable for attempted privilege level",
	[IPMIPOWER_CIPHER_SUITE] = "cipher suite id unavailable",
	[IPMIPOWER_PASSWORD_TIMEOUT] = "password verification timeout",
	[IPMIPOWER_CONNECTION_TIMEOUT] = "connection timeout",
	[IPMIPOWER_SESSION_TIMEOUT] = "session timeout",
	[IPMIPOWER_HOSTNAME] = "invalid hostname",
	[IPMIPOWER_UNCONFIGURED] = "unconfigured hostname",
	[IPMIPOWER_RESOURCES] = "out of resources",
	[IPMIPOWER_NO_IPMI20] = "ipmi 2.0 unavailable",
	[IPMIPOWER_BUSY] = "BMC busy",
	[IPMIPOWER_ERROR] = "BMC error",
};

const char *ipmipower_word_text(enum ipmipower_word word)
{
	return texts[word];
}

/* The first that fits: a part of the text or NULL, a class or 0, a flag or 0. */
static const struct row {
	const char *part;
	int class;
	unsigned flag;
	enum ipmipower_word word;
	bool plain;
} rows[] = {
	{ "user name refused", PCTL_E_AUTH, 0, IPMIPOWER_USERNAME, true },
	{ "(completion code 81h)", PCTL_E_AUTH, 0, IPMIPOWER_USERNAME, true },
	{ "(completion code 82h)", PCTL_E_AUTH, 0, IPMIPOWER_USERNAME, true },
	{ "K_g refused", PCTL_E_AUTH, 0, IPMIPOWER_KG, true },
	{ "password verification timeout", 0, 0, IPMIPOWER_PASSWORD_TIMEOUT, true },
	{ "password refused", PCTL_E_AUTH, 0, IPMIPOWER_PASSWORD, true },
	{ NULL, PCTL_E_AUTH, 0, IPMIPOWER_PASSWORD, false },
	{ "Chassis", PCTL_E_FORBIDDEN, 0, IPMIPOWER_LITTLE_PRIVILEGE, true },
	{ NULL, PCTL_E_FORBIDDEN, 0, IPMIPOWER_NO_PRIVILEGE, true },
	{ "cipher suite", PCTL_E_UNSUPPORTED, 0, IPMIPOWER_CIPHER_SUITE, true },
	{ "over IPMI 1.5", PCTL_E_UNSUPPORTED, 0, IPMIPOWER_AUTH_TYPE, true },
	{ "does not speak IPMI 2.0", PCTL_E_UNSUPPORTED, 0, IPMIPOWER_NO_IPMI20, true },
	{ NULL, PCTL_E_UNSUPPORTED, 0, IPMIPOWER_OPERATION, false },
	{ NULL, PCTL_E_STATE, 0, IPMIPOWER_OPERATION, false },
	{ "no address for its name", PCTL_E_UNREACHABLE, 0, IPMIPOWER_HOSTNAME, true },
	{ "no answer", PCTL_E_UNREACHABLE, 0, IPMIPOWER_CONNECTION_TIMEOUT, true },
	{ NULL, PCTL_E_UNREACHABLE, 0, IPMIPOWER_CONNECTION_TIMEOUT, false },
	{ NULL, PCTL_E_TIMEOUT, PCTL_ERROR_SILENT, IPMIPOWER_CONNECTION_TIMEOUT, true },
	{ NULL, PCTL_E_TIMEOUT, 0, IPMIPOWER_SESSION_TIMEOUT, false },
	{ NULL, PCTL_E_OUTCOME_UNKNOWN, 0, IPMIPOWER_SESSION_TIMEOUT, false },
	{ NULL, PCTL_E_BUSY, 0, IPMIPOWER_BUSY, false },
	{ NULL, PCTL_E_CANCELED, 0, IPMIPOWER_UNKNOWN, false },
};

static bool fits(const struct row *row, const struct pctl_error *err)
{
	return (!row->class || row->class == err->code) &&
	       (!row->part || strstr(err->text, row->part)) &&
	       (!row->flag || err->flags & row->flag);
}

enum ipmipower_word ipmipower_word_of_error(const struct pctl_error *err, bool *ret_plain)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (fits(&rows[i], err)) {
			*ret_plain = rows[i].plain;
			return rows[i].word;
		}
	*ret_plain = false;
	return pctl_error_is_shortage(err) ? IPMIPOWER_RESOURCES : IPMIPOWER_ERROR;
}

enum ipmipower_word ipmipower_word_of(const struct pctl_result *r, bool *ret_plain)
{
	if (!r->ok || r->error.code)
		return ipmipower_word_of_error(&r->error, ret_plain);
	*ret_plain = true;
	if (r->verb != PCTL_VERB_STATUS)
		return IPMIPOWER_OK;
	if (r->state_known && r->state == PCTL_POWER_ON)
		return IPMIPOWER_ON;
	return r->state_known && r->state == PCTL_POWER_OFF ? IPMIPOWER_OFF : IPMIPOWER_UNKNOWN;
}
