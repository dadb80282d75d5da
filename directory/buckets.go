package directory

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"go.etcd.io/bbolt"
)

// The file. Numbers in keys are 8 bytes, big endian; <object> is an object's creation number. Text in keys is folded to
// lower case, GUIDs are 16 bytes. Values are JSON unless noted; "->" leads to an object by its number, and an index
// without it has empty values.
//
//	meta
//	  header                      program, layout version, seed and tenant
//	  set <name>                  a setting of the file, plain text
//	directory
//	  objects                     <object>                    User, Group or ServicePrincipal; its kind is a member
//	  ids                         <GUID> -> <object>          every object that is known, tombstones too
//	  appids                      <GUID> -> <object>          appId of a service principal, object id of its application
//	  users                       <object>                    live users, in creation order
//	  groups                      <object>                    live groups
//	  principals                  <object>                    live service principals
//	  upn                         <userPrincipalName> -> <object>   live users
//	  displaynames                <kind><text>\0<object>      of live objects
//	  mails                       <kind><text>\0<object>      of live users and groups
//	  members                     <group><member>             kept while either is deleted, until its tombstone goes
//	  memberof                    <member><group>
//	  sizes                       <group> -> number of live members
//	  reports                     <manager><user>
//	  assignments                 <service principal><principal><role GUID>, an Assignment
//	  assigned                    <principal><service principal><role GUID>
//	  grants                      <id of an assignment, 32 bytes> -> its key in assignments
//	  deleted                     <kind><unix nanoseconds><object>  soft-deleted objects by time
//	  tombstones                  <change number><object>     purged objects by their last change
//	  feed                        <change number>             change, see feed.go
//	  numbers                     counts: Counts; floor: the last change number that was trimmed;
//	                              generating: present while Generate is under way
var (
	bucketMeta         = []byte("meta")
	bucketDirectory    = []byte("directory")
	bucketObjects      = []byte("objects")
	bucketIDs          = []byte("ids")
	bucketAppIDs       = []byte("appids")
	bucketUsers        = []byte("users")
	bucketGroups       = []byte("groups")
	bucketPrincipals   = []byte("principals")
	bucketUPN          = []byte("upn")
	bucketDisplayNames = []byte("displaynames")
	bucketMails        = []byte("mails")
	bucketMembers      = []byte("members")
	bucketMemberOf     = []byte("memberof")
	bucketSizes        = []byte("sizes")
	bucketReports      = []byte("reports")
	bucketAssignments  = []byte("assignments")
	bucketAssigned     = []byte("assigned")
	bucketGrants       = []byte("grants")
	bucketDeleted      = []byte("deleted")
	bucketTombstones   = []byte("tombstones")
	bucketFeed         = []byte("feed")
	bucketNumbers      = []byte("numbers")
)

var allBuckets = [][]byte{
	bucketObjects, bucketIDs, bucketAppIDs, bucketUsers, bucketGroups, bucketPrincipals, bucketUPN, bucketDisplayNames, bucketMails,
	bucketMembers, bucketMemberOf, bucketSizes, bucketReports, bucketAssignments, bucketAssigned, bucketGrants, bucketDeleted,
	bucketTombstones, bucketFeed, bucketNumbers,
}

var (
	keyHeader     = []byte("header")
	keyCounts     = []byte("counts")
	keyFloor      = []byte("floor")
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

// liveBucket lists the live objects of a kind.
func liveBucket(kind Kind) []byte {
	switch kind {
	case KindUser:
		return bucketUsers
	case KindGroup:
		return bucketGroups
	case KindServicePrincipal:
		return bucketPrincipals
	}
	panic(fmt.Sprintf("no bucket of %v", kind))
}

// textKey is a key of displaynames and mails; text never holds a zero byte.
func textKey(kind Kind, text string, n uint64) []byte {
	k := append([]byte{byte(kind)}, fold(text)...)
	k = append(k, 0)
	return binary.BigEndian.AppendUint64(k, n)
}

func roleKey(a, b uint64, role string) []byte { return append(key(a, b), guidKey(role)...) }

func deletedKey(kind Kind, at time.Time, n uint64) []byte {
	return append([]byte{byte(kind)}, key(uint64(max(0, at.UnixNano())), n)...)
}

// txn is one transaction with its buckets.
type txn struct {
	*bbolt.Tx
	dir  *bbolt.Bucket
	open map[string]*bbolt.Bucket
}

func begin(tx *bbolt.Tx) *txn {
	return &txn{tx, tx.Bucket(bucketDirectory), make(map[string]*bbolt.Bucket, 8)}
}

// in returns a bucket of the directory.
func (t *txn) in(name []byte) *bbolt.Bucket {
	b := t.open[string(name)]
	if b == nil {
		b = t.dir.Bucket(name)
		t.open[string(name)] = b
	}
	return b
}

// touch adds a key to an index without values.
func (t *txn) touch(bucket, k []byte) error { return t.in(bucket).Put(k, nil) }

func (t *txn) put(bucket, k []byte, v any) error {
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode %T: %w", v, err)
	}
	return t.in(bucket).Put(k, data)
}

// drop deletes the keys from their buckets: bucket, key, bucket, key, ...
func (t *txn) drop(pairs ...[]byte) error {
	for i := 0; i < len(pairs); i += 2 {
		if err := t.in(pairs[i]).Delete(pairs[i+1]); err != nil {
			return err
		}
	}
	return nil
}

// get decodes a value; ok is false when there is none.
func (t *txn) get(bucket, k []byte, v any) (ok bool, err error) {
	data := t.in(bucket).Get(k)
	if data == nil {
		return false, nil
	}
	if err := json.Unmarshal(data, v); err != nil {
		return false, fmt.Errorf("data file: %s %x: %w", bucket, k, err)
	}
	return true, nil
}

// pairs lists up to limit second numbers of the keys that begin with n; 0 means all.
func (t *txn) pairs(bucket []byte, n uint64, limit int) []uint64 {
	var list []uint64
	c := t.in(bucket).Cursor()
	for k, _ := c.Seek(key(n)); len(k) >= 16 && num(k) == n; k, _ = c.Next() {
		if limit > 0 && len(list) == limit {
			break
		}
		list = append(list, num(k[8:]))
	}
	return list
}
