/* SPDX-License-Identifier: Apache-2.0 */
#include "driver/password.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define MADE      16u /* where no driver says how long */
#define MADE_MAX  64u
#define TRIES_MAX 1000u

#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define DIGIT "0123456789"
/* What a shell, a URL and a YAML file leave alone, as far as there is such a thing. */
#define SPECIAL "!#%*+-=?@."

static const struct {
	uint32_t bit;
	const char *words;
} classes[] = {
	{ PCTL_PASSWORD_UPPER, "an upper case letter" },
	{ PCTL_PASSWORD_LOWER, "a lower case letter" },
	{ PCTL_PASSWORD_DIGIT, "a digit" },
	{ PCTL_PASSWORD_SPECIAL, "a character that is neither letter, digit nor _" },
};

static uint32_t class_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return PCTL_PASSWORD_UPPER;
	if (c >= 'a' && c <= 'z')
		return PCTL_PASSWORD_LOWER;
	if (c >= '0' && c <= '9')
		return PCTL_PASSWORD_DIGIT;
	return c == '_' ? 0 : PCTL_PASSWORD_SPECIAL;
}

static uint32_t least(uint32_t a, uint32_t b)
{
	return !a || (b && b < a) ? b : a;
}

void pctl_password_rules_add(
	struct pctl_password_rules *rules, const struct pctl_account_if *account)
{
	size_t n = strlen(rules->forbidden);

	rules->min = account->min > rules->min ? account->min : rules->min;
	rules->max = least(rules->max, account->max);
	rules->made = least(rules->made, account->made);
	rules->classes |= account->classes;
	for (const char *c = account->forbidden; c && *c && n + 1 < sizeof(rules->forbidden); c++)
		if (!strchr(rules->forbidden, *c))
			rules->forbidden[n++] = *c;
	rules->forbidden[n] = '\0';
}

static bool is_allowed(const struct pctl_password_rules *rules, char c)
{
	return c > ' ' && c < 0x7f && !strchr(rules->forbidden, c);
}

static uint32_t classes_in(const char *text, size_t len)
{
	uint32_t found = 0;

	for (size_t i = 0; i < len; i++)
		found |= class_of(text[i]);
	return found;
}

int pctl_password_check(const struct pctl_password_rules *rules, const struct pctl_secret *password,
	struct pctl_error *err)
{
	const char *text = pctl_secret_data(password);
	size_t len = pctl_secret_len(password);

	if (len < rules->min || len == 0)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"the new password is too short: at least %u characters",
			rules->min ? (unsigned)rules->min : 1u);
	if (rules->max && len > rules->max)
		return pctl_error_set(err, PCTL_E_CONFIG,
			"the new password is too long: at most %u characters",
			(unsigned)rules->max);
	for (size_t i = 0; i < len; i++)
		if (!is_allowed(rules, text[i]))
			return pctl_error_set(err, PCTL_E_CONFIG,
				"the new password has a character that cannot be in one: it takes "
				"ASCII without blanks%s%s",
				*rules->forbidden ? ", and none of " : "", rules->forbidden);
	uint32_t missing = rules->classes & ~classes_in(text, len);
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (missing & classes[i].bit)
			return pctl_error_set(
				err, PCTL_E_CONFIG, "the new password needs %s", classes[i].words);
	return 0;
}

/* Each of n alike; the same byte again would favour the first ones. */
static int pick(unsigned n, unsigned *ret)
{
	unsigned char byte;

	do {
		ssize_t got = getrandom(&byte, 1, 0);

		if (got < 0 && errno == EINTR)
			byte = 255;
		else if (got != 1)
			return -1;
	} while (byte >= 256 / n * n);
	*ret = byte % n;
	return 0;
}

static int fill(const char *from, char *out, size_t len)
{
	unsigned n = (unsigned)strlen(from), at = 0;

	for (size_t i = 0; i < len; i++) {
		if (pick(n, &at) < 0)
			return -1;
		out[i] = from[at];
	}
	return 0;
}

/* Many devices want more kinds of characters than they say: it has one of each that there can be.
 */
static uint32_t classes_made(const struct pctl_password_rules *rules, const char *from, size_t len)
{
	return len >= 8 ? rules->classes | classes_in(from, strlen(from)) : rules->classes;
}

int pctl_password_make(
	const struct pctl_password_rules *rules, struct pctl_secret **ret, struct pctl_error *err)
{
	static const char all[] = UPPER LOWER DIGIT SPECIAL;
	char from[sizeof(all)] = "", made[MADE_MAX];
	size_t len = rules->made ? rules->made : MADE, n = 0;
	struct pctl_secret *secret = NULL;
	int r = PCTL_E_CONFIG;

	if (rules->max && len > rules->max)
		len = rules->max;
	if (len < rules->min)
		len = rules->min;
	for (const char *c = all; *c; c++)
		if (is_allowed(rules, *c))
			from[n++] = *c;
	struct pctl_password_rules wanted = *rules;
	wanted.classes = classes_made(rules, from, len);
	if (len > MADE_MAX || n < 2 || (rules->max && len > rules->max))
		return pctl_error_set(err, PCTL_E_CONFIG,
			"no password can be made up that all of these devices take");
	for (unsigned i = 0; r < 0 && i < TRIES_MAX; i++) {
		if (fill(from, made, len) < 0) {
			r = pctl_error_set(err, PCTL_E_INTERNAL,
				"the system gives no random numbers: %s", strerror(errno));
			break;
		}
		pctl_secret_free(secret);
		secret = pctl_secret_new(made, len);
		r = pctl_password_check(&wanted, secret, err);
	}
	explicit_bzero(made, sizeof(made));
	if (r < 0) {
		pctl_secret_free(secret);
		return r;
	}
	*ret = secret;
	return 0;
}
