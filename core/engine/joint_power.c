/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verbs on a node that several feeds power. Outlets come before the management processor that
 * they feed, and go after it. What only the management processor can do goes to it alone, once no
 * outlet reads off. Nothing is guessed: off is what every feed said.
 */
#include <string.h>

#include "base/jitter.h"
#include "engine/joint.h"

#define NAMES_SIZE  200u
#define POLL_GROWTH 10u

static uint64_t now(const struct pctl_joint *j)
{
	return uv_now(j->target->core->loop);
}

/* What a task at a feed is to do: the command's wishes are for the node as a whole. */
static struct pctl_request request_for(const struct pctl_joint *j, enum pctl_verb verb)
{
	struct pctl_request request = *j->request;

	request.verb = verb;
	request.no_wait = request.until_ready = request.soft = request.on_if_off = false;
	request.force_after_ms = 0;
	return request;
}

uint64_t pctl_joint_limit(const struct pctl_joint *j)
{
	const struct pctl_verb_def *def = pctl_verb_def(j->request->verb);
	bool soft = j->request->soft && def->soft_limit_offset;
	uint64_t each =
		pctl_target_ms(j->target, soft ? def->soft_limit_offset : def->limit_offset);

	if (j->request->timeout_ms)
		return j->request->timeout_ms;
	if (!(def->flags & PCTL_VERB_CHANGES))
		return each;
	/* Outlets, the management processor's return, the machine: one after the other. */
	return 2 * each + j->feeds->outage_ms + j->feeds->return_ms;
}

/* --- Which feeds. ----------------------------------------------------------------------------- */

static bool is_failed(const struct pctl_part *part)
{
	return part->asked && !part->ok;
}

static bool is_unread(const struct pctl_part *part)
{
	return !part->read;
}

static bool is_not_on(const struct pctl_part *part)
{
	return !pctl_part_is(part, PCTL_POWER_ON);
}

static bool is_not_off(const struct pctl_part *part)
{
	return !pctl_part_is(part, PCTL_POWER_OFF);
}

static bool is_not_own(const struct pctl_part *part)
{
	return !part->feed->own;
}

static bool is_dark_outlet(const struct pctl_part *part)
{
	return !part->feed->own && pctl_part_is(part, PCTL_POWER_OFF);
}

static bool any_outlet(const struct pctl_joint *j, pctl_part_fn *which)
{
	for (size_t i = 0; i < j->n; i++)
		if (!j->parts[i].feed->own && which(&j->parts[i]))
			return true;
	return false;
}

static void begin_outlets(
	struct pctl_joint *j, pctl_part_fn *which, const struct pctl_request *request)
{
	for (size_t i = 0; i < j->n; i++)
		if (!j->parts[i].feed->own && which(&j->parts[i]))
			pctl_joint_begin_part(j, &j->parts[i], request);
}

static void end_failed(struct pctl_joint *j)
{
	int code = pctl_joint_code(j);

	pctl_joint_end_fail(j, code ? code : PCTL_E_STATE, "%s", "");
}

static void end_dry(struct pctl_joint *j, const char *action, pctl_part_fn *which)
{
	char names[NAMES_SIZE], words[NAMES_SIZE];
	enum pctl_power_state state;
	bool silent, known = pctl_joint_state(j, &state, &silent);

	pctl_joint_note(j, "would send '%s' to %s; %s", action,
		pctl_joint_names(j, which, names, sizeof(names)),
		pctl_joint_words(j, words, sizeof(words)));
	pctl_joint_end_ok(j, "ok", state, known);
}

/* --- status, wait. ---------------------------------------------------------------------------- */

static void note_silence(struct pctl_joint *j, bool silent)
{
	const struct pctl_part *own = pctl_joint_own(j);

	if (silent)
		pctl_joint_note(j, "%s: %s; all outlets that feed it are off", own->feed->name,
			own->error.text);
}

static void end_state(struct pctl_joint *j)
{
	enum pctl_power_state state;
	bool silent;

	if (pctl_joint_state(j, &state, &silent)) {
		note_silence(j, silent);
		pctl_joint_end_ok(j, NULL, state, true);
		return;
	}
	end_failed(j);
}

/* What was found at the management processor is the node's. */
static void end_check(struct pctl_joint *j)
{
	const struct pctl_part *own = pctl_joint_own(j);
	enum pctl_power_state state;
	struct pctl_error err = { 0 };
	bool silent;

	if (own)
		j->tree = own->tree;
	if (!own || !pctl_check_failed(own->tree, &err))
		end_state(j);
	else if (pctl_joint_state(j, &state, &silent))
		pctl_joint_end_error(j, &err);
	else
		end_failed(j);
}

