package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
)

// retention is how long provisioning log records, and what delta tokens may ask for, are kept.
const retention = 30 * 24 * time.Hour

// LogRecord is one entry of the provisioning log, in words (resources/provisioningobjectsummary.md).
type LogRecord struct {
	ID                string             `json:"id"`
	Time              time.Time          `json:"activityDateTime"`
	ApplicationID     string             `json:"applicationId"`
	ApplicationName   string             `json:"applicationName"`
	JobID             string             `json:"jobId"`
	CycleID           string             `json:"cycleId"`
	ChangeID          string             `json:"changeId"`
	Cycle             int                `json:"cycle"`              // 0 for a run on demand
	OnDemand          bool               `json:"onDemand,omitempty"` // no cycle made it, but somebody who asked for it
	InitiatedBy       string             `json:"initiatedBy"`        // an administrator, or the service for its cycles
	Action            Action             `json:"provisioningAction"`
	Status            Outcome            `json:"status"`
	ObjectID          string             `json:"objectId"`
	ObjectKind        string             `json:"objectKind"` // User or Group
	DisplayName       string             `json:"displayName"`
	UserPrincipalName string             `json:"userPrincipalName,omitempty"`
	TargetID          string             `json:"targetId"`
	DurationMs        int64              `json:"durationInMilliseconds"`
	ErrorCode         string             `json:"errorCode,omitempty"`
	Reason            string             `json:"reason,omitempty"`
	Detail            string             `json:"detail,omitempty"` // what this program knows beyond the reason
	ErrorCategory     string             `json:"errorCategory,omitempty"`
	RecommendedAction string             `json:"recommendedAction,omitempty"`
	SkipReason        SkipReason         `json:"skipReason,omitempty"`
	Sentence          string             `json:"sentence"`
	Steps             []Step             `json:"steps"`
	Modified          []ModifiedProperty `json:"modifiedProperties"`
	Rules             []string           `json:"rules"`
	Exchanges         []uint64           `json:"exchanges"` // numbers of recorded exchanges; they may be gone
	NextRetry         *time.Time         `json:"nextRetry,omitempty"`
	Attempts          int                `json:"attempts,omitempty"` // of a failed operation, this one included
	Warnings          []string           `json:"warnings,omitempty"` // what the target's answers broke and was let pass
}

// Step is one step of a record (resources/provisioningstep.md).
type Step struct {
	Name        string   `json:"name"`
	Type        string   `json:"provisioningStepType"` // import, matching, scoping, export, referenceResolution
	Status      Outcome  `json:"status"`
	Description string   `json:"description"`
	Details     []Detail `json:"details"`
}

// Detail is one line of a step's details.
type Detail struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// ModifiedProperty is one changed target attribute as text.
type ModifiedProperty struct {
	Name string  `json:"displayName"`
	Old  *string `json:"oldValue"`
	New  *string `json:"newValue"`
}

// LogQuery selects records. Empty members match everything.
type LogQuery struct {
	ApplicationID string
	ObjectID      string
	CycleID       string
	Search        string // part of a name, UPN or id of either system, case-insensitive
	Action        Action
	Status        Outcome
	Cursor        string
	Limit         int // 0 means 100
}

