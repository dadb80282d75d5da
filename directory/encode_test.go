package directory

import (
	"reflect"
	"testing"
	"time"
)

// fill gives everything that v holds a value that is not its zero, so that a member that is not stored shows.
func fill(v reflect.Value, n *int) {
	*n++
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(start.Add(time.Duration(*n) * time.Millisecond)))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Tag.Get("json") != "-" {
				fill(v.Field(i), n)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), n)
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]any{"text": "a", "flag": true, "number": 1.5, "whole": int64(-7), "list": []any{"b", nil}, "object": map[string]any{"c": "d"}}))
	case reflect.String:
		v.SetString("text " + time.Duration(*n).String())
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint8, reflect.Uint64:
		v.SetUint(uint64(*n % 200))
	default:
		panic("no value for " + v.Type().String())
	}
}

// TestStoredObjects: an object comes out of the file as it went in, each of its properties; the code that writes it is generated
// (go generate) from the type as it is now.
func TestStoredObjects(t *testing.T) {
	for _, v := range []any{&User{}, &Group{}, &ServicePrincipal{}} {
		n := 0
		fill(reflect.ValueOf(v).Elem(), &n)
		data := must[[]byte](t)(Encode(v))
		got := reflect.New(reflect.TypeOf(v).Elem()).Interface()
		check(t, Decode(data, got))
		if !reflect.DeepEqual(got, v) {
			t.Errorf("%T:\n%+v\nbecame\n%+v", v, v, got)
		}
		var h head
		check(t, Decode(data, &h))
		if h.Object != *objectOf(v) {
			t.Errorf("%T: its head is %+v", v, h.Object)
		}
	}
}
