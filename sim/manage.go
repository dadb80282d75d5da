package sim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
	"entrasim/sim/scim"
)

// The credential keys that this service acts on (resources/synchronization-synchronizationsecretkeystringvaluepair.md).
const (
	secretBaseAddress   = "BaseAddress"
	secretToken         = "SecretToken"
	secretSyncAll       = "SyncAll"
	secretNotifications = "SyncNotificationSettings"
	secretSkipOut       = "SkipOutOfScopeDeletions"

	// optionDeletes is a setting of the job (application-provisioning-configuration-api.md).
	optionDeletes = "QuarantineTooManyDeletesThreshold"
)

// notifications is the value of SyncNotificationSettings.
type notifications struct {
	Enabled                bool   `json:"Enabled"`
	Recipients             string `json:"Recipients,omitempty"`
	DeleteThresholdEnabled bool   `json:"DeleteThresholdEnabled"`
	DeleteThresholdValue   *int   `json:"DeleteThresholdValue,omitempty"`
}

func (s *Service) settings(j *job) Settings {
	var n notifications
	if text := j.secrets[secretNotifications]; text != "" && json.Unmarshal([]byte(text), &n) != nil {
		n = notifications{}
	}
	set := Settings{
		TenantURL: s.presentURL(j.secrets[secretBaseAddress]), HasToken: j.secrets[secretToken] != "",
		Scope: SyncAssigned, NotificationEmail: n.Recipients, NotificationEnabled: n.Enabled,
		PreventDeletes: n.DeleteThresholdEnabled, DeleteThreshold: DefaultDeleteThreshold,
		SkipOutOfScopeDeletions: isTrue(j.secrets[secretSkipOut]), Switches: map[string]string{},
	}
	switch limit, err := strconv.Atoi(j.options[optionDeletes]); {
	case n.DeleteThresholdValue != nil && *n.DeleteThresholdValue >= 0:
		set.DeleteThreshold = *n.DeleteThresholdValue
	case err == nil && limit >= 0:
		set.DeleteThreshold = limit
	}
	for name, v := range j.options {
		if _, ok := switchOf(name); ok {
			set.Switches[name] = v
		}
	}
	if strings.EqualFold(j.secrets[secretSyncAll], "true") {
		set.Scope = SyncAll
	}
	return set
}

// apply writes an edit into the secrets; it reports whether the credentials changed. A tenant URL that is none is refused.
func (s *Service) apply(j *job, edit SettingsEdit) (credentials bool, err error) {
	if edit.TenantURL != nil {
		url := strings.TrimSpace(*edit.TenantURL)
		if url != "" {
			if _, err := endpointOf(j.cfg.TemplateID, s.presentURL(url)); err != nil {
				return false, invalid("tenantUrl", err.Error(), "")
			}
			url = s.storedURL(url)
		}
		credentials = credentials || j.secrets[secretBaseAddress] != url
		setSecret(j.secrets, secretBaseAddress, url)
	}
	if edit.SecretToken != nil {
		token := strings.TrimSpace(*edit.SecretToken)
		if !utf8.ValidString(token) {
			return false, invalid("secretToken", "The secret token holds bytes that are no text.", "Paste the token alone, without the word Bearer.")
		}
		if strings.ContainsAny(token, "\r\n") {
			return false, invalid("secretToken", "The secret token spans several lines.", "Paste the token alone, without the word Bearer.")
		}
		credentials = credentials || j.secrets[secretToken] != token
		setSecret(j.secrets, secretToken, token)
	}
	if edit.Scope != nil {
		switch *edit.Scope {
		case SyncAll:
			if j.set != nil && j.set.UsesRoles() {
				return false, invalid("scope", "Sync all users and groups does not go with app roles, which "+j.set.RoleTarget()+" is mapped from.",
					"Delete that mapping first, or keep Sync only assigned users and groups.")
			}
			j.secrets[secretSyncAll] = "True"
		case SyncAssigned:
			j.secrets[secretSyncAll] = "False"
		default:
			return false, invalid("scope", fmt.Sprintf("Scope %q is unknown.", *edit.Scope), "Choose assigned or all.")
		}
	}
	if edit.SkipOutOfScope != nil {
		j.secrets[secretSkipOut] = "False"
		if *edit.SkipOutOfScope {
			j.secrets[secretSkipOut] = "True"
		}
	}
	if err := j.flip(edit.Switches); err != nil {
		return false, err
	}
	if edit.DeleteThreshold != nil && (*edit.DeleteThreshold < 0 || *edit.DeleteThreshold > 1_000_000_000) {
		return false, invalid("deleteThreshold", "The threshold is a number of objects.", "Enter 0 or more.")
	}
	if edit.NotificationEmail != nil || edit.NotificationEnabled != nil || edit.PreventDeletes != nil || edit.DeleteThreshold != nil {
		var n notifications
		if text := j.secrets[secretNotifications]; text != "" {
			if err := json.Unmarshal([]byte(text), &n); err != nil {
				n = notifications{}
			}
		}
		if edit.NotificationEmail != nil {
			n.Recipients = strings.TrimSpace(*edit.NotificationEmail)
		}
		if edit.NotificationEnabled != nil {
			n.Enabled = *edit.NotificationEnabled
		}
		if edit.PreventDeletes != nil {
			n.DeleteThresholdEnabled = *edit.PreventDeletes
		}
		if edit.DeleteThreshold != nil {
			n.DeleteThresholdValue = edit.DeleteThreshold
			j.options[optionDeletes] = strconv.Itoa(*edit.DeleteThreshold)
		}
		text, err := json.Marshal(n)
		if err != nil {
			return false, err
		}
		j.secrets[secretNotifications] = string(text)
	}
	return credentials, nil
}

