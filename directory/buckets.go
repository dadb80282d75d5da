package directory

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// The file. Numbers in keys are 8 bytes, big endian; <object> is an object's creation number. Text in keys is folded to
// lower case. Values are CBOR (encode.go) unless noted; an index has empty values or the number that it leads to.
//
//	meta
//	  header                      JSON: program, layout version, tenant and seed
//	  set <name>                  a setting of the file, plain text
//	  floor                       the last change number that was trimmed
//	  epoch                       how often the directory was emptied
//	  generating                  present while Generate is under way
//	directory
//	  objects
//	    <object>                  kind and state, a byte each, then User, Group or ServicePrincipal
//	  ids                         <GUID, 16 bytes> -> <object>   in any state
//	  appids                      <GUID, 16 bytes> -> <object>   appId and application id of a service principal
//	  users                       <object>                    live users, in creation order
//	  groups                      <object>                    live groups
//	  principals                  <object>                    live service principals
//	  upn                         <userPrincipalName> -> <object>, live users
//	  names                       <kind><text>\0<object>      displayName, mail and userPrincipalName of live objects
//	  members                     <group><member>             kept while either is deleted, until its tombstone goes
//	  memberof                    <member><group>
//	  reports                     <manager><user>
//	  dynamic                     <group> -> its membership rule, plain text: those that are processed
//	  assignments                 <service principal><principal><role, 16 bytes>, an Assignment
//	  assigned                    <principal><service principal><role, 16 bytes>
//	  grants                      <id of an assignment> -> its key in assignments
//	  deleted                     <kind><unix seconds><object>   soft-deleted objects by time
//	  tombstones                  <change number><object>     purged objects by their last change
//	  counts                      name -> number
//	  feed                        <change number> -> change, see feed.go
var (
	bucketMeta        = []byte("meta")
	bucketDirectory   = []byte("directory")
	bucketObjects     = []byte("objects")
	bucketIDs         = []byte("ids")
	bucketAppIDs      = []byte("appids")
	bucketUsers       = []byte("users")
	bucketGroups      = []byte("groups")
	bucketPrincipals  = []byte("principals")
	bucketUPN         = []byte("upn")
	bucketNames       = []byte("names")
	bucketMembers     = []byte("members")
	bucketMemberOf    = []byte("memberof")
	bucketReports     = []byte("reports")
	bucketDynamic     = []byte("dynamic")
	bucketAssignments = []byte("assignments")
	bucketAssigned    = []byte("assigned")
	bucketGrants      = []byte("grants")
	bucketDeleted     = []byte("deleted")
	bucketTombstones  = []byte("tombstones")
	bucketCounts      = []byte("counts")
	bucketFeed        = []byte("feed")
)

var allBuckets = [][]byte{
	bucketObjects, bucketIDs, bucketAppIDs, bucketUsers, bucketGroups, bucketPrincipals, bucketUPN, bucketNames, bucketMembers, bucketMemberOf,
	bucketReports, bucketDynamic, bucketAssignments, bucketAssigned, bucketGrants, bucketDeleted, bucketTombstones, bucketCounts, bucketFeed,
}

var (
	keyHeader     = []byte("header")
	keyFloor      = []byte("floor")
	keyEpoch      = []byte("epoch")
	keyGenerating = []byte("generating")
)

func settingKey(name string) []byte { return append([]byte("set "), name...) }

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

func guidKey(id string) []byte {
	u, err := uuid.Parse(id)
	if err != nil || len(id) != 36 {
		return nil
	}
	return u[:]
}

func fold(s string) string { return strings.ToLower(s) }

func nameKey(kind Kind, text string, n uint64) []byte {
	k := append([]byte{byte(kind)}, fold(text)...)
	k = append(k, 0)
	return binary.BigEndian.AppendUint64(k, n)
}

func namePrefix(kind Kind, prefix string) []byte { return append([]byte{byte(kind)}, fold(prefix)...) }

func roleKey(a, b uint64, role string) []byte { return append(key(a, b), guidKey(role)...) }

func deletedKey(kind Kind, at time.Time, n uint64) []byte {
	return append([]byte{byte(kind)}, key(uint64(max(0, at.Unix())), n)...)
}

// txn is one transaction with its buckets.
type txn struct {
	*bbolt.Tx
	dir   *bbolt.Bucket
	got   map[string]*bbolt.Bucket
	rules *ruleCache // of the store; in a transaction that writes
	also  []Event    // beside the one that the mutation is about
}

func begin(tx *bbolt.Tx) *txn {
	return &txn{Tx: tx, dir: tx.Bucket(bucketDirectory), got: make(map[string]*bbolt.Bucket, 8)}
}

// in returns a bucket of the directory.
func (t *txn) in(name []byte) *bbolt.Bucket {
	b := t.got[string(name)]
	if b == nil {
		b = t.dir.Bucket(name)
		t.got[string(name)] = b
	}
	return b
}

func (t *txn) put(bucket, k []byte, v any) error {
	data, err := Encode(v)
	if err != nil {
		return err
	}
	return t.in(bucket).Put(k, data)
}

// add changes a counter.
func (t *txn) add(name string, by int) error {
	b := t.in(bucketCounts)
	n := int(num(b.Get([]byte(name)))) + by
	return b.Put([]byte(name), key(uint64(n)))
}

func (t *txn) countOf(name string) int { return int(num(t.in(bucketCounts).Get([]byte(name)))) }
