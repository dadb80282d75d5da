package sim

import (
	"strings"
	"time"

	"entrasim/sim/scim"
)

// ScheduleState says whether cycles are due. Source: resources/synchronization-synchronizationschedule.md.
type ScheduleState string

// The states of a schedule.
const (
	ScheduleActive   ScheduleState = "Active"
	ScheduleDisabled ScheduleState = "Disabled"
	SchedulePaused   ScheduleState = "Paused"
)

// StatusCode is the state that a job shows. Source: resources/synchronization-synchronizationstatus.md.
type StatusCode string

// The status codes of a job.
const (
	StatusNotConfigured StatusCode = "NotConfigured"
	StatusNotRun        StatusCode = "NotRun"
	StatusActive        StatusCode = "Active"
	StatusPaused        StatusCode = "Paused"
	StatusQuarantine    StatusCode = "Quarantine"
)

// QuarantineReason says why a job is in quarantine. Source: resources/synchronization-synchronizationquarantine.md.
type QuarantineReason string

// The reasons that this service gives by itself.
const (
	// QuarantineException is a critical fault: credentials refused, no connection, an endpoint that does not speak SCIM.
	QuarantineException QuarantineReason = "EncounteredQuarantineException"
	// QuarantineBase is too many failures of objects, QuarantineTotal too many with those of references, and
	// QuarantineProportion too large a share of failures.
	QuarantineBase       QuarantineReason = "EncounteredBaseEscrowThreshold"
	QuarantineTotal      QuarantineReason = "EncounteredTotalEscrowThreshold"
	QuarantineProportion QuarantineReason = "EncounteredEscrowProportionThreshold"
	// QuarantineDeletes is a cycle that would have switched off or deleted too many objects (accidental-deletions.md).
	QuarantineDeletes QuarantineReason = "TooManyDeletes"
)

// ExecutionState is how a cycle ended. Source: resources/synchronization-synchronizationtaskexecution.md.
type ExecutionState string

// The ways a cycle can end.
const (
	Succeeded        ExecutionState = "Succeeded"
	Failed           ExecutionState = "Failed"           // the run itself broke off: credentials, connection
	EntryLevelErrors ExecutionState = "EntryLevelErrors" // it ran to its end, at least one object failed
)

// CycleKind tells an initial from an incremental cycle (how-provisioning-works.md).
type CycleKind string

// The kinds of a cycle.
const (
	Initial     CycleKind = "initial"
	Incremental CycleKind = "incremental"
)

// Scope is which principals a job considers (how-provisioning-works.md, "Assignment-based scoping").
type Scope string

// The two scopes.
const (
	SyncAssigned Scope = "assigned" // Sync only assigned users and groups
	SyncAll      Scope = "all"      // Sync all users and groups
)

// JobError is an error of a job as its status shows it.
type JobError struct {
	Code             string `json:"code"`
	Message          string `json:"message"`
	TenantActionable bool   `json:"tenantActionable"`
	Detail           string `json:"detail,omitempty"` // what this program knows beyond Microsoft's message
}

// Text is the message with the detail behind it.
func (e *JobError) Text() string { return scim.WithDetail(e.Message, e.Detail) }

// Quarantine is the state of a job that runs at reduced frequency (application-provisioning-quarantine-status.md).
type Quarantine struct {
	Reason       QuarantineReason `json:"reason"`
	SeriesBegan  time.Time        `json:"seriesBegan"`
	CurrentBegan time.Time        `json:"currentBegan"`
	SeriesCount  int              `json:"seriesCount"`
	NextAttempt  time.Time        `json:"nextAttempt"`
	Error        *JobError        `json:"error"`
	// Attempts are the first imposition and what was tried since, oldest first: the first one and the newest 99.
	Attempts []QuarantineAttempt `json:"attempts"`
}

