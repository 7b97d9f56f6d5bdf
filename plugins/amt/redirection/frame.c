/* SPDX-License-Identifier: Apache-2.0 */
#include "redirection/frame.h"

#include <string.h>

#define LOGIN_MAX 4096u
#define SOL_MAX   (10u + UINT16_MAX)
#define IDER_MAX  (34u + UINT16_MAX)

/*
 * How long a frame is: fixed bytes, and where size is not 0 as many more as the number at `at` says
 * (of size bytes, which are among the fixed). Where then is not 0 and the byte at when_at is
 * when_is, then stands for fixed.
 */
struct frame_kind {
	enum frame_from from;
	enum frame_speech speech;
	uint8_t command;
	uint8_t fixed;
	uint8_t at, size;
	uint8_t when_at, when_is, then;
	uint32_t max; /* the whole frame; 0: fixed */
	const char *name;
};

#define DEVICE(talk, cmd, text, ...)                                                  \
	{                                                                             \
		.from = FRAME_FROM_DEVICE, .speech = SPEECH_##talk, .command = (cmd), \
		.name = (text), __VA_ARGS__                                           \
	}
#define US(talk, cmd, text, ...)                                                                  \
	{                                                                                         \
		.from = FRAME_FROM_US, .speech = SPEECH_##talk, .command = (cmd), .name = (text), \
		__VA_ARGS__                                                                       \
	}

static const struct frame_kind kinds[] = {
	US(LOGIN, FRAME_START, "start", .fixed = 8),
	US(LOGIN, FRAME_END, "end", .fixed = 4),
	US(LOGIN, FRAME_LOGIN, "login", .fixed = 9, .at = 5, .size = 4, .max = LOGIN_MAX),
	DEVICE(LOGIN, FRAME_STARTED, "start reply", .fixed = 4, .when_at = 1, .when_is = START_OK,
		.then = 13, .at = 12, .size = 1, .max = 13 + UINT8_MAX),
	DEVICE(LOGIN, FRAME_LOGIN_REPLY, "login reply", .fixed = 9, .at = 5, .size = 4,
		.max = LOGIN_MAX),

	US(SOL, FRAME_END, "end", .fixed = 4),
	US(SOL, FRAME_SOL_OPEN, "SOL open", .fixed = 24),
	US(SOL, FRAME_SOL_CLOSE, "SOL close", .fixed = 8),
	US(SOL, FRAME_SOL_PING, "SOL ping", .fixed = 8),
	US(SOL, FRAME_SOL_PONG, "SOL pong", .fixed = 8),
	US(SOL, FRAME_SOL_SETTINGS, "SOL settings", .fixed = 14),
	US(SOL, FRAME_SOL_TO_HOST, "SOL data", .fixed = 10, .at = 8, .size = 2, .max = SOL_MAX),
	US(SOL, FRAME_SOL_HEARTBEAT, "SOL heartbeat", .fixed = 8),
	DEVICE(SOL, FRAME_SOL_OPENED, "SOL open reply", .fixed = 23),
	DEVICE(SOL, FRAME_SOL_CLOSED, "SOL close reply", .fixed = 8),
	DEVICE(SOL, FRAME_SOL_PING, "SOL ping", .fixed = 8),
	DEVICE(SOL, FRAME_SOL_PONG, "SOL pong", .fixed = 8),
	DEVICE(SOL, FRAME_SOL_CONTROLS, "SOL controls", .fixed = 10),
	DEVICE(SOL, FRAME_SOL_FROM_HOST, "SOL data", .fixed = 10, .at = 8, .size = 2,
		.max = SOL_MAX),
	DEVICE(SOL, FRAME_SOL_HEARTBEAT, "SOL heartbeat", .fixed = 8),

	US(KVM, FRAME_END, "end", .fixed = 4),
	US(KVM, FRAME_KVM_OPEN, "KVM open", .fixed = 8),
	DEVICE(KVM, FRAME_KVM_OPENED, "KVM open reply", .fixed = 8),

	US(IDER, FRAME_END, "end", .fixed = 4),
	US(IDER, FRAME_IDER_OPEN, "IDER open", .fixed = 18),
	US(IDER, FRAME_IDER_CLOSE, "IDER close", .fixed = 8),
	US(IDER, FRAME_IDER_PING, "IDER ping", .fixed = 8),
	US(IDER, FRAME_IDER_PONG, "IDER pong", .fixed = 8),
	US(IDER, FRAME_IDER_RESET_DONE, "IDER reset reply", .fixed = 8),
	US(IDER, FRAME_IDER_FEATURES, "IDER features", .fixed = 9, .when_at = 8, .when_is = 3,
		.then = 13, .max = 13),
	US(IDER, FRAME_IDER_COMMAND_END, "IDER command end", .fixed = 31),
	US(IDER, FRAME_IDER_GET_DATA, "IDER get data", .fixed = 31),
	US(IDER, FRAME_IDER_TO_HOST, "IDER data", .fixed = 34, .at = 9, .size = 2, .max = IDER_MAX),
	DEVICE(IDER, FRAME_IDER_OPENED, "IDER open reply", .fixed = 30, .at = 29, .size = 1,
		.max = 30 + UINT8_MAX),
	DEVICE(IDER, FRAME_IDER_CLOSED, "IDER close reply", .fixed = 8),
	DEVICE(IDER, FRAME_IDER_PING, "IDER ping", .fixed = 8),
	DEVICE(IDER, FRAME_IDER_PONG, "IDER pong", .fixed = 8),
	DEVICE(IDER, FRAME_IDER_RESET, "IDER reset", .fixed = 9),
	DEVICE(IDER, FRAME_IDER_FEATURES_REPLY, "IDER features reply", .fixed = 13),
	DEVICE(IDER, FRAME_IDER_ERROR, "IDER error", .fixed = 11),
	DEVICE(IDER, FRAME_IDER_HEARTBEAT, "IDER heartbeat", .fixed = 8),
	DEVICE(IDER, FRAME_IDER_COMMAND, "IDER command", .fixed = 28),
	DEVICE(IDER, FRAME_IDER_WRITTEN, "IDER written data", .fixed = 14, .at = 9, .size = 2,
		.max = 14 + IDER_CHUNK_MAX),
};

