/* SPDX-License-Identifier: Apache-2.0 */
#include "node/dial.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/parse.h>

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

const struct pctl_dialer pctl_dial_direct = {
	.dial = dial_direct,
};

const struct pctl_dialer *pctl_dialer_of(enum pctl_via_kind kind)
{
	static const struct pctl_dialer *const all[] = {
		[PCTL_VIA_DIRECT] = &pctl_dial_direct,
		[PCTL_VIA_PUMP] = &pctl_dial_pump,
		[PCTL_VIA_SOCKS5] = &pctl_dial_socks5,
		[PCTL_VIA_SSH] = &pctl_dial_ssh,
	};

	return all[kind];
}

static void frame(struct pctl_error *err, const char *before, const struct pctl_via *via)
{
	char text[sizeof(err->text)];

	(void)snprintf(text, sizeof(text), "%s", err->text);
	(void)snprintf(err->text, sizeof(err->text), "%s %.90s: %.200s", before, via->text, text);
}

void pctl_dial_blame(struct pctl_error *err, const struct pctl_via *via)
{
	frame(err, "gateway", via);
	err->flags |= PCTL_ERROR_NOT_SENT | PCTL_ERROR_GATEWAY;
}

void pctl_dial_quote(struct pctl_error *err, const struct pctl_via *via)
{
	frame(err, "behind gateway", via);
	err->flags |= PCTL_ERROR_NOT_SENT;
}

void pctl_dial_late(struct pctl_error *err, const struct pctl_target *target)
{
	char limit[32];

	pctl_format_duration(target->connect_ms, limit, sizeof(limit));
	(void)pctl_error_set(err, PCTL_E_UNREACHABLE, "no connection through it in %s", limit);
	(void)pctl_error_flag(err, PCTL_ERROR_SILENT);
}
