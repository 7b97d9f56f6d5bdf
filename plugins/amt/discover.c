/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether Intel AMT is at an address: a presence ping, and a request without a login to the plain
 * and the TLS port, all at once. Firmware may have the ping turned off, and 16.1 and later have
 * neither it nor the plain port; a machine that is not set up has nothing but the ping.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>

#include "amt.h"
#include "rmcp.h"
#include "version.h"

/* The third SYN leaves after three seconds: the first ones only wake the engine. */
#define LIMIT_MS 3500u
#define RANK     30u
/* A host that has answered at all answers a ping by then. */
#define PONG_MS    2000u
#define FIRST_MS   300u /* between pings, twice as long each time */
#define ANSWER_MAX ((size_t)64 << 10)

enum way { WAY_PLAIN, WAY_TLS, WAYS };

struct find;

struct attempt {
	struct find *find;
	struct pctl_http_session *session; /* NULL: not tried, or over */
	struct pctl_http_request request;
	bool amt;
};

struct find {
	struct amt *amt;
	struct pctl_device *device;
	struct pctl_op *op; /* NULL: it has ended */
	struct pctl_value *ret;
	struct attempt attempts[WAYS];
	unsigned pending;              /* attempts */
	struct pctl_udp_member member; /* of those who wait for pongs */
	bool ponged;
	struct rmcp_pong pong;
	uv_timer_t timer;
	uint64_t began, wait;
	char product[48], version[32], realm[64];
	struct pctl_error fault; /* of this host's; code 0: none */
};

static bool is_wanted(const struct pctl_device *d, enum way way)
{
	int tls = pctl_setting_choice(d, "tls");

	return tls == LINK_TLS_AUTO || (tls == LINK_TLS_TRUE) == (way == WAY_TLS);
}

/* --- The end. --------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
	free(pctl_container_of((uv_timer_t *)handle, struct find, timer));
}

static void let_go(struct find *f)
{
	f->op = NULL;
	pctl_udp_leave(&f->member);
	for (enum way way = 0; way < WAYS; way++) {
		pctl_http_session_free(f->attempts[way].session);
		f->attempts[way].session = NULL;
	}
	uv_close((uv_handle_t *)&f->timer, on_timer_closed);
}

static struct pctl_value *submap(struct pctl_value *map, const char *key)
{
	pctl_value_set(map, key, pctl_value_new_map());
	return pctl_value_get(map, key);
}

static void tell(const struct find *f)
{
	static const char *const states[] = { "pre", "in", "post" };
	char version[32];
	bool plain = f->attempts[WAY_PLAIN].amt, tls = f->attempts[WAY_TLS].amt;

	pctl_value_set_text(f->ret, "vendor", "Intel");
	pctl_value_set_text(f->ret, "product", *f->product ? f->product : "Intel AMT");
	(void)snprintf(version, sizeof(version), "%u.%u", f->pong.major, f->pong.minor);
	if (*f->version || f->ponged)
		pctl_value_set_text(
			submap(f->ret, "firmware"), "version", *f->version ? f->version : version);
	if (f->ponged)
		pctl_value_set_text(f->ret, "provisioning_state", states[f->pong.provisioning]);
	if (*f->realm)
		pctl_value_set_text(f->ret, "digest_realm", f->realm);
	if (plain || tls)
		pctl_value_set_bool(submap(f->ret, "security"), "tls", tls);
}

static void finish(struct find *f)
{
	struct pctl_op *op = f->op;
	bool found = f->ponged || f->attempts[WAY_PLAIN].amt || f->attempts[WAY_TLS].amt;
	struct pctl_error fault = f->fault;

	if (found)
		tell(f);
	let_go(f);
	if (found)
		pctl_op_done(op);
	else if (fault.code)
		pctl_op_fail_error(op, &fault);
	else
		pctl_op_fail(op, PCTL_E_UNREACHABLE, "no Intel AMT answers");
}

static void finish_if_over(struct find *f)
{
	uint64_t spent = uv_now(f->timer.loop) - f->began;

	if (spent >= LIMIT_MS + pctl_device_answer_ms(f->device) ||
		(!f->pending && (f->ponged || spent >= PONG_MS)))
		finish(f);
}

static void on_abort(struct pctl_op *op, void *work)
{
	(void)op;
	let_go(work);
}

/* --- Pings. ----------------------------------------------------------------------------------- */

bool amt_discover_receive(struct pctl_udp_member *member, const uint8_t *packet, size_t len)
{
	struct find *f = pctl_container_of(member, struct find, member);
	struct rmcp_pong pong;

	if (!rmcp_read_pong(packet, len, &pong))
		return false;
	f->ponged = true;
	f->pong = pong;
	finish_if_over(f);
	return true;
}

/* Where there is no way, nobody knows what is there; other losses are silence. */
static void send_ping(struct find *f)
{
	uint8_t packet[RMCP_PING_LEN];

	rmcp_ping(1, packet);
	int e = pctl_udp_send(&f->member, packet, sizeof(packet));
	if (e == ENETUNREACH || e == EPERM || e == EACCES)
		pctl_error_set(
			&f->fault, PCTL_E_INTERNAL, "nothing can be sent there: %s", strerror(e));
}

