/* SPDX-License-Identifier: Apache-2.0 */
/* The fleet: what one process, one device and one connection are made of. */
#ifndef POWERCTL_AMTSIM_SIM_H
#define POWERCTL_AMTSIM_SIM_H

#include <netinet/in.h>
#include <openssl/evp.h>
#include <uv.h>

#include "boot.h"
#include "control.h"
#include "logs.h"
#include "options.h"
#include "power.h"
#include "profile.h"
#include "redir.h"
#include "redir_ider.h"
#include "util.h"
#include "web.h"
#include "xml.h"

enum {
	SIM_NONCES = 16,
	SIM_LOG = 64,
	SIM_PULLS = 4,
	SIM_PASSWORD = 64,
	SIM_NONCE_TEXT = 32,
	SIM_CHUNK_MAX = 0xFFFF,
};

enum hang {
	HANG_NO,
	HANG_ALL,
	HANG_AUTH,
};

enum consent {
	CONSENT_NONE,
	CONSENT_KVM,
	CONSENT_ALL,
};

enum log_iterator {
	LOG_ITERATOR_NORMAL,
	LOG_ITERATOR_STUCK,
	LOG_ITERATOR_ENDLESS,
};

enum log_records {
	LOG_RECORDS_GOOD,
	LOG_RECORDS_BASE64,
	LOG_RECORDS_SHORT,
	LOG_RECORDS_UNKNOWN,
};

enum audit {
	AUDIT_CLEAR,
	AUDIT_READ,
	AUDIT_FORBIDDEN,
	AUDIT_ABSENT,
};

enum pull_style {
	PULL_NORMAL,
	PULL_BOTH,
	PULL_LATE_END,
};

/* From PASSWD_LOSE on there is no answer. */
enum new_password {
	PASSWD_DO,
	PASSWD_REFUSE,
	PASSWD_IGNORE,
	PASSWD_LOSE,
	PASSWD_MUTE,
	PASSWD_HANG,
};

/* Every member is explained in the table of knobs.c. */
struct knobs {
	struct web_knobs web;
	uint32_t e503_every;
	uint32_t cut_every;
	uint32_t stagger;
	uint32_t stale_every;
	uint32_t stale_word;
	uint32_t nonce_uses;
	uint32_t hang;
	uint32_t chunk;
	uint32_t pretty;
	uint32_t html;
	uint32_t huge;
	uint32_t deep;
	uint32_t bomb;
	uint32_t truncate;
	uint32_t me_sleep_drop;
	uint32_t me_sleep_ms;
	uint32_t lie_state;
	uint32_t refuse_action;
	uint32_t refuse_value;
	uint32_t lose_power_answer;
	uint32_t transition_ms;
	uint32_t transition_state;
	uint32_t power_busy_ms;
	uint32_t os_agent;
	uint32_t no_agent_value;
	uint32_t redirection_open;
	uint32_t keep_source;
	uint32_t diag_source;
	uint32_t strict_order;
	uint32_t consent;
	uint32_t consent_lies;
	uint32_t consent_block_ms;
	uint32_t consent_display_s;
	uint32_t consent_idle_s;
	uint32_t consent_show_ms;
	uint32_t consent_starts;
	uint32_t consent_wrong_value;
	uint32_t ccm;
	uint32_t secure_boot_off;
	uint32_t http_fetch;
	uint32_t no_https_boot;
	uint32_t pull_batch;
	uint32_t pull_style;
	uint32_t no_software_identity;
	uint32_t no_kvm;
	uint32_t no_hardware;
	uint32_t no_processor;
	uint32_t unfilled;
	uint32_t log_iterator;
	uint32_t log_records;
	uint32_t log_batch;
	uint32_t log_oldest_first;
	uint32_t audit;
	uint32_t audit_batch;
	uint32_t audits;
	uint32_t lock_after;
	uint32_t lock_within_s;
	uint32_t lock_s;
	uint32_t wrong_realm;
	uint32_t refuse_call_value;
	uint32_t refuse_skip, refuse_count;
	uint32_t mp_servers;
	uint32_t flash_writes;
	uint32_t audit_full;
	uint32_t clock_unset;
	uint32_t ipv6;
	uint32_t clock_behind;
	uint32_t told_realm;
	uint32_t tls_only;
	uint32_t no_wifi;
	uint32_t redirection_login;
	uint32_t redirection_status;
	uint32_t redirection_realm;
	uint32_t redirection_fault;
	uint32_t redirection_locked;
	uint32_t redirection_deaf;
	uint32_t redirection_linger;
	uint32_t sol_heartbeat_ms;
	uint32_t sol_quiet_ms;
	uint32_t sol_chunk;
	uint32_t picture;
	uint32_t kvm_width;
	uint32_t kvm_height;
	uint32_t kvm_limit;
	uint32_t kvm_screens;
	uint32_t kvm_fault;
	uint32_t passwd;
	uint32_t ider_script;
	uint32_t ider_readbfr;
	uint32_t ider_dma;
	uint32_t ider_blocks;
	uint32_t ider_queue;
	uint32_t ider_delay_ms;
	uint32_t ider_reset_at;
	uint32_t ider_drop_at;
	uint32_t ider_lenient;
	uint32_t provisioning;
	uint32_t no_pong;
};

