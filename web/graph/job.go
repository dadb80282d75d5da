package graph

import (
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
		{"schedule", object{{"expiration", nil}, {"interval", isoDuration(j.Interval)}, {"state", string(j.ScheduleState)}}},
		{"status", statusObject(j)},
		{"synchronizationJobSettings", []object{
			{{"name", "AzureIngestionAttributeOptimization"}, {"value", "False"}},
			{{"name", "LookaheadQueryEnabled"}, {"value", "False"}}}},
	}
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
