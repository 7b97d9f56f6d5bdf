/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames of Intel AMT's redirection ports (16994, over TLS 16995), as bytes and structs; no
 * I/O. A connection begins with a session's start and login, which are the same for all; from then
 * on it speaks the protocol of what was started. All numbers are little endian but where RFB, which
 * follows a KVM session's opening without frames, has its own.
 *
 * Source: Intel AMT Implementation and Reference Guide, "Redirection"; recorded traffic of AMT 11.8
 * and 12.0.
 */
#ifndef POWERCTL_AMT_REDIRECTION_FRAME_H
#define POWERCTL_AMT_REDIRECTION_FRAME_H

#include <stdbool.h>

#include <powerctl/buf.h>
#include <powerctl/error.h>

/* What a session is for. */
enum redirection {
	REDIRECTION_SOL,
	REDIRECTION_KVM,
	REDIRECTION_IDER,
};

/* "SOL", "KVM", "IDER" */
const char *redirection_name(enum redirection what);

/* First bytes of frames. A few mean something else in KVM, which has the same numbers. */
enum {
	FRAME_START = 0x10,
	FRAME_STARTED = 0x11,
	FRAME_END = 0x12,
	FRAME_LOGIN = 0x13,
	FRAME_LOGIN_REPLY = 0x14,

	FRAME_SOL_OPEN = 0x20,
	FRAME_SOL_OPENED = 0x21,
	FRAME_SOL_CLOSE = 0x22,
	FRAME_SOL_CLOSED = 0x23,
	FRAME_SOL_PING = 0x24,
	FRAME_SOL_PONG = 0x25,
	FRAME_SOL_SETTINGS = 0x27,
	FRAME_SOL_TO_HOST = 0x28,
	FRAME_SOL_CONTROLS = 0x29,
	FRAME_SOL_FROM_HOST = 0x2A,
	FRAME_SOL_HEARTBEAT = 0x2B,

	FRAME_KVM_OPEN = 0x40,
	FRAME_KVM_OPENED = 0x41,

	FRAME_IDER_OPEN = 0x40,
	FRAME_IDER_OPENED = 0x41,
	FRAME_IDER_CLOSE = 0x42,
	FRAME_IDER_CLOSED = 0x43,
	FRAME_IDER_PING = 0x44,
	FRAME_IDER_PONG = 0x45,
	FRAME_IDER_RESET = 0x46,
	FRAME_IDER_RESET_DONE = 0x47,
	FRAME_IDER_FEATURES = 0x48,
	FRAME_IDER_FEATURES_REPLY = 0x49,
	FRAME_IDER_ERROR = 0x4A,
	FRAME_IDER_HEARTBEAT = 0x4B,
	FRAME_IDER_COMMAND = 0x50,
	FRAME_IDER_COMMAND_END = 0x51,
	FRAME_IDER_GET_DATA = 0x52,
	FRAME_IDER_WRITTEN = 0x53,
	FRAME_IDER_TO_HOST = 0x54,
};

enum frame_from {
	FRAME_FROM_DEVICE,
	FRAME_FROM_US,
};

/* What is spoken, which decides what may come. */
enum frame_speech {
	SPEECH_LOGIN, /* start and login */
	SPEECH_SOL,
	SPEECH_KVM,
	SPEECH_IDER,
};
/* What is spoken once the login is over. */
enum frame_speech redirection_speech(enum redirection what);

/* --- Reading. --------------------------------------------------------------------------------- */

/* A whole frame, first byte included. */
struct frame {
	uint8_t command;
	const uint8_t *data;
	size_t len;
};

/* Bytes in, frames out. frame_reader_init() with what comes first; zeroed it is as good as done. */
struct frame_reader {
	enum frame_from from;
	enum frame_speech speech;
	const struct frame_kind *kind; /* private; NULL: the first byte is not there yet */
	size_t need;                   /* private: bytes of the frame that are known to come */
	struct pctl_buf bytes;         /* private */
};

void frame_reader_init(struct frame_reader *reader, enum frame_from from);
void frame_reader_done(struct frame_reader *reader);

/*
 * How many bytes are wanted at least before there can be anything new. Who reads no more than that
 * never reads beyond a frame's end, so that what follows may be no frame.
 */
size_t frame_reader_wants(const struct frame_reader *reader);

/*
 * Takes some of len bytes, *ret_used of them. 1: *ret is whole, and lives until the next call; 0:
 * all were taken; PCTL_E_PROTOCOL: a frame that nobody knows, that is out of place here, or that is
 * larger than any such frame. Then no further one can be found.
 */
int frame_reader_feed(struct frame_reader *reader, const void *data, size_t len, size_t *ret_used,
	struct frame *ret, struct pctl_error *err);

/* Whether a frame has begun and not ended. */
bool frame_reader_inside(const struct frame_reader *reader);

/* --- Start and login. ------------------------------------------------------------------------- */

/* What a device answers to FRAME_START. */
enum {
	START_OK = 0,
	START_UNKNOWN = 1,     /* no such kind of session */
	START_BUSY = 2,        /* somebody has one of that kind */
	START_UNSUPPORTED = 3, /* or switched off */
	START_CONSENT = 5,
	START_INTERNAL = 0xFF,
};

struct frame_started {
	uint8_t status;
	uint8_t major, minor; /* of the firmware, where status is START_OK */
};

void frame_put_start(struct pctl_buf *out, enum redirection what);
void frame_put_end(struct pctl_buf *out);
int frame_read_started(
	const struct frame *frame, struct frame_started *ret, struct pctl_error *err);
