/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a node set expression stands for, for scripts that compare it with others' answers:
 *
 *	nodeset_tool expand	a line per expression in, its names with blanks between them out
 *	nodeset_tool fold	a line per expression in, the folded set out
 *
 * A mistake is answered by "error: OFFSET: TEXT".
 */
#include <stdio.h>
#include <string.h>

#include <powerctl/mem.h>
#include <powerctl/nodeset.h>

static void print_names(const struct pctl_names *names)
{
	for (size_t i = 0; i < pctl_names_count(names); i++)
		(void)printf("%s%s", i ? " " : "", pctl_names_at(names, i));
	(void)puts("");
}

static void print_folded(const struct pctl_names *names)
{
	PCTL_AUTO(free) char *text = pctl_names_fold(names);

	(void)puts(text);
}

static void answer(const char *expr, bool fold)
{
	struct pctl_names *names = pctl_names_new();
	struct pctl_error err;
	size_t at;

	if (pctl_names_expand(names, expr, NULL, &at, &err) < 0)
		(void)printf("error: %zu: %s\n", at, err.text);
	else if (fold)
		print_folded(names);
	else
		print_names(names);
	pctl_names_free(names);
}

int main(int argc, char **argv)
{
	bool fold = argc == 2 && strcmp(argv[1], "fold") == 0;
	PCTL_AUTO(free) char *line = NULL;
	size_t cap = 0;

	if (!fold && (argc != 2 || strcmp(argv[1], "expand") != 0)) {
		(void)fputs("usage: nodeset_tool expand|fold <EXPRESSIONS\n", stderr);
		return 2;
	}
	while (getline(&line, &cap, stdin) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		answer(line, fold);
	}
	return ferror(stdin) || fflush(stdout) != 0;
}
