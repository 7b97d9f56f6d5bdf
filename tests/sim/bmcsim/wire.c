/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <openssl/crypto.h>
#include <string.h>

#include "device.h"
#include "login.h"
#include "request.h"
#include "server.h"
#include "sol.h"

enum {
	INTEGRITY_MD5_128 = 3,
	AES_BLOCK = 16,
	NEXT_HEADER = 0x07,
};

/* --- Authentication codes --------------------------------------------------------------------- */

void wire_code_v15(struct device *dev, const struct session *s, uint8_t auth_type,
	uint32_t sequence, const uint8_t *p, size_t n, uint8_t out[16])
{
	uint8_t id[4], number[4];
	const struct part password = { s->password, 16 };
	const struct part parts[] = { password, { id, 4 }, { p, n }, { number, 4 }, password };

	put_u32(id, s->id);
	put_u32(number, sequence);
	if (auth_type == AUTH_MD5)
		crypt_md5(&dev->sim->crypt, parts, COUNT(parts), out);
	else
		memcpy(out, s->password, 16);
}

/* At most CRYPT_KEY bytes into out, of which code_n count. */
static void code_v20(
	struct device *dev, const struct session *s, const uint8_t *p, size_t n, uint8_t *out)
{
	const struct part password = { s->password, SIM_SECRET };
	const struct part parts[] = { password, { p, n }, password };

	if (s->integrity == INTEGRITY_MD5_128)
		crypt_md5(&dev->sim->crypt, parts, COUNT(parts), out);
	else
		crypt_hmac(&dev->sim->crypt, s->hash, s->k1, crypt_hash_size(s->hash), &parts[1], 1,
			out);
}

/* --- Out -------------------------------------------------------------------------------------- */

/* Appends 13.29's confidentiality trailer and header around p; how many bytes. */
static size_t encrypt(
	struct device *dev, const struct session *s, const uint8_t *p, size_t n, uint8_t *out)
{
	size_t pad = AES_BLOCK - 1 - n % AES_BLOCK;
	uint8_t *data = out + CRYPT_IV;

	crypt_random(&dev->sim->crypt, out, CRYPT_IV);
	memcpy(data, p, n);
	for (size_t i = 0; i < pad; i++)
		data[n + i] = (uint8_t)(i + 1);
	data[n + pad] = (uint8_t)pad;
	crypt_aes_encrypt(&dev->sim->crypt, s->k2, out, data, n + pad + 1);
	return CRYPT_IV + n + pad + 1;
}

/* Integrity pad, its length, the next header and the code behind n bytes; how many there are. */
static size_t sign(struct device *dev, const struct session *s, uint8_t *out, size_t n)
{
	size_t over = n - PACKET_RMCP, pad = (4 - (over + 2) % 4) % 4;
	uint8_t code[CRYPT_KEY];

	memset(out + n, 0xFF, pad);
	n += pad;
	out[n++] = (uint8_t)pad;
	out[n++] = NEXT_HEADER;
	code_v20(dev, s, out + PACKET_RMCP, n - PACKET_RMCP, code);
	if (sim_take(&dev->knobs.bad_auth_code))
		code[0] ^= 0xFF;
	memcpy(out + n, code, s->code_n);
	return n + s->code_n;
}

void wire_send_payload(struct device *dev, struct session *s, enum payload_type type,
	const uint8_t *p, size_t n, uint64_t after_ms)
{
	uint8_t *out = dev->sim->out, body[PACKET_MAX];
	bool authenticated = s->integrity != 0;
	uint8_t bits =
		(uint8_t)(type | (authenticated ? 0x40 : 0) | (s->confidentiality ? 0x80 : 0));
	uint32_t id = s->console_id ^ (sim_take(&dev->knobs.bad_session_id) ? 0xFF : 0);

	if (n > PACKET_MAX - 128)
		return;
	if (s->confidentiality) {
		n = encrypt(dev, s, p, n, body);
		p = body;
	}

	size_t head = frame_head_v20(bits, id, session_next_sequence(s, authenticated), n, out);

	memcpy(out + head, p, n);
	n += head;
	if (authenticated)
		n = sign(dev, s, out, n);
	server_send(dev, &s->peer, out, n, after_ms);
}

/* Outside of a session, in the format in which it was asked; or in one of IPMI 1.5. */
static void send_plain(struct request *rq, const uint8_t *p, size_t n, uint64_t after_ms)
{
	struct device *dev = rq->dev;
	uint8_t *out = dev->sim->out;
	size_t head;

	if (rq->frame->kind == FRAME_V20)
		head = frame_head_v20(PAYLOAD_IPMI, 0, 0, n, out);
	else
		head = frame_head_v15(AUTH_NONE, 0, 0, (uint8_t)n, out);
	memcpy(out + head, p, n);
	server_send(dev, rq->peer, out, head + n, after_ms);
}

