/* SPDX-License-Identifier: Apache-2.0 */
#include "service.h"

#include <string.h>

#include "device.h"
#include "digest.h"
#include "sim.h"
#include "wsman.h"

enum {
	FIRST_CHUNK = 544,
	NEXT_CHUNK = 762,
};

static const char page_head[] =
	"<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.01 Transitional//EN\" "
	"\"http://www.w3.org/TR/html4/loose.dtd\">\n"
	"<html>\n<head>\n"
	"<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\n"
	"<title>Intel(R) Active Management Technology</title>\n"
	"</head>\n<body>\n"
	"<table width=\"100%\" border=\"0\" cellspacing=\"0\" cellpadding=\"4\">\n"
	"<tr><td bgcolor=\"#0860A8\"><font color=\"white\"><b>Intel(R) Active Management "
	"Technology</b></font></td></tr>\n"
	"<tr><td class=\"warn\"><h2>";
static const char page_tail[] = "</h2></td></tr>\n</table>\n</body>\n</html>";

static const char log_on_failed[] =
	"Log on failed. Either the user name or the password is wrong, or this user account is "
	"temporarily locked. If you are very sure that both are right, wait for a few minutes and "
	"then try to log on again.";

static void server_header(const struct device *dev, struct buf *out)
{
	buf_text(out, "Server: Intel(R) Active Management Technology ");
	buf_text(out, dev->profile->server);
	buf_text(out, "\r\n");
}

/* An HTML answer; challenge may be NULL. */
static void page(
	struct device *dev, const char *status, const char *text, const char *challenge, bool keep)
{
	struct buf *out = &dev->sim->web.out;
	size_t n = sizeof(page_head) - 1 + strlen(text) + sizeof(page_tail) - 1;

	buf_text(out, "HTTP/1.1 ");
	buf_text(out, status);
	buf_text(out, "\r\n");
	if (challenge)
		buf_fmt(out, "WWW-Authenticate: %s\r\n", challenge);
	buf_text(out, "Content-Type: text/html\r\n");
	server_header(dev, out);
	buf_fmt(out, "Content-Length: %zu\r\n", n);
	buf_text(out, keep ? "\r\n" : "Connection: close\r\n\r\n");
	buf_text(out, page_head);
	buf_text(out, text);
	buf_text(out, page_tail);
}

static void closing_page(struct device *dev, const char *status, const char *text, struct reply *r)
{
	page(dev, status, text, NULL, false);
	r->close = true;
}

static void unauthorized(struct device *dev, bool stale, struct reply *r)
{
	struct buf *challenge = &dev->sim->body;

	challenge->n = 0;
	digest_challenge(dev, stale, challenge);
	buf_char(challenge, '\0');
	page(dev, "401 Unauthorized", log_on_failed, challenge->p, false);
	dev->counters.r401++;
	r->close = true;
}

/* Blanks between elements, never inside of an empty one. */
static void prettify(struct buf *body)
{
	struct buf out;

	buf_init(&out, body->max);
	for (size_t i = 0; i < body->n; i++) {
		buf_char(&out, body->p[i]);
		if (body->p[i] == '>' && i + 2 < body->n && body->p[i + 1] == '<' &&
			body->p[i + 2] != '/')
			buf_text(&out, "\n    ");
	}
	buf_done(body);
	*body = out;
}

static void chunk(struct buf *out, const char *p, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	char size[6] = { digits[n >> 12 & 15], digits[n >> 8 & 15], digits[n >> 4 & 15],
		digits[n & 15], '\r', '\n' };

	buf_add(out, size, sizeof(size));
	buf_add(out, p, n);
	buf_add(out, "\r\n", 2);
}

static void chunks(const struct device *dev, const struct buf *body, struct buf *out)
{
	size_t size = dev->knobs.chunk ? dev->knobs.chunk : FIRST_CHUNK;

	for (size_t at = 0; at < body->n;) {
		size_t n = body->n - at < size ? body->n - at : size;

		chunk(out, body->p + at, n);
		at += n;
		if (!dev->knobs.chunk)
			size = NEXT_CHUNK;
	}
}

static void soap_head(struct device *dev, const char *status, bool close)
{
	struct buf *out = &dev->sim->web.out;

	buf_text(out, "HTTP/1.1 ");
	buf_text(out, status);
	buf_text(out, "\r\nDate: ");
	buf_text(out, sim_date(dev->sim));
	buf_text(out, "\r\n");
	server_header(dev, out);
	buf_text(out, "X-Frame-Options: DENY\r\n"
		      "Content-Type: application/soap+xml; charset=UTF-8\r\n"
		      "Transfer-Encoding: chunked\r\n");
	buf_text(out, close ? "Connection: close\r\n\r\n" : "\r\n");
}

static void soap(struct device *dev, bool fault, struct reply *r)
{
	struct sim *sim = dev->sim;

	if (dev->knobs.pretty)
		prettify(&sim->body);
	if (dev->knobs.truncate)
		sim->body.n = sim->body.n * 2 / 3;
	soap_head(dev, fault ? "400 Bad Request" : "200 OK", fault);

	size_t head = sim->web.out.n;

	chunks(dev, &sim->body, &sim->web.out);
	buf_text(&sim->web.out, "0\r\n\r\n");
	if (web_every(dev->knobs.cut_every, &dev->cut_seq)) {
		dev->counters.cut++;
		r->cut = head + (sim->web.out.n - head) / 2;
		r->close = true;
	}
	r->close = r->close || fault;
}

