/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <powerctl/mem.h>

/* --- Who vouches. ----------------------------------------------------------------------------- */

/* One per file and engine: reading the system's takes tens of milliseconds. */
struct tls_store {
	char *file; /* NULL: the system's */
	X509_STORE *store;
	struct tls_store *next;
};

static X509_STORE *load(const char *file)
{
	X509_STORE *store = X509_STORE_new();

	if (!store)
		return NULL;
	int ok = file ? X509_STORE_load_file(store, file) : X509_STORE_set_default_paths(store);
	if (ok == 1)
		return store;
	X509_STORE_free(store);
	return NULL;
}

static X509_STORE *find_store(struct pctl_http *http, const char *file)
{
	struct tls_store *s = http->stores;

	while (s && (file ? !s->file || strcmp(s->file, file) != 0 : s->file != NULL))
		s = s->next;
	if (s)
		return s->store;
	s = pctl_xcalloc(1, sizeof(*s));
	*s = (struct tls_store){
		.file = file ? pctl_xstrdup(file) : NULL, .store = load(file), .next = http->stores
	};
	http->stores = s;
	return s->store;
}

void tls_stores_free(struct tls_store *stores)
{
	while (stores) {
		struct tls_store *next = stores->next;
		X509_STORE_free(stores->store);
		free(stores->file);
		free(stores);
		stores = next;
	}
}

static bool set_name(X509_VERIFY_PARAM *param, const char *host)
{
	return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1 ||
	       X509_VERIFY_PARAM_set1_host(param, host, 0) == 1;
}

/* The chain ends at a CA we know, and the certificate is for the name we asked for. */
static bool ca_vouches(const struct tls_peer *peer, X509 *leaf, STACK_OF(X509) * untrusted)
{
	X509_STORE *store = find_store(peer->http, peer->ca_file);
	X509_STORE_CTX *ctx = X509_STORE_CTX_new();
	bool ok = store && ctx && X509_STORE_CTX_init(ctx, store, leaf, untrusted) == 1 &&
		  X509_STORE_CTX_set_default(ctx, "ssl_server") == 1;

	if (ok) {
		X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
		X509_VERIFY_PARAM_set_auth_level(param, peer->legacy ? 0 : 1);
		ok = set_name(param, pctl_device_host(peer->device)) && X509_verify_cert(ctx) == 1;
	}
	X509_STORE_CTX_free(ctx);
	return ok;
}

/* --- Whom we remember. ------------------------------------------------------------------------ */

static bool fingerprint(const X509 *leaf, char hex[65])
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned int len = 0;

	if (X509_digest(leaf, EVP_sha256(), sum, &len) != 1 || len != 32)
		return false;
	digest_hex(sum, len, hex);
	return true;
}

int tls_verify(const struct tls_peer *peer, X509_STORE_CTX *ctx, struct pctl_error *err)
{
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
	char hex[65];
	bool ok = false;

	if (!leaf || !fingerprint(leaf, hex))
		pctl_error_set(err, PCTL_E_TRUST, "its certificate cannot be read");
	else
		ok = ca_vouches(peer, leaf, X509_STORE_CTX_get0_untrusted(ctx)) ||
		     pctl_pin_check(peer->device, "tls", hex, err) == 0;
	X509_STORE_CTX_set_error(ctx, ok ? X509_V_OK : X509_V_ERR_CERT_REJECTED);
	return ok;
}

static bool seconds_of(const ASN1_TIME *time, int64_t *ret)
{
	struct tm tm = { 0 };

	if (!time || ASN1_TIME_to_tm(time, &tm) != 1)
		return false;
	*ret = (int64_t)timegm(&tm);
	return true;
}

static void note_validity(struct pctl_http_session *session, const X509 *leaf)
{
	session->certified = leaf && seconds_of(X509_get0_notBefore(leaf), &session->not_before) &&
			     seconds_of(X509_get0_notAfter(leaf), &session->not_after);
}

