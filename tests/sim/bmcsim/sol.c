/* SPDX-License-Identifier: Apache-2.0 */
#include "sol.h"

#include <stdlib.h>
#include <string.h>

#include "backend.h"
#include "sim.h"
#include "wire.h"

enum {
	QUEUE_MAX = 2 << 20,
	QUEUE_HIGH = 32 * 1024,
	/* From the console, table 15-2. */
	OP_NACK = 0x40,
	OP_BREAK = 0x10,
	OP_PAUSE = 0x08,
	OP_FLUSH = 0x01,
	/* To it. */
	STATUS_NACK = 0x40,
	STATUS_DEACTIVATED = 0x10,
};

struct sol {
	struct device *dev;
	struct session *session;
	struct backend *backend;
	uv_timer_t retry;
	struct buf queue;
	bool paused;
	/* While a packet is being heard: what comes of it follows its answer. */
	bool holds;
	/* Out: the packet that has no answer yet. */
	uint8_t number;
	uint8_t flight[256];
	size_t flight_n;
	uint32_t retries;
	/* In: the last one, and what it was answered. */
	uint8_t last;
	uint8_t last_accepted;
	uint8_t last_status;
};

static uint32_t instance_of(const struct sol *sol)
{
	for (uint32_t i = 0; i < SOL_INSTANCES; i++)
		if (sol->dev->sols[i] == sol)
			return i + 1;
	return 0;
}

static size_t room_out(const struct device *dev)
{
	uint32_t max = dev->knobs.sol_max_out;

	return max > SOL_HEAD ? max - SOL_HEAD : 1;
}

static void transmit(struct sol *sol, const uint8_t *p, size_t n)
{
	struct device *dev = sol->dev;

	dev->counters.sol_packets_out++;
	if (sim_take(&dev->knobs.sol_drop)) {
		dev->counters.dropped++;
		return;
	}
	wire_send_payload(dev, sol->session, PAYLOAD_SOL, p, n, 0);
	if (sim_take(&dev->knobs.sol_repeat))
		wire_send_payload(dev, sol->session, PAYLOAD_SOL, p, n, 0);
}

/* The acknowledgement is part of each packet; number 0 is that only. */
static void send_packet(struct sol *sol, uint8_t number, const uint8_t *data, size_t n, bool acks)
{
	uint8_t packet[SOL_HEAD + sizeof(sol->flight)] = { number };

	if (acks) {
		packet[1] = sol->last;
		packet[2] = sol->last_accepted;
		packet[3] = sol->last_status;
	}
	if (n)
		memcpy(packet + SOL_HEAD, data, n);
	transmit(sol, packet, SOL_HEAD + n);
}

static void on_retry(uv_timer_t *timer)
{
	struct sol *sol = timer->data;
	struct device *dev = sol->dev;

	if (!sol->flight_n)
		return;
	if (sol->retries++ >= dev->knobs.sol_retries) {
		sol->flight_n = 0; /* given up: lost, as it is on a real one */
		dev->counters.sol_lost++;
	} else {
		dev->counters.sol_retries++;
		send_packet(sol, sol->number, sol->flight, sol->flight_n, false);
	}
	uv_timer_start(timer, on_retry, dev->knobs.sol_retry_ms, 0);
}

/* Something new if nothing is in flight; true if so. */
static bool send_more(struct sol *sol, bool acks)
{
	size_t n = room_out(sol->dev);

	if (sol->flight_n || !sol->queue.n || sol->paused)
		return false;
	if (n > sizeof(sol->flight))
		n = sizeof(sol->flight);
	if (n > sol->queue.n)
		n = sol->queue.n;
	memcpy(sol->flight, sol->queue.p, n);
	buf_drop(&sol->queue, n);
	sol->flight_n = n;
	sol->number = (uint8_t)(sol->number % 15 + 1);
	sol->retries = 0;
	sol->dev->counters.sol_bytes_out += n;
	send_packet(sol, sol->number, sol->flight, n, acks);
	uv_timer_start(&sol->retry, on_retry, sol->dev->knobs.sol_retry_ms, 0);
	backend_pause(sol->backend, sol->queue.n > QUEUE_HIGH);
	return true;
}

static void on_output(void *arg, const uint8_t *p, size_t n)
{
	struct sol *sol = arg;

	buf_add(&sol->queue, (const char *)p, n);
	if (!sol->holds)
		send_more(sol, false);
	backend_pause(sol->backend, sol->queue.n > QUEUE_HIGH);
}

