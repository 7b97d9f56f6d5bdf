/* SPDX-License-Identifier: Apache-2.0 */
#include "url_check.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <powerctl/mem.h>

#include "boot_image.h"
#include "classes/pki.h"

/* What was found to be good holds for the machines of the same command. */
#define KEPT_MS    30000u
#define CONNECT_MS 5000L
#define TOTAL_MS   12000L

#define ELSEWHERE \
	"; --no-url-check leaves this check out, for what only the machine's network reaches"

struct url_check {
	struct amt *amt;
	struct url_check *next;
	struct url_waiter *waiters;
	uv_work_t work;
	bool under_way;
	uint64_t ended; /* when, in the loop's time */
	atomic_bool given_up;

	/* Its own copies, which only the worker touches while it is under way. */
	char *url, *server_name, *server_hash, *user, *roots;
	struct pctl_secret *password;
	bool secure_boot;
	unsigned n_roots;
	unsigned char *head; /* BOOT_IMAGE_HEAD bytes, while it is under way */
	size_t len;
	char issuer[160], curl_text[CURL_ERROR_SIZE];
	struct pctl_error err; /* what came of it */
};

/* --- Trust, as the machine will see it. ------------------------------------------------------- */

static X509_STORE *make_store(struct url_check *c)
{
	X509_STORE *store = X509_STORE_new();
	const char *at = c->roots;

	c->n_roots = 0;
	while (store && *at) {
		size_t len = strcspn(at, "\n");
		char *base64 = pctl_xstrndup(at, len);
		X509 *x = pki_decode(base64);

		if (x && X509_STORE_add_cert(store, x) == 1)
			c->n_roots++;
		X509_free(x);
		free(base64);
		at += len + (at[len] == '\n');
	}
	/* As the UEFI reference does: what the machine was given to trust need not be a root. */
	if (store)
		(void)X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
	return store;
}

static bool has_hash(const X509 *leaf, const char *hex)
{
	unsigned char want[RECOVERY_MAX_HASH], is[EVP_MAX_MD_SIZE];
	size_t n = recovery_hash(hex, want);
	const EVP_MD *md = n == 32 ? EVP_sha256() : n == 48 ? EVP_sha384() : EVP_sha512();
	unsigned len = 0;

	return n && X509_digest(leaf, md, is, &len) == 1 && len == n && memcmp(want, is, n) == 0;
}

