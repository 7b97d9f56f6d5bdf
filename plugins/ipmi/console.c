/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The serial console over LAN (specification section 15), through libipmiconsole. The driver first
 * logs in by itself: that is quick to say that a machine is not there, knows which cipher suite its
 * BMC takes, and tells a wrong password from a wrong K_g. libipmiconsole then makes a session of
 * its own on threads of its own; what the user gets is its descriptor.
 *
 * Everything from those threads arrives through that descriptor: a zero byte when the console is
 * open, the end of file when it is not to be had or is over. So no callback can come too late.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ipmiconsole.h>
#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "ipmi.h"

#define ENGINE_THREADS 2u
#define FAREWELL_MS    ((uint64_t)1800)
#define HOST_SIZE      80u
/* libipmiconsole takes what it is given at once, and ends the session where that is more than 8 kB
 * before the BMC took it. This many bytes a second even a line of 9600 baud takes. */
#define TYPING_RATE 900

/* The rights that are tried in turn where none are set: many BMCs have SOL for administrators. */
static const uint8_t privileges[] = { PRIVILEGE_ADMIN, PRIVILEGE_OPERATOR, PRIVILEGE_USER };

enum state {
	OPENING,
	AGAIN, /* opening, between one try and the next */
	OPEN,
	LEAVING, /* libipmiconsole says goodbye to the BMC */
};

struct sol {
	struct pctl_session session; /* what the user sees */
	struct ipmi_dev *dev;
	struct pctl_session **ret_session;
	enum state state;
	bool steal;
	uint8_t suite;
	size_t privilege; /* index */
	ipmiconsole_ctx_t ctx;
	uv_poll_t poll; /* of the descriptor: not while it is the user's */
	uv_timer_t timer;
	bool polled;
	struct pctl_error why; /* it ended */
};

/* --- Errors. ---------------------------------------------------------------------------------- */

#define LOST "connection lost: "

/* Of libipmiconsole, in our classes and in words. */
static const struct {
	int number, class;
	const char *text;
} errors[] = {
	/* It is numeric; but 1.6.10 keeps ports in 16 bits with a sign. */
	{ IPMICONSOLE_ERR_HOSTNAME_INVALID, PCTL_E_UNSUPPORTED,
		"libipmiconsole takes no port above 32767, or not this address" },
	{ IPMICONSOLE_ERR_IPMI_2_0_UNAVAILABLE, PCTL_E_UNSUPPORTED,
		"the BMC has no IPMI 2.0, and without there is no Serial over LAN" },
	{ IPMICONSOLE_ERR_CIPHER_SUITE_ID_UNAVAILABLE, PCTL_E_UNSUPPORTED,
		"the BMC does not take this cipher suite for Serial over LAN" },
	{ IPMICONSOLE_ERR_USERNAME_INVALID, PCTL_E_AUTH, "user name refused" },
	{ IPMICONSOLE_ERR_PASSWORD_INVALID, PCTL_E_AUTH, "password refused" },
	{ IPMICONSOLE_ERR_K_G_INVALID, PCTL_E_AUTH, "K_g refused" },
	{ IPMICONSOLE_ERR_PRIVILEGE_LEVEL_INSUFFICIENT, PCTL_E_FORBIDDEN,
		"the user's rights do not suffice for Serial over LAN" },
	{ IPMICONSOLE_ERR_PRIVILEGE_LEVEL_CANNOT_BE_OBTAINED, PCTL_E_FORBIDDEN,
		"privilege level cannot be obtained: the user may not have it" },
	{ IPMICONSOLE_ERR_SOL_UNAVAILABLE, PCTL_E_UNSUPPORTED,
		"Serial over LAN is not enabled on the BMC, or not for this user" },
	{ IPMICONSOLE_ERR_SOL_INUSE, PCTL_E_BUSY, "in use by another session" },
	{ IPMICONSOLE_ERR_SOL_STOLEN, PCTL_E_BUSY, "taken over by another session" },
	{ IPMICONSOLE_ERR_SOL_REQUIRES_ENCRYPTION, PCTL_E_CONFIG,
		"the BMC wants Serial over LAN encrypted: cipher_suite 3 or 17" },
	{ IPMICONSOLE_ERR_SOL_REQUIRES_NO_ENCRYPTION, PCTL_E_CONFIG,
		"the BMC wants Serial over LAN without encryption: cipher_suite 2 or 16" },
	{ IPMICONSOLE_ERR_BMC_BUSY, PCTL_E_BUSY, "the BMC has no console left" },
	{ IPMICONSOLE_ERR_BMC_ERROR, PCTL_E_PROTOCOL, "the BMC answered with an error" },
	{ IPMICONSOLE_ERR_BMC_IMPLEMENTATION, PCTL_E_PROTOCOL,
		"the BMC's answer is none that IPMI allows; a workaround may help" },
	{ IPMICONSOLE_ERR_CONNECTION_TIMEOUT, PCTL_E_UNREACHABLE, "no answer" },
	{ IPMICONSOLE_ERR_SESSION_TIMEOUT, PCTL_E_UNREACHABLE, LOST "no answer any more" },
	{ IPMICONSOLE_ERR_EXCESS_RETRANSMISSIONS_SENT, PCTL_E_UNREACHABLE,
		LOST "no answer, however often it was asked" },
	{ IPMICONSOLE_ERR_EXCESS_ERRORS_RECEIVED, PCTL_E_UNREACHABLE,
		LOST "nothing but wrong answers" },
	{ IPMICONSOLE_ERR_OUT_OF_MEMORY, PCTL_E_INTERNAL, "libipmiconsole has no memory" },
	{ IPMICONSOLE_ERR_TOO_MANY_OPEN_FILES, PCTL_E_INTERNAL,
		"too many open files: `ulimit -n` allows more" },
};

