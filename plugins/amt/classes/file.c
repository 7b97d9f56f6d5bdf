/* SPDX-License-Identifier: Apache-2.0 */
#include "classes/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
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

static void read_job(void *data)
{
	struct job *job = data;
	int fd = open(job->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ssize_t n = 0;

	job->error = fd < 0 ? errno : 0;
	while (!job->error && job->len <= METHODS_FILE_MAX) {
		n = read(fd, job->data + job->len, METHODS_FILE_MAX + 1 - job->len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		job->len += (size_t)n;
	}
	if (n < 0)
		job->error = errno;
	if (fd >= 0)
		(void)close(fd);
}

static void after_read(void *data, struct pctl_op *op)
{
	struct job *job = data;
	struct amt_dev *dev = job->dev;

	if (op) {
		amt_begin(dev, op);
		dev->work.chain = job->chain;
		if (job->error)
			amt_fail(dev, PCTL_E_CONFIG, "%s: %s: %s", job->parameter, job->path,
				strerror(job->error));
		else if (job->len > METHODS_FILE_MAX)
			amt_fail(dev, PCTL_E_CONFIG, "%s: %s: has more than %zu kB", job->parameter,
				job->path, METHODS_FILE_MAX >> 10);
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
