package directory

import (
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/fxamacker/cbor/v2"
	"github.com/tinylib/msgp/msgp"
)

// What a file holds most of, objects, links and log records, is MessagePack, written and read by code that is generated from
// the types (go generate, the _gen files): a cycle reads each object several times, and this takes a fraction of the time
// that reflection takes. All else is CBOR (RFC 8949). Both keep the names of members, as JSON does, so that a layout can
// grow and common tools show what a file holds. Times in CBOR are text, as in JSON.
var (
	encoder = working(cbor.EncOptions{Time: cbor.TimeRFC3339NanoUTC, Sort: cbor.SortBytewiseLexical}.EncMode())
	// A text that is none must not make the rest of its value, or of the file, unreadable.
	decoder = working(cbor.DecOptions{DefaultMapType: reflect.TypeFor[map[string]any](), UTF8: cbor.UTF8DecodeInvalid}.DecMode())
)

// rooms are buffers to write to: generated code asks for several times what it needs in the end.
var rooms = sync.Pool{New: func() any { return new([]byte) }}

func working[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Encode writes a value as it is kept in the file; other rooms keep theirs the same way.
func Encode(v any) (data []byte, err error) {
	if m, ok := v.(msgp.Marshaler); ok {
		room := rooms.Get().(*[]byte)
		if *room, err = m.MarshalMsg((*room)[:0]); err == nil {
			data = slices.Clone(*room)
		}
		rooms.Put(room)
	} else {
		data, err = encoder.Marshal(v)
	}
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return data, nil
}

// Decode reads what Encode wrote of a value of that type. What v holds does not point into data.
func Decode(data []byte, v any) error {
	if m, ok := v.(msgp.Unmarshaler); ok {
		_, err := m.UnmarshalMsg(data)
		return err
	}
	return decoder.Unmarshal(data, v)
}
