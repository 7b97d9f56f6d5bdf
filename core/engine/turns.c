/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/turns.h"

#include <stdlib.h>

#include <powerctl/mem.h>

struct line {
	size_t *waiting;
	size_t n, cap, next;
};

static void free_line(void *data, const char *key, void *value)
{
	struct line *line = value;

	(void)data, (void)key;
	free(line->waiting);
	free(line);
}

void pctl_turns_done(struct pctl_turns *turns)
{
	pctl_strmap_each(&turns->by_key, free_line, NULL);
	pctl_strmap_done(&turns->by_key);
}

bool pctl_turns_take(struct pctl_turns *turns, const char *key, size_t node)
{
	void **slot = pctl_strmap_put(&turns->by_key, key);
	struct line *line = *slot;

	if (!line) {
		*slot = pctl_xcalloc(1, sizeof(*line));
		return true;
	}
	line->waiting = pctl_xgrow(line->waiting, &line->cap, line->n + 1, sizeof(*line->waiting));
	line->waiting[line->n++] = node;
	return false;
}

bool pctl_turns_pass(struct pctl_turns *turns, const char *key, size_t *ret)
{
	struct line *line = pctl_strmap_get(&turns->by_key, key);

	if (line && line->next < line->n) {
		*ret = line->waiting[line->next++];
		return true;
	}
	(void)pctl_strmap_remove(&turns->by_key, key);
	if (line)
		free_line(NULL, key, line);
	return false;
}
