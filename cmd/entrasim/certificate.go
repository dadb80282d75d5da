package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// The files of the certificate authority, beside the data file. Clients are told to trust the first; the second can be
// read by the user alone, and is never shown.
const (
	caFile    = "ca.pem"
	caKeyFile = "ca-key.pem"
)

// The lives of certificates. That of the listener is made anew at each start, and is as short as Apple's systems want it.
const (
	caLife    = 10 * 365 * 24 * time.Hour
	leafLife  = 398 * 24 * time.Hour
	certStart = -time.Hour // clocks differ
)

// authority signs the certificates of the HTTPS listener.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	path string // of ca.pem
}

// openAuthority reads the authority of a folder, or makes one when there is none. One that was trusted once stays: files
// that are not whole are an error, and nothing is written over them.
func openAuthority(folder string, now time.Time) (*authority, error) {
	a := &authority{path: filepath.Join(folder, caFile)}
	keyPath := filepath.Join(folder, caKeyFile)
	certText, certErr := os.ReadFile(a.path)
	keyText, keyErr := os.ReadFile(keyPath)
	switch {
	case errors.Is(certErr, fs.ErrNotExist) && errors.Is(keyErr, fs.ErrNotExist):
		return a, a.create(keyPath, now)
	case certErr != nil || keyErr != nil:
		if errors.Is(certErr, fs.ErrNotExist) || errors.Is(keyErr, fs.ErrNotExist) {
			return nil, fmt.Errorf("of %s and %s only one is there", a.path, keyPath)
		}
		return nil, errors.Join(certErr, keyErr)
	}
	if err := a.read(certText, keyText); err != nil {
		return nil, fmt.Errorf("%s with %s is no certificate authority of this program: %w", a.path, caKeyFile, err)
	}
	if now.After(a.cert.NotAfter) {
		return nil, fmt.Errorf("%s has expired on %s", a.path, a.cert.NotAfter.Format(time.DateOnly))
	}
	return a, nil
}

func (a *authority) read(certText, keyText []byte) error {
	c, _ := pem.Decode(certText)
	k, _ := pem.Decode(keyText)
	if c == nil || k == nil {
		return errors.New("a file holds no PEM block")
	}
	var err error
	if a.cert, err = x509.ParseCertificate(c.Bytes); err != nil {
		return err
	}
	key, err := x509.ParseECPrivateKey(k.Bytes)
	if err != nil {
		return err
	}
	if !a.cert.IsCA || !key.PublicKey.Equal(a.cert.PublicKey) {
		return errors.New("key and certificate don't belong together")
	}
	a.key = key
	return nil
}

// create makes a new authority and writes it. The key is written first and is never another user's to read.
func (a *authority) create(keyPath string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	t, err := template("entrasim local CA", now, caLife)
	if err != nil {
		return err
	}
	t.IsCA, t.BasicConstraintsValid, t.MaxPathLenZero = true, true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return err
	}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	a.key = key
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	if err := writeNew(keyPath, "EC PRIVATE KEY", keyDER, 0o600); err != nil {
		return err
	}
	return writeNew(a.path, "CERTIFICATE", der, 0o644)
}

// writeNew writes a PEM file that must not be there yet: of two programs that start in one folder, one is told.
func writeNew(path, kind string, der []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	return errors.Join(pem.Encode(f, &pem.Block{Type: kind, Bytes: der}), f.Sync(), f.Close())
}

func template(name string, now time.Time, life time.Duration) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name, Organization: []string{"entrasim"}},
		NotBefore: now.Add(certStart), NotAfter: now.Add(life)}, nil
}

// config makes a certificate for the names that a listener is reached by. Its key stays in memory.
func (a *authority) config(addr net.Addr, asked string, now time.Time) (*tls.Config, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t, err := template("localhost", now, leafLife)
	if err != nil {
		return nil, err
	}
	if t.NotAfter.After(a.cert.NotAfter) {
		t.NotAfter = a.cert.NotAfter
	}
	t.KeyUsage, t.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	if t.DNSNames, t.IPAddresses, err = names(addr, asked); err != nil {
		return nil, err
	}
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return nil, err
	}
	return &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		Certificates: []tls.Certificate{{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key}}}, nil
}

// names lists what a listener is reached by: this machine's loopback names always, the host that was asked for, and every
// address of the machine when it listens on all.
func names(addr net.Addr, asked string) (dns []string, ips []net.IP, err error) {
	dns, ips = []string{"localhost"}, []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	at, ok := addr.(*net.TCPAddr)
	if ok && at.IP.IsUnspecified() {
		host, err := os.Hostname()
		if err != nil {
			return nil, nil, err
		}
		list, err := net.InterfaceAddrs()
		if err != nil {
			return nil, nil, err
		}
		dns = append(dns, host)
		for _, a := range list {
			if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() {
				ips = append(ips, n.IP)
			}
		}
		return dns, ips, nil
	}
	if ok && !at.IP.IsLoopback() {
		ips = append(ips, at.IP)
	}
	if host, _, err := net.SplitHostPort(asked); err == nil && host != "" && host != "localhost" {
		if ip := net.ParseIP(host); ip == nil {
			dns = append(dns, host)
		} else {
			ips = append(ips, ip)
		}
	}
	return dns, ips, nil
}