// isTrue reads a switch among the credentials: True, in any case, or 1.
func isTrue(text string) bool { return strings.EqualFold(text, "true") || text == "1" }

func setSecret(secrets map[string]string, k, v string) {
	if v == "" {
		delete(secrets, k)
		return
	}
	secrets[k] = v
}

// CreateJob makes the provisioning job of an application from the non-gallery template: default mappings, not started. An
// application has at most one job; a second is directory.Conflict.
func (s *Service) CreateJob(appID string, edit SettingsEdit) (Job, error) {
	return s.CreateJobOf(appID, TemplateSCIM, edit)
}

// CreateJobOf does the same from a named template: TemplateSCIM or TemplateCustomAppSSO.
func (s *Service) CreateJobOf(appID, template string, edit SettingsEdit) (Job, error) {
	if template != TemplateSCIM && template != TemplateCustomAppSSO {
		return Job{}, invalid("templateId", fmt.Sprintf("There is no template %q.", template), "Choose "+TemplateSCIM+" or "+TemplateCustomAppSSO+".")
	}
	app, err := s.Application(appID)
	if err != nil {
		return Job{}, err
	}
	j := newJob(app.Num)
	tenant := s.dir.Tenant()
	j.cfg = jobConfig{
		ID:         fmt.Sprintf("%s.%s.%s", template, strings.ReplaceAll(tenant.ID, "-", ""), app.AppID),
		TemplateID: template, AppID: app.ID, Name: app.DisplayName, Created: s.clock.Now(),
	}
	j.state = jobState{Schedule: ScheduleDisabled, Interval: Interval}
	s.shape.Lock()
	defer s.shape.Unlock()
	if j.secrets, err = s.waiting(app); err != nil {
		return Job{}, err
	}
	if url := j.secrets[secretBaseAddress]; url != "" && edit.TenantURL == nil { // put when the job's template was not known
		if _, err := endpointOf(template, s.presentURL(url)); err != nil {
			return Job{}, invalid("tenantUrl", err.Error(), "")
		}
	}
	if _, err := s.apply(j, edit); err != nil {
		return Job{}, err
	}
	j.schema = mapping.Default()
	if j.set, err = mapping.Compile(j.schema); err != nil {
		return Job{}, err
	}
	if s.jobOf(app.Num) != nil {
		return Job{}, &directory.Error{Code: directory.Conflict, Message: app.DisplayName + " has a provisioning job already.",
			Hint: "Edit its settings, or delete it first."}
	}
	if _, err := s.Application(appID); err != nil { // deleted meanwhile
		return Job{}, err
	}
	note := s.auditRecord(app, "Add provisioning configuration", "", nil)
	var o owner
	err = s.update(func(tx *bbolt.Tx) error {
		b, err := createJobBuckets(tx, app.Num)
		if err != nil {
			return err
		}
		if err := putValue(b, keyConfig, j.cfg); err != nil {
			return err
		}
		if err := j.saveSettings(b); err != nil {
			return err
		}
		if err := putValue(b, keyState, j.state); err != nil {
			return err
		}
		if err := putAudit(tx, &note); err != nil {
			return err
		}
		if err := dropWaiting(tx, app.Num); err != nil {
			return err
		}
		if o, err = putOwner(tx, app.Num, j.cfg); err != nil {
			return err
		}
		return b.Put(keySchema, encodeSchema(j.schema))
	})
	if err != nil {
		return Job{}, err
	}
	s.keepOwner(app.Num, o)
	s.mu.Lock()
	s.jobs[app.Num] = j
	s.mu.Unlock()
	s.jobChanged(j)
	s.audited(&note)
	return s.view(j), nil
}

