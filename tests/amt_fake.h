/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the Intel AMT driver: a device whose settings and facts a test sets, and in the
 * place of powerctl's HTTP engine a script of exchanges. What a request has to look like and what
 * is answered stand side by side in the test; a request that the script does not expect fails it.
 */
#ifndef POWERCTL_TESTS_AMT_FAKE_H
#define POWERCTL_TESTS_AMT_FAKE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <powerctl/driver.h>
#include <powerctl/http.h>

#include "driver/op.h"

/* One request that has to come, and what becomes of it. */
struct exchange {
	const char *want[6]; /* texts that the request has to hold */
	const char *lack;    /* one that it must not hold */
	const char *body;    /* what is in the answer's Body */
	const char *raw;     /* or the whole answer; %ID% stands for the MessageID */
	int status;          /* 0: 200 */
	int error;           /* or a class: no answer comes */
	const char *code;    /* with that device code */
	bool silent;         /* nothing ever comes */
	bool tls;            /* over which connection it has to come */
	bool changes;        /* whether it has to be marked so */
};

/* Bodies of answers. */
#define OUTPUT(method, value) \
	"<g:" method "_OUTPUT><g:ReturnValue>" value "</g:ReturnValue></g:" method "_OUTPUT>"
#define INSTANCE(class, fields) "<g:" class ">" fields "</g:" class ">"
#define FIELD(name, value)      "<g:" name ">" value "</g:" name ">"
#define CONTEXT(c)                                      \
	"<g:EnumerateResponse><g:EnumerationContext>" c \
	"</g:EnumerationContext></g:EnumerateResponse>"
#define ITEMS(items)                      \
	"<g:PullResponse><g:Items>" items \
	"</g:Items><g:EndOfSequence></g:EndOfSequence></g:PullResponse>"
#define MORE_ITEMS(c, items)                                                                \
	"<g:PullResponse><g:EnumerationContext>" c "</g:EnumerationContext><g:Items>" items \
	"</g:Items></g:PullResponse>"
#define FAULT(subcode, detail)                                                             \
	"<a:Fault><a:Code><a:Value>a:Sender</a:Value><a:Subcode><a:Value>" subcode         \
	"</a:Value></a:Subcode></a:Code><a:Reason><a:Text xml:lang=\"en-US\">why</a:Text>" \
	"</a:Reason><a:Detail>" detail "</a:Detail></a:Fault>"

struct fake {
	/* Settings. fake_open() sets those of the driver's table. */
	const char *tls; /* "true", "false", "auto" */
	const char *port, *tls_port;
	const char *username, *client_cert, *client_key, *secure_boot;
	const char *server; /* the Server header of answers */
	const struct pctl_secret *password;

	const struct exchange *script;
	size_t exchanges, sent; /* how many there are, and were used */
	char *requests[32];     /* their bodies */
	uint16_t ports[2];      /* of the connections: plain, over TLS; 0: none was wanted */

	uv_loop_t loop;
	struct pctl_error opened;
	struct pctl_error result; /* of the last op */
	int done;
	bool taken; /* it said that the device took it (pctl_op_taken()) */
	void *dev;
};

struct fake *fake_new(void);
/* After the fields were set: starts the driver and opens the device; opened has the outcome. */
void fake_open(struct fake *fake);
/* Closes the device, keeps the facts. */
void fake_reopen(struct fake *fake);
void fake_free(struct fake *fake);

/* The next op's requests. They all have to be used up when it ends. */
void fake_script(struct fake *fake, const struct exchange *script, size_t n);
#define SCRIPT(fake, ...)                                                         \
	do {                                                                      \
		static const struct exchange script_[] = { __VA_ARGS__ };         \
		fake_script(fake, script_, sizeof(script_) / sizeof(script_[0])); \
	} while (0)

/* Run an op to its end; result has the outcome. */
void fake_get(struct fake *fake, unsigned flags, struct pctl_power *ret);
void fake_act(struct fake *fake, enum pctl_action action);
void fake_boot_set(struct fake *fake, const struct pctl_boot *boot);
void fake_boot_get(struct fake *fake, struct pctl_boot *ret);
void fake_consent_get(struct fake *fake, struct pctl_consent *ret);
void fake_consent_request(struct fake *fake, struct pctl_consent *ret);
void fake_consent_submit(struct fake *fake, const char *code);
void fake_consent_cancel(struct fake *fake);
void fake_info(struct fake *fake, struct pctl_value *ret);
void fake_hardware(struct fake *fake, struct pctl_value *ret);
void fake_check(struct fake *fake, struct pctl_value *ret);
/* A method with the parameters in a map, which is freed. */
void fake_method(struct fake *fake, const char *name, struct pctl_value *take_parameters,
	struct pctl_value *ret);
void fake_sensors(struct fake *fake, struct pctl_value *ret);
void fake_log(struct fake *fake, const char *after, struct pctl_value *ret);
void fake_clear_log(struct fake *fake);
/* Its connection to the redirection port is the test's. */
void fake_console(struct fake *fake, unsigned flags, struct pctl_session **ret);

const char *fake_fact(const struct fake *fake, const char *key);
void fake_set_fact(struct fake *fake, const char *key, const char *value);

void fake_assert_failed(const struct fake *fake, int code, const char *text);
void fake_assert_done(const struct fake *fake);

#endif