static void deep(struct buf *body, uint32_t levels)
{
	buf_text(body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><a:Envelope xmlns:a="
		       "\"http://www.w3.org/2003/05/soap-envelope\"><a:Header></a:Header><a:Body>");
	for (uint32_t i = 0; i < levels; i++)
		buf_text(body, "<a:x>");
	for (uint32_t i = 0; i < levels; i++)
		buf_text(body, "</a:x>");
	buf_text(body, "</a:Body></a:Envelope>");
}

static void bomb(struct buf *body)
{
	buf_text(
		body, "<?xml version=\"1.0\" encoding=\"UTF-8\"?><!DOCTYPE a [<!ENTITY e0 \"ha\">");
	for (int i = 1; i < 12; i++) {
		buf_fmt(body, "<!ENTITY e%d \"", i);
		for (int k = 0; k < 10; k++)
			buf_fmt(body, "&e%d;", i - 1);
		buf_text(body, "\">");
	}
	buf_text(body,
		"]><a:Envelope xmlns:a=\"http://www.w3.org/2003/05/soap-envelope\"><a:Header>"
		"</a:Header><a:Body>&e11;</a:Body></a:Envelope>");
}

static void huge(struct device *dev, struct reply *r)
{
	static const char begin[] =
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?><a:Envelope xmlns:a="
		"\"http://www.w3.org/2003/05/soap-envelope\"><a:Header></a:Header><a:Body><a:x>";

	soap_head(dev, "200 OK", false);
	chunk(&dev->sim->web.out, begin, sizeof(begin) - 1);
	r->filler = (uint64_t)dev->knobs.huge << 20;
}

void service_filler(struct buf *out, size_t n, uint64_t left)
{
	static const char end[] = "</a:x></a:Body></a:Envelope>";
	static char as[16 * 1024];

	if (!as[0])
		memset(as, 'A', sizeof(as));
	for (size_t done = 0; done < n; done += sizeof(as))
		chunk(out, as, n - done < sizeof(as) ? n - done : sizeof(as));
	if (n < left)
		return;
	chunk(out, end, sizeof(end) - 1);
	buf_text(out, "0\r\n\r\n");
}

/* Answers that are wrong as a whole; true: that was it. */
static bool nonsense(struct device *dev, struct reply *r)
{
	const struct knobs *k = &dev->knobs;

	if (k->html) {
		page(dev, "200 OK", "Welcome. This page is not what you asked for.", NULL, true);
		return true;
	}
	if (k->huge) {
		huge(dev, r);
		return true;
	}
	if (!k->deep && !k->bomb)
		return false;
	if (k->bomb)
		bomb(&dev->sim->body);
	else
		deep(&dev->sim->body, k->deep);
	soap(dev, false, r);
	return true;
}

static void answer_wsman(struct device *dev, const struct http_request *request, struct reply *r)
{
	uint64_t acted = dev->counters.set_power;

	dev->sim->body.n = 0;
	if (nonsense(dev, r)) {
		dev->counters.r200++;
		return;
	}
	switch (wsman_answer(dev, request->body)) {
	case WSMAN_OK:
		dev->counters.r200++;
		soap(dev, false, r);
		break;
	case WSMAN_FAULT:
		dev->counters.r400++;
		dev->counters.faults++;
		soap(dev, true, r);
		break;
	case WSMAN_MALFORMED:
		dev->counters.r400++;
		closing_page(
			dev, "400 Bad Request", "Bad Request. The request is not well-formed.", r);
		break;
	case WSMAN_NO_CLASS_PAGE:
		dev->counters.r400++;
		closing_page(
			dev, "400 Bad Request", "Bad Request. The request cannot be served.", r);
		break;
	case WSMAN_LOST:
		r->silent = dev->knobs.passwd >= PASSWD_MUTE;
		r->lost = !r->silent;
		break;
	}
	if (r->lost || r->cut)
		dev->counters.unsaid_power += dev->counters.set_power - acted;
}

/* What is answered before anybody looks at a login; true: that was it. */
static bool answered_early(struct device *dev, const struct http_request *request, struct reply *r)
{
	if (dev->knobs.hang == HANG_ALL) {
		r->silent = true;
		return true;
	}
	if (web_every(dev->knobs.e503_every, &dev->e503_seq)) {
		dev->counters.r503++;
		closing_page(dev, "503 Service Unavailable", "The service is busy.", r);
		return true;
	}
	if (!str_is(request->target, "/wsman")) {
		dev->counters.r404++;
		closing_page(dev, "404 Not Found", "There is no such page.", r);
		return true;
	}
	return false;
}

void service_answer(struct device *dev, const struct http_request *request, struct reply *reply)
{
	dev->sim->web.out.n = 0;
	dev->counters.requests++;
	if (request->expect)
		dev->counters.expect++;
	if (answered_early(dev, request, reply))
		return;

	enum verdict verdict = digest_check(dev, request);

	if (verdict != LOGIN_GOOD) {
		dev->counters.unauth_bodies += request->body.n > 0;
		unauthorized(dev, verdict == LOGIN_STALE, reply);
		return;
	}
	dev->counters.bodies += request->body.n > 0;
	if (dev->knobs.hang == HANG_AUTH)
		reply->silent = true;
	else if (!str_is(request->method, "POST"))
		closing_page(dev, "405 Method Not Allowed", "Only POST is understood here.", reply);
	else
		answer_wsman(dev, request, reply);
	reply->close = reply->close || request->close;
}

void service_malformed(struct device *dev, struct reply *reply)
{
	dev->sim->web.out.n = 0;
	dev->counters.r400++;
	closing_page(dev, "400 Bad Request", "Bad Request. This is not HTTP.", reply);
}
