/* SPDX-License-Identifier: Apache-2.0 */
#include "node/breaker.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <powerctl/mem.h>
#include <powerctl/nodeset.h>
#include <powerctl/parse.h>

#include "node/fingerprint.h"

/* The memory: "FINGERPRINT@ENDPOINT refused=TIME node=NAME", "FINGERPRINT taken=TIME". */
#define REFUSED   "refused"
#define NODE      "node"
#define OPEN      "open" /* the node has one of two passwords: this says nothing of others */
#define TAKEN     "taken"
#define NAMES_MAX 100u

struct refusal {
	char *node;
	uint64_t at;
	bool remembered; /* of an earlier command, or of another process */
};

struct pctl_login {
	struct pctl_breaker *breaker;
	struct pctl_login *next;
	char id[PCTL_FINGERPRINT_SIZE];
	char *who;                   /* "credential 'bmc'"; NULL until a node has it */
	struct pctl_strmap refusals; /* by endpoint */
	struct refusal *latest[PCTL_TRIAL_NODES];
	uint64_t taken;  /* when last, by any process; 0: never */
	bool known_good; /* taken in this run: so it goes to all */
	unsigned trying, inconclusive;
	char *words;          /* who refused it, the same for all nodes that are told */
	uint64_t words_until; /* when the first of those refusals does not count any more */
};

struct pctl_breaker {
	struct pctl_store *store;
	char *salt_path;
	unsigned char salt[PCTL_SALT_SIZE];
	bool salted, unsaved;
	uint64_t (*clock)(void);
	struct pctl_strmap by_id;
	struct pctl_login *logins;
	struct pctl_watch *watches;
};

static uint64_t wall_clock(void)
{
	return (uint64_t)time(NULL);
}

struct pctl_breaker *pctl_breaker_new(struct pctl_store *take_store, const char *salt_path)
{
	struct pctl_breaker *b = pctl_xcalloc(1, sizeof(*b));

	b->store = take_store;
	b->salt_path = salt_path ? pctl_xstrdup(salt_path) : NULL;
	b->clock = wall_clock;
	return b;
}

static void free_refusal(void *data, const char *endpoint, void *value)
{
	struct refusal *refusal = value;

	(void)data, (void)endpoint;
	if (refusal)
		free(refusal->node);
	free(refusal);
}

static void forget_refusals(struct pctl_login *login)
{
	pctl_strmap_each(&login->refusals, free_refusal, NULL);
	pctl_strmap_done(&login->refusals);
	login->refusals = (struct pctl_strmap){ 0 };
	memset(login->latest, 0, sizeof(login->latest));
	free(login->words);
	login->words = NULL;
}

void pctl_breaker_free(struct pctl_breaker *b)
{
	if (!b)
		return;
	while (b->logins) {
		struct pctl_login *login = b->logins;

		b->logins = login->next;
		forget_refusals(login);
		free(login->who);
		free(login);
	}
	pctl_strmap_done(&b->by_id);
	pctl_store_free(b->store);
	free(b->salt_path);
	explicit_bzero(b->salt, sizeof(b->salt));
	free(b);
}

void pctl_breaker_set_clock(struct pctl_breaker *b, uint64_t (*clock)(void))
{
	b->clock = clock;
}

/* --- Time. ------------------------------------------------------------------------------------ */

/* What is to come was noted by a clock that was wrong. */
static bool holds(const struct pctl_breaker *b, uint64_t at)
{
	uint64_t now = b->clock();

	return at && at <= now && now - at < PCTL_REFUSAL_S;
}

/* A login that others took since is not doubted: what refused it has another password. */
static bool is_doubt(const struct pctl_login *login, const struct refusal *refusal)
{
	return refusal && refusal->at > login->taken && holds(login->breaker, refusal->at);
}

static unsigned doubts(const struct pctl_login *login)
{
	unsigned n = 0;

	for (size_t i = 0; i < PCTL_TRIAL_NODES; i++)
		n += is_doubt(login, login->latest[i]);
	return n;
}

static bool is_refused(const struct pctl_login *login)
{
	return !login->known_good && doubts(login) >= PCTL_TRIAL_REFUSALS;
}