static const char *const speeches[] = {
	[SPEECH_LOGIN] = "the login",
	[SPEECH_SOL] = "SOL",
	[SPEECH_KVM] = "KVM",
	[SPEECH_IDER] = "IDER",
};

const char *redirection_name(enum redirection what)
{
	return speeches[redirection_speech(what)];
}

enum frame_speech redirection_speech(enum redirection what)
{
	return what == REDIRECTION_SOL   ? SPEECH_SOL
	       : what == REDIRECTION_KVM ? SPEECH_KVM
					 : SPEECH_IDER;
}

/* --- Reading. --------------------------------------------------------------------------------- */

static uint32_t get_le(const uint8_t *p, size_t size)
{
	uint32_t n = 0;

	while (size--)
		n = n << 8 | p[size];
	return n;
}

void frame_reader_init(struct frame_reader *reader, enum frame_from from)
{
	*reader = (struct frame_reader){ .from = from, .speech = SPEECH_LOGIN, .need = 1 };
	/* Some frames have nonces in them; a plain login has more than that. */
	pctl_buf_init_secret(&reader->bytes, IDER_MAX);
}

void frame_reader_done(struct frame_reader *reader)
{
	if (reader->need)
		pctl_buf_done(&reader->bytes);
	*reader = (struct frame_reader){ .need = 0 };
}

/* Begins the next frame, if the last one is whole. */
static void begin(struct frame_reader *reader)
{
	if (reader->bytes.len < reader->need)
		return;
	pctl_buf_cut(&reader->bytes, 0);
	reader->kind = NULL;
	reader->need = 1;
}

bool frame_reader_inside(const struct frame_reader *reader)
{
	return reader->bytes.len && reader->bytes.len < reader->need;
}

size_t frame_reader_wants(const struct frame_reader *reader)
{
	return reader->bytes.len < reader->need ? reader->need - reader->bytes.len : 1;
}

static int choose_kind(struct frame_reader *reader, struct pctl_error *err)
{
	uint8_t command = (uint8_t)reader->bytes.data[0];
	const struct frame_kind *other = NULL;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct frame_kind *k = &kinds[i];
		if (k->command != command || k->from != reader->from)
			continue;
		if (k->speech == reader->speech) {
			reader->kind = k;
			return 0;
		}
		other = k;
	}
	if (other)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"a redirection frame out of place: %s (%02X) during %s", other->name,
			command, speeches[reader->speech]);
	return pctl_error_set(err, PCTL_E_PROTOCOL, "an unknown redirection frame (%02X) during %s",
		command, speeches[reader->speech]);
}

