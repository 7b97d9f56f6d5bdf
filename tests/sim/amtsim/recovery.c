/* SPDX-License-Identifier: Apache-2.0 */
#include "recovery.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "security.h"
#include "sim.h"

enum {
	TYPE_URL = 1,
	TYPE_PATH = 2,
	TYPE_PATH_LENGTH = 3,
	TYPE_IMAGE_HASH = 4,
	TYPE_ROOTS = 20,
	TYPE_SERVER_NAME = 21,
	TYPE_NAME_METHOD = 22,
	TYPE_SERVER_HASH = 23,
	TYPE_USER = 40,
	TYPE_PASSWORD = 41,
	METHOD_SUFFIX = 2,
	VENDOR = 0x8086,
	SERVICE_OFF = 32768,
	SERVICE_ERASE_ONLY = 32770,
};

/* What the event log calls them: OEM error AA 30 n, OEM progress AA 30 n option. */
enum outcome {
	OUTCOME_NONE,
	OUTCOME_NETWORK,
	OUTCOME_NAME,
	OUTCOME_CONNECT,
	OUTCOME_LOCAL,
	OUTCOME_TLS,
	OUTCOME_LOGIN,
	OUTCOME_IMAGE,
	OUTCOME_FILE,
	OUTCOME_STARTED,
};
static const char *const outcome_words[] = { "none", "no network", "name", "connect", "local",
	"certificate", "login", "image", "file", "started" };
enum step { STEP_PARAMETERS, STEP_OPTION, STEP_NAME, STEP_CONNECTED, STEP_LOADED, STEP_STARTED };
enum { OPTION_HTTPS = 2, OPTION_LOCAL = 4, OPTION_WINDOWS = 8 };

/* --- Parameters. ------------------------------------------------------------------------------ */

/* How long each may be. */
static const struct {
	unsigned type, least, most;
} known[] = {
	{ TYPE_URL, 1, RECOVERY_URL_MAX },
	{ TYPE_PATH, 1, RECOVERY_URL_MAX },
	{ TYPE_PATH_LENGTH, 2, 2 },
	{ TYPE_IMAGE_HASH, 32, 32 },
	{ TYPE_IMAGE_HASH + 1, 48, 48 },
	{ TYPE_IMAGE_HASH + 2, 64, 64 },
	{ 10, 1, 50 },
	{ TYPE_ROOTS, 1, 1 },
	{ TYPE_SERVER_NAME, 1, 256 },
	{ TYPE_NAME_METHOD, 2, 2 },
	{ TYPE_SERVER_HASH, 32, 32 },
	{ TYPE_SERVER_HASH + 1, 48, 48 },
	{ TYPE_SERVER_HASH + 2, 64, 64 },
	{ 30, 2, 2 },
	{ TYPE_USER, 1, 16 },
	{ TYPE_PASSWORD, 1, 16 },
};

static bool lawful(unsigned vendor, unsigned type, unsigned len)
{
	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].type == type)
			return vendor == VENDOR && len >= known[i].least && len <= known[i].most;
	return false;
}

bool recovery_parse(struct str base64, struct recovery *r)
{
	int n = base64_decode(base64, r->bytes, sizeof(r->bytes));

	r->count = 0;
	memset(r->values, 0, sizeof(r->values));
	if (n < 0)
		return false;
	for (const uint8_t *p = r->bytes, *end = p + n; p < end;) {
		if (end - p < 8)
			return false;
		unsigned type = le16(p + 2), len = le32(p + 4);
		if (len > (size_t)(end - p) - 8 || !lawful(le16(p), type, len) || r->values[type].p)
			return false;
		r->values[type] = (struct str){ (const char *)p + 8, len };
		r->count++;
		p += 8 + len;
	}
	return true;
}

/* --- What a start comes to. ------------------------------------------------------------------- */

