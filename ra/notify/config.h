/*
 * notifier.yaml: read strictly, paths made absolute, secrets read from their files.
 */
#ifndef HUFU_RA_NOTIFY_CONFIG_H
#define HUFU_RA_NOTIFY_CONFIG_H

#include "common/base/log.h"
#include "common/base/yaml.h"
#include "ra/notify/mime.h"
#include "ra/notify/template.h"

enum road { ROAD_SPOOL, ROAD_GATEWAY, ROAD_SMTP };
enum tls { TLS_STARTTLS, TLS_TLS, TLS_NONE };

struct gateway_config {
	const char *url, *sender;
	bool plain;             /* http:// is meant */
	bool get, put;          /* get: the form goes into the URL */
	enum template_kind body;
	struct template *template;
	struct yaml_strs headers; /* "Name: value", with {id} and {token} */
	struct secret token;
	const char *field;      /* of a JSON answer, "a.b"; NULL: the status alone counts */
	struct yaml_strs success, refused; /* its values */
	int64_t timeout_s;
	char *ca;               /* file of CAs, absolute; NULL: the system's */
	int64_t port;
};
struct smtp_config {
	const char *host, *user;
	int64_t port, timeout_s;
	enum tls tls;
	struct secret password;
	struct sender from;
	char *ca;
};
struct notifier_config {
	char *desk_socket, *state; /* absolute */
	enum road sms_road, mail_road;
	int64_t sms_workers, mail_workers;
	struct gateway_config gateway;
	struct smtp_config smtp;
	enum log_level log;
	struct yaml_doc *doc;
	uint8_t sha256[32]; /* of the file */
};
/* ERR_CONFIG, ERR_NOT_FOUND and what secret_read_file() raises. *ret stays where it is while it is used. */
MUST_CHECK enum err notifier_config_load(const char *path, struct notifier_config *ret, struct fault *f);
void notifier_config_done(struct notifier_config *c); /* accepts the zero state */

#endif
