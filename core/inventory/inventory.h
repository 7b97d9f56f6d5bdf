/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inventory from inside. Files stay as the trees they were read into; everything below points
 * into them. A node is a name and the entries that name it, in the order of the files; what holds
 * for it is put together when somebody asks, so that ten thousand nodes cost little more than their
 * names.
 */
#ifndef POWERCTL_CORE_INVENTORY_H
#define POWERCTL_CORE_INVENTORY_H

#include <powerctl/inventory.h>

#include "base/strmap.h"
#include "inventory/source.h"
#include "names/names.h"

/* How many classes may name each other in a row. */
#define PCTL_CLASS_DEPTH_MAX 32u

/* A class, credential, group or limit. */
struct pctl_item {
	const char *name;
	const struct pctl_value *value;
	struct pctl_place place;          /* of the name */
	struct pctl_names *names;         /* a group's members, once somebody asked for them */
	bool busy;                        /* being expanded: who meets it now runs in a circle */
	const struct pctl_source *source; /* NULL: a file */
	const struct pctl_source *rival;  /* has a group of that name as well; NULL: none */
};

struct pctl_items {
	struct pctl_item *v;
	size_t n, cap;
	struct pctl_strmap by_name; /* 1 + index */
};

/* A program of `hooks:`, ready to be run (inventory_hooks.c). */
struct pctl_hook {
	const struct pctl_item *item;
	uint64_t before, after;           /* a bit for each enum pctl_verb */
	char *path;                       /* NULL: a mistake */
	const struct pctl_value *command; /* the program, or a list: it and its arguments */
	uint64_t timeout_ms;
	unsigned char *covers; /* by node; NULL: all */
	size_t nodes;
};

/* A key under nodes: and what stands behind it. */
struct pctl_entry {
	const char *pattern;
	const struct pctl_value *settings;
	struct pctl_place place;
	uint64_t count;                   /* how many names the pattern has; 0: it is wrong */
	bool ranged;                      /* texts behind it may be ranges that pair with its own */
	const struct pctl_source *source; /* NULL: a file */
	uint64_t shape;                   /* shape.c's; 0: nobody asked yet */
};

/* One entry of one node; 0 is no reference. */
struct pctl_ref {
	uint32_t entry;
	uint32_t index;   /* which of the entry's names this node is */
	uint32_t earlier; /* the node's entry before this one */
};

struct pctl_node {
	uint32_t last_ref;
	struct pctl_node_text *texts; /* made from ranges when somebody asked */
};

struct pctl_inventory_file {
	char *path; /* what places point to */
	char *real; /* the same file by any name has one of these */
	struct pctl_value *root;
	bool open; /* it is being read: an include that meets it is a circle */
};

/* A file that is to be read as if this were its content already; it need not be there. */
struct pctl_inventory_draft {
	const char *path;
	const char *text;
	size_t len;
	const struct pctl_inventory_draft *next; /* another one, or NULL */
};

struct pctl_inventory {
	const struct pctl_inventory_draft *draft; /* while loading; NULL: none */
	struct pctl_inventory_file **files;       /* the first is the one that was asked for */
	size_t file_count, file_cap;
	enum pctl_freshness freshness;
	struct pctl_source **sources;
	size_t source_count, source_cap;
	struct pctl_names outsiders; /* no nodes, but members of groups of sources */
	struct pctl_value *defaults; /* borrowed from a file */
	struct pctl_items classes, credentials, groups, limits, hook_items;
	struct pctl_hook *hooks; /* in the order of the files */
	size_t hook_count;
	struct pctl_entry *entries;
	size_t entry_count, entry_cap;
	struct pctl_ref *refs;
	size_t ref_count, ref_cap;
	struct pctl_names names; /* of the nodes: a name's number is the node's */
	struct pctl_node *nodes;
	size_t node_cap;
	struct pctl_limit_index *limit_index; /* which nodes are under which limits; or NULL */
	struct pctl_kin_index *kin_index;     /* which stand in which; NULL: none in any */
	struct pctl_value *urls; /* settings that came with URLs: a list of {pattern: settings} */
};

/*
 * pctl_inventory_load() of a text that is in memory already; includes are not followed. Reads no
 * file.
 */
int pctl_inventory_parse(const char *path, const char *text, size_t len,
	struct pctl_inventory **ret, struct pctl_problems *problems);

/* pctl_inventory_load() as if the drafts had been written already, with PCTL_SOURCES_KEPT. */
int pctl_inventory_load_draft(const char *path, const struct pctl_inventory_draft *draft,
	struct pctl_inventory **ret, struct pctl_problems *problems);

struct pctl_item *pctl_items_find(const struct pctl_items *items, const char *name);
/* "; did you mean 'x'?" or an empty text; free() it. */
char *pctl_items_hint(const struct pctl_items *items, const char *name);
/* The words of a list that ends with NULL, as a sentence has them: "one, two"; free() it. */
char *pctl_words_join(const char *const *words);
/* pctl_items_hint() for such a list. */
char *pctl_words_hint(const char *word, const char *const *words);