// QuarantineAttempt is one cycle that imposed a quarantine or left it in force.
type QuarantineAttempt struct {
	Time   time.Time        `json:"time"`
	Cycle  int              `json:"cycle"`
	Reason QuarantineReason `json:"reason"`
	Code   string           `json:"code"`
	Text   string           `json:"message"`
}

// Execution is one run of a job. Counts are of objects, times are virtual.
type Execution struct {
	ActivityID              string         `json:"activityIdentifier"`
	State                   ExecutionState `json:"state"`
	Began                   time.Time      `json:"timeBegan"`
	Ended                   time.Time      `json:"timeEnded"`
	Entitled                int            `json:"countEntitled"`
	EntitledForProvisioning int            `json:"countEntitledForProvisioning"`
	Escrowed                int            `json:"countEscrowed"`
	EscrowedRaw             int            `json:"countEscrowedRaw"`
	Exported                int            `json:"countExported"`
	Exports                 int            `json:"countExports"`
	Imported                int            `json:"countImported"`
	ImportedDeltas          int            `json:"countImportedDeltas"`
	ImportedReferenceDeltas int            `json:"countImportedReferenceDeltas"`
	Error                   *JobError      `json:"error"`
}

// Counts are the objects of a cycle by what was done with them. An object whose references change as well counts an
// update for them, as the provisioning log has a record of its own for that.
type Counts struct {
	Create  int `json:"create"`
	Update  int `json:"update"`
	Disable int `json:"disable"`
	Delete  int `json:"delete"`
	Skip    int `json:"skip"`
	Fail    int `json:"fail"`
}

// CycleResult is one cycle that ended, as `/sim/cycle` and an advance answer it.
type CycleResult struct {
	Job      string         `json:"job"`
	Cycle    int            `json:"cycle"`
	Kind     CycleKind      `json:"kind"`
	Began    time.Time      `json:"began"`
	Ended    time.Time      `json:"ended"`
	State    ExecutionState `json:"state"`
	Error    *JobError      `json:"error"`
	Counts   Counts         `json:"counts"`
	Requests int            `json:"requests"`
}

// Phase is the part of a cycle that runs.
type Phase string

// The phases of a cycle, in order (how-provisioning-works.md, "Initial cycle").
const (
	PhaseProbe      Phase = "probe"      // Test connection
	PhaseUsers      Phase = "users"      // match, create, update, disable
	PhaseGroups     Phase = "groups"     // the same for groups, without members
	PhaseReferences Phase = "references" // managers, members
)

// Progress is how far a running cycle has come. Done and Total count objects of the phase; a Total is 0 until the phase
// has read its work list.
type Progress struct {
	Cycle           int       `json:"cycle"`
	CycleID         string    `json:"cycleId"`
	Kind            CycleKind `json:"kind"`
	Phase           Phase     `json:"phase"`
	Began           time.Time `json:"began"`
	UsersDone       int       `json:"usersDone"`
	UsersTotal      int       `json:"usersTotal"`
	GroupsDone      int       `json:"groupsDone"`
	GroupsTotal     int       `json:"groupsTotal"`
	ReferencesDone  int       `json:"referencesDone"`
	ReferencesTotal int       `json:"referencesTotal"`
	Counts          Counts    `json:"counts"`
	Requests        int       `json:"requests"`
}

// Percent is the share of pages done, 0 to 100. A page holds 100 objects, so that it is no share of users
// (application-provisioning-when-will-provisioning-finish-specific-user.md).
func (p Progress) Percent() int {
	pages := func(n int) int { return (n + pageSize - 1) / pageSize }
	total := pages(p.UsersTotal) + pages(p.GroupsTotal) + pages(p.ReferencesTotal)
	if total == 0 {
		return 0
	}
	done := pages(p.UsersDone) + pages(p.GroupsDone) + pages(p.ReferencesDone)
	return min(100, done*100/total)
}

