/*
 * The table of the account family: log-in, passwords, sessions, and what officers do about accounts.
 */
#include "tools/hufu/subscriber.h"

const struct command commands_account[] = {
	{.name = "login",
	 .usage = "[--password-fd N] [--picture ID --picture-code TEXT] NAME",
	 .summary = "log in at the desk as a subscriber",
	 .help = "  --password-fd N      read the password from this descriptor\n"
		 "  --picture ID         of a picture (hufu account picture), when one is asked for\n"
		 "  --picture-code TEXT  what it shows\n\n"
		 "NAME is the mobile number that is bound, or the identifier.\n\n"
		 "Examples:\n  hufu login 13858011084\n  hufu login 35353550-9",
	 .run = run_login},
	{.name = "logout",
	 .usage = "",
	 .summary = "end the session",
	 .help = "Example:\n  hufu logout",
	 .run = run_logout},
	{.name = "password",
	 .usage = "[--password-fd N] [--present-fd N] [--mobile NUMBER [--sms-code-fd N]]",
	 .summary = "set a new password",
	 .help = "  --password-fd N   read the new one from this descriptor\n"
		 "  --present-fd N    read the present one from this descriptor\n"
		 "  --mobile NUMBER   after the initial password: the number that logs in from now on\n"
		 "  --sms-code-fd N   read the code that was sent to it from this descriptor\n\n"
		 "Examples:\n  hufu password\n  hufu password --mobile 13858011084",
	 .run = run_password},
	{.name = "account proof",
	 .usage = "[--text]",
	 .summary = "first log-in: what must be shown, and by which certificates' keys",
	 .help = "  --text   exactly the text that a key signs, on standard output, for any other tool\n\n"
		 "Sign its bytes as they are, with the key's own digest, and hand the signature in:\n"
		 "  hufu account prove --signature FILE\n\n"
		 "Example:\n  hufu account proof --text >login.txt",
	 .run = run_account_proof},
	{.name = "account prove",
	 .usage = "[--key PEM | --token LABEL | --token-uri URI | --signature FILE | --sms-code-fd N | "
		  "--officer-code-fd N] [options]",
	 .summary = "first log-in: show that it is the organisation's",
	 .help = "  --key PEM            private key of a certificate of the account\n"
		 "  --token LABEL        the token with that label signs, by the certificate's key\n"
		 "  --token-uri URI      the same by a PKCS#11 URI, as pkcs11:serial=83a1d6a326fbf046\n"
		 "  --module PATH        the token's PKCS#11 library (default: all that p11-kit is configured with)\n"
		 "  --pin-fd N           read the PIN from this descriptor instead of asking\n"
		 "  --signature FILE     signature made elsewhere over the bytes of hufu account proof --text: RSA "
		 "PKCS#1\n"
		 "                       v1.5 or ECDSA in DER\n"
		 "  --raw-ecdsa          it is r and s side by side\n"
		 "  --serial HEX         which certificate, where there are several\n"
		 "  --yes                do not ask (for scripts)\n"
		 "  --sms-code-fd N      read the code sent to the number on record from this descriptor\n"
		 "  --officer-code-fd N  read an officer's code from this descriptor\n\n"
		 "The text is shown, and signed only after \"yes\". What a token or another tool signed is verified "
		 "here\n"
		 "before it is sent.\n\n"
		 "Examples:\n"
		 "  hufu account prove --key org.key\n"
		 "  hufu account prove --token ORG1\n"
		 "  hufu account prove --signature login.sig",
	 .run = run_account_prove},
	{.name = "account sms",
	 .usage = "--for PURPOSE [--mobile NUMBER] [--picture ID --picture-code TEXT]",
	 .summary = "have a code sent by SMS",
	 .help = "  --for PURPOSE        bind, recorded (first log-in); old, new (change of agent); forgot; register\n"
		 "  --mobile NUMBER      where to; not for recorded and old\n"
		 "  --picture ID         of a picture (hufu account picture), when one is asked for\n"
		 "  --picture-code TEXT  what it shows\n\n"
		 "Example:\n  hufu account sms --for bind --mobile 13858011084",
	 .run = run_account_sms},
	{.name = "account picture",
	 .usage = "--out FILE",
	 .summary = "a picture code",
	 .help = "  --out FILE   write the PNG here\n\nExample:\n  hufu account picture --out code.png",
	 .run = run_account_picture},
	{.name = "account forgot",
	 .usage = "--mobile NUMBER [--sms-code-fd N] [--password-fd N]",
	 .summary = "a forgotten password: set it anew by a code to the bound number",
	 .help = "  --mobile NUMBER   the one that logs in\n"
		 "  --sms-code-fd N   read the code from this descriptor\n"
		 "  --password-fd N   read the new password from this descriptor\n\n"
		 "Example:\n  hufu account sms --for forgot --mobile 13858011084\n  hufu account forgot --mobile "
		 "13858011084",
	 .run = run_account_forgot},
	{.name = "account register",
	 .usage = "--organisation NAME --agent NAME --mobile NUMBER [--sms-code-fd N] [--password-fd N] IDENTIFIER",
	 .summary = "register a new organisation",
	 .help = "  --organisation NAME  as the licence says it\n"
		 "  --agent NAME         who acts for it\n"
		 "  --mobile NUMBER      of the agent: it logs in\n"
		 "  --sms-code-fd N      read the code that was sent to it from this descriptor\n"
		 "  --password-fd N      read the password from this descriptor\n\n"
		 "Example:\n  hufu account sms --for register --mobile 13700000007\n"
		 "  hufu account register --organisation 杭州田谷新 --agent 李四 --mobile 13700000007 "
		 "913301003535355023",
	 .run = run_account_register},
	{.name = "account link",
	 .usage = "--organisation NAME [--agent NAME] [--sms-code-fd N] IDENTIFIER",
	 .summary = "another organisation under my number and password",
	 .help = "  --organisation NAME  as the licence says it\n"
		 "  --agent NAME         who acts for it (default: as in this account)\n"
		 "  --sms-code-fd N      read the code that was sent to my number from this descriptor\n\n"
		 "For a new certificate with new data. account choose IDENTIFIER goes over to it.\n\n"
		 "Example:\n  hufu account sms --for register --mobile 13858011084\n  hufu account link --organisation "
		 "杭州田谷新 913301003535355023",
	 .run = run_account_link},
	{.name = "account check",
	 .usage = "FIELD VALUE",
	 .summary = "is a field well formed?",
	 .help = "FIELD is identifier, organisation, agent, mobile or sms_code.\n\n"
		 "Example:\n  hufu account check identifier 913301003535355023",
	 .run = run_account_check},
	{.name = "account agent",
	 .usage = "--agent NAME --mobile NUMBER [--officer TEXT] [--new-code-fd N] [--old-code-fd N] [--password-fd N]",
	 .summary = "another agent for my organisation",
	 .help = "  --agent NAME      the new agent\n"
		 "  --mobile NUMBER   the new agent's number, which logs in from then on\n"
		 "  --officer TEXT    the number of before is not at hand: an officer decides, and reads this\n"
		 "  --new-code-fd N   read the code sent to the new number (purpose new) from this descriptor\n"
		 "  --old-code-fd N   read the code sent to the number of before (purpose old) from this descriptor\n"
		 "  --password-fd N   read the new password from this descriptor\n\n"
		 "Example:\n  hufu account agent --agent 李四 --mobile 13700000007",
	 .run = run_account_agent},
	{.name = "account freeze",
	 .usage = "[--code-fd N]",
	 .summary = "freeze a binding by the code of the notice",
	 .help = "  --code-fd N   read the code from this descriptor\n\nExample:\n  hufu account freeze",
	 .run = run_account_freeze},
	{.name = "account licence",
	 .usage = "--organisation NAME --agent NAME --mobile NUMBER [--text TEXT] [--picture ID --picture-code TEXT] "
		  "FILE",
	 .summary = "a forgotten identifier: the desk calls back",
	 .help = "  --organisation NAME  as the licence says it\n"
		 "  --agent NAME         whom to call\n"
		 "  --mobile NUMBER      where\n"
		 "  --text TEXT          what the desk should know\n"
		 "  --picture ID         of a picture (hufu account picture), when one is asked for\n"
		 "  --picture-code TEXT  what it shows\n\n"
		 "FILE is the licence: PDF, JPEG or PNG, at most 20 MiB.\n\n"
		 "Example:\n  hufu account licence --organisation 杭州田谷 --agent 张三 --mobile 13858011084 "
		 "licence.pdf",
	 .run = run_account_licence},
	{.name = "account contact",
	 .usage = "[--mail ADDRESS | --no-mail] [--language LANGUAGE]",
	 .summary = "where notices go besides the mobile, and in which language",
	 .help = "  --mail ADDRESS        they go there too\n"
		 "  --no-mail             to the mobile alone\n"
		 "  --language LANGUAGE   zh or en\n\n"
		 "Example:\n  hufu account contact --mail agent@example.com --language en",
	 .run = run_account_contact},
	{.name = "account choose",
	 .usage = "IDENTIFIER",
	 .summary = "the organisation that is meant, of those of the number",
	 .help = "Example:\n  hufu account choose 35353550-9",
	 .run = run_account_choose},
	{.name = "account sessions",
	 .usage = "",
	 .summary = "my sessions",
	 .help = "Example:\n  hufu account sessions",
	 .run = run_account_sessions},
	{.name = "account end",
	 .usage = "[ID | --all]",
	 .summary = "end one of my sessions, or all",
	 .help = "  --all   this one too\n\nExample:\n  hufu account end --all",
	 .run = run_account_end},
	{.name = "account grant",
	 .usage = "--reason TEXT IDENTIFIER",
	 .summary = "officer: a one-time code for a first log-in",
	 .help = "  --reason TEXT   what you have looked at\n\n"
		 "The code is shown once; tell it to the organisation by a number that is publicly known.\n\n"
		 "Example:\n  hufu account grant --reason \"licence seen, called back\" 35353550-9",
	 .run = run_account_grant},
	{.name = "account find",
	 .usage = "[--page N | --after PLACE] TEXT",
	 .summary = "officer: look for an account",
	 .help = "TEXT is an identifier, a mobile that logs in, or a part of the organisation's name. With one or two "
		 "characters:\nnames that begin so, in the order of names.\n\n"
		 "  --page N        page of the list (5 a page)\n"
		 "  --after PLACE   go on where a page before ended\n\nExample:\n  hufu account find 杭州田谷",
	 .run = run_account_find},
	{.name = "account cases",
	 .usage = "[--state STATE] [--page N | --after PLACE]",
	 .summary = "officer: cases about accounts",
	 .help = "  --state STATE   open (default), accepted, refused\n"
		 "  --page N        page of the list (5 a page)\n"
		 "  --after PLACE   go on where a page before ended\n\nExample:\n  hufu account cases",
	 .run = run_account_cases},
	{.name = "account case",
	 .usage = "[--out FILE] CASE",
	 .summary = "officer: one case",
	 .help = "  --out FILE   keep its file, the first one, here (a new file)\n\nExample:\n  hufu account case "
		 "--out licence.pdf "
		 "8f2c…",
	 .run = run_account_case},
	{.name = "account decide",
	 .usage = "[--accept | --refuse] --answer TEXT CASE",
	 .summary = "officer: decide a case",
	 .help = "  --accept        a change of agent is made; a frozen binding is undone\n"
		 "  --refuse        it is not made; a frozen binding stands, and the account opens\n"
		 "  --answer TEXT   on what it was decided\n\n"
		 "Example:\n  hufu account decide --accept --answer \"licence seen, called back\" 8f2c…",
	 .run = run_account_decide},
	{.name = "account", .usage = "", .summary = "my data", .help = "Example:\n  hufu account", .run = run_account},
	{0},
};
