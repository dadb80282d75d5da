// Package rules is the project's own table of what Microsoft Entra provisioning does: one row per rule, in our words,
// with the page that says so and how sure we are. Decisions carry rule ids; the log, the recorded exchanges and the
// portal read the sentences from here. A new behaviour begins with a row in table.go. transitions.go and features.go list
// the ways of a job and the features of the service; scenarios and tests say what they show by the ids of all three.
package rules

import "sort"

// Confidence says how well a rule is known.
type Confidence string

// The three degrees of confidence.
const (
	Documented Confidence = "documented" // Microsoft's documentation states it
	Observed   Confidence = "observed"   // seen in real traffic, or said in public by Microsoft staff
	Inferred   Confidence = "inferred"   // follows from the others or fills a gap
)

// Rule is one row of the table.
type Rule struct {
	ID         string // S-… for what the service decides, W-… for what stands on the wire
	Text       string // one sentence
	Source     string // the page, in the documentation's repository, or what kind of observation
	Confidence Confidence
}

var byID = func() map[string]Rule {
	m := make(map[string]Rule, len(table))
	for _, r := range table {
		m[r.ID] = r
	}
	return m
}()

// Get returns the rule with the given id.
func Get(id string) (Rule, bool) {
	r, ok := byID[id]
	return r, ok
}

// All returns every rule, by id.
func All() []Rule {
	all := append([]Rule(nil), table...)
	sort.Slice(all, func(i, k int) bool { return all[i].ID < all[k].ID })
	return all
}
