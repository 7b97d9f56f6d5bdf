/* SPDX-License-Identifier: Apache-2.0 */
/* Network function 00h, section 28. */
#include "request.h"

enum {
	IDENTIFY_DEFAULT_S = 15,
	POLICY_KEEP = 3,
	BMC_ADDRESS = 0x20,
};

static uint8_t get_capabilities(struct request *rq)
{
	put8(rq, 0x00); /* no intrusion sensor, no front panel lockout */
	for (int i = 0; i < 4; i++)
		put8(rq, BMC_ADDRESS); /* of FRU, SDR, SEL, system management */
	return CC_OK;
}

static unsigned identify_state(const struct device *dev)
{
	if (dev->identify_forever)
		return 2;
	return sim_now(dev->sim) < dev->identify_until;
}

static uint8_t get_status(struct request *rq)
{
	struct device *dev = rq->dev;
	bool on = power_shown(dev);

	put8(rq, (unsigned)on | (unsigned)dev->power.policy << 5);
	put8(rq, dev->power.event);
	put8(rq, 0x40 | identify_state(dev) << 4);
	return CC_OK;
}

static uint8_t control(struct request *rq)
{
	struct device *dev = rq->dev;
	unsigned action = rq->in[0] & 0x0F;

	dev->counters.chassis_control++;
	if (action >= POWER_ACTIONS || dev->refuse_control[action])
		return action >= POWER_ACTIONS ? CC_INVALID_DATA : dev->refuse_control[action];
	return power_request(dev, action);
}

static uint8_t reset(struct request *rq)
{
	return power_request(rq->dev, POWER_RESET);
}

static uint8_t identify(struct request *rq)
{
	struct device *dev = rq->dev;
	uint64_t seconds = rq->in_n ? rq->in[0] : IDENTIFY_DEFAULT_S;

	dev->counters.identify++;
	dev->identify_until = sim_now(dev->sim) + seconds * 1000;
	dev->identify_forever = rq->in_n > 1 && rq->in[1] & 1;
	return CC_OK;
}

static uint8_t set_policy(struct request *rq)
{
	unsigned policy = rq->in[0] & 0x07;

	if (policy > POLICY_KEEP)
		return CC_INVALID_DATA;
	if (policy != POLICY_KEEP)
		rq->dev->power.policy = (uint8_t)policy;
	put8(rq, 0x07); /* off, as before, on */
	return CC_OK;
}

static uint8_t get_cause(struct request *rq)
{
	put8(rq, rq->dev->power.cause);
	put8(rq, 1); /* channel */
	return CC_OK;
}

static uint8_t set_boot_option(struct request *rq)
{
	return boot_set_option(rq->dev, rq->in[0], rq->in + 1, rq->in_n - 1);
}

static uint8_t get_boot_option(struct request *rq)
{
	uint8_t out[24];
	size_t n = 0;
	uint8_t cc = boot_get_option(rq->dev, rq->in[0] & 0x7F, out, &n);

	put_bytes(rq, out, n);
	return cc;
}

static uint8_t get_hours(struct request *rq)
{
	put8(rq, 60);
	put32(rq, 1234);
	return CC_OK;
}

static const struct command table[] = {
	{ NETFN_CHASSIS, 0x00, PRIV_USER, 0, 0, get_capabilities },
	{ NETFN_CHASSIS, 0x01, PRIV_USER, 0, 0, get_status },
	{ NETFN_CHASSIS, 0x02, PRIV_OPERATOR, 1, 1, control },
	{ NETFN_CHASSIS, 0x03, PRIV_OPERATOR, 0, 0, reset },
	{ NETFN_CHASSIS, 0x04, PRIV_OPERATOR, 0, 2, identify },
	{ NETFN_CHASSIS, 0x06, PRIV_OPERATOR, 1, 1, set_policy },
	{ NETFN_CHASSIS, 0x07, PRIV_USER, 0, 0, get_cause },
	{ NETFN_CHASSIS, 0x08, PRIV_OPERATOR, 1, 17, set_boot_option },
	{ NETFN_CHASSIS, 0x09, PRIV_OPERATOR, 3, 3, get_boot_option },
	{ NETFN_CHASSIS, 0x0F, PRIV_USER, 0, 0, get_hours },
};

const struct commands commands_chassis = { table, COUNT(table) };