bool pctl_http_certificate(
	const struct pctl_http_session *session, int64_t *ret_not_before, int64_t *ret_not_after)
{
	if (!session->certified)
		return false;
	*ret_not_before = session->not_before;
	*ret_not_after = session->not_after;
	return true;
}

/* The reason goes to the exchange, past libcurl. */
static int verify(X509_STORE_CTX *ctx, void *data)
{
	struct exchange *ex = data;
	struct pctl_http_session *session = ex->session;
	const struct tls_peer peer = { .http = ex->http,
		.device = session->device,
		.ca_file = session->ca_file,
		.legacy = session->legacy_tls };

	note_validity(session, X509_STORE_CTX_get0_cert(ctx));
	return tls_verify(&peer, ctx, &ex->err);
}

/* The session outlives its connections; an exchange does not. */
static int on_asked(SSL *ssl, void *data)
{
	struct pctl_http_session *session = data;

	(void)ssl;
	session->asked = true;
	return 1;
}

/* --- libcurl. --------------------------------------------------------------------------------- */

static CURLcode on_context(CURL *easy, void *ssl_ctx, void *data)
{
	struct exchange *ex = data;
	SSL_CTX *ctx = ssl_ctx;

	(void)easy;
	/* The first that is heard of a connection which is about to speak TLS. */
	ex->turn.handshake = true;
	if (!ex->session->wire || wire_ready(ex->session->wire) < 0)
		return CURLE_ABORTED_BY_CALLBACK;
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ctx, verify, ex);
	ex->session->asked = false;
	SSL_CTX_set_cert_cb(ctx, on_asked, ex->session);
	/* Else a later handshake would be verified for an exchange that has ended. */
	SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION);
	if (!ex->session->legacy_tls)
		return CURLE_OK;
	SSL_CTX_set_options(ctx, TLS_LEGACY_OPTIONS);
	return CURLE_OK;
}

int tls_set_up(struct exchange *ex)
{
	const struct pctl_http_session *session = ex->session;
	CURL *easy = ex->easy;

	/* verify() does both, and more: libcurl would read the system's CAs for each device. */
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_ENABLE_ALPN, session->http2 ? 1L : 0L);
	if (session->http2)
		curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
	/* libcurl finds sessions by name and port, which two devices may share behind tunnels. */
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION,
		session->legacy_tls ? (long)CURL_SSLVERSION_TLSv1_0
				    : (long)CURL_SSLVERSION_TLSv1_2);
	/* AMT up to 11: SHA-1 signatures, 2047-bit keys, no secure renegotiation. */
	if (session->legacy_tls)
		curl_easy_setopt(easy, CURLOPT_SSL_CIPHER_LIST, TLS_LEGACY_CIPHERS);
	curl_easy_setopt(easy, CURLOPT_SSLCERT, session->client_cert);
	curl_easy_setopt(easy, CURLOPT_SSLKEY, session->client_key);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, ex);
	/* Fails where libcurl was built without OpenSSL: then nothing would be verified. */
	if (curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context) != CURLE_OK)
		return pctl_error_set(&ex->err, PCTL_E_UNSUPPORTED,
			"this libcurl was not built with OpenSSL, so certificates cannot be "
			"checked");
	return 0;
}

/* Words of OpenSSL where the other end speaks something else. */
static const char *const no_tls[] = { "wrong version number", "http request",
	"packet length too long", NULL };

/* Alerts that are about our certificate; some only where one was asked for. */
static const struct {
	const char *words;
	bool asked;
} certificate_alerts[] = {
	{ "alert certificate", false }, { "alert bad certificate", false },
	{ "alert no certificate", false }, { "alert unsupported certificate", false },
	{ "alert unknown ca", false }, { "alert access denied", true },
	{ "alert handshake failure", true }, /* before TLS 1.3: there was none */
};

static const char *const old_device[] = { "unsupported protocol", "protocol version",
	"handshake failure", "no ciphers available", "no protocols available", "legacy",
	"too small", "md too weak", "wrong signature", "unexpected eof", "SSL_ERROR_SYSCALL",
	"insufficient security", "digital envelope", NULL };