/*
 * How many bytes of the frame are known to come, from those that are there. It grows until the
 * length can be read, and then no more.
 */
static int measure(struct frame_reader *reader, struct pctl_error *err)
{
	const struct frame_kind *k = reader->kind;
	const uint8_t *p = (const uint8_t *)reader->bytes.data;
	size_t have = reader->bytes.len, fixed = k->fixed;

	bool longer = k->then && have > k->when_at && p[k->when_at] == k->when_is;
	if (longer)
		fixed = k->then;
	reader->need = fixed;
	if (!k->size || (k->then && !longer) || have < (size_t)k->at + k->size)
		return 0;
	uint32_t more = get_le(p + k->at, k->size);
	if (more > k->max - fixed)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"a redirection frame too large: %s (%02X) of %zu bytes", k->name,
			k->command, fixed + more);
	reader->need = fixed + more;
	return 0;
}

int frame_reader_feed(struct frame_reader *reader, const void *data, size_t len, size_t *ret_used,
	struct frame *ret, struct pctl_error *err)
{
	const char *at = data;
	size_t used = 0;

	begin(reader);
	while (used < len && reader->bytes.len < reader->need) {
		size_t n = reader->need - reader->bytes.len;
		if (n > len - used)
			n = len - used;
		pctl_buf_add(&reader->bytes, at + used, n);
		used += n;
		if ((!reader->kind && choose_kind(reader, err) < 0) || measure(reader, err) < 0)
			return PCTL_E_PROTOCOL;
	}
	*ret_used = used;
	if (!reader->kind || reader->bytes.len < reader->need)
		return 0;
	*ret = (struct frame){ .command = reader->kind->command,
		.data = (const uint8_t *)reader->bytes.data,
		.len = reader->bytes.len };
	return 1;
}

/* --- Writing. --------------------------------------------------------------------------------- */

static void put_le(struct pctl_buf *out, uint32_t n, size_t size)
{
	uint8_t bytes[4];

	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(n >> (8 * i));
	pctl_buf_add(out, bytes, size);
}

void frame_put_start(struct pctl_buf *out, enum redirection what)
{
	static const uint8_t starts[][8] = {
		[REDIRECTION_SOL] = { FRAME_START, 0, 0, 0, 'S', 'O', 'L', ' ' },
		[REDIRECTION_KVM] = { FRAME_START, 1, 0, 0, 'K', 'V', 'M', 'R' },
		[REDIRECTION_IDER] = { FRAME_START, 0, 0, 0, 'I', 'D', 'E', 'R' },
	};

	pctl_buf_add(out, starts[what], sizeof(starts[what]));
}

void frame_put_end(struct pctl_buf *out)
{
	put_le(out, FRAME_END, 4);
}

void frame_put_short(struct pctl_buf *out, uint8_t command, uint32_t sequence)
{
	put_le(out, command, 4);
	put_le(out, sequence, 4);
}

/* --- Start and login. ------------------------------------------------------------------------- */

static int out_of_turn(const struct frame *frame, const char *wanted, struct pctl_error *err)
{
	return pctl_error_set(err, PCTL_E_PROTOCOL,
		"a redirection frame out of place: %02X, where %s is due", frame->command, wanted);
}

int frame_read_started(const struct frame *frame, struct frame_started *ret, struct pctl_error *err)
{
	if (frame->command != FRAME_STARTED)
		return out_of_turn(frame, "the answer to a start", err);
	*ret = (struct frame_started){ .status = frame->data[1] };
	if (ret->status == START_OK) {
		ret->major = frame->data[6];
		ret->minor = frame->data[7];
	}
	return 0;
}

int frame_start_refused(enum redirection what, uint8_t status, struct pctl_error *err)
{
	const char *name = redirection_name(what);

	switch (status) {
	case START_BUSY:
		(void)pctl_error_set(err, PCTL_E_BUSY, "somebody else has its %s session", name);
		break;
	case START_CONSENT:
		(void)pctl_error_set(err, PCTL_E_CONSENT, "%s needs user consent", name);
		break;
	case START_UNKNOWN:
	case START_UNSUPPORTED:
		(void)pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"this machine has no %s, or it is switched off in its BIOS", name);
		break;
	default:
		(void)pctl_error_set(err, PCTL_E_REFUSED, "it does not begin a %s session", name);
		break;
	}
	return pctl_error_device_code(err, "redirection status %u", status);
}

