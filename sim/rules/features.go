package rules

// Priority says how much a feature of Entra's provisioning counts for a stand-in of a tenant.
type Priority string

// The priorities.
const (
	Must   Priority = "must"
	Should Priority = "should"
	Could  Priority = "could"
	Out    Priority = "out of scope"
)

// Feature is something that the real service has, in one line.
type Feature struct {
	ID       string // F-…
	Text     string
	Source   string // the page, as in Rule
	Priority Priority
}

var features = []Feature{
	{"F-001", "Users of the directory with their properties, among them whether they are enabled.", how, Must},
	{"F-002", "Groups of the directory with their direct members.", how, Must},
	{"F-003", "Deleted users who can be restored for thirty days, or deleted for good.", how, Must},
	{"F-004", "Managers of users.", known, Must},
	{"F-005", "Directory extension attributes.", "user-provisioning-sync-attributes-for-mapping.md", Should},
	{"F-006", "Groups whose members follow from a rule.", how, Could},
	{"F-007", "Guests, known by their own address.", how, Should},
	{"F-008", "Assigned groups have to be security-enabled.", how, Should},
	{"F-009", "A feed of the directory's changes.", how, Must},
	{"F-010", "Enterprise applications with app roles.", customize, Must},
	{"F-011", "Assignment of users.", how, Must},
	{"F-012", "Assignment of groups, which counts for direct members.", how, Must},
	{"F-013", "The role Default Access.", noUsers, Must},
	{"F-014", "The state of not being effectively entitled.", noUsers, Should},
	{"F-020", "Jobs are created from a template.", configAPI, Must},
	{"F-021", "Several jobs with several targets.", finish, Should},
	{"F-022", "The form of job ids.", compat, Must},
	{"F-023", "Secrets: Tenant URL, secret token and further keys.", graph + "resources/synchronization-synchronizationsecretkeystringvaluepair.md", Must},
	{"F-024", "Test Connection, also as validateCredentials.", scimPage, Must},
	{"F-025", "A test of saved credentials or of given ones.", graph + "api/synchronization-synchronizationjob-validatecredentials.md", Should},
	{"F-026", "Start provisioning.", graph + "api/synchronization-synchronizationjob-start.md", Must},
	{"F-027", "Stop provisioning, behind the running cycle.", known, Must},
	{"F-028", "Restart with each reset scope.", graph + "resources/synchronization-synchronizationjobrestartcriteria.md", Must},
	{"F-029", "Jobs can be deleted.", graph + "resources/synchronization-synchronizationjob.md", Must},
	{"F-030", "A fixed interval, on a clock that can be stepped.", portal, Must},
	{"F-031", "Status codes of jobs and states of their schedules.", graph + "resources/synchronization-synchronizationstatus.md", Must},
	{"F-032", "What a job shows before its first cycle has ended.", configAPI, Should},
	{"F-033", "An estimate of how long the initial cycle takes.", finish, Could},
	{"F-034", "Jobs of the older template customappsso.", compat, Could},
	{"F-040", "The initial cycle.", how, Must},
	{"F-041", "The incremental cycle.", how, Must},
	{"F-042", "A watermark that outlives the process.", how, Must},
	{"F-043", "Changes that are redundant are found out and skipped.", graph + "api/synchronization-synchronizationjob-provisionondemand.md", Must},
	{"F-044", "Users, then groups, then references.", how, Must},
	{"F-045", "Several synchronization rules, by priority.", graph + "resources/synchronization-synchronizationrule.md", Could},
	{"F-046", "Progress of a running cycle.", finish, Should},
	{"F-047", "A change of mappings or filters evaluates everybody.", how, Must},
	{"F-048", "A change of the scope waits for a restart.", known, Should},
	{"F-060", "Sync only assigned users and groups.", how, Must},
	{"F-061", "Sync all users and groups.", how, Must},
	{"F-062", "Scoping filters of groups and clauses.", filters, Must},
	{"F-063", "All fourteen operators of filters.", filters, Must},
	{"F-064", "An attribute without a value passes no clause but IS NULL.", filters, Must},
	{"F-065", "Attributes that filters may not use.", filters, Should},
	{"F-066", "Filters for groups.", filters, Must},
	{"F-067", "Input and category filters.", graph + "resources/synchronization-filter.md", Could},
	{"F-068", "A list of the operators for clients.", graph + "api/synchronization-synchronizationschema-filteroperators.md", Could},
	{"F-069", "How the filters of an object came out, as text.", logsSeen, Must},
	{"F-070", "Blocked users are never created.", how, Must},
	{"F-080", "Direct, constant, expression and empty mappings.", customize, Must},
	{"F-081", "A default value that is for creations.", customize, Must},
	{"F-082", "Mappings that apply always or only during creation.", customize, Must},
	{"F-083", "The further flow types, and the flow behaviours.", graph + "resources/synchronization-attributemapping.md", Should},
	{"F-084", "Target object actions.", customize, Must},
	{"F-085", "The group mapping can be turned off.", customize, Must},
	{"F-086", "Cleared values are not sent.", known, Must},
	{"F-087", "The preview Flow null values, which is for inbound provisioning.", "clear-attribute-values.md", Could},
	{"F-088", "Values of several kinds by typed paths.", customize, Must},
	{"F-089", "Complex attributes and the enterprise extension.", customize, Must},
	{"F-090", "Attributes of a customer's own extension.", customize, Must},
	{"F-091", "The three functions of app roles.", customize, Should},
	{"F-092", "The list of target attributes can be edited.", customize, Should},
	{"F-093", "Discovery of the target's schema.", graph + "resources/synchronization-attributedefinition.md", Could},
	{"F-094", "Target attributes that are required.", graph + "resources/synchronization-attributedefinition.md", Should},
	{"F-095", "Comparison with regard to case where the attribute wants it.", graph + "resources/synchronization-attributedefinition.md", Should},
	{"F-096", "A limit to the length of expressions.", known, Could},
	{"F-097", "An expression builder with a test.", "expression-builder.md", Should},
	{"F-098", "Export and import of the schema as JSON.", exportPage, Must},
	{"F-099", "Restore default mappings.", customize, Should},
	{"F-100", "Matching by one attribute.", customize, Must},
	{"F-101", "Matching by several attributes in turn.", customize, Must},
	{"F-102", "Matching by the value of an expression.", customize, Must},
	{"F-103", "A missing matching value skips the object at import.", codes, Must},
	{"F-104", "Several matches at the target are a failure.", codes, Must},
	{"F-105", "Two objects of the directory for one account are a failure.", codes, Should},
	{"F-106", "Special characters that make a match fail.", known, Could},
	{"F-107", "Managers are resolved when they are in scope, and otherwise missing.", known, Must},
	{"F-108", "Members are added and removed.", how, Must},
	{"F-109", "Members out of scope are missing.", known, Must},
	{"F-110", "References that can't be resolved are reported.", analytics, Should},
	{"F-111", "Nested groups are not resolved.", known, Must},
	{"F-120", "Links are kept and used.", how, Must},
	{"F-121", "Links can be read and taken away.", connections, Should},
	{"F-122", "A full restart matches anew.", how, Must},
	{"F-123", "A vanished target object is an invalid anchor.", codes, Must},
	{"F-124", "Unmanaged accounts are left alone.", portal, Must},
	{"F-125", "Changes at the target cause nothing.", known, Must},
	{"F-130", "Who is unassigned is switched off.", how, Must},
	{"F-131", "Who falls out of a filter is switched off.", filters, Must},
	{"F-132", "Who is blocked or deleted is switched off.", how, Must},
	{"F-133", "A permanent deletion sends a DELETE.", how, Must},
	{"F-134", "No DELETE follows an unassignment.", how, Must},
	{"F-135", "Who comes back is switched on.", how, Must},
	{"F-136", "Targets without soft delete.", how, Should},
	{"F-137", "SkipOutOfScopeDeletions.", "skip-out-of-scope-deletions.md", Must},
	{"F-138", "Mappings without IsSoftDeleted.", how, Must},
	{"F-139", "Groups that leave scope are removed.", how, Must},
	{"F-140", "Accidental deletion prevention with a threshold.", accidental, Must},
	{"F-141", "Allow deletes, also as ForceDeletes.", accidental, Must},
	{"F-142", "Held deletions can be rejected.", accidental, Should},
	{"F-143", "Held deletions are logged as staged.", accidental, Must},
	{"F-150", "Failed objects wait and are tried again.", how, Must},
	{"F-151", "The table of error codes.", codes, Must},
	{"F-152", "Quarantine by a critical fault.", quarantine, Must},
	{"F-153", "Quarantine by thresholds.", quarantine, Must},
	{"F-154", "Attempts in quarantine that become rarer.", quarantine, Must},
	{"F-155", "A quarantine ends by itself.", quarantine, Must},
	{"F-156", "After four weeks of quarantine the job is disabled.", quarantine, Must},
	{"F-157", "Failures of an initial cycle can be pruned.", graph + "resources/synchronization-synchronizationstatus.md", Could},
	{"F-158", "Failed references are counted apart.", quarantine, Should},
	{"F-159", "Mails about quarantines.", quarantine, Should},
	{"F-160", "An expired token leads to quarantine.", scimPage, Should},
	{"F-170", "Provision on demand for a user.", demand, Must},
	{"F-171", "Provision on demand for a group with up to five members.", demand, Must},
	{"F-172", "The five steps of a run on demand.", demand, Must},
	{"F-173", "The rate of runs on demand.", graph + "api/synchronization-synchronizationjob-provisionondemand.md", Should},
	{"F-174", "What runs on demand do not do.", demand, Should},
	{"F-175", "The answer of a run on demand.", graph + "api/synchronization-synchronizationjob-provisionondemand.md", Must},
	{"F-180", "The status of a job after each cycle.", graph + "resources/synchronization-synchronizationstatus.md", Must},
	{"F-181", "The counters of an execution.", graph + "resources/synchronization-synchronizationtaskexecution.md", Must},
	{"F-182", "The times of steady state.", graph + "resources/synchronization-synchronizationstatus.md", Should},
	{"F-183", "The count of entries by type.", finish, Should},
	{"F-190", "Provisioning log records.", graph + "resources/provisioningobjectsummary.md", Must},
	{"F-191", "Steps of a record, with details.", graph + "resources/provisioningstep.md", Must},
	{"F-192", "Changed properties of a record.", graph + "api/provisioningobjectsummary-list.md", Must},
	{"F-193", "Reasons of skips.", noUsers, Must},
	{"F-194", "Search and filters of the log.", "check-status-user-account-provisioning.md", Must},
	{"F-195", "The log as CSV and as JSON.", codes, Should},
	{"F-196", "Records end after a time.", codes, Could},
	{"F-197", "The field names of Azure Monitor, and queries over them.", analytics, Could},
	{"F-198", "Summaries like those of the workbook.", "provisioning-workbook.md", Could},
	{"F-199", "An audit log of changes to the configuration.", finish, Should},
	{"F-200", "Alerts about failures, spikes and silence.", analytics, Could},
	{"F-210", "Account discovery.", discovery, Could},
	{"F-211", "Pages, words and buttons of the portal.", scimPage, Should},
	{"F-212", "Jobs, schemas and logs in the shape of Graph.", graph + "resources/synchronization-overview.md", Should},
	{"F-213", "Flags in the Tenant URL.", compat, Must},
	{"F-214", "A target that throttles is heeded.", finish, Must},
	{"F-215", "A token that Entra issues, when there is no secret token.", scimPage, Could},
	{"F-216", "Roles for the functions of the portal.", configAPI, Could},
	{"F-217", "Connectors of other kinds: HR, cloud sync, cross-tenant, on-premises.", how, Out},
}

// Features returns every feature, by id.
func Features() []Feature { return append([]Feature(nil), features...) }

// IDs returns the ids of all rules, transitions and features.
func IDs() []string {
	ids := make([]string, 0, len(table)+len(transitions)+len(features))
	for _, r := range table {
		ids = append(ids, r.ID)
	}
	for _, r := range transitions {
		ids = append(ids, r.ID)
	}
	for _, f := range features {
		ids = append(ids, f.ID)
	}
	return ids
}
