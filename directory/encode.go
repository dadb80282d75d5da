package directory

import (
	"fmt"
	"reflect"

	"github.com/fxamacker/cbor/v2"
)

// Values in the file are CBOR (RFC 8949): it keeps the names of members, as JSON does, so that a layout can grow and any
// CBOR tool shows what a file holds, and it is read several times faster. Times are text, as in JSON.
var (
	encoder = working(cbor.EncOptions{Time: cbor.TimeRFC3339NanoUTC, Sort: cbor.SortBytewiseLexical}.EncMode())
	// A text that is none must not make the rest of its value, or of the file, unreadable.
	decoder = working(cbor.DecOptions{DefaultMapType: reflect.TypeFor[map[string]any](), UTF8: cbor.UTF8DecodeInvalid}.DecMode())
)

func working[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// Encode writes a value as it is kept in the file; other rooms keep theirs the same way.
func Encode(v any) ([]byte, error) {
	data, err := encoder.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode %T: %w", v, err)
	}
	return data, nil
}

// Decode reads what Encode wrote. What v holds does not point into data.
func Decode(data []byte, v any) error { return decoder.Unmarshal(data, v) }
