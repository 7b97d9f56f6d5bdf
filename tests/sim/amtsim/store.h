/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classes whose instances are nothing but their fields: a row each, with initial values. Get, Put,
 * Create and Delete follow from the rows; methods of a class are its own. A device has the values
 * as soon as one of these classes is asked for, and not before: most fleets never are.
 */
#ifndef POWERCTL_AMTSIM_STORE_H
#define POWERCTL_AMTSIM_STORE_H

#include "classes.h"

enum { STORE_FIELDS = 24, STORE_ROWS = 16 };

enum store_type {
	STORE_TEXT,
	STORE_BOOL,
	STORE_NUMBER,
	STORE_TIME,     /* p:Datetime */
	STORE_INTERVAL, /* p:Interval */
	STORE_EPR,      /* its URI, and names and values of its selectors, a line each */
};

enum {
	STORE_READ_ONLY = 1,  /* a Put with it is refused */
	STORE_WRITE_ONLY = 2, /* reads as an empty element */
	STORE_LIST = 4,       /* values a line each; an empty list is one empty element */
	STORE_ABSENT_OK = 8,  /* a Put without it takes it away */
	STORE_HIDDEN = 16,    /* not there at all for a reader */
};

struct store_field {
	const char *name;
	enum store_type type;
	unsigned flags;
};

struct store_row {
	char *values[STORE_FIELDS];
};

struct store_table {
	struct store_row *rows; /* STORE_ROWS, or NULL until it is asked for */
	size_t n;
};

struct store_class {
	const struct store_field *fields;
	/* Values in the order of fields, one instance behind the other; NULL: not there. */
	const char *const *initial;
	uint32_t at; /* among the tables of struct store */
	uint32_t nfields, ninitial;
	/* What of the initial values is a device's own. May be NULL. */
	void (*fill)(struct device *dev, struct store_table *table);
	/* What the firmware would not have: a PT_STATUS, or 0. was NULL: it is new. May be NULL. */
	uint32_t (*check)(struct call *c, const struct store_row *was, const struct store_row *is);
	/* The same for one that is to go. May be NULL. */
	uint32_t (*may_go)(struct call *c, const struct store_row *row);
	bool creatable, deletable;
};

enum {
	STORE_ETHERNET,
	STORE_TLS,
	STORE_TLS_CONTEXT,
	STORE_CERTIFICATES,
	STORE_KEYS,
	STORE_ALARMS,
	STORE_WIFI_PORT,
	STORE_WIFI_SERVICE,
	STORE_WIFI_PROFILES,
	STORE_WIFI_EAP,
	STORE_WIRED_EAP,
	STORE_OLD_EAP,
	STORE_USERS,
	STORE_CIRA_SERVERS,
	STORE_CIRA_POLICIES,
	STORE_CIRA_APPLIED,
	STORE_PROXIES,
	STORE_PROXY_SERVICE,
	STORE_ENVIRONMENT,
	STORE_SCHEMES,
	STORE_GENERAL,
	STORE_TABLES,
};

/* Of one device, in dev->store. */
struct store {
	struct store_table tables[STORE_TABLES];
	uint32_t next_handle;
	uint32_t by_user; /* EnabledState of AMT_UserInitiatedConnectionService */
	uint32_t scheme;  /* which power package */
	uint32_t commits; /* CommitChanges so far */
	int64_t clock;    /* seconds ahead of this host */
};

struct store *store_of(struct device *dev);
/* In memory of its own, terminated. */
char *store_copy(struct str s);
void store_free(struct device *dev);

struct store_table *store_table(struct device *dev, const struct store_class *class);
size_t store_index(const struct store_class *class, const char *field);
const char *store_get(
	const struct store_class *class, const struct store_row *row, const char *field);
void store_set(const struct store_class *class, struct store_row *row, const char *field,
	struct str value);
/* NULL: it is full. */
struct store_row *store_add(struct device *dev, const struct store_class *class);
/* Whose field has that value, or NULL. */
struct store_row *store_find(
	struct device *dev, const struct store_class *class, const char *field, struct str value);
void store_remove(struct device *dev, const struct store_class *class, struct store_row *row);

/* The last row goes. */
void store_drop_last(struct store_table *table);

/* For wclass: what can be done to its instances. */
void store_emit(struct call *c, size_t i);
enum fault store_put(struct call *c, size_t i);
enum fault store_create(struct call *c);
enum fault store_delete(struct call *c, size_t i);

/*
 * Counts a write to the flash memory, of a call "AMT_X.Put" or "AMT_X.Method"; a PT_STATUS if the
 * knobs refuse_call, flash_writes or audit_full have it so, else 0.
 */
uint32_t store_write(struct call *c, const char *method, bool audited);

extern const struct wclass setting_classes[];
extern const size_t setting_classes_count;
extern const struct wclass wifi_classes[];
extern const size_t wifi_classes_count;
extern const struct wclass security_classes[];
extern const size_t security_classes_count;
extern const struct wclass tls_classes[];
extern const size_t tls_classes_count;
extern const struct wclass cira_classes[];
extern const size_t cira_classes_count;

#endif
