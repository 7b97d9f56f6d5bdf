/* SPDX-License-Identifier: Apache-2.0 */
/* Network function 0Ch: the LAN settings that tools print, section 23. Nothing can be set. */
#include <string.h>

#include "address.h"
#include "login.h"
#include "request.h"

enum {
	REVISION = 0x11,
	REVISION_ONLY = 0x80,
	STATIC_ADDRESS = 1,
	CC_NO_PARAMETER = 0x80,
};

static void progress(struct request *rq)
{
	put8(rq, 0);
}

static void auth_types(struct request *rq)
{
	put8(rq, rq->dev->knobs.auth_types);
}

static void auth_enables(struct request *rq)
{
	for (int level = 0; level < 5; level++)
		put8(rq, rq->dev->knobs.auth_types);
}

static void ip_address(struct request *rq)
{
	uint32_t ip = htonl(address_last_word((const struct sockaddr *)&rq->dev->address));

	put_bytes(rq, &ip, 4);
}

static void ip_source(struct request *rq)
{
	put8(rq, STATIC_ADDRESS);
}

static void mac_address(struct request *rq)
{
	put8(rq, 0x02);
	put_bytes(rq, rq->dev->guid, 5);
}

static void subnet_mask(struct request *rq)
{
	put32(rq, 0x000000FF);
}

static void no_address(struct request *rq)
{
	put32(rq, 0);
}

static void suite_count(struct request *rq)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SUITES; i++)
		n += rq->dev->knobs.suites >> i & 1;
	put8(rq, n);
}

static void suite_list(struct request *rq)
{
	put8(rq, 0);
	for (unsigned i = 0; i < SUITES; i++)
		if (rq->dev->knobs.suites >> i & 1)
			put8(rq, i);
}

static void suite_privileges(struct request *rq)
{
	unsigned level = rq->dev->knobs.suite_level;

	put8(rq, 0);
	for (int pair = 0; pair < 8; pair++)
		put8(rq, level << 4 | level);
}

static void (*const parameters[])(struct request *rq) = {
	[0] = progress,
	[1] = auth_types,
	[2] = auth_enables,
	[3] = ip_address,
	[4] = ip_source,
	[5] = mac_address,
	[6] = subnet_mask,
	[12] = no_address,
	[22] = suite_count,
	[23] = suite_list,
	[24] = suite_privileges,
};

static uint8_t get_settings(struct request *rq)
{
	unsigned number = rq->in[1];

	put8(rq, REVISION);
	if (rq->in[0] & REVISION_ONLY)
		return CC_OK;
	if (number >= COUNT(parameters) || !parameters[number])
		return CC_NO_PARAMETER;
	parameters[number](rq);
	return CC_OK;
}

static const struct command table[] = {
	{ NETFN_TRANSPORT, 0x02, PRIV_OPERATOR, 4, 4, get_settings },
};

const struct commands commands_lan = { table, COUNT(table) };