static void begin_check(struct pctl_joint *j)
{
	const struct pctl_request request = request_for(j, PCTL_VERB_STATUS);
	struct pctl_part *own = pctl_joint_own(j);

	begin_outlets(j, is_not_own, &request);
	if (own)
		pctl_joint_begin_part(j, own, j->request);
	pctl_joint_go(j, end_check);
}

/* As tasks poll: slower and slower. */
static void pause_poll(struct pctl_joint *j, uint64_t until, pctl_joint_fn *then)
{
	uint64_t most = j->target->poll_ms * POLL_GROWTH, delay = pctl_jitter(j->poll_ms);

	j->poll_ms = j->poll_ms * 3 / 2 < most ? j->poll_ms * 3 / 2 : most;
	if (now(j) + delay > until)
		delay = until > now(j) ? until - now(j) : 0;
	pctl_joint_pause(j, delay, then);
}

static void poll_wanted(struct pctl_joint *j);

static void on_wanted_read(struct pctl_joint *j)
{
	enum pctl_power_state wanted = j->request->wait_state, state;
	int code = pctl_joint_code(j);
	bool silent;

	if (pctl_joint_state(j, &state, &silent) && state == wanted)
		end_state(j);
	else if (code && !pctl_error_retried(code))
		end_failed(j);
	else if (now(j) >= j->deadline)
		pctl_joint_end_fail(j, code ? code : PCTL_E_TIMEOUT, "not %s in time",
			pctl_power_state_name(wanted));
	else
		pause_poll(j, j->deadline, poll_wanted);
}

static void poll_wanted(struct pctl_joint *j)
{
	pctl_joint_read(j, true, true, on_wanted_read);
}

/* --- on: outlets, then what they feed. -------------------------------------------------------- */

static void on_own_on(struct pctl_joint *j)
{
	const struct pctl_part *own = pctl_joint_own(j);

	if (!own->ok)
		end_failed(j);
	else if (j->request->no_wait && !pctl_part_is(own, PCTL_POWER_ON))
		pctl_joint_end_ok(j, own->word, own->state, false);
	else
		pctl_joint_end_on(j);
}

static void turn_own_on(struct pctl_joint *j)
{
	struct pctl_request request = request_for(j, PCTL_VERB_ON);

	request.no_wait = j->request->no_wait;
	pctl_joint_begin_part(j, pctl_joint_own(j), &request);
	pctl_joint_go(j, on_own_on);
}

/* After an outage: as it was before. */
static void end_returned(struct pctl_joint *j)
{
	const struct pctl_part *own = pctl_joint_own(j);
	const char *state = pctl_power_state_name(own->state);

	if (j->was_on_known)
		pctl_joint_note(j, "%s is %s, and was not on before", own->feed->name, state);
	else
		pctl_joint_note(j, "%s is %s; whether it was on before is not known",
			own->feed->name, state);
	if (pctl_part_is(own, PCTL_POWER_ON))
		pctl_joint_end_on(j);
	else
		pctl_joint_end_ok(j, "ok", PCTL_POWER_UNKNOWN, false);
}

static void poll_own(struct pctl_joint *j);

static void on_own_back(struct pctl_joint *j)
{
	const struct pctl_part *own = pctl_joint_own(j);

	if (own->ok && j->was_on)
		turn_own_on(j);
	else if (own->ok)
		end_returned(j);
	else if (!j->lit || !pctl_error_retried(own->error.code) || now(j) >= j->until)
		end_failed(j);
	else
		pause_poll(j, j->until, poll_own);
}

static void poll_own(struct pctl_joint *j)
{
	pctl_joint_read(j, true, false, on_own_back);
}

static void on_outlets_on(struct pctl_joint *j)
{
	const struct pctl_part *own = pctl_joint_own(j);
	uint64_t until = now(j) + j->feeds->return_ms;

	if (any_outlet(j, is_failed)) {
		end_failed(j);
	} else if (!own && any_outlet(j, is_not_on)) {
		pctl_joint_end_ok(j, "accepted", PCTL_POWER_UNKNOWN, false); /* --no-wait */
	} else if (!own) {
		pctl_joint_end_on(j);
	} else if (j->lit) {
		j->until = until < j->deadline ? until : j->deadline;
		j->poll_ms = j->target->poll_ms;
		poll_own(j);
	} else {
		turn_own_on(j);
	}
}

static void turn_outlets_on(struct pctl_joint *j)
{
	struct pctl_request request = request_for(j, PCTL_VERB_ON);

	request.no_wait = j->request->no_wait && !pctl_joint_own(j);
	j->lit = any_outlet(j, is_not_on);
	begin_outlets(j, is_not_on, &request);
	pctl_joint_go(j, on_outlets_on);
}

/* Whether nothing can come of it: an outlet that cannot be read, or what has power and refuses us.
 */
