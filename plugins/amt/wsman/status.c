/* SPDX-License-Identifier: Apache-2.0 */
#include "wsman/status.h"

#include <string.h>

#define VENDOR_BASE 32768u /* ReturnValue = this + PT_STATUS */

struct number {
	uint64_t value;
	int code;
	const char *words;
};

#define AUDIT_WORDS   "its audit log is full or locked, and it does nothing it cannot record there"
#define CONSENT_WORDS "user consent is needed: somebody at the machine has to agree first"

/* PT_STATUS, in the order of its numbers. */
static const struct number internal[] = {
	{ 0x1, PCTL_E_REFUSED, "internal error" },
	{ 0x2, PCTL_E_REFUSED, "not ready (it may not be possible in its present state)" },
	{ 0x3, PCTL_E_REFUSED, "not in this provisioning mode" },
	{ 0x4, PCTL_E_REFUSED, "invalid message length (boot settings may exclude each other)" },
	{ 0x5, PCTL_E_REFUSED, "table fingerprint not available" },
	{ 0x6, PCTL_E_REFUSED, "integrity check failed" },
	{ 0x7, PCTL_E_UNSUPPORTED, "storage service version not supported" },
	{ 0x8, PCTL_E_REFUSED, "application not registered" },
	{ 0x9, PCTL_E_REFUSED, "invalid registration data" },
	{ 0xa, PCTL_E_REFUSED, "application does not exist" },
	{ 0xb, PCTL_E_REFUSED, "not enough storage" },
	{ 0xc, PCTL_E_REFUSED, "invalid name" },
	{ 0xd, PCTL_E_REFUSED, "block does not exist" },
	{ 0xe, PCTL_E_REFUSED, "invalid byte offset" },
	{ 0xf, PCTL_E_REFUSED, "invalid byte count" },
	{ 0x10, PCTL_E_FORBIDDEN, "not permitted" },
	{ 0x11, PCTL_E_FORBIDDEN, "not the owner" },
	{ 0x12, PCTL_E_BUSY, "block locked by another" },
	{ 0x13, PCTL_E_REFUSED, "block not locked" },
	{ 0x14, PCTL_E_FORBIDDEN, "invalid group permissions" },
	{ 0x15, PCTL_E_REFUSED, "group does not exist" },
	{ 0x16, PCTL_E_REFUSED, "invalid member count" },
	{ 0x17, PCTL_E_REFUSED, "a limit is reached" },
	{ 0x18, PCTL_E_REFUSED, "invalid authentication type" },
	{ 0x19, PCTL_E_FORBIDDEN, "authentication failed" },
	{ 0x1a, PCTL_E_REFUSED, "invalid DHCP mode" },
	{ 0x1b, PCTL_E_REFUSED, "invalid IP address" },
	{ 0x1c, PCTL_E_REFUSED, "invalid domain name" },
	{ 0x1d, PCTL_E_UNSUPPORTED, "version not supported" },
	{ 0x1e, PCTL_E_REFUSED, "request not expected now" },
	{ 0x1f, PCTL_E_REFUSED, "invalid table type" },
	{ 0x20, PCTL_E_REFUSED, "not in this provisioning state" },
	{ 0x21, PCTL_E_UNSUPPORTED, "object not supported" },
	{ 0x22, PCTL_E_REFUSED, "invalid time" },
	{ 0x23, PCTL_E_REFUSED, "invalid index" },
	{ 0x24, PCTL_E_REFUSED, "invalid parameter" },
	{ 0x25, PCTL_E_REFUSED, "invalid network mask" },
	{ 0x26, PCTL_E_REFUSED,
		"its flash memory was written too often; it recovers within the hour" },
	{ 0x27, PCTL_E_REFUSED, "invalid image length" },
	{ 0x28, PCTL_E_REFUSED, "invalid image signature" },
	{ 0x29, PCTL_E_REFUSED, "another version is proposed" },
	{ 0x2a, PCTL_E_REFUSED, "invalid PID" },
	{ 0x2b, PCTL_E_REFUSED, "invalid PPS" },
	{ 0x2c, PCTL_E_REFUSED, "self-test command blocked" },
	{ 0x2d, PCTL_E_REFUSED, "connection failed" },
	{ 0x2e, PCTL_E_BUSY, "too many connections" },
	{ 0x2f, PCTL_E_BUSY, "random numbers are being made" },
	{ 0x30, PCTL_E_BUSY, "random numbers are not ready" },
	{ 0x31, PCTL_E_BUSY, "certificate not ready" },
	{ 0x400, PCTL_E_FORBIDDEN, "disabled by policy" },
	{ 0x800, PCTL_E_REFUSED, "network interface error" },
	{ 0x801, PCTL_E_UNSUPPORTED, "OEM number not supported" },
	{ 0x802, PCTL_E_UNSUPPORTED, "boot option not supported" },
	{ 0x803, PCTL_E_REFUSED, "invalid command" },
	{ 0x804, PCTL_E_REFUSED, "invalid special command" },
	{ 0x805, PCTL_E_REFUSED, "invalid handle" },
	{ 0x806, PCTL_E_REFUSED, "invalid password" },
	{ 0x807, PCTL_E_REFUSED, "invalid realm" },
	{ 0x808, PCTL_E_BUSY, "storage access list in use" },
	{ 0x809, PCTL_E_REFUSED, "data missing" },
	{ 0x80a, PCTL_E_REFUSED, "exists already" },
	{ 0x80b, PCTL_E_REFUSED, "its event log is frozen" },
	{ 0x80c, PCTL_E_REFUSED, "keys missing" },
	{ 0x80d, PCTL_E_BUSY, "keys are being made" },
	{ 0x80e, PCTL_E_REFUSED, "invalid key" },
	{ 0x80f, PCTL_E_REFUSED, "invalid certificate" },
	{ 0x810, PCTL_E_REFUSED, "certificate and key do not match" },
	{ 0x811, PCTL_E_REFUSED, "too many Kerberos domains" },
	{ 0x812, PCTL_E_UNSUPPORTED, "not supported" },
	{ 0x813, PCTL_E_REFUSED, "invalid priority" },
	{ 0x814, PCTL_E_REFUSED, "not found" },
	{ 0x815, PCTL_E_FORBIDDEN, "invalid credentials" },
	{ 0x816, PCTL_E_REFUSED, "invalid passphrase" },
	{ 0x818, PCTL_E_REFUSED, "no association" },
	{ 0x81b, PCTL_E_REFUSED, AUDIT_WORDS },
	{ 0x81c, PCTL_E_REFUSED, "blocked by another component of the firmware" },
	{ 0x821, PCTL_E_CONSENT, CONSENT_WORDS },
	{ 0x822, PCTL_E_BUSY, "an operation is in progress" },
};

