/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the Redfish driver. From below:
 *
 *	doc, quirks                            JSON documents, vendors: no I/O
 *	client                                 an op as a chain of requests: login, 401, redirects,
 *tasks patch                                  a change with its ETag find which system it is; its
 *document walk                                   many documents, one after the other power, boot,
 *identify, media           operations that change something inspect, hardware, sensors, log
 *operations that read methods                                what fits no interface redfish
 *settings and the driver's table
 */
#ifndef POWERCTL_REDFISH_REDFISH_H
#define POWERCTL_REDFISH_REDFISH_H

#include <uv.h>

#include <powerctl/buf.h>
#include <powerctl/driver.h>
#include <powerctl/http.h>

#include "doc.h"
#include "quirks.h"

#define ETAG_SIZE 256u

/* What the devices of one loop share. */
struct redfish {
	struct pctl_http *http;
};

struct redfish_dev;

/* --- client.c --------------------------------------------------------------------------------- */

/* In the order of the choices of the setting `auth`. */
enum redfish_auth {
	REDFISH_AUTH_AUTO,
	REDFISH_AUTH_SESSION,
	REDFISH_AUTH_BASIC,
};

/* Valid during the callback. */
struct reply {
	int status;                                 /* 0: there was no answer */
	const json_t *doc;                          /* NULL: no body, or none that can be read */
	const char *etag, *location, *allow, *path; /* path: of the request, after redirects */
};

/* It ends or goes on with the op. */
typedef void redfish_then_fn(struct redfish_dev *dev, const struct reply *reply);
/* The same after a failure. Without such a function the op ends with err. */
typedef void redfish_except_fn(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply);

#define REQUEST_PUBLIC  1u /* anybody may ask for it: no login */
#define REQUEST_CHANGES 2u /* the commit point */

enum stage {
	STAGE_REQUEST,
	STAGE_ROOT, /* the three others come in between */
	STAGE_LOGIN,
	STAGE_TASK,
};

struct request {
	const char *method; /* a literal */
	char path[DOC_PATH_MAX];
	char *body;
	bool secret; /* body: it is wiped */
	unsigned flags;
	char etag[ETAG_SIZE]; /* If-Match; "": none */
	const char *what;     /* for errors: "it refused WHAT"; a literal */
	redfish_then_fn *then;
	redfish_except_fn *except;
};

struct call {
	struct pctl_op *op; /* NULL: nothing is being done */
	struct request request;
	enum stage stage;
	struct pctl_buf login; /* the body of a login, with the password */
	char task[DOC_PATH_MAX];
	struct search *search; /* find.c's; NULL: none */
	struct patch *patch;   /* patch.c's; NULL: none */
	uint64_t task_until;
	unsigned redirects, waits;
	bool relogged; /* a 401 has cost a login already */
	bool many;     /* more requests follow: a session is worth it */
	redfish_then_fn *root_then,
		*system_then; /* see redfish_with_root(), redfish_read_system() */
	void *job;
	void (*job_done)(void *job);
};