static bool is_hopeless(struct pctl_joint *j)
{
	const struct pctl_part *own = pctl_joint_own(j);
	bool powered = pctl_joint_outlets_are(j, PCTL_POWER_ON);

	return any_outlet(j, is_unread) ||
	       (own && !own->read && (powered || !pctl_part_is_silent(own)));
}

static void change_to_on(struct pctl_joint *j)
{
	pctl_joint_change(j, turn_outlets_on);
}

static void begin_on(struct pctl_joint *j)
{
	int code = pctl_joint_code(j);

	j->was_on = j->was_on_known = true;
	if (is_hopeless(j))
		pctl_joint_end_fail(j, code ? code : PCTL_E_STATE, "nothing was sent");
	else if (j->request->dry_run)
		end_dry(j, "on", is_not_on);
	else
		pctl_joint_place(j, change_to_on);
}

static void on_read_for_on(struct pctl_joint *j)
{
	enum pctl_power_state state;
	bool silent;

	if (pctl_joint_state(j, &state, &silent) && state == PCTL_POWER_ON)
		pctl_joint_end_on(j);
	else
		begin_on(j);
}

/* --- off: the machine, then its outlets. ------------------------------------------------------ */

static void on_all_off(struct pctl_joint *j)
{
	enum pctl_power_state state;
	bool silent;

	if (pctl_joint_state(j, &state, &silent) && state == PCTL_POWER_OFF)
		end_state(j);
	else
		end_failed(j);
}

static void on_outlets_off(struct pctl_joint *j)
{
	const struct pctl_part *own = pctl_joint_own(j);

	if (any_outlet(j, is_failed))
		end_failed(j);
	else if (j->request->no_wait && any_outlet(j, is_not_off))
		pctl_joint_end_ok(j, "accepted", PCTL_POWER_UNKNOWN, false);
	else if (own && is_not_off(own))
		pctl_joint_read(j, true, false, on_all_off); /* is it silent now? */
	else
		on_all_off(j);
}

static void turn_outlets_off(struct pctl_joint *j)
{
	struct pctl_request request = request_for(j, PCTL_VERB_OFF);

	request.no_wait = j->request->no_wait;
	request.soft = j->request->soft && !pctl_joint_own(j);
	begin_outlets(j, is_not_off, &request);
	pctl_joint_go(j, on_outlets_off);
}

/* A device that takes no certificate of ours is the machine's own all the same. */
static bool is_stranger(const struct pctl_part *own)
{
	return own && own->error.code == PCTL_E_TRUST && !(own->error.flags & PCTL_ERROR_OURS);
}

/*
 * Hard means to take the power away: also from a management processor that does not do as it is
 * told, but not from one that is another machine's.
 */
static void on_own_off(struct pctl_joint *j)
{
	const struct pctl_part *own = pctl_joint_own(j);

	if (own->ok || (!j->request->soft && !is_stranger(own)))
		turn_outlets_off(j);
	else
		end_failed(j);
}

static void go_off(struct pctl_joint *j)
{
	struct pctl_request request = request_for(j, PCTL_VERB_OFF);
	struct pctl_part *own = pctl_joint_own(j);

	request.soft = j->request->soft;
	request.force_after_ms = j->request->force_after_ms;
	if (own && own->read && is_not_off(own)) {
		pctl_joint_begin_part(j, own, &request);
		pctl_joint_go(j, on_own_off);
	} else if (own && !own->read) {
		on_own_off(j); /* it could not even be asked */
	} else {
		turn_outlets_off(j);
	}
}

static void begin_off(struct pctl_joint *j)
{
	if (j->request->dry_run)
		end_dry(j, "off", is_not_off);
	else
		pctl_joint_change(j, go_off);
}

static void on_read_for_off(struct pctl_joint *j)
{
	enum pctl_power_state state;
	bool silent;

	if (pctl_joint_state(j, &state, &silent) && state == PCTL_POWER_OFF)
		end_state(j);
	else
		begin_off(j);
}

/* --- An outage: all outlets off at once, a pause, on again. ----------------------------------- */

/* What it failed for is told; outlets that are off again by then are told as they are. */
static void on_restored(struct pctl_joint *j)
{
	if (j->dark_failed.code && !any_outlet(j, is_failed))
		pctl_joint_end_fail(j, j->dark_failed.code,
			"not all outlets went off, and those that did were turned on again; "
			"before that: %.120s",
			j->dark_failed.text);
	else
		end_failed(j);
}

static void restore_outlets(struct pctl_joint *j)
{
	const struct pctl_request request = request_for(j, PCTL_VERB_ON);

	char words[NAMES_SIZE];

	(void)pctl_error_set(&j->dark_failed, pctl_joint_code(j), "%s",
		pctl_joint_words(j, words, sizeof(words)));
	begin_outlets(j, is_dark_outlet, &request);
	pctl_joint_go(j, on_restored);
}

