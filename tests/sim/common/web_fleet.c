/* SPDX-License-Identifier: Apache-2.0 */
#include "control.h"
#include "web.h"
#include "web_conn.h"
#include "web_tls.h"

static int start(const struct control *control)
{
	return web_start(control->fleet->web);
}

static void stop(const struct control *control)
{
	web_stop(control->fleet->web);
}

static void json_ports(const struct control *control, struct buf *out)
{
	web_json_ports(control->fleet->web, out);
}

/* Hangs up on every client of the chosen devices. */
static void hang_up(struct control_job *job)
{
	struct web *web = job->control->fleet->web;
	uint32_t first, last;

	if (!control_devices(job, &first, &last))
		return;
	for (uint32_t n = first; n <= last; n++)
		conn_close_all(web, web_at(web, n - 1));
	buf_text(job->out, "{\"ok\":true}\n");
}

static const struct control_route routes[] = {
	{ "POST", "/hangup/", true, hang_up, "N, N-M or all: closes their connections" },
};

void web_join(struct web *web, uv_loop_t *loop, struct fleet *fleet)
{
	web->program = fleet->program;
	web->loop = loop;
	web->fleet = fleet->options;
	web->stride = fleet->size;
	web->count = fleet->options->devices;
	fleet->web = web;
	fleet->start = start;
	fleet->stop = stop;
	fleet->json_ports = json_ports;
	fleet->routes = routes;
	fleet->nroutes = COUNT(routes);
}

static struct web_device *web_of(struct device *dev)
{
	return (struct web_device *)(void *)((char *)dev + web_offset);
}

void web_sync(struct device *dev)
{
	web_sync_device(web_of(dev));
}

bool web_set_newcert(struct device *dev, struct str value)
{
	if (!str_is(value, "1"))
		return false;
	tls_new_certificate(web_of(dev));
	return true;
}

bool web_set_cert_ends(struct device *dev, struct str value)
{
	if (!parse_int(value, UINT32_MAX, &web_of(dev)->cert_ends))
		return false;
	tls_forget_certificate(web_of(dev));
	return true;
}

void web_show_cert_ends(const struct device *dev, struct buf *out)
{
	const void *web = (const char *)dev + web_offset;

	buf_fmt(out, "%lld", (long long)((const struct web_device *)web)->cert_ends);
}

void web_show_newcert(const struct device *dev, struct buf *out)
{
	const void *web = (const char *)dev + web_offset;

	buf_uint(out, ((const struct web_device *)web)->cert_epoch);
}
