/* SPDX-License-Identifier: Apache-2.0 */
#include "base/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

static void set_attributes(posix_spawnattr_t *attr, const struct pctl_spawn *spawn)
{
	static const int defaults[] = { SIGPIPE, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD, SIGUSR1,
		SIGUSR2, SIGALRM };
	int group = spawn->session ? POSIX_SPAWN_SETSID : POSIX_SPAWN_SETPGROUP;
	sigset_t none, reset;

	(void)sigemptyset(&none);
	(void)sigemptyset(&reset);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		(void)sigaddset(&reset, defaults[i]);
	(void)posix_spawnattr_setflags(
		attr, (short)(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
	(void)posix_spawnattr_setsigmask(attr, &none);
	(void)posix_spawnattr_setsigdefault(attr, &reset);
}

static void set_files(posix_spawn_file_actions_t *files, const struct pctl_spawn *spawn)
{
	/* Its session's first terminal is the one that commands it. */
	if (spawn->terminal) {
		(void)posix_spawn_file_actions_addopen(
			files, STDIN_FILENO, spawn->terminal, O_RDWR, 0);
		(void)posix_spawn_file_actions_adddup2(files, STDIN_FILENO, STDOUT_FILENO);
	} else if (spawn->in < 0) {
		(void)posix_spawn_file_actions_addopen(
			files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	} else {
		(void)posix_spawn_file_actions_adddup2(files, spawn->in, STDIN_FILENO);
	}
	if (spawn->out >= 0)
		(void)posix_spawn_file_actions_adddup2(files, spawn->out, STDOUT_FILENO);
	if (spawn->said >= 0)
		(void)posix_spawn_file_actions_adddup2(files, spawn->said, STDERR_FILENO);
	(void)posix_spawn_file_actions_addclosefrom_np(files, STDERR_FILENO + 1);
	if (spawn->apart)
		(void)posix_spawn_file_actions_addchdir_np(files, "/");
}

static void hear_of_ends(void)
{
	struct sigaction now;

	if (sigaction(SIGCHLD, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
		(void)signal(SIGCHLD, SIG_DFL);
}

int pctl_spawn(const struct pctl_spawn *spawn, pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	mode_t ours = 0;

	hear_of_ends();
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawn_file_actions_init(&files);
	set_attributes(&attr, spawn);
	set_files(&files, spawn);
	/* There is no attribute for it; what a worker thread makes meanwhile is only more private.
	 */
	if (spawn->apart)
		ours = umask(077);
	int r = posix_spawnp(ret_pid, spawn->argv[0], &files, &attr, spawn->argv, spawn->env);
	if (spawn->apart)
		(void)umask(ours);
	(void)posix_spawn_file_actions_destroy(&files);
	(void)posix_spawnattr_destroy(&attr);
	return r;
}

static int lift(int *fd)
{
	if (*fd > STDERR_FILENO)
		return 0;
	int higher = fcntl(*fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (higher < 0)
		return errno;
	(void)close(*fd);
	*fd = higher;
	return 0;
}

int pctl_spawn_pipe(int ret_fds[2])
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return errno;
	int r = lift(&fds[0]);
	if (r == 0)
		r = lift(&fds[1]);
	if (r != 0) {
		(void)close(fds[0]);
		(void)close(fds[1]);
		return r;
	}
	ret_fds[0] = fds[0];
	ret_fds[1] = fds[1];
	return 0;
}

/* --- Signals that would end us: held back until the program is gone. -------------------------- */

int pctl_signals_hold(sigset_t *ret_before)
{
	static const int signums[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction now;
	sigset_t held;

	(void)sigemptyset(&held);
	for (size_t i = 0; i < sizeof(signums) / sizeof(signums[0]); i++)
		if (sigaction(signums[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaddset(&held, signums[i]);
	(void)pthread_sigmask(SIG_BLOCK, &held, ret_before);
	return signalfd(-1, &held, SFD_CLOEXEC | SFD_NONBLOCK);
}

void pctl_signals_release(int fd, const sigset_t *before)
{
	if (fd >= 0)
		(void)close(fd);
	(void)pthread_sigmask(SIG_SETMASK, before, NULL);
}