static void on_dark(struct pctl_joint *j)
{
	if (any_outlet(j, is_failed))
		restore_outlets(j);
	else
		pctl_joint_pause(j, j->feeds->outage_ms, turn_outlets_on);
}

static void begin_outage(struct pctl_joint *j)
{
	const struct pctl_request request = request_for(j, PCTL_VERB_OFF);

	begin_outlets(j, is_not_off, &request);
	pctl_joint_go(j, on_dark);
}

static void change_by_outage(struct pctl_joint *j)
{
	pctl_joint_change(j, begin_outage);
}

static void on_read_for_outage(struct pctl_joint *j)
{
	const struct pctl_part *own = pctl_joint_own(j);
	bool may_turn_on = j->request->verb == PCTL_VERB_REBOOT || j->request->on_if_off;
	bool off = pctl_joint_outlets_are(j, PCTL_POWER_OFF);
	int code = pctl_joint_code(j);

	j->was_on = own ? pctl_part_is(own, PCTL_POWER_ON) : true;
	j->was_on_known = !own || own->read;
	if (any_outlet(j, is_unread) || is_stranger(own))
		pctl_joint_end_fail(j, code ? code : PCTL_E_STATE, "nothing was sent");
	else if (off && may_turn_on)
		begin_on(j);
	else if (off)
		pctl_joint_end_fail(j, PCTL_E_STATE,
			"its outlets are off already; `powerctl on` turns them on");
	else if (j->request->dry_run)
		end_dry(j, "off, then on", is_not_own);
	else
		pctl_joint_place(j, change_by_outage);
}

/* --- What only the management processor can do. ----------------------------------------------- */

/* What it said is the node's answer; outlets that could not be read stand beside it. */
static void on_delegated(struct pctl_joint *j)
{
	const struct pctl_part *own = pctl_joint_own(j);
	char names[NAMES_SIZE];

	if (!own->ok) {
		pctl_joint_end_error(j, &own->error);
		return;
	}
	if (any_outlet(j, is_unread))
		pctl_joint_note(j, "%s could not be read",
			pctl_joint_names(j, is_unread, names, sizeof(names)));
	else if (own->note)
		pctl_joint_note(j, "%s", own->note);
	pctl_joint_end_ok(j, own->word, own->state, own->read);
}

static void delegate(struct pctl_joint *j)
{
	pctl_joint_begin_part(j, pctl_joint_own(j), j->request);
	pctl_joint_go(j, on_delegated);
}

static void change_own(struct pctl_joint *j)
{
	pctl_joint_change(j, delegate);
}

static void on_read_for_own(struct pctl_joint *j)
{
	char names[NAMES_SIZE];

	if (any_outlet(j, is_dark_outlet))
		pctl_joint_end_fail(j, PCTL_E_STATE,
			"%s: no power there; `powerctl on` turns on all feeds",
			pctl_joint_names(j, is_dark_outlet, names, sizeof(names)));
	else if ((pctl_run_flags(j->run) & PCTL_VERB_STARTS) && !j->request->dry_run)
		pctl_joint_place(j, change_own);
	else
		change_own(j);
}

/* --- The first step. -------------------------------------------------------------------------- */

void pctl_joint_begin_verb(struct pctl_joint *j)
{
	bool restarts = j->request->verb == PCTL_VERB_REBOOT || j->request->verb == PCTL_VERB_CYCLE;
	bool own = pctl_joint_own(j) != NULL;

	j->poll_ms = j->target->poll_ms;
	if (j->request->verb == PCTL_VERB_STATUS)
		pctl_joint_read(j, true, true, end_state);
	else if (j->request->verb == PCTL_VERB_CHECK)
		begin_check(j);
	else if (j->request->verb == PCTL_VERB_WAIT)
		poll_wanted(j);
	else if (j->request->verb == PCTL_VERB_ON)
		pctl_joint_read(j, true, true, on_read_for_on);
	else if (j->request->verb == PCTL_VERB_OFF)
		pctl_joint_read(j, true, true, on_read_for_off);
	else if (j->request->verb == PCTL_VERB_AC_CYCLE || (restarts && !own))
		pctl_joint_read(j, true, true, on_read_for_outage);
	else if (own)
		pctl_joint_read(j, false, true, on_read_for_own);
	else
		pctl_joint_end_fail(j, PCTL_E_UNSUPPORTED,
			"'%s' wants a management processor among the feeds, and these are outlets; "
			"`powerctl cycle` turns them off and on",
			pctl_verb_name(j->request->verb));
}
