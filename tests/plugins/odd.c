/* SPDX-License-Identifier: Apache-2.0 */
/* A driver that is odd in one way, chosen at compile time by ODD_...: what the loader has to cope
 * with. */
#include <stdlib.h>

#include <powerctl/driver.h>

#ifndef ODD_NAME
#define ODD_NAME "odd"
#endif
#ifndef ODD_ABI
#define ODD_ABI PCTL_DRIVER_ABI
#endif
#ifndef ODD_SIZE
#define ODD_SIZE sizeof(struct pctl_driver)
#endif

#ifndef ODD_NO_SYMBOL
static int odd_open(void *ctx, struct pctl_device *device, void **ret_dev, struct pctl_error *err)
{
	(void)ctx, (void)device, (void)err;
	*ret_dev = NULL;
	return 0;
}

static void odd_close(void *dev, pctl_closed_fn *closed, void *data)
{
	(void)dev;
	closed(data);
}

static void odd_get(void *dev, struct pctl_op *op, unsigned flags, struct pctl_power *ret)
{
	(void)dev, (void)flags;
	ret->state = PCTL_POWER_ON;
	pctl_op_done(op);
}

#ifndef ODD_NO_ACT
static void odd_act(void *dev, struct pctl_op *op, enum pctl_action action)
{
	(void)dev, (void)action;
	pctl_op_done(op);
}
#else
#define odd_act NULL
#endif

static const struct pctl_power_if power = {
	.size = sizeof(power),
	.actions = PCTL_ACTION_BIT(PCTL_ACTION_ON),
	.get = odd_get,
	.act = odd_act,
};

PCTL_API const struct pctl_driver pctl_driver = {
	.size = ODD_SIZE,
	.abi = ODD_ABI,
	.name = ODD_NAME,
	.summary = "odd on purpose",
	.open = odd_open,
	.close = odd_close,
	.power = &power,
	.default_port = 0xdead,
};
#else
PCTL_API extern const int something_else;
const int something_else = 1;
#endif