#define NOT_READY "not ready (it may not be possible in its present state)"

/* 3 is the device's own clock running out: whether it acted is not known. */
static const struct number power_returns[] = {
	{ 1, PCTL_E_UNSUPPORTED, "not supported" },
	{ 2, PCTL_E_REFUSED, NOT_READY },
	{ 3, PCTL_E_TIMEOUT, "it timed out inside the device" },
	{ 4, PCTL_E_REFUSED, "failed" },
	{ 5, PCTL_E_REFUSED, "invalid parameter" },
	{ 6, PCTL_E_BUSY, "in use" },
	{ 4096, 0, NULL }, /* a job was started: accepted */
	{ 4097, PCTL_E_STATE, "not possible in its present power state" },
	{ 4098, PCTL_E_UNSUPPORTED, "timeouts are not supported" },
	{ 4099, PCTL_E_BUSY, "busy" },
};

static const struct number boot_order_returns[] = {
	{ 1, PCTL_E_UNSUPPORTED, "not supported" },
	{ 2, PCTL_E_REFUSED, NOT_READY },
	{ 3, PCTL_E_BUSY, "busy" },
	{ 4, PCTL_E_REFUSED,
		"invalid reference (it may lack this boot source, or another boot setting "
		"excludes it)" },
	{ 5, PCTL_E_REFUSED, "invalid parameter" },
	{ 6, PCTL_E_FORBIDDEN, "access denied" },
};

