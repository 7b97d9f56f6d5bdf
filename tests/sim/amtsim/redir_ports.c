/* SPDX-License-Identifier: Apache-2.0 */
/* The ports: which are open, and where. */
#include "redir.h"

#include <stdio.h>
#include <stdlib.h>

#include "address.h"
#include "json.h"
#include "sim.h"

enum { BACKLOG = 4096, LATER_PORT = 2, VNC_PORT = 5900 };

static const char *const door_names[REDIR_DOORS] = {
	[REDIR_DOOR_PLAIN] = "redirection_port",
	[REDIR_DOOR_TLS] = "redirection_tls_port",
	[REDIR_DOOR_VNC] = "vnc_port",
};

/* --- Ports. ----------------------------------------------------------------------------------- */

static void on_connection(uv_stream_t *stream, int status)
{
	if (status == 0)
		redir_accept(stream->data, stream);
}

static bool wants_vnc(const struct device *dev)
{
	return dev->vnc.port && *dev->vnc.password && dev->redir.kvm && !dev->knobs.no_kvm;
}

static bool wanted(const struct redir_listener *l)
{
	const struct device *dev = l->dev;
	const struct web_options *o = &dev->sim->options.web;

	if (!dev->sim->redirects || dev->knobs.redirection_deaf ||
		dev->knobs.web.dead == WEB_DEAD_REFUSE)
		return false;
	switch (l->door) {
	case REDIR_DOOR_VNC:
		return wants_vnc(dev);
	case REDIR_DOOR_TLS:
		return dev->redir.listening && !o->no_tls;
	default:
		return dev->redir.listening && !o->no_plain && dev->profile->plain;
	}
}

static void on_listener_closed(uv_handle_t *handle)
{
	free(handle);
}

static void close_listener(struct redir_listener *l)
{
	if (l->tcp)
		uv_close((uv_handle_t *)l->tcp, on_listener_closed);
	l->tcp = NULL;
}

/* By address they have the ports behind those of HTTP, if these have numbers; else the kernel's. */
static uint16_t port_for(const struct redir_listener *l)
{
	const struct fleet_options *o = &l->dev->sim->options.fleet;
	bool tls = l->door == REDIR_DOOR_TLS;
	uint32_t beside = tls ? l->dev->sim->options.web.tls_port : o->port;

	if (l->port || o->by_port || !beside)
		return l->port;
	return l->door == REDIR_DOOR_VNC ? VNC_PORT : (uint16_t)(beside + LATER_PORT);
}

static int open_listener(struct redir_listener *l)
{
	struct sockaddr_storage address = l->dev->web.address;
	int n = sizeof(address);

	address_set_port(&address, port_for(l));
	l->tcp = xcalloc(1, sizeof(*l->tcp));
	uv_tcp_init_ex(&l->dev->sim->loop, l->tcp, address.ss_family);
	l->tcp->data = l;

	int r = uv_tcp_bind(l->tcp, (const struct sockaddr *)&address, 0);

	if (r == 0)
		r = uv_listen((uv_stream_t *)l->tcp, BACKLOG, on_connection);
	if (r == 0)
		r = uv_tcp_getsockname(l->tcp, (struct sockaddr *)&address, &n);
	if (r == 0)
		l->port = address_port(&address);
	else
		fprintf(stderr, "powerctl-amtsim: cannot listen on redirection port %u: %s\n",
			port_for(l), uv_strerror(r));
	if (r < 0)
		close_listener(l);
	return r;
}

static void sync_listener(struct redir_listener *l)
{
	if (!l->dev->sim->redirects)
		return;
	if (l->tcp && !wanted(l))
		close_listener(l);
	else if (!l->tcp && wanted(l))
		open_listener(l);
}

void redir_sync(struct device *dev)
{
	for (int door = 0; door < REDIR_DOORS; door++)
		sync_listener(&dev->redir.doors[door]);
}

void redir_init(struct device *dev)
{
	dev->redir = (struct redir){ .listening = true, .state = 32771, .kvm = true };
	for (int door = 0; door < REDIR_DOORS; door++) {
		dev->redir.doors[door].dev = dev;
		dev->redir.doors[door].door = (enum redir_door)door;
	}
}

int redir_start(struct sim *sim)
{
	sim->redirects = !sim->options.no_redirection && sim->fleet.count <= WEB_SHARED;
	for (uint32_t i = 0; sim->redirects && i < sim->fleet.count; i++) {
		struct redir_listener *doors = fleet_device(&sim->fleet, i)->redir.doors;

		for (int door = 0; door < REDIR_DOORS; door++)
			if (wanted(&doors[door]) && open_listener(&doors[door]) < 0)
				return -1;
	}
	return 0;
}

void redir_stop(struct sim *sim)
{
	sim->redirects = false;
	for (uint32_t i = 0; i < sim->fleet.count; i++)
		redir_sync(fleet_device(&sim->fleet, i));
	for (uint32_t i = 0; i < sim->fleet.count; i++)
		for (int door = 0; door < REDIR_DOORS; door++)
			close_listener(&fleet_device(&sim->fleet, i)->redir.doors[door]);
	redir_close_all(sim);
}

/* --- What is told. ---------------------------------------------------------------------------- */

static void member_port(struct buf *out, const char *name, const struct redir_listener *l)
{
	json_member(out, name);
	if (l->tcp)
		buf_uint(out, l->port);
	else
		buf_text(out, "null");
}

void redir_json_identity(const struct device *dev, struct buf *out)
{
	for (int door = 0; door < REDIR_DOORS; door++)
		member_port(out, door_names[door], &dev->redir.doors[door]);
}

void redir_json_ports(const struct sim *sim, struct buf *out)
{
	for (int door = 0; door < REDIR_DOORS; door++) {
		char name[32];

		snprintf(name, sizeof(name), "%ss", door_names[door]);
		json_member(out, name);
		buf_char(out, '[');
		for (uint32_t i = 0; i < sim->fleet.count; i++) {
			const struct redir_listener *l =
				&fleet_device(&sim->fleet, i)->redir.doors[door];

			if (i)
				buf_char(out, ',');
			buf_uint(out, l->tcp ? l->port : 0);
		}
		buf_char(out, ']');
	}
}
