package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"entrasim/sim/scim"
)

// Limits are the numbers by which the service decides that a job is in trouble, and how it goes on. Microsoft calls the logic
// subject to change and publishes some of them only (application-provisioning-quarantine-status.md), and a company of ten
// never reaches them: so they can be set for each job.
type Limits struct {
	// More failures than these, open at once, quarantine a job: references apart, and all together.
	BaseEscrows, TotalEscrows int
	// Beyond so many failures a share of more than ProportionPercent of failed operations does.
	ProportionMinimum, ProportionPercent int
	PruneInitial                         bool // in an initial cycle the failures are dropped instead, and the job pauses
	UnhealthyInARow                      int  // operations without an answer before the probes are repeated
	// RetryFirst is doubled with each retry of an object, up to RetryLongest.
	RetryFirst, RetryLongest time.Duration
	// Attempts in quarantine, counted from its begin; the last step is then repeated until End.
	QuarantineAttempts []time.Duration
	// The same by reason: the target does not answer or refuses the token, too many operations failed, too many deletions.
	// Nil is QuarantineAttempts.
	ExceptionAttempts, ThresholdAttempts, DeletionAttempts []time.Duration
	QuarantineEnd                                          time.Duration
	// RequestsPerSecond leave at most at Entra's pace; so many a target is asked to bear
	// (use-scim-to-provision-users-and-groups.md).
	RequestsPerSecond int
}

// DefaultLimits are those of the documentation, where it names any.
func DefaultLimits() Limits {
	return Limits{
		BaseEscrows: 40_000, TotalEscrows: 60_000, ProportionMinimum: 5_000, ProportionPercent: 40, UnhealthyInARow: 10,
		RetryFirst: 40 * time.Minute, RetryLongest: 24 * time.Hour,
		QuarantineAttempts: []time.Duration{6 * time.Hour, 12 * time.Hour, 24 * time.Hour}, QuarantineEnd: 28 * 24 * time.Hour, RequestsPerSecond: 25,
	}
}

// Of are the limits as they hold for a quarantine of that reason. One capture shows an attempt five minutes later, where the
// Tenant URL was missing (resources/synchronization-synchronizationquarantine.md); the published table makes no difference.
func (l Limits) Of(reason QuarantineReason) Limits {
	own := l.ThresholdAttempts
	switch reason {
	case QuarantineException:
		own = l.ExceptionAttempts
	case QuarantineDeletes:
		own = l.DeletionAttempts
	}
	if own != nil {
		l.QuarantineAttempts = own
	}
	return l
}

// tuning is everything that a job's cycles go by beside its mappings. A cycle keeps the one that it began with.
type tuning struct {
	wire           scim.Options
	limits         Limits
	preventDeletes bool
	// deleteThreshold is how many objects a cycle may switch off or delete, when accidental deletions are prevented.
	deleteThreshold int
	lateMembers     bool // a change of a group looks at all of its members that the target was not told of
	entrasPace      bool // durations and rates are those of the real service
	skipOutOfScope  bool // who goes out of scope is left as it is (skip-out-of-scope-deletions.md)
	olderShape      bool // a job that was never started shows itself as in the older documents
	replaceSecrets  bool // credentials that a list of them leaves out go
}

// Switch is one setting of a job that decides a point on which Microsoft's documentation is silent, or on which targets
// differ. Values are texts.
type Switch struct {
	Name    string
	Choices []string // nil: any value of its kind
	Default string
	Text    string // one sentence
	Rule    string // the rule that it bends, "" when none has an id
	Kind    string // boolean, number, choice, text, duration or durations
	get     func(*tuning) string
	set     func(*tuning, string) error
}

// Switches lists every switch, wire first.
func Switches() []Switch { return slices.Clone(switches) }

