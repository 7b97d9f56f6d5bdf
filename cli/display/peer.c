/* SPDX-License-Identifier: Apache-2.0 */
#include "display/peer.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <powerctl/parse.h>

#define ROW_MAX     512
#define END_SIZE    16
#define ESTABLISHED "01" /* linux/include/net/tcp_states.h */

struct ends {
	struct sockaddr_in near, far;
};

static bool of_connection(int fd, struct ends *ret)
{
	socklen_t n = sizeof(ret->near), f = sizeof(ret->far);

	*ret = (struct ends){ 0 };
	return getsockname(fd, (struct sockaddr *)&ret->near, &n) == 0 &&
	       getpeername(fd, (struct sockaddr *)&ret->far, &f) == 0 &&
	       ret->near.sin_family == AF_INET && ret->far.sin_family == AF_INET;
}

/* "0100007F:1F90", as the kernel writes it: words in this host's order. */
static void write_end(const struct sockaddr_in *a, char ret[END_SIZE])
{
	(void)snprintf(ret, END_SIZE, "%08X:%04X", a->sin_addr.s_addr, ntohs(a->sin_port));
}

/* Of ::ffff:127.0.0.1, which a socket for both families has, what stands for 127.0.0.1. */
static const char *without_mapping(const char *end)
{
	char before[3 * 8 + 1];

	(void)snprintf(before, sizeof(before), "%08X%08X%08X", 0u, 0u, htonl(0xffffu));
	return strncmp(end, before, strlen(before)) == 0 ? end + strlen(before) : end;
}

/* The columns of a row: its number, both addresses, its state, three more, the uid. */
enum { LOCAL = 1, REMOTE = 2, STATE = 3, UID = 7, COLUMNS };

static size_t split(char *line, char *ret[COLUMNS])
{
	size_t n = 0;

	for (char *p = line + strspn(line, " "); *p && n < COLUMNS; p += strspn(p, " ")) {
		ret[n++] = p;
		p += strcspn(p, " \n");
		if (*p)
			*p++ = '\0';
	}
	return n;
}

/* The far end has a row of its own, in which it is the local address. */
static bool is_row(char *line, const char *near, const char *far, uint64_t *ret_uid)
{
	char *columns[COLUMNS];

	return split(line, columns) == COLUMNS &&
	       strcmp(without_mapping(columns[LOCAL]), far) == 0 &&
	       strcmp(without_mapping(columns[REMOTE]), near) == 0 &&
	       strcmp(columns[STATE], ESTABLISHED) == 0 &&
	       pctl_parse_uint(columns[UID], UINT32_MAX, ret_uid) == 0;
}

bool display_peer_uid(FILE *table, const struct sockaddr_in *near_end,
	const struct sockaddr_in *far_end, uint64_t *ret_uid)
{
	char line[ROW_MAX], near[END_SIZE], far[END_SIZE];

	write_end(near_end, near);
	write_end(far_end, far);
	while (fgets(line, sizeof(line), table))
		if (is_row(line, near, far, ret_uid))
			return true;
	return false;
}

static bool find_uid(const struct ends *e, uint64_t *ret_uid)
{
	static const char *const tables[] = { "/proc/self/net/tcp", "/proc/self/net/tcp6" };
	bool found = false;

	for (size_t i = 0; !found && i < sizeof(tables) / sizeof(tables[0]); i++) {
		FILE *f = fopen(tables[i], "re");

		found = f && display_peer_uid(f, &e->near, &e->far, ret_uid);
		if (f)
			(void)fclose(f);
	}
	return found;
}

/*
 * Twice: the kernel reads the state of a row before its owner, and who closes in between has none
 * any more, which is written as 0. What is still established had its owner before.
 */
bool display_peer_is_ours(int fd)
{
	struct ends ends;
	uint64_t uid = 0, again = 0;

	return of_connection(fd, &ends) && find_uid(&ends, &uid) && find_uid(&ends, &again) &&
	       uid == again && uid == geteuid();
}
