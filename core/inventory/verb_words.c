/* SPDX-License-Identifier: Apache-2.0 */
#include "inventory/verb_words.h"

#define ROW(verb, word) [PCTL_VERB_##verb] = word,

static const char *const words[PCTL_VERB_COUNT] = { PCTL_HOOK_VERBS(ROW) PCTL_CONSENT_VERBS(ROW) };

const char *pctl_verb_word(enum pctl_verb verb)
{
	return (unsigned)verb < PCTL_VERB_COUNT ? words[verb] : NULL;
}
