/* SPDX-License-Identifier: Apache-2.0 */
#include "classes/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
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
	int error; /* an errno */
};

/* *data has room for one byte more than may be there. Returns an errno. */
static int read_all(int fd, char *data, size_t *len)
{
	ssize_t n = 1;

	while (n > 0 && *len <= METHODS_FILE_MAX) {
		n = read(fd, data + *len, METHODS_FILE_MAX + 1 - *len);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			*len += (size_t)n;
	}
	return n < 0 ? errno : 0;
}

static int open_file(const char *path)
{
	return open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static void read_job(void *data)
{
	struct job *job = data;
	int fd = open_file(job->path);

	job->error = fd < 0 ? errno : read_all(fd, job->data, &job->len);
	if (fd >= 0)
		(void)close(fd);
}

/* Ok, or what is wrong with what was read. */
static int judge(
	const char *parameter, const char *path, int error, size_t len, struct pctl_error *err)
{
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
	int fd = open_file(path), e = fd < 0 ? errno : 0;
	struct stat st = { 0 };

	if (!e && fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)) {
		(void)close(fd);
		return 0;
	}
	char *data = pctl_xcalloc(1, METHODS_FILE_MAX + 2);
	size_t len = 0;
	if (!e)
		e = read_all(fd, data, &len);
	if (fd >= 0)
		(void)close(fd);
	if (judge(parameter, path, e, len, err) < 0) {
		free(data);
		return PCTL_E_CONFIG;
	}
	*ret = data;
	*ret_len = len;
	return 1;
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
	free(job->path);
	free(job->data);
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
	job->data = pctl_xcalloc(1, METHODS_FILE_MAX + 2);
	amt_let_go(dev);
	pctl_op_work(op, job, read_job, after_read);
}
