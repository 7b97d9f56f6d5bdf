/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_measure REPORT PROGRAM [ARGUMENT...]: runs a program and writes into the file REPORT how it
 * ended, its wall time, its CPU time, both in seconds, and its peak resident size in KiB, children
 * that it waited for included. The kernel counts what a process was before exec() to its peak: from
 * this small one that is next to nothing.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	double begin, wall;
	int status, code;
	FILE *report;
	pid_t pid;

	if (argc < 3)
		return 2;
	begin = seconds_now();
	pid = fork();
	if (pid == 0) {
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) != pid)
		return 2;
	wall = seconds_now() - begin;
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	report = fopen(argv[1], "w");
	if (!report)
		return 2;
	fprintf(report, "%d %.6f %.6f %ld\n", code, wall,
		seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss);
	return fclose(report) == 0 ? 0 : 2;
}
