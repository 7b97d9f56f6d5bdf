/* SPDX-License-Identifier: Apache-2.0 */
/* Small things about texts: what devices and files say is cleaned before a terminal sees it. */
#ifndef POWERCTL_CLI_TEXT_H
#define POWERCTL_CLI_TEXT_H

#include <powerctl/buf.h>
#include <powerctl/value.h>

/* The most that one node's answer may fill, as text. */
#define TEXT_ANSWER_MAX (16u << 20)
/* The most that a line for people may fill: also a folded set of very many names. */
#define TEXT_LINE_MAX (64u << 20)

/* Bytes of the UTF-8 character at s; 0: none is there (overlong ones and surrogates are none). */
size_t text_character(const char *s);

/*
 * Appends s as valid UTF-8 in which no terminal finds a command: control characters (C0, DEL, C1)
 * and bytes that are no UTF-8 become `?`.
 */
void text_clean(struct pctl_buf *buf, const char *s);

/* Appends s as valid UTF-8 and keeps control characters, for JSON, which escapes them. */
void text_utf8(struct pctl_buf *buf, const char *s);

/* 3988 as "3,988". Returns buf, which has room for 27 bytes. */
#define TEXT_COUNT_SIZE 32u
const char *text_count(uint64_t n, char buf[TEXT_COUNT_SIZE]);

/* A text, number or boolean as its words; NULL for lists and maps. Lives as long as v and buf. */
const char *text_scalar(const struct pctl_value *v, char buf[TEXT_COUNT_SIZE]);

#endif
