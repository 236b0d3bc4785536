// Verifies with Go's crypto/x509: cases from standard input, see keys.bats; prints NAME, verdict and words, with tabs between.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"time"
)

func bytesOf(path string) ([]byte, error) {
	all, err := os.ReadFile(path)
	if block, _ := pem.Decode(all); block != nil {
		return block.Bytes, err
	}
	return all, err
}

func certificate(path string) (*x509.Certificate, error) {
	der, err := bytesOf(path)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// revoked: is c on the list of its issuer? The list must be the issuer's, and fresh.
func revoked(path string, c, issuer *x509.Certificate) (bool, error) {
	der, err := bytesOf(path)
	if err != nil {
		return false, err
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return false, err
	}
	if err := list.CheckSignatureFrom(issuer); err != nil {
		return false, err
	}
	if time.Now().After(list.NextUpdate) {
		return false, fmt.Errorf("the CRL is old")
	}
	for _, e := range list.RevokedCertificates {
		if e.SerialNumber.Cmp(c.SerialNumber) == 0 {
			return true, nil
		}
	}
	return false, nil
}

// judge: words are empty when it is good. fields: name, root, issuing or "-", certificate, and then the CRLs of its issuer and of the root.
func judge(fields []string) (verdict, words string) {
	var chain []*x509.Certificate // from the certificate upwards
	for _, path := range []string{fields[3], fields[2], fields[1]} {
		if path == "-" {
			continue
		}
		c, err := certificate(path)
		if err != nil {
			return "bad", err.Error()
		}
		chain = append(chain, c)
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(chain[len(chain)-1])
	for _, c := range chain[1 : len(chain)-1] {
		between.AddCert(c)
	}
	usages := []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	if _, err := chain[0].Verify(x509.VerifyOptions{Roots: roots, Intermediates: between, KeyUsages: usages}); err != nil {
		return "bad", err.Error()
	}
	for i, path := range fields[4:] {
		is, err := revoked(path, chain[i], chain[i+1])
		if err != nil {
			return "bad", err.Error()
		}
		if is {
			return "revoked", "on the CRL"
		}
	}
	return "good", ""
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		fields := strings.Split(in.Text(), "\t")
		verdict, words := judge(fields)
		fmt.Printf("%s\t%s\t%s\n", fields[0], verdict, words)
	}
}
