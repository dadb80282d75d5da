package sim

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"entrasim/sim/clock"
)

// issuer stands for Entra as the issuer of the token that a job without a Secret token sends
// (use-scim-to-provision-users-and-groups.md, "Handling endpoint authentication"): RS256, by a key whose public half is
// published.
//
// The key follows from the seed. So the requests of one seed are the same byte for byte, on every machine and behind every
// restart and reset, and nothing has to be kept. Whoever knows the seed can make such tokens, which is no loss: they open
// what a developer points at this program, with a fictional tenant behind it, and Microsoft offers them for tests only.
//
// A token follows from the instant as well: it is issued at the beginning of each half hour and is good for an hour and a
// half, so that one in use has an hour left at least. It is safe for concurrent use.
type issuer struct {
	seed   int64
	tenant func() string // the tenant's id
	clock  *clock.Clock

	mu     sync.Mutex
	key    *jose.JSONWebKey // nil until it is needed
	issued time.Time        // the last token's
	tid    string           // of its tenant
	token  string
}

const (
	issueEvery = 30 * time.Minute
	issuedFor  = 90 * time.Minute
)

// syncFabric is the application that Entra issues such a token to, Microsoft.Azure.SyncFabric: a target that lives with the
// service takes no token of another one (https://github.com/jelhub/scimgateway, lib/scimgateway.ts, jwtVerify).
const syncFabric = "00000014-0000-0000-c000-000000000000"

// tokenClaims are those of a token of version 1.0, as far as they are documented, and the one that targets look at.
type tokenClaims struct {
	Audience string `json:"aud"`
	Issuer   string `json:"iss"`
	IssuedAt int64  `json:"iat"`
	Begins   int64  `json:"nbf"`
	Expires  int64  `json:"exp"`
	Client   string `json:"appid"`
	Tenant   string `json:"tid"`
	Version  string `json:"ver"`
}

// bearer is the token of the moment.
func (i *issuer) bearer() (string, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	at, tenant := i.clock.Now().UTC().Truncate(issueEvery), i.tenant()
	if i.token != "" && at.Equal(i.issued) && tenant == i.tid {
		return i.token, nil
	}
	key, err := i.signingKey()
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", fmt.Errorf("issuing a token: %w", err)
	}
	token, err := jwt.Signed(signer).Claims(tokenClaims{
		// Every non-gallery application has this audience: it is the id of their template.
		Audience: TemplateNonGallery, Issuer: "https://sts.windows.net/" + tenant + "/",
		IssuedAt: at.Unix(), Begins: at.Unix(), Expires: at.Add(issuedFor).Unix(), Client: syncFabric, Tenant: tenant, Version: "1.0",
	}).Serialize()
	if err != nil {
		return "", fmt.Errorf("issuing a token: %w", err)
	}
	i.token, i.issued, i.tid = token, at, tenant
	return token, nil
}

// signingKey makes the key at its first use; i.mu is held.
func (i *issuer) signingKey() (*jose.JSONWebKey, error) {
	if i.key != nil {
		return i.key, nil
	}
	private, err := rsaKey(seeded(i.seed, "issuer"))
	if err != nil {
		return nil, fmt.Errorf("the key of issued tokens: %w", err)
	}
	key := &jose.JSONWebKey{Key: private, Algorithm: string(jose.RS256), Use: "sig"}
	id, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return nil, fmt.Errorf("the key of issued tokens: %w", err)
	}
	key.KeyID = base64.RawURLEncoding.EncodeToString(id)
	i.key = key
	return key, nil
}

// IssuerKeys are the public keys of the tokens that the service issues to itself, as /discovery/v2.0/keys publishes them.
func (s *Service) IssuerKeys() (jose.JSONWebKeySet, error) {
	s.issuer.mu.Lock()
	defer s.issuer.mu.Unlock()
	key, err := s.issuer.signingKey()
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	return jose.JSONWebKeySet{Keys: []jose.JSONWebKey{key.Public()}}, nil
}

// seeded is a stream of bytes that follows from the seed and a purpose.
func seeded(seed int64, purpose string) io.Reader {
	return rand.NewChaCha8(sha256.Sum256(append(binary.BigEndian.AppendUint64(nil, uint64(seed)), purpose...)))
}

// rsaKey makes a key of 2,048 bits of a stream: the library's own generator takes its randomness from nobody.
func rsaKey(r io.Reader) (*rsa.PrivateKey, error) {
	const exponent = 65537
	one, e := big.NewInt(1), big.NewInt(exponent)
	for {
		p, err := prime(r, 1024, e)
		if err != nil {
			return nil, err
		}
		q, err := prime(r, 1024, e)
		if err != nil {
			return nil, err
		}
		if p.Cmp(q) == 0 {
			continue
		}
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: exponent}, D: new(big.Int).ModInverse(e, phi), Primes: []*big.Int{p, q}}
		key.Precompute()
		return key, key.Validate()
	}
}

// prime reads candidates of a length until one is prime and good for the exponent. The two highest bits are set, so that a
// product of two has its full length.
func prime(r io.Reader, bits int, e *big.Int) (*big.Int, error) {
	buf := make([]byte, bits/8)
	one := big.NewInt(1)
	for {
		if _, err := io.ReadFull(r, buf); err != nil {
			return nil, err
		}
		buf[0] |= 0xc0
		buf[len(buf)-1] |= 1
		p := new(big.Int).SetBytes(buf)
		if p.ProbablyPrime(20) && new(big.Int).GCD(nil, nil, new(big.Int).Sub(p, one), e).Cmp(one) == 0 {
			return p, nil
		}
	}
}
