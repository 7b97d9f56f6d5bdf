/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions, IPMI 1.5 and 2.0: slots, keys, sequence windows, lockout. Section numbers are those of
 * the IPMI 2.0 specification.
 */
#ifndef POWERCTL_BMCSIM_SESSION_H
#define POWERCTL_BMCSIM_SESSION_H

#include <sys/socket.h>

#include "crypt.h"
#include "packet.h"

struct device;
struct request;
struct user;

enum {
	SESSION_SLOTS = 32,
	SESSION_AUTH = 2, /* sequences: authenticated packets and others */
};

enum privilege {
	PRIV_NONE,
	PRIV_CALLBACK,
	PRIV_USER,
	PRIV_OPERATOR,
	PRIV_ADMIN,
	PRIV_OEM,
};

enum session_state {
	SESSION_OPENED, /* answered Open Session, or a 1.5 challenge */
	SESSION_KEYED,  /* answered RAKP 1 */
	SESSION_ACTIVE,
};

/* Which of the last sequence numbers came, 6.12.13: bit 0 is the highest. */
struct window {
	uint32_t highest;
	uint64_t seen;
};

struct sol;

struct session {
	uint32_t id;
	uint32_t console_id;
	uint8_t state;
	bool v20;
	bool used;         /* something came in it */
	uint8_t auth_type; /* 1.5 */
	enum crypt_hash hash;
	uint8_t integrity;
	uint8_t confidentiality;
	uint8_t code_n; /* of a packet's authentication code */
	uint8_t asked;  /* highest privilege the console wanted */
	uint8_t limit;
	uint8_t privilege;
	uint8_t role;
	const struct user *user;
	uint8_t password[20]; /* as it was at the login, whatever it is set to later */
	char name[17];
	uint8_t console_random[16];
	uint8_t bmc_random[16];
	uint8_t sik[CRYPT_KEY];
	uint8_t k1[CRYPT_KEY];
	uint8_t k2[CRYPT_KEY];
	struct window window[SESSION_AUTH];
	uint32_t out_sequence[SESSION_AUTH];
	uint64_t last_used;
	struct sockaddr_storage peer;
	/* The last request and what it was answered, for those who ask again. */
	bool answered;
	uint8_t last_netfn;
	uint8_t last_command;
	uint8_t last_rq_seq;
	uint8_t *last_answer; /* completion code and data */
	size_t last_n;
	struct sol *sol;
};

/* A free slot, one that nobody used for too long, or NULL. */
struct session *session_new(struct device *dev);
void session_free(struct device *dev, struct session *s);
void session_free_all(struct device *dev);
struct session *session_find(struct device *dev, uint32_t id);
uint32_t session_count(const struct device *dev, bool active_only);
/* From 1. */
uint32_t session_handle(const struct device *dev, const struct session *s);
/* May that number come now? If so it came. */
bool session_sequence(struct session *s, bool authenticated, uint32_t sequence);
uint32_t session_next_sequence(struct session *s, bool authenticated);

const struct user *session_user(const struct device *dev, const char *name);
/* Too many bad passwords. */
bool session_locked(struct device *dev);
void session_login_failed(struct device *dev);
void session_activate(struct device *dev, struct session *s);

#endif