/* .x: any name that ends with it. */
static bool has_name(X509 *leaf, const char *name)
{
	return X509_check_host(leaf, name, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

static bool has_host(X509 *leaf, const char *url)
{
	const char *host = strstr(url, "://") + 3;
	bool bracket = *host == '[';
	size_t len = bracket ? strcspn(++host, "]") : strcspn(host, ":/?");
	char *name = pctl_xstrndup(host, len);
	bool ok = X509_check_ip_asc(leaf, name, 0) == 1 || has_name(leaf, name);

	free(name);
	return ok;
}

static int distrust(struct url_check *c, const char *why)
{
	return pctl_error_set(&c->err, PCTL_E_REFUSED, "--url: %s", why);
}

static int check_leaf(struct url_check *c, X509 *leaf)
{
	if (c->server_hash && !has_hash(leaf, c->server_hash))
		return distrust(c, "the server's certificate is not the one of boot_server_hash");
	if (c->server_name && !has_name(leaf, c->server_name))
		return distrust(c, "the server's certificate is not for the name of "
				   "boot_server_name");
	if (!c->server_name && !has_host(leaf, c->url))
		return distrust(c, "the server's certificate is for another name than the URL's");
	return 0;
}

static int check_chain(struct url_check *c, X509 *leaf, long verdict)
{
	if (verdict == X509_V_OK)
		return check_leaf(c, leaf);
	(void)X509_NAME_oneline(X509_get_issuer_name(leaf), c->issuer, sizeof(c->issuer));
	if (verdict == X509_V_ERR_CERT_HAS_EXPIRED || verdict == X509_V_ERR_CERT_NOT_YET_VALID)
		return distrust(c, "the server's certificate is not valid today");
	return pctl_error_set(&c->err, PCTL_E_REFUSED,
		"--url: the machine would not trust the server's certificate, issued by '%s': none "
		"of its %u root certificates vouches for it (%s); `powerctl amt certs add=FILE "
		"NODE` gives it one",
		c->issuer, c->n_roots, X509_verify_cert_error_string(verdict));
}

/* In place of OpenSSL's own: 1 accepts. */
static int verify(X509_STORE_CTX *ctx, void *data)
{
	struct url_check *c = data;
	X509 *leaf = X509_STORE_CTX_get0_cert(ctx);
	bool ok = X509_verify_cert(ctx) == 1;

	if (!leaf)
		(void)distrust(c, "the server has no certificate");
	else
		ok = check_chain(c, leaf, ok ? X509_V_OK : X509_STORE_CTX_get_error(ctx)) == 0;
	return ok;
}

static CURLcode on_context(CURL *easy, void *ssl_ctx, void *data)
{
	struct url_check *c = data;
	X509_STORE *store = make_store(c);

	(void)easy;
	if (!store)
		return CURLE_OUT_OF_MEMORY;
	SSL_CTX_set_cert_store(ssl_ctx, store);
	SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_cert_verify_callback(ssl_ctx, verify, c);
	return CURLE_OK;
}

/* --- The request. ----------------------------------------------------------------------------- */

/* Enough is enough, whether or not the server knows of ranges. */
static size_t on_body(char *part, size_t size, size_t n, void *data)
{
	struct url_check *c = data;
	size_t len = size * n, room = BOOT_IMAGE_HEAD - c->len;

	memcpy(c->head + c->len, part, len < room ? len : room);
	c->len += len < room ? len : room;
	return len < room ? len : 0;
}

static int on_progress(
	void *data, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up)
{
	struct url_check *c = data;

	(void)total, (void)now, (void)up_total, (void)up;
	return atomic_load(&c->given_up);
}

static const struct {
	CURLoption option;
	long value;
} constants[] = {
	{ CURLOPT_NOSIGNAL, 1 },
	{ CURLOPT_NOPROGRESS, 0 },
	{ CURLOPT_FOLLOWLOCATION, 0 }, /* firmware does not */
	{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
	{ CURLOPT_PATH_AS_IS, 1 },
	{ CURLOPT_CONNECTTIMEOUT_MS, CONNECT_MS },
	{ CURLOPT_TIMEOUT_MS, TOTAL_MS },
	{ CURLOPT_SSL_VERIFYPEER, 0 }, /* verify() does both, and more */
	{ CURLOPT_SSL_VERIFYHOST, 0 },
	{ CURLOPT_HTTPAUTH, CURLAUTH_DIGEST },
};

static bool set_up(struct url_check *c, CURL *easy)
{
	char range[32];

	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		curl_easy_setopt(easy, constants[i].option, constants[i].value);
	(void)snprintf(range, sizeof(range), "0-%u", BOOT_IMAGE_HEAD - 1);
	curl_easy_setopt(easy, CURLOPT_URL, c->url);
	curl_easy_setopt(easy, CURLOPT_RANGE, range);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, c->curl_text);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
	curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(easy, CURLOPT_XFERINFODATA, c);
	if (c->user) {
		curl_easy_setopt(easy, CURLOPT_USERNAME, c->user);
		curl_easy_setopt(easy, CURLOPT_PASSWORD, pctl_secret_data(c->password));
	}
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, c);
	/* Fails where libcurl was built without OpenSSL: then nothing would be verified. */
	return curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context) == CURLE_OK;
}

static void check_answer(struct url_check *c, CURL *easy)
{
	const char *type = NULL;
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(easy, CURLINFO_CONTENT_TYPE, &type);
	if (status == 401 || status == 407)
		(void)pctl_error_set(&c->err, PCTL_E_REFUSED,
			"--url: the server wants %s (HTTP %ld), by Digest",
			c->user ? "another login than boot_user and boot_password"
				: "a login: boot_user and boot_password",
			status);
	else if (status >= 300 && status < 400)
		(void)pctl_error_set(&c->err, PCTL_E_REFUSED,
			"--url: the server points elsewhere (HTTP %ld), and firmware does not "
			"follow",
			status);
	else if (status != 200 && status != 206)
		(void)pctl_error_set(&c->err, PCTL_E_REFUSED,
			"--url: the server does not give this file (HTTP %ld)", status);
	else
		(void)boot_image_check(&(const struct boot_image){ .url = c->url,
					       .content_type = type ? type : "",
					       .head = c->head,
					       .len = c->len,
					       .secure_boot = c->secure_boot },
			&c->err);
}

static void check_outcome(struct url_check *c, CURL *easy, CURLcode result)
{
	const char *text = *c->curl_text ? c->curl_text : curl_easy_strerror(result);

	/* A head that is full ends the transfer, and that is no failure. */
	if (c->err.code)
		return;
	if (result == CURLE_OK || (result == CURLE_WRITE_ERROR && c->len == BOOT_IMAGE_HEAD))
		check_answer(c, easy);
	else
		(void)pctl_error_set(&c->err, PCTL_E_CONFIG,
			"--url: this computer cannot load it: %.160s" ELSEWHERE, text);
}

static void fetch(uv_work_t *work)
{
	struct url_check *c = work->data;
	CURL *easy = curl_easy_init();

	if (!easy || !set_up(c, easy))
		(void)pctl_error_set(&c->err, PCTL_E_UNSUPPORTED,
			"this libcurl was not built with OpenSSL, so certificates cannot be "
			"checked");
	else
		check_outcome(c, easy, curl_easy_perform(easy));
	curl_easy_cleanup(easy);
	OPENSSL_thread_stop(); /* the worker stays, with what OpenSSL keeps for it */
}

/* --- Who waits. ------------------------------------------------------------------------------- */

static char *copy(const char *s)
{
	return s ? pctl_xstrdup(s) : NULL;
}

