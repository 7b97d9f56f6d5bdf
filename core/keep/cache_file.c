/* SPDX-License-Identifier: Apache-2.0 */
/* A file begins with a line that has the SHA-256 of all that follows. */
#include "keep/cache_file.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "base/file.h"

#define MAGIC  "powerctl cache 1 "
#define DIGEST 32u
/* "powerctl cache 1 ", the digest in hex, a line break. */
#define HEAD (sizeof(MAGIC) - 1 + (size_t)2 * DIGEST + 1)
static void write_head(char head[HEAD + 1], const void *data, size_t len)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	size_t at = sizeof(MAGIC) - 1;

	memcpy(head, MAGIC, at);
	(void)EVP_Digest(data, len, digest, NULL, EVP_sha256(), NULL);
	for (size_t i = 0; i < DIGEST; i++, at += 2)
		(void)snprintf(head + at, 3, "%02x", digest[i]);
	memcpy(head + at, "\n", sizeof("\n"));
}

bool pctl_cache_read_file(const char *path, struct pctl_buf *ret)
{
	char head[HEAD + 1];
	struct pctl_buf file;

	pctl_buf_cut(ret, 0);
	pctl_buf_init(&file, ret->max < SIZE_MAX - HEAD ? HEAD + ret->max : SIZE_MAX);
	bool good = pctl_file_read_kept(path, &file, NULL, NULL) == 0 && file.len >= HEAD;
	if (good) {
		write_head(head, file.data + HEAD, file.len - HEAD);
		good = memcmp(head, file.data, HEAD) == 0;
	}
	if (good)
		pctl_buf_add(ret, file.data + HEAD, file.len - HEAD);
	pctl_buf_done(&file);
	return good;
}

/* buf is to be done. */
static void make_file(struct pctl_buf *buf, const void *data, size_t len)
{
	char head[HEAD + 1];

	pctl_buf_init(buf, HEAD + len);
	write_head(head, data, len);
	pctl_buf_add(buf, head, HEAD);
	pctl_buf_add(buf, data, len);
}

int pctl_cache_write_file(const char *path, const void *data, size_t len, struct pctl_error *err)
{
	struct pctl_buf file;

	make_file(&file, data, len);
	int r = pctl_file_put(path, file.data, file.len, err);
	pctl_buf_done(&file);
	return r;
}