/* By the clock and in minutes: so equal results stay equal, and fold. */
static void format_minute(uint64_t at, char *ret, size_t size)
{
	time_t when = (time_t)at;
	struct tm tm;

	if (!localtime_r(&when, &tm) || strftime(ret, size, "%H:%M", &tm) == 0)
		(void)snprintf(ret, size, "?");
}

/* --- Refusals. -------------------------------------------------------------------------------- */

/* Among the latest it stands once; the oldest makes room. */
static void put_latest(struct pctl_login *login, struct refusal *refusal)
{
	size_t oldest = 0;

	for (size_t i = 0; i < PCTL_TRIAL_NODES; i++) {
		if (login->latest[i] == refusal)
			return;
		if (!login->latest[oldest])
			continue;
		if (!login->latest[i] || login->latest[i]->at < login->latest[oldest]->at)
			oldest = i;
	}
	if (!login->latest[oldest] || login->latest[oldest]->at <= refusal->at)
		login->latest[oldest] = refusal;
}

/* counts: it casts doubt on the login elsewhere as well. */
static void add_refusal(struct pctl_login *login, const char *endpoint, const char *node,
	uint64_t at, bool remembered, bool counts)
{
	void **place = pctl_strmap_put(&login->refusals, endpoint);
	struct refusal *refusal = *place;

	if (!refusal)
		refusal = *place = pctl_xcalloc(1, sizeof(*refusal));
	free(refusal->node);
	*refusal = (struct refusal){
		.node = pctl_xstrdup(node),
		.at = at,
		.remembered = remembered,
	};
	if (counts)
		put_latest(login, refusal);
}

static void remove_refusal(struct pctl_login *login, const char *endpoint)
{
	struct refusal *refusal = pctl_strmap_remove(&login->refusals, endpoint);

	for (size_t i = 0; i < PCTL_TRIAL_NODES; i++)
		if (login->latest[i] == refusal)
			login->latest[i] = NULL;
	free_refusal(NULL, endpoint, refusal);
}

static char *record_key(const struct pctl_login *login, const char *endpoint)
{
	return pctl_xasprintf("%s@%s", login->id, endpoint);
}

static void keep(struct pctl_breaker *b, const char *key, const char *field, uint64_t at)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, at);
	pctl_store_put(b->store, key, field, text);
	b->unsaved = true;
}

/* Refusals up to now are those nodes' own. */
static void clear_doubts(struct pctl_login *login)
{
	login->taken = login->breaker->clock();
	keep(login->breaker, login->id, TAKEN, login->taken);
}

/* --- Between processes. ----------------------------------------------------------------------- */

static struct pctl_login *login_of(struct pctl_breaker *b, const char *id)
{
	void **place = pctl_strmap_put(&b->by_id, id);
	struct pctl_login *login = *place;

	if (login)
		return login;
	login = *place = pctl_xcalloc(1, sizeof(*login));
	login->breaker = b;
	(void)snprintf(login->id, sizeof(login->id), "%s", id);
	login->next = b->logins;
	b->logins = login;
	return login;
}

static uint64_t time_in(struct pctl_breaker *b, const char *key, const char *field)
{
	const char *text = pctl_store_get(b->store, key, field);
	uint64_t at = 0;

	if (!text || pctl_parse_uint(text, UINT64_MAX, &at) < 0)
		return 0;
	return at;
}

static void take_record(void *data, const char *key)
{
	struct pctl_breaker *b = data;
	size_t len = strcspn(key, "@");

	if (len != PCTL_FINGERPRINT_SIZE - 1)
		return;
	PCTL_AUTO(free) char *id = pctl_xstrndup(key, len);
	uint64_t at = time_in(b, key, key[len] ? REFUSED : TAKEN);
	if (!holds(b, at))
		return;
	struct pctl_login *login = login_of(b, id);
	const char *node = pctl_store_get(b->store, key, NODE);
	if (key[len])
		add_refusal(login, key + len + 1, node ? node : key + len + 1, at, true,
			!pctl_store_get(b->store, key, OPEN));
	else if (at > login->taken)
		login->taken = at;
}

void pctl_breaker_refresh(struct pctl_breaker *b)
{
	bool stale = pctl_store_refresh(b->store);

	for (struct pctl_login *login = b->logins; login; login = login->next) {
		if (!login->trying)
			login->inconclusive = 0;
		if (stale)
			forget_refusals(login);
	}
	if (stale)
		pctl_store_keys(b->store, take_record, b);
}

