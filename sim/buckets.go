package sim

import (
	"encoding/binary"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"entrasim/directory"
)

// What the service keeps, beside the directory, in the tenant's file. Numbers in keys are 8 bytes, big endian; an
// object's number is its creation number in the directory, which is never used again. Values are CBOR unless noted.
//
//	sim
//	  clock                     -> clockRecord: the instant reached
//	  jobs
//	    <application number>
//	      config                -> jobConfig
//	      secrets               -> {key: value}; the only place where a secret token stands
//	      schema                -> synchronizationSchema document, JSON
//	      options               -> {name: value}: switches that differ from their defaults, and QuarantineTooManyDeletesThreshold
//	      state                 -> jobState: schedule, watermark, the running cycle's place, quarantine, executions
//	      links
//	        <object>            -> Link: which target object stands for it
//	      anchors
//	        <U|G><target id>    -> <object>: the same the other way round
//	      again
//	        <object>            -> sentAttributes: what its last update carried, until the target is seen to hold it
//	      edges
//	        <group><member>     -> <cycle number>: membership that the target was told, and in which cycle; 0: it was
//	                               told or taken back, and no answer says whether the target followed
//	      memberships
//	        <member><group>     -> "": the same the other way round
//	      owed
//	        <object>            -> "u", "a" or "c": what is still to be looked at, see owing
//	      departed
//	        <object>            -> "": purged, and its link dropped without a DELETE, since the last cycle that was not cut short
//	      held
//	        <object>            -> "h", or "y" when it is allowed: a deletion that is held back, see hold.go
//	      escrows
//	        <kind><object><other> -> Escrow: a failed operation that waits for its retry; other is the member of a
//	                                 membership, 0 for the object itself and its manager
//	      due
//	        <unix nanoseconds><escrow key> -> "": escrows by the earliest cycle that retries them
//	  waiting
//	    <application number>    -> {key: value}: secrets that were put before there is a job
//	  log
//	    records
//	      <record number>       -> record: one decision; worded when it is read. Its id follows from the number
//	    applications
//	      <application><record number> -> ""
//	    objects
//	      <part of the log><object><record number> -> "", see logPart
//	    owners
//	      <application><record number> -> owner: the job whose records begin there; it stays when the job goes
//	  audit
//	    <number>                -> AuditRecord
//	  mails
//	    <number>                -> Mail
var (
	bucketSim         = []byte("sim")
	bucketJobs        = []byte("jobs")
	bucketLinks       = []byte("links")
	bucketAnchors     = []byte("anchors")
	bucketAgain       = []byte("again")
	bucketEdges       = []byte("edges")
	bucketMemberships = []byte("memberships")
	bucketOwed        = []byte("owed")
	bucketDeparted    = []byte("departed")
	bucketHeld        = []byte("held")
	bucketEscrows     = []byte("escrows")
	bucketDue         = []byte("due")
	bucketWaiting     = []byte("waiting")
	bucketLog         = []byte("log")
	bucketRecords     = []byte("records")
	bucketByApp       = []byte("applications")
	bucketByObject    = []byte("objects")
	bucketOwners      = []byte("owners")
	bucketAudit       = []byte("audit")
	bucketMails       = []byte("mails")
	keyClock          = []byte("clock")
	keyConfig         = []byte("config")
	keySecrets        = []byte("secrets")
	keyOptions        = []byte("options")
	keySchema         = []byte("schema")
	keyState          = []byte("state")
)

func key(nums ...uint64) []byte {
	k := make([]byte, 0, 8*len(nums))
	for _, n := range nums {
		k = binary.BigEndian.AppendUint64(k, n)
	}
	return k
}

func num(k []byte) uint64 {
	if len(k) < 8 {
		return 0
	}
	return binary.BigEndian.Uint64(k)
}

func anchorKey(kind directory.Kind, target string) []byte {
	return append([]byte{byte(kind)}, target...)
}

func timeKey(t time.Time) uint64 {
	if n := t.UnixNano(); n > 0 {
		return uint64(n)
	}
	return 0
}

func createBuckets(tx *bbolt.Tx) error {
	root, err := tx.CreateBucketIfNotExists(bucketSim)
	if err != nil {
		return err
	}
	for _, name := range [][]byte{bucketJobs, bucketWaiting, bucketLog, bucketAudit, bucketMails} {
		if _, err := root.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	for _, name := range [][]byte{bucketRecords, bucketByApp, bucketByObject, bucketOwners} {
		if _, err := root.Bucket(bucketLog).CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	jobs := root.Bucket(bucketJobs)
	return jobs.ForEachBucket(func(k []byte) error { // files of earlier versions lack some
		b, err := createJobBuckets(tx, num(k))
		if err != nil {
			return err
		}
		return seedOwner(tx, num(k), b)
	})
}

var jobBuckets = [][]byte{bucketLinks, bucketAnchors, bucketAgain, bucketEdges, bucketMemberships, bucketOwed, bucketDeparted, bucketHeld, bucketEscrows, bucketDue}

func createJobBuckets(tx *bbolt.Tx, app uint64) (*bbolt.Bucket, error) {
	b, err := tx.Bucket(bucketSim).Bucket(bucketJobs).CreateBucketIfNotExists(key(app))
	if err != nil {
		return nil, err
	}
	for _, name := range jobBuckets {
		if _, err := b.CreateBucketIfNotExists(name); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// jobBucket returns the bucket of a job; it panics when there is none, since callers hold a job that exists.
func jobBucket(tx *bbolt.Tx, app uint64) *bbolt.Bucket {
	return tx.Bucket(bucketSim).Bucket(bucketJobs).Bucket(key(app))
}

func putValue(b *bbolt.Bucket, k []byte, v any) error {
	data, err := directory.Encode(v)
	if err != nil {
		return err
	}
	return b.Put(k, data)
}

func getValue(b *bbolt.Bucket, k []byte, v any) (bool, error) {
	data := b.Get(k)
	if data == nil {
		return false, nil
	}
	if err := directory.Decode(data, v); err != nil {
		return true, fmt.Errorf("data file: %T at %x: %w", v, k, err)
	}
	return true, nil
}