static const struct number boot_role_returns[] = {
	{ 1, PCTL_E_UNSUPPORTED, "not supported" },
	{ 2, PCTL_E_REFUSED, NOT_READY },
	{ 5, PCTL_E_REFUSED, "invalid parameter" },
	{ 6, PCTL_E_FORBIDDEN, "access denied" },
};

/* 3 is a log without a record. */
static const struct number log_returns[] = {
	{ 1, PCTL_E_UNSUPPORTED, "not supported" },
	{ 2, PCTL_E_REFUSED, "invalid record pointer" },
	{ 3, 0, NULL },
	{ 0x80b, PCTL_E_REFUSED, "its event log is frozen" },
};

static const struct number state_returns[] = {
	{ 1, PCTL_E_UNSUPPORTED, "not supported" },
	{ 2, PCTL_E_REFUSED, NOT_READY },
	{ 3, PCTL_E_TIMEOUT, "it timed out inside the device" },
	{ 4, PCTL_E_REFUSED, "failed" },
	{ 5, PCTL_E_REFUSED,
		"invalid parameter (the BIOS or MEBx may have this switched off for good)" },
	{ 6, PCTL_E_BUSY, "in use" },
	{ 4096, 0, NULL }, /* a job was started: accepted */
	{ 4097, PCTL_E_STATE, "not possible in its present state" },
	{ 4098, PCTL_E_UNSUPPORTED, "timeouts are not supported" },
	{ 4099, PCTL_E_BUSY, "busy" },
};

static const struct number wifi_returns[] = {
	{ 1, PCTL_E_UNSUPPORTED, "not supported" },
	{ 2, PCTL_E_REFUSED, "failed" },
	{ 3, PCTL_E_TIMEOUT, "it timed out inside the device" },
	{ 4, PCTL_E_REFUSED, "failed" },
	{ 5, PCTL_E_REFUSED, "invalid parameter" },
	{ 6, PCTL_E_BUSY, "in use" },
};

/* DMTF's generic ones that are the same everywhere: a job was started. */
static const struct number other_returns[] = {
	{ 4096, 0, NULL },
};

static const struct number opt_in_returns[] = {
	{ 1, PCTL_E_REFUSED, "internal error" },
	{ 2, PCTL_E_STATE, "not possible in the present state of user consent" },
	{ 3, PCTL_E_BUSY, "blocked for some minutes" },
	{ 4, PCTL_E_REFUSED, "its flash memory failed" },
};

#define TABLE(t)                            \
	{                                   \
		t, sizeof(t) / sizeof(t[0]) \
	}
static const struct table {
	const struct number *rows;
	size_t n;
} internals = TABLE(internal), returns[] = {
	[STATUS_POWER] = TABLE(power_returns),
	[STATUS_BOOT_ORDER] = TABLE(boot_order_returns),
	[STATUS_BOOT_ROLE] = TABLE(boot_role_returns),
	[STATUS_LOG] = TABLE(log_returns),
	[STATUS_OPT_IN] = TABLE(opt_in_returns),
	[STATUS_PLAIN] = TABLE(internal),
	[STATUS_STATE] = TABLE(state_returns),
	[STATUS_WIFI] = TABLE(wifi_returns),
	[STATUS_OTHER] = TABLE(other_returns),
};

static const struct number *lookup(const struct table *table, uint64_t value)
{
	for (size_t i = 0; i < table->n; i++) {
		if (table->rows[i].value == value)
			return &table->rows[i];
	}
	return NULL;
}

