/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the Intel AMT driver. From below:
 *
 *	wsman/: xml, wsman, answer, status   WS-Management as bytes and words, no I/O
 *	version, recovery, boot_image        versions, boot parameters, images as bytes, no I/O
 *	link                                 which port, TLS or not; one HTTP request
 *	call                                 an op as a chain of WS-Management requests
 *	rmcp                                 presence pings and pongs as bytes, no I/O
 *	records/: bytes, event, audit, records   the records of both logs, no I/O
 *	smbios                               what the firmware's numbers and texts mean, no I/O
 *	url_check                            an image's URL, asked for as the firmware will
 *	power, boot, boot_recovery, inspect, hardware, log, sensors, consent, account, discover
 *	                                     the operations
 *	classes/: class, tables, typed       classes as tables of fields, and typed ones, no I/O
 *	classes/: chain and the others       methods: they read classes, and change them
 *	doctor/: advisories            which holes a version has, no I/O
 *	doctor/: doctor                what is wrong with the device
 *	redirection/: frame, login           redirection as bytes and frames, no I/O
 *	redirection/: wire, switch, opening  a connection, up to the end of its login
 *	redirection/: asking, tap, session   what all sessions share, from there to their end
 *	redirection/: sol, screens, kvm      the console, the screen
 *	redirection/: scsi                   two drives as commands and answers, no I/O
 *	redirection/: image, ider, media     their media, and the session that has them
 *	amt                                  settings and the driver's table
 */
#ifndef POWERCTL_AMT_AMT_H
#define POWERCTL_AMT_AMT_H

#include <powerctl/driver.h>
#include <powerctl/http.h>
#include <powerctl/udp.h>

#include "classes/class.h"
#include "records/records.h"
#include "wsman/answer.h"

/* What the devices of one loop share. */
struct amt {
	struct pctl_http *http;
	/* Answers are read and used within one callback, so one reader is enough for all. */
	struct xml_reader *reader;
	uv_loop_t *loop;
	/* Of url_check.c. */
	struct url_check *url_checks;
	void (*url_checks_stopped)(struct amt *amt);
	/* While it stops. */
	pctl_closed_fn *closed;
	void *closed_data;
	struct pctl_udp *pings; /* its sockets are opened when somebody looks for devices */
};

struct amt_dev;

/* --- link.c ----------------------------------------------------------------------------------- */

/* In the order of the choices of the setting `tls`. */
enum link_tls {
	LINK_TLS_FALSE,
	LINK_TLS_TRUE,
	LINK_TLS_AUTO,
};

struct link {
	/* Made when first needed: over plain TCP, over TLS. */
	struct pctl_http_session *sessions[2];
	bool tls;    /* the one in use */
	bool chosen; /* tls holds until a request over it fails */
	bool proven; /* it has answered while this device was open */
	bool second; /* the other one was tried before it */
	struct pctl_http_request request;
};

/*
 * Sends body, which lives until the answer, to the device, over TLS or not as settings, facts and
 * trial say; amt_call_answered() follows, perhaps at once.
 */
void amt_link_send(struct amt_dev *dev, const char *body, size_t len, bool changes);
/* When the device's certificate holds, in seconds since 1970; false: it is spoken to without TLS.
 */
bool amt_link_certificate(
	const struct amt_dev *dev, int64_t *ret_not_before, int64_t *ret_not_after);
/* The port that is spoken to, over TLS or not. */
uint16_t amt_link_port(const struct pctl_device *d, bool tls);
/* The realm of the login's own challenge, until the next request; NULL: there was none. */
const char *amt_link_realm(const struct amt_dev *dev);
void amt_link_cancel(struct amt_dev *dev);
void amt_link_idle(struct amt_dev *dev);
void amt_link_done(struct amt_dev *dev);

/* --- call.c ----------------------------------------------------------------------------------- */

/* answer is as answer_read() gives it and lives until this returns; it ends or goes on with the op.
 */
typedef void amt_then_fn(struct amt_dev *dev, const struct xml_node *answer);
/* The same after a failure. Without such a function the op ends with err. */
typedef void amt_except_fn(struct amt_dev *dev, const struct pctl_error *err);
/* One instance of a list; it may come twice. */
typedef void amt_each_fn(struct amt_dev *dev, const struct xml_node *item);

struct call {
	struct pctl_op *op;   /* NULL: nothing is being done */
	struct wsman request; /* being built or in flight */
	struct wsman held;    /* built ahead, see amt_hold() */
	struct answer_want want;
	bool changes;
	bool taken;     /* a change was answered: see amt_changed() */
	bool logged_in; /* a request of it was answered behind the login */
	amt_then_fn *then;
	amt_except_fn *except;
	amt_each_fn *each;
	struct pctl_error *saved; /* while the device is asked what it means; ours */
	/* While then() and each() run: the answer as it came. */
	const struct pctl_http_answer *raw;
	unsigned pulls, items;
	bool restarted;
	uint32_t message_id; /* of the next request */
	void *kept;
	void (*over)(void *kept);
};

