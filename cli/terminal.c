/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

#include <signal.h>
#include <stddef.h>
#include <termios.h>
#include <unistd.h>

/* What ends a program unless it is caught. Those that the loop handles are not among them. */
static const int fatal[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGQUIT,
	SIGALRM, SIGVTALRM, SIGPROF, SIGXCPU, SIGUSR1, SIGUSR2, SIGIO, SIGPWR };
#define FATAL (sizeof(fatal) / sizeof(fatal[0]))

/* Read by signal handlers: there is one terminal. */
static struct {
	volatile sig_atomic_t raw;
	int fd;
	struct termios before;
	bool watched;
} terminal;

static void on_fatal(int signum)
{
	terminal_restore();
	(void)raise(signum); /* the default is back (SA_RESETHAND) */
}

static void watch_signals(void)
{
	const struct sigaction restore = { .sa_handler = on_fatal, .sa_flags = SA_RESETHAND };
	struct sigaction now;

	for (size_t i = 0; i < FATAL && !terminal.watched; i++)
		if (sigaction(fatal[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL)
			(void)sigaction(fatal[i], &restore, NULL);
	terminal.watched = true;
}

bool terminal_raw(int fd)
{
	struct termios mode;

	if (terminal.raw || tcgetpgrp(fd) != getpgrp() || tcgetattr(fd, &terminal.before) < 0)
		return terminal.raw;
	terminal.fd = fd;
	mode = terminal.before;
	cfmakeraw(&mode);
	mode.c_cc[VMIN] = 1;
	mode.c_cc[VTIME] = 0;
	watch_signals();
	terminal.raw = true; /* before it is: a signal in between restores once too often */
	if (tcsetattr(fd, TCSADRAIN, &mode) < 0)
		terminal.raw = false;
	return terminal.raw;
}

void terminal_restore(void)
{
	/* At once: output that is held up (^S, a slow line) must not hold up the end. */
	if (terminal.raw)
		(void)tcsetattr(terminal.fd, TCSANOW, &terminal.before);
	terminal.raw = false;
}

bool terminal_is_raw(void)
{
	return terminal.raw;
}
