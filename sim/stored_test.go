package sim

import (
	"reflect"
	"testing"
	"time"

	"entrasim/directory"
)

// TestStoredRecords: links and log records come out of the file as they went in, each of their members; the code that writes
// them is generated (go generate) from the types as they are now.
func TestStoredRecords(t *testing.T) {
	text := func(s string) *string { return &s }
	when := start.Add(1234 * time.Millisecond)
	scope := scopeResult{Active: true, Assigned: true, SyncAll: true, Filter: true, Filters: `[{"a":1}]`, Why: "why", Insecure: true}
	note := endlessNote{EndlessKind("dropped"), "active", "text", 4}
	r := record{App: 1, Time: when, Cycle: -2, Change: 3, Num: 4, Kind: directory.KindUser, Name: "Grace", UPN: "grace@contoso.example", ID: "id", Target: "T",
		Action: ActionUpdate, Status: Failure, Import: importAdd, Source: [][2]string{{"a", "b"}}, Scope: &scope,
		Match: &matchInfo{Attr: "userName", Value: "grace", Found: 1, Failed: true}, Read: true, Ref: "manager", Dropped: []string{"x"}, Skip: SkipHeld,
		Code: "c", Message: "m", Detail: "d", Sent: true, Modified: []modified{{"p", text("old"), nil}, {"q", nil, text("new")}}, Millis: 5,
		Requests: []uint64{6, 1 << 40}, Warnings: []string{"W-1"}, Rules: []string{"S-1"}, Retry: &when, Tries: 7, Endless: []endlessNote{note}, Repeats: 8,
		Looked: []looked{{"id", "T", [][][2]string{{{"a", "b"}}, nil}}}}
	r.Parts = []record{r}
	l := Link{Kind: directory.KindGroup, ID: "id", Name: "Crew", Target: "T", State: LinkDisabled, Created: true, Since: when, Cycle: 2,
		Manager: 3, Away: true, Unsure: unsureWake, Untold: "S-193"}
	again := sentAttributes{"active": {4, 5, note.Kind}}
	for _, v := range []any{&r, &l, &again} {
		for i := 0; reflect.TypeOf(v).Elem().Kind() == reflect.Struct && i < reflect.TypeOf(v).Elem().NumField(); i++ {
			if f := reflect.TypeOf(v).Elem().Field(i); f.Tag.Get("json") != "-" && reflect.ValueOf(v).Elem().Field(i).IsZero() {
				t.Errorf("%T: the test gives %s no value", v, f.Name)
			}
		}
		data, err := directory.Encode(v)
		if err != nil {
			t.Fatal(err)
		}
		got := reflect.New(reflect.TypeOf(v).Elem()).Interface()
		if err := directory.Decode(data, got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, v) {
			t.Errorf("%+v\nbecame\n%+v", v, got)
		}
	}
}
