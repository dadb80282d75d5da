package graph

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sosodev/duration"

	"entrasim/sim"
	"entrasim/sim/mapping"
)

// jobObject shows a provisioning job (resources/synchronization-synchronizationjob.md).
func jobObject(j sim.Job) object {
	return object{
		{"id", j.ID},
		{"templateId", j.TemplateID},
		{"schedule", object{{"expiration", nil}, {"interval", interval(j)}, {"state", string(j.ScheduleState)}}},
		{"status", statusObject(j)},
		{"synchronizationJobSettings", jobSettings(j)},
	}
}

// jobSettings lists what every job shows, then what a PATCH added, by name.
func jobSettings(j sim.Job) []object {
	named := map[string]string{"AzureIngestionAttributeOptimization": "False", "LookaheadQueryEnabled": "False"}
	maps.Copy(named, j.Named)
	list := []object{}
	for _, name := range slices.Sorted(maps.Keys(named)) {
		list = append(list, object{{"name", name}, {"value", named[name]}})
	}
	return list
}

// patchJob changes synchronizationJobSettings and the state of the schedule. The interval is the service's.
func (g *Graph) patchJob(c *call) error {
	var body struct {
		Settings []struct {
			Name  string  `json:"name"`
			Value *string `json:"value"`
		} `json:"synchronizationJobSettings"`
		Schedule *struct {
			Interval   *string `json:"interval"`
			State      *string `json:"state"`
			Expiration any     `json:"expiration"`
		} `json:"schedule"`
		ID         any `json:"id"`
		TemplateID any `json:"templateId"`
	}
	j, _, err := g.job(c)
	if err != nil {
		return err
	}
	if err := c.decode(&body, false); err != nil {
		return err
	}
	if body.ID != nil && body.ID != j.ID {
		return badRequest("Property 'id' is read-only and cannot be set.")
	}
	if body.TemplateID != nil && body.TemplateID != j.TemplateID {
		return badRequest("Property 'templateId' is read-only and cannot be set.")
	}
	named := map[string]string{}
	for _, s := range body.Settings {
		if s.Name == "" || s.Value == nil || len(s.Name) > 256 || len(*s.Value) > 4096 {
			return badRequest("Invalid value specified for property 'synchronizationJobSettings': each entry has a name and a value.")
		}
		named[s.Name] = *s.Value
	}
	var do func(appID string) error
	if s := body.Schedule; s != nil {
		if s.Expiration != nil {
			return badRequest("Invalid value specified for property 'schedule/expiration': jobs do not expire here.")
		}
		if s.Interval != nil {
			d, err := duration.Parse(*s.Interval)
			if same := err == nil && d.ToTimeDuration() == j.Interval && !j.Longest; !same && *s.Interval != interval(j) {
				return badRequest("Invalid value specified for property 'schedule/interval': it is %s and can't be changed.", interval(j))
			}
		}
		if s.State != nil {
			switch strings.ToLower(*s.State) {
			case "active":
				do = g.svc.Start
			case "paused", "disabled":
				do = g.svc.Pause
			default:
				return badRequest("Invalid value specified for property 'schedule/state': '%s' is not Active, Paused or Disabled.", *s.State)
			}
			if strings.EqualFold(*s.State, string(j.ScheduleState)) {
				do = nil
			}
		}
	}
	if len(named) > 0 {
		if err := g.svc.NameSettings(j.ApplicationID, named); err != nil {
			return err
		}
	}
	if do != nil {
		if err := do(j.ApplicationID); err != nil {
			return err
		}
	}
	return c.noContent()
}

// longestInterval is the longest span that .NET knows; Go's are shorter
// (application-provisioning-configuration-api.md, "Create the provisioning job").
const longestInterval = "P10675199DT2H48M5.4775807S"

func interval(j sim.Job) string {
	if j.Longest {
		return longestInterval
	}
	return isoDuration(j.Interval)
}