void pctl_breaker_begin(struct pctl_breaker *b)
{
	for (struct pctl_login *login = b->logins; login; login = login->next)
		login->known_good = login->known_good && login->trying;
	pctl_breaker_refresh(b);
}

bool pctl_breaker_matters(const struct pctl_breaker *b, size_t nodes)
{
	return nodes > PCTL_TRIAL_NODES || b->logins;
}

static void drop_expired(void *data, const char *key)
{
	struct pctl_breaker *b = data;

	if (!holds(b, time_in(b, key, REFUSED))) {
		pctl_store_put(b->store, key, REFUSED, NULL);
		pctl_store_put(b->store, key, NODE, NULL);
		pctl_store_put(b->store, key, OPEN, NULL);
	}
	if (!holds(b, time_in(b, key, TAKEN)))
		pctl_store_put(b->store, key, TAKEN, NULL);
}

void pctl_breaker_save(struct pctl_breaker *b)
{
	if (!b->unsaved)
		return;
	pctl_store_keys(b->store, drop_expired, b);
	if (pctl_store_save(b->store, NULL) == 0)
		b->unsaved = false;
}

/* --- Logins. ---------------------------------------------------------------------------------- */

static char *describe(const struct pctl_target *target)
{
	const char *credential = pctl_value_text(pctl_value_get(target->map, "credential"));
	const struct pctl_setting *user = pctl_settings_find(&target->settings, "username");

	if (credential)
		return pctl_xasprintf("credential '%.60s'", credential);
	if (user && user->text)
		return pctl_xasprintf("user '%.60s'", user->text);
	return pctl_xstrdup("the password");
}

struct pctl_login *pctl_breaker_login(struct pctl_breaker *b, const struct pctl_target *target)
{
	char id[PCTL_FINGERPRINT_SIZE];
	bool secret = false;

	for (size_t i = 0; i < target->settings.n; i++)
		secret = secret || target->settings.v[i].secret;
	if (!secret)
		return NULL;
	if (!b->salted)
		pctl_salt_load(b->salt_path, b->salt);
	b->salted = true;
	if (!pctl_fingerprint(b->salt, target, id))
		return NULL;
	struct pctl_login *login = login_of(b, id);
	if (!login->who)
		login->who = describe(target);
	return login;
}

const char *pctl_login_id(const struct pctl_login *login)
{
	return login->id;
}

bool pctl_login_waits(const struct pctl_login *login)
{
	unsigned most = PCTL_TRIAL_NODES + PCTL_TRIAL_GROWTH * login->inconclusive;

	return !login->known_good && !is_refused(login) && login->trying + doubts(login) >= most;
}

/* --- Words. ----------------------------------------------------------------------------------- */

static char *name_refusers(const struct pctl_login *login)
{
	struct pctl_names *names = pctl_names_new();

	for (size_t i = 0; i < PCTL_TRIAL_NODES; i++)
		if (is_doubt(login, login->latest[i]))
			(void)pctl_names_add(names, login->latest[i]->node);
	char *folded = pctl_names_fold(names);
	if (strlen(folded) > NAMES_MAX) {
		free(folded);
		folded = pctl_xasprintf("%.*s and %zu others", (int)NAMES_MAX,
			pctl_names_at(names, 0), pctl_names_count(names) - 1);
	}
	pctl_names_free(names);
	return folded;
}

/* What mends it; only where it happened before, else it happens now and on the same screen. */
static void describe_mend(uint64_t at, char *ret, size_t size)
{
	char then[16], until[16];

	format_minute(at, then, sizeof(then));
	format_minute(at + PCTL_REFUSAL_S + 59, until, sizeof(until));
	(void)snprintf(ret, size,
		" at %s; another password is tried at once, this one from %s on or with "
		"--try-anyway",
		then, until);
}

