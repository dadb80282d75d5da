package directory

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"sort"
	"time"

	"github.com/brianvoe/gofakeit/v6"
	"go.etcd.io/bbolt"
)

// bulk writes a company in order: the objects as they come, then each index sorted, in transactions of bounded size, so
// that a million users need neither much time nor much memory.
type bulk struct {
	s        *Store
	ctx      context.Context
	now      time.Time
	first    uint64 // number of the first object of the last kind written
	done     int
	total    int
	progress func(done, total int)

	names, ids, upns, members, memberOf, reports keys
	live                                         map[Kind]*keys
	counts                                       map[string]int
}

// keys is a list of index entries in one piece of memory: key, then value.
type keys struct {
	data    []byte
	entries []entry
}

type entry struct {
	at       uint32
	key, val uint16
}

func (k *keys) add(key, val []byte) {
	k.entries = append(k.entries, entry{uint32(len(k.data)), uint16(len(key)), uint16(len(val))})
	k.data = append(append(k.data, key...), val...)
}

func (k *keys) key(i int) []byte {
	e := k.entries[i]
	return k.data[e.at : e.at+uint32(e.key)]
}

func (k *keys) val(i int) []byte {
	e := k.entries[i]
	return k.data[e.at+uint32(e.key) : e.at+uint32(e.key)+uint32(e.val)]
}

const (
	bulkObjects = 10_000 // in one transaction
	bulkKeys    = 100_000
)

// objects writes count objects of one kind; make returns each with its common part.
func (b *bulk) objects(count int, make func(i int, n uint64) (any, *Object)) error {
	if b.live == nil {
		b.live = map[Kind]*keys{KindUser: {}, KindGroup: {}}
		b.counts = map[string]int{}
	}
	b.first = 0
	for from := 0; from < count; from += bulkObjects {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		to := min(count, from+bulkObjects)
		err := b.s.db.Update(func(tx *bbolt.Tx) error {
			bucket := tx.Bucket(bucketDirectory).Bucket(bucketObjects)
			bucket.FillPercent = 1
			for i := from; i < to; i++ {
				n, err := bucket.NextSequence()
				if err != nil {
					return err
				}
				if b.first == 0 {
					b.first = n
				}
				v, o := make(i, n)
				o.Num, o.ID, o.CreatedDateTime = n, derive(b.s.seed, "object", n), b.now
				b.note(v, o)
				data, err := json.Marshal(v)
				if err != nil {
					return err
				}
				if err := bucket.Put(key(n), data); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		b.done += to - from
		b.progress(b.done, b.total)
	}
	return nil
}

// note collects the index entries of an object and sets its kind.
func (b *bulk) note(v any, o *Object) {
	n := key(o.Num)
	var texts []string
	switch x := v.(type) {
	case *User:
		o.Kind, texts = KindUser, x.names()
		b.upns.add([]byte(fold(x.UserPrincipalName)), n)
		if x.ManagerNum != 0 {
			b.reports.add(key(x.ManagerNum, o.Num), nil)
		}
		b.counts["users"]++
		if !x.AccountEnabled {
			b.counts["disabled"]++
		}
		if x.IsGuest() {
			b.counts["guests"]++
		}
	case *Group:
		o.Kind, texts = KindGroup, x.names()
		b.counts["groups"]++
	}
	b.ids.add(guidKey(o.ID), n)
	b.live[o.Kind].add(n, nil)
	for i, text := range texts {
		if text != "" && !(i == 2 && text == texts[1]) { // mail and userPrincipalName are mostly one
			b.names.add(nameKey(o.Kind, text, o.Num), nil)
		}
	}
}

// memberships puts everybody into the group of their department, and some into projects.
func (b *bulk) memberships(p plan, f *gofakeit.Faker, users, groups uint64) {
	join := func(g, u int) {
		group, user := groups+uint64(g), users+uint64(u)
		b.members.add(key(group, user), []byte{1})
		b.memberOf.add(key(user, group), []byte{1})
	}
	if p.Users == 0 {
		return
	}
	for i := range p.Users {
		if d := p.department(i); d < p.departmentGroups && d < p.Groups {
			join(d, i)
		}
	}
	for g := p.departmentGroups; g < p.Groups; g++ {
		for _, i := range p.projectMembers(g-p.departmentGroups, f) {
			join(g, i)
		}
	}
}

// finish sorts and writes the indexes and puts the beginning of the feed behind the company.
func (b *bulk) finish(plan) error {
	for _, index := range []struct {
		bucket []byte
		keys   *keys
	}{
		{bucketNames, &b.names}, {bucketIDs, &b.ids}, {bucketUPN, &b.upns}, {bucketMembers, &b.members}, {bucketMemberOf, &b.memberOf},
		{bucketReports, &b.reports}, {bucketUsers, b.live[KindUser]}, {bucketGroups, b.live[KindGroup]},
	} {
		if err := b.write(index.bucket, index.keys); err != nil {
			return err
		}
		*index.keys = keys{}
	}
	return b.s.db.Update(func(tx *bbolt.Tx) error {
		counts := tx.Bucket(bucketDirectory).Bucket(bucketCounts)
		for _, name := range sortedKeys(b.counts) {
			if err := counts.Put([]byte(name), binary.BigEndian.AppendUint64(nil, uint64(b.counts[name]))); err != nil {
				return err
			}
		}
		return nil
	})
}

func (b *bulk) write(bucket []byte, k *keys) error {
	sort.Slice(k.entries, func(i, j int) bool { return bytes.Compare(k.key(i), k.key(j)) < 0 })
	for from := 0; from < len(k.entries); from += bulkKeys {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		err := b.s.db.Update(func(tx *bbolt.Tx) error {
			into := tx.Bucket(bucketDirectory).Bucket(bucket)
			into.FillPercent = 1
			for i := from; i < min(len(k.entries), from+bulkKeys); i++ {
				if err := into.Put(k.key(i), k.val(i)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
