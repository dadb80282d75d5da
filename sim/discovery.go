package sim

import (
	"context"
	"errors"
	"strings"
	"time"

	"entrasim/directory"
	"entrasim/sim/scim"
)

// Category is where account discovery puts an account of the target (how-to-account-discovery.md).
type Category string

// The categories of discovered accounts.
const (
	LocalAccount   Category = "local"      // nobody in the directory matches
	UnassignedUser Category = "unassigned" // a user matches, who is not assigned to the application
	AssignedUser   Category = "assigned"   // a user matches, and is assigned
)

// Discovered is an account of the target.
type Discovered struct {
	Category Category `json:"category"`
	TargetID string   `json:"targetId"`
	Value    string   `json:"value"`              // of the matching attribute, "" when it has none
	UserID   string   `json:"userId,omitempty"`   // the user who matches
	UserName string   `json:"userName,omitempty"` // and their display name
	Linked   bool     `json:"linked"`             // the job provisions it already
}

// Discovery is a report of the accounts that a target holds.
type Discovery struct {
	Began      time.Time        `json:"began"`
	Ended      time.Time        `json:"ended"`
	Attribute  string           `json:"attribute"` // target attribute that is compared
	Source     string           `json:"source"`    // attribute of users that it is compared with
	Counts     map[Category]int `json:"counts"`
	Accounts   []Discovered     `json:"accounts"` // as the target lists them, of each category the first discoveryKept
	Incomplete bool             `json:"incomplete"`
}

const (
	// discoveryPage is how many accounts are asked for at once; a target may return fewer.
	discoveryPage = 100
	// discoveryKept is how many accounts of a category a report names.
	discoveryKept = 1000
)

// Discover reads every account of an application's target page by page and sorts it by whether a user matches, and whether
// that user is assigned. Only the first matching attribute counts, and only when it is mapped directly; nothing is changed,
// at either end (how-to-account-discovery.md). The real report takes half an hour at least; this one as long as the target
// takes. The error is directory.Conflict when the mapping does not allow it, and that of a connection test when the target
// fails.
func (s *Service) Discover(ctx context.Context, appID string) (*Discovery, error) {
	j, err := s.job(appID)
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	set, all, tune := j.set, s.inForce(j) == SyncAll, s.tune(j)
	url, token, template := s.presentURL(j.secrets[secretBaseAddress]), j.secrets[secretToken], j.cfg.TemplateID
	j.mu.Unlock()
	m := mappingOf(set, directory.KindUser)
	if m == nil || len(m.Matching) == 0 {
		return nil, &directory.Error{Code: directory.Conflict, Message: "The mapping of users is off, or names no matching attribute.", Hint: "Discovery compares by the first matching attribute."}
	}
	by := m.Attributes[m.Matching[0].Index]
	source, direct := by.Direct()
	if !direct {
		return nil, &directory.Error{Code: directory.Conflict, Message: "The first matching attribute, " + by.Target + ", is not mapped directly.", Hint: "Discovery needs a direct mapping there; an expression can't be looked up."}
	}
	if err := s.TestConnection(ctx, appID, nil, nil); err != nil {
		return nil, err
	}
	d := &Discovery{Began: s.clock.Now(), Attribute: by.Target, Source: source, Counts: map[Category]int{}, Accounts: []Discovered{}}
	index, err := s.sourceIndex(j, func(r *directory.Reader, n uint64) (value string, u Discovered) {
		src, ok := readSource(r, j.num, all, set, n)
		if !ok || src.attrs == nil {
			return "", u
		}
		v, _ := src.attrs.Attribute(source)
		u = Discovered{Category: UnassignedUser, UserID: src.ID, UserName: src.DisplayName}
		if src.scope.Assigned {
			u.Category = AssignedUser
		}
		return v.Text(), u
	})
	if err != nil {
		return nil, err
	}
	client, err := s.newClient(template, url, token, tune.wire, nil)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	tag := scim.Tag{Job: j.cfg.ID, Reason: "Account discovery reads the accounts of the target, page by page.", Rules: []string{"S-370"}}
	seen := map[string]bool{}
	for start := 1; ; {
		page, total, err := client.Page(ctx, tag, scim.User, start, discoveryPage)
		if err != nil {
			var e *scim.Error
			if errors.As(err, &e) {
				return nil, scim.TestConnectionError(e)
			}
			return nil, err
		}
		fresh := false
		for _, r := range page {
			if seen[r.ID()] {
				continue // a target that does not page returns the same ones each time
			}
			seen[r.ID()], fresh = true, true
			d.add(r, by.Target, index)
		}
		if start += len(page); !fresh || start > total {
			break
		}
	}
	err = s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), j.num)
		for i := range d.Accounts {
			if b != nil {
				d.Accounts[i].Linked = anchorOwner(b, directory.KindUser, d.Accounts[i].TargetID) != 0
			}
		}
		return nil
	})
	d.Ended = s.clock.Now()
	j.mu.Lock()
	j.discovery = d
	j.mu.Unlock()
	return d, err
}

// add sorts one account.
func (d *Discovery) add(r *scim.Resource, path string, index map[string]Discovered) {
	a := Discovered{Category: LocalAccount}
	if values := r.Values(path); len(values) > 0 {
		if u, ok := index[strings.ToLower(values[0])]; ok {
			a = u
		}
		a.Value = values[0]
	}
	a.TargetID = r.ID()
	if d.Counts[a.Category]++; d.Counts[a.Category] > discoveryKept {
		d.Incomplete = true
		return
	}
	d.Accounts = append(d.Accounts, a)
}

// sourceIndex is who has which value, in lower case; the first one counts.
func (s *Service) sourceIndex(j *job, of func(r *directory.Reader, n uint64) (string, Discovered)) (map[string]Discovered, error) {
	index := map[string]Discovered{}
	for after, more := uint64(0), true; more; {
		if err := s.dir.View(func(r *directory.Reader) error {
			page := r.UserNums(after, 1000)
			for _, n := range page {
				value, u := of(r, n)
				after = n
				if _, taken := index[strings.ToLower(value)]; value != "" && !taken {
					index[strings.ToLower(value)] = u
				}
			}
			more = len(page) > 0
			return nil
		}); err != nil {
			return nil, err
		}
	}
	return index, nil
}

// LastDiscovery is the newest report of an application since the program began, nil when there is none.
func (s *Service) LastDiscovery(appID string) (*Discovery, error) {
	j, err := s.job(appID)
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.discovery, nil
}
