/*
 * The table of the family about tokens.
 */
#include "tools/hufu/cmd_token.h"

#define CARD_USAGE "[--serial SERIAL] [--module PATH] [--pin-fd N]"
#define CARD_HELP                                                                                                      \
	"  --serial SERIAL  the token's serial number, looked at before anything is written; the one that the\n"       \
	"                   desk has on record for you when absent\n"                                                  \
	"  --module PATH    the token's PKCS#11 library (default: all that p11-kit is configured with)\n"              \
	"  --pin-fd N       read the PIN from this descriptor instead of asking\n"
#define AS_HELP "  --as NAME           which officer is at the keyboard\n"

const struct command commands_token[] = {
	{.name = "token show",
	 .usage = "[--module PATH]",
	 .summary = "tokens that are plugged in",
	 .help = "  --module PATH   the token's PKCS#11 library (default: all that p11-kit is configured with)\n\n"
		 "Example:\n  hufu token show",
	 .run = run_token_show},
	{.name = "token init",
	 .usage = "--serial SERIAL | --blank --label TEXT [options]",
	 .summary = "wipe and initialise a token; its PUK is sealed and recorded",
	 .help = "  --serial SERIAL     the token's serial number\n"
		 "  --blank             the one that was never initialised, and may have no serial number yet\n"
		 "  --label TEXT        what it is called\n"
		 "  --module PATH       the token's PKCS#11 library (default: all that p11-kit is configured with)\n"
		 "  --pin-out FILE      write the start PIN, which is made at random, to this new file (0600) instead "
		 "of\n"
		 "                      showing it once\n"
		 "  --puk-fd N          read the present PUK of an initialised one from this descriptor\n"
		 "  --escrow FILE       the token key (secret half), which opens the PUK that the desk holds\n"
		 "  --passphrase-fd N   read the token key's passphrase from this descriptor\n" AS_HELP
		 "\nExamples:\n  hufu token init --blank --label HUFU-1\n"
		 "  hufu token init --serial 83a1d6a326fbf046 --label HUFU-1 --escrow token.key",
	 .run = run_token_init},
	{.name = "token pin",
	 .usage = CARD_USAGE " [--new-pin-fd N]",
	 .summary = "change the PIN",
	 .help = CARD_HELP "  --new-pin-fd N   read the new PIN from this descriptor\n\n"
			   "Example:\n  hufu token pin",
	 .run = run_token_pin},
	{.name = "token keygen",
	 .usage = CARD_USAGE " [--algorithm p256|rsa] [--label TEXT]",
	 .summary = "make a key pair on a token, which can't leave it",
	 .help = CARD_HELP "  --algorithm A    p256 (default) or rsa (2048 bits), as the profile wants it\n"
			   "  --label TEXT     of the key pair\n\n"
			   "Example:\n  hufu token keygen --serial 83a1d6a326fbf046 --algorithm rsa",
	 .run = run_token_keygen},
	{.name = "token csr",
	 .usage = CARD_USAGE " --out FILE [--key HEX] [--subject A=V]…",
	 .summary = "a certification request by a token's key",
	 .help = CARD_HELP "  --out FILE       a new file (PEM)\n"
			   "  --key HEX        beginning of the key's SHA-256, where there are several\n"
			   "  --subject A=V    an attribute; the tally says what counts\n\n"
			   "Example:\n  hufu token csr --serial 83a1d6a326fbf046 --out new.csr",
	 .run = run_token_csr},
	{.name = "token install",
	 .usage = CARD_USAGE " [--new-pin-fd N] CERT",
	 .summary = "put a certificate beside its key on a token",
	 .help = CARD_HELP
	 "  --new-pin-fd N   read the new PIN from this descriptor, where the token has its start PIN still\n\n"
	 "Older certificates of the same key make room. Refused when the key is not there.\n\n"
	 "Example:\n  hufu token install new.pem",
	 .run = run_token_install},
	{.name = "token test",
	 .usage = CARD_USAGE,
	 .summary = "do the keys on a token sign, and decipher?",
	 .help = CARD_HELP "\nExample:\n  hufu token test",
	 .run = run_token_test},
	{.name = "token unlock",
	 .usage = "[--serial SERIAL] [--module PATH] | [--module PATH] [--new-pin-fd N] REQUEST",
	 .summary = "a forgotten PIN: ask to have a token unlocked, and set a new one",
	 .help = "  --serial SERIAL   the token's serial number; the one that the desk has on record for you when "
		 "absent\n"
		 "  --module PATH     the token's PKCS#11 library (default: all that p11-kit is configured with)\n"
		 "  --new-pin-fd N    read the new PIN from this descriptor instead of asking\n\n"
		 "Without REQUEST it asks and shows a code, which an officer will want to hear from you. With REQUEST, "
		 "when\n"
		 "the officer has agreed, it sets the new PIN and another PUK; cut off, the same command goes on.\n\n"
		 "Examples:\n  hufu token unlock\n  hufu token unlock 20261123-7K2M9QXA4BCD",
	 .run = run_token_unlock},
	{.name = "token list",
	 .usage = "[--token BEGINNING] [--holder IDENTIFIER] [--keeper NAME] [--state S] [--after SERIAL]",
	 .summary = "officers: the inventory of tokens",
	 .help = "  --token BEGINNING     serial numbers that begin so\n"
		 "  --holder IDENTIFIER   of this organisation\n"
		 "  --keeper NAME         that this officer has\n"
		 "  --state S             stock, prepared, shipped, in_use, lost, damaged, returned, scrapped\n"
		 "  --after SERIAL        the next page\n\n"
		 "Example:\n  hufu token list --state stock",
	 .run = run_token_list},
	{.name = "token record",
	 .usage = "SERIAL",
	 .summary = "officers: what the desk has on record of a token",
	 .help = "Example:\n  hufu token record 83a1d6a326fbf046",
	 .run = run_token_record},
	{.name = "token add",
	 .usage = "[--model M] [--label L] [--state S] [--holder IDENTIFIER] [--certificate SERIAL] [options] SERIAL",
	 .summary = "officers: put a token into the inventory",
	 .help = "  --model M            model\n"
		 "  --label L            label\n"
		 "  --state S            stock (default), prepared, in_use, lost, damaged, returned, scrapped\n"
		 "  --holder IDENTIFIER  the organisation that has it\n"
		 "  --keeper NAME        the officer who has it\n"
		 "  --certificate HEX    the certificate on it\n"
		 "  --puk-fd N           read its PUK from this descriptor; it is sealed before it leaves\n" AS_HELP
		 "\nExample:\n  hufu token add --model ePass3003 83a1d6a326fbf046",
	 .run = run_token_add},
	{.name = "token import",
	 .usage = "[--as NAME] FILE",
	 .summary = "officers: tokens of an old system, all of them or none",
	 .help = AS_HELP
	 "\nFILE is a CSV with a header line: token, and of model, label, state, identifier, certificate, puk\n"
	 "those that there are. PUKs are sealed to the token key before they leave.\n\n"
	 "Example:\n  hufu --dry-run token import tokens.csv",
	 .run = run_token_import},
	{.name = "token move",
	 .usage = "--to STATE --why TEXT [--holder IDENTIFIER] [--certificate HEX] [--as NAME] SERIAL",
	 .summary = "officers: a step in a token's life",
	 .help = "  --to STATE           prepared, shipped, in_use, lost, damaged, returned, stock, scrapped\n"
		 "  --why TEXT           for the record\n"
		 "  --holder IDENTIFIER  for whom it is prepared\n"
		 "  --certificate HEX    the certificate on it\n" AS_HELP
		 "\nExample:\n  hufu token move --to prepared --holder 35353550-9 --why \"for a reissue\" "
		 "83a1d6a326fbf046",
	 .run = run_token_move},
	{.name = "token mine",
	 .usage = "[--after SERIAL]",
	 .summary = "my tokens, as the desk has them on record",
	 .help = "  --after SERIAL   the next page\n\nExample:\n  hufu token mine",
	 .run = run_token_mine},
	{.name = "token escrow",
	 .usage = "[--passphrase-fd N | --plain] FILE",
	 .summary = "make the token key, which PUKs are sealed to",
	 .help = "  --passphrase-fd N   read its passphrase from this descriptor instead of asking\n"
		 "  --plain             without a passphrase (for tests)\n\n"
		 "Example:\n  hufu token escrow token.key",
	 .run = run_token_escrow},
	{0},
};
