/*
 * request.*: the owner's side of a request.
 */
#ifndef HUFU_RA_REQUEST_H
#define HUFU_RA_REQUEST_H

#include "common/pki/csr.h"
#include "common/policy/judge.h"
#include "ra/desk.h"
#include "ra/request_state.h"
#include "ra/store_course.h"

enum err request_prepare(struct ctx *c, json_t **ret, struct fault *f);
enum err request_show(struct ctx *c, json_t **ret, struct fault *f);
void request_show_ahead(struct ctx *c);
enum err request_list(struct ctx *c, json_t **ret, struct fault *f);
enum err request_prove(struct ctx *c, json_t **ret, struct fault *f);
enum err request_submit(struct ctx *c, json_t **ret, struct fault *f);
enum err request_withdraw(struct ctx *c, json_t **ret, struct fault *f);

/* ERR_LIMIT requests_many. */
MUST_CHECK enum err request_check_room(struct ctx *c, struct fault *f);
/* A fresh random id, and the state of a draft. */
void request_new_id(struct request *r, int64_t now);
/* A request of this session's account, by its id or by its number (then the newest): ERR_NOT_FOUND request_unknown when it is not there or not its own. */
MUST_CHECK enum err request_own(struct ctx *c, struct request *ret, struct fault *f);
/* The same, but only its id and where it stands. */
MUST_CHECK enum err request_own_stand(struct ctx *c, char ret_id[REQUEST_ID + 1], struct request_stand *ret,
				      struct fault *f);
/* Any request, for officers. */
MUST_CHECK enum err request_any(struct ctx *c, struct request *ret, struct fault *f);
/* {request, number, state} of the request as it is now. */
MUST_CHECK enum err request_answer(struct ctx *c, const char *id, json_t **ret, struct fault *f);

/* --- request_tally.c: from what the client asks to a tally ------------------------------------------------------- */

/* A request, its certificate and its tally, ready to be judged. Zero state is empty; stays where it is (facts point into it). */
struct draw {
	struct tally tally;
	struct facts facts;
	struct verdict verdict;   /* as far as it was judged */
	struct cert_row row;
	struct cert_body body;
	struct cert cert;         /* predecessor; borrows body.der */
	struct name subject;
	struct csr csr;           /* of a new key; borrows the request's bytes */
	struct material materials[TALLY_MAX_MATERIALS];
	size_t n_materials;
	bool keyless;             /* its key is yet to be made: judged without one, and its tally is nobody's to sign */
};
void draw_done(struct draw *d);
/* Makes the tally from the request's terms, now: fills tally ("" when it is keyless), made, dies, policy, proof and officers of r, and
 * judges what can't be mended by adding papers. */
MUST_CHECK enum err draw_make(struct ctx *c, struct request *r, struct draw *ret, struct fault *f);
/* The certificate that r follows and its CSR, by whose keys lines are verified. */
MUST_CHECK enum err draw_load_keys(struct ctx *c, const struct request *r, struct draw *ret, struct fault *f);
/* Reads the tally of r back, with the facts as they are now. */
MUST_CHECK enum err draw_load(struct ctx *c, const struct request *r, struct draw *ret, struct fault *f);
/* The whole judgement, as the signer will: ERR_RULE with its words. */
MUST_CHECK enum err draw_judge(struct ctx *c, struct draw *d, struct fault *f);
/* The subject as it shall be: the predecessor's, with the values that the client asked (JSON text of [{attribute, value}]), in the
 * profile's order; an attribute that is taken from another follows it. ERR_PARSE, ERR_RULE subject_attribute. */
MUST_CHECK enum err subject_apply(const struct name *before, const char *asked, const struct profile *p, struct name *ret,
				  struct fault *f);
/* Could somebody still use that certificate of the request's profile, or follow it? */
bool draw_cert_is_live(const struct draw *d, const struct cert_row *row);
/* Does the identifier that the subject moves to live in another line of certificates? ERR_RULE line_occupied, as the signer. */
MUST_CHECK enum err draw_check_line(struct ctx *c, const struct draw *d, struct fault *f);
/* Terms, papers, line, recovery and service, as they are now: what a proof and a submission want. ret is filled. */
MUST_CHECK enum err request_complete(struct ctx *c, const struct request *r, struct draw *ret, struct fault *f);
/* Adds a rule that the terms fail, as something that is missing. */
void missing_fault(json_t *list, const struct fault *f);
/* What is missing still, as texts: materials, notice, order, answer on files, proofs. */
MUST_CHECK enum err draw_missing(struct ctx *c, const struct draw *d, const struct request *r, json_t **ret,
				 struct fault *f);
/* Service and order behind a request that makes a certificate live longer: ERR_RULE service_expired, order_… */
MUST_CHECK enum err draw_check_paid(struct ctx *c, const struct draw *d, const struct request *r, struct fault *f);

#endif