static unsigned option_of(const char *word)
{
	return strcmp(word, "http") == 0    ? OPTION_HTTPS
	       : strcmp(word, "winre") == 0 ? OPTION_WINDOWS
					    : OPTION_LOCAL;
}

/* Steps are written down only where events were asked for. */
static void tell(
	struct device *dev, enum step last, enum outcome outcome, unsigned option, bool progress)
{
	for (unsigned i = 0; progress && i <= (unsigned)last; i++) {
		bool network = i >= STEP_NAME && i <= STEP_LOADED;

		if (!network || option == OPTION_HTTPS)
			logs_note_recovery(dev, false, i, i == STEP_OPTION ? option : 0);
	}
	if (outcome != OUTCOME_STARTED)
		logs_note_recovery(dev, true, outcome, 0);
	dev->boot.last_image = outcome_words[outcome];
}

struct fetch {
	uv_work_t work;
	struct device *dev;
	struct recovery r;
	char url[RECOVERY_URL_MAX + 1];
	char host[256], port[8];
	const char *path;
	struct buf roots; /* base64 of DER, a line each */
	bool progress, secure;
	int fd;
	SSL_CTX *ctx;
	SSL *ssl;
	struct buf answer;
	char challenge[512];
	enum step step;
	enum outcome outcome;
};

/* --- Connecting. ------------------------------------------------------------------------------ */

enum { ANSWER_MAX = 4 << 20, TIMEOUT_S = 5 };

static bool split_url(struct fetch *f)
{
	const char *host = strstr(f->url, "://");

	if (!host)
		return false;
	host += 3;

	size_t len = *host == '[' ? strcspn(++host, "]") : strcspn(host, ":/?");
	const char *after = host + len + (host[len] == ']');
	size_t digits = *after == ':' ? strspn(after + 1, "0123456789") : 0;
	bool tls = strncasecmp(f->url, "https:", 6) == 0;

	if (!len || len >= sizeof(f->host) || digits >= sizeof(f->port))
		return false;
	snprintf(f->host, sizeof(f->host), "%.*s", (int)len, host);
	snprintf(f->port, sizeof(f->port), "%.*s", digits ? (int)digits : 3,
		digits ? after + 1
		: tls  ? "443"
		       : "80");
	f->path = strchr(after, '/') ? strchr(after, '/') : "/";
	return true;
}

static enum outcome reach(struct fetch *f)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const struct timeval limit = { .tv_sec = TIMEOUT_S };
	struct addrinfo *found = NULL;

	if (!split_url(f) || getaddrinfo(f->host, f->port, &hints, &found) != 0)
		return OUTCOME_NAME;
	f->step = STEP_NAME;
	for (struct addrinfo *a = found; a && f->fd < 0; a = a->ai_next) {
		f->fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (f->fd < 0)
			continue;
		setsockopt(f->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		setsockopt(f->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		if (connect(f->fd, a->ai_addr, a->ai_addrlen) < 0) {
			close(f->fd);
			f->fd = -1;
		}
	}
	freeaddrinfo(found);
	return f->fd < 0 ? OUTCOME_CONNECT : OUTCOME_NONE;
}

static void hang_up(struct fetch *f)
{
	SSL_free(f->ssl);
	SSL_CTX_free(f->ctx);
	if (f->fd >= 0)
		close(f->fd);
	f->ssl = NULL;
	f->ctx = NULL;
	f->fd = -1;
}

/* --- TLS: the UEFI reference trusts what it was given, whenever it is valid. -------------------
 */

static void trust(struct fetch *f)
{
	X509_STORE *store = SSL_CTX_get_cert_store(f->ctx);
	struct str rest = { f->roots.p, f->roots.n }, line;
	uint8_t der[8192];

	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_NO_CHECK_TIME);
	while (f->r.values[TYPE_ROOTS].p && f->r.values[TYPE_ROOTS].p[0] == 1 &&
		str_split(&rest, '\n', &line)) {
		int n = base64_decode(line, der, sizeof(der));
		const unsigned char *at = der;
		X509 *x = n > 0 ? d2i_X509(NULL, &at, n) : NULL;

		if (x)
			X509_STORE_add_cert(store, x);
		X509_free(x);
	}
}

