/* SPDX-License-Identifier: Apache-2.0 */
#include "rfb.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>

#include "json.h"
#include "kvm_picture.h"
#include "redir_kvm.h"
#include "redir_session.h"
#include "sim.h"

enum {
	SECURITY_NONE = 1,
	SECURITY_VNC = 2,
	CHALLENGE = 16,
	DESKTOP_SIZE = -223,
	OUT_MAX = 64 << 20,
	/* Above this nothing further is made for a client that does not read. */
	KEPT_MAX = 4 << 20,
	ENCODINGS_MAX = 256,
	CUT_TEXT_MAX = 1 << 20,
	TICK_MS = 50,
};

struct rfb {
	struct redir_session base; /* open once it has greeted */
	enum {
		VERSION,  /* the client's answer to the greeting */
		SECURITY, /* its choice */
		RESPONSE, /* to a challenge */
		INIT,
		NORMAL,
	} step;
	bool password; /* that of the device's VNC port is wanted */
	uint8_t challenge[CHALLENGE];
	struct picture shown; /* the size that the client knows, and its pixels */
	int encoding;
	bool resizes;  /* the client knows DesktopSize */
	bool begun;    /* the zlib stream */
	bool wanted;   /* an update, that is made when there is room */
	bool owed;     /* one that is made when the picture is another one */
	uint32_t sent; /* the frame that the client has; 0: none */
};

static uint32_t frame_now(const struct device *dev)
{
	uint32_t frozen = dev->knobs.picture;

	return frozen ? frozen : (uint32_t)(sim_now(dev->sim) / 100 + 1);
}

static void picture_now(const struct device *dev, struct picture *ret)
{
	ret->width = (uint16_t)dev->knobs.kvm_width;
	ret->height = (uint16_t)dev->knobs.kvm_height;
	ret->frame = frame_now(dev);
}

/* --- What it says. ---------------------------------------------------------------------------- */

static void say(struct rfb *k, const struct buf *b)
{
	redir_send(k->base.conn, b->p, b->n);
	k->base.dev->counters.kvm_bytes_out += b->n;
}

/* RGB565 unless it is told otherwise. */
static void server_init(struct rfb *k)
{
	static const uint8_t format[16] = { 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0, 0, 0, 0 };
	static const char name[] = "Intel(r) AMT KVM";
	uint8_t size[4];
	struct buf b;

	picture_now(k->base.dev, &k->shown);
	k->shown.pixel_bytes = 2;
	size[0] = (uint8_t)(k->shown.width >> 8);
	size[1] = (uint8_t)k->shown.width;
	size[2] = (uint8_t)(k->shown.height >> 8);
	size[3] = (uint8_t)k->shown.height;
	buf_init(&b, OUT_MAX);
	buf_add(&b, (const char *)size, sizeof(size));
	buf_add(&b, (const char *)format, sizeof(format));
	buf_add(&b, "\0\0\0", 3);
	buf_char(&b, (char)(sizeof(name) - 1));
	buf_add(&b, name, sizeof(name) - 1);
	say(k, &b);
	buf_done(&b);
}

static void head(struct buf *b, unsigned rectangles)
{
	buf_add(b, "\0\0", 2);
	buf_char(b, (char)(rectangles >> 8));
	buf_char(b, (char)rectangles);
}

/* True: the client was told of a new size, and asks again. */
static bool say_size(struct rfb *k)
{
	struct picture now = k->shown;
	uint8_t rectangle[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0x21 };
	struct buf b;

	picture_now(k->base.dev, &now);
	if ((now.width == k->shown.width && now.height == k->shown.height) || !k->resizes)
		return false;
	k->shown = now;
	rectangle[4] = (uint8_t)(now.width >> 8);
	rectangle[5] = (uint8_t)now.width;
	rectangle[6] = (uint8_t)(now.height >> 8);
	rectangle[7] = (uint8_t)now.height;
	buf_init(&b, OUT_MAX);
	head(&b, 1);
	buf_add(&b, (const char *)rectangle, sizeof(rectangle));
	say(k, &b);
	buf_done(&b);
	return true;
}

