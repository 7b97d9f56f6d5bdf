/* SPDX-License-Identifier: Apache-2.0 */
/* powerctl: power machines on, off and through their next boot. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command.h"
#include "say.h"

/* Secrets pass through this process: no core dumps, no debuggers of other processes. */
static void harden(void)
{
	const struct rlimit none = { 0, 0 };

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	(void)setrlimit(RLIMIT_CORE, &none);
}

/* A file opened later must not become standard output because the caller closed that. */
static void keep_standard_files(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

/* What could not be written is a failure, and a reader that has left needs no word about it. */
static int finish_output(const struct cli *cli, int status)
{
	if (cli->output_fault)
		return status;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno != EPIPE && errno != 0)
		say("standard output cannot be written: %s", strerror(errno));
	return status == CLI_OK ? CLI_FAILED : status;
}

/* Leak checkers look at what is left when a program returns. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECKED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECKED 1
#endif
#endif

/* Everything of ours is closed and written; the libraries' own farewells only take time. */
static void leave(int status)
{
#ifndef CHECKED
	_exit(status);
#else
	exit(status);
#endif
}

int main(int argc, char **argv)
{
	struct cli cli;

	harden();
	keep_standard_files();
	(void)signal(SIGPIPE, SIG_IGN);
	cli_init(&cli);
	errno = 0;
	int status = finish_output(&cli, command_main(&cli, argc, argv));
	cli_done(&cli);
	(void)fflush(stderr);
	leave(status);
	return status;
}