static void send_v15(struct request *rq, const uint8_t *p, size_t n, uint64_t after_ms)
{
	struct device *dev = rq->dev;
	struct session *s = rq->session;
	uint8_t type = rq->frame->auth_type, *out = dev->sim->out;
	uint32_t id = s->id ^ (sim_take(&dev->knobs.bad_session_id) ? 0xFF : 0);
	uint32_t sequence = s->out_sequence[0]++;
	size_t head = frame_head_v15(type, sequence, id, (uint8_t)n, out);

	memcpy(out + head, p, n);
	if (type != AUTH_NONE)
		wire_code_v15(dev, s, type, sequence, p, n, out + head - 17);
	if (type != AUTH_NONE && sim_take(&dev->knobs.bad_auth_code))
		out[head - 17] ^= 0xFF;
	server_send(dev, &s->peer, out, head + n, after_ms);
}

/* --- Messages --------------------------------------------------------------------------------- */

static uint64_t delay_of(const struct request *rq)
{
	const struct knobs *k = &rq->dev->knobs;
	bool control = rq->message->netfn == NETFN_CHASSIS && rq->message->command == 0x02;

	return k->delay_ms + (control ? k->control_delay_ms : 0);
}

static void answer(struct request *rq, uint8_t cc)
{
	uint8_t out[MESSAGE_MAX + MESSAGE_FRAME];
	size_t n = message_respond(rq->message, cc, rq->out, cc ? 0 : rq->n, out);
	uint64_t after = delay_of(rq);
	struct session *s = rq->session;

	if (sim_take(&rq->dev->knobs.bad_checksum))
		out[n - 1] ^= 0xFF;
	if (after)
		rq->dev->busy_until = sim_now(rq->dev->sim) + after;
	if (!s)
		send_plain(rq, out, n, after);
	else if (s->v20)
		wire_send_payload(rq->dev, s, PAYLOAD_IPMI, out, n, after);
	else
		send_v15(rq, out, n, after);
}

static void serve(struct request *rq, const uint8_t *p, size_t n)
{
	struct message message;

	if (!message_parse(p, n, &message) || message.netfn & 1) {
		rq->dev->counters.malformed++;
		return;
	}
	rq->message = &message;
	rq->in = message.data;
	rq->in_n = message.n;

	uint8_t cc = request_run(rq);

	if (!rq->silent)
		answer(rq, cc);
	if (rq->closes)
		session_free(rq->dev, rq->closes);
	if (rq->resets)
		device_reset(rq->dev);
}

/* --- In --------------------------------------------------------------------------------------- */

static bool good_code_v20(struct device *dev, const struct session *s, const struct frame *f)
{
	const uint8_t *code;
	uint8_t want[CRYPT_KEY];
	size_t over;

	if (!f->authenticated)
		return !s->integrity;
	if (!s->integrity || !frame_trailer(f, s->code_n, &over, &code))
		return false;
	code_v20(dev, s, f->signed_from, over, want);
	return CRYPTO_memcmp(code, want, s->code_n) == 0;
}

/* The payload in clear, in buffer if need be; false: it is not one. */
static bool decrypt(struct device *dev, const struct session *s, const struct frame *f,
	uint8_t *buffer, const uint8_t **ret_p, size_t *ret_n)
{
	size_t n = f->n, pad;

	*ret_p = f->payload;
	*ret_n = n;
	if (!f->encrypted) {
		dev->counters.not_encrypted += s->confidentiality != 0;
		return true;
	}
	if (!s->confidentiality || n < CRYPT_IV + AES_BLOCK || n % AES_BLOCK)
		return false;
	n -= CRYPT_IV;
	memcpy(buffer, f->payload + CRYPT_IV, n);
	crypt_aes_decrypt(&dev->sim->crypt, s->k2, f->payload, buffer, n);
	pad = buffer[n - 1];
	if (pad >= AES_BLOCK)
		return false;
	for (size_t i = 0; i < pad; i++)
		if (buffer[n - 2 - i] != pad - i)
			return false;
	*ret_p = buffer;
	*ret_n = n - 1 - pad;
	return true;
}