int frame_read_login(const struct frame *frame, struct frame_login *ret, struct pctl_error *err)
{
	if (frame->command != FRAME_LOGIN_REPLY)
		return out_of_turn(frame, "the answer to a login", err);
	*ret = (struct frame_login){ .status = frame->data[1],
		.type = frame->data[4],
		.data = frame->data + 9,
		.len = frame->len - 9 };
	return 0;
}

int frame_read_login_types(const struct frame_login *login, unsigned *ret, struct pctl_error *err)
{
	unsigned types = 0;

	if (login->status != LOGIN_OK || login->type != LOGIN_QUERY)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"it does not say which logins it takes (type %u, status %u)", login->type,
			login->status);
	for (size_t i = 0; i < login->len; i++)
		if (login->data[i] <= LOGIN_DIGEST)
			types |= 1u << login->data[i];
	*ret = types;
	return 0;
}

int frame_put_login(struct pctl_buf *out, enum login_type type, const struct frame_field *fields,
	size_t n, struct pctl_error *err)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		if (fields[i].len > UINT8_MAX)
			return pctl_error_set(err, PCTL_E_CONFIG,
				"user or password is longer than the 255 bytes that a redirection "
				"login takes");
		len += 1 + fields[i].len;
	}
	put_le(out, FRAME_LOGIN, 4);
	put_le(out, (uint32_t)type, 1);
	put_le(out, (uint32_t)len, 4);
	for (size_t i = 0; i < n; i++) {
		put_le(out, (uint32_t)fields[i].len, 1);
		pctl_buf_add(out, fields[i].data, fields[i].len);
	}
	return 0;
}

int frame_read_fields(
	const struct frame_login *login, struct frame_field *ret, size_t n, struct pctl_error *err)
{
	struct frame_field fields[LOGIN_FIELDS_MAX] = { { .len = 0 } };
	size_t at = 0;

	for (size_t i = 0; i < n; i++) {
		if (at == login->len || login->data[at] > login->len - at - 1)
			return pctl_error_set(
				err, PCTL_E_PROTOCOL, "its redirection login is cut short");
		fields[i] = (struct frame_field){ .data = (const char *)login->data + at + 1,
			.len = login->data[at] };
		at += 1 + fields[i].len;
	}
	memcpy(ret, fields, n * sizeof(fields[0]));
	return 0;
}

/* --- SOL. ------------------------------------------------------------------------------------- */

void frame_put_sol_open(struct pctl_buf *out, const struct frame_sol_open *open)
{
	frame_put_short(out, FRAME_SOL_OPEN, 0);
	put_le(out, open->tx_buffer, 2);
	put_le(out, open->tx_timeout, 2);
	put_le(out, open->tx_overflow_timeout, 2);
	put_le(out, open->rx_timeout, 2);
	put_le(out, open->rx_flush_timeout, 2);
	put_le(out, open->heartbeat, 2);
	put_le(out, 0, 4);
}

void frame_put_sol_data(struct pctl_buf *out, const void *data, size_t len)
{
	frame_put_short(out, FRAME_SOL_TO_HOST, 0);
	put_le(out, (uint32_t)len, 2);
	pctl_buf_add(out, data, len);
}

int frame_read_sol_data(
	const struct frame *frame, const uint8_t **ret, size_t *ret_len, struct pctl_error *err)
{
	if (frame->command != FRAME_SOL_FROM_HOST)
		return out_of_turn(frame, "data", err);
	*ret = frame->data + 10;
	*ret_len = frame->len - 10;
	return 0;
}

struct frame_sol_controls frame_read_sol_controls(const struct frame *frame)
{
	return (struct frame_sol_controls){ .lines = frame->data[8], .status = frame->data[9] };
}

/* --- IDER. ------------------------------------------------------------------------------------ */

/* In the fourth byte of a frame. */
enum { ATTRIBUTE_DMA = 1, ATTRIBUTE_COMPLETED = 2 };

/* Registers of an ATA device, as the frames have them. */
enum {
	MASK_END = 0xC5,
	MASK_ERROR = 0x87,
	MASK_DATA_DMA = 0xB4,
	MASK_DATA_PIO = 0xB5,
	MASK_LAST = 0x85,
	REASON_STATUS = 3,
	REASON_TO_HOST = 2,
	STATUS_GOOD = 0x50,
	STATUS_ERROR = 0x51,
	STATUS_DATA = 0x58,
};

