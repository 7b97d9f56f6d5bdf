/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP answer into the element that was asked for, or into an error: pure, no I/O. */
#ifndef POWERCTL_AMT_ANSWER_H
#define POWERCTL_AMT_ANSWER_H

#include <powerctl/http.h>

#include "wsman/status.h"
#include "wsman/wsman.h"
#include "wsman/xml.h"

/* What the request was, as far as the answer is judged by it. */
struct answer_want {
	enum wsman_verb verb;
	const char *method;       /* WSMAN_INVOKE */
	enum status_kind returns; /* WSMAN_INVOKE: how its ReturnValue is read */
	const char *what;         /* as in status.h */
	uint32_t message_id;
	bool any_id; /* do not compare message_id */
};

/*
 * Returns the first element in the Body (the Body itself if it is empty), for a method its
 * METHOD_OUTPUT with a ReturnValue that means success. It lives until reader's next document. Else
 * NULL with err:
 * a SOAP fault or a return value by the tables of status.h; protocol: a web page, broken XML, the
 * answer to another request.
 */
const struct xml_node *answer_read(struct xml_reader *reader, const struct pctl_http_answer *http,
	const struct answer_want *want, struct pctl_error *err);

/*
 * Whether err is the device's own verdict that it did nothing, rather than an accident on the way.
 */
bool answer_is_verdict(const struct pctl_error *err);

/* Whether err says that the device lacks what was asked for, or keeps it from this account. */
bool answer_is_lacking(const struct pctl_error *err);

#endif
