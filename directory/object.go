// Package directory is the tenant's directory: users, groups, memberships, managers, service principals, assignments and
// deleted items, in one bbolt file, with the property names, types and limits of Microsoft Graph.
//
// Every mutation commits together with its entry in the change feed (feed.go), so that a reader that comes back with a
// watermark misses nothing. Times are handed in; the package knows no clock, no HTTP and no SCIM. buckets.go draws the
// file. Start reading at Store, then user.go for the properties.
package directory

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file $GOFILE -o object_gen.go -io=false -tests=false -unexported
//msgp:tag json
//msgp:timezone utc
//msgp:ignore Props Code Error

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// Kind is the kind of a directory object.
type Kind byte

// The kinds of objects.
const (
	KindUser             Kind = 'u'
	KindGroup            Kind = 'g'
	KindServicePrincipal Kind = 's'
)

// String is the name that Graph gives the kind.
func (k Kind) String() string {
	switch k {
	case KindUser:
		return "User"
	case KindGroup:
		return "Group"
	case KindServicePrincipal:
		return "ServicePrincipal"
	}
	return fmt.Sprintf("Kind(%d)", byte(k))
}

// State is where an object stands between creation and oblivion.
type State byte

// The states of an object. A soft-deleted object lies in deleted items for 30 days; of a purged one a tombstone is left
// until every reader of the change feed has passed it.
const (
	Live        State = 0
	SoftDeleted State = 1
	Purged      State = 2
)

// Object is what all kinds have in common.
type Object struct {
	Num             uint64    `json:"-"` // creation number: the key of everything about the object, never used again
	ID              string    `json:"id"`
	Kind            Kind      `json:"kind"`
	State           State     `json:"state,omitempty"`
	DisplayName     string    `json:"displayName,omitempty"`
	CreatedDateTime time.Time `json:"createdDateTime"`
	DeletedDateTime time.Time `json:"deletedDateTime,omitzero"`
	// Bare marks the registration of an application that has no service principal: nothing finds it but its own ids.
	Bare bool `json:"bare,omitempty"`
}

// head is of a stored object what all kinds have in common.
type head struct{ Object Object }

// SecurityIdentifier is the security identifier (SID) of the object: its GUID in four numbers
// (resources/user.md, securityIdentifier).
func (o Object) SecurityIdentifier() string {
	k := guidKey(o.ID)
	if k == nil {
		return ""
	}
	// The first three fields of a GUID are little-endian in a SID, the last eight bytes stay as they are.
	first := binary.BigEndian.Uint32(k)
	second := uint32(binary.BigEndian.Uint16(k[6:]))<<16 | uint32(binary.BigEndian.Uint16(k[4:]))
	return fmt.Sprintf("S-1-12-1-%d-%d-%d-%d", first, second, binary.LittleEndian.Uint32(k[8:]), binary.LittleEndian.Uint32(k[12:]))
}

// Props are property values by their Graph names: text, Booleans, numbers, lists of text, objects, nil. In an edit nil
// or empty text clears a property.
type Props map[string]any

// Code classifies an Error.
type Code string

// The codes of errors.
const (
	Invalid  Code = "invalid"  // a value that the directory refuses
	Conflict Code = "conflict" // a value that is taken, a state that forbids the operation
	NotFound Code = "notFound"
	Expired  Code = "expired" // the change feed no longer reaches back that far
	InUse    Code = "inUse"   // the file is open in another process
	Foreign  Code = "foreign" // the file is none of ours, or of a newer version
	Damaged  Code = "damaged" // the file is one of ours and can't be read
	Ending   Code = "ending"  // the program ends before it is done
)

// Error is an error with a code and words for people: what is wrong, of which property, and what to do.
type Error struct {
	Code     Code
	Property string
	Message  string
	Hint     string
}

// Error is the message with the property in front and the hint behind.
func (e *Error) Error() string {
	text := e.Message
	if e.Property != "" {
		text = e.Property + ": " + text
	}
	if e.Hint != "" {
		text += " " + e.Hint
	}
	return text
}

// CodeOf returns the code of an error, "" when it has none.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func invalid(property, format string, args ...any) error {
	return &Error{Code: Invalid, Property: property, Message: fmt.Sprintf(format, args...)}
}

func notFound(id string) error {
	return &Error{Code: NotFound, Message: fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", id)}
}
