/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small text file of things remembered about devices: a line per device, "KEY field=value ...",
 * as people can read and edit it. Facts, pins, held boot intents, the marks in logs and refused
 * logins are five of these. Kept in memory once read; changes are merged into what other processes
 * wrote meanwhile, under a lock, and the file is replaced atomically, or gets lines added to its
 * end.
 */
#ifndef POWERCTL_CORE_STORE_H
#define POWERCTL_CORE_STORE_H

#include <powerctl/error.h>

struct pctl_store;

/* Nothing is read yet. path is copied. */
struct pctl_store *pctl_store_new(const char *path);
/* Unsaved changes are lost. */
void pctl_store_free(struct pctl_store *store);

/*
 * Whether what the file says is known: 0, also where there is none, or PCTL_E_INTERNAL where it is
 * there and cannot be read, with a text that begins with its path. It counts as empty then, and is
 * not written. Who decides about trust asks first.
 */
int pctl_store_check(struct pctl_store *store, struct pctl_error *err);

/* NULL where nothing is known; the text lives until the next change or save. */
const char *pctl_store_get(struct pctl_store *store, const char *key, const char *field);
/* value NULL forgets the field. */
void pctl_store_put(
	struct pctl_store *store, const char *key, const char *field, const char *value);

/* Calls each field of a key; returns how many there are. */
typedef void pctl_store_each_fn(void *data, const char *field, const char *value);
size_t pctl_store_each(
	struct pctl_store *store, const char *key, pctl_store_each_fn *each, void *data);

/* Calls each key that has fields. each may change the fields of its key. */
typedef void pctl_store_keys_fn(void *data, const char *key);
void pctl_store_keys(struct pctl_store *store, pctl_store_keys_fn *each, void *data);

/*
 * Makes the next look see what other processes wrote meanwhile, below what is not saved yet.
 * Whether that may be anything new.
 */
bool pctl_store_refresh(struct pctl_store *store);

/*
 * Writes what was changed, if anything, as lines behind those of the file: as cheap as the change
 * is small, for what has to be on disk before somebody is told of it. Later lines hold; "-FIELD"
 * forgets. The next save makes one line per key again. Errors as pctl_store_save().
 */
int pctl_store_append(struct pctl_store *store, struct pctl_error *err);

/* Writes what was changed, if anything. PCTL_E_INTERNAL: it could not be kept (text says where). */
int pctl_store_save(struct pctl_store *store, struct pctl_error *err);

#endif
