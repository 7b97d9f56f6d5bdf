/* SPDX-License-Identifier: Apache-2.0 */
#include "import/lexer.h"

#include <string.h>

/* What a backslash and a letter stand for. */
static char escaped(char c)
{
	static const char letters[] = "abefnrtv", meanings[] = "\a\b\033\f\n\r\t\v";
	const char *found = strchr(letters, c);

	return found ? meanings[found - letters] : c;
}

/* The rest of a quoted text, in place. */
static void take_text(struct import_lexer *lex)
{
	char *in = lex->next + 1, *out = in;

	lex->text = in;
	lex->token = IMPORT_TEXT;
	for (; *in && *in != '"' && *in != '\n'; in++) {
		if (*in == '\\' && in[1] && in[1] != '\n') {
			in++;
			*out++ = escaped(*in);
		} else {
			*out++ = *in;
		}
	}
	if (*in != '"') {
		lex->token = IMPORT_BROKEN;
		lex->next = in;
		return;
	}
	*out = '\0';
	lex->next = in + 1;
}

static void skip_blanks(struct import_lexer *lex)
{
	for (;; lex->next++) {
		if (*lex->next == '#')
			lex->next += strcspn(lex->next, "\n");
		if (!*lex->next || !strchr(" \t\r\n", *lex->next))
			return;
		lex->place.line += *lex->next == '\n';
	}
}

void import_lex_begin(struct import_lexer *lex, const char *file, char *text)
{
	*lex = (struct import_lexer){ .place = { file, 1, 1 } };
	lex->next = text;
}

/* Puts back what a word's end has covered. */
static void uncover(struct import_lexer *lex)
{
	if (lex->ended)
		*lex->next = lex->ended;
	lex->ended = '\0';
}

static void take_word(struct import_lexer *lex)
{
	lex->token = IMPORT_WORD;
	lex->text = lex->next;
	lex->next += strcspn(lex->next, " \t\r\n\"{}=$#");
	lex->ended = *lex->next;
	*lex->next = '\0';
}

enum import_token import_lex(struct import_lexer *lex)
{
	static const struct {
		char sign;
		enum import_token token;
	} signs[] = { { '{', IMPORT_OPEN }, { '}', IMPORT_CLOSE }, { '=', IMPORT_SIGN },
		{ '$', IMPORT_SIGN } };

	uncover(lex);
	skip_blanks(lex);
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (*lex->next != signs[i].sign)
			continue;
		lex->next++;
		return lex->token = signs[i].token;
	}
	if (!*lex->next)
		lex->token = IMPORT_END;
	else if (*lex->next == '"')
		take_text(lex);
	else
		take_word(lex);
	return lex->token;
}

char *import_lex_text(struct import_lexer *lex)
{
	return import_lex_has_text(lex) && import_lex(lex) == IMPORT_TEXT ? lex->text : NULL;
}

bool import_lex_has_text(struct import_lexer *lex)
{
	uncover(lex);
	skip_blanks(lex);
	return *lex->next == '"';
}

static bool ends_line(struct import_lexer *lex)
{
	uncover(lex);
	lex->next += strspn(lex->next, " \t\r");
	return !*lex->next || *lex->next == '\n' || *lex->next == '#';
}

bool import_lex_pass(struct import_lexer *lex)
{
	unsigned open = lex->token == IMPORT_OPEN;

	while (open || !ends_line(lex)) {
		enum import_token token = import_lex(lex);

		if (token == IMPORT_END)
			return false;
		open += token == IMPORT_OPEN;
		open -= token == IMPORT_CLOSE && open;
	}
	return true;
}

bool import_lex_is(const struct import_lexer *lex, const char *word)
{
	return lex->token == IMPORT_WORD && strcmp(lex->text, word) == 0;
}
