package graph

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"entrasim/directory"
)

// signingKey signs the access tokens of a data file. It is random, unlike the key of the tokens that jobs send to targets:
// that one follows from the seed, and must open nothing here.
type signingKey struct {
	*rsa.PrivateKey
	id string
}

// keySetting is the setting of the data file that holds the key, so that tokens outlive a restart.
const keySetting = "token signing key"

// tokenLife is how long an access token is good for.
const tokenLife = 3599 * time.Second

// graphAppID is the application id of Microsoft Graph, the same in every tenant.
const graphAppID = "00000003-0000-0000-c000-000000000000"

// signer returns the key of the data file, made on first use.
func (g *Graph) signer() (*signingKey, error) {
	g.keyMu.Lock()
	defer g.keyMu.Unlock()
	if g.key != nil {
		return g.key, nil
	}
	if block, _ := pem.Decode([]byte(g.dir.Meta(keySetting))); block != nil {
		if k, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			g.key = named(k)
			return g.key, nil
		}
	}
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
	if err := g.dir.SetMeta(keySetting, string(text)); err != nil {
		return nil, err
	}
	g.key = named(k)
	return g.key, nil
}

func named(k *rsa.PrivateKey) *signingKey {
	sum := sha256.Sum256(x509.MarshalPKCS1PublicKey(&k.PublicKey))
	return &signingKey{k, base64.RawURLEncoding.EncodeToString(sum[:20])}
}

// claims are those of an access token for an application (access-token-claims-reference.md).
type claims struct {
	jwt.Claims
	Aud            string   `json:"aud"`
	AppID          string   `json:"appid"`
	AppDisplayName string   `json:"app_displayname"`
	IDType         string   `json:"idtyp"`
	OID            string   `json:"oid"`
	TID            string   `json:"tid"`
	Roles          []string `json:"roles"`
	Version        string   `json:"ver"`
}

// appRoles are the permissions that a token names; every token may do everything here.
var appRoles = []string{"User.ReadWrite.All", "Group.ReadWrite.All", "Directory.ReadWrite.All", "Application.ReadWrite.All",
	"AppRoleAssignment.ReadWrite.All", "Synchronization.ReadWrite.All", "AuditLog.Read.All"}

// grant makes an access token for a client. Its times are of the program's clock.
func (g *Graph) grant(clientID, audience, issuer string) (token string, issued time.Time, err error) {
	k, err := g.signer()
	if err != nil {
		return "", issued, err
	}
	now := g.svc.Clock().Now().UTC().Truncate(time.Second)
	caller, name, err := g.caller(clientID)
	if err != nil {
		return "", issued, err
	}
	tenant := g.dir.Tenant().ID
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: k.PrivateKey, KeyID: k.id}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return "", now, err
	}
	token, err = jwt.Signed(signer).Claims(claims{
		Claims: jwt.Claims{Issuer: issuer, Subject: caller, IssuedAt: jwt.NewNumericDate(now), NotBefore: jwt.NewNumericDate(now),
			Expiry: jwt.NewNumericDate(now.Add(tokenLife))},
		Aud: audience, AppID: clientID, AppDisplayName: name, IDType: "app", OID: caller, TID: tenant, Roles: appRoles, Version: "1.0",
	}).Serialize()
	return token, now, err
}

// caller is the object id and the name of a client's service principal. A client that nobody registered gets one with its first
// token: scripts make it the owner of what they create (Terraform does without being told), and an owner has to exist.
func (g *Graph) caller(clientID string) (id, name string, err error) {
	sp, err := g.byAppID(clientID)
	if isMissing(err) && isGUID(clientID) {
		sp, err = g.dir.RegisterClient(g.svc.Clock().Now(), clientID, "Client "+clientID)
		if directory.CodeOf(err) == directory.Conflict { // by another request just now; or deleted, or without a service principal
			sp, err = g.byAppID(clientID)
		}
	}
	switch {
	case err == nil:
		return sp.ID, sp.DisplayName, nil
	case isMissing(err):
		return clientID, clientID, nil
	}
	return "", "", err
}

// errExpired marks a token that was good once.
var errExpired = errors.New("the token is expired")

// check verifies a bearer token: the static one, or one that this program signed.
func (g *Graph) check(token string) error {
	if g.token != "" && subtle.ConstantTimeCompare([]byte(token), []byte(g.token)) == 1 {
		return nil
	}
	k, err := g.signer()
	if err != nil {
		return err
	}
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return err
	}
	var have jwt.Claims
	if err := parsed.Claims(&k.PublicKey, &have); err != nil {
		return err
	}
	if have.Expiry == nil {
		return errors.New("the token never expires")
	}
	err = have.ValidateWithLeeway(jwt.Expected{Time: g.svc.Clock().Now()}, 0)
	if errors.Is(err, jwt.ErrExpired) {
		return errExpired
	}
	return err
}

// ValidToken reports whether a bearer token was granted by the token endpoint and is still good.
func (g *Graph) ValidToken(token string) bool {
	return strings.Count(token, ".") == 2 && g.check(token) == nil
}

// bearer is the token of a request, "" when there is none.
func bearer(r *http.Request) string {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// authenticate asks for a token when the program was started with one.
func (g *Graph) authenticate(c *call) error {
	if g.token == "" {
		return nil
	}
	e := &Error{Status: http.StatusUnauthorized, Code: "InvalidAuthenticationToken", Message: "Access token is empty.", Header: http.Header{}}
	e.Header.Set("WWW-Authenticate", `Bearer realm="", authorization_uri="`+c.origin+`/common/oauth2/authorize", client_id="`+graphAppID+`"`)
	token := bearer(c.r)
	if token == "" {
		return e
	}
	switch err := g.check(token); {
	case err == nil:
		return nil
	case errors.Is(err, errExpired):
		e.Message = "Lifetime validation failed, the token is expired."
	case strings.Count(token, ".") != 2:
		e.Message = "CompactToken parsing failed with error code: 80049217"
	default:
		e.Message = "Access token validation failure. Invalid signature or claims."
	}
	return e
}

// publicKeys are the keys of everything that this program signs: of access tokens, and of what jobs without a Secret token
// send to their targets.
func (g *Graph) publicKeys() (jose.JSONWebKeySet, error) {
	k, err := g.signer()
	if err != nil {
		return jose.JSONWebKeySet{}, err
	}
	set, err := g.svc.IssuerKeys()
	if err != nil {
		return set, err
	}
	set.Keys = append(set.Keys, jose.JSONWebKey{Key: &k.PublicKey, KeyID: k.id, Algorithm: string(jose.RS256), Use: "sig"})
	return set, nil
}
