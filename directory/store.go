package directory

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Tenant is the organisation that the file holds.
type Tenant struct {
	ID            string    `json:"id"`
	DisplayName   string    `json:"displayName"`
	DefaultDomain string    `json:"defaultDomain"`
	Created       time.Time `json:"createdDateTime"`
}

// Options of Open. Tenant, Seed and Now are used when the file is new.
type Options struct {
	Tenant Tenant // empty members get defaults: Contoso, contoso.example, an id derived from the seed
	Seed   int64
	Now    time.Time
	// NoSync skips the wait for the disk at each commit: for files that nobody keeps.
	NoSync bool
	// OnCommit is called after each committed change, outside any transaction.
	OnCommit func(Event)
}

// Event is a committed change, for live pages.
type Event struct {
	Op   string `json:"op"`   // created, updated, deleted, restored, purged, members, assigned, unassigned
	Kind string `json:"kind"` // of the object; members is about the group, assigned and unassigned about the application
	ID   string `json:"id"`
}

// Store is an open file. It is safe for concurrent use.
type Store struct {
	db     *File
	tenant Tenant
	seed   int64
	isNew  bool

	mu       sync.Mutex
	onCommit func(Event)
	rules    ruleCache
}

const (
	program = "entrasim"
	version = 3
)

// header is what meta says of the file.
type header struct {
	Program string `json:"program"`
	Version int    `json:"version"`
	Seed    int64  `json:"seed"`
	Tenant  Tenant `json:"tenant"`
}

// Open opens a tenant's file, or makes it. The error has code InUse when another process holds the file, Foreign when it is
// no file of this program or one of a newer version, and Damaged when it can't be read; it is left as it is.
func Open(path string, opt Options) (*Store, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil, &Error{Code: Foreign, Message: path + " is a folder.", Hint: "Name a file with --data."}
	}
	if err := inspect(path); err != nil {
		return nil, err
	}
	db, err := openFile(path, &bbolt.Options{NoSync: opt.NoSync})
	if err != nil {
		return nil, err
	}
	s := &Store{db: db, seed: opt.Seed, onCommit: opt.OnCommit}
	if err := s.init(path, opt); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return s, nil
}