static void in_session_v20(struct request *rq)
{
	struct device *dev = rq->dev;
	const struct frame *f = rq->frame;
	struct session *s = session_find(dev, f->session);
	uint8_t buffer[PACKET_MAX];
	const uint8_t *p;
	size_t n;

	if (!s || !s->v20 || s->state != SESSION_ACTIVE) {
		dev->counters.bad_session++;
		return;
	}
	if (!good_code_v20(dev, s, f) || !decrypt(dev, s, f, buffer, &p, &n)) {
		dev->counters.bad_auth_code++;
		return;
	}
	if (!session_sequence(s, f->authenticated, f->sequence) && dev->knobs.seq_check) {
		dev->counters.replayed++;
		return;
	}
	s->last_used = sim_now(dev->sim);
	s->peer = *rq->peer;
	rq->session = s;
	if (f->payload_type == PAYLOAD_SOL)
		sol_receive(dev, s, p, n);
	else if (f->payload_type == PAYLOAD_IPMI)
		serve(rq, p, n);
}

static bool good_code_v15(struct device *dev, const struct session *s, const struct frame *f)
{
	uint8_t want[16];

	if (f->auth_type != s->auth_type)
		return f->auth_type == AUTH_NONE && s->state == SESSION_ACTIVE &&
		       !dev->knobs.per_message;
	if (f->auth_type == AUTH_NONE)
		return true;
	wire_code_v15(dev, s, f->auth_type, f->sequence, f->payload, f->n, want);
	return CRYPTO_memcmp(f->auth_code, want, 16) == 0;
}

static void in_session_v15(struct request *rq)
{
	struct device *dev = rq->dev;
	const struct frame *f = rq->frame;
	struct session *s = session_find(dev, f->session);

	if (!s || s->v20) {
		dev->counters.bad_session++;
		return;
	}
	if (!good_code_v15(dev, s, f)) {
		dev->counters.bad_auth_code++;
		if (s->state != SESSION_ACTIVE)
			session_login_failed(dev);
		return;
	}
	/* Number 0: Activate Session, perhaps again because its answer was lost. */
	if (s->state == SESSION_ACTIVE && (s->used || f->sequence) &&
		!session_sequence(s, false, f->sequence) && dev->knobs.seq_check) {
		dev->counters.replayed++;
		return;
	}
	s->last_used = sim_now(dev->sim);
	s->peer = *rq->peer;
	rq->session = s;
	serve(rq, f->payload, f->n);
}

static void set_up(struct request *rq)
{
	static const struct {
		uint8_t asks;
		uint8_t answers;
		size_t (*run)(struct device *dev, const uint8_t *p, size_t n, uint8_t *out);
	} steps[] = {
		{ PAYLOAD_OPEN_REQUEST, PAYLOAD_OPEN_RESPONSE, login_open },
		{ PAYLOAD_RAKP1, PAYLOAD_RAKP2, login_rakp1 },
		{ PAYLOAD_RAKP3, PAYLOAD_RAKP4, login_rakp3 },
	};
	struct device *dev = rq->dev;
	const struct frame *f = rq->frame;
	uint8_t payload[LOGIN_REPLY], *out = dev->sim->out;

	if (dev->knobs.no_ipmi20 || f->encrypted || f->authenticated)
		return;
	for (size_t i = 0; i < COUNT(steps); i++) {
		if (steps[i].asks != f->payload_type)
			continue;

		size_t n = steps[i].run(dev, f->payload, f->n, payload);
		size_t head = frame_head_v20(steps[i].answers, 0, 0, n, out);

		if (!n)
			return;
		memcpy(out + head, payload, n);
		server_send(dev, rq->peer, out, head + n, 0);
	}
}

static void receive_v20(struct request *rq)
{
	const struct frame *f = rq->frame;

	if (f->payload_type >= PAYLOAD_OPEN_REQUEST)
		set_up(rq);
	else if (f->session)
		in_session_v20(rq);
	else if (f->payload_type == PAYLOAD_IPMI && !f->encrypted && !f->authenticated)
		serve(rq, f->payload, f->n);
}

void wire_receive(
	struct device *dev, const struct sockaddr_storage *peer, const uint8_t *p, size_t n)
{
	struct frame frame;
	struct request rq = { .dev = dev, .peer = peer, .frame = &frame };

	if (!frame_parse(p, n, &frame)) {
		dev->counters.malformed++;
		return;
	}
	if (frame.kind == FRAME_PING) {
		dev->counters.pings++;
		pong_build(frame.tag, true, dev->sim->out);
		if (dev->knobs.ping)
			server_send(dev, peer, dev->sim->out, PACKET_PONG, 0);
	} else if (frame.kind == FRAME_V20) {
		receive_v20(&rq);
	} else if (frame.session) {
		in_session_v15(&rq);
	} else if (frame.auth_type == AUTH_NONE) {
		serve(&rq, frame.payload, frame.n);
	}
}
