/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "status.h"

#include <stddef.h>

/* The names and numbers of table 13-15; what they mean to a person. */
static const struct row {
	uint8_t status;
	bool suite; /* about the cipher suite: another one may do */
	int class;
	const char *text;
} rows[] = {
	{ 0x01, false, PCTL_E_BUSY, "the BMC has no room for another session" },
	{ 0x02, false, PCTL_E_PROTOCOL, "the BMC does not know the session it just opened" },
	{ 0x03, false, PCTL_E_PROTOCOL, "the BMC does not know the payload type" },
	{ 0x04, true, PCTL_E_UNSUPPORTED, "unavailable on this BMC: not that authentication" },
	{ 0x05, true, PCTL_E_UNSUPPORTED, "unavailable on this BMC: not that integrity" },
	{ 0x06, true, PCTL_E_UNSUPPORTED,
		"unavailable on this BMC: not that authentication payload" },
	{ 0x07, true, PCTL_E_UNSUPPORTED, "unavailable on this BMC: not that integrity payload" },
	{ 0x08, false, PCTL_E_BUSY, "the BMC has given the session up already" },
	{ 0x09, false, PCTL_E_FORBIDDEN,
		"privilege level cannot be obtained: the user may not have it" },
	{ 0x0a, false, PCTL_E_FORBIDDEN,
		"privilege level cannot be obtained: the user may not have it" },
	{ 0x0b, false, PCTL_E_BUSY, "the BMC has no room for another session of that privilege" },
	{ 0x0c, false, PCTL_E_AUTH, "user name refused: its length is wrong" },
	{ 0x0d, false, PCTL_E_AUTH,
		"user name refused: there is no such user, or not with that privilege, or it is "
		"disabled or locked" },
	{ 0x0e, false, PCTL_E_REFUSED, "the BMC does not know its own GUID" },
	{ 0x0f, false, PCTL_E_AUTH, "password or K_g refused: the check value is wrong" },
	{ 0x10, true, PCTL_E_UNSUPPORTED, "unavailable on this BMC: not that encryption" },
	{ 0x11, true, PCTL_E_UNSUPPORTED, "unavailable on this BMC" },
	{ 0x12, false, PCTL_E_PROTOCOL, "the BMC takes a parameter of the login as illegal" },
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct row *find(uint8_t status)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].status == status)
			return &rows[i];
	return NULL;
}

int status_rmcpplus(uint8_t status, struct pctl_error *err)
{
	const struct row *row = find(status);
	int class = row ? row->class : PCTL_E_REFUSED;

	pctl_error_set(err, class, "%s (RMCP+ status %02Xh)",
		row ? row->text : "the BMC refuses the login", status);
	return pctl_error_device_code(err, "RMCP+ status %02Xh", status);
}

bool status_is_about_suite(uint8_t status)
{
	const struct row *row = find(status);

	return row && row->suite;
}
