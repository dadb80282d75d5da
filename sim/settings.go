package sim

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