static int refuse(int code, const char *what, const char *words, struct pctl_error *err)
{
	if (!what)
		return pctl_error_set(err, code, "the device refused: %s", words);
	return pctl_error_set(err, code, "the device refused %s: %s", what, words);
}

int status_return(enum status_kind kind, uint64_t value, const char *what, struct pctl_error *err)
{
	static const struct number unknown = { 0, PCTL_E_REFUSED, "it gave no known reason" };

	if (!value)
		return 0;
	const struct number *n = value >= VENDOR_BASE && kind != STATUS_PLAIN
					 ? lookup(&internals, value - VENDOR_BASE)
					 : lookup(&returns[kind], value);
	/* AMT_ classes have this method too, and answer as they do elsewhere. */
	if (!n && (kind == STATUS_STATE || kind == STATUS_WIFI))
		n = lookup(&internals, value);
	if (!n)
		n = &unknown;
	if (!n->code)
		return 0;
	(void)refuse(n->code, what, n->words, err);
	(void)pctl_error_device_code(err, "ReturnValue %llu", (unsigned long long)value);
	return n->code;
}

int status_internal(uint64_t n, const char *what, struct pctl_error *err)
{
	const struct number *row = lookup(&internals, n);
	int code = row ? row->code : PCTL_E_REFUSED;

	(void)refuse(code, what, row ? row->words : "internal error", err);
	(void)pctl_error_device_code(err, "AMT-STATUS %llu", (unsigned long long)n);
	return code;
}

static const struct fault {
	const char *subcode;
	int code;
	const char *words;
} faults[] = {
	{ "AccessDenied", PCTL_E_FORBIDDEN, "access denied: the account lacks the right to do it" },
	{ "ActionNotSupported", PCTL_E_UNSUPPORTED, "the firmware lacks this method" },
	{ "AlreadyExists", PCTL_E_REFUSED, "it exists already" },
	{ "Concurrency", PCTL_E_BUSY, "another request is being served" },
	{ "DestinationUnreachable", PCTL_E_UNSUPPORTED, "the firmware does not have it" },
	{ "EncodingLimit", PCTL_E_PROTOCOL, "its answer would be too long" },
	{ "InternalError", PCTL_E_REFUSED, "internal error" },
	{ "InvalidEnumerationContext", PCTL_E_BUSY, "it lost its place in a list" },
	{ "InvalidMessageInformationHeader", PCTL_E_PROTOCOL, "it did not take a header" },
	{ "InvalidRepresentation", PCTL_E_REFUSED, "it did not take these values" },
	{ "InvalidResourceURI", PCTL_E_UNSUPPORTED, "the firmware lacks this class" },
	{ "InvalidSelectors", PCTL_E_UNSUPPORTED, "there is no such instance" },
	{ "MessageInformationHeaderRequired", PCTL_E_PROTOCOL, "it misses a header" },
	{ "MustUnderstand", PCTL_E_PROTOCOL, "it did not take a header" },
	{ "NotSupported", PCTL_E_UNSUPPORTED, "not supported" },
	{ "QuotaLimit", PCTL_E_REFUSED, "a limit is reached" },
	{ "SchemaValidationError", PCTL_E_PROTOCOL, "it did not understand the request" },
	{ "TimedOut", PCTL_E_TIMEOUT, "it timed out inside the device" },
	{ "UnsupportedFeature", PCTL_E_UNSUPPORTED, "not supported" },
};

int status_fault(const char *subcode, const char *reason, const char *what, struct pctl_error *err)
{
	int code = PCTL_E_REFUSED;
	const char *words = *reason ? reason : "it gave no reason";

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		if (strcmp(faults[i].subcode, subcode) == 0) {
			code = faults[i].code;
			words = faults[i].words;
		}
	}
	(void)refuse(code, what, words, err);
	(void)pctl_error_device_code(err, "%s", subcode);
	return code;
}