static void expect_name(struct fetch *f)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(f->ssl);
	struct str name = f->r.values[TYPE_SERVER_NAME], how = f->r.values[TYPE_NAME_METHOD];
	char wanted[258];

	if (!name.p) {
		if (X509_VERIFY_PARAM_set1_ip_asc(param, f->host) != 1)
			X509_VERIFY_PARAM_set1_host(param, f->host, 0);
		return;
	}
	bool suffix = how.p && le16((const uint8_t *)how.p) == METHOD_SUFFIX;
	snprintf(wanted, sizeof(wanted), "%s%.*s", suffix && name.p[0] != '.' ? "." : "",
		(int)name.n, name.p);
	X509_VERIFY_PARAM_set1_host(param, wanted, 0);
}

static bool hash_is(const struct recovery *r, unsigned type, const uint8_t *p, size_t n, X509 *x)
{
	static const char *const names[] = { "SHA256", "SHA384", "SHA512" };

	for (unsigned i = 0; i < COUNT(names); i++) {
		struct str want = r->values[type + i];
		const EVP_MD *md = EVP_get_digestbyname(names[i]);
		uint8_t sum[EVP_MAX_MD_SIZE];
		unsigned len = 0;

		if (!want.p)
			continue;
		if (x ? !X509_digest(x, md, sum, &len) : !EVP_Digest(p, n, sum, &len, md, NULL))
			return false;
		if (!str_eq(want, (struct str){ (const char *)sum, len }))
			return false;
	}
	return true;
}

static enum outcome shake_hands(struct fetch *f)
{
	f->ctx = SSL_CTX_new(TLS_client_method());
	if (!f->ctx)
		abort();
	trust(f);
	SSL_CTX_set_verify(f->ctx, SSL_VERIFY_PEER, NULL);
	f->ssl = SSL_new(f->ctx);
	expect_name(f);
	SSL_set_tlsext_host_name(f->ssl, f->host);
	SSL_set_fd(f->ssl, f->fd);
	if (SSL_connect(f->ssl) != 1)
		return OUTCOME_TLS;
	X509 *leaf = SSL_get1_peer_certificate(f->ssl);
	bool ok = leaf && hash_is(&f->r, TYPE_SERVER_HASH, NULL, 0, leaf);
	X509_free(leaf);
	return ok ? OUTCOME_NONE : OUTCOME_TLS;
}

/* --- HTTP. ------------------------------------------------------------------------------------ */

static ssize_t take(struct fetch *f, char *p, size_t n)
{
	return f->ssl ? SSL_read(f->ssl, p, (int)n) : recv(f->fd, p, n, 0);
}

static void ask(struct fetch *f, const char *login)
{
	char request[2048], part[16384];
	int n = snprintf(request, sizeof(request),
		"GET %s HTTP/1.0\r\nHost: %s:%s\r\nUser-Agent: UefiHttpBoot/1.0\r\n%s\r\n", f->path,
		f->host, f->port, login);
	ssize_t got = f->ssl ? SSL_write(f->ssl, request, n)
			     : send(f->fd, request, (size_t)n, MSG_NOSIGNAL);

	buf_done(&f->answer);
	buf_init(&f->answer, ANSWER_MAX);
	while (got > 0 && !f->answer.over && (got = take(f, part, sizeof(part))) > 0)
		buf_add(&f->answer, part, (size_t)got);
}

static unsigned status_of(const struct fetch *f)
{
	const struct str s = { f->answer.p, f->answer.n };
	uint64_t n = 0;

	return s.n > 12 && parse_uint((struct str){ s.p + 9, 3 }, 999, &n) ? (unsigned)n : 0;
}

