package portal

import (
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
)

type auditView struct {
	Base
	Q      string
	Drops  []Drop
	Dates  logDates
	Keep   []Link
	Rows   []sim.AuditRecord
	Pager  Pager
	Looked bool // what is older has not been looked at
}

// activities are what the audit log tells of provisioning (application-provisioning-when-will-provisioning-finish-specific-user.md,
// application-provisioning-quarantine-status.md).
var activities = []string{"Add provisioning configuration", "Update provisioning setting or credentials", "Update attribute mappings or scope", "Enable/start provisioning configuration",
	"Disable/pause provisioning configuration", "Enable/restart provisioning configuration", "Delete provisioning configuration", "Quarantine"}

// audit shows what administrators changed, and quarantines, newest first.
func (p *Portal) audit(c echo.Context) error {
	v := auditView{Base: p.page(c, "Audit logs", "audit"), Q: strings.TrimSpace(c.QueryParam("q"))}
	v.Crumbs = append(v.Crumbs, Link{Text: "Monitoring"})
	apps, err := p.Service.Applications()
	if err != nil {
		return err
	}
	var names, acts []string
	for _, a := range apps {
		names = append(names, a.ID, a.DisplayName)
	}
	for _, a := range activities {
		acts = append(acts, a, a)
	}
	v.Drops = []Drop{drop(c, "Activity", "activity", acts...), drop(c, "Target", "application", names...), drop(c, "Status", "status", "success", "Success", "failure", "Failure")}
	for _, name := range []string{"activity", "application", "status", "range"} {
		if value := c.QueryParam(name); value != "" {
			v.Keep = append(v.Keep, Link{name, value})
		}
	}
	q, dates := logQuery(c, v.Clock.Now)
	v.Dates = dates
	search := strings.ToLower(v.Q)
	match := func(r sim.AuditRecord) bool {
		return (q.ApplicationID == "" || r.ApplicationID == q.ApplicationID) && (q.Status == "" || r.Result == string(q.Status)) &&
			(c.QueryParam("activity") == "" || r.Activity == c.QueryParam("activity")) && (q.From.IsZero() || !r.Time.Before(q.From)) && (q.To.IsZero() || !r.Time.After(q.To)) &&
			(search == "" || slices.ContainsFunc([]string{r.Activity, r.ApplicationName, r.Detail, r.InitiatedBy}, func(t string) bool { return strings.Contains(strings.ToLower(t), search) }))
	}
	next, err := p.auditRows(&v, c.QueryParam("cursor"), match)
	if err != nil {
		return err
	}
	v.Pager = pager(c, next)
	return render(c, 200, "audit", v)
}

// auditRows fills a page with the records that match. next is the cursor behind the last one that was looked at, "" when
// there is no other.
func (p *Portal) auditRows(v *auditView, cursor string, match func(sim.AuditRecord) bool) (next string, err error) {
	for looked := 0; ; {
		page, err := p.Service.Audit(cursor, logBatch)
		if err != nil {
			return "", err
		}
		for _, r := range page.Items {
			if len(v.Rows) == pageSize || looked == logLooked {
				v.Looked = len(v.Rows) < pageSize
				return cursor, nil
			}
			if looked, cursor = looked+1, r.ID; match(r) { // an id is its record's number
				v.Rows = append(v.Rows, r)
			}
		}
		if page.Next == "" {
			return "", nil
		}
	}
}
