/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <netinet/in.h>
#include <string.h>
#include <uv.h>

void address_set_port(struct sockaddr_storage *address, uint16_t port)
{
	if (address->ss_family == AF_INET6)
		((struct sockaddr_in6 *)(void *)address)->sin6_port = htons(port);
	else
		((struct sockaddr_in *)(void *)address)->sin_port = htons(port);
}

uint16_t address_port(const struct sockaddr_storage *address)
{
	return ntohs(address->ss_family == AF_INET6
			     ? ((const struct sockaddr_in6 *)(const void *)address)->sin6_port
			     : ((const struct sockaddr_in *)(const void *)address)->sin_port);
}

/* The last 32 bits of an address: what counts up. */
uint32_t address_last_word(const struct sockaddr *address)
{
	const void *at =
		address->sa_family == AF_INET6
			? ((const struct sockaddr_in6 *)(const void *)address)->sin6_addr.s6_addr +
				  12
			: (const void *)&((const struct sockaddr_in *)(const void *)address)
				  ->sin_addr;
	uint32_t value;

	memcpy(&value, at, 4);
	return ntohl(value);
}

void address_count_up(struct sockaddr_storage *address, uint32_t n)
{
	uint32_t value = htonl(address_last_word((const struct sockaddr *)address) + n);

	if (address->ss_family == AF_INET6)
		memcpy(((struct sockaddr_in6 *)(void *)address)->sin6_addr.s6_addr + 12, &value, 4);
	else
		((struct sockaddr_in *)(void *)address)->sin_addr.s_addr = value;
}

bool address_parse(const char *text, struct sockaddr_storage *ret)
{
	return uv_ip4_addr(text, 0, (struct sockaddr_in *)(void *)ret) == 0 ||
	       uv_ip6_addr(text, 0, (struct sockaddr_in6 *)(void *)ret) == 0;
}