// switches is the one table of them; scenario files, the portal and Graph read it.
var switches = defaulted(
	counting("memberBatch", "W-145", 1, 10_000, "Members in one request.", func(t *tuning) *int { return &t.wire.MemberBatch }),
	boolean("memberRefNull", "", "Members have an empty reference before their value.", func(t *tuning) *bool { return &t.wire.MemberRefNull }),
	boolean("singlePathless", "", "The compliant dialect writes a single attribute without a path too.", func(t *tuning) *bool { return &t.wire.SinglePathless }),
	choice("singleRoleForm", "", "How a single role is patched.", func(t *tuning) *string { return &t.wire.SingleRoleForm }, "path", "json"),
	boolean("rolePrimaryString", "", "The primary of a new user's roles is the text True.", func(t *tuning) *bool { return &t.wire.RolePrimaryString }),
	choice("managerForm", "", "How a manager is written.", func(t *tuning) *string { return &t.wire.ManagerForm }, "string", "object", "array"),
	choice("managerRemoval", "", "How the legacy dialect removes a manager.", func(t *tuning) *string { return &t.wire.ManagerRemoval }, "remove", "emptyString", "none"),
	choice("managerRemovalPath", "", "The path with which the compliant dialect removes a manager.", func(t *tuning) *string { return &t.wire.ManagerRemovalPath }, "urn", "bare"),
	choice("opChoice", "", "How Add and Replace are chosen: by what the target returned, or always one of them.", func(t *tuning) *string { return &t.wire.OpChoice }, "diff", "alwaysReplace", "alwaysAdd"),
	choice("nullFlow", "", "What a value that was cleared in the directory sends.", func(t *tuning) *string { return &t.wire.NullFlow }, "off", "remove", "emptyString"),
	boolean("postNulls", "", "A new object's attributes without a value are sent as null.", func(t *tuning) *bool { return &t.wire.PostNulls }),
	spelled("referenceCheck", "off", "", "The kinds of references that are asked for before they are written.", func(t *tuning) *string { return &t.wire.ReferenceCheck }, "off", "users", "groups", "both"),
	boolean("probeIdleCycles", "W-043", "A cycle without work probes the target as well.", func(t *tuning) *bool { return &t.wire.ProbeIdleCycles }),
	boolean("forwardTenantQuery", "", "The Tenant URL's own query is sent along with each request.", func(t *tuning) *bool { return &t.wire.ForwardTenantQuery }),
	boolean("strictTLS", "", "Plain HTTP is refused.", func(t *tuning) *bool { return &t.wire.StrictTLS }),
	boolean("escapeFilterValues", "", "Quotes and backslashes in filter values are escaped.", func(t *tuning) *bool { return &t.wire.EscapeFilterValues }),
	boolean("strictContentType", "", "Answers that are not application/scim+json are refused.", func(t *tuning) *bool { return &t.wire.StrictContentType }),
	spelled("accept", "none", "", "The value of the header Accept; none leaves it out, as a request recorded in 2022 does.", func(t *tuning) *string { return &t.wire.Accept }),
	spelled("adscimVersion", "none", "", "The value of the header ADSCIMVersion; none leaves it out.", func(t *tuning) *string { return &t.wire.ADSCIMVersion }),
	boolean("honourRetryAfter", "", "A 429 is waited out as long as it asks.", func(t *tuning) *bool { return &t.wire.HonourRetryAfter }),
	boolean("softDelete", "S-197", "The target can switch accounts off; when not, an application that maps no IsSoftDeleted sends DELETE.", func(t *tuning) *bool { return &t.wire.SoftDelete }),
	boolean("rematchMissing", "S-204", "A linked object that is gone from the target is matched and created anew.", func(t *tuning) *bool { return &t.wire.RematchMissing }),
	alternative("lateMembers", "S-287", "When a member that was out of scope joins at the target after it came into scope: with an initial cycle, or with any change of the group.", func(t *tuning) *bool { return &t.lateMembers }, "initial", "groupChange"),
	boolean("onDemandHonoursFlag", "", "Provision on demand follows the flag aadOptscim062020 of the Tenant URL.", func(t *tuning) *bool { return &t.wire.OnDemandHonoursFlag }),
	alternative("newJobShape", "S-020", "How a job that was never started shows itself: paused, with its interval, or as documents of 2019 print it, not configured, with the longest interval there is.", func(t *tuning) *bool { return &t.olderShape }, "2021", "2019"),
	alternative("secretsPut", "S-011", "What happens to credentials that a request which writes a list of them leaves out: they stay, or go.", func(t *tuning) *bool { return &t.replaceSecrets }, "merge", "replace"),
	alternative("pace", "S-055", "How fast a cycle goes: as fast as the target takes it, or as Microsoft says that its own cycles do, in virtual time.", func(t *tuning) *bool { return &t.entrasPace }, "target", "entra"),
	counting("requestsPerSecond", "S-055", 1, 10_000, "At Entra's pace, requests in a second at most.", func(t *tuning) *int { return &t.limits.RequestsPerSecond }),
	lasting("requestTimeout", "", time.Second, "How long an answer may take.", func(t *tuning) *time.Duration { return &t.wire.Timeout }),
	lasting("retryFirst", "S-144", time.Minute, "What an object that failed waits after its first retry is twice this, and doubles each time.", func(t *tuning) *time.Duration { return &t.limits.RetryFirst }),
	lasting("retryLongest", "S-144", time.Minute, "The longest that it waits.", func(t *tuning) *time.Duration { return &t.limits.RetryLongest }),
	counting("unhealthyInARow", "S-150", 1, 100_000, "Operations in a row without an answer that repeat the probe.", func(t *tuning) *int { return &t.limits.UnhealthyInARow }),
	counting("escrowsBase", "S-164", 0, 1_000_000_000, "More failures of objects than this quarantine the job.", func(t *tuning) *int { return &t.limits.BaseEscrows }),
	counting("escrowsTotal", "S-165", 0, 1_000_000_000, "More failures than this, references included, quarantine the job.", func(t *tuning) *int { return &t.limits.TotalEscrows }),
	counting("escrowsMinimum", "S-163", 0, 1_000_000_000, "From so many failures of objects on their share counts.", func(t *tuning) *int { return &t.limits.ProportionMinimum }),
	counting("escrowsPercent", "S-164", 0, 100, "A larger share of failed operations than this, in percent, quarantines the job.", func(t *tuning) *int { return &t.limits.ProportionPercent }),
	alternative("initialThreshold", "S-169", "What too many failures in an initial cycle do.", func(t *tuning) *bool { return &t.limits.PruneInitial }, "quarantine", "prune"),
	series("quarantineAttempts", "", "S-170", "When the job is tried again in quarantine, counted from its begin; then once a day.", func(t *tuning) *[]time.Duration { return &t.limits.QuarantineAttempts }),
	series("exceptionAttempts", "same", "S-170", "The same where the target gives no answer or refuses the token; same is quarantineAttempts.", func(t *tuning) *[]time.Duration { return &t.limits.ExceptionAttempts }),
	series("thresholdAttempts", "same", "S-170", "The same where too many operations failed.", func(t *tuning) *[]time.Duration { return &t.limits.ThresholdAttempts }),
	series("deletionAttempts", "same", "S-170", "The same where deletions are held back.", func(t *tuning) *[]time.Duration { return &t.limits.DeletionAttempts }),
	lasting("quarantineEnd", "S-173", time.Hour, "How long a quarantine lasts until the job is disabled.", func(t *tuning) *time.Duration { return &t.limits.QuarantineEnd }),
)

