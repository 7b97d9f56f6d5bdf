/* SPDX-License-Identifier: Apache-2.0 */
/* Payloads (network function 06h, section 24) and the settings of SOL (0Ch, section 26). */
#include "request.h"

#include <string.h>

#include "sol.h"

enum {
	CHANNEL = 1,
	CC_ACTIVE_ELSEWHERE = 0x80, /* Activate Payload */
	CC_DISABLED = 0x81,
	CC_LIMIT = 0x82,
	CC_NOT_ENCRYPTED = 0x83,
	CC_ENCRYPTED = 0x84,
	CC_DEACTIVATED = 0x80, /* Deactivate Payload */
	CC_NO_PAYLOAD = 0x80,  /* Get Channel Payload Version */
	CC_NO_PARAMETER = 0x80,
	AUX_ENCRYPT = 0x80,
	REVISION = 0x11,
	REVISION_ONLY = 0x80,
	SET_COMMIT = 2,
};

static uint32_t instances(const struct device *dev)
{
	return dev->knobs.sol_instances;
}

/* --- Payloads --------------------------------------------------------------------------------- */

static uint8_t check_activate(const struct request *rq, uint32_t instance)
{
	const struct device *dev = rq->dev;
	bool encrypted = rq->in[2] & AUX_ENCRYPT;

	if (!rq->session->v20 || rq->in[0] != PAYLOAD_SOL || !instance)
		return CC_INVALID_DATA;
	if (!dev->sol_settings.enable)
		return CC_DISABLED;
	if (instance > instances(dev))
		return CC_LIMIT;
	if (sol_active(dev, instance))
		return CC_ACTIVE_ELSEWHERE;
	if (dev->knobs.sol_encryption == SOL_FORCED && !encrypted)
		return CC_ENCRYPTED;
	if (encrypted &&
		(dev->knobs.sol_encryption == SOL_REFUSED || !rq->session->confidentiality))
		return CC_NOT_ENCRYPTED;
	return rq->session->sol ? CC_LIMIT : CC_OK;
}

static void put_size(struct request *rq, uint32_t size)
{
	switch (rq->dev->knobs.sol_sizes) {
	case SOL_SIZES_SWAPPED:
		put8(rq, size >> 8);
		put8(rq, size);
		break;
	case SOL_SIZES_ZERO:
		put16(rq, 0);
		break;
	default:
		put16(rq, size);
	}
}

static uint8_t activate_payload(struct request *rq)
{
	struct device *dev = rq->dev;
	uint32_t instance = rq->in[1] & 0x0F;
	uint8_t cc = check_activate(rq, instance);

	if (cc)
		return cc;
	sol_activate(dev, rq->session, instance);
	put32(rq, 0);
	put_size(rq, dev->knobs.sol_max_in);
	put_size(rq, dev->knobs.sol_max_out);
	put16(rq, dev->knobs.sol_port ? dev->knobs.sol_port : dev->port);
	put16(rq, 0xFFFF); /* no VLAN */
	return CC_OK;
}

static uint8_t deactivate_payload(struct request *rq)
{
	struct device *dev = rq->dev;
	uint32_t instance = rq->in[1] & 0x0F;

	if (rq->in[0] != PAYLOAD_SOL || !instance || instance > SOL_INSTANCES)
		return CC_INVALID_DATA;
	if (!sol_active(dev, instance))
		return CC_DEACTIVATED;
	if (instance == 1 && dev->knobs.sol_taken == SOL_TAKEN)
		dev->knobs.sol_taken = SOL_FREE;
	sol_deactivate(dev, instance, rq->session);
	return CC_OK;
}

static uint8_t get_activation(struct request *rq)
{
	unsigned active = 0;

	if (rq->in[0] != PAYLOAD_SOL)
		return CC_INVALID_DATA;
	for (uint32_t i = 1; i <= SOL_INSTANCES; i++)
		active |= sol_active(rq->dev, i) ? 1U << (i - 1) : 0;
	put8(rq, instances(rq->dev));
	put16(rq, active);
	return CC_OK;
}

