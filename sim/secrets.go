package sim

import (
	"encoding/json"
	"strings"

	"go.etcd.io/bbolt"
)

// Secrets returns the credentials of a job by their keys, secret ones included: whoever shows them masks them
// (resources/synchronization-synchronizationsecretkeystringvaluepair.md).
func (s *Service) Secrets(appID string) (map[string]string, error) {
	j, err := s.job(appID)
	if err != nil {
		return nil, err
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make(map[string]string, len(j.secrets))
	for k, v := range j.secrets {
		out[k] = v
	}
	if url, ok := out[secretBaseAddress]; ok {
		out[secretBaseAddress] = s.presentURL(url)
	}
	return out, nil
}

// PutSecrets writes credentials of a job by their keys: those given are written, an empty value removes a key, others stay.
// Keys that the service acts on are checked as UpdateSettings does.
func (s *Service) PutSecrets(appID string, values map[string]string) error {
	return s.change(appID, "Update provisioning setting or credentials", "", func(j *job, tx *bbolt.Tx) error {
		credentials, err := s.applySecrets(j, values)
		if err != nil {
			return err
		}
		if credentials {
			s.renewed(j)
		}
		return putValue(jobBucket(tx, j.num), keySecrets, j.secrets)
	})
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