static int translate(int number, struct pctl_error *err)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].number == number)
			return pctl_error_set(err, errors[i].class, "%s", errors[i].text);
	return pctl_error_set(
		err, PCTL_E_INTERNAL, "libipmiconsole: %s", ipmiconsole_ctx_strerror(number));
}

/*
 * Why an open one is over. libipmiconsole keeps about 200 kB that nobody takes and 8 kB that the
 * BMC does not take; what is more than that is an internal error to it, and the session's end.
 */
static void translate_end(int number, struct pctl_error *err)
{
	if (number == IPMICONSOLE_ERR_INTERNAL_ERROR || number == IPMICONSOLE_ERR_SYSTEM_ERROR)
		(void)pctl_error_set(err, PCTL_E_UNREACHABLE,
			LOST "libipmiconsole gave up; more came than was taken, perhaps");
	else if (number == IPMICONSOLE_ERR_SUCCESS)
		(void)pctl_error_set(err, PCTL_E_UNREACHABLE, LOST "nobody knows why");
	else
		(void)translate(number, err);
}

/* --- The engine of libipmiconsole. ------------------------------------------------------------ */

/*
 * Begun with the first console of a program, and never ended: it is one for all loops of the
 * process, and ending it waits for sessions. Without sessions its threads sleep.
 */
static int start_engine(struct pctl_error *err)
{
	sigset_t all, before;

	/* Signals are the program's, not for threads that it does not know of. */
	(void)sigfillset(&all);
	(void)pthread_sigmask(SIG_SETMASK, &all, &before);
	int r = ipmiconsole_engine_init(ENGINE_THREADS, 0);
	int errnum = errno;
	(void)pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL, "libipmiconsole does not start: %s",
			strerror(errnum));
	return 0;
}