static bool same(const struct kvm_kept *kept, const struct picture *p, int encoding, bool begins)
{
	return kept->bytes.n && kept->width == p->width && kept->height == p->height &&
	       kept->frame == p->frame && kept->pixel_bytes == p->pixel_bytes &&
	       kept->encoding == encoding && kept->begins == begins;
}

/* A whole update of the picture as it is now. */
static const struct buf *pack(struct rfb *k)
{
	struct kvm_kept *kept = &k->base.dev->sim->kvm_kept;
	bool begins = k->encoding == ENCODING_ZRLE && !k->begun;
	uint16_t count = 0;

	k->shown.frame = frame_now(k->base.dev);
	k->begun |= begins;
	if (same(kept, &k->shown, k->encoding, begins))
		return &kept->bytes;
	kvm_forget(k->base.dev->sim);
	buf_init(&kept->bytes, OUT_MAX);
	head(&kept->bytes, 0);
	picture_encode(&k->shown, k->encoding, begins, &kept->bytes, &count);
	kept->bytes.p[2] = (char)(count >> 8);
	kept->bytes.p[3] = (char)count;
	kept->width = k->shown.width;
	kept->height = k->shown.height;
	kept->frame = k->shown.frame;
	kept->pixel_bytes = k->shown.pixel_bytes;
	kept->encoding = k->encoding;
	kept->begins = begins;
	return &kept->bytes;
}

void kvm_forget(struct sim *sim)
{
	buf_done(&sim->kvm_kept.bytes);
	sim->kvm_kept = (struct kvm_kept){ 0 };
}

