/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/login.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <powerctl/http.h>

#define URI         "/RedirectionService"
#define NONCE_COUNT "00000001"

enum { CNONCE_BYTES = 16, HEADER_MAX = 1024 };

static struct frame_field text(const char *s)
{
	return (struct frame_field){ .data = s, .len = strlen(s) };
}

void login_begin(struct login *login, struct pctl_buf *out)
{
	login->step = LOGIN_ASKED;
	(void)frame_put_login(out, LOGIN_QUERY, NULL, 0, NULL);
}

/* --- Which. ----------------------------------------------------------------------------------- */

static int put_plain(struct login *login, struct pctl_buf *out, struct pctl_error *err)
{
	const struct frame_field fields[] = { text(login->username),
		{ .data = pctl_secret_data(login->password),
			.len = pctl_secret_len(login->password) } };

	login->step = LOGIN_ANSWERED;
	return frame_put_login(out, LOGIN_PLAIN, fields, 2, err);
}

/* User and path only: what is missing asks for a challenge. */
static int put_first(struct login *login, struct pctl_buf *out, struct pctl_error *err)
{
	const struct frame_field none = { .data = "" };
	const struct frame_field fields[] = { text(login->username), none, none, text(URI), none,
		none, none, none };

	login->step = LOGIN_BEGUN;
	return frame_put_login(out, login->type, fields, login->type == LOGIN_DIGEST ? 8 : 7, err);
}

static int choose(struct login *login, const struct frame_login *reply, struct pctl_buf *out,
	struct pctl_error *err)
{
	unsigned types;

	int r = frame_read_login_types(reply, &types, err);
	if (r < 0)
		return r;
	if (types & 1u << LOGIN_DIGEST)
		login->type = LOGIN_DIGEST;
	else if (types & 1u << LOGIN_DIGEST_OLD)
		login->type = LOGIN_DIGEST_OLD;
	else if (types & 1u << LOGIN_PLAIN && login->tls)
		login->type = LOGIN_PLAIN;
	else
		return pctl_error_set(err, PCTL_E_UNSUPPORTED,
			types & 1u << LOGIN_PLAIN
				? "its redirection port wants the password in clear, which is "
				  "sent over TLS only: set up TLS on the device"
				: "its redirection port takes no login with user and password");
	return login->type == LOGIN_PLAIN ? put_plain(login, out, err) : put_first(login, out, err);
}

/* --- The answer to a challenge. --------------------------------------------------------------- */

/* As the same challenge would stand in HTTP, whose reader knows what may be in it. */
static int read_challenge(const struct login *login, const struct frame_login *reply,
	struct pctl_digest *ret, struct pctl_error *err)
{
	bool has_qop = login->type == LOGIN_DIGEST;
	struct frame_field f[3] = { { .data = "" }, { .data = "" }, { .data = "" } };
	char header[HEADER_MAX];

	int r = frame_read_fields(reply, f, has_qop ? 3 : 2, err);
	if (r < 0)
		return r;
	bool clean = true;
	for (size_t i = 0; i < 3; i++)
		clean = clean && !memchr(f[i].data, '"', f[i].len) &&
			!memchr(f[i].data, '\\', f[i].len) && !memchr(f[i].data, '\0', f[i].len);
	(void)snprintf(header, sizeof(header), "Digest realm=\"%.*s\",nonce=\"%.*s\"%s%.*s%s",
		(int)f[0].len, f[0].data, (int)f[1].len, f[1].data, has_qop ? ",qop=\"" : "",
		(int)f[2].len, f[2].data, has_qop ? "\"" : "");
	if (!clean || pctl_digest_parse(header, strlen(header), ret) < 0)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"the challenge of its redirection login cannot be answered");
	return 0;
}

static int new_cnonce(char hex[2 * CNONCE_BYTES + 1], struct pctl_error *err)
{
	unsigned char bytes[CNONCE_BYTES];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return pctl_error_set(err, PCTL_E_INTERNAL, "no random numbers");
	for (size_t i = 0; i < sizeof(bytes); i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return 0;
}

static int put_response(struct login *login, const struct pctl_digest *challenge,
	struct pctl_buf *out, struct pctl_error *err)
{
	char cnonce[2 * CNONCE_BYTES + 1], response[PCTL_DIGEST_RESPONSE];

	if (new_cnonce(cnonce, err) < 0)
		return PCTL_E_INTERNAL;
	const struct pctl_digest_answer answer = {
		.username = login->username,
		.method = "POST",
		.uri = URI,
		.password = pctl_secret_data(login->password),
		.password_len = pctl_secret_len(login->password),
		.cnonce = cnonce,
		.nc = 1,
	};
	if (pctl_digest_response(challenge, &answer, response) < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL,
			"its login cannot be calculated: the user name has a forbidden character");
	const struct frame_field fields[] = { text(login->username), text(challenge->realm),
		text(challenge->nonce), text(URI), text(cnonce), text(NONCE_COUNT), text(response),
		text(challenge->qop_auth ? "auth" : "auth-int") };

	login->step = LOGIN_ANSWERED;
	return frame_put_login(out, login->type, fields, login->type == LOGIN_DIGEST ? 8 : 7, err);
}

static int answer(struct login *login, const struct frame_login *reply, struct pctl_buf *out,
	struct pctl_error *err)
{
	struct pctl_digest challenge = { .stale = false };

	if (reply->status == LOGIN_OK)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"its redirection port takes a login without a password");
	int r = read_challenge(login, reply, &challenge, err);
	if (r == 0 && login->check_realm)
		r = login->check_realm(login->data, challenge.realm, err);
	return r < 0 ? r : put_response(login, &challenge, out, err);
}

/* --- The verdict. ----------------------------------------------------------------------------- */

static int refused(const struct login *login, uint8_t status, struct pctl_error *err)
{
	switch (status) {
	case LOGIN_REFUSED:
		(void)pctl_error_set(err, PCTL_E_AUTH,
			"user '%s' or its password was refused by the redirection port",
			login->username);
		break;
	case LOGIN_FORBIDDEN:
		(void)pctl_error_set(err, PCTL_E_FORBIDDEN,
			"user '%s' may not open redirection sessions", login->username);
		break;
	default:
		(void)pctl_error_set(err, PCTL_E_REFUSED, "its redirection port takes no login");
		break;
	}
	return pctl_error_device_code(err, "redirection login %u", status);
}

int login_take(struct login *login, const struct frame *frame, struct pctl_buf *out,
	struct pctl_error *err)
{
	struct frame_login reply;

	int r = frame_read_login(frame, &reply, err);
	if (r < 0)
		return r;
	if (reply.status > LOGIN_REFUSED)
		return refused(login, reply.status, err);
	if (login->step == LOGIN_ASKED)
		return choose(login, &reply, out, err);
	if (reply.type != login->type)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"its redirection port answers another login (type %u) than was begun",
			reply.type);
	if (login->step == LOGIN_BEGUN)
		return answer(login, &reply, out, err);
	return reply.status == LOGIN_OK ? 1 : refused(login, reply.status, err);
}
