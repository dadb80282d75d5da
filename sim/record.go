package sim

//go:generate go run github.com/tinylib/msgp@v1.6.5 -file $GOFILE -o record_gen.go -io=false -tests=false -unexported
//msgp:tag json
//msgp:timezone utc
//msgp:tuple modified
//msgp:replace directory.Kind with:byte

import (
	"slices"
	"time"

	"entrasim/directory"
	"entrasim/sim/scim"
)

// Action is what the provisioning log says was done. Source: resources/provisioningobjectsummary.md.
type Action string

// The actions of the log.
const (
	ActionCreate       Action = "create"
	ActionUpdate       Action = "update"
	ActionDisable      Action = "disable"
	ActionDelete       Action = "delete"
	ActionStagedDelete Action = "stagedDelete"
	ActionOther        Action = "other"
)

// Outcome is how an action ended. Source: resources/provisioningstatusinfo.md.
type Outcome string

// The outcomes of the log.
const (
	Success Outcome = "success"
	Warning Outcome = "warning"
	Failure Outcome = "failure"
	Skipped Outcome = "skipped"
)

// SkipReason says why nothing was sent. Source: application-provisioning-config-problem-no-users-provisioned.md and
// recorded log entries.
type SkipReason string

// The reasons for sending nothing.
const (
	// SkipRedundant: both sides are equal already.
	SkipRedundant SkipReason = "RedundantExport"
	// SkipNotEntitled: not assigned, filtered out, or inactive in the directory.
	SkipNotEntitled SkipReason = "NotEffectivelyEntitled"
	// SkipImport: no matching attribute has a value, so that scope was never evaluated.
	SkipImport SkipReason = "ImportSkipped"
	// SkipBlocked: the object mapping does not allow the action (Target Object Actions).
	SkipBlocked SkipReason = "EntrySynchronizationSkipped"
	// SkipHeld: accidental deletion prevention holds the deletion back (accidental-deletions.md).
	SkipHeld SkipReason = "TooManyDeletes"
)

// importKind is how an object came into the cycle.
type importKind string

const (
	importFull   importKind = ""       // read as a whole: initial cycle
	importAdd    importKind = "Add"    // new to the job
	importUpdate importKind = "Update" //
	importDelete importKind = "Delete"
)

// modified is one changed property, as text. A nil side had no value.
type modified struct {
	Name string  `json:"p"`
	Old  *string `json:"o,omitempty"`
	New  *string `json:"n,omitempty"`
}

func (m modified) property() ModifiedProperty { return ModifiedProperty(m) }

// matchInfo is what the match query asked and found.
type matchInfo struct {
	Attr  string `json:"a"`
	Value string `json:"v"`
	Found int    `json:"f"`
	// Failed: the query was not answered with at most one object that fits.
	Failed bool      `json:"x,omitempty"`
	kind   scim.Type `json:"-"`
	exact  bool      `json:"-"` // case counts
}

// by is what the target is asked for.
func (m *matchInfo) by() scim.Attribute {
	return scim.Attribute{Path: m.Attr, Type: m.kind, Value: m.Value}
}

// record is one decision as it is stored: codes, ids and changed values. Words are added when it is read, see log.go.
type record struct {
	Seq      uint64         `json:"-"`
	App      uint64         `json:"app"`
	Time     time.Time      `json:"t"`
	Cycle    int            `json:"c"` // below 0: the run on demand of that number
	Change   int            `json:"n"` // counts the records of the cycle
	Num      uint64         `json:"o"`
	Kind     directory.Kind `json:"k"`
	Name     string         `json:"dn,omitempty"`
	UPN      string         `json:"upn,omitempty"`
	ID       string         `json:"id"`
	Target   string         `json:"tid,omitempty"`
	Action   Action         `json:"a"`
	Status   Outcome        `json:"s"`
	Import   importKind     `json:"i,omitempty"`
	Source   [][2]string    `json:"src,omitempty"` // source attributes, for the import step of a new object
	Scope    *scopeResult   `json:"sc,omitempty"`
	Match    *matchInfo     `json:"m,omitempty"`
	Read     bool           `json:"r,omitempty"`   // the target object was read by id
	Ref      string         `json:"ref,omitempty"` // target attribute of a reference change
	Dropped  []string       `json:"dr,omitempty"`  // members that are out of scope
	Skip     SkipReason     `json:"sk,omitempty"`
	Code     string         `json:"e,omitempty"`  // error code
	Message  string         `json:"em,omitempty"` // what the target answered, in Entra's frame
	Detail   string         `json:"ed,omitempty"` // what is known beyond that frame
	Sent     bool           `json:"w,omitempty"`  // a write was tried
	Modified []modified     `json:"mod,omitempty"`
	Millis   int64          `json:"ms"`
	Requests []uint64       `json:"x,omitempty"`  // numbers of the recorded exchanges
	Warnings []string       `json:"wn,omitempty"` // rules that answers broke and that were let pass
	Rules    []string       `json:"ru,omitempty"`
	Retry    *time.Time     `json:"due,omitempty"` // when the escrow is tried again
	Tries    int            `json:"tr,omitempty"`  // how often the escrow was tried, this time included
	Endless  []endlessNote  `json:"el,omitempty"`  // what the target did not keep again
	Repeats  int            `json:"rp,omitempty"`  // how often the failed request was sent again within the cycle

	// What a run on demand tells beyond that.
	Looked []looked `json:"lk,omitempty"` // what the target was asked for, and returned
	Parts  []record `json:"pt,omitempty"` // what was done, in order, when its references were written as well
}

// recordTime is of a record what a search by time needs.
type recordTime struct {
	Time time.Time `json:"t"`
}

// looked is one question to the target about an object, with the mapped attributes of each one that it returned.
type looked struct {
	Attr    string        `json:"a"` // "id" for a read of a linked object
	Value   string        `json:"v"`
	Objects [][][2]string `json:"o,omitempty"`
}

func (r *record) onDemand() bool { return r.Cycle < 0 }

// fail notes why the object could not be brought to its wanted state.
func (r *record) fail(f *failure) {
	r.Status, r.Code, r.Message, r.Detail = Failure, f.Code, f.Message, f.Detail
	r.Rules = append(slices.Clip(r.Rules), f.rules()...)
	if f.Err != nil {
		r.Repeats = f.Err.Repeats
	}
}

// equal says that nothing was sent because both sides are equal already.
func (r *record) equal() {
	r.Action, r.Status, r.Skip, r.Rules, r.Modified = ActionOther, Skipped, SkipRedundant, []string{"S-074"}, nil
}

// waitsFor says that a reference waits for the object that it refers to.
func (r *record) waitsFor(f *failure) {
	r.Action, r.Status, r.Code, r.Message, r.Rules = ActionUpdate, Warning, f.Code, f.Message, []string{"S-288"}
}
