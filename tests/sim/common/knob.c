/* SPDX-License-Identifier: Apache-2.0 */
#include "knob.h"

#include <stdio.h>

#define SHOWN(s) (int)((s).n < 60 ? (s).n : 60), (s).p

static uint32_t *number_of(
	const struct knob_table *table, const struct device *dev, const struct knob *k)
{
	return (uint32_t *)((uintptr_t)dev + table->at + k->at);
}

void knob_init(const struct knob_table *table, struct device *dev)
{
	for (size_t i = 0; i < table->count; i++)
		if (table->knobs[i].kind != KNOB_OWN)
			*number_of(table, dev, &table->knobs[i]) = table->knobs[i].def;
}

static bool word_index(const char *words, struct str value, uint32_t *ret)
{
	struct str rest = str_of(words), word;

	for (uint32_t i = 0; str_split(&rest, ' ', &word); i++)
		if (str_eq(word, value)) {
			*ret = i;
			return true;
		}
	return false;
}

static bool parse_number(struct str s, uint64_t max, uint64_t *ret)
{
	if (!str_starts(s, "0x"))
		return parse_uint(s, max, ret);
	s.p += 2;
	s.n -= 2;
	return parse_hex(s, max, ret);
}

static bool store(
	const struct knob_table *table, struct device *dev, const struct knob *k, struct str value)
{
	uint64_t n;

	if (k->kind == KNOB_OWN)
		return k->set(dev, value);
	if (k->kind == KNOB_WORD) {
		if (!word_index(k->words, value, number_of(table, dev, k)))
			return false;
	} else {
		if (str_is(value, "true"))
			value = STR("1");
		if (str_is(value, "false"))
			value = STR("0");
		if (!parse_number(value, k->max, &n))
			return false;
		*number_of(table, dev, k) = (uint32_t)n;
	}
	if (k->changed)
		k->changed(dev);
	return true;
}

static void want(const struct knob *k, struct str value, char *why)
{
	if (k->words)
		snprintf(why, KNOB_WHY, "%s wants %s%s, not '%.*s'", k->name,
			k->kind == KNOB_WORD ? "one of: " : "", k->words, SHOWN(value));
	else
		snprintf(why, KNOB_WHY, "%s wants a number from 0 to %u, not '%.*s'", k->name,
			k->max, SHOWN(value));
}

bool knob_set(const struct knob_table *table, struct device *dev, struct str name, struct str value,
	char *why)
{
	for (size_t i = 0; i < table->count; i++) {
		if (!str_is(name, table->knobs[i].name))
			continue;
		if (store(table, dev, &table->knobs[i], value))
			return true;
		want(&table->knobs[i], value, why);
		return false;
	}
	snprintf(why, KNOB_WHY, "no such knob: '%.*s'", SHOWN(name));
	return false;
}

bool knob_set_text(const struct knob_table *table, struct device *dev, struct str text, char *why)
{
	struct str name;

	if (!str_split(&text, '=', &name) || !text.p) {
		snprintf(why, KNOB_WHY, "KNOB=VALUE was expected, not '%.*s'", SHOWN(name));
		return false;
	}
	return knob_set(table, dev, str_trim(name), str_trim(text), why);
}

bool knob_devices(uint32_t count, struct str text, uint32_t *ret_first, uint32_t *ret_last)
{
	struct str from;
	uint64_t first, last;

	if (str_is(text, "all")) {
		*ret_first = 1;
		*ret_last = count;
		return true;
	}
	if (!str_split(&text, '-', &from) || !parse_uint(from, count, &first))
		return false;
	last = first;
	if (text.p && !parse_uint(text, count, &last))
		return false;
	if (!first || last < first)
		return false;
	*ret_first = (uint32_t)first;
	*ret_last = (uint32_t)last;
	return true;
}

static struct str word_at(const char *words, uint32_t index)
{
	struct str rest = str_of(words), word = { "", 0 };

	do {
		if (!str_split(&rest, ' ', &word))
			break;
	} while (index--);
	return word;
}

void knob_json(const struct knob_table *table, const struct device *dev, struct buf *out)
{
	buf_char(out, '{');
	for (size_t i = 0; i < table->count; i++) {
		const struct knob *k = &table->knobs[i];

		buf_text(out, i ? ",\"" : "\"");
		buf_text(out, k->name);
		buf_text(out, "\":");
		if (k->kind == KNOB_OWN)
			k->show(dev, out);
		else if (k->kind == KNOB_WORD)
			buf_json(out, word_at(k->words, *number_of(table, dev, k)));
		else
			buf_uint(out, *number_of(table, dev, k));
	}
	buf_char(out, '}');
}

void knob_print(const struct knob_table *table)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct knob *k = &table->knobs[i];

		printf("%-20s %s", k->name, k->help);
		if (k->words)
			printf(" [%s]", k->words);
		else if (k->def)
			printf(" [%u]", k->def);
		printf("\n");
	}
}

void knob_json_help(const struct knob_table *table, struct buf *out)
{
	buf_char(out, '[');
	for (size_t i = 0; i < table->count; i++) {
		buf_text(out, i ? ",\n{\"knob\":" : "{\"knob\":");
		buf_json(out, str_of(table->knobs[i].name));
		buf_text(out, ",\"help\":");
		buf_json(out, str_of(table->knobs[i].help));
		if (table->knobs[i].words) {
			buf_text(out, ",\"values\":");
			buf_json(out, str_of(table->knobs[i].words));
		}
		buf_char(out, '}');
	}
	buf_text(out, "]");
}
