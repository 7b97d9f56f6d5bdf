/* SPDX-License-Identifier: Apache-2.0 */
#include "internal.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <openssl/ssl.h>
#include <powerctl/mem.h>

/* More in one multi handle cost more each: 1.1 times at 1000, 3 times at 3000 (libcurl 7.88). */
#define LANE_SESSIONS 64u
/* Exchanges kept for the next request; an easy handle takes 6 kB. */
#define SPARE_MAX 1024u

/* --- Life. ------------------------------------------------------------------------------------ */

void http_handle_opened(struct pctl_http *http)
{
	http->handles++;
}

void http_handle_closed(struct pctl_http *http)
{
	if (--http->handles)
		return;

	void (*closed)(void *data) = http->closed;
	void *data = http->closed_data;
	tls_stores_free(http->stores);
	SSL_CTX_free(http->contexts[0]);
	SSL_CTX_free(http->contexts[1]);
	if (http->libcurl)
		curl_global_cleanup();
	free(http->wires);
	(void)close(http->epoll);
	free(http);
	closed(data);
}

static void on_poll_closed(uv_handle_t *handle)
{
	http_handle_closed(pctl_container_of(handle, struct pctl_http, poll));
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	(void)status, (void)events;
	wires_act(pctl_container_of(poll, struct pctl_http, poll));
}

int pctl_http_new(uv_loop_t *loop, struct pctl_http **ret, struct pctl_error *err)
{
	struct pctl_http *http = pctl_xcalloc(1, sizeof(*http));

	http->loop = loop;
	http->epoll = epoll_create1(EPOLL_CLOEXEC);
	int r = http->epoll < 0 ? -errno : uv_poll_init(loop, &http->poll, http->epoll);
	if (r < 0) {
		if (http->epoll >= 0)
			(void)close(http->epoll);
		free(http);
		return pctl_error_set(err, PCTL_E_INTERNAL, "no epoll: %s", uv_strerror(r));
	}
	http_handle_opened(http);
	uv_unref((uv_handle_t *)&http->poll);
	(void)uv_poll_start(&http->poll, UV_READABLE, on_poll);
	*ret = http;
	return 0;
}

static void on_exchange_closed(uv_handle_t *handle)
{
	struct exchange *ex = pctl_container_of(handle, struct exchange, timer);
	struct pctl_http *http = ex->http;

	free(ex);
	http_handle_closed(http);
}

static void dispose(struct exchange *ex)
{
	curl_easy_cleanup(ex->easy);
	uv_close((uv_handle_t *)&ex->timer, on_exchange_closed);
}

static void on_lane_closed(uv_handle_t *handle)
{
	struct lane *lane = pctl_container_of(handle, struct lane, timer);
	struct pctl_http *http = lane->http;

	free(lane);
	http_handle_closed(http);
}

void pctl_http_close(struct pctl_http *http, void (*closed)(void *data), void *data)
{
	assert(!http->closing && !http->sessions);
	http->closing = true;
	http->closed = closed;
	http->closed_data = data;
	while (http->spare) {
		struct exchange *ex = http->spare;
		http->spare = ex->next;
		dispose(ex);
	}
	while (http->lanes) {
		struct lane *lane = http->lanes;
		http->lanes = lane->next;
		curl_multi_cleanup(lane->multi);
		uv_close((uv_handle_t *)&lane->timer, on_lane_closed);
	}
	wires_forget(http);
	uv_close((uv_handle_t *)&http->poll, on_poll_closed);
}

