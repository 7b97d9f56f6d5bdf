/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One service without a socket hears requests: bytes as they come, or a method, a path and a body
 * of somebody who logged in, so that what is behind the login is reached as well. Each answer must
 * be a head, and if it has a body, JSON as long as the head says.
 */
#include <assert.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "service.h"
#include "sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

void sim_time(uint64_t ago, char *out)
{
	(void)ago;
	memcpy(out, "2026-01-01T00:00:00+00:00", 26);
}

static const char *const profiles[] = { "dmtf", "dell", "hpe", "hpe-gen9", "supermicro", "lenovo",
	"ami", "openbmc" };
static const char *const methods[] = { "GET", "PATCH", "POST", "DELETE", "HEAD", "PUT" };
static const char *const paths[] = { "", "Systems", "Systems/1", "Systems/Self/SD",
	"Systems/system", "Systems/437XR1138R2", "Systems/System.Embedded.1", "Chassis/1",
	"Managers/1", "Systems/1/Actions/ComputerSystem.Reset",
	"Systems/437XR1138R2/Actions/ComputerSystem.Reset", "SessionService/Sessions",
	"SessionService/Sessions/1", "Systems/437XR1138R2/LogServices/Log1/Entries?$skip=1&$top=1",
	"Managers/BMC/VirtualMedia/CD1", "Managers/BMC/Actions/Manager.Reset",
	"Managers/BMC/VirtualMedia/CD1/Actions/VirtualMedia.InsertMedia", "TaskService/Tasks/1",
	"Systems/437XR1138R2" };

static struct sim *sim;

static void set_up(void)
{
	sim = xcalloc(1, sizeof(*sim));
	uv_loop_init(&sim->loop);
	buf_init(&sim->web.out, 16 << 20);
	sim->web.loop = &sim->loop;
	sim->options.user = "admin";
	sim->options.fleet.state = "on";
	sim->options.fleet.seed = 1;
	sim->options.systems = 2;
	str_copy(STR("pw"), sim->options.fleet.password, sizeof(sim->options.fleet.password));
}

static void check(const struct reply *r)
{
	const struct buf *out = &sim->web.out;
	const char *body;
	char length[64];

	if (r->lost || r->silent)
		return;
	assert(out->n > 12 && memcmp(out->p, "HTTP/1.1 ", 9) == 0);
	body = memmem(out->p, out->n, "\r\n\r\n", 4);
	assert(body);
	body += 4;

	size_t n = out->n - (size_t)(body - out->p);

	if (!n)
		return;
	snprintf(length, sizeof(length), "Content-Length: %zu\r\n", n);
	assert(memmem(out->p, (size_t)(body - out->p), length, strlen(length)));
	json_t *doc = json_loadb(body, n, 0, NULL);

	assert(doc);
	json_decref(doc);
}

static void hear(struct device *dev, const char *p, size_t n)
{
	struct http_reader reader;
	struct http_request request;
	struct reply reply = { .lost = false };
	enum http_result r = HTTP_DONE;

	http_reader_init(&reader);
	http_reader_feed(&reader, p, n);
	while (r == HTTP_DONE && http_reader_pending(&reader)) {
		r = http_reader_next(&reader, &request);
		reply = (struct reply){ .lost = false };
		if (r == HTTP_DONE)
			service_answer(dev, &request, &reply);
		else if (r != HTTP_MORE)
			service_malformed(dev, &reply);
		if (r != HTTP_MORE)
			check(&reply);
		http_reader_drop(&reader);
	}
	http_reader_done(&reader);
}

/* A request with login; the rest of the data is its body. */
static void ask(struct device *dev, uint8_t method, uint8_t path, const uint8_t *p, size_t n)
{
	struct buf text;

	buf_init(&text, 1 << 20);
	buf_fmt(&text,
		"%s /redfish/v1/%s HTTP/1.1\r\nAuthorization: Basic YWRtaW46cHc=\r\n"
		"If-Match: *\r\nContent-Length: %zu\r\n\r\n",
		methods[method % COUNT(methods)], paths[path % COUNT(paths)], n);
	buf_add(&text, (const char *)p, n);
	hear(dev, text.p, text.n);
	buf_done(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct device *dev;

	if (size < 4)
		return 0;
	if (!sim)
		set_up();
	sim->options.profile = profiles[data[0] % COUNT(profiles)];
	dev = xcalloc(1, sizeof(*dev));
	device_init(dev, sim, 1);
	dev->knobs.tasks = data[1] % 3;
	dev->knobs.page = data[1] >> 6;
	if (data[1] & 32)
		hear(dev, (const char *)data + 4, size - 4);
	else
		ask(dev, data[2], data[3], data + 4, size - 4);
	device_done(dev);
	free(dev);
	return 0;
}