static const struct {
	enum workaround ours;
	unsigned theirs;
} workarounds[] = {
	{ WORKAROUND_AUTHCAP, IPMICONSOLE_WORKAROUND_AUTHENTICATION_CAPABILITIES },
	{ WORKAROUND_INTEL20, IPMICONSOLE_WORKAROUND_INTEL_2_0_SESSION },
	{ WORKAROUND_SUPERMICRO20, IPMICONSOLE_WORKAROUND_SUPERMICRO_2_0_SESSION },
	{ WORKAROUND_SUN20, IPMICONSOLE_WORKAROUND_SUN_2_0_SESSION },
	{ WORKAROUND_OPENSESSPRIV, IPMICONSOLE_WORKAROUND_OPEN_SESSION_PRIVILEGE },
	{ WORKAROUND_INTEGRITYCHECKVALUE, IPMICONSOLE_WORKAROUND_NON_EMPTY_INTEGRITY_CHECK_VALUE },
	{ WORKAROUND_NOCHECKSUMCHECK, IPMICONSOLE_WORKAROUND_NO_CHECKSUM_CHECK },
	{ WORKAROUND_SERIALALERTSDEFERRED, IPMICONSOLE_WORKAROUND_SERIAL_ALERTS_DEFERRED },
	{ WORKAROUND_SOLPACKETSEQ, IPMICONSOLE_WORKAROUND_INCREMENT_SOL_PACKET_SEQUENCE },
	{ WORKAROUND_SOLPAYLOADSIZE, IPMICONSOLE_WORKAROUND_IGNORE_SOL_PAYLOAD_SIZE },
	{ WORKAROUND_SOLPORT, IPMICONSOLE_WORKAROUND_IGNORE_SOL_PORT },
	{ WORKAROUND_SOLSTATUS, IPMICONSOLE_WORKAROUND_SKIP_SOL_ACTIVATION_STATUS },
	{ WORKAROUND_SOLCHANNELSUPPORT, IPMICONSOLE_WORKAROUND_SKIP_CHANNEL_PAYLOAD_SUPPORT },
};

static unsigned choose_workarounds(const struct ipmi_dev *dev)
{
	unsigned flags = 0;

	for (size_t i = 0; i < sizeof(workarounds) / sizeof(workarounds[0]); i++)
		if (dev->credential.workarounds & WORKAROUND_BIT(workarounds[i].ours))
			flags |= workarounds[i].theirs;
	return flags;
}

/* HOST:PORT, numeric: libipmiconsole's own look-up has nothing to look up. */
static int write_host(const struct ipmi_dev *dev, char host[HOST_SIZE], struct pctl_error *err)
{
	struct sockaddr_storage addr;
	char number[HOST_SIZE / 2];
	socklen_t len;

	int r = pctl_device_datagram_address(dev->device, dev->port, &addr, &len, err);
	if (r < 0)
		return r;
	if (getnameinfo((const struct sockaddr *)&addr, len, number, sizeof(number), NULL, 0,
		    NI_NUMERICHOST) != 0)
		return pctl_error_set(err, PCTL_E_INTERNAL, "its address has no numbers");
	(void)snprintf(host, HOST_SIZE, addr.ss_family == AF_INET6 ? "[%s]:%u" : "%s:%u", number,
		(unsigned)dev->port);
	return 0;
}

static uint8_t privilege(const struct sol *s)
{
	return s->dev->privilege ? s->dev->privilege : privileges[s->privilege];
}

/* All is given, so that no file of libipmiconsole's says something else; times are its own. */
static ipmiconsole_ctx_t new_ctx(const struct sol *s, const char *host)
{
	struct credential *c = &s->dev->credential;
	/* It only reads and copies them. */
	struct ipmiconsole_ipmi_config ipmi = {
		.username = (char *)(uintptr_t)c->username,
		.password = c->password ? (char *)(uintptr_t)pctl_secret_data(c->password)
					: (char *)(uintptr_t) "",
		.k_g = c->kg,
		.k_g_len = (unsigned)c->kg_len,
		.privilege_level = privilege(s) - PRIVILEGE_USER + IPMICONSOLE_PRIVILEGE_USER,
		.cipher_suite_id = s->suite,
		.workaround_flags = choose_workarounds(s->dev),
	};
	struct ipmiconsole_protocol_config protocol = { 0 };
	struct ipmiconsole_engine_config engine = {
		.engine_flags = IPMICONSOLE_ENGINE_OUTPUT_ON_SOL_ESTABLISHED,
		.behavior_flags = s->steal ? 0 : IPMICONSOLE_BEHAVIOR_ERROR_ON_SOL_INUSE,
	};

	return ipmiconsole_ctx_create(host, &ipmi, &protocol, &engine);
}

