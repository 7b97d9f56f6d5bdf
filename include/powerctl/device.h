/* SPDX-License-Identifier: Apache-2.0 */
/* The core's side of an open node: what a driver may ask while the node is open. */
#ifndef POWERCTL_DEVICE_H
#define POWERCTL_DEVICE_H

#include <sys/socket.h>
#include <uv.h>

#include <powerctl/error.h>
#include <powerctl/secret.h>

#ifdef __cplusplus
extern "C" {
#endif

struct pctl_device;

PCTL_API uv_loop_t *pctl_device_loop(const struct pctl_device *device);
/* The node's name. */
PCTL_API const char *pctl_device_name(const struct pctl_device *device);
/* The address as the inventory has it: a name or a number, for SNI, certificates and Host headers.
 */
PCTL_API const char *pctl_device_host(const struct pctl_device *device);
/* How long a connection may take to come about, and how long one answer may take, in ms. */
PCTL_API uint64_t pctl_device_connect_ms(const struct pctl_device *device);
PCTL_API uint64_t pctl_device_answer_ms(const struct pctl_device *device);

/*
 * Settings by the names of the driver's property table, checked and with their defaults. Asking for
 * a name that is not in the table, or by the wrong type, is a fault of the driver and ends the
 * program. Texts live as long as the device; NULL where nothing was set and the table has no
 * default.
 */
PCTL_API const char *pctl_setting_text(const struct pctl_device *device, const char *name);
PCTL_API bool pctl_setting_bool(const struct pctl_device *device, const char *name);
PCTL_API uint64_t pctl_setting_uint(const struct pctl_device *device, const char *name);
PCTL_API uint64_t pctl_setting_duration(const struct pctl_device *device, const char *name);
/* The index into the property's choices. */
PCTL_API int pctl_setting_choice(const struct pctl_device *device, const char *name);
/* PCTL_TYPE_FLAGS: bit i is the property's choices[i]. */
PCTL_API uint64_t pctl_setting_flags(const struct pctl_device *device, const char *name);
/* PCTL_TYPE_TEXTS: how many there are, and one of them; NULL behind the last. */
PCTL_API size_t pctl_setting_texts(const struct pctl_device *device, const char *name);
PCTL_API const char *pctl_setting_texts_at(
	const struct pctl_device *device, const char *name, size_t i);
/* Whether the inventory sets it, rather than the table's default. */
PCTL_API bool pctl_setting_given(const struct pctl_device *device, const char *name);
/* NULL if there is none. */
PCTL_API const struct pctl_secret *pctl_setting_secret(
	const struct pctl_device *device, const char *name);

struct pctl_description;
/*
 * What the driver's describe() returned for this node's selector, which is as it was returned and
 * lives longer than the device; its properties are settings like those of the driver's table. NULL:
 * the driver has no selector.
 */
PCTL_API const struct pctl_description *pctl_device_description(const struct pctl_device *device);

/*
 * Facts: small things learned about a device that may be lost at any time and then only cost a
 * request (cipher suite, TLS yes or no). No secrets. Keys are [a-z0-9_]+, values one line of at
 * most 200 bytes. They are the endpoint's: what is true of one of several machines behind it
 * (PCTL_PROPERTY_UNIT) is none. get returns NULL where nothing is known; the text lives until the
 * next put of that key.
 */
PCTL_API const char *pctl_fact_get(const struct pctl_device *device, const char *key);
PCTL_API void pctl_fact_put(struct pctl_device *device, const char *key, const char *value);

/*
 * The cache: bytes that cost many requests to read and may be lost at any time (the sensor records
 * of a BMC). No secrets. Keys are [a-z0-9-]+, at most 128; what is equal for all nodes of a kind
 * has a key that says the kind.
 */
enum pctl_cache_scope {
	PCTL_CACHE_DEVICE, /* this endpoint's, with all machines behind it */
	PCTL_CACHE_DRIVER, /* of all nodes of the driver */
};
#define PCTL_CACHE_MAX ((size_t)1 << 20)
struct pctl_buf;
/*
 * Puts what was put under that key in place of ret's content. False, and ret is empty: there is
 * none, what is there is damaged, or it is more than ret may hold.
 */
PCTL_API bool pctl_cache_get(const struct pctl_device *device, enum pctl_cache_scope scope,
	const char *key, struct pctl_buf *ret);
/* At most PCTL_CACHE_MAX bytes are kept. */
PCTL_API void pctl_cache_put(const struct pctl_device *device, enum pctl_cache_scope scope,
	const char *key, const void *data, size_t len);

enum pctl_trust {
	PCTL_TRUST_FIRST_USE, /* remember what a device shows first, refuse anything else later */
	PCTL_TRUST_STRICT,    /* only what a CA vouches for or what is remembered already */
};
PCTL_API enum pctl_trust pctl_device_trust(const struct pctl_device *device);

/*
 * Pins: remembered identities. Compares what a device shows ("tls": SHA-256 of its certificate in
 * hex; "realm", "guid", "uuid": what names the machine itself) with what is remembered: "tls" and
 * "realm" of the endpoint, any other kind of the machine (PCTL_PROPERTY_UNIT). 0: the same, or not
 * known yet (then it is remembered, when the op that saw it or one after it ends well, and unless
 * trust is strict and kind is "tls"). PCTL_E_TRUST with a text that names `powerctl trust`: another
 * one. Empty values, those without a single non-zero digit and those of 160 bytes and more name no
 * machine: they are not remembered, and where one is known they are another. PCTL_E_INTERNAL: what
 * is remembered cannot be read, so nobody knows.
 */
PCTL_API int pctl_pin_check(
	struct pctl_device *device, const char *kind, const char *value, struct pctl_error *err);

/*
 * Whether there is a pin of that kind: a device that has ever shown one is held to it. True also
 * where the pins cannot be read.
 */
PCTL_API bool pctl_pin_known(const struct pctl_device *device, const char *kind);

/* How to reach a TCP port of the device. */
struct pctl_dial {
	int fd; /* connected already and now the caller's, or -1: dial direct */
	struct sockaddr_storage addr; /* direct: numeric, with the port */
	socklen_t addr_len;
};

/*
 * Answers at once. The core has resolved the name before the device's first op; drivers never
 * resolve. A descriptor may be one end of a socketpair: use it as a stream, close it when done.
 */
PCTL_API int pctl_dial(
	struct pctl_device *device, uint16_t port, struct pctl_dial *ret, struct pctl_error *err);

/*
 * Where datagrams to a port of the device go: a numeric address with the port. PCTL_E_UNSUPPORTED
 * where the device is only reached through a tunnel, which carries none.
 */
PCTL_API int pctl_device_datagram_address(struct pctl_device *device, uint16_t port,
	struct sockaddr_storage *ret_addr, socklen_t *ret_len, struct pctl_error *err);

/*
 * Why a descriptor from pctl_dial() was shut down by the core: fills err and returns its class, or
 * 0 if the core has no complaint about it. Ask before closing it.
 */
PCTL_API int pctl_dial_error(const struct pctl_device *device, int fd, struct pctl_error *err);

#ifdef __cplusplus
}
#endif

#endif