void sol_activate(struct device *dev, struct session *s, uint32_t instance)
{
	struct sol *sol = xcalloc(1, sizeof(*sol));

	sol->dev = dev;
	sol->session = s;
	s->sol = sol;
	dev->sols[instance - 1] = sol;
	buf_init(&sol->queue, QUEUE_MAX);
	uv_timer_init(&dev->sim->loop, &sol->retry);
	sol->retry.data = sol;
	sol->backend = backend_open(dev, on_output, sol);
	dev->counters.sol_activations++;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void end(struct sol *sol)
{
	sol->dev->sols[instance_of(sol) - 1] = NULL;
	sol->session->sol = NULL;
	backend_close(sol->backend);
	buf_done(&sol->queue);
	uv_close((uv_handle_t *)&sol->retry, on_closed);
}

void sol_deactivate(struct device *dev, uint32_t instance, const struct session *by)
{
	struct sol *sol = dev->sols[instance - 1];

	if (!sol)
		return;
	if (sol->session != by) {
		const uint8_t packet[SOL_HEAD] = { 0, 0, 0, STATUS_DEACTIVATED };

		transmit(sol, packet, sizeof(packet));
	}
	end(sol);
}

bool sol_active(const struct device *dev, uint32_t instance)
{
	return sol_session(dev, instance) != 0;
}

uint32_t sol_session(const struct device *dev, uint32_t instance)
{
	const struct sol *sol = dev->sols[instance - 1];

	if (sol)
		return sol->session->id;
	return instance == 1 && dev->knobs.sol_taken ? SOL_OTHER : 0;
}

void sol_take(struct device *dev)
{
	if (dev->knobs.sol_taken)
		sol_deactivate(dev, 1, NULL);
}

void sol_session_gone(struct device *dev, struct session *s)
{
	(void)dev;
	if (s->sol)
		end(s->sol);
}

/* What the console says about the packet in flight. */
static void hear_answer(struct sol *sol, uint8_t number, size_t accepted, uint8_t operation)
{
	if (!sol->flight_n || number != sol->number)
		return;
	if (accepted < sol->flight_n && (accepted || operation & OP_NACK)) {
		/* The rest goes again, as a packet of its own, when the timer ends. */
		memmove(sol->flight, sol->flight + accepted, sol->flight_n - accepted);
		sol->flight_n -= accepted;
		sol->number = (uint8_t)(sol->number % 15 + 1);
		sol->retries = 0;
		return;
	}
	/* Neither taken nor refused: some consoles acknowledge so. */
	sol->flight_n = 0;
	uv_timer_stop(&sol->retry);
}

static void hear_operation(struct sol *sol, uint8_t operation)
{
	struct device *dev = sol->dev;

	sol->paused = operation & OP_PAUSE;
	if (operation & OP_FLUSH)
		sol->queue.n = 0;
	if (operation & OP_BREAK) {
		dev->counters.sol_breaks++;
		backend_break(sol->backend);
	}
}

static void hear_data(struct sol *sol, uint8_t number, const uint8_t *p, size_t n)
{
	struct device *dev = sol->dev;
	size_t most = dev->knobs.sol_accept ? dev->knobs.sol_accept : n;

	sol->last = number;
	sol->last_accepted = 0;
	sol->last_status = 0;
	if (n + SOL_HEAD > dev->knobs.sol_max_in)
		dev->counters.sol_too_long++;
	if (n + SOL_HEAD > dev->knobs.sol_max_in || sim_take(&dev->knobs.sol_nack)) {
		sol->last_status = STATUS_NACK;
		return;
	}
	if (n)
		sol->last_accepted = (uint8_t)backend_input(sol->backend, p, n < most ? n : most);
	if (sol->last_accepted < n)
		sol->last_status = STATUS_NACK;
	dev->counters.sol_bytes_in += sol->last_accepted;
}

void sol_receive(struct device *dev, struct session *s, const uint8_t *p, size_t n)
{
	struct sol *sol = s->sol;

	dev->counters.sol_packets_in++;
	if (!sol || n < SOL_HEAD || n > 255 + SOL_HEAD)
		return;
	if (sim_take(&dev->knobs.sol_drop_in)) {
		dev->counters.dropped++;
		return;
	}

	uint8_t number = p[0] & 0x0F;
	bool again = number && number == sol->last;

	sol->holds = true;
	if (p[1] & 0x0F)
		hear_answer(sol, p[1] & 0x0F, p[2], p[3]);
	if (again) {
		dev->counters.sol_repeats++;
	} else {
		hear_operation(sol, p[3]);
		if (number)
			hear_data(sol, number, p + SOL_HEAD, n - SOL_HEAD);
	}
	sol->holds = false;
	if (dev->knobs.sol_piggyback && number && send_more(sol, true))
		return;
	if (number)
		send_packet(sol, 0, NULL, 0, true);
	send_more(sol, false);
}
