// Package scenarios plays scenario files: a tenant, an application, a target, steps on the clock, and what must be seen.
// A file is a regression test, the proof of a documented behaviour and a demonstration at once.
//
// scenario.go has the types; decode.go and validate*.go turn YAML into them and find mistakes before anything runs, and
// schema.go derives the JSON Schema and format.md from the same types. world.go puts a tenant, a clock, a service and a
// target together in this process, act.go carries out steps, names.go turns ids into handles, pattern.go and expect*.go
// compare. player.go goes step by step, or to the end; pool.go plays many; before.go and cleanup.go leave a foreign target as
// it was, and diagnosis.go names what it does wrong. report.go, junit.go and html.go write what was seen, update*.go write it into
// the file, gotest.go is for tests of other programs, and library.go finds the built-in files in the folders beside it. The
// package decides nothing about provisioning: that is the sim room's. Start reading at Scenario and Player.
package scenarios

// Scenario is one file.
type Scenario struct {
	At        Pos       `yaml:"-"`
	Name      string    `yaml:"name,required" doc:"What the scenario shows, in one line."`
	Source    string    `yaml:"source" doc:"The page that documents the behaviour, with its section."`
	Shows     []RuleID  `yaml:"shows" doc:"Ids of the rules, transitions and features that the scenario fails without."`
	Narration string    `yaml:"narration" doc:"What happens and why it matters, for whoever watches the scenario play."`
	Tenant    Tenant    `yaml:"tenant" doc:"The directory as it is before the first step."`
	App       App       `yaml:"application" doc:"The enterprise application with its provisioning configuration. It is made, and provisioning started, before the first step."`
	Target    TargetDef `yaml:"target" doc:"The SCIM endpoint that is provisioned."`
	Steps     []Step    `yaml:"steps,required" least:"1" doc:"What is done, one step after another."`

	Path string `yaml:"-"` // where the file was read
	ID   string `yaml:"-"` // folder/name without ending, for built-in ones and files of a folder
	// Warnings are what the file says and can't mean.
	Warnings Problems `yaml:"-"`

	source []byte
	kinds  map[string]string // handle -> User or Group
}

// Objects are users or groups by handle, each with its properties.
type Objects = Map[Map[Value]]

// Tenant is the directory before the first step.
type Tenant struct {
	At       Pos              `yaml:"-"`
	Domain   string           `yaml:"domain" doc:"Domain of the user principal names that follow from handles; contoso.example when absent."`
	Users    Objects          `yaml:"users" doc:"Users by handle, with the properties of Graph's user. What is absent follows from the handle: adele-vance is Adele Vance, adele.vance@contoso.example. manager is a handle."`
	Groups   Objects          `yaml:"groups" doc:"Groups by handle, with the properties of Graph's group; members is a list of handles. In a membershipRule {ann.objectId} is the id of ann."`
	Generate *Company         `yaml:"generate" doc:"A generated company, beside which named users and groups stand."`
	Handles  Map[FoundByName] `yaml:"handles" doc:"Handles for generated objects."`
}

// Company is the size of a generated company.
type Company struct {
	At     Pos   `yaml:"-"`
	Users  int   `yaml:"users" min:"0" max:"100000" doc:"How many users."`
	Groups int   `yaml:"groups" min:"0" max:"10000" doc:"How many groups."`
	Seed   int64 `yaml:"seed" doc:"Another seed makes another company; the run's own when absent."`
}

// FoundByName says which generated object a handle means.
type FoundByName struct {
	At    Pos    `yaml:"-" least:"1"`
	User  string `yaml:"user" doc:"User principal name or display name of a user."`
	Group string `yaml:"group" doc:"Display name of a group."`
}

