/* SPDX-License-Identifier: Apache-2.0 */
#include "classes/file.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "classes/chain.h"
#include "classes/methods.h"

struct job {
	struct amt_dev *dev;
	file_fn *then;
	struct chain_work chain; /* the op's, which is begun again when the file is read */
	char *path;
	const char *parameter;
	char *data;
	size_t len;
	int error;    /* an errno */
	int given_up; /* an eventfd: nobody waits any more; -1: there is none */
};

/* A pipe's writer may come later than we do. */
#define WAIT_MS 30000

#define DATA_SIZE (METHODS_FILE_MAX + 2)

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Until there is something to be read, or nobody left who writes. Returns an errno. */
static int wait_for(int fd, int given_up, int64_t deadline)
{
	struct pollfd p[] = { { .fd = fd, .events = POLLIN },
		{ .fd = given_up, .events = POLLIN } };
	int n = -1;

	do {
		int64_t left = deadline - now_ms();

		n = poll(p, 2, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	if (n > 0 && p[1].revents)
		return ECANCELED;
	return n < 0 ? errno : n == 0 ? ETIMEDOUT : 0;
}

/* *data has room for one byte more than may be there. Returns an errno. */
static int read_all(int fd, int given_up, char *data, size_t *len)
{
	int64_t deadline = now_ms() + WAIT_MS;
	ssize_t n = 1;

	while (n > 0 && *len <= METHODS_FILE_MAX) {
		int e = wait_for(fd, given_up, deadline);

		if (e)
			return e;
		n = read(fd, data + *len, METHODS_FILE_MAX + 1 - *len);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			n = 1;
		else if (n > 0)
			*len += (size_t)n;
	}
	return n < 0 ? errno : 0;
}

/* A pipe is not waited for by open(), which could not be given up. Returns an errno. */
static int read_file(const char *path, int given_up, char *data, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	int e = fd < 0 ? errno : read_all(fd, given_up, data, len);

	if (fd >= 0)
		(void)close(fd);
	return e;
}

static void read_job(void *data)
{
	struct job *job = data;

	job->error = read_file(job->path, job->given_up, job->data, &job->len);
}

static void give_up(void *data)
{
	const struct job *job = data;

	if (job->given_up >= 0)
		(void)eventfd_write(job->given_up, 1);
}

/* Ok, or what is wrong with what was read. */
static int judge(
	const char *parameter, const char *path, int error, size_t len, struct pctl_error *err)
{
	if (error == ETIMEDOUT)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"%s: %s: nobody wrote to it, or not to its end, within %d seconds",
			parameter, path, WAIT_MS / 1000);
	if (error)
		return pctl_error_set(
			err, PCTL_E_CONFIG, "%s: %s: %s", parameter, path, strerror(error));
	if (len > METHODS_FILE_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: %s: has more than %zu kB", parameter,
			path, METHODS_FILE_MAX >> 10);
	return 0;
}

int file_check(const char *parameter, const char *path, char **ret, size_t *ret_len,
	struct pctl_error *err)
{
	struct stat st;

	/* Whoever opens a pipe and closes it takes its reader from its writer. */
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return 0;
	char *data = pctl_xcalloc(1, DATA_SIZE);
	size_t len = 0;
	int e = read_file(path, -1, data, &len);
	if (judge(parameter, path, e, len, err) < 0) {
		file_free(data);
		return PCTL_E_CONFIG;
	}
	*ret = data;
	*ret_len = len;
	return 1;
}

void file_free(char *data)
{
	if (data)
		explicit_bzero(data, DATA_SIZE);
	free(data);
}

static void after_read(void *data, struct pctl_op *op)
{
	struct job *job = data;
	struct amt_dev *dev = job->dev;

	if (op) {
		amt_begin(dev, op);
		dev->work.chain = job->chain;
		struct pctl_error err = { 0 };

		if (judge(job->parameter, job->path, job->error, job->len, &err) < 0)
			amt_end(dev, &err);
		else
			job->then(dev, job->data, job->len);
	}
	if (job->given_up >= 0)
		(void)close(job->given_up);
	free(job->path);
	file_free(job->data);
}

void file_read(struct amt_dev *dev, const char *parameter, file_fn *then)
{
	struct job *job = pctl_xcalloc(1, sizeof(*job));
	struct pctl_op *op = dev->call.op;

	job->dev = dev;
	job->then = then;
	job->parameter = parameter;
	job->chain = dev->work.chain;
	job->path = pctl_xstrdup(chain_text(dev, parameter));
	job->data = pctl_xcalloc(1, DATA_SIZE);
	job->given_up = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	amt_let_go(dev);
	pctl_op_work_until(op, job, read_job, give_up, after_read);
}
