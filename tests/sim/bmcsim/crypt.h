/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL behind the few shapes that IPMI needs. Everything that costs (fetching, contexts) is done
 * once for the process. The numbers are those of the specification, tables 13-17 to 13-19.
 */
#ifndef POWERCTL_BMCSIM_CRYPT_H
#define POWERCTL_BMCSIM_CRYPT_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CRYPT_KEY = 32, /* the longest hash */
	CRYPT_IV = 16,
	CRYPT_POOL = 4096,
};

enum crypt_hash {
	HASH_NONE,
	HASH_SHA1,
	HASH_MD5,
	HASH_SHA256,
	HASHES,
};

struct crypt {
	EVP_MD *md[HASHES];
	EVP_MD_CTX *md_ctx;
	EVP_CIPHER *aes;
	EVP_CIPHER_CTX *cipher_ctx;
	uint8_t pool[CRYPT_POOL];
	size_t pool_at;
};

struct part {
	const void *p;
	size_t n;
};

#define PART(variable)                        \
	{                                     \
		&(variable), sizeof(variable) \
	}

/* False: an algorithm is missing here. */
bool crypt_init(struct crypt *c);
void crypt_done(struct crypt *c);
void crypt_random(struct crypt *c, void *out, size_t n);
size_t crypt_hash_size(enum crypt_hash hash);
/* Keys of at most 64 bytes; nothing for HASH_NONE. */
void crypt_hmac(struct crypt *c, enum crypt_hash hash, const uint8_t *key, size_t key_n,
	const struct part *parts, size_t n, uint8_t *out);
void crypt_md5(struct crypt *c, const struct part *parts, size_t n, uint8_t out[16]);
/* n is a multiple of 16; in and out may be the same. */
void crypt_aes_encrypt(
	struct crypt *c, const uint8_t key[16], const uint8_t iv[16], uint8_t *data, size_t n);
void crypt_aes_decrypt(
	struct crypt *c, const uint8_t key[16], const uint8_t iv[16], uint8_t *data, size_t n);

#endif
