/* SPDX-License-Identifier: Apache-2.0 */
#include "node/dial.h"

#include <netinet/in.h>
#include <string.h>

#include "node/core.h"

static int dial_direct(
	struct pctl_device *device, uint16_t port, struct pctl_dial *ret, struct pctl_error *err)
{
	if (!device->addr_len)
		return pctl_error_set(err, PCTL_E_INTERNAL, "its address was not resolved");
	*ret = (struct pctl_dial){ .fd = -1, .addr_len = device->addr_len };
	memcpy(&ret->addr, &device->addr, device->addr_len);
	if (ret->addr.ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)&ret->addr)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)(void *)&ret->addr)->sin_port = htons(port);
	return 0;
}

static int no_error(const struct pctl_device *device, int fd, struct pctl_error *err)
{
	(void)device, (void)fd, (void)err;
	return 0;
}

const struct pctl_dialer pctl_dial_direct = {
	.via = "direct",
	.dial = dial_direct,
	.error = no_error,
};

const struct pctl_dialer *pctl_dialer_find(const char *via)
{
	static const struct pctl_dialer *const all[] = { &pctl_dial_direct, &pctl_dial_pump };

	if (!via)
		return &pctl_dial_direct;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i]->via, via) == 0)
			return all[i];
	return NULL;
}
