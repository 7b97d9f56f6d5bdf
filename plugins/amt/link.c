/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "amt.h"

/* Recorded answers have up to 12 kB; a full event log comes in some 20 kB. */
#define MAX_ANSWER ((size_t)1 << 20)

static enum link_tls mode(const struct pctl_device *d)
{
	return (enum link_tls)pctl_setting_choice(d, "tls");
}

uint16_t amt_link_port(const struct pctl_device *d, bool tls)
{
	uint64_t plain = pctl_setting_uint(d, "port");

	if (!tls)
		return (uint16_t)plain;
	if (!pctl_setting_given(d, "tls_port") && pctl_setting_given(d, "port"))
		return (uint16_t)(mode(d) == LINK_TLS_TRUE ? plain : plain + 1);
	return (uint16_t)pctl_setting_uint(d, "tls_port");
}

static int open_session(struct amt_dev *dev, bool tls, struct pctl_error *err)
{
	struct pctl_device *d = dev->device;
	struct pctl_http_settings s = {
		.size = sizeof(s),
		.device = d,
		.port = amt_link_port(d, tls),
		.tls = tls,
		.legacy_tls = tls && pctl_setting_bool(d, "legacy_tls"),
		.auth = PCTL_HTTP_AUTH_DIGEST,
		.username = pctl_setting_text(d, "username"),
		.password = pctl_setting_secret(d, "password"),
		.client_cert = tls ? pctl_setting_text(d, "client_cert") : NULL,
		.client_key = tls ? pctl_setting_text(d, "client_key") : NULL,
		.ca_file = tls ? pctl_setting_text(d, "ca_file") : NULL,
		.pin_realm = true,
		.max_answer = MAX_ANSWER,
	};

	return pctl_http_session_new(dev->amt->http, &s, &dev->link.sessions[tls], err);
}

static bool fact_says(const struct amt_dev *dev, const char *word)
{
	const char *fact = pctl_fact_get(dev->device, FACT_TLS);

	return fact && strcmp(fact, word) == 0;
}

static void remember(struct amt_dev *dev)
{
	struct link *link = &dev->link;

	link->proven = true;
	/* Somebody who says `tls: false` does not want the next one to keep to it. */
	if (mode(dev->device) == LINK_TLS_FALSE)
		return;
	if (!fact_says(dev, link->tls ? "yes" : "no"))
		pctl_fact_put(dev->device, FACT_TLS, link->tls ? "yes" : "no");
}

static void send_request(struct amt_dev *dev);

/*
 * Whether err means that the port in use is not the device's and the other one is worth a try. Only
 * a port that refuses says so. A host that lets us wait is dead, and asking it twice would double
 * what that costs; a handshake that fails is TLS that went wrong, and no reason to do without.
 */
static bool refused(const struct amt_dev *dev, const struct pctl_error *err)
{
	const struct link *link = &dev->link;

	return err->code == PCTL_E_UNREACHABLE && (err->flags & PCTL_ERROR_NOT_LISTENING) &&
	       mode(dev->device) == LINK_TLS_AUTO && !link->proven && !link->second;
}

static void on_failure(struct amt_dev *dev, const struct pctl_error *err)
{
	struct link *link = &dev->link;

	if (!refused(dev, err)) {
		/* What does not work (any more) is asked for anew the next time. */
		link->proven = link->proven && err->code != PCTL_E_UNREACHABLE;
		link->chosen = link->proven;
		amt_call_answered(dev, NULL, err);
		return;
	}
	/* The fact may be lost; the pin of its certificate is not. */
	if (link->tls && (fact_says(dev, "yes") || pctl_pin_known(dev->device, "tls"))) {
		struct pctl_error e = { 0 };

		link->chosen = false;
		(void)pctl_error_set(&e, PCTL_E_UNREACHABLE,
			"its TLS port refuses the connection, and it was spoken to over TLS "
			"before; "
			"`tls: false` allows it without");
		(void)pctl_error_device_code(&e, "ECONNREFUSED");
		(void)pctl_error_flag(&e, PCTL_ERROR_NOT_LISTENING);
		amt_call_answered(dev, NULL, &e);
		return;
	}
	link->tls = !link->tls;
	link->second = true;
	/*
	 * A change is not repeated here, for whether its first byte left is not known here: who
	 * tries again after this error uses the other port.
	 */
	if (link->request.changes)
		amt_call_answered(dev, NULL, err);
	else
		send_request(dev);
}

static void on_http(void *data, const struct pctl_http_answer *answer, const struct pctl_error *err)
{
	struct amt_dev *dev = data;

	/* A login that was refused came over a connection that works, and so did a certificate. */
	if (answer || err->code == PCTL_E_AUTH || (err->flags & PCTL_ERROR_OURS))
		remember(dev);
	if (answer)
		amt_call_answered(dev, answer, NULL);
	else
		on_failure(dev, err);
}

static void send_request(struct amt_dev *dev)
{
	struct link *link = &dev->link;
	struct pctl_error err = { 0 };

	if (!link->sessions[link->tls] && open_session(dev, link->tls, &err) < 0) {
		amt_call_answered(dev, NULL, &err);
		return;
	}
	pctl_http_send(link->sessions[link->tls], dev->call.op, &link->request, on_http, dev);
}

void amt_link_send(struct amt_dev *dev, const char *body, size_t len, bool changes)
{
	struct link *link = &dev->link;

	if (!link->chosen) {
		link->tls = mode(dev->device) == LINK_TLS_TRUE ||
			    (mode(dev->device) == LINK_TLS_AUTO && !fact_says(dev, "no"));
		link->chosen = true;
		link->second = false;
	}
	link->request = (struct pctl_http_request){ .size = sizeof(struct pctl_http_request),
		.method = "POST",
		.path = "/wsman",
		.content_type = "application/soap+xml; charset=utf-8",
		.body = body,
		.body_len = len,
		.changes = changes };
	send_request(dev);
}

bool amt_link_certificate(
	const struct amt_dev *dev, int64_t *ret_not_before, int64_t *ret_not_after)
{
	const struct link *link = &dev->link;

	return link->tls && link->sessions[1] &&
	       pctl_http_certificate(link->sessions[1], ret_not_before, ret_not_after);
}

const char *amt_link_realm(const struct amt_dev *dev)
{
	const struct link *link = &dev->link;

	return link->sessions[link->tls] ? pctl_http_realm(link->sessions[link->tls]) : NULL;
}

void amt_link_cancel(struct amt_dev *dev)
{
	struct link *link = &dev->link;

	if (link->sessions[link->tls])
		pctl_http_cancel(link->sessions[link->tls]);
}

void amt_link_idle(struct amt_dev *dev)
{
	for (int tls = 0; tls < 2; tls++) {
		if (dev->link.sessions[tls])
			pctl_http_session_idle(dev->link.sessions[tls]);
	}
}

void amt_link_done(struct amt_dev *dev)
{
	for (int tls = 0; tls < 2; tls++) {
		pctl_http_session_free(dev->link.sessions[tls]);
		dev->link.sessions[tls] = NULL;
	}
}
