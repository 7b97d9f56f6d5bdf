/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The classes: one row each, with what can be done to them. A handler writes instances with the
 * helpers below and reports failure by a fault number; it sends nothing.
 */
#ifndef POWERCTL_AMTSIM_CLASSES_H
#define POWERCTL_AMTSIM_CLASSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util.h"

struct device;
struct log_entry;
struct xml_doc;

#define NS_CIM    "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
#define NS_AMT    "http://intel.com/wbem/wscim/1/amt-schema/1/"
#define NS_IPS    "http://intel.com/wbem/wscim/1/ips-schema/1/"
#define NS_SOAP   "http://www.w3.org/2003/05/soap-envelope"
#define NS_WSA    "http://schemas.xmlsoap.org/ws/2004/08/addressing"
#define NS_WSMAN  "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
#define NS_ENUM   "http://schemas.xmlsoap.org/ws/2004/09/enumeration"
#define NS_COMMON "http://schemas.dmtf.org/wbem/wscim/1/common"

enum fault {
	FAULT_NONE,
	FAULT_DESTINATION_UNREACHABLE,
	FAULT_ACTION_NOT_SUPPORTED,
	FAULT_HEADER_REQUIRED,
	FAULT_MUST_UNDERSTAND,
	FAULT_INVALID_SELECTORS,
	FAULT_INVALID_REPRESENTATION,
	FAULT_INVALID_CONTEXT,
	FAULT_ACCESS_DENIED,
	FAULT_ENCODING_LIMIT,
	FAULT_ALREADY_EXISTS,
	FAULT_QUOTA,
	/* Its detail is the PT_STATUS in struct call. */
	FAULT_INTERNAL,
};

/* One request to one class. node is the body element: the instance or Method_INPUT. */
struct call {
	struct device *dev;
	const struct wclass *wclass;
	const struct xml_doc *doc;
	int node;
	int selectors;
	struct buf *out;
	/* Prefixes of the instance and of the common namespace in this envelope. */
	char prefix;
	char common;
	uint32_t status;
	bool lost;
};

/* Appends output parameters to c->out; *ret_value is written behind them. */
typedef enum fault method_fn(struct call *c, uint32_t *ret_value);

struct method {
	const char *name;
	/* Parameters in their order, between blanks. */
	const char *params;
	method_fn *run;
	unsigned min_major;
	/* The parameter that may come again, or NULL. */
	const char *list;
};

struct wclass {
	const char *name;
	const char *uri;
	/* Items of an enumeration have another class: its name and URI. */
	const struct wclass *item;
	/* Key of an instance; NULL: there is one only. */
	const char *key;
	/* Of an association: the selector that is a reference, and the selector in it that is the
	 * key. May be NULL. */
	const char *link, *link_key;
	/* Selectors that may be given, between blanks. */
	const char *selectors;
	bool common;
	bool enumerate_only;
	/* NULL: always there. */
	bool (*present)(const struct device *dev);
	/* NULL: one. */
	size_t (*count)(const struct device *dev);
	/* Value of the key of the i-th instance. */
	const char *(*key_of)(const struct device *dev, size_t i);
	/* The members of the i-th instance. */
	void (*emit)(struct call *c, size_t i);
	enum fault (*put)(struct call *c);
	/* NULL, or where its instances are; count, key_of, emit and put are not there then. */
	const struct store_class *store;
	const struct method *methods;
	size_t nmethods;
};

#define METHODS(array) .methods = (array), .nmethods = COUNT(array)

/* NULL: no such class on this device. */
const struct wclass *classes_find(const struct device *dev, struct str uri);
/* NULL behind the last one. */
const struct wclass *classes_at(size_t i);
size_t classes_index(const struct wclass *wclass);
size_t classes_count_instances(const struct wclass *wclass, struct device *dev);
/* The value of the key of the i-th instance. */
const char *classes_key(const struct wclass *wclass, struct device *dev, size_t i);

/* Calls for the log: one of these, or CALL_METHOD + number of the method. */
enum call_kind {
	CALL_GET,
	CALL_PUT,
	CALL_ENUMERATE,
	CALL_PULL,
	CALL_IDENTIFY,
	CALL_CREATE,
	CALL_DELETE,
	CALL_UNKNOWN,
	CALL_METHOD,
};

enum { CLASS_NONE = 255 };

void classes_log(struct device *dev, const struct wclass *wclass, unsigned kind);
/* "CIM_BootService.SetBootConfigRole" */
void classes_log_name(struct log_entry entry, struct buf *out);

/* <p:name>text</p:name>, text escaped. */
void emit_text(struct call *c, const char *name, struct str text);
void emit_field(struct call *c, const char *name, const char *value);
void emit_number(struct call *c, const char *name, uint64_t value);
/* Members whose values never change: name, value, name, value, …, NULL. */
void emit_constants(struct call *c, const char *const *pairs);
/* An endpoint reference; selectors as name, value, …, NULL. */
void emit_epr(struct call *c, const char *name, const char *uri, const char *const *selectors);
/* Name, SystemCreationClassName and SystemName of a service. */
void emit_service_keys(struct call *c, const char *name, const char *owner);

/* Its Name; the attribute may be qualified: some clients do so, and the firmware takes it. */
struct str selector_name(const struct xml_doc *doc, int node);
/* Trimmed text of a parameter; p NULL if it is not there. */
struct str param(const struct call *c, const char *name);
/* False if it is not there or no such number. */
bool param_uint(const struct call *c, const char *name, uint64_t max, uint64_t *ret);
/* The selector of an endpoint reference in a parameter, if it names the class; else p NULL. */
struct str param_selector(
	const struct call *c, const char *name, const char *uri, const char *selector);

extern const struct wclass power_classes[];
extern const size_t power_classes_count;
extern const struct wclass boot_classes[];
extern const size_t boot_classes_count;
extern const struct wclass hardware_classes[];
extern const size_t hardware_classes_count;
extern const struct wclass info_classes[];
extern const size_t info_classes_count;
extern const struct wclass log_classes[];
extern const size_t log_classes_count;
extern const struct wclass redir_classes[];
extern const size_t redir_classes_count;
extern const struct wclass kvm_classes[];
extern const size_t kvm_classes_count;

#endif
