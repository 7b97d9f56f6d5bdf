/* SPDX-License-Identifier: Apache-2.0 */
/*
 * powerctl-bench-floor: how fast libcurl can ask a fleet for its power state, if a program does
 * nothing else: the yardstick for powerctl, which is built on libcurl too. It posts BODY to each of
 * the URLs with Digest, FANOUT at a time, and prints a line for each. What makes libcurl slow was
 * left out by measuring: no connection is kept, as each one kept is walked for each one opened; no
 * look-up is remembered, for the same reason; and no multi handle has more than SHARD transfers.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	SHARD = 256,
	EVENTS = 256,
	ANSWER_MAX = 8192,
	FANOUT_MAX = 100000,
};

struct floor;

struct shard {
	struct floor *floor;
	CURLM *multi;
	uint64_t due; /* milliseconds; 0: no timer */
};

struct transfer {
	struct shard *shard;
	CURL *easy;
	const char *url;
	size_t size;
	char answer[ANSWER_MAX];
};

struct floor {
	const char *login, *body, *wanted;
	struct curl_slist *headers;
	char *urls; /* the rest of them, a line each */
	int epoll;
	unsigned running, shards_n;
	struct shard *shards;
	bool wrong;
};

static void die(const char *what)
{
	fprintf(stderr, "powerctl-bench-floor: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void *allocate(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		die("memory");
	return p;
}

static char *read_file(const char *path)
{
	size_t n = 0, size = 0;
	char *text = NULL;
	FILE *in = fopen(path, "r");

	if (!in)
		die(path);
	do {
		size = 2 * size + 65536;
		text = realloc(text, size);
		if (!text)
			die(path);
		n += fread(text + n, 1, size - n - 1, in);
	} while (n == size - 1);
	if (ferror(in))
		die(path);
	fclose(in);
	text[n] = '\0';
	return text;
}

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static const char *next_url(struct floor *f)
{
	char *url = f->urls, *end = url + strcspn(url, "\n");

	if (end == url)
		return NULL;
	f->urls = *end ? end + 1 : end;
	*end = '\0';
	return url;
}

/* --- What libcurl calls. ------------------------------------------------------------------- */

static size_t on_body(char *p, size_t size, size_t n, void *data)
{
	struct transfer *t = data;

	n *= size;
	if (n >= ANSWER_MAX - t->size)
		return 0;
	memcpy(t->answer + t->size, p, n);
	t->size += n;
	return n;
}

static int on_timer(CURLM *multi, long ms, void *data)
{
	struct shard *shard = data;

	(void)multi;
	shard->due = ms < 0 ? 0 : now_ms() + (uint64_t)ms;
	return 0;
}

/*
 * A connection is watched from its first turn until it is closed, which takes it out of the set:
 * libcurl closes each of them once it does not want to be told of it any more.
 */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *known)
{
	struct shard *shard = data;
	struct epoll_event event = { .data.u64 = (uint64_t)(shard - shard->floor->shards) << 32 |
						 (uint32_t)fd };
	int epoll = shard->floor->epoll;

	(void)easy;
	if (what == CURL_POLL_REMOVE)
		return 0;
	event.events =
		(what & CURL_POLL_IN ? EPOLLIN : 0U) | (what & CURL_POLL_OUT ? EPOLLOUT : 0U);
	if (!known)
		curl_multi_assign(shard->multi, fd, shard);
	if (epoll_ctl(epoll, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	if (errno != EEXIST || epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event) < 0)
		die("epoll_ctl");
	return 0;
}

/* --- Transfers. ---------------------------------------------------------------------------- */

static void start(struct transfer *t)
{
	const struct floor *f = t->shard->floor;
	CURL *easy = t->easy;

	t->size = 0;
	curl_easy_setopt(easy, CURLOPT_URL, t->url);
	curl_easy_setopt(easy, CURLOPT_HTTPAUTH, (long)CURLAUTH_DIGEST);
	curl_easy_setopt(easy, CURLOPT_USERPWD, f->login);
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, f->headers);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, f->body);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, t);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 0L); /* each request goes in one piece */
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 4096L);
	curl_multi_add_handle(t->shard->multi, easy);
}

/* Takes the transfer to its next device. A handle that is not reset would log in there with what
 * the last device gave it. */
static void next(struct transfer *t)
{
	struct floor *f = t->shard->floor;

	t->url = next_url(f);
	if (!t->url) {
		curl_easy_cleanup(t->easy);
		free(t);
		f->running--;
		return;
	}
	curl_easy_reset(t->easy);
	start(t);
}

static void finish(struct transfer *t, CURLcode result)
{
	struct floor *f = t->shard->floor;

	t->answer[t->size] = '\0';
	if (result != CURLE_OK) {
		f->wrong = true;
		printf("%s: %s\n", t->url, curl_easy_strerror(result));
	} else if (!strstr(t->answer, f->wanted)) {
		f->wrong = true;
		printf("%s: wrong answer\n", t->url);
	} else {
		printf("%s: right\n", t->url);
	}
	next(t);
}