/* The name that most probably was meant, or NULL. */
const char *pctl_names_nearest(const struct pctl_names *names, const char *name);

/* The limits of a group: a map with max_at_once and stagger; NULL if it has none. */
const struct pctl_value *pctl_inventory_limits(
	const struct pctl_inventory *inventory, const char *group);

/* --- inventory_check.c ------------------------------------------------------------------------ */

/* False where settings name a credential that is not there, which then is a problem. */
bool pctl_inventory_has_login(const struct pctl_inventory *inventory,
	const struct pctl_value *settings, struct pctl_problems *problems);

/* Keys and kinds of one file. */
void pctl_inventory_check_file(const struct pctl_value *root, struct pctl_problems *problems);
/* The same of one source. */
void pctl_inventory_check_source(const struct pctl_value *config, struct pctl_problems *problems);
/* The same of what a source's program printed. */
void pctl_inventory_check_answer(const struct pctl_value *root, struct pctl_problems *problems);
/* The same for one node's settings that came from elsewhere, with the names in them. */
void pctl_inventory_check_settings(const struct pctl_inventory *inventory,
	const struct pctl_value *settings, struct pctl_problems *problems);

/* Classes, credentials and groups that are named somewhere. */
void pctl_inventory_check_names(
	const struct pctl_inventory *inventory, struct pctl_problems *problems);
/* Whether a secret stands in the tree itself. */
bool pctl_inventory_has_secret(const struct pctl_value *value);

/* --- inventory_limits.c ----------------------------------------------------------------------- */

/* For pctl_inventory_limit_of(), once all groups are there. */
void pctl_inventory_index_limits(struct pctl_inventory *inventory, struct pctl_problems *problems);
void pctl_inventory_free_limits(struct pctl_inventory *inventory);

/* --- inventory_kin.c -------------------------------------------------------------------------- */

/* For pctl_inventory_parent(), once all nodes are there: unknown parents and circles are said. */
void pctl_inventory_index_kin(struct pctl_inventory *inventory, struct pctl_problems *problems);
void pctl_inventory_free_kin(struct pctl_inventory *inventory);

/* --- inventory_hooks.c ------------------------------------------------------------------------ */

/* Once all nodes and groups are there: words, nodes and classes that are none are said. */
void pctl_inventory_index_hooks(struct pctl_inventory *inventory, struct pctl_problems *problems);
void pctl_inventory_free_hooks(struct pctl_inventory *inventory);
/* Whether it runs for a node. */
bool pctl_hook_covers(const struct pctl_hook *hook, size_t node);
/* Whether its file is there, and nobody else's to write (pctl_file_check_program()). */
int pctl_hook_check_file(const struct pctl_hook *hook, struct pctl_error *err);
/* The same of all of them. */
void pctl_inventory_check_hooks(
	const struct pctl_inventory *inventory, struct pctl_problems *problems);

/* --- inventory_nodes.c ------------------------------------------------------------------------ */

/* What a node may take from another driver than its own, each a map under its name; NULL ends. */
extern const char *const pctl_interfaces[];

/* Adds an entry and its nodes. settings is borrowed. */
void pctl_inventory_add_entry(struct pctl_inventory *inventory, const char *pattern,
	const struct pctl_value *settings, struct pctl_place place, struct pctl_problems *problems);

void pctl_inventory_free_nodes(struct pctl_inventory *inventory);
/* The strongest value of a key as it stands in the file (ranges unresolved), or NULL. */
const struct pctl_value *pctl_inventory_value(
	const struct pctl_inventory *inventory, size_t node, const char *key);
/* Whether anything behind a key may be a range that gives each name of its entry another text. */
bool pctl_inventory_has_range(const char *key, const struct pctl_value *v);
/* The class a node's or class's settings name, or NULL. */
const struct pctl_value *pctl_inventory_class_of(
	const struct pctl_inventory *inventory, const struct pctl_value *settings);

/* --- shape.c ---------------------------------------------------------------------------------- */

/*
 * A number for what is said about a node but for its address, tags, maintenance and protection.
 * Nodes with different numbers differ; 0: this one has settings of its own.
 */
uint64_t pctl_inventory_shape(const struct pctl_inventory *inventory, size_t node);
/* Whether two nodes of one shape are equal but for these: a shape is only a hash. */
bool pctl_inventory_alike(const struct pctl_inventory *inventory, size_t a, size_t b);

/* What stands behind a secret's name for each way to give it, the text itself first. */
#define PCTL_SECRET_ENDS 4
extern const char *const pctl_secret_ends[PCTL_SECRET_ENDS];

/* --- select.c --------------------------------------------------------------------------------- */

/* Expands every group once, so that what is wrong with it is said now. */
void pctl_inventory_check_groups(
	const struct pctl_inventory *inventory, struct pctl_problems *problems);

#endif