// App is the application with its job.
type App struct {
	At       Pos             `yaml:"-"`
	Name     string          `yaml:"name" doc:"Display name; Application when absent."`
	Template string          `yaml:"template" enum:"default,guide" doc:"Which mappings it begins with: default are those of a new non-gallery application, guide the few that the set-up guide leaves."`
	Mappings Mappings        `yaml:"mappings" doc:"Changes to the template's mappings."`
	Filters  KindOf[Filters] `yaml:"filters" doc:"Scoping filters: a title with clauses that must all hold; any title suffices."`
	Scope    string          `yaml:"scope" enum:"assigned,all" doc:"assigned, when absent, or all: Sync all users and groups."`
	Roles    Map[string]     `yaml:"roles" doc:"App roles beside the usual ones: value and display name."`
	Assigned []Grant         `yaml:"assigned" doc:"Who is assigned; a role stands behind the handle, ann: admin."`
	Dialect  string          `yaml:"dialect" enum:"legacy,compliant,customappsso" doc:"How changes are written: legacy, when absent; compliant sets the flag aadOptscim062020; customappsso is a job of that template."`
	Token    string          `yaml:"token" enum:"right,wrong" doc:"Whether the secret token is the target's; right when absent."`
	Started  *bool           `yaml:"started" doc:"false leaves provisioning off until a start step."`
	Settings Settings        `yaml:"settings" doc:"Settings of provisioning, and switches for what the public record leaves open."`
}