static int submit(struct sol *s, struct pctl_error *err)
{
	char host[HOST_SIZE];

	int r = write_host(s->dev, host, err);
	if (r == 0)
		r = start_engine(err);
	if (r < 0)
		return r;
	s->ctx = new_ctx(s, host);
	if (!s->ctx)
		return pctl_error_set(err, errno == EMFILE ? PCTL_E_INTERNAL : PCTL_E_CONFIG,
			"libipmiconsole does not take its settings: %s", strerror(errno));
	if (ipmiconsole_engine_submit(s->ctx, NULL, NULL) < 0) {
		r = translate(ipmiconsole_ctx_errnum(s->ctx), err);
		ipmiconsole_ctx_destroy(s->ctx);
		s->ctx = NULL;
		return r;
	}
	s->session.fd = ipmiconsole_ctx_fd(s->ctx);
	return 0;
}

/* Its threads are done with the context, or know that they are to be: see farewell(). */
static void drop_ctx(struct sol *s)
{
	if (!s->ctx)
		return;
	ipmiconsole_ctx_destroy(s->ctx);
	(void)close(s->session.fd);
	s->ctx = NULL;
	s->session.fd = -1;
}

/* --- The end. --------------------------------------------------------------------------------- */

static void on_timer_closed(uv_handle_t *handle)
{
	struct sol *s = pctl_container_of((uv_timer_t *)handle, struct sol, timer);
	struct ipmi_dev *dev = s->dev;

	if (s->session.ended)
		s->session.ended(s->session.data, &s->why);
	pctl_value_free(s->session.facts);
	free(s);
	ipmi_release(dev);
}

