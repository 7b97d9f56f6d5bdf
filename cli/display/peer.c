/* SPDX-License-Identifier: Apache-2.0 */
#include "display/peer.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <powerctl/parse.h>

#define ROW_MAX  512
#define END_SIZE 16

struct ends {
	struct sockaddr_in near, far;
};

static bool of_connection(int fd, struct ends *ret)
{
	socklen_t n = sizeof(ret->near), f = sizeof(ret->far);

	return getsockname(fd, (struct sockaddr *)&ret->near, &n) == 0 &&
	       getpeername(fd, (struct sockaddr *)&ret->far, &f) == 0 &&
	       ret->near.sin_family == AF_INET && ret->far.sin_family == AF_INET;
}

/* "0100007F:1F90", as the kernel writes it. */
static void write_end(const struct sockaddr_in *a, char ret[END_SIZE])
{
	(void)snprintf(ret, END_SIZE, "%08X:%04X", a->sin_addr.s_addr, ntohs(a->sin_port));
}

/* The columns of a row: its number, both addresses, four of state, the uid. */
enum { LOCAL = 1, REMOTE = 2, UID = 7, COLUMNS };

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
static bool is_row(char *line, const struct ends *e, uint64_t *ret_uid)
{
	char *columns[COLUMNS], near[END_SIZE], far[END_SIZE];

	write_end(&e->near, near);
	write_end(&e->far, far);
	return split(line, columns) == COLUMNS && strcmp(columns[LOCAL], far) == 0 &&
	       strcmp(columns[REMOTE], near) == 0 &&
	       pctl_parse_uint(columns[UID], UINT32_MAX, ret_uid) == 0;
}

bool display_peer_is_ours(int fd)
{
	char line[ROW_MAX];
	struct ends ends;
	uint64_t uid = 0;
	bool found = false;
	FILE *f = fopen("/proc/self/net/tcp", "re");

	if (!f)
		return false;
	if (of_connection(fd, &ends))
		while (!found && fgets(line, sizeof(line), f))
			found = is_row(line, &ends, &uid);
	(void)fclose(f);
	return found && (uid == 0 || uid == geteuid());
}
