package sim

import (
	"sort"

	"go.etcd.io/bbolt"
)

// owner is the job whose records are those of an application from a number on. Owners stay when the job is deleted, as its
// records do.
type owner struct {
	From  uint64 `json:"-"`
	JobID string `json:"job"`
	AppID string `json:"appId"` // object id of the service principal
	Name  string `json:"name"`
}

// putOwner notes that the records that follow are those of a job.
func putOwner(tx *bbolt.Tx, app uint64, cfg jobConfig) (owner, error) {
	b := tx.Bucket(bucketSim).Bucket(bucketLog)
	o := owner{From: b.Bucket(bucketRecords).Sequence() + 1, JobID: cfg.ID, AppID: cfg.AppID, Name: cfg.Name}
	return o, putValue(b.Bucket(bucketOwners), key(app, o.From), o)
}

// keepOwner adds an owner to those in memory.
func (s *Service) keepOwner(app uint64, o owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.owners[app] // replaced, never changed
	s.owners[app] = append(list[:len(list):len(list)], o)
}

// seedOwner notes the job that an application has in a file of an earlier version: all records of the application are its.
func seedOwner(tx *bbolt.Tx, app uint64, job *bbolt.Bucket) error {
	b := tx.Bucket(bucketSim).Bucket(bucketLog).Bucket(bucketOwners)
	var cfg jobConfig
	if ok, err := getValue(job, keyConfig, &cfg); err != nil || !ok {
		return err
	}
	if k, _ := b.Cursor().Seek(key(app)); k != nil && num(k) == app {
		return nil
	}
	return putValue(b, key(app, 0), owner{JobID: cfg.ID, AppID: cfg.AppID, Name: cfg.Name})
}

// loadOwners reads the owners of a file.
func (s *Service) loadOwners(tx *bbolt.Tx) error {
	b := tx.Bucket(bucketSim).Bucket(bucketLog).Bucket(bucketOwners)
	return b.ForEach(func(k, _ []byte) error {
		o := owner{From: num(k[8:])}
		if _, err := getValue(b, k, &o); err != nil {
			return err
		}
		s.owners[num(k)] = append(s.owners[num(k)], o)
		return nil
	})
}

// ownerOf is the job that a record of an application is of; the zero owner when none is known.
func (s *Service) ownerOf(app, seq uint64) owner {
	s.mu.Lock()
	list := s.owners[app]
	s.mu.Unlock()
	if i := sort.Search(len(list), func(i int) bool { return list[i].From > seq }); i > 0 {
		return list[i-1]
	}
	return owner{}
}

// jobID names the job of a record, also when it is deleted.
func (s *Service) jobID(r *record) string { return s.ownerOf(r.App, r.Seq).JobID }

// appOf returns the id and name of the application of a record, also when it is deleted.
func (s *Service) appOf(r *record) (id, name string) {
	s.mu.Lock()
	j := s.jobs[r.App]
	s.mu.Unlock()
	if j != nil {
		return j.cfg.AppID, j.cfg.Name
	}
	o := s.ownerOf(r.App, r.Seq)
	return o.AppID, o.Name
}