// Status is what a job shows of itself after each cycle.
type Status struct {
	Code                              StatusCode  `json:"code"`
	CountSuccessiveCompleteFailures   int         `json:"countSuccessiveCompleteFailures"`
	EscrowsPruned                     bool        `json:"escrowsPruned"`
	LastExecution                     *Execution  `json:"lastExecution"`
	LastSuccessfulExecution           *Execution  `json:"lastSuccessfulExecution"`
	LastSuccessfulExecutionWithExport *Execution  `json:"lastSuccessfulExecutionWithExports"`
	Quarantine                        *Quarantine `json:"quarantine"`
	SteadyStateFirst                  time.Time   `json:"steadyStateFirstAchievedTime"`
	SteadyStateLast                   time.Time   `json:"steadyStateLastAchievedTime"`
	// Users and Groups count the objects that ever entered the job's scope (its connector data store): they rise with
	// each new object and do not fall when one is deleted.
	Users  int `json:"users"`
	Groups int `json:"groups"`
}

// Job is a provisioning job as it stands at one moment: a copy, safe to keep.
type Job struct {
	ID              string        `json:"id"`
	TemplateID      string        `json:"templateId"`
	ApplicationID   string        `json:"applicationId"` // object id of the application's service principal
	ApplicationName string        `json:"applicationName"`
	ScheduleState   ScheduleState `json:"scheduleState"`
	Interval        time.Duration `json:"-"`
	Longest         bool          `json:"-"` // instead of Interval the longest there is is shown: see the switch newJobShape
	Status          Status        `json:"status"`
	Settings        Settings      `json:"settings"`
	ScopeInForce    Scope         `json:"scopeInForce"` // differs from that of the settings between a switch and the next restart
	Progress        *Progress     `json:"progress"`     // nil unless a cycle runs
	LastCycle       *CycleResult  `json:"lastCycle"`    // nil before the first has ended
	NextCycle       time.Time     `json:"nextCycle"`    // zero when none is due
	ToDate          Counts        `json:"toDate"`       // of all cycles so far
	Escrows         int           `json:"escrows"`      // objects and references waiting for another try
	Held            int           `json:"held"`         // objects whose deletion is held back
	Endless         []Endless     `json:"endless"`      // work that comes back in cycle after cycle
	// Named are settings by name that are kept for whoever reads them (resources/synchronization-synchronizationjob.md,
	// synchronizationJobSettings).
	Named map[string]string `json:"-"`
	// Deleted marks the last state of a job that is gone, in events.
	Deleted bool `json:"deleted,omitempty"`
}

// Started reports whether cycles of the job are due.
func (j Job) Started() bool { return j.ScheduleState == ScheduleActive }

// ResetScope is what a restart drops. Source: resources/synchronization-synchronizationjobrestartcriteria.md.
type ResetScope struct {
	ConnectorDataStore, Escrows, Watermark, QuarantineState, ForceDeletes bool
}

// DefaultReset is what *Restart provisioning* and an empty resetScope drop: quarantine, watermark and escrows; links stay.
func DefaultReset() ResetScope {
	return ResetScope{Escrows: true, Watermark: true, QuarantineState: true}
}

// FullReset drops everything: links are made anew by matching.
func FullReset() ResetScope {
	return ResetScope{ConnectorDataStore: true, Escrows: true, Watermark: true, QuarantineState: true}
}

// String is the scope as Graph writes it: words with commas, None for nothing.
func (r ResetScope) String() string {
	var words []string
	for _, w := range []struct {
		on   bool
		word string
	}{{r.ConnectorDataStore, "ConnectorDataStore"}, {r.Escrows, "Escrows"}, {r.Watermark, "Watermark"}, {r.QuarantineState, "QuarantineState"}} {
		if w.on {
			words = append(words, w.word)
		}
	}
	if len(words) == 4 {
		words = []string{"Full"}
	}
	if r.ForceDeletes {
		words = append(words, "ForceDeletes")
	}
	if len(words) == 0 {
		return "None"
	}
	return strings.Join(words, ", ")
}

// pageSize is how many objects a page of the source holds; the percentage counts pages.
const pageSize = 100