#define DRIVE_SELECT_CD 0x10u

static void put_ider_head(
	struct pctl_buf *out, uint8_t command, uint8_t attributes, uint32_t sequence)
{
	const uint8_t head[4] = { command, 0, 0, attributes };

	pctl_buf_add(out, head, sizeof(head));
	put_le(out, sequence, 4);
}

uint32_t frame_ider_sequence(const struct frame *frame)
{
	return get_le(frame->data + 4, 4);
}

void frame_put_ider_open(
	struct pctl_buf *out, uint32_t sequence, const struct frame_ider_open *open)
{
	put_ider_head(out, FRAME_IDER_OPEN, 0, sequence);
	put_le(out, open->rx_timeout, 2);
	put_le(out, open->tx_timeout, 2);
	put_le(out, open->heartbeat, 2);
	put_le(out, 1, 4); /* version */
}

void frame_put_ider_features(struct pctl_buf *out, uint32_t sequence, uint32_t value)
{
	put_ider_head(out, FRAME_IDER_FEATURES, 0, sequence);
	put_le(out, IDER_SET, 1);
	put_le(out, value, 4);
}

void frame_put_ider_end(
	struct pctl_buf *out, uint32_t sequence, uint8_t drive, const struct frame_sense *sense)
{
	const uint8_t good[11] = { MASK_END, 0, REASON_STATUS, 0, 0, 0, drive, STATUS_GOOD };
	const uint8_t bad[11] = { MASK_ERROR, (uint8_t)(sense->key << 4), REASON_STATUS, 0, 0, 0,
		drive, STATUS_ERROR, sense->key, sense->asc, sense->ascq };
	static const uint8_t none[12];

	put_ider_head(out, FRAME_IDER_COMMAND_END, ATTRIBUTE_COMPLETED, sequence);
	pctl_buf_add(out, none, sizeof(none));
	pctl_buf_add(out, sense->key ? bad : good, sizeof(good));
}

void frame_put_ider_data(struct pctl_buf *out, uint32_t sequence, uint8_t drive, bool dma,
	bool last, const void *data, size_t len)
{
	uint8_t attributes =
		(uint8_t)((last ? ATTRIBUTE_COMPLETED : 0) | (dma ? ATTRIBUTE_DMA : 0));
	uint8_t low = (uint8_t)len, high = (uint8_t)(len >> 8);
	const uint8_t head[12] = { 0, low, high, 0, dma ? MASK_DATA_DMA : MASK_DATA_PIO, 0,
		REASON_TO_HOST, 0, dma ? 0 : low, dma ? 0 : high, drive, STATUS_DATA };
	const uint8_t end[8] = { MASK_LAST, 0, REASON_STATUS, 0, 0, 0, drive, STATUS_GOOD };
	static const uint8_t none[8];

	put_ider_head(out, FRAME_IDER_TO_HOST, attributes, sequence);
	pctl_buf_add(out, head, sizeof(head));
	pctl_buf_add(out, last ? end : none, sizeof(end));
	pctl_buf_add(out, none, 6);
	pctl_buf_add(out, data, len);
}

int frame_read_ider_opened(
	const struct frame *frame, struct frame_ider_opened *ret, struct pctl_error *err)
{
	if (frame->command != FRAME_IDER_OPENED)
		return out_of_turn(frame, "the answer to an opening", err);
	uint32_t size = get_le(frame->data + 16, 2);
	if (frame->data[21] != 0)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"it speaks another IDER (protocol %u) than is known", frame->data[21]);
	if (!size)
		return pctl_error_set(
			err, PCTL_E_PROTOCOL, "its IDER says that it takes no data at all");
	ret->read_size = (uint16_t)(size < IDER_CHUNK_MAX ? size : IDER_CHUNK_MAX);
	return 0;
}

struct frame_ider_features frame_read_ider_features(const struct frame *frame)
{
	return (struct frame_ider_features){ .type = frame->data[8],
		.value = get_le(frame->data + 9, 4) };
}

struct frame_ider_command frame_read_ider_command(const struct frame *frame)
{
	struct frame_ider_command c = {
		.drive = frame->data[14] & DRIVE_SELECT_CD ? IDER_CD : IDER_FLOPPY,
		.dma = frame->data[9] & 1,
	};

	memcpy(c.cdb, frame->data + 16, sizeof(c.cdb));
	return c;
}
