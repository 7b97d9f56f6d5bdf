/* SPDX-License-Identifier: Apache-2.0 */
/* Presence pings and pongs of Intel AMT as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "rmcp.h"

/* AMT 12.0, set up, both ports, plain first. */
static const uint8_t good[28] = { 6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x40, 7, 0, 16, 0, 0, 1, 0x57,
	0x42, 0x60, 0xc0, 6, 0, 0x20 };

static void ping_is_as_the_book_has_it(void **state)
{
	static const uint8_t want[] = { 6, 0, 0xff, 6, 0, 0, 0x11, 0xbe, 0x80, 9, 0, 0 };
	uint8_t packet[RMCP_PING_LEN];

	(void)state;
	rmcp_ping(9, packet);
	assert_memory_equal(packet, want, sizeof(want));
}

static void pong_is_read(void **state)
{
	struct rmcp_pong pong;

	(void)state;
	assert_true(rmcp_read_pong(good, sizeof(good), &pong));
	assert_int_equal(pong.tag, 7);
	assert_int_equal(pong.port, 16992);
	assert_int_equal(pong.major, 12);
	assert_int_equal(pong.minor, 0);
	assert_int_equal(pong.provisioning, 2);
	assert_true(pong.both);
}

static void others_are_not(void **state)
{
	/* Version, class, enterprise, ping, data too short, not Intel, no AMT, a state that is
	 * none. */
	static const struct {
		size_t at;
		uint8_t byte;
	} wrong[] = { { 0, 5 }, { 3, 7 }, { 7, 0xbf }, { 8, 0x80 }, { 11, 9 }, { 15, 0x58 },
		{ 21, 0x80 }, { 19, 3 } };
	struct rmcp_pong pong = { .tag = 1 };

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		uint8_t packet[sizeof(good)];

		memcpy(packet, good, sizeof(good));
		packet[wrong[i].at] = wrong[i].byte;
		assert_false(rmcp_read_pong(packet, sizeof(packet), &pong));
	}
	for (size_t len = 0; len < 22; len++)
		assert_false(rmcp_read_pong(good, len, &pong));
	assert_int_equal(pong.tag, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ping_is_as_the_book_has_it),
		cmocka_unit_test(pong_is_read),
		cmocka_unit_test(others_are_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
