/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fields as somebody types them: NAME=VALUE. Text only, no I/O. A value is
 *
 *	anything                     a text
 *	"any thing"                  the text between the quotes; \" and \\ stand for " and \
 *	CLASS(KEY=VALUE,...)         a reference to an instance; values are texts
 *	CLASS{NAME=VALUE,...}        an instance; values are texts, references, times
 *	Datetime(2030-01-31T07:00:00Z), Interval(P1DT0H0M0S)
 *
 * where CLASS begins with AMT_, CIM_ or IPS_, and a text inside of brackets that has a comma, a
 * quote or a bracket without its other one in it stands in quotes.
 */
#ifndef POWERCTL_AMT_TYPED_H
#define POWERCTL_AMT_TYPED_H

#include <powerctl/error.h>

#include "wsman/wsman.h"

#define TYPED_FIELDS_MAX 64u
#define TYPED_URI_SIZE   128u

/* What names of classes, methods and fields are made of. */
#define TYPED_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

/* A value may be a secret: every copy of one is wiped. */
struct typed_field {
	char *name, *value;
};

/* All zero: none. */
struct typed_fields {
	struct typed_field v[TYPED_FIELDS_MAX];
	size_t n;
};

/* The class of that name; uri holds its URI. False: it is no class's name. */
bool typed_class(const char *name, char uri[TYPED_URI_SIZE], struct wsman_class *ret);

/* One more field. PCTL_E_CONFIG: from ("set") has no field in it, or one too many. */
int typed_add(
	struct typed_fields *fields, const char *from, const char *text, struct pctl_error *err);
/* The same of each line that is not empty and no remark (#). */
int typed_add_lines(struct typed_fields *fields, const char *from, const char *data, size_t len,
	struct pctl_error *err);
void typed_done(struct typed_fields *fields);

/* The field of a request; value was taken by typed_add(). */
void typed_write(struct wsman *w, const char *name, const char *value);

/* KEY=VALUE, its key copied; NULL where it is not that. free() *ret_key. */
const char *typed_split(const char *text, char **ret_key);

#endif
