/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and ports of a fleet: IPv4 or IPv6, counting up in their last 32 bits. */
#ifndef POWERCTL_SIM_ADDRESS_H
#define POWERCTL_SIM_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* Port 0. */
bool address_parse(const char *text, struct sockaddr_storage *ret);
void address_set_port(struct sockaddr_storage *address, uint16_t port);
uint16_t address_port(const struct sockaddr_storage *address);
/* The last 32 bits, in host order. */
uint32_t address_last_word(const struct sockaddr *address);
void address_count_up(struct sockaddr_storage *address, uint32_t n);

#endif