static void on_poll_closed(uv_handle_t *handle)
{
	struct sol *s = pctl_container_of((uv_poll_t *)handle, struct sol, poll);

	drop_ctx(s);
	uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

static void dispose(struct sol *s)
{
	(void)uv_timer_stop(&s->timer);
	if (s->polled) {
		uv_close((uv_handle_t *)&s->poll, on_poll_closed);
		s->polled = false;
	} else {
		drop_ctx(s);
		uv_close((uv_handle_t *)&s->timer, on_timer_closed);
	}
}

static void on_farewell(uv_poll_t *poll, int status, int events)
{
	struct sol *s = poll->data;
	char rest[512];
	ssize_t n = status < 0 ? 0 : read(s->session.fd, rest, sizeof(rest));

	(void)events;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		dispose(s);
}

static void on_no_farewell(uv_timer_t *timer)
{
	dispose(pctl_container_of(timer, struct sol, timer));
}

/*
 * Our end of file makes libipmiconsole close its session; its end of file says that it has. Only
 * then is the context given up: before, its threads look at descriptors that would be closed with
 * it and may be somebody else's by then.
 */
static void farewell(struct sol *s)
{
	s->state = LEAVING;
	if (!s->ctx) {
		dispose(s);
		return;
	}
	(void)shutdown(s->session.fd, SHUT_WR);
	(void)uv_poll_start(&s->poll, UV_READABLE, on_farewell);
	(void)uv_timer_start(&s->timer, on_no_farewell, FAREWELL_MS, 0);
}

static void close_session(struct pctl_session *session)
{
	struct sol *s = pctl_container_of(session, struct sol, session);
	struct pollfd fd = { .fd = session->fd };

	/* It was over before anybody closed it. */
	if (poll(&fd, 1, 0) > 0 && (fd.revents & POLLHUP))
		translate_end(ipmiconsole_ctx_errnum(s->ctx), &s->why);
	farewell(s);
}

/* --- The beginning. --------------------------------------------------------------------------- */

static int send_break(struct pctl_session *session, const char *arg, struct pctl_error *err)
{
	struct sol *s = pctl_container_of(session, struct sol, session);

	(void)arg;
	if (ipmiconsole_ctx_generate_break(s->ctx) < 0)
		return pctl_error_set(err, PCTL_E_INTERNAL, "libipmiconsole: %s",
			ipmiconsole_ctx_errormsg(s->ctx));
	return 0;
}

static const struct pctl_control controls[] = {
	{ .size = sizeof(struct pctl_control),
		.name = "break",
		.help = "a break on the serial line",
		.run = send_break },
	{ .name = NULL },
};

/* The op is over: well, badly, or aborted. */
static void on_op_over(void *job)
{
	struct sol *s = job;

	if (s->state == OPENING)
		farewell(s);
	else if (s->state == AGAIN)
		s->state = LEAVING;
}

static void fail(struct sol *s, const struct pctl_error *err)
{
	ipmi_end(s->dev, err); /* on_op_over() follows from within */
}

static void succeed(struct sol *s)
{
	s->state = OPEN;
	(void)uv_poll_stop(&s->poll);
	s->session.facts = pctl_value_new_map();
	pctl_value_set_text(s->session.facts, "kind", "sol");
	pctl_value_set_int(s->session.facts, "typing_rate", TYPING_RATE);
	*s->ret_session = &s->session;
	ipmi_end(s->dev, NULL);
}

static void begin(struct sol *s);

/* Where the rights are not set, a user with fewer than administrators may do as well. */
static bool try_less(struct sol *s, int number)
{
	if (number != IPMICONSOLE_ERR_PRIVILEGE_LEVEL_CANNOT_BE_OBTAINED || s->dev->privilege ||
		s->privilege + 1 == sizeof(privileges))
		return false;
	s->privilege++;
	return true;
}

static void on_less_closed(uv_handle_t *handle)
{
	struct sol *s = pctl_container_of((uv_poll_t *)handle, struct sol, poll);

	drop_ctx(s);
	if (s->state == LEAVING) {
		dispose(s);
		return;
	}
	s->state = OPENING;
	begin(s);
}

static void on_answer(uv_poll_t *poll, int status, int events)
{
	struct sol *s = poll->data;
	struct pctl_error err = { 0 };
	char up = 0;
	ssize_t n = status < 0 ? 0 : read(s->session.fd, &up, 1);

	(void)events;
	if (n > 0) {
		succeed(s);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	int number = ipmiconsole_ctx_errnum(s->ctx);
	if (try_less(s, number)) {
		s->state = AGAIN;
		s->polled = false;
		uv_close((uv_handle_t *)&s->poll, on_less_closed);
		return;
	}
	(void)translate(number, &err);
	fail(s, &err);
}

static void begin(struct sol *s)
{
	struct pctl_error err = { 0 };

	pctl_log(PCTL_LOG_TRACE, s->dev->device,
		"-> Serial over LAN, cipher suite %u, privilege %u", s->suite, privilege(s));
	if (submit(s, &err) < 0) {
		fail(s, &err);
		return;
	}
	(void)uv_poll_init(pctl_device_loop(s->dev->device), &s->poll, s->session.fd);
	s->poll.data = s;
	s->polled = true;
	(void)uv_poll_start(&s->poll, UV_READABLE, on_answer);
}

/* Logged in: it is there, it is the right one, it takes the password, and by this suite. */
static void on_there(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	struct sol *s = ipmi_kept(dev);
	const struct session *login = dev->session;

	(void)data, (void)len;
	if (!login->rmcpplus) {
		ipmi_fail(dev, PCTL_E_UNSUPPORTED,
			"the BMC speaks IPMI 1.5 only, which has no Serial over LAN");
		return;
	}
	s->suite = login->suites[login->suite];
	ipmi_say_goodbye(dev);
	begin(s);
}

static void open_console(
	void *data, struct pctl_op *op, unsigned flags, struct pctl_session **ret_session)
{
	struct ipmi_dev *dev = data;

	dev->before_change = false;
	if (dev->protocol == PROTOCOL_15 || dev->privilege == PRIVILEGE_CALLBACK) {
		pctl_op_fail(op, PCTL_E_CONFIG, "%s has no Serial over LAN",
			dev->protocol == PROTOCOL_15 ? "protocol: 1.5" : "privilege: callback");
		return;
	}
	struct sol *s = pctl_xcalloc(1, sizeof(*s));
	s->session = (struct pctl_session){
		.size = sizeof(s->session), .fd = -1, .controls = controls, .close = close_session
	};
	s->dev = dev;
	s->ret_session = ret_session;
	s->steal = flags & PCTL_CONSOLE_STEAL;
	(void)uv_timer_init(pctl_device_loop(dev->device), &s->timer);
	ipmi_hold(dev);
	ipmi_begin(dev, op);
	ipmi_keep(dev, s, on_op_over);
	ipmi_send(dev, &command_get_device_id, NULL, 0, on_there, NULL);
}

const struct pctl_console_if ipmi_console = {
	.size = sizeof(ipmi_console),
	.open = open_console,
};
