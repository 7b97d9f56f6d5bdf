/* SPDX-License-Identifier: Apache-2.0 */
/* What a plugin's file says about itself, read without loading it. Pure: bytes in, struct out. */
#ifndef POWERCTL_CONFORM_ELF_FILE_H
#define POWERCTL_CONFORM_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct elf_facts {
	char exports[400]; /* defined dynamic symbols but pctl_driver, with blanks; cut */
	size_t exports_n;
	bool has_driver; /* pctl_driver is among them, as data */
	bool sanitized;  /* built with a sanitizer: it has constructors and data of its own */
	bool own_init;   /* there is an old-style DT_INIT_ARRAY with more than the compiler's row */
	uint64_t writable; /* bytes of .data and .bss; 0 where sections were stripped */
};

/* NULL, or what is wrong with the file. */
const char *elf_read(const unsigned char *data, size_t len, struct elf_facts *ret);

#endif