// change runs f on a locked job and commits it with an audit record; f's error changes nothing.
func (s *Service) change(appID, activity, detail string, f func(j *job, tx *bbolt.Tx) error) error {
	app, err := s.Application(appID)
	if err != nil {
		return err
	}
	j, err := s.job(appID)
	if err != nil {
		return err
	}
	j.mu.Lock()
	if j.deleted {
		j.mu.Unlock()
		return noJob(app)
	}
	before, secrets, options := j.state, clone(j.secrets), clone(j.options)
	note := s.auditRecord(app, activity, detail, nil)
	err = s.update(func(tx *bbolt.Tx) error {
		if err := f(j, tx); err != nil {
			return err
		}
		j.dirty = true
		if err := j.save(tx); err != nil {
			return err
		}
		return putAudit(tx, &note)
	})
	if err != nil {
		j.state, j.secrets, j.options = before, secrets, options
	}
	s.schedule(j)
	j.mu.Unlock()
	if err != nil {
		return err
	}
	s.jobChanged(j)
	s.audited(&note)
	return nil
}

// UpdateSettings changes settings of a job. Credentials, also the same ones again, the deletion threshold and switches make the
// next attempt of a job in quarantine due at once; a change of scope takes effect with the next restart (known-issues.md).
func (s *Service) UpdateSettings(appID string, edit SettingsEdit) error {
	return s.change(appID, "Update provisioning setting or credentials", edit.told(), func(j *job, tx *bbolt.Tx) error {
		credentials, err := s.apply(j, edit)
		if err != nil {
			return err
		}
		if credentials || edit.SecretToken != nil || edit.TenantURL != nil || edit.PreventDeletes != nil || edit.DeleteThreshold != nil || edit.Switches != nil {
			s.renewed(j)
		}
		return j.saveSettings(jobBucket(tx, j.num))
	})
}

// NameSettings writes settings of a job by name; those that are not given stay. The service acts on its switches and on
// QuarantineTooManyDeletesThreshold; others are kept for whoever reads them
// (resources/synchronization-synchronizationjob.md, synchronizationJobSettings).
func (s *Service) NameSettings(appID string, values map[string]string) error {
	return s.change(appID, "Update provisioning setting or credentials", "Settings: "+strings.Join(slices.Sorted(maps.Keys(values)), ", "), func(j *job, tx *bbolt.Tx) error {
		named, flipped := map[string]string{}, map[string]string{}
		maps.Copy(named, j.state.Named)
		for name, v := range values {
			switch {
			case IsSwitch(name):
				flipped[name] = v
			case name == optionDeletes:
				if n, err := strconv.Atoi(v); err != nil || n < 0 {
					return invalid(name, fmt.Sprintf("%q is no number of objects.", v), "")
				}
				j.options[name] = v
			default:
				named[name] = v
			}
		}
		if err := j.flip(flipped); err != nil {
			return err
		}
		j.state.Named = named
		s.renewed(j)
		return j.saveSettings(jobBucket(tx, j.num))
	})
}

// named are the settings of a job by name: those that were given, and those of the service that differ from their defaults.
func (j *job) named() map[string]string {
	all := map[string]string{}
	maps.Copy(all, j.state.Named)
	maps.Copy(all, j.options)
	return all
}

// saveSettings writes what an administrator configured; j.mu is held.
func (j *job) saveSettings(b *bbolt.Bucket) error {
	if err := putValue(b, keySecrets, j.secrets); err != nil {
		return err
	}
	return putValue(b, keyOptions, j.options)
}

