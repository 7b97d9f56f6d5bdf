/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/asking.h"

void asking_end(struct asking *a)
{
	wire_close(a->wire);
	a->wire = NULL;
}

static void tell(struct asking *a, bool busy, const struct pctl_error *err)
{
	asking_end(a);
	a->heard(a->data, busy, err);
}

static void on_ended(void *data, const struct pctl_error *err)
{
	const struct pctl_error e = *err;

	tell(data, false, &e);
}

static void on_opened(void *data)
{
	struct asking *a = data;
	struct pctl_buf out;
	struct pctl_error err = { 0 };

	pctl_buf_init(&out, 64);
	frame_put_start(&out, a->what);
	int r = wire_send(a->wire, &out, &err);
	pctl_buf_done(&out);
	if (r < 0)
		tell(a, false, &err);
	else
		wire_expect(a->wire, pctl_device_answer_ms(a->dev->device));
}

/* Switched off in the BIOS, or not without consent: then nobody has one. */
static void on_frame(void *data, const struct frame *frame)
{
	struct frame_started started;
	struct pctl_error err = { 0 };

	if (frame_read_started(frame, &started, &err) < 0)
		tell(data, false, &err);
	else
		tell(data, started.status == START_BUSY, NULL);
}

static const struct wire_user user = { .opened = on_opened, .frame = on_frame, .ended = on_ended };

int asking_begin(struct asking *a, struct pctl_error *err)
{
	return wire_open(a->dev, &user, a, &a->wire, err);
}
