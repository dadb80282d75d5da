package sim

import (
	"strconv"
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

// ScanLogs returns the records of a walk that keep wants. keep must not call the service.
func (s *Service) ScanLogs(q LogScan, keep func(*LogRecord) bool) (directory.Page[LogRecord], error) {
	var page directory.Page[LogRecord]
	if q.Limit <= 0 {
		q.Limit = 100
	}
	var after uint64
	if q.Cursor != "" {
		n, err := strconv.ParseUint(q.Cursor, 10, 64)
		if err != nil || n == 0 {
			return page, invalid("cursor", "The page token is none of this log.", "Start again without it.")
		}
		after = n
	}
	err := s.db.View(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucketSim).Bucket(bucketLog).Bucket(bucketRecords)
		low, high, err := bounds(b, q.From, q.To)
		if err != nil || low > high {
			return err
		}
		c := b.Cursor()
		begin, step := low, c.Next
		if q.Ascending {
			begin = max(begin, after+1)
		} else {
			step = c.Prev
			if begin = high; after > 0 {
				begin = min(begin, after-1)
			}
		}
		k, _ := c.Seek(key(begin))
		if !q.Ascending && (k == nil || num(k) > begin) {
			if k == nil {
				k, _ = c.Last()
			} else {
				k, _ = c.Prev()
			}
		}
		last := uint64(0)
		for ; k != nil && num(k) >= low && num(k) <= high; k, _ = step() {
			r := record{Seq: num(k)}
			if ok, err := getValue(b, k, &r); err != nil || !ok {
				return err
			}
			if !q.From.IsZero() && r.Time.Before(q.From) || !q.To.IsZero() && r.Time.After(q.To) {
				continue
			}
			l := s.worded(&r)
			if !keep(&l) {
				continue
			}
			if len(page.Items) == q.Limit {
				page.Next = strconv.FormatUint(last, 10)
				return nil
			}
			page.Items = append(page.Items, l)
			last = r.Seq
		}
		return nil
	})
	return page, err
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
		var r struct {
			Time time.Time `json:"t"`
		}
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
