/* SPDX-License-Identifier: Apache-2.0 */
#include "node/ssh_terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <powerctl/buf.h>
#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/program.h"

#define SIZE_LIMIT 10000u
#define FIRST_SIZE 80, 24
#define SHOWN_MAX  16384u

static int set_size(int fd, unsigned columns, unsigned rows)
{
	const struct winsize size = { .ws_col = (unsigned short)columns,
		.ws_row = (unsigned short)rows };

	return ioctl(fd, TIOCSWINSZ, &size);
}

int pctl_ssh_terminal_open(int *ret_fd, char name[PCTL_SSH_TERMINAL_NAME])
{
	int fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	int r = 0;

	if (fd < 0)
		return errno;
	if (grantpt(fd) < 0 || unlockpt(fd) < 0 || set_size(fd, FIRST_SIZE) < 0)
		r = errno;
	if (r == 0)
		r = ptsname_r(fd, name, PCTL_SSH_TERMINAL_NAME);
	if (r == 0)
		*ret_fd = fd;
	else
		(void)close(fd);
	return r;
}

/* --- How it is. ------------------------------------------------------------------------------- */

bool pctl_ssh_terminal_logged_in(int fd)
{
	struct termios mode;

	return tcgetattr(fd, &mode) == 0 && !(mode.c_lflag & ICANON);
}

int pctl_ssh_terminal_waiting(int fd)
{
	int n = 0;

	return ioctl(fd, FIONREAD, &n) == 0 ? n : 0;
}

bool pctl_ssh_terminal_hung_up(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR));
}

/* Colours and the like, "ESC [ 1 m", which tell nothing. */
static void drop_colours(struct pctl_buf *text)
{
	size_t n = 0;

	for (const char *c = text->data, *end = c + text->len; c < end;) {
		size_t skip = 0;

		if (c[0] == '\033' && c[1] == '[')
			skip = 2 + strspn(c + 2, "0123456789;?");
		if (skip && c[skip])
			c += skip + 1;
		else
			text->data[n++] = *c++;
	}
	pctl_buf_cut(text, n);
}

void pctl_ssh_terminal_last_line(int fd, char *ret)
{
	char chunk[1024];
	struct pctl_buf shown;
	ssize_t n;

	pctl_buf_init(&shown, SHOWN_MAX);
	while (!shown.full && (n = read(fd, chunk, sizeof(chunk))) > 0)
		pctl_buf_add(&shown, chunk, (size_t)n);
	drop_colours(&shown);
	pctl_program_last_line(&shown, ret);
	pctl_buf_done(&shown);
}

/* --- Its size. -------------------------------------------------------------------------------- */

/* "80x24" */
static bool read_size(const char *text, uint64_t *ret_columns, uint64_t *ret_rows)
{
	const char *x = text ? strchr(text, 'x') : NULL;
	PCTL_AUTO(free) char *columns = x ? pctl_xstrndup(text, (size_t)(x - text)) : NULL;

	return columns && pctl_parse_uint(columns, SIZE_LIMIT, ret_columns) == 0 &&
	       pctl_parse_uint(x + 1, SIZE_LIMIT, ret_rows) == 0 && *ret_columns && *ret_rows;
}

static int resize(struct pctl_session *session, const char *arg, struct pctl_error *err)
{
	uint64_t columns, rows;

	if (!read_size(arg, &columns, &rows))
		return pctl_error_set(err, PCTL_E_CONFIG, "a size is COLUMNSxROWS: 80x24");
	if (session->fd < 0 || set_size(session->fd, (unsigned)columns, (unsigned)rows) < 0)
		return pctl_error_set(err, PCTL_E_STATE, "it has ended");
	return 0;
}

const struct pctl_control pctl_ssh_terminal_controls[] = {
	{ .size = sizeof(struct pctl_control),
		.name = "resize",
		.help = "tells the far side the terminal's size, COLUMNSxROWS",
		.run = resize },
	{ 0 },
};
