/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Media: files of this computer in the drives that IDER gives a machine. They are opened before
 * anything is sent, on a worker thread, as a file may be far away.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <powerctl/mem.h>

#include "classes/tables.h"
#include "redirection/asking.h"
#include "redirection/ider.h"
#include "redirection/opening.h"
#include "redirection/scsi.h"
#include "redirection/switch.h"

/* --- Attaching. ------------------------------------------------------------------------------- */

struct attaching {
	struct amt_dev *dev;
	char *paths[2]; /* floppy, CD; or NULL */
	struct image *images[2];
	bool again;
	struct pctl_session **ret_session;
	struct pctl_error err;
};

static int open_image(struct attaching *a, size_t i)
{
	static const uint32_t blocks[] = { SCSI_FLOPPY_BLOCK, SCSI_CD_BLOCK };

	if (!a->paths[i])
		return 0;
	int r = image_open(a->paths[i], 0, &a->images[i], &a->err);
	if (r == 0 && image_size(a->images[i]) / blocks[i] >= UINT32_MAX)
		return pctl_error_set(&a->err, PCTL_E_CONFIG,
			"%s is larger than such a drive can be", a->paths[i]);
	return r;
}

static void open_images(void *job)
{
	struct attaching *a = job;

	if (open_image(a, 0) == 0)
		(void)open_image(a, 1);
}

static void images_open(void *job, struct pctl_op *op)
{
	struct attaching *a = job;

	free(a->paths[0]);
	free(a->paths[1]);
	if (op && !a->err.code) {
		ider_open(a->dev, op,
			&(struct ider_media){
				.floppy = a->images[0], .cd = a->images[1], .again = a->again },
			a->ret_session);
		return;
	}
	image_close(a->images[0]);
	image_close(a->images[1]);
	if (op)
		pctl_op_fail_error(op, &a->err);
}

static bool is_url(const char *text)
{
	return text && strstr(text, "://");
}

static void attach(void *data, struct pctl_op *op, const struct pctl_media *media,
	struct pctl_session **ret_session)
{
	if (is_url(media->cd) || is_url(media->floppy)) {
		pctl_op_fail(op, PCTL_E_UNSUPPORTED,
			"Intel AMT fetches no URLs: the medium is a file of this computer");
		return;
	}
	if (media->writable) {
		pctl_op_fail(op, PCTL_E_UNSUPPORTED,
			"media of Intel AMT are write-protected: leave --writable out");
		return;
	}
	struct attaching *a = pctl_xcalloc(1, sizeof(*a));
	a->dev = data;
	a->paths[0] = media->floppy ? pctl_xstrdup(media->floppy) : NULL;
	a->paths[1] = media->cd ? pctl_xstrdup(media->cd) : NULL;
	a->again = media->size >= offsetof(struct pctl_media, again) + sizeof(media->again) &&
		   media->again;
	a->ret_session = ret_session;
	pctl_op_work(op, a, open_images, images_open);
}

/* --- Detaching. ------------------------------------------------------------------------------- */

/*
 * The device only hangs up on whoever had it, as a network does that fails, and he would put his
 * media in again. But he asks first whether somebody else has the drives now (session.c), and that
 * is the mark that can be left: we are there for as long as it takes him to ask twice.
 */
#define HOLD_MS ((uint64_t)3500)

struct holding {
	struct amt_dev *dev;
	struct wire *wire;
};

static void hold_over(void *kept)
{
	struct holding *h = kept;

	wire_close(h->wire);
	free(h);
}

/* It is given back by hanging up: hold_over(). */
static void let_go(struct holding *h)
{
	amt_end(h->dev, NULL);
}

static void on_hold_frame(void *data, const struct frame *frame)
{
	(void)frame;
	let_go(data);
}

/* Most likely our time is over. */
static void on_hold_ended(void *data, const struct pctl_error *err)
{
	(void)err;
	let_go(data);
}

static const struct wire_user holder = { .frame = on_hold_frame, .ended = on_hold_ended };

