/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "rig.h"

/* How a child ends. Anything else is the driver's doing. */
enum { EXIT_PASSED = 40, EXIT_FAILED, EXIT_SKIPPED };

#define SAID_MAX 1500u
#define TICK_MS  100u

static const int enders[] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t interrupted;

/* --- In the child. ---------------------------------------------------------------------------- */

/* The first word counts: a second thread may have one as well. */
__attribute__((format(printf, 3, 0))) static void end(
	const struct bench *bench, int status, const char *fmt, va_list ap)
{
	static atomic_flag ended = ATOMIC_FLAG_INIT;

	if (!atomic_flag_test_and_set(&ended)) {
		(void)vsnprintf(bench->shared->why, sizeof(bench->shared->why), fmt, ap);
		_exit(status);
	}
	for (;;)
		(void)pause();
}

void fail(const struct bench *bench, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end(bench, EXIT_FAILED, fmt, ap);
	va_end(ap);
	abort();
}

void skip(const struct bench *bench, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	end(bench, EXIT_SKIPPED, fmt, ap);
	va_end(ap);
	abort();
}

void note(const struct bench *bench, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(bench->shared->note, sizeof(bench->shared->note), fmt, ap);
	va_end(ap);
}

void doing(const struct bench *bench, const char *what)
{
	(void)snprintf(bench->shared->doing, sizeof(bench->shared->doing), "%s", what);
}

/* What powerctl keeps belongs into this check's folder, and what is printed into a file. */
static void settle_in(const struct bench *bench, int out)
{
	static const char *const places[] = { "HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME",
		"XDG_CONFIG_HOME", "XDG_RUNTIME_DIR" };
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		(void)setenv(places[i], bench->folder, 1);
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	(void)dup2(out, STDERR_FILENO);
	(void)signal(SIGPIPE, SIG_IGN);
	child_default_signals();
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
}

/* --- In the parent. --------------------------------------------------------------------------- */

static void on_ender(int signum)
{
	(void)signum;
	interrupted = 1;
}

void child_catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_ender };
	struct sigaction now;

	for (size_t i = 0; i < sizeof(enders) / sizeof(enders[0]); i++)
		if (sigaction(enders[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			(void)sigaction(enders[i], &action, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
}

void child_default_signals(void)
{
	struct sigaction now;

	for (size_t i = 0; i < sizeof(enders) / sizeof(enders[0]); i++)
		if (sigaction(enders[i], NULL, &now) == 0 && now.sa_handler == on_ender)
			(void)signal(enders[i], SIG_DFL);
}

bool child_interrupted(void)
{
	return interrupted;
}

static char *read_said(int fd)
{
	char *text = pctl_xcalloc(1, SAID_MAX + 1);
	ssize_t n = pread(fd, text, SAID_MAX, 0);

	if (n <= 0) {
		free(text);
		return NULL;
	}
	return text;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
	(void)st, (void)type, (void)at;
	return remove(path);
}

/* Until the child is gone: it has the pipe's other end. False: it had to be killed. */
static bool wait_for(pid_t pid, int fd, uint64_t limit_ms, int *ret_status)
{
	uint64_t end_ms = rig_now_ms() + limit_ms;
	struct pollfd p = { .fd = fd };
	bool in_time = true;

	for (;;) {
		uint64_t now = rig_now_ms();

		if (now >= end_ms || interrupted) {
			in_time = false;
			break;
		}
		if (poll(&p, 1, (int)(end_ms - now < TICK_MS ? end_ms - now : TICK_MS)) > 0)
			break;
	}
	if (!in_time)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
		;
	(void)kill(-pid, SIGKILL); /* what the driver started */
	return in_time;
}

static void judge(struct verdict *ret, const struct bench *bench, bool in_time, int status)
{
	const struct shared *s = bench->shared;
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

	ret->outcome = FAILED;
	if (!in_time)
		ret->why = pctl_xasprintf("it was not done after %llu s and was killed in %s",
			(unsigned long long)bench->options->limit_s, s->doing);
	else if (code == EXIT_PASSED)
		ret->outcome = PASSED;
	else if (code == EXIT_SKIPPED || code == EXIT_FAILED)
		ret->why = pctl_xstrdup(s->why);
	else if (code >= 0)
		ret->why = pctl_xasprintf(
			"the driver ended the program with status %d in %s", code, s->doing);
	else
		ret->why = pctl_xasprintf("the driver crashed in %s (signal %d, %s)", s->doing,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	if (code == EXIT_SKIPPED)
		ret->outcome = SKIPPED;
	if (*s->note)
		ret->note = pctl_xstrdup(s->note);
}

void child_run(const struct bench *bench, const char *folder, const struct check *check,
	struct verdict *ret)
{
	PCTL_AUTO(free)
	char *own = pctl_xasprintf("%s/%s.%s", folder, check->group, check->name);
	PCTL_AUTO(free) char *out_path = pctl_xasprintf("%s/said", own);
	struct bench here = *bench;
	uint64_t begin = rig_now_ms();
	int life[2], status = 0;

	here.folder = own;
	*ret = (struct verdict){ .check = check };
	*bench->shared->why = *bench->shared->note = *bench->shared->doing = '\0';
	relay_set(&bench->shared->relay, RELAY_PASS, 0);
	int out = mkdir(own, 0700) < 0 ? -1 : open(out_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	pid_t pid = out < 0 || pipe2(life, O_CLOEXEC) < 0 ? -1 : fork();
	if (pid == 0) {
		(void)setpgid(0, 0);
		(void)close(life[0]);
		settle_in(&here, out);
		check->run(&here);
		_exit(EXIT_PASSED);
	}
	if (pid < 0) {
		ret->outcome = FAILED;
		ret->why = pctl_xasprintf("it could not be started: %s", strerror(errno));
		return;
	}
	(void)close(life[1]);
	bool in_time = wait_for(pid, life[0], bench->options->limit_s * 1000, &status);
	judge(ret, &here, in_time, status);
	ret->said = read_said(out);
	ret->ms = rig_now_ms() - begin;
	(void)close(life[0]);
	(void)close(out);
	(void)nftw(own, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}