struct counters {
	struct web_counters web;
	uint64_t cut;
	uint64_t requests;
	uint64_t r200;
	uint64_t r400;
	uint64_t r401;
	uint64_t r401_none;
	uint64_t r401_bad;
	uint64_t r401_stale;
	uint64_t r401_locked;
	uint64_t bad_nc;
	uint64_t foreign_nonce;
	uint64_t replay;
	uint64_t empty_response;
	uint64_t r404;
	uint64_t r503;
	uint64_t expect;
	uint64_t bodies;
	uint64_t unauth_bodies;
	uint64_t faults;
	uint64_t set_power;
	uint64_t refused_power;
	uint64_t unsaid_power;
	uint64_t nmi;
	uint64_t put_boot;
	uint64_t writes;
	uint64_t redir_connections;
	uint64_t redir_logins;
	uint64_t redir_bad_logins;
	uint64_t redir_goodbyes;
	uint64_t sol_heartbeats;
	uint64_t sol_pongs;
	uint64_t sol_quiet;
	uint64_t sol_bytes_in;
	uint64_t sol_bytes_out;
	uint64_t kvm_sessions;
	uint64_t kvm_updates;
	uint64_t kvm_keys;
	uint64_t kvm_bytes_out;
	uint64_t asked_password;
	uint64_t set_password;
	uint64_t ider_pings;
	uint64_t ider_pongs;
	uint64_t pings;
};

struct nonce {
	uint64_t id;
	uint32_t last_nc;
	uint32_t uses;
};

struct pull {
	uint16_t context;
	uint8_t class_index;
	uint8_t used;
	uint32_t at;
};

struct optin {
	uint8_t state;
	uint8_t wrong;
	uint32_t code;
	uint64_t shown_at;
	uint64_t until;
	uint64_t blocked_until;
	uint64_t starts_since;
	uint32_t starts;
	uint32_t sessions;
};

enum { SIM_NAME = 64 };

enum { VNC_PASSWORD = 8 };

/* What IPS_KVMRedirectionSettingData keeps. */
struct vnc {
	bool port; /* 5900 */
	uint8_t screen;
	char password[VNC_PASSWORD + 1];
};

/* The picture that was packed last, see redir_kvm.h. */
struct kvm_kept {
	struct buf bytes;
	uint16_t width;
	uint16_t height;
	uint32_t frame;
	int encoding;
	uint8_t pixel_bytes;
	bool begins;
};

struct log_entry {
	uint8_t class_index;
	uint8_t call;
};

struct device {
	struct sim *sim;
	struct web_device web;
	uint32_t n;
	const struct profile *profile;
	char realm[48];
	uint8_t uuid[16];
	uint8_t mac[6];
	char password[SIM_PASSWORD + 1];
	char ha1[33];
	uint64_t nonce_first;
	uint64_t nonce_next;
	uint32_t nonce_epoch;
	struct nonce nonces[SIM_NONCES];
	struct pull pulls[SIM_PULLS];
	uint16_t next_context;
	uint32_t next_message;
	struct knobs knobs;
	struct counters counters;
	struct log_entry log[SIM_LOG];
	uint32_t logged;
	struct power power;
	struct boot boot;
	struct optin optin;
	struct logs logs;
	struct store *store;     /* NULL until it is asked for */
	struct own_tls *own_tls; /* NULL: none is in effect */
	char absent[SIM_NAME];
	char firmware[24]; /* its version; "": the profile's */
	char refuse_call[SIM_NAME];
	char lose_call[SIM_NAME]; /* once */
	bool unprovisioned;
	struct redir redir;
	struct vnc vnc;
	struct ider_report *ider; /* NULL: there was no session */
	uint32_t e503_seq;
	uint32_t cut_seq;
	uint32_t stale_seq;
	uint32_t sleep_dropped;
	uint32_t bad_logins;
	uint64_t bad_since;
	uint64_t locked_until;
	uv_udp_t *rmcp;     /* NULL: none */
	uint16_t rmcp_port; /* 0: none */
};

/*
 * One process. body, web.out and the document are scratch: what a request needs while it is
 * answered, never kept. Nothing big belongs to a device.
 */
struct sim {
	uv_loop_t loop;
	struct web web;
	struct options options;
	uint8_t secret[16];
	EVP_MD *md5;
	EVP_MD_CTX *md;
	struct xml_doc *doc;
	struct buf body;
	char date[40];
	uint64_t date_at;
	struct fleet fleet;
	struct redir_conn *redir_conns;
	struct kvm_kept kvm_kept;
	bool redirects; /* its redirection ports are open */
	struct control control;
	/* What the fleet started and stopped before rmcp_join(). */
	int (*start_web)(const struct control *control);
	void (*stop_web)(const struct control *control);
};

/* Loop time in milliseconds. */
static inline uint64_t sim_now(const struct sim *sim)
{
	return uv_now(&sim->loop);
}

/* "Mon, 10 Jan 2022 20:37:48 GMT", at most a second old. */
const char *sim_date(struct sim *sim);

#endif
