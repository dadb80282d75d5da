package sim

// Settings are what an administrator configured for a job; the secret token is not among them.
type Settings struct {
	TenantURL string `json:"tenantUrl"` // as entered; an address on this program's own listener follows the listener
	HasToken  bool   `json:"hasToken"`
	Scope     Scope  `json:"scope"`
	// NotificationEmail is where mails about quarantine would go; NotificationEnabled whether they do.
	NotificationEmail   string `json:"notificationEmail"`
	NotificationEnabled bool   `json:"notificationEnabled"`
}

// SettingsEdit changes settings; a nil member is left alone.
type SettingsEdit struct {
	TenantURL, SecretToken *string
	Scope                  *Scope
	NotificationEmail      *string
	NotificationEnabled    *bool
}
