/* SPDX-License-Identifier: Apache-2.0 */
/* Shared UDP sockets: a peer on the loopback that says back what it hears, as often as it is told.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/udp.h>

enum { PACKET_MAX = 4, PATIENCE_MS = 20000 };

struct peer {
	int fd;
	struct sockaddr_in addr;
};

struct listener {
	struct pctl_udp_member member;
	char wants; /* takes datagrams that begin with it */
	bool leaves;
	size_t n, len; /* datagrams, length of the last */
};

struct bench {
	uv_loop_t loop;
	uv_timer_t waiting; /* as whoever waits for an answer has one */
	struct pctl_udp *udp;
	struct peer peers[2];
	bool closed;
};

static bool on_datagram(struct pctl_udp_member *member, const uint8_t *packet, size_t len)
{
	struct listener *l = pctl_container_of(member, struct listener, member);

	if (!len || packet[0] != (uint8_t)l->wants)
		return false;
	l->n++;
	l->len = len;
	if (l->leaves)
		pctl_udp_leave(member);
	return true;
}

static void on_time(uv_timer_t *timer)
{
	(void)timer;
	fail_msg("nothing came in %d ms", PATIENCE_MS);
}

static void on_closed(void *data)
{
	*(bool *)data = true;
}

static void begin(struct bench *b)
{
	*b = (struct bench){ 0 };
	assert_int_equal(uv_loop_init(&b->loop), 0);
	assert_int_equal(uv_timer_init(&b->loop, &b->waiting), 0);
	assert_int_equal(uv_timer_start(&b->waiting, on_time, PATIENCE_MS, 0), 0);
	b->udp = pctl_udp_new(&b->loop, PACKET_MAX, on_datagram);
	for (size_t i = 0; i < 2; i++) {
		struct peer *p = &b->peers[i];
		socklen_t len = sizeof(p->addr);

		p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		p->addr = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		assert_int_equal(bind(p->fd, (struct sockaddr *)&p->addr, len), 0);
		assert_int_equal(getsockname(p->fd, (struct sockaddr *)&p->addr, &len), 0);
	}
}

static void end(struct bench *b)
{
	uv_close((uv_handle_t *)&b->waiting, NULL);
	pctl_udp_close(b->udp, on_closed, &b->closed);
	(void)uv_run(&b->loop, UV_RUN_DEFAULT);
	assert_true(b->closed);
	assert_int_equal(uv_loop_close(&b->loop), 0);
	for (size_t i = 0; i < 2; i++)
		(void)close(b->peers[i].fd);
}

static void join(struct bench *b, struct listener *l, size_t peer, char wants)
{
	struct pctl_error err = { 0 };

	*l = (struct listener){ .wants = wants };
	assert_int_equal(pctl_udp_join(b->udp, &l->member, (struct sockaddr *)&b->peers[peer].addr,
				 sizeof(b->peers[peer].addr), &err),
		0);
}

/* The peer hears something of that member, and sends each of the texts to where it came from. */
static void exchange(struct bench *b, struct listener *l, size_t peer, const char *const texts[])
{
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	char in[8];

	assert_int_equal(pctl_udp_send(&l->member, (const uint8_t *)"hi", 2), 0);
	assert_int_equal(
		recvfrom(b->peers[peer].fd, in, sizeof(in), 0, (struct sockaddr *)&from, &len), 2);
	for (size_t i = 0; texts[i]; i++)
		assert_int_equal(sendto(b->peers[peer].fd, texts[i], strlen(texts[i]), 0,
					 (struct sockaddr *)&from, len),
			strlen(texts[i]));
}

static void datagrams_find_their_member(void **state)
{
	struct bench b;
	struct listener x, y, other;

	(void)state;
	begin(&b);
	join(&b, &x, 0, 'x');
	join(&b, &y, 0, 'y');
	join(&b, &other, 1, 'x');
	exchange(&b, &x, 0, (const char *const[]){ "x", "y1", "z", "y", NULL });
	while (y.n < 2)
		(void)uv_run(&b.loop, UV_RUN_ONCE);
	assert_int_equal(x.n, 1);
	assert_int_equal(y.len, 1);
	assert_int_equal(other.n, 0);
	exchange(&b, &other, 1, (const char *const[]){ "x", NULL });
	while (!other.n)
		(void)uv_run(&b.loop, UV_RUN_ONCE);
	assert_int_equal(x.n, 1);
	pctl_udp_leave(&x.member);
	pctl_udp_leave(&y.member);
	pctl_udp_leave(&other.member);
	pctl_udp_leave(&other.member);
	end(&b);
}

static void long_ones_are_seen(void **state)
{
	struct bench b;
	struct listener x;

	(void)state;
	begin(&b);
	join(&b, &x, 0, 'x');
	exchange(&b, &x, 0, (const char *const[]){ "xxxxxxxxxxxx", NULL });
	while (!x.n)
		pctl_udp_look(&x.member);
	assert_int_equal(x.len, PACKET_MAX + 1);
	pctl_udp_leave(&x.member);
	end(&b);
}

static void members_leave_while_they_read(void **state)
{
	struct bench b;
	struct listener x, y;

	(void)state;
	begin(&b);
	join(&b, &x, 0, 'x');
	join(&b, &y, 0, 'y');
	x.leaves = y.leaves = true;
	exchange(&b, &x, 0, (const char *const[]){ "x", "x", "y", "y", NULL });
	while (!y.n)
		pctl_udp_look(&y.member);
	assert_int_equal(x.n, 1);
	assert_int_equal(y.n, 1);
	pctl_udp_look(&y.member); /* it has left */
	end(&b);
}

static void unused_ones_close(void **state)
{
	struct bench b;

	(void)state;
	begin(&b);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(datagrams_find_their_member),
		cmocka_unit_test(long_ones_are_seen),
		cmocka_unit_test(members_leave_while_they_read),
		cmocka_unit_test(unused_ones_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
