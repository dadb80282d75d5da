package scim

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync"

	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// tlsConfig is how the client meets a target over TLS. The certificate is checked against the system's roots (and
// SSL_CERT_FILE), so that a CA of one's own will do. strict asks for what the service itself asks for: TLS 1.2 and nothing
// else, its cipher suites, keys of a certain size and a public root
// (use-scim-to-provision-users-and-groups.md, "TLS Protocol Versions" and the list of certification authorities).
func tlsConfig(host string, strict bool) *tls.Config {
	c := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
	if strict {
		c.MaxVersion = tls.VersionTLS12
		c.CipherSuites = strictSuites
		c.RootCAs = strictRoots()
		c.VerifyConnection = func(s tls.ConnectionState) error { return keySizes(s.PeerCertificates) }
	}
	return c
}

// strictSuites are the service's, in its order. It knows two more, AES 256 in CBC mode with SHA-384, which Go does not
// have: a target that offers those alone can't be met.
var strictSuites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256,
	tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256,
}

// strictRoots are Mozilla's: which public roots the service trusts is not published, and theirs are what a public
// certificate chains to. Roots that Mozilla trusts with a constraint keep it.
var strictRoots = sync.OnceValue(func() *x509.CertPool {
	pool := x509.NewCertPool()
	for root := range bundle.Roots() {
		c, err := x509.ParseCertificate(root.Certificate)
		if err != nil {
			continue // a root that Go can't read is none that it could chain to
		}
		if root.Constraint == nil {
			pool.AddCert(c)
		} else {
			pool.AddCertWithConstraint(c, root.Constraint)
		}
	}
	return pool
})

// keySizes refuses a chain with a short key.
func keySizes(chain []*x509.Certificate) error {
	for _, c := range chain {
		switch key := c.PublicKey.(type) {
		case *rsa.PublicKey:
			if n := key.N.BitLen(); n < 2048 {
				return fmt.Errorf("the certificate of %q has an RSA key of %d bits; 2048 are asked for", c.Subject.CommonName, n)
			}
		case *ecdsa.PublicKey:
			if n := key.Curve.Params().BitSize; n < 256 {
				return fmt.Errorf("the certificate of %q has an elliptic curve key of %d bits; 256 are asked for", c.Subject.CommonName, n)
			}
		}
	}
	return nil
}
