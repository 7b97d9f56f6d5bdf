/* SPDX-License-Identifier: Apache-2.0 */
#include "credential.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct command {
	const char *name;
	pid_t pid;
	int pidfd;
	int out; /* our end, non-blocking */
};

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int spawn(char *const *argv, int out, pid_t *ret_pid)
{
	static const int defaults[] = { SIGPIPE, SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGCHLD };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none, reset;

	(void)sigemptyset(&none);
	(void)sigemptyset(&reset);
	for (size_t i = 0; i < sizeof(defaults) / sizeof(defaults[0]); i++)
		(void)sigaddset(&reset, defaults[i]);
	(void)posix_spawnattr_init(&attr);
	(void)posix_spawnattr_setflags(
		&attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	(void)posix_spawnattr_setsigmask(&attr, &none);
	(void)posix_spawnattr_setsigdefault(&attr, &reset);
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, out, STDOUT_FILENO);
	int r = posix_spawnp(ret_pid, argv[0], &actions, &attr, argv, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	(void)posix_spawnattr_destroy(&attr);
	return r;
}

static int start(char *const *argv, struct command *ret, struct pctl_error *err)
{
	int fds[2];
	int r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL, "pipe: %s", strerror(errno));
	*ret = (struct command){ .name = argv[0], .out = fds[0], .pidfd = -1 };
	r = spawn(argv, fds[1], &ret->pid);
	(void)close(fds[1]);
	if (r != 0) {
		(void)close(fds[0]);
		return pctl_error_set(
			err, PCTL_E_CONFIG, "cannot run '%s': %s", argv[0], strerror(r));
	}
	(void)fcntl(ret->out, F_SETFL, O_NONBLOCK);
	ret->pidfd = pidfd_open(ret->pid, 0);
	return 0;
}

/* Whatever is there now. False: nothing will come any more. */
static bool drain(int fd, struct pctl_buf *out)
{
	char chunk[1024];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		pctl_buf_add(out, chunk, (size_t)n);
	bool more = n < 0 && (errno == EAGAIN || errno == EINTR);
	explicit_bzero(chunk, sizeof(chunk));
	return more;
}

/* Until the program has ended; false if it must be killed. A child of its own that keeps the pipe
 * open is not waited for. */
static bool attend(struct command *c, uint64_t timeout_ms, struct pctl_buf *out)
{
	uint64_t end = now_ms() + timeout_ms;
	struct pollfd fds[2] = {
		{ .fd = c->pidfd, .events = POLLIN },
		{ .fd = c->out, .events = POLLIN },
	};

	while (!out->full) {
		uint64_t now = now_ms();

		if (now >= end)
			return false;
		if (poll(fds, 2, (int)(end - now)) < 0)
			continue;
		if (fds[1].revents && !drain(c->out, out))
			fds[1].fd = -1;
		if (fds[0].revents) {
			(void)drain(c->out, out);
			return !out->full;
		}
	}
	return false;
}

static int verdict(const struct command *c, bool ended, int status, uint64_t timeout_ms,
	const struct pctl_buf *out, struct pctl_error *err)
{
	if (out->full)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "'%s' printed more than %zu bytes", c->name, out->max);
	if (!ended)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"'%s' did not end within %u s and was killed", c->name,
			(unsigned)((timeout_ms + 999) / 1000));
	if (WIFSIGNALED(status))
		return pctl_error_set(err, PCTL_E_CONFIG, "'%s' was killed by signal %d (%s)",
			c->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "'%s' failed with exit status %d",
			c->name, WEXITSTATUS(status));
	return 0;
}

int pctl_command_run(
	char *const *argv, uint64_t timeout_ms, struct pctl_buf *out, struct pctl_error *err)
{
	struct command c = { .pidfd = -1 };
	int status = 0;
	int r = start(argv, &c, err);

	if (r < 0)
		return r;
	/* Without a pidfd (a kernel that has none) there is no way to wait for both: fail. */
	bool ended = c.pidfd >= 0 && attend(&c, timeout_ms, out);
	if (!ended)
		(void)kill(-c.pid, SIGKILL);
	while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR)
		continue;
	(void)close(c.out);
	if (c.pidfd < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL,
			"'%s' cannot be waited for: pidfd_open failed", c.name);
	(void)close(c.pidfd);
	return verdict(&c, ended, status, timeout_ms, out, err);
}
