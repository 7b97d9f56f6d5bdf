/* SPDX-License-Identifier: Apache-2.0 */
/* Words into numbers, strictly: the whole string or nothing. On failure *ret is untouched. */
#ifndef POWERCTL_PARSE_H
#define POWERCTL_PARSE_H

#include <powerctl/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Decimal digits only, 0..max. PCTL_E_CONFIG otherwise. */
PCTL_API int pctl_parse_uint(const char *s, uint64_t max, uint64_t *ret);

/* "true", "false", "yes", "no", "on", "off". */
PCTL_API int pctl_parse_bool(const char *s, bool *ret);

/* "500ms", "60s", "2m", "1h"; a bare number is seconds, and may have a decimal part. Milliseconds.
 */
PCTL_API int pctl_parse_duration(const char *s, uint64_t *ret_ms);

/* The index of s in a NULL-terminated list of words, or PCTL_E_CONFIG. */
PCTL_API int pctl_parse_choice(const char *s, const char *const *words);

/*
 * The word of a NULL-terminated list that s most probably meant (edit distance at most 2, and less
 * than half of the longer), or NULL.
 */
PCTL_API const char *pctl_parse_nearest(const char *s, const char *const *words);

/* Milliseconds as a person writes them: "500 ms", "6 s", "2 m". Returns buf. */
PCTL_API const char *pctl_format_duration(uint64_t ms, char *buf, size_t size);

#ifdef __cplusplus
}
#endif

#endif
