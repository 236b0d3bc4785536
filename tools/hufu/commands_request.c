/*
 * The table of the subscriber's family: services, orders, requests. Log-in and accounts: commands_account.c.
 */
#include "tools/hufu/subscriber.h"

#define DELIVERY_HELP                                                                                                  \
	"  --recipient R       without --csr: the desk makes the key on a USB key and ships it to R\n"                 \
	"  --mobile M          a telephone for the carrier\n"                                                          \
	"  --ship-to ADDRESS   where the parcel goes\n"

const struct command commands_request[] = {
	{.name = "service list",
	 .usage = "[--page N] [--search TEXT]",
	 .summary = "my services",
	 .help = LIST_HELP "Example:\n  hufu service list",
	 .run = run_service_list},
	{.name = "order list",
	 .usage = "[--state S] [--page N]",
	 .summary = "my orders",
	 .help = "  --state S   created, paid, fulfilled, cancelled, refunded\n"
		 "  --page N    page of the list (5 a page)\n\n"
		 "Example:\n  hufu order list --state created",
	 .run = run_order_list},
	{.name = "order renew",
	 .usage = "SERVICE",
	 .summary = "order the renewal of a service",
	 .help = "Example:\n  hufu order renew 20353",
	 .run = run_order_renew},
	{.name = "order show",
	 .usage = "ORDER",
	 .summary = "one order",
	 .help = "Example:\n  hufu order show 20261123-7K2M9QXA4BCD",
	 .run = run_order_show},
	{.name = "order pay",
	 .usage = "[--online] ORDER",
	 .summary = "bank details and reference for paying, or the payment provider's address",
	 .help = "  --online   pay at the provider of online payments\n\n"
		 "Example:\n  hufu order pay 20261123-7K2M9QXA4BCD",
	 .run = run_order_pay},
	{.name = "order cancel",
	 .usage = "ORDER",
	 .summary = "cancel an order that is not paid",
	 .help = "Example:\n  hufu order cancel 20261123-7K2M9QXA4BCD",
	 .run = run_order_cancel},
	{.name = "request prepare",
	 .usage = "--kind K --way W --project P [--months N] [--order ID] [--subject A=V]… [--csr FILE] [--material "
		  "N=FILE]…\n"
		  "           [--accept-notice] [--files ANSWER] [--reason WORD] [--issuer HEX] [--profile NAME] "
		  "[--key-seen HOW] [--collides REF] [--edit REQUEST] [--save] [SERIAL]",
	 .summary = "draft a request and get its tally",
	 .help = "  --kind K            extend, change, reissue, enrol, revoke\n"
		 "  --project P         of the certificate\n"
		 "  --way W             as the profile offers it: same-key, new-key, name-or-code …\n"
		 "  --months N          extend by so many months\n"
		 "  --order ID          the paid order that this uses\n"
		 "  --subject A=V       change an attribute of the subject (repeat for more)\n"
		 "  --csr FILE          certify this new key; without it the key stays\n"
		 "  --material N=FILE   upload a material (PDF, JPEG, PNG; repeat for more)\n"
		 "  --accept-notice     the risk notice was read and accepted\n"
		 "  --files ANSWER      encrypted files not yet opened? no, yes, waived\n"
		 "  --reason WORD       of a revocation (RFC 5280 5.3.1)\n"
		 "  --issuer HEX        key id of the issuer, where a serial is not unique\n"
		 "  --profile NAME      where the certificate's own is not meant\n"
		 "  --key-seen HOW      how officers see a new key: paper, call, person, token\n"
		 "  --collides REF      certificate of the same identifier that may live on: \"ISSUER SERIAL\"\n"
		 "  --edit REQUEST      change a draft, or correct a request, instead of starting one\n"
		 "  --save              only save: terms that a rule refuses are kept, and told\n\n"
		 "Example:\n"
		 "  hufu request prepare --kind extend --way same-key --project jinhua --months 36 --order 1 "
		 "74C2008800000AE9",
	 .run = run_request_prepare},
	{.name = "request enrol",
	 .usage = "--project P {--csr FILE | --recipient R --mobile M --ship-to ADDRESS} --months N --order ID "
		  "--subject A=V…\n"
		  "           [--key-seen HOW] [--material N=FILE]… [--profile NAME] [--way W] [--collides REF] "
		  "[--edit REQUEST]",
	 .summary = "draft the request for a first certificate",
	 .help = "  --project P         which project's\n"
		 "  --csr FILE          request of the new key (PKCS#10); its subject does not count\n" DELIVERY_HELP
		 "  --months N          valid for so many months\n"
		 "  --order ID          the paid order of a service without a certificate\n"
		 "  --subject A=V       an attribute of the subject (repeat for more)\n"
		 "  --key-seen HOW      how officers see the key: paper (default), call, person, token\n"
		 "  --material N=FILE   upload a material (PDF, JPEG, PNG; repeat for more)\n"
		 "  --profile NAME      where the project has several\n"
		 "  --way W             as the profile offers it (default: new-certificate)\n"
		 "  --collides REF      certificate of the same identifier that may live on: \"ISSUER SERIAL\"\n"
		 "  --edit REQUEST      change a draft instead of starting one\n\n"
		 "The key's ten characters are printed: officers type them from stamped paper, a call or a person.\n\n"
		 "Example:\n"
		 "  hufu request enrol --project jinhua --csr new.csr --months 12 --order 20261123-7K2M9QXA4BCD "
		 "--subject C=CN --subject O=杭州示例 --subject organizationIdentifier=913301003535355023",
	 .run = run_request_enrol},
	{.name = "request reissue",
	 .usage = "--way W --project P {--csr FILE | --recipient R --mobile M --ship-to ADDRESS} --files ANSWER "
		  "[--accept-notice]\n"
		  "           [--key-seen HOW] [--material N=FILE]… [--issuer HEX] [--edit REQUEST] SERIAL",
	 .summary = "draft the request for a new key in place of a lost or damaged one",
	 .help = "  --way W             lost, damaged, as the profile offers them\n"
		 "  --project P         of the certificate\n"
		 "  --csr FILE          request of the new key (PKCS#10)\n" DELIVERY_HELP
		 "  --files ANSWER      encrypted files not yet opened? no, yes (holds the request), waived\n"
		 "  --accept-notice     the risk notice was read and accepted\n"
		 "  --key-seen HOW      how officers see the key: paper (default), call, person, token\n"
		 "  --material N=FILE   upload a material (PDF, JPEG, PNG; repeat for more)\n"
		 "  --issuer HEX        key id of the issuer, where a serial is not unique\n"
		 "  --edit REQUEST      change a draft instead of starting one\n\n"
		 "The key's ten characters are printed: officers type them from stamped paper, a call or a person.\n\n"
		 "Example:\n"
		 "  hufu request reissue --way lost --project jinhua --csr new.csr --files no --accept-notice "
		 "74C2008800000AE9",
	 .run = run_request_reissue},
	{.name = "request hold",
	 .usage = "[--issuer HEX] SERIAL",
	 .summary = "hold an own certificate at once: its key may be lost",
	 .help = "  --issuer HEX   key id of the issuer, where a serial is not unique\n\n"
		 "Two officers release it.\n\nExample:\n  hufu request hold 74C2008800000AE9",
	 .run = run_request_hold},
	{.name = "request material add",
	 .usage = "REQUEST NAME=FILE…",
	 .summary = "upload materials into a draft",
	 .help = "NAME is the material that the way asks for; FILE a PDF, JPEG or PNG of at most 20 MiB. After an\n"
		 "interruption the same command goes on where it was.\n\n"
		 "Example:\n  hufu request material add 8f2c… business-licence=licence.pdf",
	 .run = run_material_add},
	{.name = "request material get",
	 .usage = "[--out DIR] [--officer] REQUEST NAME SHA256",
	 .summary = "download a material; its hash is checked here",
	 .help = "  --out DIR   write NAME-xxxxxxxx there (0600; default: here)\n"
		 "  --officer   as an officer, without a session\n\n"
		 "Names and hashes stand in the tally (hufu request show). Each download is in the audit.\n\n"
		 "Example:\n  hufu request material get --out scans 8f2c… business-licence 5a09…",
	 .run = run_material_get},
	{.name = "request material remove",
	 .usage = "REQUEST NAME SHA256",
	 .summary = "take a material out of a draft",
	 .help = "Example:\n  hufu request material remove 8f2c… business-licence 5a09…",
	 .run = run_material_remove},
	{.name = "request show",
	 .usage = "[--wait SECONDS] REQUEST",
	 .summary = "state, history and tally of a request",
	 .help = "  --wait SECONDS   wait until the request is issued, refused, withdrawn or expired, at most so "
		 "long\n\n"
		 "Exit code with --wait: 0 issued or withdrawn, 2 refused or expired, 5 still waiting.\n\n"
		 "Example:\n  hufu request show --wait 30 8f2c…",
	 .run = run_request_show},
	{.name = "request list",
	 .usage = "[--state STATE]",
	 .summary = "my requests",
	 .help = "  --state STATE   drafted, awaiting_proof, awaiting_officers, approved, sent, issued, refused, "
		 "withdrawn, expired\n\n"
		 "Example:\n  hufu request list --state awaiting_proof",
	 .run = run_request_list},
	{.name = "request text",
	 .usage = "--out FILE REQUEST",
	 .summary = "download exactly the text that is to be signed, for any other tool",
	 .help = "  --out FILE   write it here (a new file)\n\n"
		 "Sign the file's bytes as they are, with the digest that is named, and hand the signature in:\n"
		 "  hufu request prove --signature SIGNATURE REQUEST\n\n"
		 "Example:\n  hufu request text --out tally.txt 8f2c…",
	 .run = run_request_text},
	{.name = "request prove",
	 .usage = "[--key PEM] [--new-key PEM] [--token LABEL | --token-uri URI] [--signature FILE] [options] REQUEST",
	 .summary = "sign the tally with the current key, the new key, or both",
	 .help = "  --key PEM          private key of the certificate that the tally names\n"
		 "  --new-key PEM      private key of the new certificate\n"
		 "  --token LABEL      the token with that label signs, by each of the two keys that it holds\n"
		 "  --token-uri URI    the same by a PKCS#11 URI, as pkcs11:serial=83a1d6a326fbf046\n"
		 "  --module PATH      the token's PKCS#11 library (default: all that p11-kit is configured with)\n"
		 "  --pin-fd N         read the PIN from this descriptor instead of asking\n"
		 "  --signature FILE   signature made elsewhere over the bytes of hufu request text: RSA PKCS#1 v1.5 "
		 "or\n"
		 "                     ECDSA in DER, with the digest that it names (repeat for the second key)\n"
		 "  --raw-ecdsa        these signatures are r and s side by side\n"
		 "  --submit           hand the request in as well\n"
		 "  --yes              do not ask (for scripts)\n\n"
		 "The text is shown, and signed only after \"yes\". What a token or another tool signed is verified "
		 "here\n"
		 "before it is sent.\n\n"
		 "Examples:\n"
		 "  hufu request prove --key org.key --submit 8f2c…\n"
		 "  hufu request prove --token ORG1 8f2c…\n"
		 "  hufu request prove --signature tally.sig 8f2c…",
	 .run = run_request_prove},
	{.name = "request submit",
	 .usage = "[--keep-valid] REQUEST",
	 .summary = "hand a request in",
	 .help = "  --keep-valid   reissue of a lost key: do not put its certificate on hold\n\n"
		 "Example:\n  hufu request submit 8f2c…",
	 .run = run_request_submit},
	{.name = "request withdraw",
	 .usage = "REQUEST",
	 .summary = "take a request back; its id is dead then",
	 .help = "Example:\n  hufu request withdraw 8f2c…",
	 .run = run_request_withdraw},
	{.name = "request ways",
	 .usage = "[--issuer HEX] SERIAL",
	 .summary = "what can be done with a certificate, what it asks, and whether it is possible now",
	 .help = "  --issuer HEX   key id of the issuer, where a serial is not unique\n\n"
		 "Example:\n  hufu request ways 74C2008800000AE9",
	 .run = run_request_ways},
	{.name = "request history",
	 .usage = "REQUEST",
	 .summary = "what became of a request, in plain words",
	 .help = "Example:\n  hufu request history 20261125-7K2M9QXA4BCD",
	 .run = run_request_history},
	{.name = "request form",
	 .usage = "[--out FILE] [--text] [--officer] FORM REQUEST",
	 .summary = "a form or risk notice, filled in for a request, to print and stamp",
	 .help = "  --out FILE   write it here (a new file) instead of printing it\n"
		 "  --text       plain text instead of a page\n"
		 "  --officer    of anybody's request, for officers\n\n"
		 "FORM is registration-form, recovery-waiver, or the risk notice's version, as risk-2026-11.\n\n"
		 "Example:\n  hufu request form --out notice.html risk-2026-11 20261125-7K2M9QXA4BCD",
	 .run = run_request_form},
	{.name = "recover",
	 .usage = "[--issuer HEX] SERIAL",
	 .summary = "ask for recovery of what the present key opens, before it is replaced",
	 .help = "  --issuer HEX   key id of the issuer, where a serial is not unique\n\n"
		 "The case is a request: hufu request show, history, withdraw. A waiver is uploaded as its material "
		 "recovery-waiver.\n\n"
		 "Example:\n  hufu recover 74C2008800000AE9",
	 .run = run_recover},
	{0},
};