// putRecord stores r under the next number and makes room when the log is full. One that has a number takes the place of
// what was stored under it.
func (s *Service) putRecord(tx *bbolt.Tx, r *record) error {
	b := tx.Bucket(bucketSim).Bucket(bucketLog)
	if r.Seq != 0 {
		return putValue(b.Bucket(bucketRecords), key(r.Seq), r)
	}
	n, err := b.Bucket(bucketRecords).NextSequence()
	if err != nil {
		return err
	}
	r.Seq = n
	if err := putValue(b.Bucket(bucketRecords), key(n), r); err != nil {
		return err
	}
	if err := b.Bucket(bucketByApp).Put(key(r.App, n), nil); err != nil {
		return err
	}
	if err := b.Bucket(bucketByObject).Put(key(r.Num, n), nil); err != nil {
		return err
	}
	s.records++
	for s.records > s.opt.LogCount {
		k, _ := b.Bucket(bucketRecords).Cursor().First()
		if k == nil {
			break
		}
		if err := s.dropRecord(b, num(k)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) dropRecord(b *bbolt.Bucket, n uint64) error {
	var r record
	if _, err := getValue(b.Bucket(bucketRecords), key(n), &r); err != nil {
		return err
	}
	s.records--
	for _, d := range []struct{ bucket, key []byte }{
		{bucketRecords, key(n)}, {bucketByApp, key(r.App, n)}, {bucketByObject, key(r.Num, n)},
	} {
		if err := b.Bucket(d.bucket).Delete(d.key); err != nil {
			return err
		}
	}
	return nil
}

// trimLog drops records older than 30 days, a bounded number in each transaction.
func (s *Service) trimLog(now time.Time) error {
	limit := now.Add(-retention)
	for more := true; more; {
		var old []uint64
		err := s.db.View(func(tx *bbolt.Tx) error {
			c := tx.Bucket(bucketSim).Bucket(bucketLog).Bucket(bucketRecords).Cursor()
			for k, v := c.First(); k != nil && len(old) < 5000; k, v = c.Next() {
				var r struct {
					Time time.Time `json:"t"`
				}
				if err := directory.Decode(v, &r); err != nil {
					return err
				}
				if r.Time.After(limit) {
					return nil
				}
				old = append(old, num(k))
			}
			return nil
		})
		if err != nil || len(old) == 0 {
			return err
		}
		more = len(old) == 5000
		if err := s.update(func(tx *bbolt.Tx) error {
			b := tx.Bucket(bucketSim).Bucket(bucketLog)
			for _, n := range old {
				if err := s.dropRecord(b, n); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// Logs returns records, newest first. A page walks only what its index holds for the application or the object.
func (s *Service) Logs(q LogQuery) (directory.Page[LogRecord], error) {
	var page directory.Page[LogRecord]
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	before := ^uint64(0)
	if q.Cursor != "" {
		n, err := strconv.ParseUint(q.Cursor, 10, 64)
		if err != nil {
			return page, invalid("cursor", fmt.Sprintf("The page token %q is none of this log.", q.Cursor), "Start again without it.")
		}
		before = n
	}
	match, err := s.logMatcher(q)
	if err != nil {
		return page, err
	}
	prefix, bucket := []byte(nil), bucketRecords
	switch {
	case q.ObjectID != "":
		n, ok := s.num(q.ObjectID)
		if !ok {
			return page, nil
		}
		prefix, bucket = key(n), bucketByObject
	case q.ApplicationID != "":
		app, err := s.Application(q.ApplicationID)
		if err != nil {
			return page, err
		}
		prefix, bucket = key(app.Num), bucketByApp
	}
	// Records are worded behind the transaction: wording reads the file too, and a transaction within one may wait for ever
	// for a writer that waits for the outer one.
	var found []record
	err = s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketSim).Bucket(bucketLog)
		c := b.Bucket(bucket).Cursor()
		// The greatest key below prefix+before.
		k, _ := c.Seek(append(append([]byte(nil), prefix...), key(before)...))
		if k == nil {
			k, _ = c.Last()
		} else {
			k, _ = c.Prev()
		}
		for ; k != nil && strings.HasPrefix(string(k), string(prefix)); k, _ = c.Prev() {
			n := num(k[len(prefix):])
			r := record{Seq: n}
			if ok, err := getValue(b.Bucket(bucketRecords), key(n), &r); err != nil || !ok {
				return err
			}
			if !match(&r) {
				continue
			}
			if len(found) == limit {
				page.Next = strconv.FormatUint(n+1, 10)
				return nil
			}
			found = append(found, r)
		}
		return nil
	})
	for i := range found {
		page.Items = append(page.Items, s.worded(&found[i]))
	}
	return page, err
}

func (s *Service) num(objectID string) (n uint64, ok bool) {
	err := s.dir.View(func(r *directory.Reader) error {
		n, ok = r.Num(objectID)
		return nil
	})
	return n, ok && err == nil
}

func (s *Service) logMatcher(q LogQuery) (func(*record) bool, error) {
	search := strings.ToLower(strings.TrimSpace(q.Search))
	app := uint64(0)
	if q.ApplicationID != "" {
		a, err := s.Application(q.ApplicationID)
		if err != nil {
			return nil, err
		}
		app = a.Num
	}
	return func(r *record) bool {
		return (app == 0 || r.App == app) && (q.Action == "" || r.Action == q.Action) && (q.Status == "" || r.Status == q.Status) &&
			(q.CycleID == "" || s.cycleID(r) == q.CycleID) &&
			(search == "" || strings.Contains(strings.ToLower(r.Name), search) || strings.Contains(strings.ToLower(r.UPN), search) ||
				strings.Contains(r.ID, search) || strings.Contains(strings.ToLower(r.Target), search))
	}, nil
}

// LogRecord returns the record with the given id.
func (s *Service) LogRecord(id string) (LogRecord, error) {
	n, ok := s.ids.number(id)
	if !ok {
		return LogRecord{}, notFound("there is no provisioning log record %q", id)
	}
	r := record{Seq: n}
	if err := s.db.View(func(tx *bbolt.Tx) error {
		ok, err := getValue(tx.Bucket(bucketSim).Bucket(bucketLog).Bucket(bucketRecords), key(n), &r)
		if err != nil {
			return err
		}
		if !ok {
			return notFound("there is no provisioning log record %s; records are kept for 30 days", id)
		}
		return nil
	}); err != nil {
		return LogRecord{}, err
	}
	return s.worded(&r), nil
}

// cycleID names the cycle of a record.
func (s *Service) cycleID(r *record) string {
	if r.onDemand() {
		return guid(s.opt.Seed, "on demand", s.jobID(r.App), -r.Cycle)
	}
	return guid(s.opt.Seed, "cycle", s.jobID(r.App), r.Cycle)
}

func (s *Service) jobID(app uint64) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j := s.jobs[app]; j != nil {
		return j.cfg.ID
	}
	return ""
}

// appOf returns the id and name of the application with the given number, also when it is deleted.
func (s *Service) appOf(n uint64) (id, name string) {
	s.mu.Lock()
	j := s.jobs[n]
	s.mu.Unlock()
	if j != nil {
		return j.cfg.AppID, j.cfg.Name
	}
	if err := s.dir.View(func(r *directory.Reader) error {
		if o, ok := r.Object(n); ok {
			id, name = o.ID, o.DisplayName
		}
		return nil
	}); err != nil {
		return "", ""
	}
	return id, name
}