// Settings are what an administrator sets, and switches; nil leaves the default. Switches have the names that the service
// has for them.
type Settings struct {
	At                      Pos     `yaml:"-"`
	PreventDeletions        *string `yaml:"preventDeletions" doc:"Prevent accidental deletions: a cycle that would disable or delete more objects than this number holds them back; off is the default."`
	SkipOutOfScopeDeletions *bool   `yaml:"skipOutOfScopeDeletions" doc:"Who goes out of scope is left as it is."`
	NotificationEmail       *string `yaml:"notificationEmail" doc:"Whom notification mails go to; they are kept and not sent. Empty turns them off."`

	MemberBatch         *int    `yaml:"memberBatch" doc:"Members in one request, 100 when absent."`
	MemberRefNull       *bool   `yaml:"memberRefNull" doc:"Members have an empty reference before their value."`
	SinglePathless      *bool   `yaml:"singlePathless" doc:"compliant writes a single attribute without path too."`
	SingleRoleForm      *string `yaml:"singleRoleForm" enum:"path,json" doc:"How a single role is patched."`
	RolePrimaryString   *bool   `yaml:"rolePrimaryString" doc:"primary of a new user's roles is a text."`
	ManagerForm         *string `yaml:"managerForm" enum:"string,object,array" doc:"How a manager is written."`
	ManagerRemoval      *string `yaml:"managerRemoval" enum:"remove,emptyString,none" doc:"How legacy removes a manager."`
	ManagerRemovalPath  *string `yaml:"managerRemovalPath" enum:"urn,bare" doc:"The path with which compliant removes a manager."`
	OpChoice            *string `yaml:"opChoice" enum:"diff,alwaysReplace,alwaysAdd" doc:"How Add and Replace are chosen."`
	NullFlow            *string `yaml:"nullFlow" enum:"off,remove,emptyString" doc:"What a value that was cleared sends."`
	PostNulls           *bool   `yaml:"postNulls" doc:"A new user's attributes without a value are sent as null."`
	ReferenceCheck      *string `yaml:"referenceCheck" enum:"off,users,groups,both" doc:"A reference is asked for before it is written."`
	ProbeIdleCycles     *bool   `yaml:"probeIdleCycles" doc:"false: a cycle without work sends nothing at all."`
	ForwardTenantQuery  *bool   `yaml:"forwardTenantQuery" doc:"The Tenant URL's own query is sent along."`
	SoftDelete          *bool   `yaml:"softDelete" doc:"false: the target has no soft delete, and an application without a mapping of active gets DELETE."`
	RematchMissing      *bool   `yaml:"rematchMissing" doc:"A linked object that is gone is matched and created anew."`
	HonourRetryAfter    *bool   `yaml:"honourRetryAfter" doc:"Whether a 429 is waited out as long as it asks."`
	EscapeFilterValues  *bool   `yaml:"escapeFilterValues" doc:"Quotes and backslashes in filter values are escaped."`
	StrictContentType   *bool   `yaml:"strictContentType" doc:"Answers that are not application/scim+json are refused."`
	ADSCIMVersion       *string `yaml:"adscimVersion" doc:"Value of the header ADSCIMVersion; none leaves it out."`
	Accept              *string `yaml:"accept" doc:"Value of the header Accept, application/scim+json when absent; none leaves it out."`
	LateMembers         *string `yaml:"lateMembers" enum:"initial,groupChange" doc:"When a member that was out of scope joins at the target: with an initial cycle, or with any change of the group."`
	StrictTLS           *bool   `yaml:"strictTLS" doc:"Plain HTTP is refused."`
	OnDemandHonoursFlag *bool   `yaml:"onDemandHonoursFlag" doc:"Provision on demand follows the flag of the Tenant URL."`
	NewJobShape         *string `yaml:"newJobShape" enum:"2021,2019" doc:"How a job that was never started shows itself: paused, when absent, or as older documents print it."`
	SecretsPut          *string `yaml:"secretsPut" enum:"merge,replace" doc:"What happens to credentials that a PUT of Graph leaves out: they stay, when absent, or go."`
	Pace                *string `yaml:"pace" enum:"target,entra" doc:"How fast a cycle goes: as fast as the target takes it, when absent, or as Microsoft says that its own cycles do, on the clock."`
	RequestsPerSecond   *int    `yaml:"requestsPerSecond" doc:"At Entra's pace, requests in a second at most, 25 when absent."`
	RequestTimeout      *string `yaml:"requestTimeout" doc:"How long an answer may take, 100s when absent."`
	RetryFirst          *string `yaml:"retryFirst" doc:"Half of what an object that failed waits after its first retry, 40m when absent; it doubles each time."`
	RetryLongest        *string `yaml:"retryLongest" doc:"The longest that it waits, 24h when absent."`
	UnhealthyInARow     *int    `yaml:"unhealthyInARow" doc:"Operations in a row without an answer that repeat the probe, 10 when absent."`
	EscrowsBase         *int    `yaml:"escrowsBase" doc:"More failures of objects than this quarantine the job, 40000 when absent."`
	EscrowsTotal        *int    `yaml:"escrowsTotal" doc:"More failures than this, references included, quarantine the job, 60000 when absent."`
	EscrowsMinimum      *int    `yaml:"escrowsMinimum" doc:"From so many failures of objects on their share counts, 5000 when absent."`
	EscrowsPercent      *int    `yaml:"escrowsPercent" doc:"A larger share of failed operations than this, in percent, quarantines the job, 40 when absent."`
	InitialThreshold    *string `yaml:"initialThreshold" enum:"quarantine,prune" doc:"What too many failures in an initial cycle do: prune drops them and pauses the job."`
	QuarantineAttempts  *string `yaml:"quarantineAttempts" doc:"When the job is tried again in quarantine, counted from its begin: 6h 12h 24h when absent; then once a day."`
	ExceptionAttempts   *string `yaml:"exceptionAttempts" doc:"The same where the target gives no answer or refuses the token; same, when absent, is quarantineAttempts."`
	ThresholdAttempts   *string `yaml:"thresholdAttempts" doc:"The same where too many operations failed."`
	DeletionAttempts    *string `yaml:"deletionAttempts" doc:"The same where deletions are held back."`
	QuarantineEnd       *string `yaml:"quarantineEnd" doc:"How long a quarantine lasts until the job is disabled, 28d when absent."`
}

// TargetDef is the endpoint.
type TargetDef struct {
	At     Pos     `yaml:"-"`
	URL    string  `yaml:"url" doc:"Tenant URL of an endpoint; the embedded target when absent. The command line's wins."`
	Token  string  `yaml:"token" doc:"Its bearer token. A name such as $SCIM_TOKEN is read from the environment."`
	Users  Objects `yaml:"users" doc:"Accounts that it holds already, by handle, as SCIM says them. A handle of the tenant is the account of that person."`
	Groups Objects `yaml:"groups" doc:"Groups that it holds already; members is a list of handles."`
	Faults []Fault `yaml:"faults" doc:"What it does wrong from the beginning."`
}

