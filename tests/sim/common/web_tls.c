/* SPDX-License-Identifier: Apache-2.0 */
#include "web_tls.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "web.h"

enum { KEY_BITS = 2048 };

struct web_tls {
	SSL *ssl;
	BIO *in;
	BIO *out;
};

static const struct {
	const char *name;
	int version;
} versions[] = {
	{ "1.0", TLS1_VERSION },
	{ "1.1", TLS1_1_VERSION },
	{ "1.2", TLS1_2_VERSION },
	{ "1.3", TLS1_3_VERSION },
};

static int complain(const struct web *web, const char *what, const char *name)
{
	fprintf(stderr, "%s: %s%s\n", web->program, what, name);
	return -1;
}

static int set_versions(struct web *web)
{
	const struct web_options *o = web->options;
	const char *max = o->tls_max ? o->tls_max : o->old_tls ? "1.1" : NULL;
	bool old = o->old_tls || (max && max[2] < '2');

	if (old) {
		SSL_CTX_set_security_level(web->tls, 0);
		SSL_CTX_set_min_proto_version(web->tls, TLS1_VERSION);
		SSL_CTX_set_options(web->tls, SSL_OP_LEGACY_SERVER_CONNECT);
	}
	if (o->old_tls)
		SSL_CTX_set_cipher_list(web->tls, "AES256-SHA:AES128-SHA");
	if (!max)
		return 0;
	for (size_t i = 0; i < COUNT(versions); i++)
		if (strcmp(versions[i].name, max) == 0)
			return SSL_CTX_set_max_proto_version(web->tls, versions[i].version) ? 0
											    : -1;
	return complain(web, "--tls-max is 1.0, 1.1, 1.2 or 1.3, not ", max);
}

static int load_files(struct web *web)
{
	const struct web_options *o = web->options;

	if (o->cert && SSL_CTX_use_certificate_chain_file(web->tls, o->cert) != 1)
		return complain(web, "cannot use the certificate in ", o->cert);
	if (o->key && SSL_CTX_use_PrivateKey_file(web->tls, o->key, SSL_FILETYPE_PEM) != 1)
		return complain(web, "cannot use the key in ", o->key);
	if (!o->client_ca)
		return 0;
	if (SSL_CTX_load_verify_locations(web->tls, o->client_ca, NULL) != 1)
		return complain(web, "cannot read ", o->client_ca);
	SSL_CTX_set_client_CA_list(web->tls, SSL_load_client_CA_file(o->client_ca));
	SSL_CTX_set_verify(web->tls, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return 0;
}

int tls_setup(struct web *web)
{
	web->tls = SSL_CTX_new(TLS_server_method());
	if (!web->tls)
		return complain(web, "no TLS", "");
	SSL_CTX_set_mode(web->tls, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(web->tls, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_options(web->tls, SSL_OP_NO_TICKET);
	if (set_versions(web) < 0)
		return -1;
	return load_files(web);
}

void tls_teardown(struct web *web)
{
	SSL_CTX_free(web->tls);
	EVP_PKEY_free(web->key);
	web->tls = NULL;
	web->key = NULL;
}

void tls_forget_certificate(struct web_device *dev)
{
	X509_free(dev->cert);
	dev->cert = NULL;
}

void tls_new_certificate(struct web_device *dev)
{
	X509_free(dev->cert);
	EVP_PKEY_free(dev->key);
	dev->cert = NULL;
	dev->key = NULL;
	dev->cert_epoch++;
}

/* One key for all, made when it is first needed; a device that changed its own has another. */
static EVP_PKEY *key_of(struct web_device *dev)
{
	EVP_PKEY **key = dev->cert_epoch ? &dev->key : &dev->web->key;

	if (!*key)
		*key = EVP_RSA_gen(KEY_BITS);
	return *key;
}

static void name_certificate(const struct web_device *dev, X509 *cert)
{
	X509_NAME *name = X509_get_subject_name(cert);
	char text[INET6_ADDRSTRLEN] = "", alt[64];
	X509_EXTENSION *ext;

	uv_ip_name((const struct sockaddr *)&dev->address, text, sizeof(text));
	snprintf(alt, sizeof(alt), "IP:%s", text);
	X509_NAME_add_entry_by_txt(
		name, "CN", MBSTRING_ASC, (const unsigned char *)text, -1, -1, 0);
	X509_NAME_add_entry_by_txt(
		name, "O", MBSTRING_ASC, (const unsigned char *)dev->web->organization, -1, -1, 0);
	X509_set_issuer_name(cert, name);
	ext = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alt);
	if (ext)
		X509_add_ext(cert, ext, -1);
	X509_EXTENSION_free(ext);
}

static X509 *make_certificate(struct web_device *dev)
{
	EVP_PKEY *key = key_of(dev);
	X509 *cert = X509_new();

	if (!key || !cert)
		abort();
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set_uint64(
		X509_get_serialNumber(cert), (uint64_t)dev->n << 16 | dev->cert_epoch);
	X509_gmtime_adj(
		X509_getm_notBefore(cert), -86400 + (dev->cert_ends < 0 ? dev->cert_ends : 0));
	X509_gmtime_adj(X509_getm_notAfter(cert), dev->cert_ends ? dev->cert_ends : 3650L * 86400);
	X509_set_pubkey(cert, key);
	name_certificate(dev, cert);
	X509_sign(cert, key, EVP_sha256());
	return cert;
}

static void use_own_certificate(struct web_device *dev, SSL *ssl)
{
	if (!dev->cert)
		dev->cert = make_certificate(dev);
	SSL_use_certificate(ssl, dev->cert);
	SSL_use_PrivateKey(ssl, key_of(dev));
}

struct web_tls *tls_new(struct web_device *dev)
{
	struct web_tls *tls = xcalloc(1, sizeof(*tls));

	tls->ssl = SSL_new(dev->web->tls);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->ssl || !tls->in || !tls->out)
		abort();
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_accept_state(tls->ssl);
	if (!(dev->web->dress && dev->web->dress(dev->dev, tls->ssl)) && !dev->web->options->cert)
		use_own_certificate(dev, tls->ssl);
	return tls;
}

void tls_free(struct web_tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

static void flush(struct web_tls *tls, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(tls->out, &p);

	if (n > 0)
		buf_add(out, p, (size_t)n);
	BIO_reset(tls->out);
}

enum tls_result tls_feed(
	struct web_tls *tls, const char *p, size_t n, struct buf *in, struct buf *out)
{
	char plain[16 * 1024];
	int got;

	ERR_clear_error();
	BIO_write(tls->in, p, (int)n);
	while ((got = SSL_read(tls->ssl, plain, sizeof(plain))) > 0)
		buf_add(in, plain, (size_t)got);

	int error = SSL_get_error(tls->ssl, got);

	flush(tls, out);
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return TLS_OPEN;
	return SSL_is_init_finished(tls->ssl) ? TLS_ENDED : TLS_FAILED;
}

void tls_write(struct web_tls *tls, const char *p, size_t n, struct buf *out)
{
	if (n)
		SSL_write(tls->ssl, p, (int)n);
	flush(tls, out);
}

void tls_close(struct web_tls *tls, struct buf *out)
{
	SSL_shutdown(tls->ssl);
	flush(tls, out);
}