// inspect refuses a file that is none of ours before anything can write to it: bbolt may rewrite the list of free pages
// of a file that it opens for writing.
func inspect(path string) error {
	info, err := os.Stat(path)
	if err != nil || info.Size() == 0 {
		return nil // there is nothing to protect
	}
	db, err := openFile(path, &bbolt.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	if err := errors.Join(db.whole(), db.readable()); err != nil {
		return errors.Join(err, db.Close())
	}
	err = db.View(func(tx *bbolt.Tx) error {
		_, _, err := identify(tx, path)
		return err
	})
	return errors.Join(err, db.Close())
}

func openFile(path string, opt *bbolt.Options) (*File, error) {
	opt.Timeout, opt.FreelistType = time.Second, bbolt.FreelistMapType
	// The list of free pages grows with the file, and would be written with each commit, however small. It is written when
	// the file is closed; behind a crash it is put together from the pages in use.
	opt.NoFreelistSync = true
	// Address space for the file to grow into: each time it is mapped anew all readers wait. Windows would make the file
	// that long.
	if runtime.GOOS != "windows" && strconv.IntSize == 64 {
		opt.InitialMmapSize = 1 << 30
	}
	f := &File{path: path}
	err := f.Guard(func() (err error) {
		f.db, err = bbolt.Open(path, 0o600, opt)
		return err
	})
	switch {
	case CodeOf(err) == Damaged:
		return nil, err
	case errors.Is(err, berrors.ErrTimeout):
		return nil, &Error{Code: InUse, Message: path + " is in use by another process.", Hint: "Stop that one, or name another file with --data."}
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return nil, &Error{Code: Foreign, Message: path + " is not a data file of entrasim.", Hint: "Name another file with --data."}
	case err != nil:
		return nil, &Error{Code: Foreign, Message: fmt.Sprintf("%s can't be opened: %v.", path, err), Hint: "Check the path and its rights, or name another file with --data."}
	}
	return f, nil
}

// identify reads the header of a file; empty is true when it holds nothing at all.
func identify(tx *bbolt.Tx, path string) (h header, empty bool, err error) {
	foreign := &Error{Code: Foreign, Message: path + " is a bbolt file of another program.", Hint: "Name another file with --data."}
	b := tx.Bucket(bucketMeta)
	if b == nil {
		if k, _ := tx.Cursor().First(); k != nil {
			return h, false, foreign
		}
		return h, true, nil
	}
	if err := json.Unmarshal(b.Get(keyHeader), &h); err != nil || h.Program != program {
		return h, false, foreign
	}
	if h.Version > version {
		return h, false, &Error{Code: Foreign, Message: fmt.Sprintf("%s was written by a newer entrasim (layout %d, this one knows %d).", path, h.Version, version),
			Hint: "Use that version, or name another file with --data."}
	}
	if h.Version < version {
		return h, false, &Error{Code: Foreign, Message: fmt.Sprintf("%s was written by an entrasim from before the first release (layout %d, this one knows %d).", path, h.Version, version),
			Hint: "Name another file with --data: a new one is made."}
	}
	return h, false, nil
}

func (s *Store) init(path string, opt Options) error {
	var h header
	var empty bool
	if err := s.db.View(func(tx *bbolt.Tx) (err error) {
		h, empty, err = identify(tx, path)
		return err
	}); err != nil {
		return err
	}
	if !empty {
		s.tenant, s.seed = h.Tenant, h.Seed
		return s.discardHalf()
	}
	s.isNew = true
	h = header{Program: program, Version: version, Seed: opt.Seed, Tenant: opt.Tenant}
	if h.Tenant.DisplayName == "" {
		h.Tenant.DisplayName = "Contoso"
	}
	if h.Tenant.DefaultDomain == "" {
		h.Tenant.DefaultDomain = "contoso.example"
	}
	if h.Tenant.ID == "" {
		h.Tenant.ID = derive(opt.Seed, "tenant", 0)
	}
	h.Tenant.Created = opt.Now.UTC()
	s.tenant = h.Tenant
	return s.db.Update(func(tx *bbolt.Tx) error {
		b, err := tx.CreateBucket(bucketMeta)
		if err != nil {
			return err
		}
		data, err := json.Marshal(h)
		if err != nil {
			return err
		}
		if err := b.Put(keyHeader, data); err != nil {
			return err
		}
		return createBuckets(tx)
	})
}

// discardHalf empties a directory whose generation was cut short; the file counts as new again.
func (s *Store) discardHalf() error {
	half := false
	if err := s.db.View(func(tx *bbolt.Tx) error {
		half = tx.Bucket(bucketMeta).Get(keyGenerating) != nil
		return nil
	}); err != nil || !half {
		return err
	}
	s.isNew = true
	return s.Reset()
}

func createBuckets(tx *bbolt.Tx) error {
	root, err := tx.CreateBucketIfNotExists(bucketDirectory)
	if err != nil {
		return err
	}
	for _, name := range allBuckets {
		if _, err := root.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	return nil
}

// IsNew reports whether Open made the file, or found one whose company was never finished.
func (s *Store) IsNew() bool { return s.isNew }

// File is the file, for other rooms that keep their own top-level buckets in it.
func (s *Store) File() *File { return s.db }

// DB is the file without the guard against damage.
func (s *Store) DB() *bbolt.DB { return s.db.db }

// Tenant is the organisation that the file holds.
func (s *Store) Tenant() Tenant { return s.tenant }

// Seed is the seed that the file was made with.
func (s *Store) Seed() int64 { return s.seed }

// Close closes the file, and writes its list of free pages, see openFile.
func (s *Store) Close() error {
	var err error
	if f := s.db; !f.db.IsReadOnly() && f.damaged.Load() == nil {
		f.db.NoFreelistSync = false
		err = s.db.Update(func(*bbolt.Tx) error { return nil })
	}
	return errors.Join(err, s.db.Close())
}

// OnCommit sets the function that is called after each committed change.
func (s *Store) OnCommit(f func(Event)) {
	s.mu.Lock()
	s.onCommit = f
	s.mu.Unlock()
}

// Meta returns a setting of the file, "" when it has none of that name.
func (s *Store) Meta(name string) (value string) {
	if err := s.db.View(func(tx *bbolt.Tx) error {
		value = string(tx.Bucket(bucketMeta).Get(settingKey(name)))
		return nil
	}); err != nil {
		return ""
	}
	return value
}

// SetMeta stores a setting of the file.
func (s *Store) SetMeta(name, value string) error {
	return s.db.Update(func(tx *bbolt.Tx) error { return tx.Bucket(bucketMeta).Put(settingKey(name), []byte(value)) })
}

// Epoch counts how often the directory was emptied: numbers of changes and objects mean something within one epoch only.
func (s *Store) Epoch() (n uint64, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		n = num(tx.Bucket(bucketMeta).Get(keyEpoch))
		return nil
	})
	return n, err
}

