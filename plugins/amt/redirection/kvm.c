/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The screen: KVM redirection. Behind the login and one more frame the connection is plain RFB: the
 * user gets the device's own descriptor, and nothing stands between. Over TLS there is a tap in
 * place of it.
 */
#include <stdlib.h>

#include <powerctl/mem.h>

#include "amt.h"
#include "redirection/screens.h"
#include "redirection/session.h"

/* Firmware hangs up on more, in whatever format. */
#define PICTURE_MAX 9216000

struct kvm {
	struct session session;
	unsigned flags;
	struct screens_work screens;
};

static struct kvm *kvm(struct session *s)
{
	return pctl_container_of(s, struct kvm, session);
}

static void tell_facts(struct session *s, struct pctl_value *facts)
{
	struct pctl_value *formats = pctl_value_new_list();

	pctl_value_set_text(facts, "version", "3.8");
	pctl_value_add(formats, pctl_value_new_text("rgb565"));
	pctl_value_add(formats, pctl_value_new_text("rgb332"));
	pctl_value_set(facts, "pixel_formats", formats);
	pctl_value_set_int(facts, "picture_max", PICTURE_MAX);
	if (kvm(s)->screens.changed)
		pctl_value_set_text(
			facts, "note", "KVM showed another display; it shows this one from now on");
}

static void on_typed(struct session *s, const char *bytes, size_t len, struct pctl_buf *out)
{
	(void)s;
	pctl_buf_add(out, bytes, len);
}

static void start(struct session *s)
{
	struct pctl_buf out;

	pctl_buf_init(&out, 64);
	frame_put_short(&out, FRAME_KVM_OPEN, 0);
	session_send(s, &out);
}

static void on_opening(struct session *s, const struct frame *frame)
{
	struct pctl_error err = { 0 };

	if (!session_agreed(s, frame, FRAME_KVM_OPENED))
		return;
	s->user.fd = wire_take(s->wire);
	if (s->user.fd >= 0) {
		s->wire = NULL;
	} else if (session_tap(s, &err) < 0) {
		session_end(s, &err);
		return;
	}
	session_opened(s);
}

static void free_kvm(struct session *s)
{
	free(kvm(s));
}

static const struct session_kind kind = {
	.what = REDIRECTION_KVM,
	.word = "rfb",
	.name = "KVM",
	.not_opened = "it closed the connection where KVM begins: KVM needs Intel graphics and a "
		      "monitor, or a plug that looks like one",
	.start = start,
	.opening = on_opening,
	.typed = on_typed,
	.tell_facts = tell_facts,
	.free = free_kvm,
};

static void connect_to(struct amt_dev *dev)
{
	struct session *s = amt_kept(dev);

	session_start(s, kvm(s)->flags & PCTL_DISPLAY_STEAL);
}

static void open_display(void *data, struct pctl_op *op, const struct pctl_display_wish *wish,
	struct pctl_session **ret_session)
{
	struct amt_dev *dev = data;
	struct kvm *k = pctl_xcalloc(1, sizeof(*k));

	k->flags = wish->flags;
	k->screens = (struct screens_work){ .display = wish->display, .then = connect_to };
	session_begin(&k->session, &kind, dev, op, ret_session);
	if (wish->display)
		screens_choose(dev, &k->screens);
	else
		connect_to(dev);
}

const struct pctl_display_if amt_display = {
	.size = sizeof(amt_display),
	.open = open_display,
	.direct = screens_direct,
};
