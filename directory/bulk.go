package directory

import (
	"bytes"
	"context"
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

	names, ids, upns keys // of the objects written
	live             map[Kind]span64
	counts           map[string]int
}

// span64 is a run of consecutive numbers.
type span64 struct {
	first uint64
	count int
}

// keys is a list of index entries: key, then value. The bytes lie in blocks, so that a growing list is never copied.
type keys struct {
	blocks  [][]byte
	entries []entry
}

type entry struct {
	block, at uint32
	key, val  uint16
}

const keyBlock = 1 << 20

func (k *keys) add(key, val []byte) {
	last := len(k.blocks) - 1
	if last < 0 || len(k.blocks[last])+len(key)+len(val) > keyBlock {
		k.blocks = append(k.blocks, make([]byte, 0, keyBlock))
		last++
	}
	k.entries = append(k.entries, entry{uint32(last), uint32(len(k.blocks[last])), uint16(len(key)), uint16(len(val))})
	k.blocks[last] = append(append(k.blocks[last], key...), val...)
}

func (k *keys) key(i int) []byte {
	e := k.entries[i]
	return k.blocks[e.block][e.at : e.at+uint32(e.key)]
}

func (k *keys) val(i int) []byte {
	e := k.entries[i]
	at := e.at + uint32(e.key)
	return k.blocks[e.block][at : at+uint32(e.val)]
}

const (
	bulkObjects = 10_000 // in one transaction
	bulkKeys    = 100_000
)

// objects writes count objects of one kind; make returns each with its common part.
func (b *bulk) objects(count int, make func(i int, n uint64) (any, *Object)) error {
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
				data, err := encodeObject(v)
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
	b.live[o.Kind] = span64{b.first, int(o.Num-b.first) + 1}
	for i, text := range texts {
		if text != "" && !(i == 2 && text == texts[1]) { // mail and userPrincipalName are mostly one
			b.names.add(nameKey(o.Kind, text, o.Num), nil)
		}
	}
}

// relations writes who is in which group and who reports to whom, from the shape of the company.
func (b *bulk) relations(p plan, f *gofakeit.Faker) error {
	users, groups := b.live[KindUser].first, b.live[KindGroup].first
	var members, memberOf, reports keys
	for i := range p.Users {
		if m := p.manager(i); m >= 0 {
			reports.add(key(users+uint64(m), users+uint64(i)), []byte{})
		}
	}
	if err := b.sorted(bucketReports, &reports); err != nil {
		return err
	}
	for g := range p.Groups {
		for _, u := range p.members(g, f) {
			group, user := groups+uint64(g), users+uint64(u)
			members.add(key(group, user), []byte{})
			memberOf.add(key(user, group), []byte{})
		}
	}
	if err := b.sorted(bucketMembers, &members); err != nil {
		return err
	}
	return b.sorted(bucketMemberOf, &memberOf)
}

// indexes writes the look-ups of the objects.
func (b *bulk) indexes() error {
	if err := b.sorted(bucketNames, &b.names); err != nil {
		return err
	}
	if err := b.sorted(bucketIDs, &b.ids); err != nil {
		return err
	}
	if err := b.sorted(bucketUPN, &b.upns); err != nil {
		return err
	}
	for _, kind := range []Kind{KindUser, KindGroup} {
		live := b.live[kind]
		if err := b.write(liveBucket[kind], live.count, func(i int) ([]byte, []byte) { return key(live.first + uint64(i)), []byte{} }); err != nil {
			return err
		}
	}
	return nil
}

// finish writes the counters and takes away the mark of an unfinished company.
func (b *bulk) finish() error {
	return b.s.db.Update(func(tx *bbolt.Tx) error {
		counts := tx.Bucket(bucketDirectory).Bucket(bucketCounts)
		for _, name := range sortedKeys(b.counts) {
			if err := counts.Put([]byte(name), key(uint64(b.counts[name]))); err != nil {
				return err
			}
		}
		return tx.Bucket(bucketMeta).Delete(keyGenerating)
	})
}

// sorted sorts entries, writes them and lets go of them.
func (b *bulk) sorted(bucket []byte, k *keys) error {
	sort.Slice(k.entries, func(i, j int) bool { return bytes.Compare(k.key(i), k.key(j)) < 0 })
	defer func() { *k = keys{} }()
	return b.write(bucket, len(k.entries), func(i int) ([]byte, []byte) { return k.key(i), k.val(i) })
}

// write adds count sorted entries to a bucket, each page full: nothing will come between them soon.
func (b *bulk) write(bucket []byte, count int, entry func(i int) (k, v []byte)) error {
	for from := 0; from < count; from += bulkKeys {
		if err := b.ctx.Err(); err != nil {
			return err
		}
		err := b.s.db.Update(func(tx *bbolt.Tx) error {
			into := tx.Bucket(bucketDirectory).Bucket(bucket)
			into.FillPercent = 1
			for i := from; i < min(count, from+bulkKeys); i++ {
				k, v := entry(i)
				if err := into.Put(k, v); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		b.progress(b.done, b.total)
	}
	return nil
}
