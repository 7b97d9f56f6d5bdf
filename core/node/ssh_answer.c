/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "base/paths.h"
#include "node/ssh_login.h"

#define HELPER "powerctl-askpass"

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

int pctl_ssh_answer_init(struct pctl_ssh_answer *ret, const struct pctl_secret *password,
	unsigned serial, struct pctl_error *err)
{
	struct pctl_ssh_answer answer = { .fd = -1 };
	PCTL_AUTO(free) char *helper = password ? find_helper() : NULL;
	PCTL_AUTO(free) char *file = pctl_xasprintf("askpass.%d.%u", (int)getpid(), serial);

	*ret = answer;
	if (password && !helper)
		pctl_log(PCTL_LOG_DEBUG, NULL, "ssh gets no password: there is no " HELPER);
	if (!helper || strpbrk(pctl_secret_data(password), "\r\n"))
		return 0;
	int r = pctl_path_runtime(file, &answer.path, err);
	if (r < 0)
		return r;
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