// Fault is what the embedded target does wrong on purpose; absent members match every request. See /sim/faults.
type Fault struct {
	At          Pos               `yaml:"-"`
	Method      string            `yaml:"method" enum:"GET,POST,PUT,PATCH,DELETE" doc:"HTTP method."`
	Path        string            `yaml:"path" doc:"Glob behind the base URL, such as /Users/*; a star stands for anything but a slash."`
	Object      Handle            `yaml:"object" doc:"Whom the request is about."`
	Status      int               `yaml:"status" min:"200" max:"599" doc:"Answers with it instead of carrying the request out."`
	Headers     map[string]string `yaml:"headers" doc:"Headers of the answer, such as Retry-After."`
	Body        *string           `yaml:"body" doc:"Body of the answer: broken JSON, HTML."`
	Delay       Duration          `yaml:"delay" doc:"How long it takes, on the scenario's clock."`
	Drop        string            `yaml:"drop" enum:"connect,answer" doc:"Breaks the connection before the request is carried out, or behind it."`
	Ignore      []string          `yaml:"ignore" doc:"Query parameters that are overlooked: filter, excludedAttributes."`
	Duplicate   bool              `yaml:"duplicate" doc:"Lists each result twice."`
	Hide        []string          `yaml:"hide" doc:"Attributes that are not returned."`
	Lower       []string          `yaml:"lower" doc:"Attributes that are returned in lower case."`
	Rewrite     Value             `yaml:"rewrite" doc:"Attributes that are returned with another value."`
	Times       *int              `yaml:"times" min:"0" doc:"How often; for ever when absent."`
	Probability *float64          `yaml:"probability" min:"0" max:"1" doc:"Of each matching request; 1 when absent."`
}

// Step is something that is done, and what must then be seen. Its actions are carried out in the order of the file.
type Step struct {
	At            Pos             `yaml:"-" least:"1"`
	Say           string          `yaml:"say" doc:"What happens, for whoever watches."`
	Create        *Created        `yaml:"create" action:"" doc:"Makes users and groups, as under tenant."`
	Update        Objects         `yaml:"update" least:"1" action:"" doc:"Changes properties, by handle; null clears."`
	Delete        []Handle        `yaml:"delete" least:"1" action:"" doc:"Moves to deleted items."`
	Restore       []Handle        `yaml:"restore" least:"1" action:"" doc:"Brings back from deleted items."`
	Purge         []Handle        `yaml:"purge" least:"1" action:"" doc:"Deletes for good."`
	AddMembers    Map[[]Handle]   `yaml:"addMembers" least:"1" action:"" doc:"Members that join, by group."`
	RemoveMembers Map[[]Handle]   `yaml:"removeMembers" least:"1" action:"" doc:"Members that leave, by group."`
	Assign        []Grant         `yaml:"assign" least:"1" action:"" doc:"Assigns to the application, as under application."`
	Unassign      []Handle        `yaml:"unassign" least:"1" action:"" doc:"Takes the assignment away."`
	Mappings      *Mappings       `yaml:"mappings" action:"" doc:"Changes mappings, as under application."`
	Filters       KindOf[Filters] `yaml:"filters,none" action:"" doc:"Replaces scoping filters; none takes them away."`
	Scope         string          `yaml:"scope" action:"" enum:"assigned,all" doc:"Changes the scope."`
	Token         string          `yaml:"token" action:"" enum:"right,wrong" doc:"Enters another secret token."`
	Target        *TargetEdit     `yaml:"target" action:"" doc:"Changes the target behind the service's back."`
	Faults        []Fault         `yaml:"faults,none" action:"" doc:"Replaces what the target does wrong; none ends it."`
	Start         Act             `yaml:"start" action:"" doc:"Starts or resumes provisioning."`
	Pause         Act             `yaml:"pause" action:"" doc:"Pauses provisioning."`
	Restart       string          `yaml:"restart" null:"default" action:"" enum:"default,full,escrows,watermark,quarantine,links,store,forceDeletes" doc:"Restarts provisioning: default is the portal's button, full drops the links too, links those and the watermark, store the links alone; forceDeletes carries out what is held, as Allow deletes does."`
	Settings      *Settings       `yaml:"settings" action:"" doc:"Changes settings and switches, as under application."`
	Cycle         Act             `yaml:"cycle" action:"runs" doc:"Runs the next cycle now."`
	Advance       *Duration       `yaml:"advance" action:"runs" doc:"Moves the clock; what falls due runs: 40m, 31d."`
	OnDemand      *Demand         `yaml:"onDemand" action:"demands" doc:"Provisions one user or group at once, whether or not provisioning is started."`
	Expect        *Expect         `yaml:"expect" doc:"What must be seen of this step."`

	order []string // names of the actions in the order of the file
}

