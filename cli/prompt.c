/* SPDX-License-Identifier: Apache-2.0 */
#include "prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static const int fatal[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

/* Which of them came while we asked. */
static volatile sig_atomic_t caught;

static void on_signal(int signum)
{
	caught = signum;
}

struct terminal {
	int fd;
	bool changed;
	struct termios before;
	struct sigaction actions[FATAL];
};

static int terminal_open(struct terminal *t, bool echo, struct pctl_error *err)
{
	struct sigaction catch = { .sa_handler = on_signal }; /* without SA_RESTART: read() ends */

	t->fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (t->fd < 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "there is no terminal to ask on");
	caught = 0;
	for (size_t i = 0; i < FATAL; i++) {
		(void)sigaction(fatal[i], NULL, &t->actions[i]);
		if (t->actions[i].sa_handler != SIG_IGN)
			(void)sigaction(fatal[i], &catch, NULL);
	}
	t->changed = !echo && tcgetattr(t->fd, &t->before) == 0;
	if (t->changed) {
		struct termios silent = t->before;

		silent.c_lflag &= ~(tcflag_t)ECHO;
		silent.c_lflag |= ECHONL;
		silent.c_cc[VSUSP] = _POSIX_VDISABLE; /* never stopped without echo */
		(void)tcsetattr(t->fd, TCSAFLUSH, &silent);
	}
	return 0;
}

static void terminal_close(struct terminal *t)
{
	if (t->changed)
		(void)tcsetattr(t->fd, TCSAFLUSH, &t->before);
	for (size_t i = 0; i < FATAL; i++)
		(void)sigaction(fatal[i], &t->actions[i], NULL);
	if (caught)
		(void)!write(t->fd, "\n", 1);
	(void)close(t->fd);
	if (caught)
		(void)raise((int)caught);
}

/* The line's length without its break, or -1: the end came first, or it did not fit. */
static ssize_t read_line(const struct terminal *t, char *buf, size_t size)
{
	size_t len = 0;
	/* What stops a program elsewhere does nothing here, and is no part of a secret. */
	char stop = t->changed ? (char)t->before.c_cc[VSUSP] : '\0';

	while (!caught) {
		char c = 0;
		ssize_t n = read(t->fd, &c, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		if (c == '\n') {
			buf[len < size ? len : size - 1] = '\0';
			return len < size ? (ssize_t)len : -1;
		}
		if (stop && c == stop)
			continue;
		if (len < size)
			buf[len] = c;
		len += len < size;
	}
	return -1;
}

static int ask(const char *question, bool echo, char *buf, size_t size, struct pctl_error *err)
{
	struct terminal t = { 0 };

	int r = terminal_open(&t, echo, err);
	if (r < 0)
		return r;
	(void)!write(t.fd, question, strlen(question));
	ssize_t n = read_line(&t, buf, size);
	terminal_close(&t);
	if (n < 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"no answer was given, or one of more than %zu bytes", size - 1);
	return 0;
}

int prompt_text(const char *question, char *ret, size_t size, struct pctl_error *err)
{
	return ask(question, true, ret, size, err);
}

int prompt_secret(const char *question, struct pctl_secret **ret, struct pctl_error *err)
{
	char buf[PCTL_SECRET_MAX + 1];

	int r = ask(question, false, buf, sizeof(buf), err);
	if (r == 0)
		*ret = pctl_secret_new(buf, strlen(buf));
	explicit_bzero(buf, sizeof(buf));
	return r;
}

int prompt_secret_twice(const char *question, struct pctl_secret **ret, struct pctl_error *err)
{
	struct pctl_secret *first = NULL, *again = NULL;
	int r = prompt_secret(question, &first, err);

	if (r == 0)
		r = prompt_secret("Once more: ", &again, err);
	if (r == 0 && (pctl_secret_len(first) != pctl_secret_len(again) ||
			      memcmp(pctl_secret_data(first), pctl_secret_data(again),
				      pctl_secret_len(first)) != 0))
		r = pctl_error_set(
			err, PCTL_E_STATE, "the two are not the same; nothing was changed");
	pctl_secret_free(again);
	if (r == 0)
		*ret = first;
	else
		pctl_secret_free(first);
	return r;
}

int prompt_yes(const char *question, struct pctl_error *err)
{
	char buf[16] = "";

	int r = ask(question, true, buf, sizeof(buf), err);
	if (r < 0)
		return r;
	return strcmp(buf, "y") == 0 || strcmp(buf, "yes") == 0;
}
