/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User consent: IPS_OptInService shows a code of six digits on the machine's screen and takes it
 * back from us. StartOptIn is taken only where nothing was started, and blocked for a while after
 * too many of them or too many wrong codes; what SendOptInCode returns for a wrong code is not
 * written down anywhere, so the state afterwards says what it was.
 */
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/parse.h>

#include "amt.h"

const struct wsman_class amt_opt_in = WSMAN_CLASS(WSMAN_IPS, "IPS_OptInService");

enum { DIGITS = 6, WRONG_CODES = 3 };

/* --- What others ask of it. ------------------------------------------------------------------- */

static enum pctl_consent_need need_of(const struct xml_node *service)
{
	uint64_t n = xml_uint(service, "OptInRequired", 0);

	if (n == UINT32_MAX)
		return PCTL_CONSENT_ALL;
	return n == 1 ? PCTL_CONSENT_KVM : PCTL_CONSENT_NONE;
}

static enum pctl_consent_state state_of(const struct xml_node *service)
{
	uint64_t n = xml_uint(service, "OptInState", 0);

	return n <= PCTL_CONSENT_IN_SESSION ? (enum pctl_consent_state)n : PCTL_CONSENT_IDLE;
}

static enum pctl_consent_need remember(struct amt_dev *dev, const struct xml_node *service)
{
	enum pctl_consent_need need = need_of(service);

	pctl_fact_put(dev->device, FACT_CONSENT, pctl_consent_need_name(need));
	return need;
}

bool amt_consent_lacks(
	struct amt_dev *dev, const struct xml_node *service, enum pctl_consent_need what)
{
	return remember(dev, service) >= what && state_of(service) < PCTL_CONSENT_RECEIVED;
}

void amt_consent_want(struct amt_dev *dev, const char *what, const struct pctl_error *why)
{
	struct pctl_error err = { 0 };

	(void)pctl_error_set(&err, PCTL_E_CONSENT,
		"%s need user consent on this machine: somebody there has to read out the code it "
		"shows",
		what);
	if (why)
		(void)pctl_error_device_code(&err, "%s", why->device_code);
	amt_end(dev, &err);
}

/* --- Reading. --------------------------------------------------------------------------------- */

static void fill(struct amt_dev *dev, const struct xml_node *service)
{
	struct pctl_consent *ret = dev->work.consent.ret;

	ret->required = remember(dev, service);
	ret->state = state_of(service);
	ret->can_modify = xml_uint(service, "CanModifyOptInPolicy", 0) == 1;
	ret->display_s = (uint32_t)xml_uint(service, "OptInDisplayTimeout", 0);
	ret->idle_s = (uint32_t)xml_uint(service, "OptInCodeTimeout", 0);
}

static void finish_get(struct amt_dev *dev, const struct xml_node *answer)
{
	fill(dev, answer);
	amt_end(dev, NULL);
}

/* Firmware before 6.0 has nothing of the kind: it asks nobody. */
static void no_service(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED)
		amt_end(dev, NULL);
	else
		amt_end(dev, err);
}

static void begin(struct amt_dev *dev, struct pctl_op *op, struct pctl_consent *ret)
{
	amt_begin(dev, op);
	dev->work.consent = (struct consent_work){ .ret = ret };
}

static void get(void *data, struct pctl_op *op, struct pctl_consent *ret)
{
	struct amt_dev *dev = data;

	begin(dev, op, ret);
	amt_get(dev, &amt_opt_in, finish_get, no_service);
}

/* --- Requests. -------------------------------------------------------------------------------- */

static void read_again(struct amt_dev *dev)
{
	amt_get(dev, &amt_opt_in, finish_get, NULL);
}

static void turned_on(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	dev->work.consent.ret->turned_on = true;
	read_again(dev);
}

/* A state that nobody knows is none to act upon. */
static void got_power(struct amt_dev *dev, const struct xml_node *answer)
{
	enum pctl_power_state state = amt_power_state(answer);

	if (state == PCTL_POWER_ON || state == PCTL_POWER_UNKNOWN)
		read_again(dev);
	else
		amt_power_on(dev, turned_on, NULL);
}

static void started(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_power_look(dev, got_power, NULL);
}

static void not_started(struct amt_dev *dev, const struct pctl_error *err)
{
	struct pctl_error told = *err;

	if (err->code == PCTL_E_BUSY && strcmp(err->device_code, "ReturnValue 3") == 0) {
		(void)pctl_error_set(&told, PCTL_E_BUSY,
			"it shows no code now, after too many wrong ones or too many requests; try "
			"again in some minutes");
		(void)pctl_error_device_code(&told, "%s", err->device_code);
	}
	amt_end(dev, &told);
}

static void start(struct amt_dev *dev)
{
	(void)amt_invoke(dev, &amt_opt_in, "StartOptIn", STATUS_OPT_IN);
	amt_send(dev, started, not_started);
}

static void older_canceled(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	dev->work.consent.ret->renewed = true;
	start(dev);
}

/* Its time may have been over in the same moment: whether it can be started says StartOptIn. */
static void older_not_canceled(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_STATE)
		start(dev);
	else
		amt_end(dev, err);
}

