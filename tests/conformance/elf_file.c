/* SPDX-License-Identifier: Apache-2.0 */
/* Source: System V ABI, chapter 4 (ELF headers, sections, symbols). This machine's class only. */
#include "elf_file.h"

#include <link.h>
#include <stdio.h>
#include <string.h>

struct file {
	const unsigned char *data;
	size_t len;
	ElfW(Ehdr) head;
};

static bool take(const struct file *f, uint64_t at, void *to, size_t size)
{
	if (at > f->len || size > f->len - at)
		return false;
	memcpy(to, f->data + at, size);
	return true;
}

static bool section(const struct file *f, size_t i, ElfW(Shdr) * ret)
{
	return i < f->head.e_shnum &&
	       take(f, f->head.e_shoff + i * sizeof(*ret), ret, sizeof(*ret));
}

/* A text in a table of them; "" where it is none. */
static const char *text(const struct file *f, const ElfW(Shdr) * table, uint64_t at)
{
	if (at >= table->sh_size || table->sh_offset > f->len ||
		table->sh_size > f->len - table->sh_offset)
		return "";
	const char *s = (const char *)f->data + table->sh_offset + at;

	return memchr(s, '\0', table->sh_size - at) ? s : "";
}

static void take_symbol(struct elf_facts *ret, const char *name, const ElfW(Sym) * symbol)
{
	static const char *const tools[] = { "__asan", "__odr_asan", "__ubsan", "__tsan", "__lsan",
		"__sanitizer" };
	unsigned bind = symbol->st_info >> 4, type = symbol->st_info & 15;

	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++)
		if (strncmp(name, tools[i], strlen(tools[i])) == 0) {
			ret->sanitized = true;
			return;
		}
	if (symbol->st_shndx == SHN_UNDEF || bind == STB_LOCAL || !*name)
		return;
	if (strcmp(name, "pctl_driver") == 0 && type == STT_OBJECT) {
		ret->has_driver = true;
		return;
	}
	size_t n = strlen(ret->exports);
	(void)snprintf(ret->exports + n, sizeof(ret->exports) - n, "%s%s", n ? " " : "", name);
	ret->exports_n++;
}

static void take_symbols(const struct file *f, const ElfW(Shdr) * s, struct elf_facts *ret)
{
	ElfW(Shdr) names;
	ElfW(Sym) symbol;

	if (!section(f, s->sh_link, &names))
		return;
	for (uint64_t at = 0; at + sizeof(symbol) <= s->sh_size; at += sizeof(symbol)) {
		if (!take(f, s->sh_offset + at, &symbol, sizeof(symbol)))
			return;
		take_symbol(ret, text(f, &names, symbol.st_name), &symbol);
	}
}

static void take_section(
	const struct file *f, const ElfW(Shdr) * names, const ElfW(Shdr) * s, struct elf_facts *ret)
{
	const char *name = text(f, names, s->sh_name);

	if (s->sh_type == SHT_DYNSYM)
		take_symbols(f, s, ret);
	if (strcmp(name, ".data") == 0 || strcmp(name, ".bss") == 0)
		ret->writable += s->sh_size;
	/* One row is frame_dummy of every library that a C compiler links. */
	if (s->sh_type == SHT_INIT_ARRAY && s->sh_size > sizeof(void *))
		ret->own_init = true;
}

const char *elf_read(const unsigned char *data, size_t len, struct elf_facts *ret)
{
	struct file f = { .data = data, .len = len };
	ElfW(Shdr) names, s;

	*ret = (struct elf_facts){ 0 };
	if (!take(&f, 0, &f.head, sizeof(f.head)) || memcmp(f.head.e_ident, ELFMAG, SELFMAG) != 0)
		return "it is no ELF file";
	if (f.head.e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32) ||
		f.head.e_type != ET_DYN)
		return "it is no library of this machine";
	if (f.head.e_shentsize != sizeof(s) || !section(&f, f.head.e_shstrndx, &names))
		return "it has no sections: do not strip them";
	for (size_t i = 0; i < f.head.e_shnum; i++)
		if (section(&f, i, &s))
			take_section(&f, &names, &s, ret);
	return NULL;
}