func defaulted(list ...Switch) []Switch {
	t := tuning{wire: scim.DefaultOptions(), limits: DefaultLimits()}
	for i := range list {
		list[i].Default = list[i].get(&t)
	}
	return list
}

func boolean(name, rule, text string, at func(*tuning) *bool) Switch {
	return alternative(name, rule, text, at, "false", "true")
}

// alternative is a choice of two, the second of which is true.
func alternative(name, rule, text string, at func(*tuning) *bool, no, yes string) Switch {
	kind := "choice"
	if yes == "true" {
		kind = "boolean"
	}
	return Switch{Name: name, Rule: rule, Text: text, Kind: kind, Choices: []string{no, yes},
		get: func(t *tuning) string {
			if *at(t) {
				return yes
			}
			return no
		},
		set: func(t *tuning, v string) error {
			*at(t) = v == yes
			return nil
		}}
}

func choice(name, rule, text string, at func(*tuning) *string, choices ...string) Switch {
	return spelled(name, "", rule, text, at, choices...)
}

// spelled is a text, one of choices when there are any; the word empty stands for none.
func spelled(name, empty, rule, text string, at func(*tuning) *string, choices ...string) Switch {
	kind := "choice"
	if choices == nil {
		kind = "text"
	}
	return Switch{Name: name, Rule: rule, Text: text, Kind: kind, Choices: choices,
		get: func(t *tuning) string {
			if *at(t) == "" {
				return empty
			}
			return *at(t)
		},
		set: func(t *tuning, v string) error {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' || r > '~' }) {
				return fmt.Errorf("is no plain text")
			}
			if v == empty {
				v = ""
			}
			*at(t) = v
			return nil
		}}
}

func counting(name, rule string, least, most int, text string, at func(*tuning) *int) Switch {
	return Switch{Name: name, Rule: rule, Text: text, Kind: "number",
		get: func(t *tuning) string { return strconv.Itoa(*at(t)) },
		set: func(t *tuning, v string) error {
			n, err := strconv.Atoi(v)
			if err != nil || n < least || n > most {
				return fmt.Errorf("is no whole number from %d to %d", least, most)
			}
			*at(t) = n
			return nil
		}}
}

