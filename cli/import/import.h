/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What files of other programs say about machines, on its way into the inventory. Parsers take a
 * text and fill a struct import; they do no I/O but through its reader. What they cannot take over
 * they say, with its line.
 */
#ifndef POWERCTL_CLI_IMPORT_H
#define POWERCTL_CLI_IMPORT_H

#include <powerctl/buf.h>
#include <powerctl/inventory.h>

#include "import/index.h"

#define IMPORT_FILE_MAX    (64u << 20) /* bytes of a file */
#define IMPORT_NODES_MAX   1000000u
#define IMPORT_FILES_MAX   256u /* that name each other */
#define IMPORT_REMARKS_MAX 100000u

/* User, password and key of the BMC: what several machines have in common. */
struct import_login {
	char *user; /* NULL: none is said */
	struct pctl_secret *password, *kg;
	char *name;    /* of the credential, once it has one */
	bool is_there; /* the inventory has this credential already */
	size_t nodes;  /* that have it and are taken over */
};

struct import_node {
	char *name;
	struct pctl_place place;
	struct pctl_value *settings; /* as an entry of the inventory has them, but for the login */
	size_t login;                /* 1 + its number; 0: none is said */
	bool dropped;                /* it is not taken over; somebody has said why */
};

struct import_group {
	char *name;
	struct pctl_place place;
	struct pctl_names *members;
};

/* Appends a file that another one names to out; PCTL_E_CONFIG with a text. */
typedef int import_read_fn(
	void *data, const char *path, struct pctl_buf *out, struct pctl_error *err);

/* What is left out, and why. */
struct import_remark {
	size_t file; /* in the order of reading */
	uint32_t line;
	size_t number; /* in the order of telling */
	char *text;
};

struct import {
	const char *file; /* what places point to */
	import_read_fn *read;
	void *read_data;
	struct import_remark *remarks;
	size_t remark_count, remark_cap;
	size_t remarks_lost;            /* more than IMPORT_REMARKS_MAX */
	struct pctl_problems *problems; /* they, once import_report() was called */

	struct import_node *nodes;
	size_t node_count, node_cap;
	struct import_group *groups;
	size_t group_count, group_cap;
	struct import_login *logins;
	size_t login_count, login_cap;
	struct import_index node_index, group_index, login_index;
	struct pctl_names *files; /* names that live as long as this */
};

void import_init(struct import *im, const char *file);
void import_done(struct import *im);

/* A place in the file that is read. */
struct pctl_place import_at(const struct import *im, uint32_t line);

/* Says that something is not taken over. */
void import_left(struct import *im, struct pctl_place place, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* All that was said, as problems in the order of the files and of their lines. Once. */
void import_report(struct import *im);

/*
 * A new node, or NULL: it cannot have this name, or there is one already, which is said. Pointers
 * to nodes hold until the next one is added.
 */
struct import_node *import_add(struct import *im, struct pctl_place place, const char *name);
struct import_node *import_find(struct import *im, const char *name);
/* Nodes and their addresses as ranges of equally many; each is called with what both stand for. */
typedef void import_pair_fn(void *data, const char *left, const char *right);
int import_pairs(const char *left, const char *right, import_pair_fn *each, void *data,
	struct pctl_error *err);

/* A setting's text; NULL: it has none, or a list. */
const char *import_setting(const struct import_node *node, const char *key);
/* A setting; NULL and "" set nothing. */
void import_set(struct import_node *node, const char *key, const char *text);
/* HOST, HOST:PORT, [IPV6] or [IPV6]:PORT; false: it is none of them. */
bool import_set_address(struct import_node *node, const char *text);
/* The words between any of separators, as a list under key; none sets nothing. text is cut. */
void import_set_list(struct import_node *node, const char *key, char *text, const char *separators);

/* The number of a login for a node's, made where there is none that is equal; 0: nothing is said.
 */
size_t import_login(struct import *im, const char *user, const char *password, const char *kg);

/* Puts a name into a group. False: no group can have this name, which is said. */
bool import_join(struct import *im, struct pctl_place place, const char *group, const char *member);

/* --- Texts. ----------------------------------------------------------------------------------- */

/* The first line that is no UTF-8 or has a zero byte; 0: all of it is a text. A zero byte follows.
 */
uint32_t import_wrong_line(const char *text, size_t len);

/* Walks over a text, which ends with a zero byte and is cut into pieces on the way. */
struct import_text {
	char *next;    /* NULL: at its end */
	uint32_t line; /* of what was read last; 0: nothing was */
};

void import_text_begin(struct import_text *text, char *whole);
/* The next line without its break, or NULL; line is its number. */
char *import_line(struct import_text *text);
/* Without the blanks around it. */
char *import_trim(char *text);
/* The next word of text between any of separators, or NULL at its end; empty ones are passed. */
char *import_word(char **text, const char *separators);
/*
 * The next word as a shell would take it, without variables and patterns; NULL: there are no more,
 * or (*ret_broken) a quote is not closed.
 */
char *import_shell_word(char **text, bool *ret_broken);
/* A character of a heading as a key has it: lower case, a blank or hyphen as _. */
char import_key_char(char c);
/* Equal but for upper and lower case. */
bool import_same(const char *a, const char *b);

/* A record of comma-separated values, quoted where they must be; cells point into the text. */
#define IMPORT_CELLS_MAX 64u
struct import_record {
	char *cells[IMPORT_CELLS_MAX];
	size_t n;
	uint32_t line; /* where it begins */
	bool too_many; /* cells */
	bool broken;   /* a quote is never closed: nothing follows */
};
/* The next record that is not empty; false at the end. */
bool import_csv(struct import_text *text, char separator, struct import_record *ret);

/* --- Formats. --------------------------------------------------------------------------------- */

/* text ends with a zero byte and has no other; it is written over. */
typedef void import_parse_fn(struct import *im, char *text);

struct import_format {
	const char *name;
	import_parse_fn *parse;
	const char *help; /* what FILE is */
	const char *more; /* what of it is taken, in lines for a help text; or NULL */
};

/* The last has no name. */
extern const struct import_format import_formats[];

import_parse_fn import_powerman, import_xcat, import_conman, import_amtctrl, import_ironic,
	import_csv_file;

#endif
