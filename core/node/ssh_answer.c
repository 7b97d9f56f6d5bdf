/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "base/paths.h"
#include "node/ssh_login.h"

#define HELPER "powerctl-askpass"
#define PREFIX "askpass."

/* Beside this program, in a tree that was built or installed; else where we were to be installed.
 * NULL: it is not there. */
static char *find_helper(void)
{
	static const char *const places[] = { "../libexec/powerctl", PCTL_HELPERS_FROM_BIN };
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *slash = n > 0 ? memrchr(self, '/', (size_t)n) : NULL;

	for (size_t i = 0; slash && i < sizeof(places) / sizeof(places[0]); i++) {
		PCTL_AUTO(free)
		char *path =
			pctl_xasprintf("%.*s/%s/" HELPER, (int)(slash - self), self, places[i]);
		char *real = access(path, X_OK) == 0 ? realpath(path, NULL) : NULL;

		if (real)
			return real;
	}
	return access(PCTL_HELPERS "/" HELPER, X_OK) == 0 ? pctl_xstrdup(PCTL_HELPERS "/" HELPER)
							  : NULL;
}

static int fail(struct pctl_error *err)
{
	if (pctl_error_shortage(err, errno))
		return PCTL_E_INTERNAL;
	return pctl_error_set(
		err, PCTL_E_INTERNAL, "no pipe for ssh's password: %s", strerror(errno));
}

/* Open for both, so that nobody waits for the other: what was written stays in the pipe. */
static int fill(struct pctl_ssh_answer *answer, const struct pctl_secret *password)
{
	size_t len = pctl_secret_len(password);

	if (mkfifo(answer->path, 0600) < 0)
		return -1;
	answer->fd = open(answer->path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (answer->fd < 0 || write(answer->fd, pctl_secret_data(password), len) != (ssize_t)len ||
		write(answer->fd, "\n", 1) != 1)
		return -1;
	return 0;
}

/* The process of such a pipe, "askpass.PID.SERIAL"; 0: it is none of ours. */
static pid_t maker_of(const char *name)
{
	const size_t skip = sizeof(PREFIX) - 1;
	const char *dot = strncmp(name, PREFIX, skip) == 0 ? strchr(name + skip, '.') : NULL;
	PCTL_AUTO(free)
	char *number = dot ? pctl_xstrndup(name + skip, (size_t)(dot - name) - skip) : NULL;
	uint64_t pid, serial;

	if (!number || pctl_parse_uint(number, INT_MAX, &pid) < 0 ||
		pctl_parse_uint(dot + 1, UINT_MAX, &serial) < 0)
		return 0;
	return (pid_t)pid;
}

/* A process that was killed had no time to take its pipe away. No password is in it: what was
 * written to a pipe goes with the last who has it open. */
static void sweep(const char *path)
{
	PCTL_AUTO(free) char *folder = pctl_path_dirname(path);
	DIR *dir = opendir(folder);

	for (const struct dirent *one; dir && (one = readdir(dir)) != NULL;) {
		pid_t maker = maker_of(one->d_name);

		if (maker > 0 && kill(maker, 0) < 0 && errno == ESRCH)
			(void)unlinkat(dirfd(dir), one->d_name, 0);
	}
	if (dir)
		(void)closedir(dir);
}

int pctl_ssh_answer_init(struct pctl_ssh_answer *ret, const struct pctl_secret *password,
	unsigned serial, struct pctl_error *err)
{
	struct pctl_ssh_answer answer = { .fd = -1 };
	PCTL_AUTO(free) char *helper = password ? find_helper() : NULL;
	PCTL_AUTO(free) char *file = pctl_xasprintf(PREFIX "%d.%u", (int)getpid(), serial);

	*ret = answer;
	if (!password)
		return 0;
	if (!helper)
		ret->missing = "there is no " HELPER " beside this program, or where it was "
			       "to be installed";
	else if (strpbrk(pctl_secret_data(password), "\r\n"))
		ret->missing = "it has more than one line";
	if (ret->missing)
		return 0;
	int r = pctl_path_runtime(file, &answer.path, err);
	if (r < 0)
		return r;
	sweep(answer.path);
	(void)unlink(answer.path); /* of a process that had our number */
	if (fill(&answer, password) < 0) {
		r = fail(err);
		pctl_ssh_answer_done(&answer);
		return r;
	}
	answer.environment[0] = pctl_xasprintf("SSH_ASKPASS=%s", helper);
	answer.environment[1] = pctl_xstrdup("SSH_ASKPASS_REQUIRE=force");
	answer.environment[2] = pctl_xasprintf("POWERCTL_ASKPASS=%s", answer.path);
	*ret = answer;
	return 0;
}

bool pctl_ssh_answer_taken(const struct pctl_ssh_answer *answer)
{
	return answer->path && access(answer->path, F_OK) < 0;
}

void pctl_ssh_answer_done(struct pctl_ssh_answer *answer)
{
	if (answer->path)
		(void)unlink(answer->path);
	if (answer->fd >= 0)
		(void)close(answer->fd);
	for (size_t i = 0; i < sizeof(answer->environment) / sizeof(answer->environment[0]); i++)
		free(answer->environment[i]);
	free(answer->path);
	*answer = (struct pctl_ssh_answer){ .fd = -1 };
}
