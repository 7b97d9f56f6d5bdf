/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Magic packets (AMD, Magic Packet Technology, publication 20213) and ICMP echoes (RFC 792, RFC
 * 4443): bytes in, bytes out.
 */
#ifndef POWERCTL_WOL_PACKET_H
#define POWERCTL_WOL_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WOL_MAC_SIZE   6u
#define WOL_SECURE_MAX 6u
#define WOL_PACKET_MAX (6u + 16u * WOL_MAC_SIZE + WOL_SECURE_MAX)
#define WOL_ECHO_SIZE  16u

/*
 * Six bytes as people write them: 00:11:22:aa:bb:cc, with - or . in between, 0011.22aa.bbcc, or
 * twelve digits. False for anything else, and for what no machine can have: a group's address, or
 * zeros.
 */
bool wol_mac_parse(const char *text, uint8_t mac[WOL_MAC_SIZE]);

/* SecureOn: six bytes like those, of any value, or the four numbers of an IPv4 address. */
size_t wol_secure_parse(const char *text, uint8_t secure[WOL_SECURE_MAX]);

/* Its number of bytes. secure_n 0: without SecureOn. */
size_t wol_packet_make(uint8_t packet[WOL_PACKET_MAX], const uint8_t mac[WOL_MAC_SIZE],
	const uint8_t *secure, size_t secure_n);

/* An echo request; id and sequence come back, and so does the token behind them. */
void wol_echo_make(
	uint8_t echo[WOL_ECHO_SIZE], bool ipv6, uint16_t id, uint16_t sequence, uint64_t token);

/*
 * Whether these bytes, as a socket gave them, answer that request. A raw IPv4 socket gives the
 * header of the IP packet as well. The kernel chooses the id of a datagram socket's, so it is the
 * token that tells.
 */
bool wol_echo_matches(const uint8_t *bytes, size_t len, bool ipv6, bool raw, uint64_t token);

#endif
