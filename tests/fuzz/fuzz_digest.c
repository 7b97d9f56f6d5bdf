/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A challenge that is taken can be answered, and the answer reads back as the same realm, nonce and
 * opaque: nothing in a challenge can end a field, or a header, early.
 */
#include <assert.h>
#include <string.h>

#include <powerctl/http.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct pctl_digest_answer answer = { .username = "admin",
		.method = "POST",
		.uri = "/wsman",
		.password = "P@ssw0rd",
		.password_len = 8,
		.body = "<a/>",
		.body_len = 4,
		.cnonce = "0123",
		.nc = 1 };
	struct pctl_digest digest, back;
	char buf[2048];

	if (pctl_digest_parse((const char *)data, size, &digest) < 0)
		return 0;
	assert(pctl_digest_answer(&digest, &answer, buf, sizeof(buf)) == 0);
	assert(!strpbrk(buf, "\r\n"));
	assert(pctl_digest_parse(buf, strlen(buf), &back) == 0);
	assert(strcmp(digest.realm, back.realm) == 0 && strcmp(digest.nonce, back.nonce) == 0 &&
		strcmp(digest.opaque, back.opaque) == 0 &&
		strcmp(digest.algorithm, back.algorithm) == 0);
	return 0;
}
