package sim

import (
	"cmp"
	"slices"

	"go.etcd.io/bbolt"

	"entrasim/directory"
)

// Connection is a link as administrators see it (resources/synchronization-objectconnection.md of Graph's beta).
type Connection struct {
	ObjectID     string // by which it was asked for
	SourceAnchor string // id in the directory
	TargetAnchor string // id at the target
	DisplayName  string // when it was last looked at
	TypeName     string // User or Group
}

// Connection finds the link of an object, by its id in the directory or else by that at the target, whatever the job is
// doing (manage-object-connections.md). The error is directory.NotFound when there is none.
func (s *Service) Connection(appID, id string) (c Connection, err error) {
	j, err := s.job(appID)
	if err != nil {
		return c, err
	}
	err = s.dir.View(func(r *directory.Reader) error {
		b := jobBucket(r.Tx(), j.num)
		if b == nil {
			return noConnection(id)
		}
		l, err := s.linkBy(r, b, id)
		switch {
		case err != nil:
			return err
		case l == nil:
			return noConnection(id)
		}
		c = Connection{ObjectID: id, SourceAnchor: l.ID, TargetAnchor: l.Target, DisplayName: l.Name, TypeName: kindName(l.Kind)}
		if o, ok := r.Object(l.Num); ok {
			c.SourceAnchor, c.DisplayName = o.ID, cmp.Or(o.DisplayName, l.Name)
		}
		return nil
	})
	return c, err
}

func noConnection(id string) error {
	return notFound("the job has no object connection of %q", id)
}

// linkBy finds a link by an id of either side, nil when there is none.
func (s *Service) linkBy(r *directory.Reader, b *bbolt.Bucket, id string) (*Link, error) {
	if n, ok := r.Num(id); ok {
		if l, err := getLink(b, n); err != nil || l != nil {
			return l, err
		}
	}
	for _, kind := range []directory.Kind{directory.KindUser, directory.KindGroup} {
		if n := anchorOwner(b, kind, id); n != 0 {
			return getLink(b, n)
		}
	}
	return nil, nil
}

// DeleteConnection forgets the link of an object; neither end is touched. The object is matched anew when it is looked at
// next: with its next change, on demand, or after a restart. The job has to be paused or disabled and no cycle of it at work:
// else the error is directory.Conflict. A link that is not there is no error (manage-object-connections.md).
func (s *Service) DeleteConnection(appID, id string) error {
	var link *Link
	j, err := s.job(appID)
	if err != nil {
		return err
	}
	if err := s.dir.View(func(r *directory.Reader) (err error) {
		if b := jobBucket(r.Tx(), j.num); b != nil {
			link, err = s.linkBy(r, b, id)
		}
		return err
	}); err != nil {
		return err
	}
	j.mu.Lock()
	busy := j.state.Schedule == ScheduleActive || j.running.Load() != nil
	j.mu.Unlock()
	if busy {
		return errLinked
	}
	if link == nil {
		return nil
	}
	return s.change(appID, "Delete object connection", link.Name, func(j *job, tx *bbolt.Tx) error {
		if j.state.Schedule == ScheduleActive || j.running.Load() != nil { // meanwhile
			return errLinked
		}
		return j.unlink(jobBucket(tx, j.num), link)
	})
}

var errLinked = &directory.Error{Code: directory.Conflict, Message: "The job is active: object connections can't be deleted.", Hint: "Pause provisioning, and wait until the cycle that runs has ended."}

// unlink forgets a link with all that waits for it; j.mu is held.
func (j *job) unlink(b *bbolt.Bucket, l *Link) error {
	st := &j.state
	if err := st.unlinkEndless(b, l); err != nil {
		return err
	}
	for _, k := range slices.Concat(escrowsOf(b, EscrowManager, l.Num), escrowsOf(b, EscrowMember, l.Num)) {
		had, err := dropEscrow(b, k)
		if err != nil {
			return err
		}
		if had {
			st.RefEscrows--
		}
	}
	for _, wait := range []struct {
		bucket []byte
		count  *int
	}{{bucketOwed, &st.Owed}, {bucketHeld, &st.Held}} {
		if q := b.Bucket(wait.bucket); q.Get(key(l.Num)) != nil {
			if err := q.Delete(key(l.Num)); err != nil {
				return err
			}
			*wait.count--
		}
	}
	return dropLink(b, l.Num)
}
