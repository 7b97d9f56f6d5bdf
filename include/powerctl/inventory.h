/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inventory: which machines there are and how to reach them, read from YAML (powerctl.yaml(5)).
 * Reading it loads no driver and opens no secret. What a node's settings mean is its driver's to
 * say: their names and types are checked when the node is opened or by pctl_core_check().
 */
#ifndef POWERCTL_INVENTORY_H
#define POWERCTL_INVENTORY_H

#include <powerctl/buf.h>
#include <powerctl/error.h>
#include <powerctl/nodeset.h>
#include <powerctl/secret.h>
#include <powerctl/value.h>

#ifdef __cplusplus
extern "C" {
#endif

/* --- Mistakes, all of them, each "FILE:LINE:COLUMN: what, and what would be right". ----------- */

struct pctl_problems;
PCTL_API struct pctl_problems *pctl_problems_new(void);
PCTL_API void pctl_problems_free(struct pctl_problems *problems);
PCTL_API size_t pctl_problems_count(const struct pctl_problems *problems);
PCTL_API const char *pctl_problems_at(const struct pctl_problems *problems, size_t i);
/* place.file NULL: no place is written. The same line is kept once; after 200 it only counts. */
PCTL_API void pctl_problems_add(struct pctl_problems *problems, struct pctl_place place,
	const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* --- Reading. --------------------------------------------------------------------------------- */

struct pctl_inventory;

/* The most nodes at a time that anybody can ask for; descriptors may allow less. */
#define PCTL_FANOUT_MAX 65536u

/*
 * Which file holds: override if not NULL, else $POWERCTL_INVENTORY,
 * ~/.config/powerctl/powerctl.yaml (under $XDG_CONFIG_HOME if set), /etc/powerctl/powerctl.yaml.
 * free() *ret_path. PCTL_E_CONFIG if there is none: err says where it looked. *ret_shadowed: the
 * personal file hides the system's.
 */
PCTL_API int pctl_inventory_find(
	const char *override, char **ret_path, bool *ret_shadowed, struct pctl_error *err);

/* When a source that is a program is run. */
enum pctl_freshness {
	PCTL_SOURCES_DUE,  /* if its kept answer is older than the source says */
	PCTL_SOURCES_KEPT, /* only if there is no kept answer */
	PCTL_SOURCES_NOW,  /* always */
	/* Never: a source without a kept answer gives nothing. For what must not wait. */
	PCTL_SOURCES_NEVER,
};

/*
 * Reads a file, what it includes and what its sources say; blocks as long as they take, which is up
 * to 30 s for each that is a program. pctl_inventory_load() runs those that are due. PCTL_E_CONFIG
 * if there is any problem; the inventory that could be read is in *ret all the same if the file
 * could be parsed (NULL otherwise).
 */
PCTL_API int pctl_inventory_load(
	const char *path, struct pctl_inventory **ret, struct pctl_problems *problems);
PCTL_API int pctl_inventory_load_fresh(const char *path, enum pctl_freshness freshness,
	struct pctl_inventory **ret, struct pctl_problems *problems);
/* One without any node, for URLs. */
PCTL_API struct pctl_inventory *pctl_inventory_new(void);
PCTL_API void pctl_inventory_free(struct pctl_inventory *inventory);

/* The path it was loaded from, or NULL. */
PCTL_API const char *pctl_inventory_path(const struct pctl_inventory *inventory);

/* --- Sources: what else says which nodes and groups there are. -------------------------------- */

PCTL_API size_t pctl_inventory_source_count(const struct pctl_inventory *inventory);
/*
 * The groups of sources that cannot be expanded. Loading leaves them to whoever selects one: they
 * are no mistakes of the inventory.
 */
PCTL_API void pctl_inventory_check_sources(
	const struct pctl_inventory *inventory, struct pctl_problems *problems);
/* What it gave and how old that is: "source 'prog': 8 nodes, 2 groups, 3 min old"; free() it. */
PCTL_API char *pctl_inventory_source_words(const struct pctl_inventory *inventory, size_t source);
/* What somebody should know whatever they do, or NULL; free() it. */
PCTL_API char *pctl_inventory_source_warning(const struct pctl_inventory *inventory, size_t source);

/* --- Nodes, by index in the order of the file. Texts live as long as the inventory. ----------- */

PCTL_API size_t pctl_inventory_count(const struct pctl_inventory *inventory);
PCTL_API const char *pctl_inventory_name(const struct pctl_inventory *inventory, size_t node);
/* The index, or -1. */
PCTL_API int64_t pctl_inventory_index(const struct pctl_inventory *inventory, const char *name);
/* Why no node can have this name, or NULL. */
PCTL_API const char *pctl_inventory_wrong_name(const char *name);
/* Why %TAG could not name this tag, or NULL. */
PCTL_API const char *pctl_inventory_wrong_tag(const char *tag);
/* The name that most probably was meant, or NULL. */
PCTL_API const char *pctl_inventory_nearest(
	const struct pctl_inventory *inventory, const char *name);

/*
 * What holds for a node: its entries over its class over that one's class; the credential's fields
 * (username, password_file, ...) below the node's own; and no secret read. The caller frees it. The
 * values know their places. `driver`, `address`, `class`, `credential`, `tags`, `ready`,
 * `maintenance`, `protected` are among them as plain settings.
 */
PCTL_API struct pctl_value *pctl_inventory_settings(
	const struct pctl_inventory *inventory, size_t node);
/* One top-level text of the above without building the rest, or NULL: "driver", "maintenance". */
PCTL_API const char *pctl_inventory_text(
	const struct pctl_inventory *inventory, size_t node, const char *key);
/* The place to point at when something about the node is wrong. */
PCTL_API struct pctl_place pctl_inventory_place(
	const struct pctl_inventory *inventory, size_t node);
/* Top-level `defaults:` (a map, or NULL). */
PCTL_API const struct pctl_value *pctl_inventory_defaults(const struct pctl_inventory *inventory);

/* Names of groups and tags (without @ and %), for help and completion. */
PCTL_API size_t pctl_inventory_group_count(const struct pctl_inventory *inventory);
PCTL_API const char *pctl_inventory_group_name(
	const struct pctl_inventory *inventory, size_t group);
/* Where a group's name stands. */
PCTL_API struct pctl_place pctl_inventory_group_place(
	const struct pctl_inventory *inventory, size_t group);
/* Adds every tag that stands somewhere in the inventory to out. */
PCTL_API void pctl_inventory_tags(const struct pctl_inventory *inventory, struct pctl_names *out);

/* The same for the names of its classes and of its credentials. */
PCTL_API void pctl_inventory_classes(
	const struct pctl_inventory *inventory, struct pctl_names *out);
PCTL_API void pctl_inventory_credentials(
	const struct pctl_inventory *inventory, struct pctl_names *out);
/* The fields of a credential (a map; borrowed), or NULL: there is none of that name. */
PCTL_API const struct pctl_value *pctl_inventory_credential(
	const struct pctl_inventory *inventory, const char *name);

/* How many machines of a group may start at once, and how far apart. */
struct pctl_inventory_limit {
	const char *group;
	unsigned max_at_once; /* 0: any number */
	uint64_t stagger_ms;  /* 0: at the same time */
};

/* The i-th limit that a node is under, by the names of the groups; NULL: it has no more. */
PCTL_API const struct pctl_inventory_limit *pctl_inventory_limit_of(
	const struct pctl_inventory *inventory, size_t node, size_t i);
/* As a person reads it: "rack1 (8 at once, 500 ms apart)". Returns buf. */
PCTL_API const char *pctl_inventory_limit_words(
	const struct pctl_inventory_limit *limit, char *buf, size_t size);

/* Whether any node stands in another one. */
PCTL_API bool pctl_inventory_has_kin(const struct pctl_inventory *inventory);
/* The node that this one stands in (`parent:`, a blade's chassis), or -1. */
PCTL_API int64_t pctl_inventory_parent(const struct pctl_inventory *inventory, size_t node);
/* The i-th node that stands in this one, in the order of the inventory; -1: there are no more. */
PCTL_API int64_t pctl_inventory_child(
	const struct pctl_inventory *inventory, size_t node, size_t i);

/*
 * Adds the node that a URL names (DRIVER://[USER@]HOST[:PORT][?SETTING=VALUE&...]); ranges in HOST
 * make several. Node names are HOST or HOST:PORT. A password in a URL is a mistake. Added names go
 * to out.
 */
PCTL_API int pctl_inventory_add_url(struct pctl_inventory *inventory, const char *url,
	struct pctl_names *out, struct pctl_error *err);
PCTL_API bool pctl_inventory_is_url(const char *word);
/* PCTL_E_CONFIG, as there, for what is wrong in the URL itself, without looking at its driver. */
PCTL_API int pctl_inventory_check_url(const char *url, struct pctl_error *err);
/*
 * The same with settings as an entry of the inventory has them (a map, among them `driver` and
 * `address`): pattern is a name, or a range of names that goes with the address's.
 */
PCTL_API int pctl_inventory_add_nodes(struct pctl_inventory *inventory, const char *pattern,
	const struct pctl_value *settings, struct pctl_names *out, struct pctl_error *err);

/* @groups and %tags for pctl_names_expand(); borrowed data: lives as long as the inventory. */
PCTL_API struct pctl_names_resolver pctl_inventory_resolver(const struct pctl_inventory *inventory);

/*
 * What the words of a command line select: names, ranges, groups, tags, operators, URLs (added on
 * the way), minus those of exclude. In the order given. Unknown names are problems, with the
 * nearest name. An index per node; free() *ret.
 */
struct pctl_selection {
	const char *const *words;   /* NULL-terminated; NULL: all nodes */
	const char *const *exclude; /* NULL-terminated or NULL */
};
PCTL_API int pctl_inventory_select(struct pctl_inventory *inventory,
	const struct pctl_selection *selection, size_t **ret, size_t *ret_count,
	struct pctl_problems *problems);

/* --- Secrets. --------------------------------------------------------------------------------- */

/*
 * Reads secrets once each: a file, a variable and a command's answer are remembered by where they
 * come from, for as long as the reader lives.
 */
struct pctl_secrets;
PCTL_API struct pctl_secrets *pctl_secrets_new(void);
PCTL_API void pctl_secrets_free(struct pctl_secrets *secrets);

/*
 * The secret `name` of a node's settings: from name, name_file, name_env or name_command, whichever
 * is there. 0 with *ret borrowed from secrets, or NULL in *ret if none of them is set.
 * PCTL_E_CONFIG: two of them are set, a file that others can read (the text has the chmod that
 * mends it) or that is missing, empty or over PCTL_SECRET_MAX, a command that fails or takes over
 * 30 s, and so on. One trailing line break is cut.
 */
PCTL_API int pctl_secrets_get(struct pctl_secrets *secrets, const struct pctl_value *settings,
	const char *name, const struct pctl_secret **ret, struct pctl_error *err);

/* --- Editing: splices the text, keeps comments and order, replaces the file atomically. ------- */

/*
 * One change to the file, made under a lock, parsed before it takes the old file's place (same
 * owner and mode). The file and its folder are created if they are missing. PCTL_E_CONFIG: the
 * change cannot be made so that the result reads as wanted (the text says where and what to do by
 * hand); PCTL_E_INTERNAL: the disk is full, the folder cannot be written: nothing has changed then.
 */
PCTL_API int pctl_inventory_edit_add(const char *path, const char *name,
	const struct pctl_value *settings, struct pctl_error *err);
/* The same with several nodes, a map of names to settings: all of them, or none. */
PCTL_API int pctl_inventory_edit_add_all(
	const char *path, const struct pctl_value *nodes, struct pctl_error *err);
PCTL_API int pctl_inventory_edit_remove(const char *path, const char *name, struct pctl_error *err);
/* value NULL: remove the setting. */
PCTL_API int pctl_inventory_edit_set(const char *path, const char *name, const char *key,
	const char *value, struct pctl_error *err);
/* Adds credentials: NAME: {username, password_file} if it is not there. */
PCTL_API int pctl_inventory_edit_credential(const char *path, const char *name,
	const char *username, const char *password_file, struct pctl_error *err);

/*
 * Adds a file of its own to an inventory: text becomes conf.d/NAME.yaml beside it (NAME-2.yaml and
 * so on where that is taken), and the inventory includes it, if it does not by a pattern. Checked
 * as a whole before either file is written. free() *ret_file. Errors as above.
 */
PCTL_API int pctl_inventory_edit_file(const char *path, const char *name, const char *text,
	size_t len, char **ret_file, struct pctl_error *err);
/*
 * What the inventory would be then: pctl_inventory_load_fresh() with PCTL_SOURCES_KEPT; nothing is
 * written. PCTL_E_CONFIG if there is any problem. free() *ret_file, which is NULL if the inventory
 * cannot be changed.
 */
PCTL_API int pctl_inventory_try_file(const char *path, const char *name, const char *text,
	size_t len, char **ret_file, struct pctl_inventory **ret, struct pctl_problems *problems);
/* Writes a text as an inventory has it, quoted where it must be. flow: it stands within { }. */
PCTL_API void pctl_inventory_write_text(struct pctl_buf *out, const char *text, bool flow);

/* Stores a secret as secrets/NAME beside the inventory, 0600, atomically; free() *ret_path, which
 * is absolute. */
PCTL_API int pctl_inventory_store_secret(const char *inventory_path, const char *name,
	const struct pctl_secret *secret, char **ret_path, struct pctl_error *err);

/*
 * Whether a setting of this name holds a secret in place, judged by its name alone, so that no
 * driver has to be loaded to hide it: password, bmc_password, kg; but not password_file.
 */
PCTL_API bool pctl_key_is_secret(const char *key);

#ifdef __cplusplus
}
#endif

#endif