func lasting(name, rule string, least time.Duration, text string, at func(*tuning) *time.Duration) Switch {
	return Switch{Name: name, Rule: rule, Text: text, Kind: "duration",
		get: func(t *tuning) string { return durationText(*at(t)) },
		set: func(t *tuning, v string) error {
			d, err := parseSpan(v)
			if err != nil || d < least {
				return fmt.Errorf("is no duration of at least %s, such as 90s, 40m, 6h or 28d", durationText(least))
			}
			*at(t) = d
			return nil
		}}
}

// series is an ascending list of durations; the word empty, when there is one, stands for none.
func series(name, empty, rule, text string, at func(*tuning) *[]time.Duration) Switch {
	return Switch{Name: name, Rule: rule, Text: text, Kind: "durations",
		get: func(t *tuning) string {
			if len(*at(t)) == 0 {
				return empty
			}
			words := make([]string, len(*at(t)))
			for i, d := range *at(t) {
				words[i] = durationText(d)
			}
			return strings.Join(words, " ")
		},
		set: func(t *tuning, v string) error {
			var list []time.Duration
			if empty != "" && v == empty {
				*at(t) = nil
				return nil
			}
			for _, word := range strings.Fields(strings.ReplaceAll(v, ",", " ")) {
				d, err := parseSpan(word)
				if err != nil || d < time.Minute || len(list) > 0 && d <= list[len(list)-1] || len(list) == 50 {
					return fmt.Errorf("is no ascending list of durations, such as 6h 12h 24h")
				}
				list = append(list, d)
			}
			if list == nil {
				return fmt.Errorf("is empty: give durations, such as 6h 12h 24h")
			}
			*at(t) = list
			return nil
		}}
}

// parseSpan reads a duration of Go's, or whole days.
func parseSpan(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > 36500 {
			return 0, fmt.Errorf("%q is no number of days", days)
		}
		return time.Duration(n) * 24 * time.Hour, nil
	}
	return time.ParseDuration(text)
}

// durationText is the shortest text that parseSpan reads back.
func durationText(d time.Duration) string {
	switch {
	case d > 24*time.Hour && d%(24*time.Hour) == 0:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	case d > 0 && d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d > 0 && d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return d.String()
}

// switchOf finds a switch by its name.
func switchOf(name string) (Switch, bool) {
	i := slices.IndexFunc(switches, func(w Switch) bool { return w.Name == name })
	if i < 0 {
		return Switch{}, false
	}
	return switches[i], true
}

// IsSwitch reports whether there is a switch of that name.
func IsSwitch(name string) bool {
	_, ok := switchOf(name)
	return ok
}

// CheckSwitch says what is wrong with a switch's value, as SettingsEdit takes it.
func CheckSwitch(name, value string) error {
	return (&job{options: map[string]string{}}).flip(map[string]string{name: value})
}

// flip writes switches into a job's options; an empty value, and the default, take one away. j.mu is held.
func (j *job) flip(values map[string]string) error {
	var probe tuning
	for name, v := range values {
		w, ok := switchOf(name)
		if !ok {
			return invalid(name, fmt.Sprintf("There is no switch %q.", name), "")
		}
		v = strings.TrimSpace(v)
		switch {
		case v == "":
			v = w.Default
		case w.Choices != nil && !slices.Contains(w.Choices, v):
			return invalid(name, fmt.Sprintf("%q is none of its values.", v), "Choose "+strings.Join(w.Choices, ", ")+".")
		}
		if err := w.set(&probe, v); err != nil {
			return invalid(name, fmt.Sprintf("%q %v.", v, err), "")
		}
		if v = w.get(&probe); v == w.Default {
			delete(j.options, name)
			continue
		}
		j.options[name] = v
	}
	return nil
}

// tune works out what a job's cycles go by; j.mu is held. Options hold what flip let pass.
func (s *Service) tune(j *job) *tuning {
	t := &tuning{wire: s.wire, limits: DefaultLimits()}
	for name, v := range j.options {
		if w, ok := switchOf(name); ok && w.set(t, v) != nil {
			s.log.Warn("a switch of the data file is not known to this version", "job", j.cfg.ID, "switch", name)
		}
	}
	set := s.settings(j)
	t.preventDeletes, t.deleteThreshold, t.skipOutOfScope = set.PreventDeletes, set.DeleteThreshold, set.SkipOutOfScopeDeletions
	return t
}

// Limits are the numbers that the job goes by.
func (s Settings) Limits() Limits {
	t := tuning{limits: DefaultLimits()}
	for name, v := range s.Switches {
		if w, ok := switchOf(name); ok && w.set(&t, v) != nil {
			continue // flip let it pass; the default stands
		}
	}
	return t.limits
}
