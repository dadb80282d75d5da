package graph

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"entrasim/directory"
)

// passwordObject shows a client secret (resources/passwordcredential.md); the secret itself only when it was just made.
func passwordObject(p directory.Password, secret any) object {
	return object{{"customKeyIdentifier", nil}, {"displayName", optional(p.DisplayName)}, {"endDateTime", fine(p.Ends)}, {"hint", p.Hint},
		{"keyId", p.KeyID}, {"secretText", secret}, {"startDateTime", fine(p.Begins)}}
}

func passwordObjects(sp *directory.ServicePrincipal, ofPrincipal bool) []object {
	list := []object{}
	for _, p := range sp.Passwords {
		if p.OfPrincipal == ofPrincipal {
			list = append(list, passwordObject(p, nil))
		}
	}
	return list
}

// holder is the application, service principal or group that the path addresses.
func (g *Graph) holder(c *call) (directory.Holder, error) {
	switch path := strings.ToLower(c.path); {
	case strings.HasPrefix(path, "/applications"):
		sp, err := g.application(c)
		return directory.Holder{ID: sp.ApplicationID, Registration: true}, err
	case strings.HasPrefix(path, "/serviceprincipals"):
		sp, err := g.principal(c)
		return directory.Holder{ID: sp.ID}, err
	}
	group, err := g.group(c)
	return directory.Holder{ID: group.ID}, err
}

// passwordBody is a client secret as a body asks for it.
type passwordBody struct {
	DisplayName *string `json:"displayName"`
	Begins      *string `json:"startDateTime"`
	Ends        *string `json:"endDateTime"`
	Custom      any     `json:"customKeyIdentifier"`
	KeyID       any     `json:"keyId"`
	Hint        any     `json:"hint"`
	Secret      any     `json:"secretText"`
}

func (b *passwordBody) read() (p directory.Password, err error) {
	if b.Secret != nil {
		return p, refused("Property 'secretText' can't be written: the service makes client secrets.")
	}
	if b.DisplayName != nil {
		p.DisplayName = *b.DisplayName
	}
	for _, x := range []struct {
		name string
		text *string
		into *time.Time
	}{{"startDateTime", b.Begins, &p.Begins}, {"endDateTime", b.Ends, &p.Ends}} {
		if x.text == nil {
			continue
		}
		if *x.into, err = time.Parse(time.RFC3339Nano, *x.text); err != nil {
			return p, refused("Invalid value specified for property '%s' of resource 'PasswordCredential'.", x.name)
		}
	}
	return p, nil
}

// newPasswords makes the client secrets that the body of a new application asks for. The secrets stand by their key ids.
func newPasswords(now time.Time, v any) (list []directory.Password, secrets map[string]string, err error) {
	dropAnnotations(v)
	data, err := json.Marshal(v)
	if err != nil {
		return nil, nil, err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	var bodies []passwordBody
	if err := d.Decode(&bodies); err != nil {
		return nil, nil, refused("Invalid value specified for property 'passwordCredentials' of resource 'Application': %s.", strings.TrimPrefix(err.Error(), "json: "))
	}
	secrets = map[string]string{}
	for i := range bodies {
		p, err := bodies[i].read()
		if err != nil {
			return nil, nil, err
		}
		p, secret, err := directory.NewPassword(now, p)
		if err != nil {
			return nil, nil, err
		}
		secrets[p.KeyID] = secret
		list = append(list, p)
	}
	return list, secrets, nil
}

// addPassword is api/application-addpassword.md.
func (g *Graph) addPassword(c *call) error {
	h, err := g.holder(c)
	if err != nil {
		return err
	}
	var body struct {
		Credential passwordBody `json:"passwordCredential"`
	}
	if err := c.decode(&body, true); err != nil {
		return err
	}
	p, err := body.Credential.read()
	if err != nil {
		return err
	}
	p, secret, err := g.dir.AddPassword(g.svc.Clock().Now(), h, p)
	if err != nil {
		return err
	}
	return c.entity(http.StatusOK, "microsoft.graph.passwordCredential", passwordObject(p, secret))
}

// removePassword is api/application-removepassword.md.
func (g *Graph) removePassword(c *call) error {
	h, err := g.holder(c)
	if err != nil {
		return err
	}
	var body struct {
		KeyID string `json:"keyId"`
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	if !isGUID(body.KeyID) {
		return refused("A value is required for parameter 'keyId': the id of a password.")
	}
	if err := g.dir.RemovePassword(g.svc.Clock().Now(), h, body.KeyID); err != nil {
		return err
	}
	return c.noContent()
}
