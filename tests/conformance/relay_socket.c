/* SPDX-License-Identifier: Apache-2.0 */
#include "relay_socket.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_loopback(int type, uint16_t port, uint16_t *ret_port)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		.sin_port = htons(port) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &len) < 0) {
		(void)close(fd);
		return -1;
	}
	*ret_port = ntohs(at.sin_port);
	return fd;
}

/* Below where most systems find ports by themselves; there are libraries that take no higher ones.
 */
#define FIRST_PORT 10240u
#define PORTS      22000u

static uint16_t draw_port(void)
{
	uint16_t n = 0;

	(void)!getrandom(&n, sizeof(n), 0);
	return (uint16_t)(FIRST_PORT + n % PORTS);
}

bool relay_bind_pair(int *ret_tcp, int *ret_udp, uint16_t *ret_port)
{
	for (int i = 0; i < 100; i++) {
		uint16_t port = draw_port();
		int tcp = bind_loopback(SOCK_STREAM, port, &port);
		int udp = tcp < 0 ? -1 : bind_loopback(SOCK_DGRAM, port, &port);

		if (udp >= 0) {
			*ret_tcp = tcp;
			*ret_udp = udp;
			*ret_port = port;
			return true;
		}
		if (tcp >= 0)
			(void)close(tcp);
	}
	return false;
}

void relay_deafen(int listener, bool deaf)
{
	struct sock_filter nothing = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { .len = 1, .filter = &nothing };

	(void)setsockopt(listener, SOL_SOCKET, deaf ? SO_ATTACH_FILTER : SO_DETACH_FILTER, &program,
		sizeof(program));
}
