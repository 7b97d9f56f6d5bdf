/* SPDX-License-Identifier: Apache-2.0 */
#include "terminal.h"

enum {
	FLOOD_MAX = 4 << 20,
	LINES_MAX = 10000,
	BACKSPACE = 0x08,
	INTERRUPT = 0x03,
	KILL_LINE = 0x15,
	DELETE = 0x7F,
};

struct word {
	const char *name;
	void (*run)(struct terminal *t, struct str rest, struct buf *out);
	const char *help;
};

static void echo(struct terminal *t, struct str rest, struct buf *out)
{
	(void)t;
	buf_str(out, rest);
	buf_text(out, "\r\n");
}

static void power(struct terminal *t, struct str rest, struct buf *out)
{
	(void)rest;
	t->host.power(t->host.dev, out);
}

static void breaks(struct terminal *t, struct str rest, struct buf *out)
{
	(void)rest;
	buf_fmt(out, "breaks %u\r\n", t->breaks);
}

static void lines(struct terminal *t, struct str rest, struct buf *out)
{
	uint64_t n = 10;

	(void)t;
	if (rest.n && !parse_uint(rest, LINES_MAX, &n))
		n = 0;
	for (uint64_t i = 1; i <= n; i++)
		buf_fmt(out, "line %llu of %llu\r\n", (unsigned long long)i, (unsigned long long)n);
}

/* Bytes whose place shows whether one is missing or came twice. */
static void flood(struct terminal *t, struct str rest, struct buf *out)
{
	uint64_t n = 4096;

	(void)t;
	if (rest.n && !parse_uint(rest, FLOOD_MAX, &n))
		n = 0;
	for (uint64_t i = 0; i < n; i++)
		buf_char(out, (char)('a' + (i + i / 26) % 26));
	buf_text(out, "\r\n");
}

static void help(struct terminal *t, struct str rest, struct buf *out);

static const struct word words[] = {
	{ "help", help, "this list" },
	{ "echo", echo, "TEXT: says it" },
	{ "power", power, "the host's state" },
	{ "breaks", breaks, "how many breaks came" },
	{ "lines", lines, "N: so many numbered lines" },
	{ "flood", flood, "N: so many letters at once" },
};

static void help(struct terminal *t, struct str rest, struct buf *out)
{
	(void)t;
	(void)rest;
	for (size_t i = 0; i < COUNT(words); i++)
		buf_fmt(out, "%-8s %s\r\n", words[i].name, words[i].help);
}

static void prompt(struct terminal *t, struct buf *out)
{
	t->n = 0;
	buf_fmt(out, "%s%u> ", t->host.prompt, t->host.n);
}

static void run_line(struct terminal *t, struct buf *out)
{
	struct str rest = str_trim((struct str){ t->line, t->n }), name;

	buf_text(out, "\r\n");
	if (rest.n && str_split(&rest, ' ', &name)) {
		size_t i = 0;

		rest = rest.p ? str_trim(rest) : STR("");
		while (i < COUNT(words) && !str_is(name, words[i].name))
			i++;
		if (i < COUNT(words))
			words[i].run(t, rest, out);
		else
			buf_text(out, "no such word; help lists them\r\n");
	}
	prompt(t, out);
}

void terminal_init(struct terminal *t, const struct terminal_host *host, struct buf *out)
{
	*t = (struct terminal){ .host = *host };
	buf_fmt(out, "\r\n%s: serial console of device %u\r\n", host->program, host->n);
	prompt(t, out);
}

static void take(struct terminal *t, uint8_t c, struct buf *out)
{
	if (c == '\r' || c == '\n') {
		run_line(t, out);
	} else if (c == BACKSPACE || c == DELETE) {
		if (t->n) {
			t->n--;
			buf_text(out, "\b \b");
		}
	} else if (c == INTERRUPT || c == KILL_LINE) {
		buf_text(out, c == INTERRUPT ? "^C\r\n" : "^U\r\n");
		prompt(t, out);
	} else {
		if (t->n < TERMINAL_LINE)
			t->line[t->n++] = (char)c;
		buf_char(out, (char)c);
	}
}

void terminal_input(struct terminal *t, const uint8_t *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++)
		take(t, p[i], out);
}

void terminal_break(struct terminal *t, struct buf *out)
{
	t->breaks++;
	buf_fmt(out, "\r\n[break %u]\r\n", t->breaks);
	prompt(t, out);
}