static uint8_t get_instance(struct request *rq)
{
	uint32_t instance = rq->in[1];

	if (rq->in[0] != PAYLOAD_SOL || !instance || instance > SOL_INSTANCES)
		return CC_INVALID_DATA;
	put32(rq, sol_session(rq->dev, instance));
	put8(rq, 1); /* system serial port */
	put_bytes(rq, (const uint8_t[7]){ 0 }, 7);
	return CC_OK;
}

static uint8_t get_user_access(struct request *rq)
{
	put32(rq, 1U << PAYLOAD_SOL);
	return CC_OK;
}

static uint8_t get_support(struct request *rq)
{
	put16(rq, 1U << PAYLOAD_IPMI | 1U << PAYLOAD_SOL);
	put16(rq, 0x003F); /* 10h to 15h: session set-up */
	put32(rq, 0);
	return CC_OK;
}

static uint8_t get_version(struct request *rq)
{
	if (rq->in[1] != PAYLOAD_IPMI && rq->in[1] != PAYLOAD_SOL)
		return CC_NO_PAYLOAD;
	put8(rq, 0x10);
	return CC_OK;
}

/* --- Settings --------------------------------------------------------------------------------- */

/* Table 26-5: how long each is, and where it is kept; the rest is made up. */
static const struct {
	uint8_t size;
	size_t at;
} parameters[] = {
	[0] = { 1, offsetof(struct sol_settings, progress) },
	[1] = { 1, offsetof(struct sol_settings, enable) },
	[2] = { 1, offsetof(struct sol_settings, authentication) },
	[3] = { 2, offsetof(struct sol_settings, accumulate) },
	[4] = { 2, offsetof(struct sol_settings, retry) },
	[5] = { 1, offsetof(struct sol_settings, rate) },
	[6] = { 1, offsetof(struct sol_settings, rate_now) },
};

enum { PARAMETER_CHANNEL = 7, PARAMETER_PORT = 8 };

void sol_settings_init(struct sol_settings *s)
{
	*s = (struct sol_settings){
		.enable = 1,
		.authentication = PRIV_USER,
		.accumulate = { 12, 96 },
		.retry = { 7, 50 },
		.rate = 10, /* 115.2 kbps */
		.rate_now = 10,
	};
}

static uint8_t get_settings(struct request *rq)
{
	const struct device *dev = rq->dev;
	unsigned number = rq->in[1];

	put8(rq, REVISION);
	if (rq->in[0] & REVISION_ONLY)
		return CC_OK;
	if (number < COUNT(parameters))
		put_bytes(rq, (const char *)&dev->sol_settings + parameters[number].at,
			parameters[number].size);
	else if (number == PARAMETER_CHANNEL)
		put8(rq, CHANNEL);
	else if (number == PARAMETER_PORT)
		put16(rq, dev->knobs.sol_port ? dev->knobs.sol_port : dev->port);
	else
		return CC_NO_PARAMETER;
	return CC_OK;
}

static uint8_t set_settings(struct request *rq)
{
	struct sol_settings *s = &rq->dev->sol_settings;
	unsigned number = rq->in[1];

	if (number >= COUNT(parameters))
		return CC_NO_PARAMETER;
	if (rq->in_n != 2U + parameters[number].size)
		return CC_LENGTH;
	memcpy((char *)s + parameters[number].at, rq->in + 2, parameters[number].size);
	if (s->progress == SET_COMMIT)
		s->progress = 0;
	return CC_OK;
}

static const struct command table[] = {
	{ NETFN_APP, 0x48, PRIV_USER, 6, 6, activate_payload },
	{ NETFN_APP, 0x49, PRIV_USER, 6, 6, deactivate_payload },
	{ NETFN_APP, 0x4A, PRIV_USER, 1, 1, get_activation },
	{ NETFN_APP, 0x4B, PRIV_USER, 2, 2, get_instance },
	{ NETFN_APP, 0x4D, PRIV_USER, 2, 2, get_user_access },
	{ NETFN_APP, 0x4E, PRIV_USER, 1, 1, get_support },
	{ NETFN_APP, 0x4F, PRIV_USER, 2, 2, get_version },
	{ NETFN_TRANSPORT, 0x21, PRIV_ADMIN, 3, 4, set_settings },
	{ NETFN_TRANSPORT, 0x22, PRIV_USER, 4, 4, get_settings },
};

const struct commands commands_sol = { table, COUNT(table) };