// Reset empties the directory; settings of the file stay.
func (s *Store) Reset() error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		meta := tx.Bucket(bucketMeta)
		if err := meta.Put(keyEpoch, key(num(meta.Get(keyEpoch))+1)); err != nil {
			return err
		}
		if err := tx.DeleteBucket(bucketDirectory); err != nil {
			return err
		}
		for _, k := range [][]byte{keyFloor, keyGenerating} {
			if err := meta.Delete(k); err != nil {
				return err
			}
		}
		return createBuckets(tx)
	})
}

// update runs f in a write transaction and tells the listener what it did.
func (s *Store) update(f func(t *txn) ([]Event, error)) error {
	var events []Event
	if err := s.db.Update(func(tx *bbolt.Tx) error {
		t := begin(tx)
		t.rules = &s.rules
		var err error
		events, err = f(t)
		events = append(events, t.also...)
		return err
	}); err != nil {
		return err
	}
	s.mu.Lock()
	notify := s.onCommit
	s.mu.Unlock()
	if notify != nil {
		for _, e := range events {
			notify(e)
		}
	}
	return nil
}

// errUnchanged ends an edit that changes nothing: no commit, no entry in the feed, no event.
var errUnchanged = errors.New("nothing changed")

// write is update for one event.
func (s *Store) write(op string, f func(t *txn) (Object, error)) error {
	err := s.update(func(t *txn) ([]Event, error) {
		o, err := f(t)
		if err != nil {
			return nil, err
		}
		return []Event{{Op: op, Kind: o.Kind.String(), ID: o.ID}}, nil
	})
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

func (s *Store) read(f func(t *txn) error) error {
	return s.db.View(func(tx *bbolt.Tx) error { return f(begin(tx)) })
}

// derive makes a GUID from the seed, its purpose and a number: the same file, made again, gets the same ids.
func derive(seed int64, purpose string, n uint64) string {
	sum := digest(seed, purpose, n)
	var id uuid.UUID
	copy(id[:], sum[:16])
	id[6] = id[6]&0x0f | 0x40
	id[8] = id[8]&0x3f | 0x80
	return id.String()
}

func digest(seed int64, purpose string, n uint64) [32]byte {
	buf := make([]byte, 0, 64)
	buf = binary.BigEndian.AppendUint64(buf, uint64(seed))
	buf = append(buf, purpose...)
	buf = binary.BigEndian.AppendUint64(buf, n)
	return sha256.Sum256(buf)
}

// opaqueID makes the 43 characters of an assignment's id.
func opaqueID(seed int64, purpose string, n uint64) string {
	sum := digest(seed, purpose, n)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// next hands out creation numbers.
func (t *txn) next() (uint64, error) { return t.in(bucketObjects).NextSequence() }