/* Where the body begins. */
static size_t head_end(const struct fetch *f)
{
	const char *end = f->answer.n ? memmem(f->answer.p, f->answer.n, "\r\n\r\n", 4) : NULL;

	return end ? (size_t)(end - f->answer.p) + 4 : f->answer.n;
}

static void header(const struct fetch *f, const char *name, char *out, size_t size)
{
	struct str rest = { f->answer.p, head_end(f) }, line;
	size_t n = strlen(name);

	*out = '\0';
	while (str_split(&rest, '\n', &line))
		if (line.n > n && line.p[n] == ':' && strncasecmp(line.p, name, n) == 0)
			(void)str_copy(str_trim((struct str){ line.p + n + 1, line.n - n - 1 }),
				out, size);
}

static void md5(char out[33], const char *format, ...) __attribute__((format(printf, 2, 3)));
static void md5(char out[33], const char *format, ...)
{
	char text[1024];
	uint8_t sum[EVP_MAX_MD_SIZE] = { 0 };
	va_list ap;

	va_start(ap, format);
	int n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	EVP_Digest(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1, sum, NULL,
		EVP_md5(), NULL);
	hex_text(sum, 16, out);
}

static void quoted(const char *challenge, const char *name, char *out, size_t size)
{
	char mark[32];

	snprintf(mark, sizeof(mark), "%s=\"", name);
	const char *at = strstr(challenge, mark);
	snprintf(out, size, "%.*s", at ? (int)strcspn(at + strlen(mark), "\"") : 0,
		at ? at + strlen(mark) : "");
}

/* Digest without qop, which every server takes. */
static bool log_in(const struct fetch *f, char *out, size_t size)
{
	struct str user = f->r.values[TYPE_USER], password = f->r.values[TYPE_PASSWORD];
	char realm[128], nonce[128], ha1[33], ha2[33], response[33];

	if (!user.p || !password.p || strncasecmp(f->challenge, "Digest ", 7) != 0)
		return false;
	quoted(f->challenge, "realm", realm, sizeof(realm));
	quoted(f->challenge, "nonce", nonce, sizeof(nonce));
	md5(ha1, "%.*s:%s:%.*s", (int)user.n, user.p, realm, (int)password.n, password.p);
	md5(ha2, "GET:%s", f->path);
	md5(response, "%s:%s:%s", ha1, nonce, ha2);
	snprintf(out, size,
		"Authorization: Digest username=\"%.*s\", realm=\"%s\", nonce=\"%s\", "
		"uri=\"%s\", response=\"%s\"\r\n",
		(int)user.n, user.p, realm, nonce, f->path, response);
	return true;
}

/* --- The image. ------------------------------------------------------------------------------- */

static bool ends(const struct fetch *f, const char *type, const char *wanted, const char *end)
{
	size_t len = strcspn(f->path, "?"), n = strlen(end);

	return strcasecmp(type, wanted) == 0 ||
	       (len > n && strncasecmp(f->path + len - n, end, n) == 0);
}

/* MZ, PE, and with Secure Boot a table of signatures. */
static bool is_application(const uint8_t *p, size_t n, bool secure)
{
	size_t at = n > 64 && memcmp(p, "MZ", 2) == 0 ? le32(p + 60) : n;

	if (at > n || n - at < 176 || memcmp(p + at, "PE\0\0", 4) != 0)
		return false;
	return !secure || le32(p + at + 172) > 0;
}

static bool is_image(const struct fetch *f)
{
	const uint8_t *p = (const uint8_t *)f->answer.p + head_end(f);
	size_t n = f->answer.n - head_end(f);
	char type[80];

	header(f, "Content-Type", type, sizeof(type));
	if (!hash_is(&f->r, TYPE_IMAGE_HASH, p, n, NULL))
		return false;
	if (ends(f, type, "application/efi", ".efi"))
		return is_application(p, n, f->secure);
	if (ends(f, type, "application/vnd.efi-iso", ".iso"))
		return n > 32774 && memcmp(p + 32769, "CD001", 5) == 0;
	return ends(f, type, "application/vnd.efi-img", ".img") && n >= 512 && p[510] == 0x55 &&
	       p[511] == 0xaa;
}