static void on_timer(uv_timer_t *timer)
{
	struct find *f = pctl_container_of(timer, struct find, timer);
	uint64_t spent = uv_now(timer->loop) - f->began;

	pctl_udp_look(&f->member);
	if (!f->op)
		return;
	if (!f->ponged && !f->pending && pctl_error_is_shortage(&f->fault)) {
		finish(f); /* whoever asks tries again when there is room */
		return;
	}
	if (!f->ponged && f->member.joined && spent < LIMIT_MS)
		send_ping(f);
	f->wait *= 2;
	/* So that it comes at the moment when a pong is not waited for any more. */
	if (spent < PONG_MS && spent + f->wait > PONG_MS)
		f->wait = PONG_MS - spent;
	(void)uv_timer_start(timer, on_timer, f->wait, 0);
	finish_if_over(f);
}

static void start_pings(struct find *f)
{
	struct sockaddr_storage addr;
	socklen_t len = 0;
	struct pctl_error err = { 0 };

	int r = pctl_device_datagram_address(
		f->device, (uint16_t)pctl_setting_uint(f->device, "rmcp_port"), &addr, &len, &err);
	if (r == 0)
		r = pctl_udp_join(
			f->amt->pings, &f->member, (const struct sockaddr *)&addr, len, &err);
	if (r < 0)
		f->fault = err;
	else
		send_ping(f);
}

/* --- Requests. -------------------------------------------------------------------------------- */

/* "Intel(R) Standard Manageability 11.8.50.3425": product and version. */
static bool read_server(struct find *f, const char *server)
{
	const char *last = strrchr(server, ' ');
	struct version version;

	if (strncmp(server, "Intel(R) ", 9) != 0 ||
		(!strstr(server, "Active Management Technology") &&
			!strstr(server, "Standard Manageability")))
		return false;
	if (last && version_parse(last + 1, &version)) {
		(void)snprintf(f->version, sizeof(f->version), "%.31s", last + 1);
		(void)snprintf(
			f->product, sizeof(f->product), "%.*s", (int)(last - server), server);
	}
	return true;
}

static void read_realm(struct find *f, const struct pctl_http_answer *answer)
{
	const char *field = pctl_http_answer_field(answer, "WWW-Authenticate");
	struct pctl_digest digest;

	if (field && pctl_digest_parse(field, strlen(field), &digest) == 0 &&
		strlen(digest.realm) < sizeof(f->realm))
		(void)snprintf(f->realm, sizeof(f->realm), "%.63s", digest.realm);
}

static void on_http(void *data, const struct pctl_http_answer *answer, const struct pctl_error *err)
{
	struct attempt *a = data;
	struct find *f = a->find;

	f->pending--;
	if (answer && read_server(f, answer->server)) {
		a->amt = true;
		read_realm(f, answer);
	} else if (err && pctl_error_is_shortage(err)) {
		f->fault = *err;
	}
	finish_if_over(f);
}

static void start_request(struct find *f, enum way way)
{
	static const char *const wanted[] = { "WWW-Authenticate", NULL };
	struct attempt *a = &f->attempts[way];
	const struct pctl_http_settings s = {
		.size = sizeof(s),
		.device = f->device,
		.port = amt_link_port(f->device, way == WAY_TLS),
		.tls = way == WAY_TLS,
		.legacy_tls = way == WAY_TLS, /* nothing secret is said */
		.auth = PCTL_HTTP_AUTH_NONE,
		.max_answer = ANSWER_MAX,
	};

	a->find = f;
	if (!is_wanted(f->device, way) ||
		pctl_http_session_new(f->amt->http, &s, &a->session, &f->fault) < 0)
		return;
	a->request = (struct pctl_http_request){ .size = sizeof(a->request),
		.method = "GET",
		.path = "/wsman",
		.no_login = true,
		.any_status = true,
		.wanted = wanted };
	f->pending++;
	pctl_http_send(a->session, f->op, &a->request, on_http, a);
}

static void find(void *ctx, struct pctl_device *device, struct pctl_op *op, struct pctl_value *ret)
{
	struct find *f = pctl_xcalloc(1, sizeof(*f));

	f->amt = ctx;
	f->device = device;
	f->op = op;
	f->ret = ret;
	(void)uv_timer_init(pctl_device_loop(device), &f->timer);
	f->began = uv_now(f->timer.loop);
	f->wait = FIRST_MS;
	(void)uv_timer_start(&f->timer, on_timer, f->wait, 0);
	pctl_op_pending(op, on_abort, f);
	start_pings(f);
	for (enum way way = 0; way < WAYS; way++)
		start_request(f, way);
}

const struct pctl_discover_if amt_discover = {
	.size = sizeof(amt_discover),
	.limit_ms = LIMIT_MS,
	.rank = RANK,
	.find = find,
};
