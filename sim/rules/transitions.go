package rules

// transitions are the ways from one state of a job to another, by number.
var transitions = []Rule{
	{"T1", "A job that is created from a template is paused, with its schedule disabled and the template's mappings.", configAPI, Documented},
	{"T2", "Saved credentials leave a job that was never started as it is.", configAPI, Inferred},
	{"T3", "A first start makes a job active and begins the initial cycle.", portal, Documented},
	{"T4", "When the first cycle has ended the job is active and the next cycle due after the interval.", how, Documented},
	{"T5", "When a later cycle has ended the job stays active and its status is renewed.", how, Documented},
	{"T6", "A pause shows at once; a running cycle ends, and no later one begins.", known, Documented},
	{"T7", "A start behind a pause goes on from the stored watermark, without an initial cycle.", graph + "api/synchronization-synchronizationjob-start.md", Documented},
	{"T8", "A start in quarantine lifts it.", graph + "api/synchronization-synchronizationjob-start.md", Documented},
	{"T9", "A start of an active job changes nothing.", graph + "api/synchronization-synchronizationjob-start.md", Inferred},
	{"T10", "A restart drops watermark, failures and quarantine, keeps the links, and begins an initial cycle.", graph + "resources/synchronization-synchronizationjobrestartcriteria.md", Documented},
	{"T11", "A restart with a scope of its own drops what that scope names, and nothing else.", graph + "resources/synchronization-synchronizationjobrestartcriteria.md", Documented},
	{"T12", "Saved mappings, filters or a saved schema make the next cycle an initial one.", how, Documented},
	{"T13", "Too many errors, or a critical one, put an active job into quarantine.", quarantine, Documented},
	{"T14", "An attempt that succeeds takes a job out of quarantine, back to its interval.", quarantine, Documented},
	{"T15", "Four weeks in quarantine disable the job's schedule.", quarantine, Documented},
	{"T16", "By a switch, too many failures of an initial cycle are dropped and pause the job at the end of it.", graph + "resources/synchronization-synchronizationstatus.md", Documented},
	{"T17", "A deleted job ends, with all that it knew.", graph + "resources/synchronization-synchronizationjob.md", Documented},
	{"T18", "Restore default mappings sets all mappings and filters to the template's, and looks at everybody again.", customize, Documented},
	{"T19", "A change of the scope from all to assigned takes effect with a restart.", known, Documented},
	{"T20", "Saved credentials make the next attempt of a quarantine due at once.", "Microsoft Q&A 4969398", Inferred},
}

// Transitions returns the transitions of a job in the order of their numbers. Their ids are T1, T2 and so on; they stand
// beside the table of All, as no decision carries them.
func Transitions() []Rule { return append([]Rule(nil), transitions...) }