static enum outcome load(struct fetch *f, const char *login)
{
	enum outcome o = reach(f);

	if (!o && strncasecmp(f->url, "https:", 6) == 0)
		o = shake_hands(f);
	if (o)
		return o;
	f->step = STEP_CONNECTED;
	ask(f, login);
	hang_up(f);
	if (status_of(f) == 401)
		return OUTCOME_LOGIN;
	if (status_of(f) != 200)
		return OUTCOME_FILE;
	f->step = STEP_LOADED;
	return is_image(f) ? OUTCOME_STARTED : OUTCOME_IMAGE;
}

static void fetch(uv_work_t *work)
{
	struct fetch *f = work->data;
	char login[1024];

	f->outcome = load(f, "");
	header(f, "WWW-Authenticate", f->challenge, sizeof(f->challenge));
	hang_up(f);
	if (f->outcome == OUTCOME_LOGIN && log_in(f, login, sizeof(login)))
		f->outcome = load(f, login);
	if (f->outcome == OUTCOME_STARTED)
		f->step = STEP_STARTED;
	hang_up(f);
	OPENSSL_thread_stop(); /* the worker stays, with what OpenSSL keeps for it */
}

static void fetched(uv_work_t *work, int status)
{
	struct fetch *f = work->data;

	(void)status;
	tell(f->dev, f->step, f->outcome, OPTION_HTTPS, f->progress);
	buf_done(&f->answer);
	buf_done(&f->roots);
	free(f);
}

static void start_fetch(struct device *dev, const struct recovery *r, bool progress)
{
	struct fetch *f = xcalloc(1, sizeof(*f));

	f->dev = dev;
	f->r = *r;
	for (size_t i = 0; i < RECOVERY_TYPES; i++)
		if (r->values[i].p)
			f->r.values[i].p =
				(char *)f->r.bytes + (r->values[i].p - (const char *)r->bytes);
	(void)str_copy(f->r.values[TYPE_URL], f->url, sizeof(f->url));
	f->progress = progress;
	f->secure = boot_secure(&dev->boot);
	f->fd = -1;
	f->step = STEP_OPTION;
	buf_init(&f->roots, 1 << 20);
	security_roots(dev, &f->roots);
	f->work.data = f;
	dev->boot.last_image = "loading";
	if (uv_queue_work(&dev->sim->loop, &f->work, fetch, fetched) < 0)
		abort();
}

/* The path, and how long it is, as the source has it. */
static bool is_for(const struct recovery *r, const char *path)
{
	struct str sent = r->values[TYPE_PATH], len = r->values[TYPE_PATH_LENGTH];

	return sent.p && str_is(sent, path) && len.p && le16((const uint8_t *)len.p) == sent.n;
}

void recovery_start(struct device *dev, const char *word, const char *path)
{
	struct boot *b = &dev->boot;
	const char *text = b->params_text ? b->params_text : "";
	struct recovery *r = xcalloc(1, sizeof(*r));
	bool good = recovery_parse(str_of(text), r), progress = boot_progress(b);
	struct str url = r->values[TYPE_URL];

	b->last_image = outcome_words[OUTCOME_NONE];
	if (b->service_state == SERVICE_OFF || b->service_state == SERVICE_ERASE_ONLY || !good) {
		free(r);
		return;
	}
	if (path) {
		bool fits = is_for(r, path) && boot_secure(b);
		tell(dev, fits ? STEP_STARTED : STEP_PARAMETERS,
			fits ? OUTCOME_STARTED : OUTCOME_LOCAL, option_of(word), progress);
	} else if (url.p) {
		b->last_url = xcalloc(1, url.n + 1);
		memcpy(b->last_url, url.p, url.n);
		if (dev->knobs.http_fetch)
			start_fetch(dev, r, progress);
	}
	free(r);
}