/* Starts working on op. many: more than a request or two are to come. */
void redfish_begin(struct redfish_dev *dev, struct pctl_op *op, bool many);
/* Ends it; err == NULL is success. */
void redfish_end(struct redfish_dev *dev, const struct pctl_error *err);
void redfish_fail(struct redfish_dev *dev, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A job that belongs to the op and is freed with it by done(), which may be NULL: then free(). */
void *redfish_keep(struct redfish_dev *dev, size_t size, void (*done)(void *job));
void *redfish_kept(const struct redfish_dev *dev);

/* Requests of the op that was begun, one after the other. except may be NULL. */
void redfish_get(struct redfish_dev *dev, const char *path, unsigned flags, redfish_then_fn *then,
	redfish_except_fn *except);
/*
 * A request with a body (NULL: none); etag "" or NULL: no If-Match. what is a literal. A 202 is
 * followed for a while: then() comes when it has ended, or goes on as accepted.
 */
void redfish_send(struct redfish_dev *dev, const char *method, const char *path, json_t *take_body,
	const char *etag, const char *what, redfish_then_fn *then, redfish_except_fn *except);
/* The same with a body that is a secret; it is copied. */
void redfish_send_secret(struct redfish_dev *dev, const char *method, const char *path,
	const struct pctl_buf *body, const char *etag, const char *what, redfish_then_fn *then,
	redfish_except_fn *except);
void redfish_then_end(struct redfish_dev *dev, const struct reply *reply);
/* then(dev, NULL) once dev->root is there. */
void redfish_with_root(struct redfish_dev *dev, redfish_then_fn *then);
/* Whether err only says that the service lacks what was asked for, or keeps it to itself. */
bool redfish_lacks(const struct pctl_error *err);

/* Says goodbye, at most for a second or two; closed() follows. */
void redfish_client_close(struct redfish_dev *dev, void (*closed)(struct redfish_dev *dev));

/* For login.c: sends what stage says; goes on with the request; fails it. */
void redfish_transmit(struct redfish_dev *dev, enum stage stage);
void redfish_go_on(struct redfish_dev *dev);
void redfish_fail_request(
	struct redfish_dev *dev, const struct pctl_error *err, const struct reply *reply);
void redfish_fail_text(struct redfish_dev *dev, int code, const char *text);

/* --- login.c ---------------------------------------------------------------------------------- */

/* Whether the next request is worth a session. */
bool redfish_login_wanted(const struct redfish_dev *dev);
/* Logs in and goes on with the request, or without a session. */
void redfish_login_begin(struct redfish_dev *dev);
void redfish_login_answered(
	struct redfish_dev *dev, const struct pctl_http_answer *answer, const struct reply *reply);
/* The request was answered 401. */
void redfish_login_refused(
	struct redfish_dev *dev, const struct pctl_http_answer *answer, const struct reply *reply);
/* The service has no sessions, for ever or just now. */
void redfish_login_none(struct redfish_dev *dev, bool for_ever);
void redfish_login_forget(struct redfish_dev *dev);
/* Of the sessions; NULL: not known. */
const char *redfish_login_path(const struct redfish_dev *dev);
/* Adds text as a JSON string: a JSON library would leave copies of what is secret. */
void redfish_add_quoted(struct pctl_buf *out, const char *text, size_t len);
/* As pctl_fact_put(), where it is something new that can be kept. */
void redfish_put_fact(struct redfish_dev *dev, const char *key, const char *value);

/* --- patch.c ---------------------------------------------------------------------------------- */

/* A PATCH as redfish_send(), with If-Match as the service wants it. etag: as read; "": not known.
 */
void redfish_patch(struct redfish_dev *dev, const char *path, json_t *take_body, const char *etag,
	const char *what, redfish_then_fn *then, redfish_except_fn *except);
/* The same with a body that is a secret; it is copied. */
void redfish_patch_secret(struct redfish_dev *dev, const char *path, const struct pctl_buf *body,
	const char *etag, const char *what, redfish_then_fn *then, redfish_except_fn *except);
/* For client.c: the op has ended. */
void redfish_patch_drop(struct call *call);

/* --- find.c ----------------------------------------------------------------------------------- */

/* then(dev, NULL) with dev->system read just now. */
void redfish_read_system(struct redfish_dev *dev, redfish_then_fn *then);
/* The same, where one that was read while the device was open will do. */
void redfish_with_system(struct redfish_dev *dev, redfish_then_fn *then);
/* The machine was changed: its document has to be read anew. */
void redfish_forget_system(struct redfish_dev *dev);
/* What is known of the vendor so far. */
const struct quirks *redfish_quirks(const struct redfish_dev *dev);
/* The system's first chassis and manager; NULL: it names none. */
const char *redfish_chassis(const struct redfish_dev *dev);
const char *redfish_manager(const struct redfish_dev *dev);

/* --- walk.c ----------------------------------------------------------------------------------- */

/* One document of the walk; it may add to it. */
typedef void redfish_each_fn(struct redfish_dev *dev, const json_t *doc);
struct walk;

/* A pointer to it is the first member of the op's job. */
struct walk *redfish_walk_new(void);
void redfish_walk_free(struct walk *walk);
/* path may be NULL: nothing is added. */
void redfish_walk_add(struct walk *walk, const char *path, redfish_each_fn *each);
/* each() for every member of a collection, whole. */
void redfish_walk_members(struct walk *walk, const char *path, redfish_each_fn *each);
/*
 * Asks for them in order; what the service lacks is left out. Then finish(dev, NULL), or
 * finish(dev, why) where nothing at all was to be had and something was refused.
 */
typedef void redfish_finish_fn(struct redfish_dev *dev, const struct pctl_error *why);
void redfish_walk_run(struct redfish_dev *dev, struct walk *walk, redfish_finish_fn *finish);

/* --- boot.c ----------------------------------------------------------------------------------- */

/* Of what redfish_boot can do, what this system does not list; false: it lists nothing. */
bool redfish_boot_lacks(const struct redfish_dev *dev, uint32_t *ret);

/* --- console.c -------------------------------------------------------------------------------- */

#define REDFISH_CONSOLE_MAX 80u
/* Whether it can be typed, and shown to a terminal. */
bool redfish_console_is_line(const char *text);

/* --- media.c ---------------------------------------------------------------------------------- */

void redfish_media_list(
	void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret);
void redfish_media_insert(
	void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret);
void redfish_media_eject(
	void *dev, struct pctl_op *op, const struct pctl_arguments *args, struct pctl_value *ret);

/* --- What is known of one device. ------------------------------------------------------------- */

struct redfish_dev {
	struct redfish *redfish;
	struct pctl_device *device;
	struct pctl_http_session *http;
	uv_timer_t timer;

	uint16_t port;
	bool tls;
	enum redfish_auth auth;
	const char *unit; /* the system's id, or NULL */

	bool basic_only;     /* it has no sessions, or none left */
	bool session_only;   /* it takes no Basic logins */
	unsigned basic_sent; /* requests with a Basic login so far */
	bool lost;           /* the last request had no answer in its time */
	struct pctl_secret *token;
	char token_path[DOC_PATH_MAX]; /* of the session; "": not told */

	json_t *root; /* NULL: not read */
	json_t *host; /* NULL: not read, or changed since */
	char system_path[DOC_PATH_MAX];
	char etag[ETAG_SIZE];
	bool no_patch;   /* the system's Allow field lacks PATCH */
	uint32_t resets; /* ResetTypes it takes, as power.c's rows; 0: not known */

	struct call call;
	void (*closed)(struct redfish_dev *dev);
	pctl_closed_fn *closed_fn;
	void *closed_data;
};

extern const struct pctl_power_if redfish_power;
extern const struct pctl_discover_if redfish_discover;
extern const struct pctl_boot_if redfish_boot;
extern const struct pctl_inspect_if redfish_inspect;
extern const struct pctl_identify_if redfish_identify;
extern const struct pctl_console_if redfish_console;
extern const struct pctl_log_if redfish_log;
extern const struct pctl_sensors_if redfish_sensors;
extern const struct pctl_media_if redfish_media;
extern const struct pctl_account_if redfish_account;
extern const struct pctl_method redfish_methods[];

void redfish_hardware(void *data, struct pctl_op *op, struct pctl_value *ret);
void redfish_check(void *data, struct pctl_op *op, struct pctl_value *ret);

/* Facts, all of them the service's and none of a system's, but for the first. */
#define FACT_SYSTEM   "system"   /* path of the only system; not where `system` is set */
#define FACT_SYSTEMS  "systems"  /* path of the collection */
#define FACT_SESSIONS "sessions" /* path of the sessions */
#define FACT_LOGIN    "login"    /* "basic": no sessions; "session": no Basic logins */
#define FACT_VENDOR   "vendor"   /* the row of quirks */
#define FACT_EXPAND   "expand"   /* "yes", "no": $expand of collections */
#define FACT_RESETS   "resets"   /* what ActionInfo named: words with a blank between */

#endif