// Demand is who is provisioned on demand; a handle alone is a user, or a group without members.
type Demand struct {
	At      Pos      `yaml:"-" least:"1"`
	Object  Handle   `yaml:"object,short" doc:"A user, or a group. A handle alone means this."`
	Members []Handle `yaml:"members" doc:"Up to five members of the group."`
}

// Created are users and groups that a step makes.
type Created struct {
	At     Pos     `yaml:"-"`
	Users  Objects `yaml:"users" doc:"Users by handle."`
	Groups Objects `yaml:"groups" doc:"Groups by handle."`
}

// TargetEdit changes the target without the service knowing.
type TargetEdit struct {
	At     Pos      `yaml:"-"`
	Create *Created `yaml:"create" doc:"Makes accounts and groups."`
	Update Objects  `yaml:"update" doc:"Replaces attributes, by handle."`
	Delete []Handle `yaml:"delete" doc:"Deletes accounts and groups."`
}

// Mappings are changes of attribute mappings.
type Mappings struct {
	At     Pos              `yaml:"-"`
	Users  Map[Mapping]     `yaml:"users" doc:"By target attribute: an expression, or a table; none removes the mapping."`
	Groups Map[Mapping]     `yaml:"groups" doc:"The same for groups."`
	On     KindOf[[]string] `yaml:"actions" enum:"create,update,delete" doc:"Target object actions: a list of create, update and delete. An empty list allows nothing."`
	Off    []string         `yaml:"off" enum:"groups" doc:"Object mappings that are switched off."`
}

// Mapping is one attribute mapping; a text alone is its expression.
type Mapping struct {
	At         Pos     `yaml:"-"`
	Expression string  `yaml:"expression,short" doc:"Expression of the source, such as [jobTitle]. none as a text alone removes the mapping."`
	Constant   *string `yaml:"constant" doc:"A constant instead."`
	Default    *string `yaml:"default" doc:"Default value if null."`
	Match      *int    `yaml:"match" doc:"Matching precedence; 0 is none. When absent it stays as it was."`
	Apply      string  `yaml:"apply" enum:"always,creation,whenEmpty" doc:"always, when absent; only during creation; or only when the target has no value."`
}

// KindOf is something for users and for groups.
type KindOf[T any] struct {
	At     Pos `yaml:"-"`
	Users  T   `yaml:"users" doc:"For users."`
	Groups T   `yaml:"groups" doc:"For groups."`
}

// Filters are scoping filters: titles with their clauses.
type Filters = Map[[]Clause]

// Expect is what must be seen of a step. What is absent is not looked at.
type Expect struct {
	At       Pos         `yaml:"-" least:"1"`
	Requests *Requests   `yaml:"requests" needs:"run" doc:"Requests about objects. A list is exact: these and no others, in this order. A number counts."`
	Probes   *Requests   `yaml:"probes" needs:"run" doc:"The requests that open a cycle, in the same way."`
	Log      *Records    `yaml:"log" needs:"run" doc:"Provisioning log records. A list is exact."`
	OnDemand *Answer     `yaml:"onDemand" needs:"demand" doc:"What provision on demand answers."`
	Cycles   *Cycles     `yaml:"cycles" needs:"cycle" doc:"Cycles that ended: a number, or a list such as initial Succeeded."`
	Counts   *Counts     `yaml:"counts" needs:"cycle" doc:"Objects of the cycles by what was done; what is absent is 0."`
	Job      *JobState   `yaml:"job" doc:"The job behind the step."`
	Mails    *Texts      `yaml:"mails" needs:"act" doc:"Notification mails of the step, in order: text that each one's subject, body or recipient holds; [] when there must be none."`
	Audit    *Texts      `yaml:"audit" needs:"act" doc:"Audit records that the service itself wrote in the step, in order: text that each one's activity or detail holds."`
	Endless  *Texts      `yaml:"endless" doc:"Work of the job that comes back in cycle after cycle, in order: text that User attribute kind and its sentence hold; [] when there must be none."`
	Why      Map[string] `yaml:"why" least:"1" doc:"By handle, text that the answer to why (not) this object? holds, its verdict or a condition."`
	Target   *Held       `yaml:"target" least:"1" doc:"What the target holds: attributes by handle, absent when it must not be there; users and groups as numbers."`
	Passes   *Duration   `yaml:"passes" needs:"run" doc:"Virtual time that the step took."`
	Slowest  *Duration   `yaml:"slowest" needs:"run" doc:"Real time that the slowest answer may have taken at most."`
}

