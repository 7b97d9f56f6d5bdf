/* SPDX-License-Identifier: Apache-2.0 */
/* Channels behind a socketpair: what a device keeps of them, and what it can ask about them. */
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

#include "node/core.h"

struct lab {
	char dir[200];
	uv_loop_t loop;
	struct pctl_core core;
	struct pctl_target target;
	struct pctl_device device;
	int listener; /* accepts nothing; the kernel connects all the same */
	uint16_t port;
};

static int setup(void **state)
{
	struct lab *lab = calloc(1, sizeof(*lab));
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	assert_non_null(lab);
	test_folder(lab->dir, sizeof(lab->dir));
	(void)setenv("XDG_RUNTIME_DIR", lab->dir, 1);
	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	lab->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(lab->listener, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(listen(lab->listener, 64), 0);
	assert_int_equal(getsockname(lab->listener, (struct sockaddr *)&addr, &len), 0);
	lab->port = ntohs(addr.sin_port);
	assert_int_equal(uv_loop_init(&lab->loop), 0);
	lab->core.loop = &lab->loop;
	lab->target.core = &lab->core;
	lab->target.dialer = &pctl_dial_pump;
	lab->device.target = &lab->target;
	pctl_device_set_address(&lab->device, (struct sockaddr *)&addr);
	*state = lab;
	return 0;
}

static int teardown(void **state)
{
	struct lab *lab = *state;

	pctl_channels_free(lab->device.channels);
	assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(uv_loop_close(&lab->loop), 0); /* nothing left behind */
	if (lab->listener >= 0)
		(void)close(lab->listener);
	test_remove_folder(lab->dir);
	free(lab);
	return 0;
}

static int dial(struct lab *lab)
{
	struct pctl_dial dial = { .fd = -1 };

	assert_int_equal(pctl_dial(&lab->device, lab->port, &dial, NULL), 0);
	assert_true(dial.fd >= 0);
	return dial.fd;
}

static void test_channels_that_ended_are_not_kept(void **state)
{
	struct lab *lab = *state;
	int spare[20];

	for (size_t i = 0; i < 20; i++) {
		int fd = dial(lab);

		spare[i] = dup(lab->listener); /* so that each channel has a number of its own */
		assert_int_equal(pctl_dial_error(&lab->device, fd, NULL), 0);
		(void)close(fd);
		assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	}
	assert_int_equal(pctl_channels_count(lab->device.channels), 1);
	int one = dial(lab), two = dial(lab);
	assert_int_equal(pctl_channels_count(lab->device.channels), 2);
	(void)close(one);
	(void)close(two);
	for (size_t i = 0; i < 20; i++)
		(void)close(spare[i]);
}

static void test_why_it_failed_is_kept_until_asked(void **state)
{
	struct lab *lab = *state;
	struct pctl_error err = { 0 };

	(void)close(lab->listener);
	lab->listener = -1;
	int refused = dial(lab);
	assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	int other = dial(lab);
	assert_int_equal(uv_run(&lab->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(pctl_dial_error(&lab->device, refused, &err), PCTL_E_UNREACHABLE);
	assert_int_equal(err.code, PCTL_E_UNREACHABLE);
	(void)close(refused);
	assert_int_equal(pctl_channels_count(lab->device.channels), 2);
	int third = dial(lab);
	assert_int_equal(pctl_channels_count(lab->device.channels), 2);
	assert_int_equal(pctl_dial_error(&lab->device, other, &err), PCTL_E_UNREACHABLE);
	(void)close(other);
	(void)close(third);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			test_channels_that_ended_are_not_kept, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_why_it_failed_is_kept_until_asked, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
