/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks through ranges of addresses for devices that nobody has named yet: each address, with each
 * driver that knows how to find its own (struct pctl_discover_if). No login is sent, no machine is
 * changed, and nothing is remembered.
 */
#ifndef POWERCTL_DISCOVER_H
#define POWERCTL_DISCOVER_H

#include <powerctl/powerctl.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PCTL_DISCOVER_RATE   500u
#define PCTL_DISCOVER_FANOUT 1024u

struct pctl_discover_request {
	/*
	 * NULL-terminated: 10.0.0.[1-254], 10.0.0.0/24 (without its network and broadcast address),
	 * 10.0.0.1-10.0.0.9, fd00::1-fd00::ff, fe80::1%eth0, names of hosts; at most 65,536.
	 */
	const char *const *ranges;
	/* Also what is neither RFC 1918, RFC 4193, link-local nor loopback. */
	bool public_too;
	unsigned rate;      /* addresses that are begun in a second; 0: PCTL_DISCOVER_RATE */
	unsigned fanout;    /* addresses at a time; 0: PCTL_DISCOVER_FANOUT */
	const char *driver; /* only this one; NULL: all that can */
	/* A map of drivers' names to maps of their settings (ports), or NULL. */
	const struct pctl_value *settings;
};

/* Something was found. All of it is valid during the callback only. */
struct pctl_found {
	const char *address; /* a number */
	const char *host;    /* the name that led there; NULL: none did */
	const char *driver;
	unsigned rank; /* where several drivers find something at one address: the highest is best
			*/
	const struct pctl_value *tree; /* what it told, by the names of docs/names.md */
};

/* What became of all of it. */
struct pctl_discover_end {
	size_t addresses;          /* that were asked */
	size_t found;              /* pctl_found_fn was called so often */
	size_t left;               /* addresses that were not asked any more, being canceled */
	size_t outside;            /* names whose address is not private: they were not asked */
	size_t unknown;            /* names without an address */
	const char *unknown_names; /* those, folded; NULL: none; valid during the callback only */
	size_t failed;             /* times that a driver could not find out */
	struct pctl_error error;   /* the first of those; code 0: none */
};

typedef void pctl_found_fn(void *data, const struct pctl_found *found);
/* Once, last; the discovery is gone afterwards. */
typedef void pctl_discover_done_fn(void *data, const struct pctl_discover_end *end);

struct pctl_discovery;

/*
 * Reads ranges and settings; nothing is sent. PCTL_E_CONFIG with what is wrong: a word that is no
 * range, too many addresses (it says how many), addresses that are not private without public_too,
 * a driver that cannot find. request is borrowed for the call.
 */
PCTL_API int pctl_discovery_new(struct pctl_core *core, const struct pctl_discover_request *request,
	struct pctl_discovery **ret, struct pctl_error *err);
/* One that was never started. */
PCTL_API void pctl_discovery_free(struct pctl_discovery *discovery);
/* How many addresses there are to be asked. */
PCTL_API size_t pctl_discovery_count(const struct pctl_discovery *discovery);
/* How many of them were asked, by every driver, to the end. */
PCTL_API size_t pctl_discovery_ended(const struct pctl_discovery *discovery);
/* Callbacks follow from the loop, never from within. found may be NULL. */
PCTL_API void pctl_discovery_start(struct pctl_discovery *discovery, pctl_found_fn *found,
	pctl_discover_done_fn *done, void *data);
/* Ends what is in flight; done follows. */
PCTL_API void pctl_discovery_cancel(struct pctl_discovery *discovery);

#ifdef __cplusplus
}
#endif

#endif