// Requests is what is expected of requests: a number, an exact list, or a table.
type Requests struct {
	At       Pos       `yaml:"-" least:"1"`
	Exact    []Request `yaml:"exact,list" doc:"These and no others, in this order; a list alone means the same."`
	Contains []Request `yaml:"contains" doc:"These, in this order; others may stand between."`
	None     []Request `yaml:"none" doc:"None like these."`
	Count    *int      `yaml:"count,number" min:"0" doc:"How many; a number alone means the same."`

	exact bool // Exact was given, maybe empty
}

// Request is a pattern of a request. As text it is a method with a path and a query, METHOD /path?name=value; a table with
// that text as its only name has the body as its value.
type Request struct {
	At      Pos               `yaml:"-"`
	Line    string            `yaml:"request,short" doc:"METHOD /path?name=value. A star is any method, ?* any query; {ann} is the id at the target, {ann.objectId} a property in the directory, {*} anything, {?x} anything that stays the same."`
	Body    Value             `yaml:"body" doc:"Members that the body must have; others may stand beside them. Lists are compared whole."`
	Exactly Value             `yaml:"exactly" doc:"The whole body. As a text: byte for byte."`
	URL     string            `yaml:"url" doc:"The URL behind the base as it is written, escapes and all."`
	Headers map[string]string `yaml:"headers" doc:"Headers of the request; the value absent means that it must not be there."`
	Status  string            `yaml:"status" doc:"Status of the answer: a number, none when no answer may come, or any. When absent it must be no error, so that a request that is expected is expected to succeed."`
}

// Records is what is expected of log records.
type Records struct {
	At       Pos      `yaml:"-" least:"1"`
	Exact    []Record `yaml:"exact,list" doc:"These and no others, in this order; a list alone means the same."`
	Contains []Record `yaml:"contains" doc:"These, in this order; others may stand between."`
	None     []Record `yaml:"none" doc:"None like these."`
	Count    *int     `yaml:"count,number" min:"0" doc:"How many."`

	exact bool
}

// Record is a pattern of a log record: a handle with action, status and code as text, or a table.
type Record struct {
	At     Pos    `yaml:"-" least:"1"`
	Object Handle `yaml:"object" doc:"Whom it is about."`
	Action string `yaml:"action" enum:"create,update,disable,delete,stagedDelete,other" doc:"What was done."`
	Status string `yaml:"status" enum:"success,failure,skipped,warning" doc:"How it ended."`
	Code   string `yaml:"code" codes:"" doc:"Error code or skip reason."`
	Reason string `yaml:"reason" doc:"Text that its reason holds."`
	Steps  string `yaml:"steps" doc:"Text that one of its steps holds."`
}

