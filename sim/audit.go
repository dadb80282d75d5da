package sim

import (
	"fmt"
	"strconv"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
)

// AuditRecord is one entry of the audit log: a change of configuration, or a quarantine. Activities carry the names that
// Microsoft's audit log uses (application-provisioning-when-will-provisioning-finish-specific-user.md).
type AuditRecord struct {
	ID              string    `json:"id"`
	Time            time.Time `json:"activityDateTime"`
	Activity        string    `json:"activityDisplayName"`
	ApplicationID   string    `json:"applicationId"`
	ApplicationName string    `json:"applicationName"`
	InitiatedBy     string    `json:"initiatedBy"`
	Result          string    `json:"result"` // success or failure
	Detail          string    `json:"detail,omitempty"`
	Error           *JobError `json:"error,omitempty"`
}

// Who does what the audit log tells.
const (
	administrator       = "Administrator"
	provisioningService = "Azure AD Provisioning Service"
)

func (s *Service) auditRecord(app Application, activity, detail string, e *JobError) AuditRecord {
	r := AuditRecord{Time: s.clock.Now(), Activity: activity, ApplicationID: app.ID, ApplicationName: app.DisplayName,
		InitiatedBy: administrator, Result: "success", Detail: detail, Error: e}
	if e != nil {
		r.Result = "failure"
	}
	return r
}

// putAudit gives a record its number and stores it; one without an activity is none.
func putAudit(tx *bbolt.Tx, r *AuditRecord) error {
	if r.Activity == "" {
		return nil
	}
	b := tx.Bucket(bucketSim).Bucket(bucketAudit)
	n, err := b.NextSequence()
	if err != nil {
		return err
	}
	r.ID = strconv.FormatUint(n, 10)
	return putValue(b, key(n), r)
}

// audited tells live pages of records that were stored.
func (s *Service) audited(list ...*AuditRecord) {
	for _, r := range list {
		if r.ID != "" {
			told := *r
			s.events.Publish("audit", func() any { return told })
		}
	}
}

// audit stores a record of what an administrator did.
func (s *Service) audit(app Application, activity, detail string) error {
	r := s.auditRecord(app, activity, detail, nil)
	err := s.update(func(tx *bbolt.Tx) error { return putAudit(tx, &r) })
	if err == nil {
		s.audited(&r)
	}
	return err
}

// Audit returns audit records, newest first; a limit of 0 means 100.
func (s *Service) Audit(cursor string, limit int) (directory.Page[AuditRecord], error) {
	return numbered[AuditRecord](s.db, bucketAudit, cursor, limit)
}

// trimNumbered drops audit records and mails older than 30 days (plan-auto-user-provisioning.md says so of most of the audit
// log). An idle day commits nothing.
func (s *Service) trimNumbered(now time.Time) error {
	limit := now.Add(-retention)
	old := map[string][][]byte{}
	err := s.db.View(func(tx *bbolt.Tx) error {
		for name, field := range map[string]func([]byte) (time.Time, error){
			string(bucketAudit): func(v []byte) (time.Time, error) {
				var r AuditRecord
				err := directory.Decode(v, &r)
				return r.Time, err
			},
			string(bucketMails): func(v []byte) (time.Time, error) {
				var m Mail
				err := directory.Decode(v, &m)
				return m.Time, err
			},
		} {
			c := tx.Bucket(bucketSim).Bucket([]byte(name)).Cursor()
			for k, v := c.First(); k != nil; k, v = c.Next() {
				t, err := field(v)
				if err != nil {
					return err
				}
				if t.After(limit) {
					break
				}
				old[name] = append(old[name], append([]byte(nil), k...))
			}
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return err
	}
	return s.update(func(tx *bbolt.Tx) error {
		for name, keys := range old {
			for _, k := range keys {
				if err := tx.Bucket(bucketSim).Bucket([]byte(name)).Delete(k); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// numbered pages through a bucket of numbered values, newest first.
func numbered[T any](db *directory.File, bucket []byte, cursor string, limit int) (directory.Page[T], error) {
	var page directory.Page[T]
	if limit <= 0 {
		limit = 100
	}
	before := ^uint64(0)
	if cursor != "" {
		n, err := strconv.ParseUint(cursor, 10, 64)
		if err != nil {
			return page, invalid("cursor", fmt.Sprintf("The page token %q is none of this log.", cursor), "Start again without it.")
		}
		before = n
	}
	err := db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketSim).Bucket(bucket)
		c := b.Cursor()
		k, _ := c.Seek(key(before))
		if k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
		for ; k != nil; k, _ = c.Prev() {
			if len(page.Items) == limit {
				page.Next = strconv.FormatUint(num(k)+1, 10)
				return nil
			}
			var v T
			if _, err := getValue(b, k, &v); err != nil {
				return err
			}
			page.Items = append(page.Items, v)
		}
		return nil
	})
	return page, err
}