/* Starts working on op; ends it. amt_end(dev, NULL) is success. */
void amt_begin(struct amt_dev *dev, struct pctl_op *op);
void amt_end(struct amt_dev *dev, const struct pctl_error *err);
/* The op goes on without us: something else waits for it, and may begin it again. */
void amt_let_go(struct amt_dev *dev);
void amt_fail(struct amt_dev *dev, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Ends with err in other words: its class, the device's own code and the flags stay. */
void amt_end_saying(struct amt_dev *dev, const struct pctl_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * What the op that was begun has beside its requests. over() follows when it has ended, well, badly
 * or by abort, after which nothing of it is called any more; NULL takes that back.
 */
void amt_keep(struct amt_dev *dev, void *kept, void (*over)(void *kept));
void *amt_kept(const struct amt_dev *dev);

/* Requests of the op that was begun, one after the other. except may be NULL. */
void amt_get(struct amt_dev *dev, const struct wsman_class *class, amt_then_fn *then,
	amt_except_fn *except);
/* Every instance: Enumerate and as many Pulls as it takes. then() gets NULL. */
void amt_list(struct amt_dev *dev, const struct wsman_class *class, amt_each_fn *each,
	amt_then_fn *then, amt_except_fn *except);

/* A request with fields: begin it, add them with wsman_text() and so on, and send it. */
struct wsman *amt_request(
	struct amt_dev *dev, const struct wsman_head *head, enum status_kind returns);
struct wsman *amt_put(struct amt_dev *dev, const struct wsman_class *class);
struct wsman *amt_invoke(struct amt_dev *dev, const struct wsman_class *class, const char *method,
	enum status_kind returns);
/* What was begun acts on the machine: see pctl_op_committed(). */
void amt_changes(struct amt_dev *dev);
/* The device took a change, and what follows may change more: failures keep their class. */
void amt_changed(struct amt_dev *dev);
void amt_send(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except);
/* Puts the request that was begun aside while others are sent, and takes it up again. */
void amt_hold(struct amt_dev *dev);
void amt_unhold(struct amt_dev *dev);

/* From link.c: what came of the request. Exactly one is given. */
void amt_call_answered(
	struct amt_dev *dev, const struct pctl_http_answer *answer, const struct pctl_error *err);

/* --- What is known of one device. ------------------------------------------------------------- */

struct power_work {
	struct pctl_power *ret, seen;
	bool confirm;
	bool standby;
};

struct recovery_work;

struct boot_work {
	const struct pctl_boot *wish;
	struct pctl_boot *ret;
	bool armed;
	uint64_t sequence; /* of the source found so far; 0: none */
	enum pctl_boot_device found;
	struct recovery_work *recovery; /* NULL: it is none of One-Click Recovery */
};

struct consent_work {
	struct pctl_consent *ret; /* NULL: nothing is to be read */
};

struct inspect_work {
	struct pctl_value *ret;
	size_t step;
	bool any; /* some step brought something */
	char version[32], build[16], sku[16];
};

struct log_work {
	struct pctl_value *ret, *left_out;
	struct records *records;
	uint32_t next; /* iterator, index of a record, or the handle of a lock */
	unsigned reads;
	unsigned which; /* of its logs is to be emptied */
	bool again;     /* the audit log is read from its start, for it is another one by now */
};

struct hardware_work {
	struct pctl_value *ret;
	struct hardware *parts;
	size_t step;
	bool any; /* some step brought something */
};

struct sensors_work {
	struct pctl_value *ret;
	bool last;
};

/* More users than any firmware keeps. */
#define AMT_USERS_MAX 64u

/* By their handles. */
struct account_list {
	uint32_t handles[AMT_USERS_MAX];
	size_t n;
	void (*then)(struct amt_dev *dev);
	amt_except_fn *except;
};

struct chain_step;

#define CHAIN_CHANGES 12u

/* Of classes/: a method's chain. What it changes and looks for is its own, below. */
struct chain_work {
	const struct pctl_arguments *args;
	struct pctl_value *ret;
	const struct chain_step *step;
	void (*then)(struct amt_dev *dev);
	amt_except_fn *unread; /* NULL: the op ends where something cannot be read */
	const struct class *class;
	struct class_change change[CHAIN_CHANGES + 1];
	struct wsman_selector selector[2];
	unsigned changes;
	/* What one method knows on its way, by its name; cira, certs and tls keep more with the op.
	 */
	union {
		struct {
			bool has_kvm, has_consent, consent_fixed;
			bool unread; /* what is switched on */
			bool has_recovery, recovery_on, erase_on;
			char number[24]; /* of the consent that is wanted, until it is put */
		} features;
		struct {
			char minutes[24]; /* of idle, until it is put */
		} general;
		struct {
			void (*after_eap)(struct amt_dev *dev);
		} network;
		struct {
			bool certificate_changed;
			bool was_committed; /* what this host knows was, before */
		} tls;
		struct {
			struct account_list list;
			size_t at; /* in it */
			void (*then)(struct amt_dev *dev);
			amt_except_fn *except;
			bool changed; /* they are read to be told, and not to be changed */
		} users;
		struct {
			bool was_set;
		} time;
	} is;
};

struct direct_work {
	const struct pctl_display_direct *wish;
	struct pctl_value *ret;
};

struct screens_work;
struct switch_work;

struct account_work {
	const struct pctl_secret *password;
	char realm[256];
	struct account_list users;
	size_t at;       /* of them is looked at */
	bool admin_told; /* its administrator has a name, which is another one */
};

struct amt_dev {
	struct amt *amt;
	struct pctl_device *device;
	unsigned holds;         /* sessions of it that are open */
	pctl_closed_fn *closed; /* it is to be closed when there are none */
	void *closed_data;
	struct link link;
	struct call call;
	char server[72]; /* the Server header of the last answer: names the firmware's version */
	struct switch_work *redirection_switch; /* of the op in progress */
	struct screens_work *screens;           /* the same */
	struct account_list *users;             /* the same */
	bool standby; /* found in modern standby when its state was last read */
	union {
		struct power_work power;
		struct boot_work boot;
		struct inspect_work inspect;
		struct hardware_work hardware;
		struct log_work log;
		struct sensors_work sensors;
		struct chain_work chain;
		struct direct_work direct;
		struct consent_work consent;
		struct account_work account;
	} work;
};

/* A session is open that lives beside the ops: the device is closed after that. */
void amt_hold_open(struct amt_dev *dev);
void amt_release(struct amt_dev *dev);

/* --- power.c: parts of it for other ops. -------------------------------------------------------
 */

/* Asks for the hardware's state, which amt_power_state() reads from the answer. */
void amt_power_look(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except);
enum pctl_power_state amt_power_state(const struct xml_node *answer);
/* Turns on hardware that is not. */
void amt_power_on(struct amt_dev *dev, amt_then_fn *then, amt_except_fn *except);

/* --- consent.c: parts of it for other ops. -----------------------------------------------------
 */

extern const struct wsman_class amt_opt_in;
/*
 * Whether what needs consent of a kind (ALL: boot devices and media; KVM) lacks it by an instance
 * of amt_opt_in; remembers what it is required for.
 */
bool amt_consent_lacks(
	struct amt_dev *dev, const struct xml_node *service, enum pctl_consent_need what);
/* Ends the op: what ("boot options") needs it. why is the device's own complaint, or NULL. */
void amt_consent_want(struct amt_dev *dev, const char *what, const struct pctl_error *why);

/* --- account.c: parts of it for other ops. -----------------------------------------------------
 */

extern const struct wsman_class amt_authorization;
/* Reads who there is beside the administrator into list, which is the op's, and goes on; except as
 * in amt_send(). */
void amt_account_list(struct amt_dev *dev, struct account_list *list,
	void (*then)(struct amt_dev *dev), amt_except_fn *except);

/*
 * The realm that a password is hashed with, until the next request: the login's own, which answer,
 * an instance of AMT_GeneralSettings, has to confirm. NULL: it does not, and the op has ended.
 */
const char *amt_account_realm(struct amt_dev *dev, const struct xml_node *answer);

extern const struct pctl_power_if amt_power;
extern const struct pctl_boot_if amt_boot;
extern const struct pctl_inspect_if amt_inspect;
extern const struct pctl_discover_if amt_discover;
/* For amt.pings. */
bool amt_discover_receive(struct pctl_udp_member *member, const uint8_t *packet, size_t len);
extern const struct pctl_console_if amt_console;
extern const struct pctl_media_if amt_media;
extern const struct pctl_log_if amt_log;
extern const struct pctl_sensors_if amt_sensors;
extern const struct pctl_display_if amt_display;
extern const struct pctl_consent_if amt_consent;
extern const struct pctl_account_if amt_account;
extern const struct pctl_method amt_methods[];

/* pctl_inspect_if.check */
void amt_check(void *data, struct pctl_op *op, struct pctl_value *ret);
/* pctl_inspect_if.hardware */
void amt_hardware(void *data, struct pctl_op *op, struct pctl_value *ret);

/* Facts. TLS is "yes" or "no". */
#define FACT_TLS "tls"
/* yes: nothing that was set about TLS waits for its commit, as far as this host knows. */
#define FACT_TLS_COMMITTED "tls_committed"
/* The Server header of firmware that was found to lack IPS_PowerManagementService. */
#define FACT_NO_OS_SAVING "no_os_power_saving"
/* What needs user consent: "none", "kvm", "all". */
#define FACT_CONSENT "user_consent"

#endif