/* What a status that is not START_OK means: fills err and returns its class. */
int frame_start_refused(enum redirection what, uint8_t status, struct pctl_error *err);

enum login_type {
	LOGIN_QUERY = 0,
	LOGIN_PLAIN = 1, /* user and password as they are; gone since AMT 7 */
	LOGIN_KERBEROS = 2,
	LOGIN_DIGEST_OLD = 3, /* RFC 2069 */
	LOGIN_DIGEST = 4,     /* RFC 2617 */
};

enum { LOGIN_OK = 0, LOGIN_REFUSED = 1 /* or a challenge */, LOGIN_FORBIDDEN = 2 };

struct frame_login {
	uint8_t status, type;
	const uint8_t *data; /* within the frame */
	size_t len;
};

int frame_read_login(const struct frame *frame, struct frame_login *ret, struct pctl_error *err);

/* The types of login that the device takes, as bits 1 << enum login_type. */
int frame_read_login_types(const struct frame_login *login, unsigned *ret, struct pctl_error *err);

#define LOGIN_FIELDS_MAX 8u

/* Texts of a login, each behind a byte with its length. This struct never grows. */
struct frame_field {
	const char *data;
	size_t len; /* at most 255 */
};

/* PCTL_E_CONFIG where one is too long. */
int frame_put_login(struct pctl_buf *out, enum login_type type, const struct frame_field *fields,
	size_t n, struct pctl_error *err);
/* Exactly n of them, which lie within login. */
int frame_read_fields(
	const struct frame_login *login, struct frame_field *ret, size_t n, struct pctl_error *err);

/* --- SOL. ------------------------------------------------------------------------------------- */

/* What the host of a SOL session asks for; times in ms, 0: none. */
struct frame_sol_open {
	uint16_t tx_buffer, tx_timeout, tx_overflow_timeout, rx_timeout, rx_flush_timeout,
		heartbeat;
};

/*
 * Bits of FRAME_SOL_CONTROLS, which only devices send: lines of the serial port as the host has set
 * them, and what befell it.
 */
enum {
	SOL_RTS = 1,
	SOL_DTR = 2,
	SOL_BREAK = 4,
};
enum {
	SOL_TX_OVERFLOW = 1, /* what was sent to the host was lost */
	SOL_LOOPBACK = 2,
	SOL_POWER = 4, /* the host has power */
	SOL_RX_FLUSHED = 8,
	SOL_TEST_MODE = 16,
};

struct frame_sol_controls {
	uint8_t lines, status;
};

/* At most so many bytes fit into FRAME_SOL_TO_HOST of any firmware. */
#define SOL_CHUNK_MAX 1000u

void frame_put_sol_open(struct pctl_buf *out, const struct frame_sol_open *open);
void frame_put_sol_data(struct pctl_buf *out, const void *data, size_t len);
/* Frames of eight bytes: command, three zeros and a number that AMT does not look at. */
void frame_put_short(struct pctl_buf *out, uint8_t command, uint32_t sequence);
/* Within a FRAME_SOL_FROM_HOST. */
int frame_read_sol_data(
	const struct frame *frame, const uint8_t **ret, size_t *ret_len, struct pctl_error *err);
struct frame_sol_controls frame_read_sol_controls(const struct frame *frame);

/* --- IDER. ------------------------------------------------------------------------------------ */

/* The two drives that a machine gets, as their commands and answers name them. */
enum {
	IDER_FLOPPY = 0xA0,
	IDER_CD = 0xB0,
};

/* Times in ms; 0: none. */
struct frame_ider_open {
	uint16_t rx_timeout, tx_timeout, heartbeat;
};

struct frame_ider_opened {
	uint16_t read_size; /* that one FRAME_IDER_TO_HOST may carry, at most IDER_CHUNK_MAX */
};

/* No firmware takes more at once. */
#define IDER_CHUNK_MAX 8192u

/* In FRAME_IDER_FEATURES. */
enum { IDER_SET = 3 };
enum {
	IDER_ENABLED = 0x01,
	IDER_ON_REBOOT = 0x08,
	IDER_GRACEFUL = 0x10,
	IDER_NOW = 0x18,
};

struct frame_ider_features {
	uint8_t type;
	uint32_t value; /* IDER_SET: 1 where it was done */
};

struct frame_ider_command {
	uint8_t drive; /* IDER_FLOPPY or IDER_CD */
	bool dma;      /* how its data go to the machine */
	uint8_t cdb[12];
};

/* What a command ends with: all zero is success. */
struct frame_sense {
	uint8_t key, asc, ascq;
};

/* Every frame of IDER from a device has a number, which counts up from 0. */
uint32_t frame_ider_sequence(const struct frame *frame);

void frame_put_ider_open(
	struct pctl_buf *out, uint32_t sequence, const struct frame_ider_open *open);
void frame_put_ider_features(struct pctl_buf *out, uint32_t sequence, uint32_t value);
void frame_put_ider_end(
	struct pctl_buf *out, uint32_t sequence, uint8_t drive, const struct frame_sense *sense);
/* At most IDER_CHUNK_MAX bytes; last: no more follow for this command, which has gone well. */
void frame_put_ider_data(struct pctl_buf *out, uint32_t sequence, uint8_t drive, bool dma,
	bool last, const void *data, size_t len);

/* PCTL_E_PROTOCOL: it speaks another version, or takes no data. */
int frame_read_ider_opened(
	const struct frame *frame, struct frame_ider_opened *ret, struct pctl_error *err);
struct frame_ider_features frame_read_ider_features(const struct frame *frame);
struct frame_ider_command frame_read_ider_command(const struct frame *frame);

#endif