// Start begins or resumes a job's cycles: the first one is an initial cycle, later ones go on from the watermark. It lifts
// a quarantine; on a job that runs it does nothing (api/synchronization-synchronizationjob-start.md).
func (s *Service) Start(appID string) error {
	return s.change(appID, "Enable/start provisioning configuration", "", func(j *job, _ *bbolt.Tx) error {
		if j.state.Schedule == ScheduleActive && j.state.Quarantine == nil {
			return nil
		}
		j.state.Schedule, j.state.Quarantine, j.state.Failures = ScheduleActive, nil, 0
		j.state.Next = s.clock.Now()
		return nil
	})
}

// Pause withholds further cycles; the one that runs ends normally (known-issues.md), though it does not wait for a target that
// asks it to. Watermark, links and escrows stay.
func (s *Service) Pause(appID string) error {
	return s.change(appID, "Disable/pause provisioning configuration", "", func(j *job, tx *bbolt.Tx) error {
		j.state.Schedule, j.state.Next = SchedulePaused, time.Time{}
		tx.OnCommit(j.hurry)
		return nil
	})
}

// Restart drops what r names and makes a cycle due at once, which is an initial one when the watermark goes. A running
// cycle stops behind the objects in flight (resources/synchronization-synchronizationjobrestartcriteria.md).
func (s *Service) Restart(appID string, r ResetScope) error {
	return s.change(appID, "Enable/restart provisioning configuration", "resetScope: "+r.String(), func(j *job, tx *bbolt.Tx) error {
		b := jobBucket(tx, j.num)
		if r.ConnectorDataStore {
			if err := clearBuckets(b, bucketLinks, bucketAnchors, bucketAgain, bucketEdges, bucketMemberships, bucketOwed, bucketDeparted, bucketHeld); err != nil {
				return err
			}
			j.state.forgetEndless(false)
			j.state.Users, j.state.Groups, j.state.Owed, j.state.Held = 0, 0, 0, 0
			j.state.Stores++
			tx.OnCommit(func() { j.halt(errRestarted) })
		}
		if r.Escrows {
			if err := clearBuckets(b, bucketEscrows, bucketDue); err != nil {
				return err
			}
			j.state.Escrows, j.state.RefEscrows = 0, 0
			j.state.forgetEndless(true)
		}
		if r.Watermark {
			j.resetWatermark()
			j.state.Scope = s.settings(j).Scope
			tx.OnCommit(func() { j.halt(errRestarted) })
		}
		if r.ForceDeletes && j.state.Held > 0 {
			if err := allowHeld(b); err != nil {
				return err
			}
			j.state.Forced++
		}
		if r.QuarantineState {
			j.state.Quarantine, j.state.Failures = nil, 0
		}
		j.state.Schedule, j.state.Next = ScheduleActive, s.clock.Now()
		return nil
	})
}

// resetWatermark makes the next cycle an initial one; j.mu is held.
func (j *job) resetWatermark() {
	j.state.HasWatermark, j.state.Watermark = false, 0
	j.state.Resets++
}

func clearBuckets(b *bbolt.Bucket, names ...[]byte) error {
	for _, name := range names {
		if err := b.DeleteBucket(name); err != nil {
			return err
		}
		if _, err := b.CreateBucket(name); err != nil {
			return err
		}
	}
	return nil
}

// DeleteJob stops a job and destroys its links, escrows, watermark and secrets; log records stay. It waits for the requests
// in flight, at most a second.
func (s *Service) DeleteJob(appID string) error {
	s.shape.Lock()
	defer s.shape.Unlock()
	app, err := s.Application(appID)
	if err != nil {
		return err
	}
	return s.destroy(app)
}

// destroy deletes the job of an application; s.shape is held.
func (s *Service) destroy(app Application) error {
	j := s.jobOf(app.Num)
	if j == nil {
		return noJob(app)
	}
	s.retire(j)
	s.mu.Lock()
	delete(s.jobs, app.Num)
	s.mu.Unlock()
	if err := j.take(context.Background()); err != nil {
		return err
	}
	defer j.release()
	note := s.auditRecord(app, "Delete provisioning configuration", "", nil)
	err := s.update(func(tx *bbolt.Tx) error {
		if err := tx.Bucket(bucketSim).Bucket(bucketJobs).DeleteBucket(key(app.Num)); err != nil {
			return err
		}
		return putAudit(tx, &note)
	})
	if err != nil {
		s.revive(j)
		return err
	}
	j.close()
	s.jobChanged(j)
	s.audited(&note)
	return nil
}

