package directory

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"go.etcd.io/bbolt"
)

// File is the data file. Where a page of it is damaged, bbolt panics or the memory that it maps faults; File makes of both an
// error with code Damaged that names the file. What bbolt looks for in a goroutine of its own, the free pages behind a commit
// that broke off, is beyond its reach; behind a crash, readable has been there before. Once damage was met nothing is written any more: the transaction that met it
// may have left bbolt in any state.
type File struct {
	db      *bbolt.DB
	path    string
	damaged atomic.Pointer[Error]
}

// View runs fn in a read transaction.
func (f *File) View(fn func(*bbolt.Tx) error) error {
	return f.Guard(func() error { return f.db.View(fn) })
}

// Update runs fn in a write transaction.
func (f *File) Update(fn func(*bbolt.Tx) error) error {
	if e := f.damaged.Load(); e != nil {
		return e
	}
	return f.Guard(func() error { return f.db.Update(fn) })
}

// Stats counts what bbolt did.
func (f *File) Stats() bbolt.Stats { return f.db.Stats() }

// Close closes the file; a damaged one is left to the end of the process, because bbolt may wait for a lock that nobody
// holds any more.
func (f *File) Close() error {
	if f.damaged.Load() != nil {
		return nil
	}
	return f.Guard(f.db.Close)
}

// Guard runs what reads the file by itself, as View does. Panics that are not the file's go on.
func (f *File) Guard(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			if !fromFile(v) {
				panic(v)
			}
			e := damage(f.path, v)
			f.damaged.Store(e)
			err = e
		}
	}()
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	return do()
}

// whole refuses a file that ends before its last page: what lies behind the end would fault when it is asked for.
func (f *File) whole() error {
	return f.View(func(tx *bbolt.Tx) error {
		info, err := os.Stat(f.path)
		if err != nil {
			return err
		}
		if info.Size() < tx.Size() {
			return damage(f.path, fmt.Sprintf("it ends after %d of %d bytes", info.Size(), tx.Size()))
		}
		return nil
	})
}

// readable reads the file from end to end when it was not closed in order: bbolt then does the same to find the free pages,
// where a panic can't be caught.
func (f *File) readable() error {
	if f.closedInOrder() {
		return nil
	}
	var walk func(*bbolt.Bucket) error
	walk = func(b *bbolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return walk(b.Bucket(k))
			}
			return nil
		})
	}
	return f.View(func(tx *bbolt.Tx) error { return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error { return walk(b) }) })
}

// closedInOrder reports whether the newer of the two heads of the file names a list of free pages: it is written when the
// file is closed, and the first commit behind that drops it.
func (f *File) closedInOrder() bool {
	const list, txid, length, none = 16 + 32, 16 + 48, 16 + 64, ^uint64(0) // places in the first page and the second
	file, err := os.Open(f.path)
	if err != nil {
		return false
	}
	defer file.Close()
	newest, kept := uint64(0), false
	for i := range 2 {
		head := make([]byte, length)
		if _, err := file.ReadAt(head, int64(i*f.db.Info().PageSize)); err != nil {
			return false
		}
		if n := binary.NativeEndian.Uint64(head[txid:]); n >= newest {
			newest, kept = n, binary.NativeEndian.Uint64(head[list:]) != none
		}
	}
	return kept
}

func damage(path string, what any) *Error {
	text, _, _ := strings.Cut(strings.TrimSpace(fmt.Sprint(what)), "\n")
	return &Error{Code: Damaged, Message: fmt.Sprintf("%s is damaged: %s.", path, strings.TrimSuffix(text, ".")),
		Hint: "Put a copy of it back, or move it away: then a new one is made."}
}

// fromFile reports whether a panic is of the file: a fault of mapped memory, or one that bbolt raised. It is called from the
// deferred function that recovered, above the frames that panicked.
func fromFile(v any) bool {
	if _, fault := v.(interface{ Addr() uintptr }); fault {
		return true
	}
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs)])
	panicked := false
	for {
		frame, more := frames.Next()
		switch {
		case strings.HasPrefix(frame.Function, "runtime."):
			panicked = panicked || frame.Function == "runtime.gopanic"
		case panicked:
			return strings.HasPrefix(frame.Function, "go.etcd.io/bbolt")
		}
		if !more {
			return false
		}
	}
}
