/* SPDX-License-Identifier: Apache-2.0 */
#include "classes/pki.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <powerctl/mem.h>

#define CERTIFICATE_MAX ((size_t)32 << 10)

/* out grows by the base64 of len bytes; what was secret in between is wiped. */
static void add_base64(struct pctl_buf *out, const unsigned char *data, size_t len)
{
	size_t size = 4 * ((len + 2) / 3) + 1;
	char *text = pctl_xmalloc(size);
	int n = EVP_EncodeBlock((unsigned char *)text, data, (int)len);

	pctl_buf_add(out, text, (size_t)n);
	OPENSSL_cleanse(text, size);
	free(text);
}

X509 *pki_decode(const char *base64)
{
	size_t len = strlen(base64);

	if (!len || len % 4 || len > CERTIFICATE_MAX)
		return NULL;
	unsigned char *der = pctl_xmalloc(len);
	int n = EVP_DecodeBlock(der, (const unsigned char *)base64, (int)len);
	const unsigned char *at = der;
	X509 *x = n > 0 ? d2i_X509(NULL, &at, n) : NULL;

	free(der);
	return x;
}

static void set_name(struct pctl_value *map, const char *key, const X509_NAME *name)
{
	char *text;

	if (pctl_value_get(map, key))
		return;
	text = X509_NAME_oneline(name, NULL, 0);
	pctl_value_set_text(map, key, text);
	OPENSSL_free(text);
}

void pki_describe(const char *base64, struct pctl_value *map)
{
	X509 *x = pki_decode(base64);
	unsigned char sum[EVP_MAX_MD_SIZE];
	char text[2 * EVP_MAX_MD_SIZE + 1];
	unsigned n = 0;
	struct tm tm;

	if (!x)
		return;
	set_name(map, "subject", X509_get_subject_name(x));
	set_name(map, "issuer", X509_get_issuer_name(x));
	if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1 &&
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
		pctl_value_set_text(map, "expires", text);
	if (X509_digest(x, EVP_sha256(), sum, &n) == 1) {
		for (unsigned i = 0; i < n; i++)
			(void)snprintf(text + (size_t)2 * i, 3, "%02x", sum[i]);
		pctl_value_set_text(map, "fingerprint", text);
	}
	X509_free(x);
}

/* The first; *ret_more: there are others behind it. */
static X509 *read_certificate(const char *data, size_t len, bool *ret_more)
{
	const unsigned char *at = (const unsigned char *)data;
	BIO *bio = BIO_new_mem_buf(data, (int)len);
	X509 *x = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
	X509 *next = x ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;

	*ret_more = next != NULL;
	X509_free(next);
	BIO_free(bio);
	return x ? x : d2i_X509(NULL, &at, (long)len);
}

int pki_certificate(
	const char *data, size_t len, struct pctl_buf *out, bool *ret_root, struct pctl_error *err)
{
	bool more;
	X509 *x = read_certificate(data, len, &more);
	unsigned char *der = NULL;
	int n = x && !more ? i2d_X509(x, &der) : -1;

	if (more) {
		X509_free(x);
		return pctl_error_set(err, PCTL_E_CONFIG,
			"it holds more than one certificate; write each to a file of its own and "
			"add them one by one");
	}
	if (n <= 0) {
		X509_free(x);
		return pctl_error_set(err, PCTL_E_CONFIG, "it holds no certificate in PEM or DER");
	}
	*ret_root = X509_check_ca(x) > 0 &&
		    X509_NAME_cmp(X509_get_subject_name(x), X509_get_issuer_name(x)) == 0;
	add_base64(out, der, (size_t)n);
	OPENSSL_free(der);
	X509_free(x);
	return 0;
}

/* Never asks for a passphrase on somebody's terminal. */
static int no_passphrase(char *buf, int size, int rwflag, void *data)
{
	(void)rwflag, (void)data;
	if (size > 0)
		*buf = '\0';
	return -1;
}

/* i2d_PublicKey() of an RSA key is PKCS#1. */
static bool add_public(const EVP_PKEY *key, struct pctl_buf *out)
{
	unsigned char *der = NULL;
	int n = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? i2d_PublicKey(key, &der) : -1;

	if (n > 0)
		add_base64(out, der, (size_t)n);
	OPENSSL_free(der);
	return n > 0;
}

bool pki_public_key(const char *base64, struct pctl_buf *out)
{
	X509 *x = pki_decode(base64);
	bool ok = x && add_public(X509_get0_pubkey(x), out);

	X509_free(x);
	return ok;
}

int pki_private_key(const char *data, size_t len, struct pctl_buf *out, struct pctl_buf *ret_public,
	struct pctl_error *err)
{
	BIO *bio = BIO_new_mem_buf(data, (int)len);
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, no_passphrase, NULL) : NULL;
	unsigned char *der = NULL;
	int n = -1;

	BIO_free(bio);
	if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA)
		n = i2d_PrivateKey(key, &der);
	if (n > 0) {
		(void)add_public(key, ret_public);
		add_base64(out, der, (size_t)n);
		OPENSSL_clear_free(der, (size_t)n);
	}
	EVP_PKEY_free(key);
	return n > 0 ? 0
		     : pctl_error_set(err, PCTL_E_CONFIG,
			       "private_key: is no RSA key in PEM without a passphrase, which is "
			       "what the firmware takes");
}

bool pki_digest_password(
	const char *user, const char *realm, const char *password, struct pctl_buf *out)
{
	const char *const parts[] = { user, ":", realm, ":", password };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_md5(), NULL) == 1;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		ok = ok && EVP_DigestUpdate(ctx, parts[i], strlen(parts[i])) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, sum, &n) == 1;
	EVP_MD_CTX_free(ctx);
	if (ok)
		add_base64(out, sum, n);
	OPENSSL_cleanse(sum, sizeof(sum));
	return ok;
}

bool pki_is_strong(const char *s)
{
	bool lower = false, upper = false, digit = false, other = false;
	size_t len = strlen(s);

	for (const char *c = s; *c; c++) {
		unsigned char u = (unsigned char)*c;

		if (u < ' ' || u > '~' || strchr(":,\"", u))
			return false;
		lower |= islower(u) != 0;
		upper |= isupper(u) != 0;
		digit |= isdigit(u) != 0;
		other |= !isalnum(u) && u != '_';
	}
	return len >= 8 && len <= 32 && lower && upper && digit && other;
}

const char *pki_handle(const char *id)
{
	static const char mark[] = "Handle: ";
	const char *at = strstr(id, mark);

	return at ? at + sizeof(mark) - 1 : id;
}
