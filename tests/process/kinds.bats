#!/usr/bin/env bats
# The table of kinds through the real signer: hufu-ca as a process, asked over its sockets by somebody who holds the RA's key. The steps of each
# kind, good, bad and hostile, stand in kinds.c; each refused one must name its rule and leave the ledger with its refusal and nothing else.

load ../helpers

# holds KIND…: all steps of these scenes, at least one good, one bad and one hostile among them.
holds() {
	run "$build/tests/process/kinds" "$@"
	echo "$output" | grep -v 'prog='
	[ "$status" = 0 ] || return 1
	local sort
	for sort in good bad hostile; do
		grep -q "^  $sort " <<<"$output" || { echo "no $sort step"; return 1; }
	done
}

@test "extend, same key: the current key alone" { holds "extend, same key" "extend, ending"; }
@test "extend, new key: both keys, one officer; weak keys" { holds "extend, new key"; }
@test "change: the current key, two officers; one live line" { holds change; }
@test "enrol: the new key, two officers who saw it; one live line" { holds enrol "enrol, colliding"; }
@test "reissue, lost: three officers; keyCompromise at once" { holds "reissue, lost"; }
@test "reissue, damaged: three officers; superseded" { holds "reissue, damaged"; }
@test "revoke by the current key" { holds "revoke, by key"; }
@test "revoke by an officer, with and without the RA" { holds "revoke, by officer"; }
@test "revoke of what has expired" { holds "revoke, expired"; }
@test "revoke of an adopted certificate: ended" { holds "revoke, adopted"; }
@test "grace ends: the signer itself revokes, through kill -9" { holds grace; }
@test "hold: the RA alone" { holds hold; }
@test "release: two officers, and the hold's entry" { holds release; }
@test "withdraw: any signer" { holds withdraw; }
@test "responder: the key that the roster lists" { holds responder; }
@test "adoption: a quorum, never from the RA" { holds adoption; }
@test "roster: a quorum, never from the RA" { holds roster; }
@test "policy: a quorum, never from the RA" { holds policy "policy, swapped"; }
