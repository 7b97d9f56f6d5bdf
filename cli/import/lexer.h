/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Words, quoted texts and braces: what powerman.conf(5) and powerman.dev(5) are made of.
 */
#ifndef POWERCTL_CLI_IMPORT_LEXER_H
#define POWERCTL_CLI_IMPORT_LEXER_H

#include <powerctl/value.h>

enum import_token {
	IMPORT_END,
	IMPORT_WORD,
	IMPORT_TEXT, /* in quotes */
	IMPORT_OPEN,
	IMPORT_CLOSE,
	IMPORT_SIGN,   /* = or $ */
	IMPORT_BROKEN, /* a text that does not end on its line: what follows is the next line */
};

struct import_lexer {
	char *next;
	struct pctl_place place; /* of what is read */
	enum import_token token;
	char *text; /* of a word or a text; whoever has it may write over it */
	char ended; /* private: the byte that a word's end took the place of; 0: none */
};

/* text ends with a zero byte and is written over. */
void import_lex_begin(struct import_lexer *lex, const char *file, char *text);

/* The next token, which is lex->token then. */
enum import_token import_lex(struct import_lexer *lex);
/* The text that has to come next, or NULL: something else does, and is not taken. */
char *import_lex_text(struct import_lexer *lex);
/* Whether a text comes next; nothing is taken. */
bool import_lex_has_text(struct import_lexer *lex);
/* Takes what is left of the line, and where a brace opens there, all up to the one that closes it.
 * False: none does, and the end is reached. */
bool import_lex_pass(struct import_lexer *lex);
/* Whether the token is this word. */
bool import_lex_is(const struct import_lexer *lex, const char *word);

#endif