static bool holds_any(const char *words, const char *const *of)
{
	while (*of && !strstr(words, *of))
		of++;
	return *of;
}

static bool is_about_certificate(const char *words, bool asked)
{
	for (size_t i = 0; i < sizeof(certificate_alerts) / sizeof(*certificate_alerts); i++)
		if (strstr(words, certificate_alerts[i].words) &&
			(asked || !certificate_alerts[i].asked))
			return true;
	return false;
}

/* "tlsv13 alert certificate required, errno 0": what stands behind the word alert. */
static void name_alert(const char *words, char *ret, size_t size)
{
	static const char alert[] = " alert ";
	const char *at = strstr(words, alert);

	at = at ? at + sizeof(alert) - 1 : words;
	(void)snprintf(ret, size, "%.*s", (int)strcspn(at, ",:"), at);
}

/* Neither says anything of a user or a password. */
static int certificate_refused(
	const char *alert, const struct tls_talk *talk, struct pctl_error *ret)
{
	if (talk->certified)
		pctl_error_set(ret, PCTL_E_TRUST,
			"it does not take our certificate (%s): it has to trust who signed it; see "
			"client_cert and client_key",
			alert);
	else
		pctl_error_set(ret, PCTL_E_TRUST,
			"it wants a certificate from us (%s): set client_cert and client_key",
			alert);
	return pctl_error_flag(ret, PCTL_ERROR_OURS);
}

static int failed_handshake(const char *words, const struct tls_talk *talk, struct pctl_error *ret)
{
	const char *said = strrchr(words, ':'), *mend = "";
	bool cut = strstr(words, "SYSCALL") || strstr(words, "unexpected eof");

	said = cut ? "connection closed" : said ? said + 1 : words;
	if (cut && talk->asked)
		mend = talk->certified ? "; it had asked for a certificate: see client_cert"
				       : "; it had asked for a certificate: set client_cert and "
					 "client_key";
	else if (!talk->legacy && holds_any(words, old_device))
		mend = "; an old device may need legacy_tls: true";
	pctl_error_set(ret, cut ? PCTL_E_UNREACHABLE : PCTL_E_PROTOCOL,
		"TLS handshake failed: %s%s", said, mend);
	return pctl_error_flag(ret, cut ? PCTL_ERROR_DROPPED : 0);
}

int tls_said(const char *words, const struct tls_talk *talk, struct pctl_error *ret)
{
	char alert[64];

	name_alert(words, alert, sizeof(alert));
	if (holds_any(words, no_tls))
		return pctl_error_set(ret, PCTL_E_PROTOCOL,
			"it does not speak TLS on this port (plain HTTP?); if that is meant, set "
			"tls: false");
	if (is_about_certificate(words, talk->asked))
		return certificate_refused(alert, talk, ret);
	if (talk->handshake)
		return failed_handshake(words, talk, ret);
	if (!strstr(words, " alert "))
		return 0;
	return pctl_error_set(ret, PCTL_E_PROTOCOL, "it ended TLS after the handshake: %s", alert);
}

/* libcurl has one text for this alert and for what verify() refuses, which is told before this. */
static const char *words_of(const struct exchange *ex)
{
	return strstr(ex->curl_text, "certificate verification failed")
		       ? "tlsv1 alert certificate expired"
		       : ex->curl_text;
}

int tls_error(const struct exchange *ex, struct pctl_error *ret)
{
	if (ex->turn.result == CURLE_SSL_CERTPROBLEM)
		return pctl_error_set(
			ret, PCTL_E_CONFIG, "client_cert or client_key: %s", ex->curl_text);
	if (!ex->turn.handshake || ex->turn.received)
		return 0;
	/* In TLS 1.3 a refusal of our certificate follows the handshake. */
	const struct tls_talk talk = { .handshake = !ex->turn.sent,
		.legacy = ex->session->legacy_tls,
		.certified = ex->session->client_cert,
		.asked = ex->session->asked };
	return tls_said(words_of(ex), &talk, ret);
}