static void invoke_cancel(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except)
{
	(void)amt_invoke(dev, &amt_opt_in, "CancelOptIn", STATUS_OPT_IN);
	amt_send(dev, then, except);
}

static void got_before(struct amt_dev *dev, const struct xml_node *answer)
{
	struct pctl_consent *ret = dev->work.consent.ret;

	fill(dev, answer);
	if (ret->required == PCTL_CONSENT_NONE)
		amt_fail(dev, PCTL_E_STATE, "this machine needs nobody's consent");
	else if (ret->state >= PCTL_CONSENT_RECEIVED)
		amt_end(dev, NULL);
	else if (ret->state == PCTL_CONSENT_IDLE)
		start(dev);
	else
		invoke_cancel(dev, older_canceled, older_not_canceled);
}

static void no_service_to_ask(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED)
		amt_fail(dev, PCTL_E_STATE, "this machine's firmware needs nobody's consent");
	else
		amt_end(dev, err);
}

static void request(void *data, struct pctl_op *op, struct pctl_consent *ret)
{
	struct amt_dev *dev = data;

	begin(dev, op, ret);
	amt_get(dev, &amt_opt_in, got_before, no_service_to_ask);
}

/* --- The code. -------------------------------------------------------------------------------- */

static void finish(struct amt_dev *dev, const struct xml_node *answer)
{
	(void)answer;
	amt_end(dev, NULL);
}

static void end_refused(struct amt_dev *dev, int code, const char *words)
{
	struct pctl_error err = { 0 };

	(void)pctl_error_set(&err, code, "%s", words);
	(void)pctl_error_device_code(&err, "%s", dev->call.saved->device_code);
	amt_end(dev, &err);
}

static void got_verdict(struct amt_dev *dev, const struct xml_node *answer)
{
	bool no_state = dev->call.saved->code == PCTL_E_STATE;

	switch (state_of(answer)) {
	case PCTL_CONSENT_RECEIVED:
	case PCTL_CONSENT_IN_SESSION:
		amt_end(dev, NULL);
		break;
	case PCTL_CONSENT_DISPLAYED:
		end_refused(dev, PCTL_E_CONSENT, "the code is not the one that it shows");
		break;
	case PCTL_CONSENT_REQUESTED:
		end_refused(dev, PCTL_E_CONSENT, "its screen does not show the code yet");
		break;
	default:
		if (no_state)
			end_refused(dev, PCTL_E_STATE, "it shows no code");
		else
			end_refused(dev, PCTL_E_FORBIDDEN,
				"the code was wrong for the last time; it shows none any more, and "
				"no other one for some minutes");
		break;
	}
}

static void no_verdict(struct amt_dev *dev, const struct pctl_error *err)
{
	(void)err;
	amt_end(dev, dev->call.saved);
}

/* It was looked at and refused: it must not be sent again, whatever becomes of our question. */
static void not_taken(struct amt_dev *dev, const struct pctl_error *err)
{
	if (!answer_is_verdict(err) || err->code == PCTL_E_BUSY) {
		amt_end(dev, err);
		return;
	}
	pctl_op_taken(dev->call.op);
	dev->call.saved = pctl_xcalloc(1, sizeof(*err));
	*dev->call.saved = *err;
	amt_get(dev, &amt_opt_in, got_verdict, no_verdict);
}

static void submit(void *data, struct pctl_op *op, const char *code)
{
	struct amt_dev *dev = data;
	uint64_t n = 0;

	begin(dev, op, NULL);
	if (pctl_parse_uint(code, 999999, &n) < 0) {
		amt_fail(dev, PCTL_E_CONFIG, "a code has six digits");
		return;
	}
	struct wsman *w = amt_invoke(dev, &amt_opt_in, "SendOptInCode", STATUS_OPT_IN);
	wsman_uint(w, "OptInCode", n);
	amt_changes(dev);
	amt_send(dev, finish, not_taken);
}

/* --- Taking it back. -------------------------------------------------------------------------- */

static void got_after(struct amt_dev *dev, const struct xml_node *answer)
{
	amt_end(dev, state_of(answer) == PCTL_CONSENT_IDLE ? NULL : dev->call.saved);
}

/* Where nothing was started there is nothing to take back. */
static void not_canceled(struct amt_dev *dev, const struct pctl_error *err)
{
	if (err->code == PCTL_E_UNSUPPORTED) {
		amt_end(dev, NULL);
	} else if (err->code == PCTL_E_STATE) {
		dev->call.saved = pctl_xcalloc(1, sizeof(*err));
		*dev->call.saved = *err;
		amt_get(dev, &amt_opt_in, got_after, no_verdict);
	} else {
		amt_end(dev, err);
	}
}

static void cancel(void *data, struct pctl_op *op)
{
	struct amt_dev *dev = data;

	begin(dev, op, NULL);
	invoke_cancel(dev, finish, not_canceled);
}

const struct pctl_consent_if amt_consent = {
	.size = sizeof(amt_consent),
	.digits = DIGITS,
	.tries = WRONG_CODES,
	.get = get,
	.request = request,
	.submit = submit,
	.cancel = cancel,
};
