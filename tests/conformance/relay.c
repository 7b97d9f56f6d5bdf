/* SPDX-License-Identifier: Apache-2.0 */
#include "relay.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"
#include "relay_socket.h"
#include "relay_tls.h"

/* A small number of everything: one driver talks to one device. poll() does for that. */
#define FLOWS     64u
#define PART      4096u
#define PENDING   ((size_t)256 * 1024)
#define LISTENERS (2u * RELAY_PORTS)
#define OTHERS    1u /* descriptors: to be woken by */
#define APPLY_MS  ((uint64_t)5000)
#define MARKS     64u

/* What one client has with the device: a connection, or datagrams from one address. */
struct flow {
	int client, device; /* datagrams: client is the listener's */
	bool used, datagrams;
	struct sockaddr_storage from; /* datagrams: whose */
	socklen_t from_len;
	unsigned requests; /* parts that came from it */
	unsigned turn;     /* bytes of them in what is not counted yet */
	uint64_t mark;     /* of these */
	enum { STREAM_NEW, STREAM_PLAIN, STREAM_TLS } stream;
	struct record {
		unsigned char head[5];
		size_t have, left; /* bytes of head, and of what is behind it */
	} record;
	struct relay_tls tls;
	size_t answered;       /* bytes that went to it */
	unsigned char *answer; /* what waits to go to it: PENDING bytes */
	size_t waiting;
	uint64_t due; /* ms: not before */
	uint64_t last_used;
};

struct relay {
	struct relay_shared *shared;
	int tcp[RELAY_PORTS], udp[RELAY_PORTS];
	struct sockaddr_storage device[RELAY_PORTS];
	socklen_t device_len;
	size_t n;
	struct flow flows[FLOWS];
	unsigned seen; /* requests in mode RELAY_LOSE */
	bool deaf;
	/* What came since the mode was set. */
	uint64_t marks[MARKS];
	size_t marks_n;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

void relay_set(struct relay_shared *shared, enum relay_mode mode, unsigned arg)
{
	const uint64_t one = 1, begin = now_ms();

	atomic_store(&shared->arg, arg);
	atomic_store(&shared->mode, mode);
	atomic_store(&shared->requests, 0);
	atomic_store(&shared->datagrams, 0);
	atomic_store(&shared->repeats, 0);
	atomic_store(&shared->connections, 0);
	atomic_store(&shared->turns_n, 0);
	unsigned now = atomic_fetch_add(&shared->generation, 1) + 1;
	if (!shared->runs || write(shared->wake, &one, sizeof(one)) < 0)
		return;
	while (atomic_load(&shared->applied) != now && now_ms() - begin < APPLY_MS)
		(void)usleep(200);
}

/* --- Sockets. --------------------------------------------------------------------------------- */

static void hang_up(struct flow *f, bool reset)
{
	const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	if (!f->used)
		return;
	if (!f->datagrams) {
		if (reset)
			(void)setsockopt(
				f->client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		(void)close(f->client);
	}
	if (f->device >= 0)
		(void)close(f->device);
	unsigned char *answer = f->answer;
	*f = (struct flow){ .answer = answer, .device = -1, .client = -1 };
}

static struct flow *new_flow(struct relay *r)
{
	struct flow *oldest = &r->flows[0];

	for (size_t i = 0; i < FLOWS; i++) {
		if (!r->flows[i].used) {
			oldest = &r->flows[i];
			break;
		}
		if (r->flows[i].last_used < oldest->last_used)
			oldest = &r->flows[i];
	}
	hang_up(oldest, false);
	if (!oldest->answer)
		oldest->answer = malloc(PENDING);
	oldest->last_used = now_ms();
	return oldest->answer ? oldest : NULL;
}

static int connect_device(const struct relay *r, size_t i, int type)
{
	const int yes = 1;
	int fd = socket(r->device[i].ss_family, type | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)&r->device[i], r->device_len) < 0) {
		(void)close(fd);
		return -1;
	}
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, O_NONBLOCK);
	if (fd >= 0 && type == SOCK_STREAM)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	return fd;
}