static int need_libcurl(struct pctl_http *http, struct pctl_error *err)
{
	if (!http->libcurl && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		return pctl_error_set(err, PCTL_E_INTERNAL, "libcurl cannot be initialised");
	http->libcurl = true;
	return 0;
}

/* --- Exchanges. ------------------------------------------------------------------------------- */

struct exchange *http_exchange_take(struct pctl_http *http, struct pctl_error *err)
{
	struct exchange *ex = http->spare;

	if (ex) {
		http->spare = ex->next;
		http->spare_n--;
		ex->next = NULL;
		return ex;
	}
	CURL *easy = need_libcurl(http, err) < 0 ? NULL : curl_easy_init();
	if (!easy)
		return NULL;
	ex = pctl_xcalloc(1, sizeof(*ex));
	ex->http = http;
	ex->easy = easy;
	pctl_buf_init(&ex->body, 0);
	(void)uv_timer_init(http->loop, &ex->timer);
	http_handle_opened(http);
	return ex;
}

static void unlink_finished(struct exchange *ex)
{
	struct exchange **at = &ex->http->finished;

	while (*at && *at != ex)
		at = &(*at)->next;
	if (*at)
		*at = ex->next;
}

/* All but the handles, so that nothing of one device is there when another's turn comes. */
static void wipe(struct exchange *ex)
{
	size_t from = offsetof(struct exchange, session);

	unlink_finished(ex);
	pctl_buf_done(&ex->body);
	free((void *)(uintptr_t)ex->request.method);
	free((void *)(uintptr_t)ex->request.path);
	explicit_bzero(ex->authorization, sizeof(ex->authorization));
	fields_free(ex->fields);
	memset((char *)ex + from, 0, sizeof(*ex) - from);
	pctl_buf_init(&ex->body, 0);
}

void http_exchange_rest(struct exchange *ex)
{
	struct pctl_http_session *session = ex->session;

	(void)uv_timer_stop(&ex->timer);
	wipe(ex);
	ex->session = session;
	session->resting = ex;
}

void http_exchange_give_back(struct exchange *ex)
{
	if (!ex)
		return;
	struct pctl_http *http = ex->http;

	exchange_stop(ex);
	wipe(ex);
	curl_easy_reset(ex->easy);
	if (http->closing || http->spare_n >= SPARE_MAX) {
		dispose(ex);
		return;
	}
	ex->next = http->spare;
	http->spare = ex;
	http->spare_n++;
}

/* --- Lanes. ----------------------------------------------------------------------------------- */

/* libcurl forbids to touch a multi handle while its messages are read: first all, then each. */
static void collect(struct lane *lane)
{
	struct exchange **end = &lane->http->finished;
	CURLMsg *msg;
	int left;

	while (*end)
		end = &(*end)->next;
	while ((msg = curl_multi_info_read(lane->multi, &left))) {
		struct exchange *ex = NULL;

		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&ex);
		if (!ex)
			continue;
		ex->turn.result = msg->data.result;
		ex->next = NULL;
		*end = ex;
		end = &ex->next;
	}
}

static void settle_all(struct pctl_http *http)
{
	while (http->finished) {
		struct exchange *ex = http->finished;

		http->finished = ex->next;
		ex->next = NULL;
		exchange_settle(ex);
	}
}

static void on_lane_timer(uv_timer_t *timer);

/* A timer that runs out too early does no harm: libcurl says then when the next has to. */
static int on_libcurl_timer(CURLM *multi, long ms, void *data)
{
	struct lane *lane = data;
	uv_handle_t *handle = (uv_handle_t *)&lane->timer;

	(void)multi;
	if (ms < 0)
		(void)uv_timer_stop(&lane->timer);
	else if (!uv_is_active(handle) || uv_timer_get_due_in(&lane->timer) > (uint64_t)ms)
		(void)uv_timer_start(&lane->timer, on_lane_timer, (uint64_t)ms, 0);
	return 0;
}

void http_lane_act(struct lane *lane, curl_socket_t fd, int events)
{
	struct pctl_http *http = lane->http;
	int running;

	(void)curl_multi_socket_action(lane->multi, fd, events, &running);
	collect(lane);
	settle_all(http);
}

static void on_lane_timer(uv_timer_t *timer)
{
	struct lane *lane = pctl_container_of(timer, struct lane, timer);

	http_lane_act(lane, CURL_SOCKET_TIMEOUT, 0);
}

static struct lane *lane_new(struct pctl_http *http)
{
	CURLM *multi = curl_multi_init();

	if (!multi)
		return NULL;
	struct lane *lane = pctl_xcalloc(1, sizeof(*lane));
	lane->http = http;
	lane->multi = multi;
	(void)uv_timer_init(http->loop, &lane->timer);
	http_handle_opened(http);
	curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_libcurl_timer);
	curl_multi_setopt(multi, CURLMOPT_TIMERDATA, lane);
	curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, wire_watch);
	curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
	/* Never fewer than there are sessions: which connection is closed is our decision. */
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long)LANE_SESSIONS * 2);
	lane->next = http->lanes;
	http->lanes = lane;
	return lane;
}

int http_lane_join(struct pctl_http_session *session, struct pctl_error *err)
{
	struct lane *lane = session->http->lanes;

	if (session->lane)
		return 0;
	while (lane && lane->sessions >= LANE_SESSIONS)
		lane = lane->next;
	if (!lane)
		lane = lane_new(session->http);
	if (!lane)
		return pctl_error_set(err, PCTL_E_INTERNAL, "no libcurl multi handle");
	lane->sessions++;
	session->lane = lane;
	return 0;
}

void http_lane_leave(struct pctl_http_session *session)
{
	if (!session->lane || session->wire || session->exchange || session->resting)
		return;
	session->lane->sessions--;
	session->lane = NULL;
}
