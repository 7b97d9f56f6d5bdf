/* SPDX-License-Identifier: Apache-2.0 */
#include "asked.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <powerctl/mem.h>

#include "prompt.h"

/* In memory, and nobody else's. Returns the descriptor, or -1. */
static int keep(const struct pctl_secret *secret)
{
	int fd = memfd_create("secret", MFD_CLOEXEC);
	size_t len = pctl_secret_len(secret);

	if (fd < 0)
		return -1;
	if (fchmod(fd, 0600) == 0 && write(fd, pctl_secret_data(secret), len) == (ssize_t)len)
		return fd;
	(void)close(fd);
	return -1;
}

static int ask(struct asked *asked, const struct pctl_property *p, struct pctl_value *map,
	const char *key, struct pctl_error *err)
{
	PCTL_AUTO(free) char *question = pctl_xasprintf("%s: ", p->name);
	struct pctl_secret *secret = NULL;

	if (asked->n == ASKED_MAX)
		return pctl_error_set(err, PCTL_E_CONFIG, "%s: too many to be asked for", key);
	int r = p->flags & PCTL_PROPERTY_NEW ? prompt_secret_twice(question, &secret, err)
					     : prompt_secret(question, &secret, err);
	if (r < 0)
		return r;
	int fd = keep(secret);
	pctl_secret_free(secret);
	if (fd < 0)
		return pctl_error_set(
			err, PCTL_E_INTERNAL, "%s: cannot be kept: %s", key, strerror(errno));
	asked->files[asked->n++] = fd;
	PCTL_AUTO(free) char *path = pctl_xasprintf("/proc/self/fd/%d", fd);
	pctl_value_set_text(map, key, path);
	return 0;
}

int asked_take(struct asked *asked, const struct pctl_method *method, struct pctl_value *map,
	struct pctl_error *err)
{
	for (const struct pctl_property *p = method->parameters; p && p->name; p++) {
		PCTL_AUTO(free) char *key = pctl_xasprintf("%s_file", p->name);
		const char *file = p->flags & PCTL_PROPERTY_SECRET
					   ? pctl_value_text(pctl_value_get(map, key))
					   : NULL;
		int r = file && strcmp(file, "-") == 0 ? ask(asked, p, map, key, err) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

void asked_done(struct asked *asked)
{
	while (asked->n)
		(void)close(asked->files[--asked->n]);
}
