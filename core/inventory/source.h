/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources: what else than the files says which nodes and groups there are. Whatever a source reads
 * becomes a tree as a file of the inventory would give it, with `nodes:`, `classes:` and `groups:`,
 * whose places say where it was read.
 */
#ifndef POWERCTL_CORE_SOURCE_H
#define POWERCTL_CORE_SOURCE_H

#include <powerctl/inventory.h>

/* What a program answered just now: its last good answer once the whole inventory stands with it.
 */
struct pctl_answer;

struct pctl_source {
	char *name;                      /* "source 'prog'" */
	const struct pctl_value *config; /* its map under `sources:` */
	struct pctl_place place;         /* of that */
	bool only_known;                 /* members of its groups that are no nodes are left out */
	struct pctl_value *root;         /* what it says; NULL: nothing */
	struct pctl_names *files;        /* that places in root borrow */
	struct pctl_names *skipped;      /* sources within this one that are not read */
	char *skipped_default;           /* that of them whose groups need no prefix, or NULL */
	uint64_t age_s;                  /* of a command's answer */
	bool aged;                       /* age_s holds */
	struct pctl_answer *answer;      /* one that is not kept yet; NULL: none */
	char *warning;                   /* what somebody should know, or NULL */
	char *note;                      /* what somebody who asks should know, or NULL */
	uint64_t node_count;
	size_t group_count, alias_count; /* an alias is a second name of a group */
};

/* Reads all that `sources:` in the inventory's files name, into inv->sources. */
struct pctl_inventory;
void pctl_sources_read(struct pctl_inventory *inv, struct pctl_problems *problems);
void pctl_source_free(struct pctl_source *source);

/* Add to the warning, to the note. */
void pctl_source_warn(struct pctl_source *source, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void pctl_source_note(struct pctl_source *source, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* "2 h", "3 days"; free() it. */
char *pctl_source_age(uint64_t s);
/* Whether @NAME can be written. */
bool pctl_source_can_name(const char *group);
/* "; the groups of 'slurm' ..." if the group could be one of those that are not read, or "". */
char *pctl_source_skipped_hint(const struct pctl_source *source, const char *group);

/* --- One for each kind. Mistakes go to problems. ---------------------------------------------- */

void pctl_source_clustershell(struct pctl_source *source, struct pctl_problems *problems);
void pctl_source_genders(struct pctl_source *source, struct pctl_problems *problems);
void pctl_source_command(
	struct pctl_inventory *inv, struct pctl_source *source, struct pctl_problems *problems);

/* Exchanges source->root between an answer that is not kept yet and the one before it. */
void pctl_answer_swap(struct pctl_source *source);
/*
 * What became of it; source->answer is NULL afterwards. Keep it; use the one before, to which the
 * source was swapped, and say why; or, if there was none before, neither.
 */
void pctl_answer_keep(struct pctl_source *source);
void pctl_answer_refuse(struct pctl_source *source, const char *why);
void pctl_answer_drop(struct pctl_source *source);
/* Whether there was one before. */
bool pctl_answer_has_former(const struct pctl_source *source);

/* Which attribute gives which setting of a node. */
struct pctl_genders_map {
	const char *key;
	const char *attribute;
};

/*
 * The text of a genders file as {nodes, groups}; file is borrowed by the places. map ends with a
 * key that is NULL. Without want_nodes and with an empty map there are only groups.
 */
struct pctl_value *pctl_genders_parse(const char *file, const char *text, size_t len,
	const struct pctl_genders_map *map, bool want_nodes, struct pctl_problems *problems);

/*
 * What Python's configparser reads: {section: {key: text}}, merged into `into`; keys in lower case,
 * continued lines joined by line breaks.
 */
void pctl_ini_parse(struct pctl_value *into, const char *file, const char *text, size_t len,
	struct pctl_problems *problems);

#endif
