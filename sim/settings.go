package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Settings are what an administrator configured for a job; the secret token is not among them.
type Settings struct {
	TenantURL string `json:"tenantUrl"` // as entered; an address on this program's own listener follows the listener
	HasToken  bool   `json:"hasToken"`
	Scope     Scope  `json:"scope"`
	// NotificationEmail is where mails about quarantine would go; NotificationEnabled whether they do.
	NotificationEmail   string `json:"notificationEmail"`
	NotificationEnabled bool   `json:"notificationEnabled"`
	// PreventDeletes holds a cycle back that would switch off or delete more than DeleteThreshold objects
	// (accidental-deletions.md).
	PreventDeletes  bool `json:"preventAccidentalDeletions"`
	DeleteThreshold int  `json:"deleteThreshold"`
	// SkipOutOfScopeDeletions leaves who goes out of scope as it is (skip-out-of-scope-deletions.md).
	SkipOutOfScopeDeletions bool `json:"skipOutOfScopeDeletions"`
	// Switches are those that differ from their defaults.
	Switches map[string]string `json:"switches"`
}

// SettingsEdit changes settings; a nil member is left alone.
type SettingsEdit struct {
	TenantURL, SecretToken *string
	Scope                  *Scope
	NotificationEmail      *string
	NotificationEnabled    *bool
	PreventDeletes         *bool
	DeleteThreshold        *int // 0 holds back the first deletion
	SkipOutOfScope         *bool
	Switches               map[string]string // by name; an empty value is the default
}

// told names what an edit changes, for the audit log. Secrets are named and not shown.
func (e SettingsEdit) told() string {
	var parts []string
	say := func(given bool, format string, args ...any) {
		if given {
			parts = append(parts, fmt.Sprintf(format, args...))
		}
	}
	say(e.TenantURL != nil, "Tenant URL")
	say(e.SecretToken != nil, "Secret token")
	if e.Scope != nil {
		say(true, "Scope: %s", *e.Scope)
	}
	say(e.NotificationEmail != nil || e.NotificationEnabled != nil, "Notification email")
	if e.PreventDeletes != nil {
		say(true, "Prevent accidental deletions: %t", *e.PreventDeletes)
	}
	if e.DeleteThreshold != nil {
		say(true, "Threshold: %d", *e.DeleteThreshold)
	}
	if e.SkipOutOfScope != nil {
		say(true, "SkipOutOfScopeDeletions: %t", *e.SkipOutOfScope)
	}
	for _, name := range slices.Sorted(maps.Keys(e.Switches)) {
		if w, ok := switchOf(name); ok && e.Switches[name] != w.Default && e.Switches[name] != "" {
			say(true, "%s: %s", name, e.Switches[name])
		}
	}
	return strings.Join(parts, ", ")
}
