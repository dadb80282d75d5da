package sim

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
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
	Endless           []EndlessNote      `json:"endless,omitempty"`  // work of it that comes back in cycle after cycle
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
	ChangeID      string
	JobID         string
	Search        string // part of a name, UPN or id of either system, case-insensitive; or the id of a record, change, cycle or job
	Action        Action
	Status        Outcome
	Source        string    // name of the source system
	Target        string    // name of the target system
	From, To      time.Time // both included; a zero time does not bound
	Cursor        string
	Limit         int // 0 means 100
	Most          int // records that are looked at for a page at most; 0: all
}

// LogPage is what was found of a query, newest first. When fewer than the limit were found and there is a Next, Most was
// reached: what is older has not been looked at.
type LogPage struct {
	directory.Page[LogRecord]
	Looked int       // how many records were looked at
	Until  time.Time // the time of the oldest of them
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
	if err := b.Bucket(bucketByObject).Put(byObject(r.Num, n), nil); err != nil {
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
		{bucketRecords, key(n)}, {bucketByApp, key(r.App, n)}, {bucketByObject, byObject(r.Num, n)},
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
				var r recordTime
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
	found, err := s.FindLogs(q)
	return found.Page, err
}

// FindLogs is Logs, and tells how far it looked.
func (s *Service) FindLogs(q LogQuery) (LogPage, error) {
	var page LogPage
	limit := q.Limit
	if limit <= 0 {
		limit = 100
	}
	w, match, err := s.logWalkOf(q)
	if err != nil || w.bucket == nil {
		return page, err
	}
	if q.Cursor != "" {
		n, err := strconv.ParseUint(q.Cursor, 10, 64)
		if err != nil {
			return page, invalid("cursor", fmt.Sprintf("The page token %q is none of this log.", q.Cursor), "Start again without it.")
		}
		if n <= 1 {
			return page, nil
		}
		w.begin = n - 1
	}
	var found []record
	err = s.walkLog(w, func(r *record) bool {
		if len(found) == limit || q.Most > 0 && page.Looked == q.Most {
			if len(found) == limit && !match(r) {
				return q.Most == 0 || page.Looked < q.Most // whether there is another one decides whether there is a next page
			}
			page.Next = strconv.FormatUint(r.Seq+1, 10)
			return false
		}
		page.Looked, page.Until = page.Looked+1, r.Time
		if match(r) {
			found = append(found, *r)
		}
		return true
	})
	for i := range found {
		page.Items = append(page.Items, s.worded(&found[i]))
	}
	return page, err
}

// LogCounts counts records by what was done and how it ended.
type LogCounts struct {
	N      map[LogKind]int
	Looked int
	More   bool // Most was reached: what is older has not been looked at
}

// LogKind is what a record says in two words.
type LogKind struct {
	Action Action
	Status Outcome
}

// CountLogs counts the records of a query without wording any. Limit and Cursor are not looked at.
func (s *Service) CountLogs(q LogQuery) (LogCounts, error) {
	counts := LogCounts{N: map[LogKind]int{}}
	w, match, err := s.logWalkOf(q)
	if err != nil || w.bucket == nil {
		return counts, err
	}
	err = s.walkLog(w, func(r *record) bool {
		if q.Most > 0 && counts.Looked == q.Most {
			counts.More = true
			return false
		}
		counts.Looked++
		if match(r) {
			counts.N[LogKind{r.Action, r.Status}]++
		}
		return true
	})
	return counts, err
}

// logWalkOf is the walk that finds what a query asks for, and which of its records match. A walk without a bucket meets none.
func (s *Service) logWalkOf(q LogQuery) (w logWalk, match func(*record) bool, err error) {
	w = logWalk{bucket: bucketRecords, from: q.From, to: q.To}
	if match, err = s.logMatcher(q); err != nil {
		return w, nil, err
	}
	switch {
	case q.ObjectID != "":
		n, ok := s.num(q.ObjectID)
		if !ok {
			return logWalk{}, nil, nil
		}
		w.of, w.bucket = n, bucketByObject
	case q.ApplicationID != "":
		app, err := s.Application(q.ApplicationID)
		if err != nil {
			return w, nil, err
		}
		w.of, w.bucket = app.Num, bucketByApp
	}
	return w, match, nil
}

// LogEnd is a cursor before which all records of this moment lie, so that several walks see the same ones.
func (s *Service) LogEnd() (cursor string, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		k, _ := tx.Bucket(bucketSim).Bucket(bucketLog).Bucket(bucketRecords).Cursor().Last()
		cursor = strconv.FormatUint(num(k)+1, 10)
		return nil
	})
	return cursor, err
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
	if q.Source != "" && q.Source != SourceSystem || q.Target != "" && q.Target != TargetSystem {
		return func(*record) bool { return false }, nil
	}
	_, err := uuid.Parse(search)
	whole := err == nil
	return func(r *record) bool {
		return (app == 0 || r.App == app) && (q.Action == "" || r.Action == q.Action) && (q.Status == "" || r.Status == q.Status) &&
			(q.CycleID == "" || s.cycleID(r) == q.CycleID) && (q.ChangeID == "" || s.changeID(r) == q.ChangeID) && (q.JobID == "" || s.jobID(r) == q.JobID) &&
			(search == "" || strings.Contains(strings.ToLower(r.Name), search) || strings.Contains(strings.ToLower(r.UPN), search) ||
				strings.Contains(r.ID, search) || strings.Contains(strings.ToLower(r.Target), search) ||
				whole && (s.ids.id(r.Seq) == search || s.changeID(r) == search || s.cycleID(r) == search) || strings.Count(search, ".") == 2 && strings.ToLower(s.jobID(r)) == search)
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
		return guid(s.opt.Seed, "on demand", s.jobID(r), -r.Cycle)
	}
	return guid(s.opt.Seed, "cycle", s.jobID(r), r.Cycle)
}

// changeID names the change of a record within its cycle.
func (s *Service) changeID(r *record) string {
	return guid(s.opt.Seed, "change", r.App, r.Cycle, r.Change)
}
