/* SPDX-License-Identifier: Apache-2.0 */
/* Source: seccomp(2), the kernel's Documentation/userspace-api/seccomp_filter.rst. */
#include "quiet.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

static const struct {
	int number;
	const char *name;
} calls[] = {
	{ SYS_connect, "connect" },
	{ SYS_sendto, "sendto" },
	{ SYS_sendmsg, "sendmsg" },
	{ SYS_sendmmsg, "sendmmsg" },
};
#define CALLS (sizeof(calls) / sizeof(calls[0]))

static const struct bench *watched;

/* The call was not made: the process is where the driver made it, and ends here. */
static void on_call(int sig, siginfo_t *info, void *context)
{
	const char *name = "a system call";

	(void)sig, (void)context;
	for (size_t i = 0; i < CALLS; i++)
		if (calls[i].number == info->si_syscall)
			name = calls[i].name;
	fail(watched, "%s uses the network: it called %s()", watched->shared->doing, name);
}

void quiet_from_now(const struct bench *bench)
{
#ifdef ARCH
	const struct sigaction action = { .sa_sigaction = on_call, .sa_flags = SA_SIGINFO };
	struct sock_filter filter[4 + 2 * CALLS + 1] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	unsigned short n = 4;

	for (size_t i = 0; i < CALLS; i++) {
		filter[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	const struct sock_fprog program = { .len = n, .filter = filter };
	watched = bench;
	(void)sigaction(SIGSYS, &action, NULL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
		skip(bench, "this place has no seccomp: %s", strerror(errno));
#else
	skip(bench, "system calls are not watched on this architecture");
#endif
}
