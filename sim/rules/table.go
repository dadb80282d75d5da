package rules

// The pages named below are files of MicrosoftDocs/entra-docs, docs/identity/app-provisioning, unless a folder or
// another repository is named.
const (
	how       = "how-provisioning-works.md"
	scimPage  = "use-scim-to-provision-users-and-groups.md"
	compat    = "application-provisioning-config-problem-scim-compatibility.md"
	customize = "customize-application-attributes.md"
	known     = "known-issues.md"
	noUsers   = "application-provisioning-config-problem-no-users-provisioned.md"
	recorded  = "recorded requests of SCIM servers, published in their issue trackers"
	ours      = "no page states it; a choice of this program"
)

var table = []Rule{
	{"S-063", "An object in scope that is not linked is looked up at the target first, and created when there is no match.", how, Documented},
	{"S-064", "A single match is linked and brought up to date.", how, Documented},
	{"S-074", "A linked object whose target equals what its mappings want is skipped as redundant.", "microsoft-graph-docs-contrib: api/synchronization-synchronizationjob-provisionondemand.md", Documented},
	{"S-076", "An object that left scope is switched off by an update.", how, Documented},
	{"S-078", "A permanent deletion in the directory becomes a DELETE.", how, Documented},
	{"S-101", "With Sync all users and groups nobody has to be assigned.", how, Documented},
	{"S-106", "Assigned is who is assigned directly or is an immediate member of an assigned group.", how, Documented},
	{"S-108", "An assigned group counts only when it is security-enabled.", how, Documented},
	{"S-110", "Objects of a kind whose mapping is off are not provisioned.", how, Documented},
	{"S-113", "Any assignment entitles, default access included.", noUsers, Documented},
	{"S-118", "An account that is blocked in the directory is not created.", how, Documented},
	{"S-120", "A scoping filter, when there is one, must pass as well.", "define-conditional-rules-for-provisioning-user-accounts.md", Documented},
	{"S-124", "An object that a mapping's input or category filter refuses is not read on, and not deprovisioned either.", "microsoft-graph-docs-contrib: resources/synchronization-filter.md", Documented},
	{"S-140", "A failed operation is kept as an escrow and tried again.", how, Documented},
	{"S-144", "The first retry comes with the next cycle; later ones wait twice as long each time, at most a day.", ours, Inferred},
	{"S-190", "IsSoftDeleted is true for whoever is unassigned, filtered out, blocked or deleted.", customize, Documented},
	{"S-192", "The loss of scope flows as an ordinary update of the attributes mapped from IsSoftDeleted.", how, Documented},
	{"S-193", "Without a mapping of IsSoftDeleted nothing tells the target that somebody left scope.", how, Documented},
	{"S-196", "Once an unassignment is dealt with, the object is no longer managed: its later deletion sends nothing.", how, Documented},
	{"S-197", "A target without soft delete gets a DELETE instead of a disable.", how, Documented},
	{"S-198", "With the Delete action off, a deletion sends nothing.", how, Documented},
	{"S-199", "Who comes back into scope is activated again under the known id.", how, Documented},
	{"S-200", "A target object that is inactive already gets no second disable.", ours, Inferred},
	{"S-210", "A group that leaves scope is deleted at the target: SCIM groups can't be switched off.", how, Observed},
	{"S-240", "An action that is off in Target Object Actions is not carried out.", customize, Documented},
	{"S-241", "With the Update action off a disable can't be sent either.", customize, Inferred},
	{"S-245", "A mapping copies, computes, sends a constant, or leaves its target attribute alone; an expression may leave out the whole object.", customize, Inferred},
	{"S-278", "An object none of whose matching attributes has a value is skipped at import.", customize, Documented},
	{"S-288", "A reference to an object that is out of scope is dropped with a warning.", "application-provisioning-log-analytics.md", Documented},
	{"W-030", "Groups are always read without their members.", scimPage, Documented},
	{"W-040", "Test connection asks for a user with a random value of the first matching attribute.", scimPage, Documented},
	{"W-041", "With the group mapping on, groups are probed as well.", recorded, Observed},
	{"W-043", "Every cycle begins with the probes, also when there is nothing else to do.", recorded, Observed},
	{"W-051", "A new user is matched by each matching attribute in turn, then created; nothing is read after the POST.", scimPage, Documented},
	{"W-053", "A linked user is read first, and only what differs is sent.", recorded, Observed},
	{"W-054", "A user that left scope is read, and switched off unless it is inactive already.", scimPage, Documented},
	{"W-055", "A permanent deletion is a DELETE without a read.", scimPage, Documented},
	{"W-057", "A new group is matched, then created with an empty list of members; members follow in a PATCH.", scimPage, Documented},
	{"W-058", "A changed group is read without members, then attributes and members go in separate PATCH requests.", scimPage, Documented},
	{"W-060", "A group that leaves scope or is deleted becomes a DELETE.", scimPage, Documented},
	{"W-061", "A manager is written in a later pass, once the manager has an object at the target.", known, Documented},
	{"W-070", "A match query answers 200 with a list: none creates, one links, several fail.", scimPage, Documented},
	{"W-080", "The members of a POST stand in a fixed order.", recorded, Observed},
	{"W-081", "The schemas of a user are always the core and the enterprise one.", recorded, Observed},
	{"W-094", "A group's POST has an empty list of members.", recorded, Observed},
	{"W-102", "Add is for what the target returned no value of, Replace for what it returned differently.", recorded, Observed},
	{"W-110", "The older dialect switches active with the text False or True.", compat, Observed},
	{"W-115", "The older dialect has one operation for each attribute, with its path and a text.", compat, Observed},
	{"W-117", "The compliant dialect gathers plain attributes in one operation without a path.", compat, Observed},
	{"W-130", "A manager is written at its URN path.", recorded, Observed},
	{"W-131", "A manager's value is the bare id at the target.", recorded, Observed},
	{"W-137", "The compliant dialect removes a manager by a value filter.", recorded, Observed},
	{"W-138", "The older dialect removes a manager by a list with its value, if the target returned one.", ours, Inferred},
	{"W-140", "The older dialect adds members with a capitalised Add and a list of values.", recorded, Inferred},
	{"W-143", "The older dialect removes members with a list of values.", compat, Observed},
	{"W-144", "The compliant dialect removes each member by a path with a filter.", compat, Documented},
	{"W-145", "Several members share one PATCH.", scimPage, Inferred},
	{"W-175", "A linked object that the target answers with 404 is not written to; by a switch its link is given up and it is matched anew.", "howto-analyze-provisioning-logs.md (monitoring-health), \"InvalidAnchor\"", Inferred},
	{"W-193", "Answers are to be application/scim+json; application/json is taken with a warning.", scimPage, Documented},
	{"W-164", "A target said to have no soft delete gets a DELETE where a disable would be sent.", how, Documented},
	{"W-204", "An answer 429 that says how long to wait is waited out and the request sent again, at most three times; without a time the operation has failed.", "Microsoft Q&A 2284725; an older report says that the time is ignored", Observed},
}