static void held(
	struct amt_dev *dev, struct wire *wire, const struct redirection_facts *facts, void *data)
{
	struct holding *h = data;

	(void)dev, (void)facts;
	h->wire = wire;
	wire_use(wire, &holder, h);
	wire_expect(wire, HOLD_MS);
}

/* Theirs was ended all the same, but where somebody was faster. */
static void not_held(struct amt_dev *dev, const struct pctl_error *err, void *data)
{
	(void)data;
	if (err->code == PCTL_E_BUSY)
		amt_fail(dev, PCTL_E_BUSY,
			"it was ended, and somebody has put media in again: try once more");
	else
		amt_end(dev, NULL);
}

static void ended(struct amt_dev *dev, const struct xml_node *answer)
{
	struct holding *h = pctl_xcalloc(1, sizeof(*h));

	(void)answer;
	h->dev = dev;
	amt_keep(dev, h, hold_over);
	redirection_open(dev, &(struct redirection_want){ .what = REDIRECTION_IDER,
				      .as_is = true,
				      .opened = held,
				      .failed = not_held,
				      .data = h });
}

/* Firmware says that there is none to end, in words that differ; whether that is so is asked. */
static void not_ended(struct amt_dev *dev, const struct pctl_error *err);

static void detach(void *data, struct pctl_op *op)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	redirection_end_others(dev, REDIRECTION_IDER, ended, not_ended);
}

/* --- What there is. --------------------------------------------------------------------------- */

struct looking {
	struct asking asking;
	struct amt_dev *dev;
	struct pctl_value *ret;
	struct pctl_error why; /* why it could not be ended; code 0: nobody wanted to */
	bool enabled;
};

static void look_over(void *kept)
{
	struct looking *l = kept;

	asking_end(&l->asking);
	free(l);
}

static void end_look(struct looking *l, bool attached)
{
	struct amt_dev *dev = l->dev;
	struct pctl_error why = l->why;

	if (l->ret) {
		pctl_value_set_bool(l->ret, "enabled", l->enabled);
		pctl_value_set_bool(l->ret, "attached", attached);
	}
	amt_end(dev, attached && why.code ? &why : NULL);
}

static void heard(void *data, bool busy, const struct pctl_error *err)
{
	struct looking *l = data;

	if (!err || (err->code == PCTL_E_UNREACHABLE && err->flags & PCTL_ERROR_NOT_LISTENING))
		end_look(l, busy);
	else
		amt_end(l->dev, err);
}

static void got_service(struct amt_dev *dev, const struct xml_node *answer)
{
	struct looking *l = amt_kept(dev);
	struct switch_state state = { 0 };
	struct pctl_error err = { 0 };

	if (switch_read(answer, &state, &err) < 0) {
		amt_end(dev, &err);
		return;
	}
	l->enabled = state.ider;
	if (!state.ider || !state.listener)
		end_look(l, false);
	else if (asking_begin(&l->asking, &err) < 0)
		amt_end(dev, &err);
}

static void look(struct amt_dev *dev, struct pctl_value *ret, const struct pctl_error *why)
{
	struct looking *l = pctl_xcalloc(1, sizeof(*l));

	l->asking =
		(struct asking){ .dev = dev, .what = REDIRECTION_IDER, .heard = heard, .data = l };
	l->dev = dev;
	l->ret = ret;
	if (why)
		l->why = *why;
	amt_keep(dev, l, look_over);
	amt_get(dev, &class_redirection.class, got_service, NULL);
}

static void not_ended(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_REFUSED || err->code == PCTL_E_UNSUPPORTED ||
		err->code == PCTL_E_STATE)
		look(dev, NULL, err);
	else
		amt_end(dev, err);
}

static void status(void *data, struct pctl_op *op, struct pctl_value *ret)
{
	struct amt_dev *dev = data;

	amt_begin(dev, op);
	look(dev, ret, NULL);
}

const struct pctl_media_if amt_media = {
	.size = sizeof(amt_media),
	.attach = attach,
	.detach = detach,
	.status = status,
};