static void release(struct url_check *c)
{
	struct url_check **at = &c->amt->url_checks;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c->url);
	free(c->server_name);
	free(c->server_hash);
	free(c->user);
	free(c->roots);
	free(c->head);
	pctl_secret_free(c->password);
	free(c);
}

static void check_stopped(struct amt *amt)
{
	void (*stopped)(struct amt * amt) = amt->url_checks_stopped;

	if (!stopped || amt->url_checks)
		return;
	amt->url_checks_stopped = NULL;
	stopped(amt);
}

static void tell(struct url_check *c)
{
	while (c->waiters) {
		struct url_waiter *w = c->waiters;

		c->waiters = w->next;
		w->check = NULL;
		w->done(w, c->err.code ? &c->err : NULL);
	}
}

static void fetched(uv_work_t *work, int status)
{
	struct url_check *c = work->data;
	struct amt *amt = c->amt;

	c->under_way = false;
	if (c->head)
		c->ended = uv_now(amt->loop);
	free(c->head);
	c->head = NULL;
	if (status < 0 && !c->err.code)
		(void)pctl_error_set(&c->err, PCTL_E_CANCELED, "interrupted");
	if (!atomic_load(&c->given_up)) {
		/* What was wrong may be mended by the next time. */
		bool keep = !c->err.code;

		atomic_store(&c->given_up, !keep);
		tell(c);
		if (keep && !amt->url_checks_stopped)
			return;
	}
	release(c);
	check_stopped(amt);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_secret(const struct pctl_secret *a, const struct pctl_secret *b)
{
	if (!a || !b)
		return a == b;
	return pctl_secret_len(a) == pctl_secret_len(b) &&
	       memcmp(pctl_secret_data(a), pctl_secret_data(b), pctl_secret_len(a)) == 0;
}

static bool is_for(const struct url_check *c, const struct url_check_wish *w)
{
	return c->secure_boot == w->secure_boot && same_text(c->url, w->what.url) &&
	       same_text(c->roots, w->roots) && same_text(c->server_name, w->what.server_name) &&
	       same_text(c->server_hash, w->what.server_hash) && same_text(c->user, w->what.user) &&
	       same_secret(c->password, w->what.password);
}

static bool is_old(const struct url_check *c)
{
	return !c->under_way && uv_now(c->amt->loop) - c->ended >= KEPT_MS;
}

static struct url_check *find(struct amt *amt, const struct url_check_wish *wish)
{
	struct url_check *c = amt->url_checks, *next;

	for (; c; c = next) {
		next = c->next;
		if (is_old(c))
			release(c);
		else if (!atomic_load(&c->given_up) && is_for(c, wish))
			return c;
	}
	return NULL;
}

static struct url_check *make(struct amt *amt, const struct url_check_wish *wish)
{
	struct url_check *c = pctl_xcalloc(1, sizeof(*c));

	c->amt = amt;
	c->secure_boot = wish->secure_boot;
	c->url = copy(wish->what.url);
	c->server_name = copy(wish->what.server_name);
	c->server_hash = copy(wish->what.server_hash);
	c->user = copy(wish->what.user);
	c->password = wish->what.password ? pctl_secret_copy(wish->what.password) : NULL;
	c->roots = copy(wish->roots);
	c->next = amt->url_checks;
	amt->url_checks = c;
	return c;
}

static void nothing(uv_work_t *work)
{
	(void)work;
}

/* One that has ended is asked for what it found by the same way, so that done() comes later. */
static void start(struct url_check *c, uv_work_cb run)
{
	c->work.data = c;
	c->under_way = true;
	if (uv_queue_work(c->amt->loop, &c->work, run, fetched) < 0)
		abort();
}

void url_check_begin(struct amt *amt, const struct url_check_wish *wish, struct url_waiter *waiter)
{
	struct url_check *c = find(amt, wish);
	bool is_new = !c;

	if (is_new)
		c = make(amt, wish);
	waiter->check = c;
	waiter->next = c->waiters;
	c->waiters = waiter;
	if (is_new)
		c->head = pctl_xmalloc(BOOT_IMAGE_HEAD);
	if (!c->under_way)
		start(c, is_new ? fetch : nothing);
}

void url_check_leave(struct url_waiter *waiter)
{
	struct url_check *c = waiter->check;

	if (!c)
		return;
	struct url_waiter **at = &c->waiters;
	while (*at != waiter)
		at = &(*at)->next;
	*at = waiter->next;
	waiter->check = NULL;
	if (c->waiters)
		return;
	atomic_store(&c->given_up, true);
	(void)uv_cancel((uv_req_t *)&c->work);
}

void url_checks_stop(struct amt *amt, void (*stopped)(struct amt *amt))
{
	struct url_check *next;

	amt->url_checks_stopped = stopped;
	for (struct url_check *c = amt->url_checks; c; c = next) {
		next = c->next;
		if (!c->under_way)
			release(c);
	}
	check_stopped(amt);
}
