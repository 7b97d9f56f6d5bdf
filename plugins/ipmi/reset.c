/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Starting the BMC anew: it takes the command, answers on for a while, is gone, and comes back. The
 * session tells when it is gone, for a BMC that has started knows no old ones; then fresh logins
 * tell when it is back.
 */
#include "records.h"

#define LOOK_MS  1000u
#define LOGIN_MS 3000u
/* A BMC that knows the session for so long has kept it, or did not start anew. */
#define GONE_MS 30000u

struct reset {
	struct records records;
	uint64_t began;
	bool gone;
	unsigned refused; /* logins, in a row */
};

static struct reset *job_of(const struct ipmi_dev *dev)
{
	return ipmi_kept(dev);
}

static uint64_t now(const struct ipmi_dev *dev)
{
	return uv_now(pctl_device_loop(dev->device));
}

static void look(struct ipmi_dev *dev);

static void finish(struct ipmi_dev *dev)
{
	const struct reset *r = job_of(dev);

	pctl_value_set_bool(r->records.ret, "restarted", r->gone);
	pctl_value_set_int(
		r->records.ret, "seconds", (int64_t)((now(dev) - r->began + 500) / 1000));
	ipmi_end(dev, NULL);
}

static void on_there(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	const struct reset *r = job_of(dev);
	struct device_id id;

	/* Bit 7 of the firmware's revision: it is not ready yet. */
	bool ready = device_id_decode(data, len, &id) && !(data[2] & 0x80);
	if (ready && (r->gone || now(dev) - r->began > GONE_MS))
		finish(dev);
	else
		records_pause(dev, LOOK_MS, look);
}

/*
 * While it starts it may know no users yet, but real refusals must not be repeated until the
 * account is locked.
 */
static bool is_refusal(const struct pctl_error *err)
{
	return err->code == PCTL_E_AUTH || err->code == PCTL_E_FORBIDDEN ||
	       err->code == PCTL_E_TRUST || err->code == PCTL_E_CONFIG;
}

static void on_not_there(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	struct reset *r = job_of(dev);

	if (code >= 0) { /* "starting up" and the like */
		records_pause(dev, LOOK_MS, look);
		return;
	}
	r->gone = true;
	r->refused = is_refusal(err) ? r->refused + 1 : 0;
	if (r->refused > 1)
		ipmi_end(dev, err);
	else
		records_pause(dev, LOGIN_MS, look);
}

static void look(struct ipmi_dev *dev)
{
	ipmi_send(dev, &command_get_device_id, NULL, 0, on_there, on_not_there);
}

static void on_taken(struct ipmi_dev *dev, const uint8_t *data, size_t len)
{
	(void)data, (void)len;
	pctl_op_taken(dev->call.op);
	records_pause(dev, LOOK_MS, look);
}

/* Some start at once and never answer. */
static void on_silence(struct ipmi_dev *dev, const struct pctl_error *err, int code)
{
	if (code < 0 && err->code == PCTL_E_TIMEOUT)
		on_not_there(dev, err, code);
	else
		ipmi_end(dev, err);
}

void reset_run(
	void *data, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret)
{
	struct ipmi_dev *dev = data;
	struct reset *r = records_begin(dev, op, sizeof(*r), ret);
	bool warm = pctl_argument_choice(args, "kind") == 1;

	r->began = now(dev);
	pctl_value_set_text(ret, "kind", warm ? "warm" : "cold");
	ipmi_send(dev, warm ? &command_warm_reset : &command_cold_reset, NULL, 0, on_taken,
		on_silence);
}
