/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/stream.h"

#include <assert.h>
#include <string.h>

#include <powerctl/log.h>
#include <powerctl/mem.h>

#include "driver/crash.h"
#include "engine/task.h"

struct pctl_stream {
	struct pctl_run *run; /* has the device's target, where that is not own */
	struct pctl_target *own;
	struct pctl_device *device;
	struct pctl_session *session;
	bool taken, closing;
	bool told; /* the session's end was heard of */
	struct pctl_error why;
	pctl_stream_ended_fn *ended;
	pctl_stream_note_fn *note;
	void *data;
	pctl_stream_closed_fn *closed;
	void *closed_data;
};

static void on_device_closed(void *data)
{
	struct pctl_stream *s = data;

	pctl_target_free_other(s->own); /* of the run's, by which it lives */
	pctl_run_release(s->run);
	if (s->closed)
		s->closed(s->closed_data, &s->why);
	free(s);
}

static void on_ended(void *data, const struct pctl_error *err)
{
	struct pctl_stream *s = data;

	s->told = true;
	s->why = *err;
	pctl_log(PCTL_LOG_TRACE, s->device, "session: %s%s%s",
		err->code ? pctl_error_name(err->code) : "ended", err->code ? ": " : "", err->text);
	if (s->closing)
		pctl_device_close(s->device, on_device_closed, s);
	else if (s->ended)
		s->ended(s->data, err);
}

static void on_note(void *data, const char *text)
{
	struct pctl_stream *s = data;

	pctl_log(PCTL_LOG_TRACE, s->device, "session: %s", text);
	if (s->note && !s->closing)
		s->note(s->data, text);
}

struct pctl_stream *pctl_stream_new(struct pctl_run *run, struct pctl_device *device,
	struct pctl_target *take_other, struct pctl_session *session)
{
	struct pctl_stream *s = pctl_xcalloc(1, sizeof(*s));

	s->run = run;
	s->own = take_other;
	s->device = device;
	s->session = session;
	session->ended = on_ended;
	session->data = s;
	if (session->size >= offsetof(struct pctl_session, note) + sizeof(session->note))
		session->note = on_note;
	pctl_run_hold(run);
	return s;
}

bool pctl_stream_taken(const struct pctl_stream *s)
{
	return s->taken;
}

void pctl_stream_take(struct pctl_stream *s, pctl_stream_ended_fn *ended, void *data)
{
	assert(!s->taken && "a stream has one owner");
	s->taken = true;
	s->ended = ended;
	s->data = data;
}

void pctl_stream_on_note(struct pctl_stream *s, pctl_stream_note_fn *note)
{
	s->note = note;
}

int pctl_stream_fd(const struct pctl_stream *s)
{
	return s->session->fd;
}

const struct pctl_value *pctl_stream_facts(const struct pctl_stream *s)
{
	return s->session->facts;
}

static const char *driver_of(const struct pctl_stream *s)
{
	return s->device->target->loaded->name;
}

static int run_control(struct pctl_stream *s, const struct pctl_control *c, const char *arg,
	struct pctl_error *err)
{
	pctl_crash_enter(driver_of(s), "a session's control", s->device->target->name);
	int r = c->run(s->session, arg, err);
	pctl_crash_leave();
	return r;
}

int pctl_stream_control(
	struct pctl_stream *s, const char *name, const char *arg, struct pctl_error *err)
{
	for (const struct pctl_control *c = s->session->controls; c && c->name; c++)
		if (strcmp(c->name, name) == 0)
			return run_control(s, c, arg, err);
	return pctl_error_set(err, PCTL_E_UNSUPPORTED, "it has no '%s'", name);
}

void pctl_stream_close(struct pctl_stream *s, pctl_stream_closed_fn *closed, void *data)
{
	struct pctl_session *session = s->session;

	assert(!s->closing && "a stream is closed once");
	s->closing = true;
	s->closed = closed;
	s->closed_data = data;
	/* When its close returns, s and device may be gone, where it had not been heard of. */
	bool told = s->told;
	pctl_crash_enter(driver_of(s), "a session's close", s->device->target->name);
	session->close(session);
	pctl_crash_leave();
	if (told)
		pctl_device_close(s->device, on_device_closed, s);
}
