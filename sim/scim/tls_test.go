package scim

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// selfSigned makes a certificate of 127.0.0.1.
func selfSigned(t *testing.T, key crypto.Signer) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "scim.example"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{{127, 0, 0, 1}}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign | x509.KeyUsageKeyEncipherment}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, c
}

// TestStrictTLS: what the service refuses, and what it takes (use-scim-to-provision-users-and-groups.md, "TLS Protocol
// Versions"). The test's own root stands for a public one; that it is refused otherwise is a case too.
//
// Shows: W-010
func TestStrictTLS(t *testing.T) {
	rsaKey := func(bits int) crypto.Signer {
		k, err := rsa.GenerateKey(rand.Reader, bits)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	curve := func(c elliptic.Curve) crypto.Signer {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	long := rsaKey(2048)
	for _, c := range []struct {
		name   string
		key    crypto.Signer
		config *tls.Config
		own    bool // the root is trusted
		want   string
	}{
		{"TLS 1.2", long, &tls.Config{MaxVersion: tls.VersionTLS12}, true, ""},
		{"TLS 1.2 and 1.3", long, &tls.Config{}, true, ""},
		{"TLS 1.3 alone", long, &tls.Config{MinVersion: tls.VersionTLS13}, true, "version"},
		{"TLS 1.1 alone", long, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, true, "version"},
		{"AES 256 GCM", long, &tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384}}, true, ""},
		{"AES 128 CBC SHA-256", long, &tls.Config{CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256}}, true, ""},
		{"ChaCha20 alone", long, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256}}, true, "handshake failure"},
		{"AES 128 CBC SHA-1 alone", long, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA}}, true, "handshake failure"},
		{"RSA of 1024 bits", rsaKey(1024), &tls.Config{}, true, "RSA key of 1024 bits"},
		{"P-256", curve(elliptic.P256()), &tls.Config{}, true, ""},
		{"own root", long, &tls.Config{}, false, "unknown authority"},
	} {
		t.Run(c.name, func(t *testing.T) {
			pair, root := selfSigned(t, c.key)
			config := c.config.Clone()
			config.Certificates = []tls.Certificate{pair}
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				if _, err := io.WriteString(w, `{"id":"1"}`); err != nil {
					t.Log(err)
				}
			}))
			server.TLS, server.Config.ErrorLog = config, log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			opt := DefaultOptions()
			opt.StrictTLS = true
			client := NewClient(Endpoint{Base: server.URL}, "t", opt, time.Now, nil)
			if c.own {
				client.wire.tls.RootCAs = x509.NewCertPool()
				client.wire.tls.RootCAs.AddCert(root)
			}
			_, err := client.Get(t.Context(), Tag{}, User, "1")
			var e *Error
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (!errors.As(err, &e) || e.Code != CodeWebException || !strings.Contains(e.Detail, c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
	// Go's TLS does not offer P-224; what stands in a chain is looked at all the same.
	if _, c := selfSigned(t, curve(elliptic.P224())); keySizes([]*x509.Certificate{c}) == nil {
		t.Error("a curve of 224 bits is taken")
	}
	opt := DefaultOptions()
	opt.StrictTLS = true
	if _, err := NewClient(Endpoint{Base: "http://127.0.0.1:1"}, "t", opt, time.Now, nil).Get(t.Context(), Tag{}, User, "1"); err == nil || !strings.Contains(err.Error(), "not HTTPS") {
		t.Errorf("plain HTTP: %v", err)
	}
	if strictRoots().Equal(x509.NewCertPool()) {
		t.Error("there are no public roots")
	}
}
