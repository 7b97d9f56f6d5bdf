/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <string.h>

#define ECHO_REQUEST    8u
#define ECHO_REPLY      0u
#define ECHO_REQUEST_V6 128u
#define ECHO_REPLY_V6   129u
#define HEADER          8u

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* After how many digits a separator stands: 2 or 4, always the same one; 0: none does. */
static unsigned group_of(const char *text, char *ret_separator)
{
	size_t len = strlen(text);

	*ret_separator = '\0';
	if (len == 12)
		return 12;
	*ret_separator = len == 17 ? text[2] : len == 14 ? text[4] : '\0';
	if (len == 17 && strchr(":-.", *ret_separator))
		return 2;
	return len == 14 && strchr(".:-", *ret_separator) ? 4 : 0;
}

static bool parse_six(const char *text, uint8_t bytes[6])
{
	char separator;
	unsigned group = group_of(text, &separator), n = 0;
	uint8_t out[6] = { 0 };

	if (!group)
		return false;
	for (const char *c = text; *c; c++) {
		if (separator && n && (size_t)(c - text) % (group + 1) == group) {
			if (*c != separator)
				return false;
			continue;
		}
		if (digit(*c) < 0 || n == 12)
			return false;
		out[n / 2] = (uint8_t)(out[n / 2] << 4 | digit(*c));
		n++;
	}
	if (n != 12)
		return false;
	memcpy(bytes, out, sizeof(out));
	return true;
}

bool wol_mac_parse(const char *text, uint8_t mac[WOL_MAC_SIZE])
{
	static const uint8_t zeros[WOL_MAC_SIZE];
	uint8_t bytes[WOL_MAC_SIZE];

	if (!parse_six(text, bytes) || (bytes[0] & 1) || memcmp(bytes, zeros, sizeof(zeros)) == 0)
		return false;
	memcpy(mac, bytes, sizeof(bytes));
	return true;
}

static bool parse_four(const char *text, uint8_t bytes[4])
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned value = 0, digits = 0;

		for (; *text >= '0' && *text <= '9' && digits < 4; digits++)
			value = value * 10 + (unsigned)(*text++ - '0');
		if (!digits || value > 255 || *text != (i < 3 ? '.' : '\0'))
			return false;
		text += i < 3;
		bytes[i] = (uint8_t)value;
	}
	return true;
}

size_t wol_secure_parse(const char *text, uint8_t secure[WOL_SECURE_MAX])
{
	if (parse_six(text, secure))
		return 6;
	return parse_four(text, secure) ? 4 : 0;
}

size_t wol_packet_make(uint8_t packet[WOL_PACKET_MAX], const uint8_t mac[WOL_MAC_SIZE],
	const uint8_t *secure, size_t secure_n)
{
	size_t n = 6;

	memset(packet, 0xff, n);
	for (unsigned i = 0; i < 16; i++, n += WOL_MAC_SIZE)
		memcpy(packet + n, mac, WOL_MAC_SIZE);
	if (secure_n)
		memcpy(packet + n, secure, secure_n);
	return n + secure_n;
}

static uint16_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_token(uint8_t *at, uint64_t token)
{
	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)(token >> (56 - 8 * i));
}

void wol_echo_make(
	uint8_t echo[WOL_ECHO_SIZE], bool ipv6, uint16_t id, uint16_t sequence, uint64_t token)
{
	memset(echo, 0, HEADER);
	echo[0] = ipv6 ? ECHO_REQUEST_V6 : ECHO_REQUEST;
	echo[4] = (uint8_t)(id >> 8);
	echo[5] = (uint8_t)id;
	echo[6] = (uint8_t)(sequence >> 8);
	echo[7] = (uint8_t)sequence;
	put_token(echo + HEADER, token);
	if (ipv6)
		return; /* the kernel does it: the addresses belong to it */
	uint16_t sum = checksum(echo, WOL_ECHO_SIZE);
	echo[2] = (uint8_t)(sum >> 8);
	echo[3] = (uint8_t)sum;
}

bool wol_echo_matches(const uint8_t *bytes, size_t len, bool ipv6, bool raw, uint64_t token)
{
	uint8_t wanted[8];

	if (raw && !ipv6) {
		size_t header = len ? (size_t)(bytes[0] & 0x0f) * 4 : 0;

		if (header < 20 || header > len)
			return false;
		bytes += header;
		len -= header;
	}
	put_token(wanted, token);
	return len >= WOL_ECHO_SIZE && bytes[0] == (ipv6 ? ECHO_REPLY_V6 : ECHO_REPLY) &&
	       memcmp(bytes + HEADER, wanted, sizeof(wanted)) == 0;
}
