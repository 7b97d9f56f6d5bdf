/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of addresses as people write them: 10.0.0.[1-254], 10.0.0.0/24 (without its network and
 * broadcast address), 10.0.0.1-10.0.0.9, fd00::1-fd00::ff, fe80::1%eth0, host names with ranges;
 * and any of these with commas between.
 */
#ifndef POWERCTL_CORE_ADDRESSES_H
#define POWERCTL_CORE_ADDRESSES_H

#include <netinet/in.h>

#include <powerctl/error.h>

/* The most addresses that one set may have: a /16. */
#define PCTL_ADDRESSES_MAX 65536u

union pctl_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* All zero is empty. */
struct pctl_addresses {
	union pctl_address *v; /* no port */
	size_t n, cap;
	char **names; /* of hosts, to be looked up */
	size_t names_n, names_cap;
};
void pctl_addresses_done(struct pctl_addresses *addresses);

/*
 * Adds what a word stands for. PCTL_E_CONFIG, and nothing was added: it is none of the forms, or
 * there would be more than PCTL_ADDRESSES_MAX, which are then counted and not made.
 */
int pctl_addresses_add(struct pctl_addresses *addresses, const char *word, struct pctl_error *err);
/* In order, IPv4 first, and each once. */
void pctl_addresses_sort(struct pctl_addresses *addresses);

/*
 * Whether it can only be within a site: RFC 1918, RFC 4193, link-local, loopback. What stands in an
 * IPv6 address for an IPv4 one counts as that.
 */
bool pctl_address_is_private(const struct sockaddr *addr);
/* Whether it can be one machine's: no multicast, no broadcast, not "any". */
bool pctl_address_is_host(const struct sockaddr *addr);

/* Room for an IPv6 address with its interface. */
#define PCTL_ADDRESS_TEXT 72u
/* The number as text. */
void pctl_address_text(const struct sockaddr *addr, char text[PCTL_ADDRESS_TEXT]);

#endif