static void reap(struct shard *shard)
{
	struct CURLMsg *message;
	int left;

	while ((message = curl_multi_info_read(shard->multi, &left))) {
		CURL *easy = message->easy_handle;
		CURLcode result = message->data.result;
		struct transfer *t;

		curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&t);
		curl_multi_remove_handle(shard->multi, easy);
		finish(t, result);
	}
}

/* --- The loop. ----------------------------------------------------------------------------- */

static int wait_ms(const struct floor *f)
{
	uint64_t due = UINT64_MAX, now = now_ms();

	for (unsigned i = 0; i < f->shards_n; i++)
		if (f->shards[i].due && f->shards[i].due < due)
			due = f->shards[i].due;
	if (due == UINT64_MAX)
		return -1;
	return due > now ? (int)(due - now) : 0;
}

static void run_timers(struct floor *f)
{
	uint64_t now = now_ms();
	int running;

	for (unsigned i = 0; i < f->shards_n; i++) {
		struct shard *shard = &f->shards[i];

		if (!shard->due || shard->due > now)
			continue;
		shard->due = 0;
		curl_multi_socket_action(shard->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	}
}

static void run_events(struct floor *f)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(f->epoll, events, EVENTS, wait_ms(f)), running;

	if (n < 0 && errno != EINTR)
		die("epoll_wait");
	for (int i = 0; i < n; i++) {
		uint32_t is = events[i].events;
		int what = (is & EPOLLIN ? CURL_CSELECT_IN : 0) |
			   (is & EPOLLOUT ? CURL_CSELECT_OUT : 0) |
			   (is & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);

		curl_multi_socket_action(f->shards[events[i].data.u64 >> 32].multi,
			(int)(uint32_t)events[i].data.u64, what, &running);
	}
}

static void run(struct floor *f)
{
	while (f->running) {
		run_events(f);
		run_timers(f);
		for (unsigned i = 0; i < f->shards_n; i++)
			reap(&f->shards[i]);
	}
}

static void prepare(struct floor *f, unsigned fanout)
{
	f->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (f->epoll < 0)
		die("epoll_create1");
	f->shards_n = (fanout + SHARD - 1) / SHARD;
	f->shards = allocate(f->shards_n, sizeof(*f->shards));
	for (unsigned i = 0; i < f->shards_n; i++) {
		struct shard *shard = &f->shards[i];

		shard->floor = f;
		shard->multi = curl_multi_init();
		curl_multi_setopt(shard->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
		curl_multi_setopt(shard->multi, CURLMOPT_SOCKETDATA, shard);
		curl_multi_setopt(shard->multi, CURLMOPT_TIMERFUNCTION, on_timer);
		curl_multi_setopt(shard->multi, CURLMOPT_TIMERDATA, shard);
	}
}

static void begin(struct floor *f, unsigned fanout)
{
	const char *url;

	for (; f->running < fanout && (url = next_url(f)); f->running++) {
		struct transfer *t = allocate(1, sizeof(*t));

		t->shard = &f->shards[f->running % f->shards_n];
		t->url = url;
		t->easy = curl_easy_init();
		if (!t->easy)
			die("curl_easy_init");
		start(t);
	}
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Decimal digits only, up to FANOUT_MAX; 0: something else. */
static unsigned number(const char *s)
{
	unsigned n = 0;

	for (; *s >= '0' && *s <= '9' && n <= FANOUT_MAX; s++)
		n = n * 10 + (unsigned)(*s - '0');
	return *s || n > FANOUT_MAX ? 0 : n;
}

static int usage(void)
{
	fprintf(stderr,
		"usage: powerctl-bench-floor FANOUT USER:PASSWORD BODY WANTED URLS\n"
		"Posts the file BODY to each line of the file URLS, FANOUT at a time, and prints "
		"for "
		"each\nwhether the answer holds the text WANTED. Ends with 1 if any does not.\n");
	return 2;
}

int main(int argc, char **argv)
{
	struct floor f = { .wrong = false };
	unsigned fanout = argc == 6 ? number(argv[1]) : 0;

	if (!fanout)
		return usage();
	f.login = argv[2];
	f.body = read_file(argv[3]);
	f.wanted = argv[4];
	f.urls = read_file(argv[5]);
	f.headers = curl_slist_append(NULL, "Content-Type: application/soap+xml; charset=utf-8");
	raise_descriptor_limit();
	curl_global_init(CURL_GLOBAL_DEFAULT);
	prepare(&f, fanout);
	begin(&f, fanout);
	run(&f);
	if (fflush(stdout) == EOF)
		die("stdout");
	_exit(f.wrong); /* the kernel clears up faster, and powerctl does the same */
}
