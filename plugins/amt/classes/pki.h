/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates and keys as the firmware takes and gives them: pure, no I/O. */
#ifndef POWERCTL_AMT_PKI_H
#define POWERCTL_AMT_PKI_H

#include <openssl/types.h>
#include <powerctl/buf.h>
#include <powerctl/value.h>

/* A certificate in base64 of DER, for X509_free(); NULL: it is none, or very large. */
X509 *pki_decode(const char *base64);

/* Adds expires (RFC 3339) and fingerprint (SHA-256, hexadecimal) of a certificate in base64 of DER,
 * and subject and issuer if they are not there. What is no certificate adds nothing. */
void pki_describe(const char *base64, struct pctl_value *map);

/*
 * PEM or DER into base64 of DER in out. *ret_root: it signed itself, and may sign others.
 * PCTL_E_CONFIG: it is no certificate.
 */
int pki_certificate(
	const char *data, size_t len, struct pctl_buf *out, bool *ret_root, struct pctl_error *err);

/* The RSA key inside of a certificate in base64 of DER as AMT_PublicPrivateKeyPair.DERKey has it:
 * base64 of PKCS#1. False: there is none. */
bool pki_public_key(const char *base64, struct pctl_buf *out);

/* A private key in PEM into base64 of PKCS#1, and its public half as above. PCTL_E_CONFIG: it is
 * none, or not RSA. */
int pki_private_key(const char *data, size_t len, struct pctl_buf *out, struct pctl_buf *ret_public,
	struct pctl_error *err);

/* The base64 of the 16 bytes MD5(user:realm:password), which is how an account's password is set.
 * False: this host has no MD5. */
bool pki_digest_password(
	const char *user, const char *realm, const char *password, struct pctl_buf *out);
#define PKI_NO_DIGEST "the password could not be made a Digest: there is no MD5 on this host"

/* Whether the firmware takes a password: 8 to 32 characters of four kinds, and not : , " */
bool pki_is_strong(const char *password);
#define PKI_STRONG                                                                              \
	"the firmware wants 8 to 32 characters with a lower and an upper case letter, a digit " \
	"and a sign like ! or #, and none of : , \""

/* The InstanceID of a certificate, in front of its handle. */
#define PKI_CERTIFICATE "Intel(r) AMT Certificate: Handle: "
#define PKI_KEY         "Intel(r) AMT Key: Handle: "
/* The n of "Intel(r) AMT Certificate: Handle: n"; the whole text where it has none. */
const char *pki_handle(const char *id);

#endif
