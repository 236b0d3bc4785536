"""Which verifier knows which key: the cases for keys.bats, and the table that follows from a verifier's verdicts.

    matrix.py cases WORK            makes tampered certificates under WORK and prints the cases
    matrix.py rows NAME < VERDICTS  judges the verdicts and prints the verifier's two rows of docs/verifiers.md

A case is a line: NAME, certificate of the root, of the issuing CA or "-", certificate, and the CRLs of its issuer and of the root, if any; tabs
between. NAME is CA/SUBJECT/WHAT, for each kind of CA key and of subject's key:

    good          with both CRLs
    revoked       on the issuing CA's CRL
    tampered      one byte of its name is another; without CRLs, so that nothing but the signature can tell
    imposter      the issuing CA's name and key id, but another key; likewise
    shard-good    with the CRL of its shard alone, as its distribution point says; for one kind of subject's key
    shard-revoked likewise

A verdict is NAME, good, revoked or bad, and the verifier's words. Whoever knows a CA's and a subject's kind of key is right about all of these;
whoever does not takes none of them.
"""

import base64
import os
import re
import sys

CAS = ["p256", "p384", "ed25519", "sm2", "rsa", "rsa-3072", "rsa-4096"]
SUBJECTS = ["p256", "p384", "ed25519", "sm2", "rsa", "rsa-3072", "rsa-4096"]
WANTED = {"good": "good", "revoked": "revoked", "tampered": "bad", "imposter": "bad"}
SHARDS = {"shard-good": "good", "shard-revoked": "revoked"}
SHARD_SUBJECT = "p256"


def tamper(path, name, to):
    """The last letter of the common name is another: still a certificate, but not what was signed."""
    der = bytearray(base64.b64decode(re.search(rb"-----BEGIN CERTIFICATE-----(.*?)-----END", open(path, "rb").read(), re.S).group(1)))
    at = bytes(der).rindex(b" " + name.encode()) + len(name)
    assert chr(der[at]) == name[-1]
    der[at] ^= 1
    with open(to, "wb") as f:
        f.write(b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(bytes(der)) + b"-----END CERTIFICATE-----\n")


def cases(work):
    for ca in CAS:
        tree, out = f"{work}/{ca}/etc/hufu", f"{work}/{ca}-out"
        chain, crls = [f"{tree}/root.crt", f"{tree}/issuing.crt"], [f"{out}/full.crl", f"{tree}/root.crl"]
        for subject in SUBJECTS:
            stem = f"{out}/{subject}"
            good, revoked, tampered = f"{stem}-good.pem", f"{stem}-revoked.pem", f"{stem}-tampered.pem"
            tamper(good, subject, tampered)
            rows = [("good", *chain, good, *crls), ("revoked", *chain, revoked, *crls), ("tampered", *chain, tampered),
                    ("imposter", f"{out}/imposter.pem", "-", good)]
            if subject == SHARD_SUBJECT:
                rows += [("shard-good", *chain, good, f"{stem}-good.crl", crls[1]), ("shard-revoked", *chain, revoked, f"{stem}-revoked.crl", crls[1])]
            for what, *files in rows:
                missing = [f for f in files if f != "-" and not os.path.exists(f)]
                assert not missing, missing
                print("\t".join([f"{ca}/{subject}/{what}", *files]))


def read_verdicts(lines):
    got, words = {}, {}
    for line in lines:
        name, verdict, said = line.rstrip("\n").split("\t")
        assert name not in got and verdict in ("good", "revoked", "bad"), line
        got[name], words[name] = verdict, said
    return got, words


def judge(got, words):
    """(kinds of CA keys known, of subjects' keys, shards known or not), and what is wrong."""
    pairs = [(ca, s) for ca in CAS for s in SUBJECTS]
    names = {f"{ca}/{s}/{what}" for ca, s in pairs for what in WANTED} | {f"{ca}/{SHARD_SUBJECT}/{what}" for ca in CAS for what in SHARDS}
    wrong = [f"{n}: no verdict" for n in sorted(names - set(got))] + [f"{n}: no such case" for n in sorted(set(got) - names)]
    if wrong:
        return None, wrong
    cas = {ca for ca, s in pairs if got[f"{ca}/{s}/good"] == "good"}
    subjects = {s for ca, s in pairs if got[f"{ca}/{s}/good"] == "good"}
    shards = any(got[f"{ca}/{SHARD_SUBJECT}/shard-good"] == "good" for ca in CAS)
    for ca, s in pairs:
        known = ca in cas and s in subjects
        wanted = dict(WANTED)
        if s == SHARD_SUBJECT:
            wanted |= SHARDS if shards else {what: "bad" for what in SHARDS}
        for what, verdict in wanted.items():
            name = f"{ca}/{s}/{what}"
            if got[name] != (verdict if known else "bad"):
                wrong.append(f"{name}: found {got[name]} ({words[name]}), wanted {verdict if known else 'bad'}")
    return (cas, subjects, shards), wrong


def rows(verifier, lines):
    known, wrong = judge(*read_verdicts(lines))
    if wrong:
        sys.exit("\n".join(wrong))
    cas, subjects, shards = known

    def row(title, what, kinds, have, last):
        return "| " + " | ".join([title, what] + ["yes" if k in have else "no" for k in kinds] + [last]) + " |"
    print(row(verifier, "CA", CAS, cas, "yes" if shards else "no"))
    print(row("", "subject", SUBJECTS, subjects, "").replace("|  |", "| |"))


if __name__ == "__main__":
    if sys.argv[1] == "cases":
        cases(sys.argv[2])
    else:
        rows(sys.argv[2], sys.stdin)