static void make_words(struct pctl_login *login)
{
	PCTL_AUTO(free) char *nodes = name_refusers(login);
	bool remembered = false;
	char mend[160] = "";
	uint64_t last = 0;

	login->words_until = UINT64_MAX;
	for (size_t i = 0; i < PCTL_TRIAL_NODES; i++) {
		const struct refusal *refusal = login->latest[i];

		if (!is_doubt(login, refusal))
			continue;
		remembered = remembered || refusal->remembered;
		last = refusal->at > last ? refusal->at : last;
		if (refusal->at + PCTL_REFUSAL_S < login->words_until)
			login->words_until = refusal->at + PCTL_REFUSAL_S;
	}
	if (remembered)
		describe_mend(last, mend, sizeof(mend));
	free(login->words);
	login->words = pctl_xasprintf("%s was refused by %s%s", login->who, nodes, mend);
}

int pctl_login_check(
	struct pctl_login *login, const struct pctl_target *target, struct pctl_error *err)
{
	const struct refusal *refusal = pctl_strmap_get(&login->refusals, target->endpoint);
	char mend[160];

	if (refusal && holds(login->breaker, refusal->at)) {
		describe_mend(refusal->at, mend, sizeof(mend));
		return pctl_error_set(
			err, PCTL_E_AUTH, "not tried: %s was refused here%s", login->who, mend);
	}
	if (target->two_passwords || !is_refused(login))
		return 0;
	if (!login->words || login->breaker->clock() >= login->words_until)
		make_words(login);
	return pctl_error_set(err, PCTL_E_AUTH, "not tried: %s", login->words);
}

/* --- What nodes tell. ------------------------------------------------------------------------- */

static void notify(const struct pctl_breaker *b)
{
	for (const struct pctl_watch *watch = b->watches; watch; watch = watch->next)
		watch->changed(watch->data);
}

void pctl_breaker_watch(struct pctl_breaker *b, struct pctl_watch *watch)
{
	watch->next = b->watches;
	b->watches = watch;
}

void pctl_breaker_unwatch(struct pctl_breaker *b, struct pctl_watch *watch)
{
	struct pctl_watch **link = &b->watches;

	while (*link && *link != watch)
		link = &(*link)->next;
	if (*link)
		*link = watch->next;
}

static bool let_go(struct pctl_login *login, bool *held)
{
	bool had = *held;

	if (had)
		login->trying--;
	*held = false;
	return had;
}

void pctl_login_hold(struct pctl_login *login, bool *held)
{
	login->trying++;
	*held = true;
}

void pctl_login_took(struct pctl_login *login, const struct pctl_target *target, bool *held)
{
	bool known = login->known_good;

	(void)let_go(login, held);
	login->known_good = true;
	if (doubts(login))
		clear_doubts(login);
	if (pctl_strmap_get(&login->refusals, target->endpoint)) {
		PCTL_AUTO(free) char *key = record_key(login, target->endpoint);

		remove_refusal(login, target->endpoint);
		pctl_store_put(login->breaker->store, key, REFUSED, NULL);
		pctl_store_put(login->breaker->store, key, NODE, NULL);
		pctl_store_put(login->breaker->store, key, OPEN, NULL);
		login->breaker->unsaved = true;
	}
	if (known)
		return;
	free(login->words);
	login->words = NULL;
	notify(login->breaker);
}

void pctl_login_refused(struct pctl_login *login, const struct pctl_target *target, bool *held)
{
	PCTL_AUTO(free) char *key = record_key(login, target->endpoint);
	struct pctl_breaker *b = login->breaker;
	bool before = is_refused(login);

	(void)let_go(login, held);
	add_refusal(
		login, target->endpoint, target->name, b->clock(), false, !target->two_passwords);
	keep(b, key, REFUSED, b->clock());
	pctl_store_put(b->store, key, NODE, target->name);
	pctl_store_put(b->store, key, OPEN, target->two_passwords ? "yes" : NULL);
	if (login->known_good) {
		clear_doubts(login);
		return;
	}
	if (!before && is_refused(login)) {
		make_words(login);
		pctl_breaker_save(b); /* whoever begins now is to know it already */
	}
	notify(b);
}

void pctl_login_step_aside(struct pctl_login *login, bool *held)
{
	if (let_go(login, held) && !login->known_good)
		notify(login->breaker);
}

void pctl_login_left(struct pctl_login *login, bool *held)
{
	if (!let_go(login, held) || login->known_good)
		return;
	login->inconclusive++;
	notify(login->breaker);
}
