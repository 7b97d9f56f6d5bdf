/* SPDX-License-Identifier: Apache-2.0 */
#include "wsman/answer.h"

#include <stdio.h>
#include <string.h>

#include <powerctl/parse.h>

static bool starts(const char *s, const char *word)
{
	return strncasecmp(s, word, strlen(word)) == 0;
}

/* A page for a browser: a login that failed, an error of the web server, another device. */
static bool is_page(const struct pctl_http_answer *http)
{
	const char *s = http->body + strspn(http->body, " \t\r\n");

	return starts(http->content_type, "text/html") || starts(s, "<!doctype html") ||
	       starts(s, "<html");
}

/* An answer that is no SOAP. */
static int judge_http(const struct pctl_http_answer *http, struct pctl_error *err)
{
	int code = PCTL_E_PROTOCOL;

	if (http->status == 403)
		code = pctl_error_set(err, PCTL_E_FORBIDDEN,
			"the account may not do this; the device answered HTTP 403");
	else if (http->status == 404)
		code = pctl_error_set(err, PCTL_E_UNSUPPORTED,
			"no WS-Management at /wsman: not Intel AMT, or firmware before 3.2");
	else if (http->status == 503)
		code = pctl_error_set(err, PCTL_E_BUSY, "the device is busy");
	else if (http->status == 200 && is_page(http))
		pctl_error_set(err, code,
			"a web page came instead of WS-Management: is this the port of Intel AMT?");
	else if (http->status == 400)
		/* A page of its web server: some firmware has it for what it lacks. */
		code = pctl_error_set(err, PCTL_E_REFUSED,
			"the device refused the request without a reason (HTTP 400)");
	else
		pctl_error_set(
			err, code, "the device answered HTTP %d without a reason", http->status);
	(void)pctl_error_device_code(err, "HTTP %d", http->status);
	return code;
}

static const char *local_part(const char *qname)
{
	const char *colon = strrchr(qname, ':');

	return colon ? colon + 1 : qname;
}

/* The n of "AMT-STATUS n" anywhere in a fault. */
static bool find_internal(const struct xml_node *fault, uint64_t *ret)
{
	static const char mark[] = "AMT-STATUS";

	for (const struct xml_node *n = fault; n; n = xml_walk(n, fault)) {
		const char *s = strstr(n->text, mark);
		if (!s)
			continue;
		s += sizeof(mark) - 1;
		s += strspn(s, " :=");
		char digits[16];
		(void)snprintf(digits, sizeof(digits), "%.*s", (int)strspn(s, "0123456789"), s);
		if (pctl_parse_uint(digits, UINT32_MAX, ret) == 0)
			return true;
	}
	return false;
}

static int judge_fault(
	const struct xml_node *fault, const struct answer_want *want, struct pctl_error *err)
{
	const char *subcode = xml_text(xml_child(xml_child(fault, "Code"), "Subcode"), "Value");
	const char *reason = xml_text(xml_child(fault, "Reason"), "Text");
	const char *detail = xml_text(xml_child(fault, "Detail"), "FaultDetail");
	uint64_t n;

	if (find_internal(fault, &n))
		return status_internal(n, want->what, err);
	if (!subcode)
		subcode = xml_text(xml_child(fault, "Code"), "Value");

	int code = status_fault(
		subcode ? local_part(subcode) : "fault", reason ? reason : "", want->what, err);
	if (!detail || !*detail)
		return code;

	/* .../faultDetail/MissingValues: its last word says more than the subcode. */
	struct pctl_error base = *err;
	const char *slash = strrchr(detail, '/');
	(void)pctl_error_set(err, code, "%s (%s)", base.text, slash ? slash + 1 : detail);
	return pctl_error_device_code(err, "%s", base.device_code);
}

/* The Body, if the envelope is an answer to this request. */
static const struct xml_node *find_body(
	const struct xml_node *root, const struct answer_want *want, struct pctl_error *err)
{
	const struct xml_node *body = xml_child(root, "Body");
	const char *relates = xml_text(xml_child(root, "Header"), "RelatesTo");
	char id[16];

	if (strcmp(root->name, "Envelope") != 0 || !body) {
		pctl_error_set(err, PCTL_E_PROTOCOL, "the answer is XML, but not a SOAP envelope");
		return NULL;
	}
	(void)snprintf(id, sizeof(id), "%u", want->message_id);
	if (relates && !want->any_id && strcmp(relates, id) != 0) {
		pctl_error_set(err, PCTL_E_PROTOCOL, "the answer belongs to another request");
		(void)pctl_error_device_code(err, "message %.10s, not %s", relates, id);
		return NULL;
	}
	return body;
}

static int judge_return(
	const struct xml_node *output, const struct answer_want *want, struct pctl_error *err)
{
	size_t len = strlen(want->method);
	const char *value = xml_text(output, "ReturnValue");
	uint64_t n;

	if (strncmp(output->name, want->method, len) != 0 ||
		strcmp(output->name + len, "_OUTPUT") != 0)
		return pctl_error_set(err, PCTL_E_PROTOCOL, "%s was answered with %.64s",
			want->method, output->name);
	if (!value || pctl_parse_uint(value, UINT32_MAX, &n) < 0)
		return pctl_error_set(err, PCTL_E_PROTOCOL,
			"%s was answered without a valid ReturnValue", want->method);
	return status_return(want->returns, n, want->what, err);
}

const struct xml_node *answer_read(struct xml_reader *reader, const struct pctl_http_answer *http,
	const struct answer_want *want, struct pctl_error *err)
{
	bool soap = http->status == 200 || http->status == 400 || http->status == 500;

	if (!soap || is_page(http)) {
		(void)judge_http(http, err);
		return NULL;
	}

	const struct xml_node *root = xml_read(reader, http->body, http->len, err);
	const struct xml_node *body = root ? find_body(root, want, err) : NULL;
	if (!body) {
		if (http->status != 200)
			(void)pctl_error_device_code(err, "HTTP %d", http->status);
		return NULL;
	}

	const struct xml_node *first = body->first ? body->first : body;
	if (strcmp(first->name, "Fault") == 0) {
		(void)judge_fault(first, want, err);
		return NULL;
	}
	if (http->status != 200) {
		(void)judge_http(http, err);
		return NULL;
	}
	if (want->verb == WSMAN_INVOKE && judge_return(first, want, err) < 0)
		return NULL;
	return first;
}

bool answer_is_verdict(const struct pctl_error *err)
{
	return err->device_code[0] && strncmp(err->device_code, "HTTP", 4) != 0 &&
	       err->code != PCTL_E_TIMEOUT && err->code != PCTL_E_PROTOCOL;
}

bool answer_is_lacking(const struct pctl_error *err)
{
	return err->code == PCTL_E_UNSUPPORTED || err->code == PCTL_E_FORBIDDEN ||
	       err->code == PCTL_E_REFUSED;
}
