/*
 * The officers' side of a request.
 */
#include "ra/api.h"

#include "ra/claim.h"
#include "ra/correct.h"
#include "ra/review.h"
#include "ra/standing.h"

#define CLAIM STR("claimed_by") "," STR("claim_ends")

static const char *const kind_words[] = {"extend", "change",  "enrol",	 "reissue", "revoke",
					 "hold",   "release", "recover", "unlock",  NULL};
static const struct rpc_param request_params[] = {REQUEST, {0}};
static const struct rpc_param queue_params[] = {
	TEXT("project", false, 1, 47, "项目", "only this project"),
	WORD("kind", false, kind_words, "业务类型", "only this kind"),
	{"overdue", PARAM_BOOLEAN, false, 0, 0, NULL, "只看已逾期的", "only what is late"},
	{"claimed", PARAM_BOOLEAN, false, 0, 0, NULL, "只看已认领的，或（false）无人认领的",
	 "only what an officer has claimed, or (false) what nobody has"},
	NUMBER("page", false, 1, 1000000, "页码", "page, from 1"),
	NUMBER("per_page", false, 1, 100, "每页条数", "rows a page, 20 when absent"),
	LIST_AFTER,
	{0}};
static const struct rpc_param claim_params[] = {REQUEST, AS_OFFICER, {0}};
static const struct rpc_param approve_params[] = {
	REQUEST, TEXT("line", true, 1, 2048, "审核员的签名行", "the officer's signature line"), {0}};
static const struct rpc_param reject_params[] = {
	REQUEST, TEXT("reason", true, 1, 500, "理由", "why, for the subscriber"), AS_OFFICER, {0}};
static const struct rpc_param correct_params[] = {REQUEST,
						  {"items", PARAM_OBJECTS, true, 1, TALLY_MAX_MATERIALS, NULL,
						   "需补正的内容及原因",
						   "[{item, reason}]: a material, a subject attribute, or months, "
						   "order, files, notice, key, delivery, reason, other"},
						  AS_OFFICER,
						  {0}};
static const char *const standing_words[] = {"revoke", "hold", "release", NULL};
static const struct rpc_param prepare_params[] = {
	WORD("kind", true, standing_words, "业务类型", "revoke, hold or release"),
	SERIAL_PARAM(true),
	ISSUER,
	TEXT("reason", false, 1, 31, "吊销原因", "revoke: reason, RFC 5280 5.3.1"),
	TEXT("way", false, 1, 47, "办理方式", "one of the profile's ways; absent: its first that is the officers'"),
	NUMBER("hold", false, 0, INT64_MAX, "挂起记录编号",
	       "release: the hold's ledger entry; absent: the one in force"),
	AS_OFFICER,
	{0}};

static const struct desk_method methods[] = {
	METHOD("review.queue", review_queue, MODE_READ, DESK_OFFICER, false, false, false, queue_params,
	       OBJECT(ROWS("requests",
			   ITEM "," STR("organisation") "," STR(
				   "officers") "," COURSE
					       "," CLAIM) "," LIST_END
							  "," OBJ("counts", INT("waiting") "," INT("overdue") "," INT(
										    "claimed"))),
	       "待审核", "what waits for officers, the first due first"),
	METHOD("review.claim", review_claim, MODE_CHANGE, DESK_OFFICER, false, true, false, claim_params,
	       OBJECT(STATE "," CLAIM), "认领",
	       "say that you look at this request; others see it, and nothing is locked"),
	METHOD("review.release_claim", review_release_claim, MODE_CHANGE, DESK_OFFICER, false, true, false,
	       claim_params, OBJECT(STATE "," CLAIM), "退回认领", "hand a claim back"),
	METHOD("review.show", review_show, MODE_READ, DESK_OFFICER, false, false, false, request_params,
	       OBJECT(ITEM "," BOTH("way_title") "," STR("tally") "," STR("note") "," STR("note_before") "," ROWS(
		       "wrong",
		       STR("name") "," STR(
			       "z"
			       "h") "," STR("en")) "," STR("token") "," STR("made_by") "," OBJ("delivery",
											       STR("recipient") "," STR("mobile") "," STR(
												       "address")) "," MATERIALS
														   "," ROWS("checklist", STR("zh") "," STR("en")) "," STR("officers") "," ROWS(
															   "difference",
															   STR("attribute") "," BOTH(
																   "title") ",\""
																	    "old"
																	    "\":"
																	    "{"
																	    "\"t"
																	    "ype"
																	    "\":"
																	    "["
																	    "\"s"
																	    "tri"
																	    "ng"
																	    "\""
																	    ",\""
																	    "nul"
																	    "l\""
																	    "]"
																	    "},"
																	    "\"n"
																	    "ew"
																	    "\":"
																	    "{"
																	    "\"t"
																	    "ype"
																	    "\":"
																	    "["
																	    "\"s"
																	    "tri"
																	    "ng"
																	    "\""
																	    ",\""
																	    "nul"
																	    "l\""
																	    "]"
																	    "}")),
	       "审核", "one request, for officers"),
	METHOD("review.approve", review_approve, MODE_CHANGE, DESK_OFFICER, false, true, false, approve_params,
	       OBJECT(STATE "," STR("officers")), "审核通过", "an officer's signature line"),
	METHOD("review.reject", review_reject, MODE_CHANGE, DESK_OFFICER, false, true, false, reject_params,
	       OBJECT(STATE), "审核不通过", "an officer says no"),
	METHOD("review.correct", review_correct, MODE_CHANGE, DESK_OFFICER, false, true, false, correct_params,
	       OBJECT(STATE), "要求补正", "an officer asks for a correction; the tally dies, the owner makes another"),
	METHOD("review.prepare", review_prepare, MODE_CHANGE, DESK_OFFICER, false, true, false, prepare_params,
	       OBJECT(STATE "," STR("tally")), "吊销、挂起、解除挂起",
	       "open the revocation, hold or release of any certificate"),
};

static const struct rpc_message messages[] = {
	{"key_seen", "请说明审核员如何核对了新密钥", "say how the officers saw the new key"},
	{"officer_signature", "审核员的签名验证未通过", "the officer's signature does not hold"},
	{"officer_unknown", "名册中没有这位审核员，请更正审核员姓名",
	 "the roster has no officer of that name: correct the name of who is at the keyboard"},
	{"officer_twice", "该审核员已经审核过", "this officer has approved already"},
	{"officer_rejected", "审核未通过", "an officer rejected the request"},
	{"claimed", "该申请已由其他审核员认领", "another officer has claimed this request"},
	{"own_entry", "本人录入的申请须由其他审核员审核", "nobody approves what they entered: another officer must"},
	{"officer_other", "只能以本人身份办理", "you can only act as yourself"},
	{"correction_item", "补正项目不正确", "this is nothing that can be corrected here"},
	{"corrections_many", "补正次数过多，请通过或拒绝", "corrected too often: approve or reject"},
	{"way_of_subscriber", "这种方式需由用户本人申请", "the subscriber asks for this way"},
	{"line_form", "签名行格式不正确", "the signature line is malformed"},
	{"reason_form", "吊销原因不正确", "the revocation reason is not one"},
};

DESK_PART(api_review, methods, messages);
