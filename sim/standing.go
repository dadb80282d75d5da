package sim

import (
	"go.etcd.io/bbolt"

	"entrasim/directory"
	"entrasim/sim/mapping"
)

// Standing is where one object of the directory stands with an application, for lists of them.
type Standing struct {
	Link     LinkState // "" when the target has no counterpart
	InScope  bool
	Entitled bool    // assigned, or the scope is Sync all users and groups
	Due      bool    // the next cycle looks at it: it changed since the last one, or a retry is due
	Escrow   *Escrow // nil unless an operation failed and waits for its retry
}

// Standings returns where objects, given by id, stand with an application. The error is directory.NotFound when it has no
// provisioning job.
func (s *Service) Standings(appID string, ids []string) (map[string]Standing, error) {
	j, err := s.job(appID)
	if err != nil {
		return nil, err
	}
	set, all := s.present(j)
	due, err := s.due(j, set, all)
	if err != nil {
		return nil, err
	}
	standings := make(map[string]Standing, len(ids))
	err = s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), j.num)
		if b == nil {
			return nil
		}
		for _, id := range ids {
			n, ok := r.Num(id)
			if !ok {
				continue
			}
			st := Standing{Due: due[n]}
			link, err := getLink(b, n)
			if err != nil {
				return err
			}
			if link != nil {
				st.Link = link.State
			}
			if st.Escrow, err = getEscrow(b, escrowKey{EscrowObject, n, 0}); err != nil {
				return err
			}
			if src, ok := readSource(r, j.num, all, set, n); ok {
				st.InScope, st.Entitled = src.scope.In(), src.scope.entitled()
			}
			standings[id] = st
		}
		return nil
	})
	return standings, err
}

// present returns a job's mappings and whether its scope is Sync all users and groups.
func (s *Service) present(j *job) (set *mapping.Set, all bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.set, s.inForce(j) == SyncAll
}

// dueLimit bounds how much of the change feed is read to show what the next cycle will look at.
const dueLimit = 2000

// Due counts the objects that the next incremental cycle of an application looks at. known is false before the first
// cycle, and when more changed than is worth counting for display.
func (s *Service) Due(appID string) (n int, known bool, err error) {
	j, err := s.job(appID)
	if err != nil {
		return 0, false, err
	}
	set, all := s.present(j)
	due, err := s.due(j, set, all)
	return len(due), due != nil, err
}

// due lists the objects that the next incremental cycle looks at; nil when that is not known.
func (s *Service) due(j *job, set *mapping.Set, all bool) (map[uint64]bool, error) {
	from, ok := j.watermark()
	if last := s.dir.LastChange(); !ok || last-min(last, from) > dueLimit {
		return nil, nil
	}
	changes, err := s.dir.Changes(from, 0)
	if directory.CodeOf(err) == directory.Expired { // the next cycle looks at everybody
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	due := map[uint64]bool{}
	err = s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), j.num)
		if b == nil {
			return nil
		}
		list := readIncremental(r, b, &cycle{s: s, j: j, app: j.num, set: set, all: all}, changes, nil)
		for _, w := range append(list.users, list.groups...) {
			link, err := getLink(b, w.num)
			if err != nil {
				return err
			}
			if link == nil || !link.Managed() { // out of scope it stays without consequence
				if src, ok := readSource(r, j.num, all, set, w.num); !ok || !src.scope.In() {
					continue
				}
			}
			due[w.num] = true
		}
		return nil
	})
	return due, err
}

// Absent is an object in scope that has no counterpart at the target.
type Absent struct {
	ObjectID, Name string
	Kind           string // User or Group
	Escrow         *Escrow
}

// Missing lists objects in scope that an application has not linked: at most limit of them, and it looks at no more than
// scan objects. whole is false when that was not enough to see them all.
func (s *Service) Missing(appID string, limit, scan int) (list []Absent, whole bool, err error) {
	j, err := s.job(appID)
	if err != nil {
		return nil, false, err
	}
	set, all := s.present(j)
	whole = true
	err = s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), j.num)
		if b == nil {
			return nil
		}
		seen := map[uint64]bool{}
		var failed error
		eachInScope(r, j.num, all, func(n uint64) bool {
			if seen[n] {
				return true
			}
			if len(seen) == scan || len(list) == limit {
				whole = false
				return false
			}
			seen[n] = true
			if b.Bucket(bucketLinks).Get(key(n)) != nil {
				return true
			}
			a, ok, err := absent(r, b, j.num, all, set, n)
			if failed = err; ok {
				list = append(list, a)
			}
			return err == nil
		})
		return failed
	})
	return list, whole, err
}

func absent(r *directory.Reader, b *bbolt.Bucket, app uint64, all bool, set *mapping.Set, n uint64) (a Absent, ok bool, err error) {
	src, ok := readSource(r, app, all, set, n)
	if !ok || !src.scope.In() || mappingOf(set, src.Kind) == nil {
		return a, false, nil
	}
	a = Absent{ObjectID: src.ID, Name: src.DisplayName, Kind: kindName(src.Kind)}
	a.Escrow, err = getEscrow(b, escrowKey{EscrowObject, n, 0})
	return a, err == nil, err
}

// eachInScope calls f with every user and group that a job considers, until f returns false; some come twice.
func eachInScope(r *directory.Reader, app uint64, all bool, f func(uint64) bool) {
	if all {
		for _, read := range []func(uint64, int) []uint64{r.UserNums, r.GroupNums} {
			for after, page := uint64(0), read(0, 1000); len(page) > 0; page = read(after, 1000) {
				for _, n := range page {
					if !f(n) {
						return
					}
				}
				after = page[len(page)-1]
			}
		}
		return
	}
	more := true
	r.EachAssigned(app, func(n uint64, kind directory.Kind, _ string) bool {
		if more = f(n); more && kind == directory.KindGroup {
			r.EachMember(n, 0, func(m uint64) bool {
				more = f(m)
				return more
			})
		}
		return more
	})
}
