/* SPDX-License-Identifier: Apache-2.0 */
#include <powerctl/secret.h>

#include <string.h>

#include <powerctl/mem.h>

struct pctl_secret {
	size_t len;
	char data[];
};

struct pctl_secret *pctl_secret_new(const void *data, size_t len)
{
	if (len > PCTL_SECRET_MAX)
		return NULL;

	struct pctl_secret *secret = pctl_xcalloc(1, sizeof(*secret) + len + 1);
	secret->len = len;
	if (len)
		memcpy(secret->data, data, len);
	return secret;
}

struct pctl_secret *pctl_secret_copy(const struct pctl_secret *secret)
{
	return secret ? pctl_secret_new(secret->data, secret->len) : NULL;
}

void pctl_secret_free(struct pctl_secret *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret->data, secret->len);
	free(secret);
}

const char *pctl_secret_data(const struct pctl_secret *secret)
{
	return secret->data;
}

size_t pctl_secret_len(const struct pctl_secret *secret)
{
	return secret->len;
}