/* False: the fault has spoken in place of the picture. */
static bool fault_update(struct rfb *k)
{
	static const uint8_t outside[] = { 0, 0, 0, 1, 0xFF, 0xF0, 0, 0, 0, 64, 0, 64, 0, 0, 0, 0 };
	static const uint8_t broken[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 64, 0, 64, 0, 0, 0, 16, 0, 0,
		0, 8, 0x78, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
	static const uint8_t endless[] = { 0, 0, 0, 1, 0, 0, 0, 0, 0, 64, 0, 64, 0, 0, 0, 16, 0x7F,
		0xFF, 0xFF, 0xFF };
	static const uint8_t empty[] = { 0, 0, 0, 0 };

	switch (k->base.dev->knobs.kvm_fault) {
	case KVM_FAULT_RECTANGLE:
		redir_send(k->base.conn, outside, sizeof(outside));
		return false;
	case KVM_FAULT_ZLIB:
		redir_send(k->base.conn, broken, sizeof(broken));
		return false;
	case KVM_FAULT_TRUNCATE:
		redir_send(k->base.conn, endless, sizeof(endless));
		return false;
	case KVM_FAULT_GARBAGE:
		redir_send(k->base.conn, "\x99garbage", 8);
		return false;
	case KVM_FAULT_EMPTY:
		redir_send(k->base.conn, empty, sizeof(empty));
		return false;
	case KVM_FAULT_SILENT:
		return false;
	default:
		return true;
	}
}

/* Whether the client has what there is to be seen. */
static bool is_seen(const struct rfb *k)
{
	struct picture now = { 0 };

	picture_now(k->base.dev, &now);
	return k->sent == now.frame && now.width == k->shown.width && now.height == k->shown.height;
}

static void update(struct rfb *k)
{
	if (redir_waiting(k->base.conn) > KEPT_MAX) {
		k->wanted = true;
		return;
	}
	k->wanted = false;
	if (!fault_update(k) || say_size(k))
		return;

	const struct buf *b = pack(k);

	k->base.dev->counters.kvm_updates++;
	k->sent = k->shown.frame;
	if (k->base.dev->knobs.kvm_fault == KVM_FAULT_DROP) {
		redir_send(k->base.conn, b->p, b->n / 2);
		redir_hang_up(k->base.conn);
	} else {
		say(k, b);
	}
}

static void on_tick(uv_timer_t *timer)
{
	struct rfb *k = timer->data;

	if (!k->owed || is_seen(k))
		return;
	k->owed = false;
	update(k);
}

/* Of changes only: when there are any. */
static void ask(struct rfb *k, bool changes)
{
	k->owed = changes && is_seen(k);
	if (!k->owed)
		update(k);
}

/* --- What it is told. ------------------------------------------------------------------------- */

/* RGB565 and RGB332 as firmware knows them; all else ends the session, and so does too much. */
static bool set_format(struct rfb *k, const uint8_t *p)
{
	static const uint8_t wide[] = { 16, 16, 0, 1, 0, 31, 0, 63, 0, 31, 11, 5, 0 };
	static const uint8_t small[] = { 8, 8, 0, 1, 0, 7, 0, 7, 0, 3, 5, 2, 0 };
	uint64_t pixels = (uint64_t)k->shown.width * k->shown.height;

	/* The depth is not looked at. */
	k->sent = 0;
	if (p[0] == 16 && memcmp(p + 2, wide + 2, 11) == 0)
		k->shown.pixel_bytes = 2;
	else if (p[0] == 8 && memcmp(p + 2, small + 2, 11) == 0)
		k->shown.pixel_bytes = 1;
	else
		return false;
	return pixels * k->shown.pixel_bytes <= k->base.dev->knobs.kvm_limit;
}

/* The first that it knows; without Raw it hangs up. */
static bool set_encodings(struct rfb *k, const uint8_t *p, unsigned n)
{
	bool raw = false, chosen = false;

	k->resizes = false;
	for (unsigned i = 0; i < n; i++) {
		int32_t e = (int32_t)be32(p + 4 * i);

		raw |= e == ENCODING_RAW;
		k->resizes |= e == DESKTOP_SIZE;
		if (!chosen && (e == ENCODING_RAW || e == ENCODING_ZRLE)) {
			k->encoding = e;
			chosen = true;
		}
	}
	return raw;
}

/* 0: more is needed to know; SIZE_MAX: no such message. */
static size_t message_length(const uint8_t *p, size_t n)
{
	switch (p[0]) {
	case 0:
		return 20;
	case 2:
		return n < 4 ? 0 : 4 + 4 * (size_t)be16(p + 2);
	case 3:
		return 10;
	case 4:
		return 8;
	case 5:
		return 6;
	case 6:
		if (n < 8)
			return 0;
		return be32(p + 4) > CUT_TEXT_MAX ? SIZE_MAX : 8 + (size_t)be32(p + 4);
	default:
		return SIZE_MAX;
	}
}

static bool act(struct rfb *k, const uint8_t *p)
{
	switch (p[0]) {
	case 0:
		return set_format(k, p + 4);
	case 2:
		return be16(p + 2) <= ENCODINGS_MAX && set_encodings(k, p + 4, be16(p + 2));
	case 3:
		ask(k, p[1]);
		return true;
	case 4:
		k->base.dev->counters.kvm_keys++;
		return true;
	default:
		return true;
	}
}

static size_t take_message(struct rfb *k, const uint8_t *p, size_t n)
{
	size_t len = message_length(p, n);

	if (len == SIZE_MAX) {
		redir_hang_up(k->base.conn);
		return n;
	}
	if (!len || n < len)
		return 0;
	if (!act(k, p))
		redir_hang_up(k->base.conn);
	return len;
}

static size_t take_version(struct rfb *k, const uint8_t *p)
{
	bool wants = k->password || k->base.dev->knobs.kvm_fault == KVM_FAULT_SECURITY;

	if (memcmp(p, "RFB 003.008\n", 12) != 0)
		redir_hang_up(k->base.conn);
	else
		redir_send(k->base.conn, wants ? "\1\2" : "\1\1", 2);
	k->step = SECURITY;
	return 12;
}

static void refuse(struct rfb *k)
{
	redir_send(k->base.conn, "\0\0\0\1\0\0\0\7refused", 15);
	redir_hang_up(k->base.conn);
}

static void let_in(struct rfb *k)
{
	redir_send(k->base.conn, "\0\0\0\0", 4);
	k->step = INIT;
}

static size_t take_choice(struct rfb *k, const uint8_t *p)
{
	if (p[0] != (k->password ? SECURITY_VNC : SECURITY_NONE) ||
		RAND_bytes(k->challenge, CHALLENGE) != 1) {
		refuse(k);
	} else if (k->password) {
		redir_send(k->base.conn, k->challenge, CHALLENGE);
		k->step = RESPONSE;
	} else {
		let_in(k);
	}
	return 1;
}

/* DES by the password, whose bytes have their bits the other way round (RFC 6143, 7.2.2). */
static bool encrypt(const char *password, const uint8_t *in, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t key[24] = { 0 };
	int n = 0;

	for (size_t i = 0; i < 8 && password[i]; i++)
		for (unsigned bit = 0; bit < 8; bit++)
			if (password[i] & 1 << bit)
				key[i] |= (uint8_t)(0x80 >> bit);
	/* Three times the same key is DES as it was. */
	memcpy(key + 8, key, 8);
	memcpy(key + 16, key, 8);

	bool done = ctx && EVP_EncryptInit_ex(ctx, EVP_des_ede3_ecb(), NULL, key, NULL) == 1 &&
		    EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
		    EVP_EncryptUpdate(ctx, out, &n, in, CHALLENGE) == 1 && n == CHALLENGE;

	EVP_CIPHER_CTX_free(ctx);
	return done;
}

static size_t take_response(struct rfb *k, const uint8_t *p)
{
	struct device *dev = k->base.dev;
	uint8_t wanted[CHALLENGE];

	if (encrypt(dev->vnc.password, k->challenge, wanted) && memcmp(p, wanted, CHALLENGE) == 0) {
		dev->counters.redir_logins++;
		let_in(k);
	} else {
		dev->counters.redir_bad_logins++;
		refuse(k);
	}
	return CHALLENGE;
}

static size_t take_init(struct rfb *k)
{
	k->step = NORMAL;
	if (k->base.dev->knobs.kvm_fault == KVM_FAULT_CLOSE_INIT)
		redir_hang_up(k->base.conn);
	else
		server_init(k);
	return 1;
}

size_t rfb_take(struct redir_conn *c, void *session, const uint8_t *p, size_t n)
{
	struct rfb *k = session;

	(void)c;
	switch (k->step) {
	case VERSION:
		return n < 12 ? 0 : take_version(k, p);
	case SECURITY:
		return take_choice(k, p);
	case RESPONSE:
		return n < CHALLENGE ? 0 : take_response(k, p);
	case INIT:
		return take_init(k);
	default:
		return take_message(k, p, n);
	}
}

void rfb_room(struct redir_conn *c, void *session)
{
	struct rfb *k = session;

	(void)c;
	if (k && k->wanted)
		update(k);
}

void *rfb_begin(struct redir_conn *c, bool password)
{
	struct rfb *k = redir_session_begin(c, sizeof(*k), NULL);

	k->password = password;
	k->base.dev->counters.kvm_sessions++;
	uv_timer_start(&k->base.timer, on_tick, TICK_MS, TICK_MS);
	return k;
}

void rfb_greet(void *session)
{
	struct rfb *k = session;

	k->base.open = true;
	redir_send(k->base.conn,
		k->base.dev->profile->major < 12 ? "RFB 004.000\n" : "RFB 003.008\n", 12);
}

void kvm_json(const struct device *dev, struct buf *out)
{
	struct picture p = { 0 };
	char hash[65];

	picture_now(dev, &p);
	for (unsigned bytes = 2; bytes; bytes--) {
		json_member(out, bytes == 2 ? "kvm_sha256" : "kvm_sha256_8bit");
		p.pixel_bytes = (uint8_t)bytes;
		if (!dev->knobs.picture) {
			buf_text(out, "null");
			continue;
		}
		picture_hash(&p, hash);
		buf_json(out, str_of(hash));
	}
	json_member_number(out, "kvm_default_screen", dev->vnc.screen);
	json_member_bool(out, "kvm_port_5900", dev->vnc.port);
	json_member(out, "kvm_password");
	buf_json(out, str_of(dev->vnc.password));
}
