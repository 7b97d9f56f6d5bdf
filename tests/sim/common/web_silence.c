/* SPDX-License-Identifier: Apache-2.0 */
#include "web_silence.h"

#include <linux/filter.h>

#include "address.h"
#include "web.h"

enum {
	/* Of what the kernel takes, leaving room for the last answer. */
	PROGRAM = BPF_MAXINSNS,
	RUN = 3,
	/* The destination, in the IP header. */
	AT_IPV4 = SKF_NET_OFF + 16,
	AT_IPV6 = SKF_NET_OFF + 36,
};

static const struct sock_filter take = BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
static const struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);

static bool silent(const struct web_device *dev)
{
	return dev->knobs->dead == WEB_DEAD_SILENT;
}

/* Drops what goes to first..last, addresses by their last word. */
static size_t add_run(struct sock_filter *p, uint32_t first, uint32_t last)
{
	p[0] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, first, 0, 2);
	p[1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, last, 1, 0);
	p[2] = drop;
	return RUN;
}

/* How many devices of a listener are silent. */
static uint32_t count_silent(const struct web_listener *l)
{
	uint32_t n = l->dev && silent(l->dev);

	for (uint32_t i = 0; !l->dev && i < l->web->count; i++)
		n += silent(web_at(l->web, i));
	return n;
}

/* A program for a listener of all devices; how long it is, 0: too long. */
static size_t for_all(const struct web *web, struct sock_filter *p)
{
	const struct sockaddr *address = (const struct sockaddr *)&web_at(web, 0)->address;
	uint32_t base = address_last_word(address);
	size_t n = 0;

	p[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, address->sa_family == AF_INET6 ? AT_IPV6 : AT_IPV4);
	for (uint32_t i = 0; i < web->count; i++) {
		uint32_t first = i;

		while (i < web->count && silent(web_at(web, i)))
			i++;
		if (i == first)
			continue;
		if (n + RUN + 1 > PROGRAM)
			return 0;
		n += add_run(p + n, base + first, base + i - 1);
	}
	p[n++] = take;
	return n;
}

int silence_apply(const struct web_listener *l)
{
	static struct sock_filter program[PROGRAM];
	const int none = 0;
	uv_os_fd_t fd;
	size_t n = 1;

	if (uv_fileno((const uv_handle_t *)&l->tcp, &fd) < 0)
		return UV_EBADF;
	if (!count_silent(l)) {
		(void)setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none));
		return 0;
	}
	program[0] = drop;
	if (!l->dev)
		n = for_all(l->web, program);
	if (!n)
		return UV_E2BIG;

	struct sock_fprog all = { .len = (unsigned short)n, .filter = program };

	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof(all)) < 0)
		return uv_translate_sys_error(errno);
	return 0;
}
