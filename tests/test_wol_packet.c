/* SPDX-License-Identifier: Apache-2.0 */
/* Magic packets and echoes, byte by byte. */
#include "test.h"

#include "packet.h"

static const uint8_t MAC[6] = { 0x00, 0x11, 0x22, 0xaa, 0xbb, 0xcc };

static void test_macs(void **state)
{
	static const char *const good[] = { "00:11:22:aa:bb:cc", "00-11-22-AA-BB-CC",
		"00.11.22.aa.bb.cc", "0011.22aa.bbcc", "001122aabbcc", "0011:22aa:bbcc" };
	static const char *const bad[] = { "", "00:11:22:aa:bb", "00:11:22:aa:bb:cc:dd",
		"00:11:22-aa:bb:cc", "0g:11:22:aa:bb:cc", "00:11:22:aa:bb:c", "00:00:00:00:00:00",
		"01:11:22:aa:bb:cc", "ff:ff:ff:ff:ff:ff", "001122aabbc:", "::::::::::::", "nuc1" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		uint8_t mac[6] = { 0 };

		assert_true(wol_mac_parse(good[i], mac));
		assert_memory_equal(mac, MAC, sizeof(MAC));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		uint8_t mac[6] = { 7 };

		assert_false(wol_mac_parse(bad[i], mac));
		assert_int_equal(mac[0], 7);
	}
}

static void test_secure_on(void **state)
{
	uint8_t bytes[WOL_SECURE_MAX];

	(void)state;
	assert_int_equal(wol_secure_parse("ff:00:00:00:00:01", bytes), 6);
	assert_int_equal(bytes[0], 0xff);
	assert_int_equal(wol_secure_parse("192.168.0.255", bytes), 4);
	assert_memory_equal(bytes, "\xc0\xa8\0\xff", 4);
	assert_int_equal(wol_secure_parse("192.168.0.256", bytes), 0);
	assert_int_equal(wol_secure_parse("192.168.0", bytes), 0);
	assert_int_equal(wol_secure_parse("192.168.0.1.", bytes), 0);
	assert_int_equal(wol_secure_parse("secret", bytes), 0);
}

static void test_magic(void **state)
{
	uint8_t packet[WOL_PACKET_MAX];

	(void)state;
	assert_int_equal(wol_packet_make(packet, MAC, NULL, 0), 102);
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(packet[i], 0xff);
	for (unsigned i = 0; i < 16; i++)
		assert_memory_equal(packet + 6 + 6 * i, MAC, 6);
	assert_int_equal(wol_packet_make(packet, MAC, (const uint8_t *)"abcdef", 6), 108);
	assert_memory_equal(packet + 102, "abcdef", 6);
}

static void test_echo(void **state)
{
	static const uint8_t wanted[16] = { 8, 0, 0xe9, 0xc4, 0x12, 0x34, 0, 1, 1, 2, 3, 4, 0, 0, 0,
		0 };
	uint8_t echo[WOL_ECHO_SIZE], ip[20 + WOL_ECHO_SIZE] = { 0x45 };
	uint64_t token = 0x0102030400000000;
	uint32_t sum = 0;

	(void)state;
	wol_echo_make(echo, false, 0x1234, 1, token);
	for (unsigned i = 0; i < 16; i += 2)
		sum += (uint32_t)echo[i] << 8 | echo[i + 1];
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff); /* as its reader sums it up */
	assert_memory_equal(echo, wanted, 2);
	assert_memory_equal(echo + 4, wanted + 4, 12);
	assert_false(wol_echo_matches(echo, sizeof(echo), false, false, token)); /* our own */
	echo[0] = 0;
	assert_true(wol_echo_matches(echo, sizeof(echo), false, false, token));
	assert_false(wol_echo_matches(echo, sizeof(echo), false, false, token + 1));
	assert_false(wol_echo_matches(echo, sizeof(echo) - 1, false, false, token));
	memcpy(ip + 20, echo, sizeof(echo));
	assert_true(wol_echo_matches(ip, sizeof(ip), false, true, token));
	ip[0] = 0x4f;
	assert_false(wol_echo_matches(ip, sizeof(ip), false, true, token));
	assert_false(wol_echo_matches(ip, 0, false, true, token));
	wol_echo_make(echo, true, 1, 1, token);
	assert_int_equal(echo[0], 128);
	echo[0] = 129;
	assert_true(wol_echo_matches(echo, sizeof(echo), true, true, token));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_macs),
		cmocka_unit_test(test_secure_on),
		cmocka_unit_test(test_magic),
		cmocka_unit_test(test_echo),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