// isoDuration writes an interval as Graph does: minutes up to a day, PT40M.
func isoDuration(d time.Duration) string {
	if d > 0 && d%time.Minute == 0 && d < time.Hour {
		return "PT" + itoa(int(d/time.Minute)) + "M"
	}
	return duration.FromTimeDuration(d).String()
}

func statusObject(j sim.Job) object {
	s := j.Status
	last := execution(s.LastExecution)
	if last == nil && j.Started() {
		last = placeholder()
	}
	return object{
		{"countSuccessiveCompleteFailures", s.CountSuccessiveCompleteFailures},
		{"escrowsPruned", s.EscrowsPruned},
		{"code", string(s.Code)},
		{"lastExecution", last},
		{"lastSuccessfulExecution", execution(s.LastSuccessfulExecution)},
		{"lastSuccessfulExecutionWithExports", execution(s.LastSuccessfulExecutionWithExport)},
		{"progress", progress(j)},
		{"quarantine", quarantine(s.Quarantine)},
		{"steadyStateFirstAchievedTime", fine(s.SteadyStateFirst)},
		{"steadyStateLastAchievedTime", fine(s.SteadyStateLast)},
		{"synchronizedEntryCountByType", entryCounts(j)},
		{"troubleshootingUrl", ""},
	}
}

// execution shows one run; nil stays null.
func execution(e *sim.Execution) any {
	if e == nil {
		return nil
	}
	var id any
	if e.ActivityID != "" {
		id = e.ActivityID
	}
	return object{{"activityIdentifier", id}, {"countEntitled", e.Entitled}, {"countEntitledForProvisioning", e.EntitledForProvisioning},
		{"countEscrowed", e.Escrowed}, {"countEscrowedRaw", e.EscrowedRaw}, {"countExported", e.Exported}, {"countExports", e.Exports},
		{"countImported", e.Imported}, {"countImportedDeltas", e.ImportedDeltas}, {"countImportedReferenceDeltas", e.ImportedReferenceDeltas},
		{"state", string(e.State)}, {"timeBegan", fine(e.Began)}, {"timeEnded", fine(e.Ended)}, {"error", jobError(e.Error)}}
}

// placeholder stands for the first run while it has not ended: it reads Failed and is no failure.
func placeholder() any {
	return execution(&sim.Execution{State: sim.Failed, Error: &sim.JobError{Code: "None"}})
}

func jobError(e *sim.JobError) any {
	if e == nil {
		return nil
	}
	return object{{"code", e.Code}, {"message", e.Text()}, {"tenantActionable", e.TenantActionable}}
}

func quarantine(q *sim.Quarantine) any {
	if q == nil {
		return nil
	}
	return object{{"currentBegan", fine(q.CurrentBegan)}, {"nextAttempt", fine(q.NextAttempt)}, {"reason", string(q.Reason)},
		{"seriesBegan", fine(q.SeriesBegan)}, {"seriesCount", q.SeriesCount}, {"error", jobError(q.Error)}}
}

// progress shows how far a running cycle has come, in objects.
func progress(j sim.Job) []object {
	list := []object{}
	p := j.Progress
	if p == nil {
		return list
	}
	seen := j.Status.LastExecution
	at := p.Began
	if seen != nil && seen.Ended.After(at) {
		at = seen.Ended
	}
	for _, x := range []struct {
		units       string
		done, total int
	}{{"Users", p.UsersDone, p.UsersTotal}, {"Groups", p.GroupsDone, p.GroupsTotal}} {
		list = append(list, object{{"completedUnits", x.done}, {"progressObservationDateTime", fine(at)}, {"totalUnits", x.total}, {"units", x.units}})
	}
	return list
}

// entryCounts count what ever entered the job's scope, by pair of types.
func entryCounts(j sim.Job) []object {
	list := []object{}
	for _, x := range []struct {
		key   string
		count int
	}{{"User to " + mapping.UserURN, j.Status.Users}, {"Group to " + mapping.GroupURN, j.Status.Groups}} {
		if x.count > 0 {
			list = append(list, pair(x.key, x.count))
		}
	}
	return list
}
