package sim

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"go.etcd.io/bbolt"
)

// Secrets returns the credentials of an application by their keys, secret ones included: whoever shows them masks them
// (resources/synchronization-synchronizationsecretkeystringvaluepair.md). Without a job they are those that wait for one.
func (s *Service) Secrets(appID string) (map[string]string, error) {
	app, err := s.Application(appID)
	if err != nil {
		return nil, err
	}
	var out map[string]string
	if j := s.jobOf(app.Num); j != nil {
		j.mu.Lock()
		out = maps.Clone(j.secrets)
		j.mu.Unlock()
	} else if out, err = s.waiting(app); err != nil {
		return nil, err
	}
	if url, ok := out[secretBaseAddress]; ok {
		out[secretBaseAddress] = s.presentURL(url)
	}
	return out, nil
}

// waiting reads the secrets that were put before the application has a job.
func (s *Service) waiting(app Application) (map[string]string, error) {
	out := map[string]string{}
	err := s.db.View(func(tx *bbolt.Tx) error {
		_, err := getValue(tx.Bucket(bucketSim).Bucket(bucketWaiting), key(app.Num), &out)
		return err
	})
	return out, err
}

// putWaiting keeps secrets for the job that the application gets later; s.shape is held.
func (s *Service) putWaiting(app Application, values map[string]*string) error {
	j := newJob(app.Num)
	j.cfg.TemplateID = TemplateSCIM
	var err error
	if j.secrets, err = s.waiting(app); err != nil {
		return err
	}
	if _, err := s.applySecrets(j, given(values)); err != nil {
		return err
	}
	note := s.auditRecord(app, "Update provisioning setting or credentials", "", nil)
	if err := s.update(func(tx *bbolt.Tx) error {
		if err := putValue(tx.Bucket(bucketSim).Bucket(bucketWaiting), key(app.Num), j.secrets); err != nil {
			return err
		}
		return putAudit(tx, &note)
	}); err != nil {
		return err
	}
	s.audited(&note)
	return nil
}

func dropWaiting(tx *bbolt.Tx, app uint64) error {
	return tx.Bucket(bucketSim).Bucket(bucketWaiting).Delete(key(app))
}

// PutSecrets writes credentials of an application by their keys: those given are written, an empty value removes a key,
// nil leaves what is stored. Others stay, unless the job's switch secretsPut has them go. Keys that the service acts on are
// checked as UpdateSettings does. Without a job they wait for one.
func (s *Service) PutSecrets(appID string, values map[string]*string) error {
	app, err := s.Application(appID)
	if err != nil {
		return err
	}
	s.shape.Lock() // no job comes or goes meanwhile
	defer s.shape.Unlock()
	if s.jobOf(app.Num) == nil {
		return s.putWaiting(app, values)
	}
	return s.change(appID, "Update provisioning setting or credentials", "Secrets: "+strings.Join(slices.Sorted(maps.Keys(values)), ", "), func(j *job, tx *bbolt.Tx) error {
		edit := given(values)
		if s.tune(j).replaceSecrets {
			for k := range j.secrets {
				if _, named := values[k]; !named {
					edit[k] = ""
				}
			}
		}
		if _, err := s.applySecrets(j, edit); err != nil {
			return err
		}
		s.renewed(j)
		return j.saveSettings(jobBucket(tx, j.num))
	})
}

// given are the credentials that have a value to write.
func given(values map[string]*string) map[string]string {
	edit := map[string]string{}
	for k, v := range values {
		if v != nil {
			edit[k] = *v
		}
	}
	return edit
}

func (s *Service) applySecrets(j *job, values map[string]string) (credentials bool, err error) {
	var edit SettingsEdit
	for k, v := range values {
		switch k {
		case secretBaseAddress:
			edit.TenantURL = &v
		case secretToken:
			edit.SecretToken = &v
		case secretSyncAll:
			switch {
			case v == "" || strings.EqualFold(v, "false"):
			case strings.EqualFold(v, "true"):
				scope := SyncAll
				edit.Scope = &scope
			default:
				return false, invalid(secretSyncAll, "SyncAll is true or false, not "+v+".", "")
			}
		case secretSkipOut:
			if v != "" && v != "0" && !strings.EqualFold(v, "false") && !isTrue(v) {
				return false, invalid(secretSkipOut, "SkipOutOfScopeDeletions is True or False, not "+v+".", "")
			}
		case secretNotifications:
			var n notifications
			if v != "" && json.Unmarshal([]byte(v), &n) != nil {
				return false, invalid(secretNotifications, "SyncNotificationSettings is no JSON object of its known members.", "")
			}
		}
	}
	if credentials, err = s.apply(j, edit); err != nil {
		return false, err
	}
	for k, v := range values { // the rest, and the spelling of what was given
		if k != secretBaseAddress && k != secretToken {
			setSecret(j.secrets, k, v)
		}
	}
	return credentials, nil
}

// renewed lets new credentials take effect; j.mu is held.
func (s *Service) renewed(j *job) {
	j.dropClient()
	if j.state.Quarantine != nil && j.state.Schedule == ScheduleActive {
		q := *j.state.Quarantine // copies of it are out there
		q.NextAttempt = s.clock.Now()
		j.state.Quarantine, j.state.Next = &q, q.NextAttempt
	}
}
