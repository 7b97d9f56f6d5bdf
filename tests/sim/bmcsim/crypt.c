/* SPDX-License-Identifier: Apache-2.0 */
#include "crypt.h"

#include <openssl/rand.h>
#include <string.h>

enum { BLOCK = 64 };

static const struct {
	const char *name;
	size_t size;
} hashes[HASHES] = {
	[HASH_SHA1] = { "SHA1", 20 },
	[HASH_MD5] = { "MD5", 16 },
	[HASH_SHA256] = { "SHA256", 32 },
};

bool crypt_init(struct crypt *c)
{
	bool ok = true;

	*c = (struct crypt){ .pool_at = CRYPT_POOL };
	for (size_t i = 1; i < HASHES; i++) {
		c->md[i] = EVP_MD_fetch(NULL, hashes[i].name, NULL);
		ok = ok && c->md[i];
	}
	c->md_ctx = EVP_MD_CTX_new();
	c->aes = EVP_CIPHER_fetch(NULL, "AES-128-CBC", NULL);
	c->cipher_ctx = EVP_CIPHER_CTX_new();
	return ok && c->md_ctx && c->aes && c->cipher_ctx && RAND_bytes(c->pool, 1) == 1;
}

void crypt_done(struct crypt *c)
{
	for (size_t i = 1; i < HASHES; i++)
		EVP_MD_free(c->md[i]);
	EVP_MD_CTX_free(c->md_ctx);
	EVP_CIPHER_free(c->aes);
	EVP_CIPHER_CTX_free(c->cipher_ctx);
}

/* The generator is asked for many bytes at once: a call costs more than the bytes. */
void crypt_random(struct crypt *c, void *out, size_t n)
{
	if (n > CRYPT_POOL - c->pool_at) {
		if (RAND_bytes(c->pool, CRYPT_POOL) != 1)
			abort();
		c->pool_at = 0;
	}
	memcpy(out, c->pool + c->pool_at, n);
	c->pool_at += n;
}

size_t crypt_hash_size(enum crypt_hash hash)
{
	return hashes[hash].size;
}

static void digest(
	struct crypt *c, enum crypt_hash hash, const struct part *parts, size_t n, uint8_t *out)
{
	int ok = EVP_DigestInit_ex2(c->md_ctx, c->md[hash], NULL);

	for (size_t i = 0; i < n; i++)
		if (parts[i].n)
			ok &= EVP_DigestUpdate(c->md_ctx, parts[i].p, parts[i].n);
	ok &= EVP_DigestFinal_ex(c->md_ctx, out, NULL);
	if (!ok)
		abort();
}

void crypt_hmac(struct crypt *c, enum crypt_hash hash, const uint8_t *key, size_t key_n,
	const struct part *parts, size_t n, uint8_t *out)
{
	struct part all[8];
	uint8_t pad[BLOCK], inner[CRYPT_KEY];

	if (hash == HASH_NONE || key_n > BLOCK || n >= 8)
		return;
	memset(pad, 0x36, BLOCK);
	for (size_t i = 0; i < key_n; i++)
		pad[i] ^= key[i];
	all[0] = (struct part){ pad, BLOCK };
	memcpy(all + 1, parts, n * sizeof(*parts));
	digest(c, hash, all, n + 1, inner);
	for (size_t i = 0; i < BLOCK; i++)
		pad[i] ^= 0x36 ^ 0x5C;
	all[1] = (struct part){ inner, hashes[hash].size };
	digest(c, hash, all, 2, out);
}

void crypt_md5(struct crypt *c, const struct part *parts, size_t n, uint8_t out[16])
{
	digest(c, HASH_MD5, parts, n, out);
}

static void aes(struct crypt *c, const uint8_t *key, const uint8_t *iv, uint8_t *data, size_t n,
	int encrypt)
{
	int done = 0;
	int ok = EVP_CipherInit_ex2(c->cipher_ctx, c->aes, key, iv, encrypt, NULL);

	ok &= EVP_CIPHER_CTX_set_padding(c->cipher_ctx, 0);
	ok &= EVP_CipherUpdate(c->cipher_ctx, data, &done, data, (int)n);
	if (!ok || done != (int)n)
		abort();
}

void crypt_aes_encrypt(
	struct crypt *c, const uint8_t key[16], const uint8_t iv[16], uint8_t *data, size_t n)
{
	aes(c, key, iv, data, n, 1);
}

void crypt_aes_decrypt(
	struct crypt *c, const uint8_t key[16], const uint8_t iv[16], uint8_t *data, size_t n)
{
	aes(c, key, iv, data, n, 0);
}
