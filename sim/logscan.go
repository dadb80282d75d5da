package sim

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
)

// LogScan is a walk through the provisioning log in the order of its records. Records outside of the times are not read;
// a zero time does not bound.
type LogScan struct {
	From, To  time.Time // both included
	Ascending bool      // the oldest first
	Cursor    string    // Next of the page before
	Limit     int       // 0: 100
}

// logSlack is how far the time of a record may lie from that of its neighbours: objects in flight end in any order.
const logSlack = time.Hour

// logChunk is how many records are read in one transaction.
const logChunk = 500

// ScanLogs returns the records of a walk that keep wants.
func (s *Service) ScanLogs(q LogScan, keep func(*LogRecord) bool) (directory.Page[LogRecord], error) {
	var page directory.Page[LogRecord]
	if q.Limit <= 0 {
		q.Limit = 100
	}
	w := logWalk{bucket: bucketRecords, from: q.From, to: q.To, ascending: q.Ascending}
	if q.Cursor != "" {
		n, err := strconv.ParseUint(q.Cursor, 10, 64)
		if err != nil || n == 0 {
			return page, invalid("cursor", "The page token is none of this log.", "Start again without it.")
		}
		w.begin = n + 1
		if !q.Ascending {
			w.begin = n - 1
		}
		if w.begin == 0 {
			return page, nil
		}
	}
	last := uint64(0)
	err := s.walkLog(w, func(r *record) bool {
		l := s.worded(r)
		if !keep(&l) {
			return true
		}
		if len(page.Items) == q.Limit {
			page.Next = strconv.FormatUint(last, 10)
			return false
		}
		page.Items = append(page.Items, l)
		last = r.Seq
		return true
	})
	return page, err
}

// logWalk is a walk through the records of an index of the log. An object's records are found by the parts of the log.
type logWalk struct {
	bucket    []byte    // bucketRecords, bucketByApp or bucketByObject
	of        uint64    // number of the application or object
	from, to  time.Time // both included; a zero time does not bound
	ascending bool
	begin     uint64 // number of the first record that is looked at; 0: where the walk begins by itself
}

// logPart is how many records make a part of the log. The index of objects begins with the part: what is logged at one time
// then lies side by side, however large the company is, and the records of one object are found with a look into each part.
const logPart = 2048

func byObject(object, n uint64) []byte { return key(n/logPart, object, n) }

// each hands the numbers of the records of a walk from low to high, or from high to low, to f with what the index holds of
// them, until it returns false.
func (w logWalk) each(b *bbolt.Bucket, low, high uint64, f func(n uint64, v []byte) bool) {
	c := b.Bucket(w.bucket).Cursor()
	switch {
	case string(w.bucket) == string(bucketRecords):
		w.eachOf(c, nil, low, high, f)
	case string(w.bucket) == string(bucketByApp):
		w.eachOf(c, key(w.of), low, high, f)
	default: // nobody asks for the oldest of an object first
		for part := high/logPart + 1; part > low/logPart && w.eachOf(c, key(part-1, w.of), low, high, f); part-- {
		}
	}
}

// eachOf is each for the numbers behind one prefix; it reports whether f wants more.
func (w logWalk) eachOf(c *bbolt.Cursor, prefix []byte, low, high uint64, f func(n uint64, v []byte) bool) bool {
	at := func(n uint64) []byte { return append(slices.Clip(prefix), key(n)...) }
	step := c.Next
	k, v := c.Seek(at(low))
	if !w.ascending {
		step = c.Prev
		end := at(high)
		if k, v = c.Seek(end); k == nil {
			k, v = c.Last()
		} else if string(k) != string(end) {
			k, v = c.Prev()
		}
	}
	for ; k != nil && strings.HasPrefix(string(k), string(prefix)); k, v = step() {
		n := num(k[len(prefix):])
		if n < low || n > high {
			break
		}
		if !f(n, v) {
			return false
		}
	}
	return true
}

// walkLog hands records to f until it returns false. It does so between transactions: wording a record reads the file too,
// and a transaction within one may wait for ever for a writer that waits for the outer one.
func (s *Service) walkLog(w logWalk, f func(*record) bool) error {
	low, high := uint64(1), uint64(0)
	if err := s.db.View(func(tx *bbolt.Tx) (err error) {
		low, high, err = bounds(tx.Bucket(bucketSim).Bucket(bucketLog).Bucket(bucketRecords), w.from, w.to)
		return err
	}); err != nil {
		return err
	}
	if w.begin > 0 && w.ascending {
		low = max(low, w.begin)
	} else if w.begin > 0 {
		high = min(high, w.begin)
	}
	for low <= high {
		list, next, err := s.readLog(w, low, high)
		if err != nil {
			return err
		}
		for i := range list {
			if r := &list[i]; !(!w.from.IsZero() && r.Time.Before(w.from) || !w.to.IsZero() && r.Time.After(w.to)) && !f(r) {
				return nil
			}
		}
		switch {
		case next == 0:
			return nil
		case w.ascending:
			low = next
		default:
			high = next
		}
	}
	return nil
}

// readLog reads a chunk of a walk. next is the number at which the next one begins, 0 when there is none.
func (s *Service) readLog(w logWalk, low, high uint64) (list []record, next uint64, err error) {
	list = make([]record, 0, logChunk)
	err = s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketSim).Bucket(bucketLog)
		records := b.Bucket(bucketRecords)
		var failed error
		w.each(b, low, high, func(n uint64, v []byte) bool {
			if len(list) == logChunk {
				next = n
				return false
			}
			if w.of != 0 {
				v = records.Get(key(n))
			}
			list = append(list, record{Seq: n})
			if err := directory.Decode(v, &list[len(list)-1]); err != nil {
				failed = fmt.Errorf("provisioning log record %d: %w", n, err)
			}
			return failed == nil
		})
		return failed
	})
	return list, next, err
}

// bounds are the numbers of the first and last record that may lie between two times.
func bounds(b *bbolt.Bucket, from, to time.Time) (low, high uint64, err error) {
	first, _ := b.Cursor().First()
	last, _ := b.Cursor().Last()
	if first == nil {
		return 1, 0, nil
	}
	low, high = num(first), num(last)
	if !from.IsZero() {
		if low, err = firstFrom(b, low, high, from.Add(-logSlack)); err != nil {
			return 1, 0, err
		}
	}
	if !to.IsZero() {
		var beyond uint64
		if beyond, err = firstFrom(b, low, high, to.Add(logSlack)); err != nil {
			return 1, 0, err
		}
		high = min(high, beyond)
	}
	return low, high, nil
}

// firstFrom finds the first record that is not before a time; behind the last one there is none.
func firstFrom(b *bbolt.Bucket, low, high uint64, at time.Time) (uint64, error) {
	high++
	for low < high {
		middle := low + (high-low)/2
		k, v := b.Cursor().Seek(key(middle))
		if k == nil {
			high = middle
			continue
		}
		var r recordTime
		if err := directory.Decode(v, &r); err != nil {
			return 0, err
		}
		if r.Time.Before(at) {
			low = num(k) + 1
		} else {
			high = middle
		}
	}
	return low, nil
}