// Answer is what is expected of a run on demand: how it ended, and each of its five steps. A word alone is the result. A step
// is success, skipped, failure or warning, or none when the run must not come to it.
type Answer struct {
	At         Pos               `yaml:"-" least:"1"`
	Result     string            `yaml:"result,short" enum:"Success,Skipped,Failure" doc:"How it ended. A word alone means this."`
	Code       string            `yaml:"code" codes:"" doc:"Error code or skip reason."`
	Action     string            `yaml:"done" enum:"create,update,disable,delete,other" doc:"What was done."`
	Connection string            `yaml:"connection" enum:"success,skipped,failure,warning,none" doc:"Step 1, Test connection."`
	Import     string            `yaml:"import" enum:"success,skipped,failure,warning,none" doc:"Step 2, Import user."`
	Scope      string            `yaml:"scope" enum:"success,skipped,failure,warning,none" doc:"Step 3, Determine if user is in scope."`
	Match      string            `yaml:"match" enum:"success,skipped,failure,warning,none" doc:"Step 4, Match user between source and target."`
	Perform    string            `yaml:"action" enum:"success,skipped,failure,warning,none" doc:"Step 5, Perform action."`
	Shows      map[string]string `yaml:"shows" doc:"Text that a step shows, by the step's name: its sentence, or a detail as name: value."`
	Modified   Map[Change]       `yaml:"modified" doc:"The attributes that were changed, or attempted, and no others: the value afterwards, or a table with both sides."`
}

// Change is an attribute before and after; the value afterwards alone is enough.
type Change struct {
	At  Pos     `yaml:"-" least:"1"`
	Old *string `yaml:"old" doc:"The value before; absent when there must be none."`
	New *string `yaml:"new,short" doc:"The value afterwards; absent when there must be none. A text alone means this."`
}

// Cycles is what is expected of the cycles that ended.
type Cycles struct {
	At    Pos     `yaml:"-"`
	List  []Cycle `yaml:"list,list" least:"1" doc:"Each cycle, in order."`
	Count *int    `yaml:"count,number" min:"0" doc:"How many."`
}

// Cycle is a pattern of a cycle: kind, state and maybe an error code as text.
type Cycle struct {
	At    Pos    `yaml:"-"`
	Kind  string `yaml:"kind" enum:"initial,incremental" doc:"Which kind of cycle."`
	State string `yaml:"state" enum:"Succeeded,Failed,EntryLevelErrors" doc:"How it ended."`
	Error string `yaml:"error" doc:"Error code."`
}

// Texts are texts that must be seen, in order.
type Texts struct {
	At   Pos      `yaml:"-"`
	List []string `yaml:"list,list" doc:"Each one, in order."`
}

// Held is what the target must hold, by handle.
type Held = Map[Value]

// Counts are objects by what was done with them, over all cycles of the step.
type Counts struct {
	At      Pos `yaml:"-"`
	Create  int `yaml:"create" min:"0" doc:"Created."`
	Update  int `yaml:"update" min:"0" doc:"Updated, references included."`
	Disable int `yaml:"disable" min:"0" doc:"Switched off."`
	Delete  int `yaml:"delete" min:"0" doc:"Deleted."`
	Skip    int `yaml:"skip" min:"0" doc:"Skipped."`
	Fail    int `yaml:"fail" min:"0" doc:"Failed."`
}

// JobState is what the job shows.
type JobState struct {
	At        Pos       `yaml:"-" least:"1"`
	Status    string    `yaml:"status" enum:"NotConfigured,NotRun,Active,Paused,Quarantine" doc:"Status code."`
	Schedule  string    `yaml:"schedule" enum:"Active,Paused,Disabled" doc:"State of the schedule."`
	Reason    string    `yaml:"reason" doc:"Reason of the quarantine; none when there must be none."`
	Error     string    `yaml:"error" doc:"Error code of the last cycle; none when there must be none."`
	NextCycle *Duration `yaml:"nextCycle" doc:"Virtual time until the next cycle."`
	Waiting   *int      `yaml:"waiting" min:"0" doc:"Objects and references that wait for another try."`
	Attempts  *int      `yaml:"attempts" min:"0" doc:"How often the quarantine was imposed or left in force."`
	Held      *int      `yaml:"held" min:"0" doc:"Objects whose deletion is held back."`
	Pruned    *bool     `yaml:"pruned" doc:"Whether the last initial cycle dropped its failures."`
	Failures  *int      `yaml:"failures" min:"0" doc:"Cycles in a row that failed as a whole."`
	Users     *int      `yaml:"users" min:"0" doc:"Users that ever came into scope."`
	Groups    *int      `yaml:"groups" min:"0" doc:"Groups that ever came into scope."`
}
