package graph

import (
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

// addPassword is api/application-addpassword.md.
func (g *Graph) addPassword(c *call) error {
	h, err := g.holder(c)
	if err != nil {
		return err
	}
	var body struct {
		Credential struct {
			DisplayName *string `json:"displayName"`
			Begins      *string `json:"startDateTime"`
			Ends        *string `json:"endDateTime"`
			Custom      any     `json:"customKeyIdentifier"`
			KeyID       any     `json:"keyId"`
			Hint        any     `json:"hint"`
			Secret      any     `json:"secretText"`
		} `json:"passwordCredential"`
	}
	if err := c.decode(&body, true); err != nil {
		return err
	}
	var p directory.Password
	if body.Credential.DisplayName != nil {
		p.DisplayName = *body.Credential.DisplayName
	}
	for _, x := range []struct {
		name string
		text *string
		into *time.Time
	}{{"startDateTime", body.Credential.Begins, &p.Begins}, {"endDateTime", body.Credential.Ends, &p.Ends}} {
		if x.text == nil {
			continue
		}
		if *x.into, err = time.Parse(time.RFC3339Nano, *x.text); err != nil {
			return refused("Invalid value specified for property '%s' of resource 'PasswordCredential'.", x.name)
		}
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