// Schema returns a copy of a job's synchronization schema.
func (s *Service) Schema(appID string) (*mapping.Schema, error) {
	j, err := s.job(appID)
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	data := j.schema.JSON()
	j.mu.Unlock()
	return mapping.Parse(data)
}

// SetSchema replaces the synchronization schema of a job. A schema that is not valid is refused and changes nothing. The
// next cycle is an initial one; a cycle that runs ends on the old schema (export-import-provisioning-configuration.md). A job in
// quarantine leaves it, and returns when the cause remains (application-provisioning-quarantine-status.md).
func (s *Service) SetSchema(appID string, schema *mapping.Schema) error {
	return s.setSchema(appID, schema, true)
}

// RestoreDefaultMappings puts the template's mappings back (customize-application-attributes.md).
func (s *Service) RestoreDefaultMappings(appID string) error {
	return s.setSchema(appID, mapping.Default(), true)
}

func (s *Service) setSchema(appID string, schema *mapping.Schema, audited bool) error {
	if err := schema.Validate(); err != nil {
		return err
	}
	set, err := mapping.Compile(schema) // once for the job: objects are mapped by what this gives
	if err != nil {
		return err
	}
	activity := "Update attribute mappings or scope"
	if !audited {
		activity = ""
	}
	return s.change(appID, activity, "", func(j *job, tx *bbolt.Tx) error {
		if s.settings(j).Scope == SyncAll && set.UsesRoles() {
			return invalid("scope", "App roles, which "+set.RoleTarget()+" is mapped from, do not go with Sync all users and groups.",
				"Choose Sync only assigned users and groups first (customize-application-attributes.md).")
		}
		data := encodeSchema(schema)
		fresh, err := mapping.Parse(data)
		if err != nil {
			return err
		}
		if err := jobBucket(tx, j.num).Put(keySchema, data); err != nil {
			return err
		}
		tx.OnCommit(func() { j.schema, j.set = fresh, set })
		if j.state.HasWatermark || j.state.Running != nil {
			j.resetWatermark()
		}
		if j.state.Quarantine != nil && j.state.Schedule == ScheduleActive { // it restarts the job
			j.state.Quarantine, j.state.Failures, j.state.Next = nil, 0, s.clock.Now()
		}
		return nil
	})
}

// TestConnection sends the probes to a target without changing anything. Credentials that are nil are the saved ones. The
// error is a *scim.Error in the words of Test Connection.
func (s *Service) TestConnection(ctx context.Context, appID string, tenantURL, token *string) error {
	set, err := mapping.Compile(mapping.Default())
	if err != nil {
		return err
	}
	app, err := s.Application(appID)
	if err != nil {
		return err
	}
	url, secret, template, wire := "", "", TemplateSCIM, s.wire
	j := s.jobOf(app.Num)
	if j != nil {
		j.mu.Lock()
		url, secret, set, template = s.presentURL(j.secrets[secretBaseAddress]), j.secrets[secretToken], j.set, j.cfg.TemplateID
		wire = s.tune(j).wire
		j.mu.Unlock()
	} else {
		saved, err := s.waiting(app)
		if err != nil {
			return err
		}
		url, secret = s.presentURL(saved[secretBaseAddress]), saved[secretToken]
	}
	if tenantURL != nil {
		url = s.presentURL(s.storedURL(strings.TrimSpace(*tenantURL)))
	}
	if token != nil {
		secret = strings.TrimSpace(*token)
	}
	client, err := s.newClient(template, url, secret, wire, nil)
	if err != nil {
		return err
	}
	defer client.Close()
	tag := scim.Tag{Reason: "Test connection asks for a user that can't exist.", Rules: []string{"W-040"}}
	if j != nil {
		tag.Job = j.cfg.ID
	}
	if err := probe(ctx, client, set, tag, func(kind string) string {
		return guid(s.opt.Seed, "test connection", tag.Job, kind, s.traffic.last())
	}); err != nil {
		var e *scim.Error
		if errors.As(err, &e) {
			return scim.TestConnectionError(e)
		}
		return err
	}
	return nil
}
