/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/opening.h"

#include <stdio.h>
#include <string.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "redirection/login.h"
#include "redirection/switch.h"

#define OUT_MAX 4096u

/* One that is being opened: it lives as long as its op, see amt_keep(). */
struct opening {
	struct amt_dev *dev;
	struct redirection_want want;
	struct redirection_facts facts;
	struct switch_work switching;
	struct wire *wire;
	struct login login;
	bool started, stolen;
	void (*over)(void *kept); /* of whoever kept something before */
	void *kept;
};

static struct opening *opening(const struct amt_dev *dev)
{
	return amt_kept(dev);
}

static void dispose(struct opening *o)
{
	wire_close(o->wire);
	free(o);
}

static void on_op_over(void *kept)
{
	struct opening *o = kept;
	void (*over)(void *) = o->over;
	void *data = o->kept;

	dispose(o);
	if (over)
		over(data);
}

/* --- The redirection port. -------------------------------------------------------------------- */

static void fail(struct opening *o, const struct pctl_error *err)
{
	const struct redirection_want want = o->want;
	const struct pctl_error e = *err;
	struct amt_dev *dev = o->dev;

	if (!want.failed) {
		amt_end(dev, &e); /* o is gone */
		return;
	}
	amt_keep(dev, o->kept, o->over);
	dispose(o);
	want.failed(dev, &e, want.data);
}

/* Says what mends it, where the port refuses. */
static void on_ended(void *data, const struct pctl_error *err)
{
	struct opening *o = data;
	struct pctl_error e = *err;

	if (err->code == PCTL_E_UNREACHABLE && err->flags & PCTL_ERROR_NOT_LISTENING) {
		(void)pctl_error_set(&e, PCTL_E_UNREACHABLE,
			"%s: its redirection listener is off; `powerctl amt features listener=on "
			"%s` switches it on",
			err->text, pctl_device_name(o->dev->device));
		(void)pctl_error_device_code(&e, "%s", err->device_code);
		/* Where it was switched on just now it may come a moment later. */
		(void)pctl_error_flag(
			&e, o->facts.switched_on ? PCTL_ERROR_DROPPED : PCTL_ERROR_NOT_LISTENING);
	}
	fail(o, &e);
}

static void transmit(struct opening *o, struct pctl_buf *out)
{
	struct pctl_error err = { 0 };

	int r = wire_send(o->wire, out, &err);
	pctl_buf_done(out);
	if (r < 0)
		fail(o, &err);
	else
		wire_expect(o->wire, pctl_device_answer_ms(o->dev->device));
}

static void on_opened(void *data)
{
	struct opening *o = data;
	struct pctl_buf out;

	pctl_buf_init(&out, OUT_MAX);
	frame_put_start(&out, o->want.what);
	transmit(o, &out);
}

static void logged_in(struct opening *o)
{
	struct amt_dev *dev = o->dev;
	const struct redirection_want want = o->want;
	const struct redirection_facts facts = o->facts;
	struct wire *wire = o->wire;

	pctl_log(PCTL_LOG_TRACE, dev->device, "%s session, firmware %u.%u",
		redirection_name(want.what), facts.major, facts.minor);
	o->wire = NULL;
	amt_keep(dev, o->kept, o->over);
	dispose(o);
	wire_speak(wire, redirection_speech(want.what));
	want.opened(dev, wire, &facts, want.data);
}

static void connect_again(struct amt_dev *dev, const struct xml_node *answer);

/* What the device declines may be done in a moment; any other failure is what it is. */
static void not_stolen(struct amt_dev *dev, const struct pctl_error *err)
{
	bool declined = err->code == PCTL_E_REFUSED || err->code == PCTL_E_STATE;
	struct pctl_error e;

	(void)pctl_error_set(&e, declined ? PCTL_E_BUSY : err->code,
		"somebody else has its %s session, and it cannot be ended: %s",
		redirection_name(opening(dev)->want.what), err->text);
	(void)pctl_error_device_code(&e, "%s", err->device_code);
	(void)pctl_error_flag(&e, err->flags);
	amt_end(dev, &e);
}

