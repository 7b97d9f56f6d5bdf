/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins (DSP0266 section 13.3): a session, whose token goes with each request, or Basic.
 *
 * auth: auto takes a session for three requests and more and where the device is changed: it costs
 * two requests besides, its login and its end. A status that knows its way is one request with a
 * Basic login. A password that was refused is never sent a second time: only a 401 that names
 * other kinds of logins than Basic is followed by a session's.
 */
#include <stdio.h>
#include <string.h>

#include <powerctl/buf.h>

#include "redfish.h"

#define BASIC_MAX 3u /* requests before a session is worth it */

void redfish_login_forget(struct redfish_dev *dev)
{
	pctl_secret_free(dev->token);
	dev->token = NULL;
	dev->token_path[0] = '\0';
}

bool redfish_login_wanted(const struct redfish_dev *dev)
{
	if (dev->auth == REDFISH_AUTH_BASIC || dev->basic_only)
		return false;
	return dev->auth == REDFISH_AUTH_SESSION || dev->session_only || dev->call.many ||
	       dev->basic_sent >= BASIC_MAX;
}

void redfish_put_fact(struct redfish_dev *dev, const char *key, const char *value)
{
	const char *known = pctl_fact_get(dev->device, key);

	if (value && strlen(value) < 200 && (!known || strcmp(known, value) != 0))
		pctl_fact_put(dev->device, key, value);
}

const char *redfish_login_path(const struct redfish_dev *dev)
{
	const char *known = pctl_fact_get(dev->device, FACT_SESSIONS);
	const char *path = doc_link(dev->root, "Links/Sessions");

	return path || !known || !doc_is_path(known) ? path : known;
}

/* Most services say the same of a wrong password and of a locked account. */
static void refused_login(struct redfish_dev *dev, const struct reply *reply)
{
	const char *user = pctl_setting_text(dev->device, "username");
	struct pctl_error err = { 0 };
	bool basic = dev->call.stage == STAGE_REQUEST && dev->auth == REDFISH_AUTH_AUTO &&
		     !dev->basic_only;

	if (!doc_locked(reply->doc, user, &err)) {
		(void)pctl_error_set(&err, PCTL_E_AUTH,
			"user '%s' or its password was refused, or the account is locked "
			"(HTTP 401)%s",
			user, basic ? "; if it takes no Basic logins, set auth: session" : "");
		(void)pctl_error_device_code(&err, "HTTP 401");
	}
	redfish_fail_request(dev, &err, NULL);
}

void redfish_login_none(struct redfish_dev *dev, bool for_ever)
{
	if (dev->auth == REDFISH_AUTH_SESSION) {
		redfish_fail_text(dev, PCTL_E_UNSUPPORTED,
			"the service has no sessions; `auth: basic` does without");
		return;
	}
	dev->basic_only = true;
	if (for_ever)
		redfish_put_fact(dev, FACT_LOGIN, "basic");
	redfish_go_on(dev);
}

void redfish_add_quoted(struct pctl_buf *out, const char *text, size_t len)
{
	pctl_buf_adds(out, "\"");
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < ' ') {
			pctl_buf_addf(out, "\\u%04x", c);
			continue;
		}
		if (c == '"' || c == '\\')
			pctl_buf_adds(out, "\\");
		pctl_buf_add(out, &text[i], 1);
	}
	pctl_buf_adds(out, "\"");
}

void redfish_login_begin(struct redfish_dev *dev)
{
	struct pctl_buf *body = &dev->call.login;
	const struct pctl_secret *password = pctl_setting_secret(dev->device, "password");
	const char *username = pctl_setting_text(dev->device, "username");

	if (!redfish_login_path(dev)) {
		if (dev->root)
			redfish_login_none(dev, true);
		else
			redfish_transmit(dev, STAGE_ROOT);
		return;
	}
	pctl_buf_done(body);
	pctl_buf_init_secret(body, (size_t)6 * PCTL_SECRET_MAX + 2048);
	pctl_buf_adds(body, "{\"UserName\":");
	redfish_add_quoted(body, username, strlen(username));
	pctl_buf_adds(body, ",\"Password\":");
	redfish_add_quoted(body, password ? pctl_secret_data(password) : "",
		password ? pctl_secret_len(password) : 0);
	pctl_buf_adds(body, "}");
	if (body->full)
		redfish_fail_text(dev, PCTL_E_CONFIG, "username: is too long");
	else
		redfish_transmit(dev, STAGE_LOGIN);
}

void redfish_login_answered(
	struct redfish_dev *dev, const struct pctl_http_answer *answer, const struct reply *reply)
{
	const char *token = pctl_http_answer_field(answer, "X-Auth-Token");
	const char *path = doc_text(reply->doc, "@odata.id");
	struct pctl_error err = { 0 };

	pctl_buf_done(&dev->call.login);
	pctl_buf_init_secret(&dev->call.login, 0);
	if (reply->status == 401) {
		refused_login(dev, reply);
	} else if (reply->status == 404 || reply->status == 405 || reply->status == 501) {
		pctl_fact_put(dev->device, FACT_SESSIONS, NULL);
		redfish_login_none(dev, true);
	} else if (reply->status < 300 && token && *token) {
		dev->token = pctl_secret_new(token, strlen(token));
		if (reply->location)
			path = reply->location;
		if (!path || !doc_same_origin(path, pctl_device_host(dev->device), dev->port,
				     dev->tls, dev->token_path, sizeof(dev->token_path)))
			dev->token_path[0] = '\0';
		redfish_put_fact(dev, FACT_SESSIONS, redfish_login_path(dev));
		redfish_go_on(dev);
	} else if (reply->status < 300) {
		redfish_fail_text(dev, PCTL_E_PROTOCOL,
			"its login was taken and brought no X-Auth-Token; `auth: basic` does "
			"without");
	} else if (doc_says(reply->doc, "SessionLimitExceeded") && !dev->session_only &&
		   dev->auth == REDFISH_AUTH_AUTO) {
		redfish_login_none(dev, false); /* those of others are in the way */
	} else {
		(void)doc_error(reply->status, reply->doc, "a login", &err);
		redfish_fail_request(dev, &err, reply);
	}
}

/* Whether the login in use may be tried another way: never a refused password again. */
void redfish_login_refused(
	struct redfish_dev *dev, const struct pctl_http_answer *answer, const struct reply *reply)
{
	const char *challenge = pctl_http_answer_field(answer, "WWW-Authenticate");

	if (dev->token) {
		redfish_login_forget(dev);
		if (dev->call.relogged) {
			redfish_fail_text(dev, PCTL_E_AUTH,
				"it does not take the session that it has just given (HTTP 401)");
			return;
		}
		dev->call.relogged = true;
		redfish_go_on(dev);
	} else if (dev->call.request.flags & REQUEST_PUBLIC) {
		dev->call.request.flags &= ~REQUEST_PUBLIC; /* a service that hides its root */
		redfish_go_on(dev);
	} else if (challenge && !strcasestr(challenge, "basic") && !dev->session_only &&
		   dev->auth == REDFISH_AUTH_AUTO && !dev->basic_only) {
		dev->session_only = true;
		redfish_put_fact(dev, FACT_LOGIN, "session");
		redfish_go_on(dev);
	} else {
		refused_login(dev, reply);
	}
}
