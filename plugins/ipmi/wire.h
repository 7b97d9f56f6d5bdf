/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IPMI over LAN, packets to bytes and back, on libfreeipmi's packet interface: IPMI 1.5 (lan.c;
 * specification section 13.6) and RMCP+ (rmcpplus.c; 13.8, 13.17 to 13.24). No I/O, and nothing is
 * kept from one call to the next but the templates, which serve all sessions of a loop in turn.
 */
#ifndef POWERCTL_IPMI_WIRE_H
#define POWERCTL_IPMI_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <powerctl/secret.h>

#include "workaround.h"

#define WIRE_PACKET_MAX  512u /* of a datagram, either way: LAN messages stay well below */
#define WIRE_DATA_MAX    256u /* of a message after its command byte */
#define WIRE_KEY_MAX     64u  /* more than any algorithm makes */
#define WIRE_RANDOM      16u
#define WIRE_GUID        16u
#define WIRE_USER_MAX    16u
#define WIRE_KG_MAX      20u
#define WIRE_PASSWORD_15 16u
#define WIRE_PASSWORD_20 20u

/* Templates of libfreeipmi, made once. */
struct wire;

/*
 * libgcrypt opens files: to be initialised, where it ends the program if it cannot, and for random
 * bytes of a packet. Fails as pctl_error_shortage() says if there is no descriptor for that now.
 */
int wire_need_descriptor(struct pctl_error *err);
/* PCTL_E_INTERNAL: libgcrypt is not to be had, or there is no memory. */
int wire_new(struct wire **ret, struct pctl_error *err);
void wire_free(struct wire *wire);

enum wire_format {
	WIRE_OTHER, /* not IPMI, or too short to tell */
	WIRE_LAN,
	WIRE_RMCPPLUS,
};

enum wire_format wire_format(const uint8_t *packet, size_t len);

/* Who logs in. Borrowed for as long as the session lives. */
struct credential {
	const char *username; /* at most WIRE_USER_MAX bytes */
	const struct pctl_secret *password;
	uint8_t kg[WIRE_KG_MAX];
	size_t kg_len; /* 0: none */
	uint64_t workarounds;
};

struct key {
	uint8_t bytes[WIRE_KEY_MAX];
	unsigned len;
};

/* What protects one session, and its counters. Wipe it when the session ends. */
struct security {
	uint8_t privilege; /* that the login asks for */
	/* IPMI 1.5. */
	uint8_t auth_type; /* of the login */
	bool per_message;  /* packets of the session are authenticated too */
	/* RMCP+. */
	uint8_t authentication, integrity, confidentiality;
	uint32_t console_id; /* ours */
	uint8_t console_random[WIRE_RANDOM], system_random[WIRE_RANDOM];
	uint8_t guid[WIRE_GUID]; /* of the managed system, from RAKP 2 */
	struct key sik, k1, k2;

	uint32_t system_id; /* the BMC's session id; 0: no session yet */
	uint32_t sequence;  /* of the next packet that is sent */
	uint32_t highest;   /* of the packets that came in */
	uint32_t window;    /* which of those just below it came */
	bool any_came;
};

/* A request, or an answer with its completion code. data is borrowed. */
struct message {
	uint8_t netfn; /* as sent: an answer's is the request's plus 1 */
	uint8_t sequence;
	uint8_t command;
	uint8_t code;
	const uint8_t *data;
	size_t len;
};

/* --- IPMI 1.5 (lan.c). ------------------------------------------------------------------------ */

/*
 * Writes a packet of WIRE_PACKET_MAX bytes at most and returns its length, 0 on failure. Without a
 * session (security is NULL) it is neither numbered nor authenticated.
 */
size_t lan_pack(struct wire *wire, struct security *security, const struct credential *credential,
	const struct message *message, uint8_t *packet);
/* The packet that activates the session: authenticated, with the id of the challenge. */
size_t lan_pack_activate(struct wire *wire, const struct security *security,
	const struct credential *credential, const struct message *message, uint8_t *packet);

/*
 * False: broken, not of this session, not authentic, or seen before. message->data lives until the
 * next packet is read.
 */
bool lan_unpack(struct wire *wire, struct security *security, const struct credential *credential,
	const uint8_t *packet, size_t len, struct message *ret);
/* The answer to lan_pack_activate(). */
bool lan_unpack_activate(struct wire *wire, const struct security *security,
	const struct credential *credential, const uint8_t *packet, size_t len,
	struct message *ret);

/* --- RMCP+ (rmcpplus.c). ---------------------------------------------------------------------- */

/* Sets the algorithms of a cipher suite (table 22-20). False: libfreeipmi does not have them. */
bool rmcpplus_set_suite(struct security *security, uint8_t suite);

size_t rmcpplus_pack_open(struct wire *wire, const struct security *security,
	const struct credential *credential, uint8_t tag, uint8_t *packet);
size_t rmcpplus_pack_rakp1(struct wire *wire, const struct security *security,
	const struct credential *credential, uint8_t tag, uint8_t *packet);
/* status: 0, or why the login ends here (the BMC then forgets it). */
size_t rmcpplus_pack_rakp3(struct wire *wire, const struct security *security,
	const struct credential *credential, uint8_t tag, uint8_t status, uint8_t *packet);

enum setup_kind {
	SETUP_OPEN, /* RMCP+ Open Session Response */
	SETUP_RAKP2,
	SETUP_RAKP4,
};

struct setup {
	uint8_t tag, status; /* status: table 13-15 */
	/* Where status is 0. */
	uint32_t console_id;
	/* SETUP_OPEN: */
	uint8_t privilege;
	uint32_t system_id;
	bool same_algorithms; /* as were asked for */
	/* SETUP_RAKP2: */
	uint8_t random[WIRE_RANDOM], guid[WIRE_GUID];
	size_t code_len; /* of the key exchange authentication code */
};

/* False: broken, or not of that kind. */
bool rmcpplus_unpack_setup(struct wire *wire, const struct security *security, enum setup_kind kind,
	const uint8_t *packet, size_t len, struct setup *ret);

/*
 * Of the packet that was read last, whose random number and GUID are in security: 1 if the BMC
 * knows the password, 0 if it has another one. Less: libfreeipmi could not say, of either.
 */
int rmcpplus_check_rakp2(
	struct wire *wire, const struct security *security, const struct credential *credential);
/* Makes the session's keys. False: libfreeipmi could not. */
bool rmcpplus_derive_keys(struct security *security, const struct credential *credential);
/* Of the packet that was read last, in the same way: whether the BMC has the same keys (and so the
 * same K_g). */
int rmcpplus_check_rakp4(
	struct wire *wire, const struct security *security, const struct credential *credential);

/* As lan_pack() and lan_unpack(), within a session. */
size_t rmcpplus_pack(struct wire *wire, struct security *security,
	const struct credential *credential, const struct message *message, uint8_t *packet);
bool rmcpplus_unpack(struct wire *wire, struct security *security,
	const struct credential *credential, const uint8_t *packet, size_t len,
	struct message *ret);

#endif