static void refused(struct opening *o, uint8_t status)
{
	struct pctl_error err = { 0 };
	char what[32];

	(void)frame_start_refused(o->want.what, status, &err);
	if (err.code == PCTL_E_CONSENT && !o->want.failed) {
		(void)snprintf(what, sizeof(what), "%s sessions", redirection_name(o->want.what));
		amt_consent_want(o->dev, what, &err); /* o is gone */
		return;
	}
	if (err.code != PCTL_E_BUSY || !o->want.steal || o->stolen) {
		fail(o, &err);
		return;
	}
	o->stolen = true;
	wire_close(o->wire);
	o->wire = NULL;
	redirection_end_others(o->dev, o->want.what, connect_again, not_stolen);
}

static int check_realm(void *data, const char *realm, struct pctl_error *err)
{
	return pctl_pin_check(((struct opening *)data)->dev->device, "realm", realm, err);
}

/*
 * Whom WS-Management has let in a moment ago has the right password. So it is not PCTL_E_AUTH,
 * which would keep the login from all else.
 */
static void not_let_in(struct opening *o, struct pctl_error *err)
{
	const struct pctl_device *d = o->dev->device;
	const struct pctl_error e = *err;

	if (e.code != PCTL_E_AUTH || !o->dev->call.logged_in)
		return;
	(void)pctl_error_set(err, PCTL_E_FORBIDDEN,
		"user '%s' was refused by the redirection port, though WS-Management takes the "
		"same login: look whether that user has the realm `redirection` (`powerctl amt "
		"users %s`)",
		pctl_setting_text(d, "username"), pctl_device_name(d));
	(void)pctl_error_device_code(err, "%s", e.device_code);
}

static void begin_login(struct opening *o)
{
	const struct pctl_device *d = o->dev->device;
	struct pctl_buf out;

	o->started = true;
	o->login = (struct login){ .username = pctl_setting_text(d, "username"),
		.password = pctl_setting_secret(d, "password"),
		.tls = wire_is_tls(o->wire),
		.check_realm = check_realm,
		.data = o };
	pctl_buf_init(&out, OUT_MAX);
	login_begin(&o->login, &out);
	transmit(o, &out);
}

static void on_started(struct opening *o, const struct frame *frame)
{
	struct frame_started started;
	struct pctl_error err = { 0 };

	if (frame_read_started(frame, &started, &err) < 0) {
		fail(o, &err);
	} else if (started.status != START_OK) {
		refused(o, started.status);
	} else {
		o->facts.major = started.major;
		o->facts.minor = started.minor;
		begin_login(o);
	}
}

static void on_frame(void *data, const struct frame *frame)
{
	struct opening *o = data;
	struct pctl_error err = { 0 };
	struct pctl_buf out;

	if (!o->started) {
		on_started(o, frame);
		return;
	}
	pctl_buf_init_secret(&out, OUT_MAX);
	int r = login_take(&o->login, frame, &out, &err);
	if (r == 0) {
		transmit(o, &out);
		return;
	}
	pctl_buf_done(&out);
	if (r < 0) {
		not_let_in(o, &err);
		fail(o, &err);
	} else {
		logged_in(o);
	}
}

static const struct wire_user user = {
	.opened = on_opened,
	.frame = on_frame,
	.ended = on_ended,
};

/* --- Before it. ------------------------------------------------------------------------------- */

static void connect_to(struct amt_dev *dev)
{
	struct opening *o = opening(dev);
	struct pctl_error err = { 0 };

	o->facts.switched_on |= o->switching.changed;
	o->facts.tls = dev->link.tls;
	if (wire_open(dev, &user, o, &o->wire, &err) < 0)
		on_ended(o, &err);
}

static void connect_again(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	connect_to(dev);
}

void redirection_open(struct amt_dev *dev, const struct redirection_want *want)
{
	struct opening *o = pctl_xcalloc(1, sizeof(*o));

	*o = (struct opening){
		.dev = dev, .want = *want, .over = dev->call.over, .kept = dev->call.kept
	};
	amt_keep(dev, o, on_op_over);
	if (want->as_is)
		connect_to(dev);
	else
		redirection_switch_on(dev, &o->switching, want->what, want->leave, connect_to);
}
