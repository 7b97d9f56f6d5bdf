/* SPDX-License-Identifier: Apache-2.0 */
#include "base/command.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/value.h>

#include "base/spawn.h"

struct running {
	const char *name;
	pid_t pid;
	int pidfd;
	int out, said; /* our ends, non-blocking; -1: none */
	int signals;
};

enum end { ENDED, TOO_LATE, TOO_MUCH, INTERRUPTED };

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* --- Start. ----------------------------------------------------------------------------------- */

static void close_all(const int *fds, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
}

static int start(const struct pctl_command *command, struct running *ret, struct pctl_error *err)
{
	int out[2], said[2] = { -1, -1 };

	int r = pctl_spawn_pipe(out);
	if (r != 0)
		return pctl_error_set(err, PCTL_E_INTERNAL, "pipe: %s", strerror(r));
	r = command->said ? pctl_spawn_pipe(said) : 0;
	if (r != 0) {
		close_all(out, 2);
		return pctl_error_set(err, PCTL_E_INTERNAL, "pipe: %s", strerror(r));
	}
	PCTL_AUTO(free) char **env = pctl_command_environment(NULL, 0);
	const struct pctl_spawn spawn = {
		.argv = command->argv, .env = env, .in = -1, .out = out[1], .said = said[1]
	};
	r = pctl_spawn(&spawn, &ret->pid);
	close_all((const int[]){ out[1], said[1] }, 2);
	if (r != 0) {
		close_all((const int[]){ out[0], said[0] }, 2);
		return pctl_error_set(
			err, PCTL_E_CONFIG, "cannot run '%s': %s", command->argv[0], strerror(r));
	}
	ret->out = out[0];
	ret->said = said[0];
	(void)fcntl(ret->out, F_SETFL, O_NONBLOCK);
	if (ret->said >= 0)
		(void)fcntl(ret->said, F_SETFL, O_NONBLOCK);
	ret->pidfd = pidfd_open(ret->pid, 0);
	return 0;
}

/* --- While it runs. --------------------------------------------------------------------------- */

/* Whatever is there now. False: nothing will come any more. */
static bool drain(int fd, struct pctl_buf *out)
{
	char chunk[16384];
	ssize_t n;

	while (!out->full && (n = read(fd, chunk, sizeof(chunk))) > 0)
		pctl_buf_add(out, chunk, (size_t)n);
	bool more = out->full || (n < 0 && (errno == EAGAIN || errno == EINTR));
	if (out->secret)
		explicit_bzero(chunk, sizeof(chunk));
	return more;
}

/* What does not fit is read all the same: the program must not wait for us. */
static bool drain_some(int fd, struct pctl_buf *said)
{
	char chunk[4096];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0) {
		size_t room = said->max - said->len;

		pctl_buf_add(said, chunk, (size_t)n < room ? (size_t)n : room);
	}
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Until the program has ended or must be killed. A child of its own that keeps the pipes open is
 * not waited for. */
static enum end attend(const struct running *c, const struct pctl_command *command, uint64_t end)
{
	struct pollfd fds[] = {
		{ .fd = c->pidfd, .events = POLLIN },
		{ .fd = c->out, .events = POLLIN },
		{ .fd = c->said, .events = POLLIN },
		{ .fd = c->signals, .events = POLLIN },
	};

	while (!command->out->full) {
		uint64_t now = now_ms();

		if (now >= end)
			return TOO_LATE;
		if (poll(fds, sizeof(fds) / sizeof(fds[0]), (int)(end - now)) < 0)
			continue;
		if (fds[3].revents)
			return INTERRUPTED;
		if (fds[1].revents && !drain(c->out, command->out))
			fds[1].fd = -1;
		if (fds[2].revents && !drain_some(c->said, command->said))
			fds[2].fd = -1;
		if (!fds[0].revents)
			continue;
		(void)drain(c->out, command->out);
		if (c->said >= 0)
			(void)drain_some(c->said, command->said);
		return command->out->full ? TOO_MUCH : ENDED;
	}
	return TOO_MUCH;
}

static int verdict(const struct running *c, enum end end, int status,
	const struct pctl_command *command, struct pctl_error *err)
{
	uint64_t ms = command->timeout_ms ? command->timeout_ms : PCTL_COMMAND_MS;

	if (end == TOO_MUCH)
		return pctl_error_set(err, PCTL_E_CONFIG, "'%s' printed more than %zu bytes",
			c->name, command->out->max);
	if (end == INTERRUPTED)
		return pctl_error_set(err, PCTL_E_CANCELED, "'%s' was interrupted", c->name);
	if (end == TOO_LATE)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"'%s' did not end within %u s and was killed", c->name,
			(unsigned)((ms + 999) / 1000));
	if (WIFSIGNALED(status))
		return pctl_error_set(err, PCTL_E_CONFIG, "'%s' was killed by signal %d (%s)",
			c->name, WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (WEXITSTATUS(status) != 0)
		return pctl_error_set(err, PCTL_E_CONFIG, "'%s' failed with exit status %d",
			c->name, WEXITSTATUS(status));
	return 0;
}

static int run(const struct pctl_command *command, int signals, struct pctl_error *err)
{
	struct running c = { .name = command->argv[0], .signals = signals };
	uint64_t ms = command->timeout_ms ? command->timeout_ms : PCTL_COMMAND_MS;
	enum end end = TOO_LATE;
	int status = 0;
	int r = start(command, &c, err);

	if (r < 0)
		return r;
	/* Without a pidfd (a kernel that has none) there is no way to wait for both: fail. */
	if (c.pidfd >= 0)
		end = attend(&c, command, now_ms() + ms);
	if (end != ENDED)
		(void)kill(-c.pid, SIGKILL);
	while (waitpid(c.pid, &status, 0) < 0 && errno == EINTR)
		continue;
	close_all((const int[]){ c.out, c.said, c.pidfd }, 3);
	if (c.pidfd < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL,
			"'%s' cannot be waited for: pidfd_open failed", c.name);
	return verdict(&c, end, status, command, err);
}

static void (*say_interrupted)(const char *name);

void pctl_command_on_interrupt(void (*say)(const char *name))
{
	say_interrupted = say;
}

int pctl_command_run(const struct pctl_command *command, struct pctl_error *err)
{
	sigset_t before;
	int signals = pctl_signals_hold(&before);
	int r = run(command, signals, err);

	if (r == PCTL_E_CANCELED && say_interrupted)
		say_interrupted(command->argv[0]);
	pctl_signals_release(signals, &before);
	return r;
}

/* --- Arguments and environment. --------------------------------------------------------------- */

char **pctl_command_argv(const struct pctl_value *list)
{
	size_t n = pctl_value_count(list);
	char **argv = pctl_xcalloc(n + 1, sizeof(*argv));

	for (size_t i = 0; i < n; i++) {
		const char *text = pctl_value_text(pctl_value_at(list, i));

		argv[i] = pctl_xstrdup(text ? text : "");
	}
	return argv;
}

void pctl_command_free_argv(char **argv)
{
	for (char **arg = argv; arg && *arg; arg++)
		free(*arg);
	free(argv);
}

char **pctl_command_environment(char *const *more, size_t n)
{
	static const char secret[] = "POWERCTL_PASSWORD=";
	size_t ours = 0;

	while (environ[ours])
		ours++;
	char **env = pctl_xcalloc(n + ours + 1, sizeof(*env));
	for (size_t i = 0; i < n; i++)
		env[i] = more[i];
	for (size_t i = 0; i < ours; i++)
		if (strncmp(environ[i], secret, sizeof(secret) - 1) != 0)
			env[n++] = environ[i];
	return env;
}
