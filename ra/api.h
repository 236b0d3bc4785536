/*
 * The words in which methods are described: parameters, results as JSON Schema, who may call. Each ra/api_<noun>.c is the
 * table of one noun: its methods, and what people read for the rules that it refuses by. For those files only.
 */
#ifndef HUFU_RA_API_H
#define HUFU_RA_API_H

#include "ra/desk.h"

#define OWNER (DESK_SUBSCRIBER | DESK_PORTAL)
#define ANYBODY (DESK_SUBSCRIBER | DESK_OFFICER | DESK_ADMIN | DESK_PORTAL)

/* --- parameters --- */

#define TEXT(n, req, lo, hi, zh, en)                                                                                   \
	{                                                                                                              \
		n, PARAM_STRING, req, lo, hi, NULL, zh, en                                                             \
	}
#define WORD(n, req, list, zh, en)                                                                                     \
	{                                                                                                              \
		n, PARAM_STRING, req, 1, 47, list, zh, en                                                              \
	}
#define NUMBER(n, req, lo, hi, zh, en)                                                                                 \
	{                                                                                                              \
		n, PARAM_INTEGER, req, lo, hi, NULL, zh, en                                                            \
	}
#define PAGE                                                                                                           \
	NUMBER("page", false, 1, 1000000, "页码", "page, from 1"),                                                     \
		NUMBER("per_page", false, 1, 100, "每页条数", "rows a page, 5 when absent")

#define LIST_AFTER TEXT("after", false, 2, 120, "从该行之后开始", "what a page before gave as next")
#define LONG_PAGE PAGE, LIST_AFTER
#define LIST_END INT("total") "," BOOL("counted") "," STR("next")

#define SERIAL_PARAM(req) TEXT("serial", req, 2, 40, "证书序列号", "serial number, upper-case hex")
#define ISSUER TEXT("issuer", false, 40, 40, "签发者密钥标识", "key id of the issuer, 40 hex characters")
#define REQUEST TEXT("request", true, 8, REQUEST_ID, "申请编号", "id of the request, or its number")
#define SEARCH TEXT("search", false, 0, 200, "按证书名称搜索", "part of the certificate's name")

#define AS_OFFICER TEXT("officer", false, 1, 47, "审核员姓名", "who you are, by the roster's name")

extern const struct rpc_param no_params[];

/* --- results: JSON Schema --- */

/* Macros inside their own arguments are more than cppcheck can expand, so none uses OBJECT. */
#define PROPS "{\"type\":\"object\",\"properties\":{"
#define OBJECT(props) PROPS props "}}"
#define STR(n) "\"" n "\":{\"type\":\"string\"}"
#define INT(n) "\"" n "\":{\"type\":\"integer\"}"
#define BOOL(n) "\"" n "\":{\"type\":\"boolean\"}"
#define OBJ(n, props) "\"" n "\":" PROPS props "}}"
#define ROWS(n, props) "\"" n "\":{\"type\":\"array\",\"items\":" PROPS props "}}}"
#define STRS(n) "\"" n "\":{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"
#define BOTH(n) "\"" n "\":" PROPS STR("zh") "," STR("en") "}}"
#define STATE STR("request") "," STR("number") "," STR("state")
#define MATERIALS ROWS("materials", STR("name") "," BOTH("title") "," STR("sha256") "," INT("bytes") "," STR("type"))
#define ITEM STATE "," STR("kind") "," STR("way") "," STR("project") "," STR("serial") "," STR("made") "," STR("dies")
/* What is missing: what (material, notice, order, files, proof), which, and how people call it. */
#define MISSING ROWS("missing", STR("what") "," STR("name") "," STR("zh") "," STR("en") "," STR("text"))
#define COURSE STR("submitted") "," STR("due") "," BOOL("overdue")
#define EMPTY "{\"type\":\"object\",\"maxProperties\":0}"

/* --- methods --- */

#define METHOD(name, fn, mode, roles, session, changes, initial, params, result, zh, en)                               \
	METHOD_AHEAD(name, fn, NULL, mode, roles, session, changes, initial, params, result, zh, en)
#define METHOD_AHEAD(name_, fn_, ahead_, mode_, roles_, session_, changes_, initial_, params_, result_, zh_, en_)      \
	{                                                                                                              \
		.rpc = {.name = name_,                                                                                 \
			.roles = roles_,                                                                               \
			.session = session_,                                                                           \
			.changes = changes_,                                                                           \
			.params = params_,                                                                             \
			.result = result_,                                                                             \
			.zh = zh_,                                                                                     \
			.en = en_},                                                                                    \
		.mode = mode_, .with_initial = initial_, .fn = fn_, .ahead = ahead_                                    \
	}
/* Of a person who is logged in: reading, changing. */
#define READS(name, fn, params, result, zh, en)                                                                        \
	METHOD(name, fn, MODE_READ, OWNER, true, false, false, params, result, zh, en)
#define CHANGES(name, fn, params, result, zh, en)                                                                      \
	METHOD(name, fn, MODE_CHANGE, OWNER, true, true, false, params, result, zh, en)
#define DESK_PART(name, its_methods, its_messages)                                                                     \
	const struct desk_part name = {its_methods, sizeof(its_methods) / sizeof((its_methods)[0]), its_messages,      \
				       sizeof(its_messages) / sizeof((its_messages)[0])}

#endif
