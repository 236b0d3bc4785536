// Merkle trees and notes as Go's checksum database reads them (golang.org/x/mod/sumdb), for log.bats. Lines are those of tree_proofs.c.
//
//	tree check          lines from standard input: each holds, and none does with a bit changed
//	tree make           the same trees' lines, by tlog alone
//	tree ledger VKEY    a ledger: its checkpoint, then an empty line, then "leaf BYTES HASH…" for each entry, all in hex
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const leaves = 300

// The test leaves of Certificate Transparency's reference code, and the published roots of the trees over the first 0 to 8 of them.
var publicLeaves = []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}
var publicRoots = []string{
	"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
	"6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
	"fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
	"aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
	"d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
	"4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
	"76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
	"ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
	"5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "tree:", err)
		os.Exit(1)
	}
}

func unhex(s string) []byte {
	b, err := hex.DecodeString(s)
	must(err)
	return b
}

// A tree's stored hashes, in memory.
type store []tlog.Hash

func (s store) ReadHashes(at []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range at {
		out = append(out, s[i])
	}
	return out, nil
}

func (s *store) add(n int64, leaf tlog.Hash) {
	more, err := tlog.StoredHashesForRecordHash(n, leaf, *s)
	must(err)
	*s = append(*s, more...)
}

func (s store) root(n int64) tlog.Hash {
	if n == 0 {
		var h tlog.Hash
		copy(h[:], unhex(publicRoots[0]))
		return h
	}
	h, err := tlog.TreeHash(n, s)
	must(err)
	return h
}

func all() (s store, hashes []tlog.Hash) {
	for i := 0; i < leaves; i++ {
		bytes := []byte(strconv.Itoa(i))
		if i < len(publicLeaves) {
			bytes = unhex(publicLeaves[i])
		}
		hashes = append(hashes, tlog.RecordHash(bytes))
		s.add(int64(i), hashes[i])
	}
	for n, want := range publicRoots {
		h := s.root(int64(n))
		if hex.EncodeToString(h[:]) != want {
			must(fmt.Errorf("tlog's root of %d leaves is not the published one", n))
		}
	}
	return
}

func pathOf(words []string) (p []tlog.Hash) {
	for _, w := range words {
		var h tlog.Hash
		if copy(h[:], unhex(w)) != len(h) {
			must(fmt.Errorf("%q is no hash", w))
		}
		p = append(p, h)
	}
	return
}

func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	must(err)
	return n
}

func holds(s store, hashes []tlog.Hash, word string, m, n int64, p []tlog.Hash) bool {
	switch word {
	case "root":
		return len(p) == 1 && p[0] == s.root(n)
	case "in":
		return tlog.CheckRecord(p, n, s.root(n), m, hashes[m]) == nil
	case "grown":
		return tlog.CheckTree(p, n, s.root(n), m, s.root(m)) == nil
	}
	return false
}

func check() {
	s, hashes := all()
	count := 0
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		w := strings.Fields(in.Text())
		var m int64
		at := 1
		if w[0] != "root" {
			m = number(w[1])
			at = 2
		}
		n, p := number(w[at]), pathOf(w[at+1:])
		good := holds(s, hashes, w[0], m, n, p)
		for i := range p {
			p[i][i%32] ^= 1 << (i % 8)
			good = good && !holds(s, hashes, w[0], m, n, p)
			p[i][i%32] ^= 1 << (i % 8)
		}
		if !good {
			must(fmt.Errorf("%s %d %d fails", w[0], m, n))
		}
		count++
	}
	must(in.Err())
	fmt.Println(count, "hold")
}

func put(p []tlog.Hash) {
	for _, h := range p {
		fmt.Printf(" %x", h[:])
	}
	fmt.Println()
}

func makeTree(s store, n int64) {
	fmt.Printf("root %d", n)
	put([]tlog.Hash{s.root(n)})
	for m := int64(1); m <= n; m++ {
		in, err := tlog.ProveRecord(n, m-1, s)
		must(err)
		fmt.Printf("in %d %d", m-1, n)
		put(in)
		grown, err := tlog.ProveTree(n, m, s)
		must(err)
		fmt.Printf("grown %d %d", m, n)
		put(grown)
	}
}

func makeAll() {
	s, _ := all()
	for n := int64(0); n <= 40; n++ {
		makeTree(s, n)
	}
	for _, n := range []int64{63, 64, 65, 127, 128, 129, 200, 255, 256, 257, leaves} {
		makeTree(s, n)
	}
}

func ledger(vkey string) {
	verifier, err := note.NewVerifier(strings.TrimSpace(vkey))
	must(err)
	text, err := io.ReadAll(os.Stdin)
	must(err)
	at := strings.Index(string(text), "\nleaf ")
	opened, err := note.Open(text[:at], note.VerifierList(verifier))
	must(err)
	head := strings.Split(opened.Text, "\n")
	if head[0] != verifier.Name() {
		must(fmt.Errorf("the checkpoint's origin is %q, its key's name %q", head[0], verifier.Name()))
	}
	size := number(head[1])
	var root tlog.Hash
	decoded, err := base64.StdEncoding.DecodeString(head[2])
	must(err)
	copy(root[:], decoded)
	var s store
	lines := strings.Split(strings.TrimSpace(string(text[at+1:])), "\n")
	for i, l := range lines {
		w := strings.Fields(l)
		leaf := tlog.RecordHash(unhex(w[1]))
		s.add(int64(i), leaf)
		must(tlog.CheckRecord(pathOf(w[2:]), size, root, int64(i), leaf))
	}
	if int64(len(lines)) != size || s.root(size) != root {
		must(fmt.Errorf("the checkpoint is not of these %d entries", len(lines)))
	}
	fmt.Println(size, "entries hold")
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "check":
		check()
	case len(os.Args) == 2 && os.Args[1] == "make":
		makeAll()
	case len(os.Args) == 3 && os.Args[1] == "ledger":
		ledger(os.Args[2])
	default:
		must(fmt.Errorf("wanted check, make or ledger VKEY"))
	}
}