static void take_connection(struct relay *r, size_t i)
{
	const int yes = 1;
	int fd = accept4(r->tcp[i], NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct flow *f = fd < 0 ? NULL : new_flow(r);

	if (fd < 0)
		return;
	int device = f ? connect_device(r, i, SOCK_STREAM) : -1;
	if (device < 0) {
		(void)close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
	atomic_fetch_add(&r->shared->connections, 1);
	f->used = true;
	f->client = fd;
	f->device = device;
}

/* --- What comes from the driver, and what becomes of it. -------------------------------------- */

static void say(struct flow *f, const void *data, size_t len)
{
	if (f->datagrams)
		(void)!sendto(f->client, data, len, MSG_NOSIGNAL, (const struct sockaddr *)&f->from,
			f->from_len);
	else
		(void)!send(f->client, data, len, MSG_NOSIGNAL);
	f->answered += len;
}

static void say_garbage(struct flow *f)
{
	unsigned char noise[200];

	for (size_t i = 0; i < sizeof(noise); i++)
		noise[i] = (unsigned char)(i * 167 + 13 + f->requests);
	say(f, noise, sizeof(noise));
}

/* Source: FNV-1a, 64 bits. What is compared are a few requests of a driver under test. */
static void add_to_turn(struct flow *f, const unsigned char *data, size_t len)
{
	if (!f->turn)
		f->mark = 14695981039346656037u;
	for (size_t i = 0; i < len; i++)
		f->mark = (f->mark ^ data[i]) * 1099511628211u;
	f->turn += (unsigned)len;
}

static void count_repeats(struct relay *r, uint64_t mark)
{
	for (size_t i = 0; i < r->marks_n; i++)
		if (r->marks[i] == mark) {
			atomic_fetch_add(&r->shared->repeats, 1);
			return;
		}
	if (r->marks_n < MARKS)
		r->marks[r->marks_n++] = mark;
}

static void end_turn(struct relay *r, struct flow *f)
{
	if (f->turn) {
		unsigned n = atomic_load(&r->shared->turns_n);

		count_repeats(r, f->mark);
		if (n < RELAY_TURNS)
			atomic_store(&r->shared->turns[n], f->turn);
		atomic_store(&r->shared->turns_n, n + 1);
	}
	f->turn = 0;
}

/* What it sent is complete when it is answered; who hangs up instead has said what there is. */
static void end_plain_turn(struct relay *r, struct flow *f)
{
	if (f->stream == STREAM_PLAIN)
		end_turn(r, f);
}

/* Handshakes are counted as connections. */
static void end_record(struct relay *r, struct flow *f)
{
	if (!relay_tls_is_request(&f->tls, f->record.head[0], f->turn))
		f->turn = 0;
	end_turn(r, f);
	f->record.have = 0;
}

/* Source: RFC 8446, 5.1: type, version, length. */
static void take_records(struct relay *r, struct flow *f, const unsigned char *data, size_t len)
{
	struct record *record = &f->record;

	while (len) {
		if (record->have < sizeof(record->head)) {
			record->head[record->have++] = *data++;
			len--;
			record->left = (size_t)record->head[3] << 8 | record->head[4];
		} else {
			size_t n = len < record->left ? len : record->left;

			add_to_turn(f, data, n);
			data += n;
			len -= n;
			record->left -= n;
		}
		if (record->have == sizeof(record->head) && !record->left)
			end_record(r, f);
	}
}

static void take_part(struct relay *r, struct flow *f, const unsigned char *data, size_t len)
{
	if (f->stream == STREAM_NEW)
		f->stream = *data == RELAY_TLS_HANDSHAKE ? STREAM_TLS : STREAM_PLAIN;
	if (f->stream == STREAM_TLS)
		take_records(r, f, data, len);
	else
		add_to_turn(f, data, len);
}

static void request(struct relay *r, struct flow *f, const void *data, size_t len)
{
	f->requests++;
	/* A datagram that comes again may be there for one that was lost. */
	if (f->datagrams)
		atomic_fetch_add(&r->shared->datagrams, 1);
	else
		take_part(r, f, data, len);
	f->last_used = now_ms();
	r->seen = atomic_fetch_add(&r->shared->requests, 1) + 1;
	switch (atomic_load(&r->shared->mode)) {
	case RELAY_SILENT:
	case RELAY_DEAF:
		return;
	case RELAY_RESET:
		if (!f->datagrams)
			hang_up(f, true);
		return;
	case RELAY_GARBAGE:
		say_garbage(f);
		return;
	default:
		/* Small requests: what the socket does not take is lost, as on a bad line. */
		(void)!send(f->device, data, len, MSG_NOSIGNAL);
		return;
	}
}

/* That of datagrams from one address to the i-th port, a new one if need be; NULL: there is none.
 */
static struct flow *flow_of(
	struct relay *r, size_t i, const struct sockaddr_storage *from, socklen_t from_len)
{
	for (size_t k = 0; k < FLOWS; k++) {
		struct flow *f = &r->flows[k];

		if (f->used && f->datagrams && f->client == r->udp[i] &&
			memcmp(&f->from, from, sizeof(*from)) == 0)
			return f;
	}
	struct flow *f = new_flow(r);
	int device = f ? connect_device(r, i, SOCK_DGRAM) : -1;
	if (device < 0)
		return NULL;
	f->used = f->datagrams = true;
	f->client = r->udp[i];
	f->device = device;
	f->from = *from;
	f->from_len = from_len;
	return f;
}

static void take_datagram(struct relay *r, size_t i)
{
	struct sockaddr_storage from;
	socklen_t from_len = sizeof(from);
	unsigned char part[PART];

	memset(&from, 0, sizeof(from));
	ssize_t n = recvfrom(r->udp[i], part, sizeof(part), 0, (struct sockaddr *)&from, &from_len);
	if (n < 0)
		return;
	struct flow *f = flow_of(r, i, &from, from_len);
	if (f)
		request(r, f, part, (size_t)n);
}

/* --- What comes from the device. -------------------------------------------------------------- */

static void cut(struct flow *f, const unsigned char *data, size_t len, size_t most)
{
	if (f->datagrams) {
		say(f, data, len < most ? len : most);
		return;
	}
	size_t left = most > f->answered ? most - f->answered : 0;
	say(f, data, len < left ? len : left);
	if (len >= left)
		hang_up(f, false);
}

static void keep(struct flow *f, const unsigned char *data, size_t len, uint64_t late)
{
	if (len > PENDING - f->waiting)
		return;
	if (!f->waiting)
		f->due = now_ms() + late;
	memcpy(f->answer + f->waiting, data, len);
	f->waiting += len;
}

static void answer(struct relay *r, struct flow *f, const unsigned char *data, size_t len)
{
	unsigned arg = atomic_load(&r->shared->arg);

	end_plain_turn(r, f);
	if (f->stream == STREAM_TLS)
		relay_tls_said(&f->tls, data, len);
	switch (atomic_load(&r->shared->mode)) {
	case RELAY_PASS:
		say(f, data, len);
		return;
	case RELAY_TRICKLE:
		if (f->datagrams)
			say(f, data, len);
		else
			keep(f, data, len, 0);
		return;
	case RELAY_SLOW:
		keep(f, data, len, arg);
		return;
	case RELAY_CUT:
		cut(f, data, len, arg);
		return;
	case RELAY_LOSE:
		if (r->seen <= arg)
			say(f, data, len);
		return;
	default:
		return;
	}
}

/* What waits: all of it when it is due, or one byte. Datagrams keep their ends only one at a time.
 */
static void let_go(struct relay *r, struct flow *f)
{
	size_t n = f->waiting;

	if (!f->used || !n || now_ms() < f->due)
		return;
	if (!f->datagrams && atomic_load(&r->shared->mode) == RELAY_TRICKLE)
		n = 1;
	say(f, f->answer, n);
	memmove(f->answer, f->answer + n, f->waiting - n);
	f->waiting -= n;
}

/* --- The loop. -------------------------------------------------------------------------------- */

struct watch {
	struct pollfd fds[LISTENERS + OTHERS + 2 * FLOWS];
	struct {
		enum { WAKE, TCP, UDP, CLIENT, DEVICE } what;
		size_t i;
	} of[LISTENERS + OTHERS + 2 * FLOWS];
	size_t n;
};

static void watch(struct watch *w, int fd, int what, size_t i)
{
	w->fds[w->n] = (struct pollfd){ .fd = fd, .events = POLLIN };
	w->of[w->n].what = what;
	w->of[w->n++].i = i;
}

/* How long nothing is to be done by itself, in ms. */
static int watch_all(struct relay *r, struct watch *w)
{
	int wait = 1000;

	w->n = 0;
	watch(w, r->shared->wake, WAKE, 0);
	for (size_t i = 0; i < r->n; i++) {
		watch(w, r->tcp[i], TCP, i);
		watch(w, r->udp[i], UDP, i);
	}
	for (size_t i = 0; i < FLOWS; i++) {
		struct flow *f = &r->flows[i];

		if (!f->used)
			continue;
		if (!f->datagrams)
			watch(w, f->client, CLIENT, i);
		watch(w, f->device, DEVICE, i);
		if (f->waiting)
			wait = atomic_load(&r->shared->mode) == RELAY_TRICKLE ? 0 : 1;
	}
	return wait;
}

static void end_flow(struct relay *r, struct flow *f, bool from_client)
{
	f->due = 0;
	while (f->waiting && !from_client)
		let_go(r, f);
	end_plain_turn(r, f);
	hang_up(f, false);
}

static void from_flow(struct relay *r, struct flow *f, bool from_client)
{
	unsigned char part[PART];
	int fd = from_client ? f->client : f->device;

	if (!f->used)
		return;
	ssize_t n = recv(fd, part, sizeof(part), 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR || f->datagrams))
		return;
	if (n <= 0 && !f->datagrams) {
		end_flow(r, f, from_client);
		return;
	}
	if (from_client)
		request(r, f, part, (size_t)n);
	else
		answer(r, f, part, (size_t)n);
}

static void listen_or_not(struct relay *r, bool deaf)
{
	for (size_t i = 0; i < r->n && deaf != r->deaf; i++)
		relay_deafen(r->tcp[i], deaf);
	r->deaf = deaf;
}

static void apply_mode(struct relay *r)
{
	unsigned now = atomic_load(&r->shared->generation);
	uint64_t count;

	(void)!read(r->shared->wake, &count, sizeof(count));
	r->marks_n = 0;
	for (size_t i = 0; i < FLOWS; i++)
		r->flows[i].turn = 0;
	listen_or_not(r, atomic_load(&r->shared->mode) == RELAY_DEAF);
	atomic_store(&r->shared->applied, now);
}

static void serve_one(struct relay *r, const struct watch *w, size_t i)
{
	switch (w->of[i].what) {
	case WAKE:
		apply_mode(r);
		return;
	case TCP:
		take_connection(r, w->of[i].i);
		return;
	case UDP:
		take_datagram(r, w->of[i].i);
		return;
	default:
		from_flow(r, &r->flows[w->of[i].i], w->of[i].what == CLIENT);
		return;
	}
}

static void serve(struct relay *r)
{
	static struct watch w;

	for (;;) {
		int wait = watch_all(r, &w);

		if (poll(w.fds, w.n, wait) < 0 && errno != EINTR)
			_exit(1);
		for (size_t i = 0; i < w.n; i++)
			if (w.fds[i].revents & (POLLIN | POLLHUP | POLLERR))
				serve_one(r, &w, i);
		for (size_t i = 0; i < FLOWS; i++)
			let_go(r, &r->flows[i]);
	}
}

/* --- Start. ----------------------------------------------------------------------------------- */

static bool find_device(
	struct relay *r, const char *host, const uint16_t *ports, char *why, size_t size)
{
	struct addrinfo *found = NULL;
	int e = getaddrinfo(host, NULL, NULL, &found);

	if (e != 0 || !found) {
		(void)snprintf(why, size, "%s: %s", host, gai_strerror(e));
		return false;
	}
	r->device_len = found->ai_addrlen;
	for (size_t i = 0; i < r->n; i++) {
		memcpy(&r->device[i], found->ai_addr, found->ai_addrlen);
		if (found->ai_family == AF_INET6)
			((struct sockaddr_in6 *)(void *)&r->device[i])->sin6_port = htons(ports[i]);
		else
			((struct sockaddr_in *)(void *)&r->device[i])->sin_port = htons(ports[i]);
	}
	freeaddrinfo(found);
	return true;
}

static bool take_ports(struct relay *r, struct relay_ports *ret, char *why, size_t size)
{
	int kept[2];

	for (size_t i = 0; i < r->n; i++) {
		/* Those of nobody stay bound, here and in the relay, and are never read. */
		if (!relay_bind_pair(&r->tcp[i], &r->udp[i], &ret->relay[i]) ||
			listen(r->tcp[i], SOMAXCONN) < 0 ||
			!relay_bind_pair(&kept[0], &kept[1], &ret->nobody[i])) {
			(void)snprintf(why, size, "no port for the relay: %s", strerror(errno));
			return false;
		}
	}
	ret->n = r->n;
	return true;
}

pid_t relay_start(const char *host, const uint16_t *ports, size_t n, struct relay_shared *shared,
	struct relay_ports *ret, char *why, size_t size)
{
	static struct relay r;

	r = (struct relay){ .shared = shared, .n = n };
	if (!find_device(&r, host, ports, why, size) || !take_ports(&r, ret, why, size))
		return -1;
	shared->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pid_t parent = getpid(), pid = fork();
	if (pid == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(0);
		(void)signal(SIGPIPE, SIG_IGN);
		child_default_signals();
		serve(&r);
	}
	if (pid < 0)
		(void)snprintf(why, size, "no process for the relay: %s", strerror(errno));
	shared->runs = pid > 0 && shared->wake >= 0;
	for (size_t i = 0; i < n; i++) {
		(void)close(r.tcp[i]);
		(void)close(r.udp[i]);
	}
	return pid;
}

void relay_stop(pid_t pid)
{
	if (pid <= 0)
		return;
	(void)kill(pid, SIGTERM);
	(void)waitpid(pid, NULL, 0);
}
