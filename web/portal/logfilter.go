package portal

import (
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
)

// logLooked is how many records a page of the log looks at before it asks whether to look further back: a search for what
// is not there must not read a million of them.
var logLooked = 100_000

// logFilters are the parameters of the log's page that say which records are shown.
var logFilters = []string{"application", "action", "status", "source", "target", "range", "from", "to", "object", "cycle", "change", "job"}

// logDates are the times that a log is filtered by.
type logDates struct {
	Label    string
	Set      bool
	Choices  []Choice
	From, To string // as a date field holds them
	Error    string
}

// dateField is how date fields of forms write times, which are UTC here.
const dateField = "2006-01-02T15:04"

var logRanges = []struct {
	key, text string
	length    time.Duration
}{{"24h", "Last 24 hours", 24 * time.Hour}, {"7d", "Last 7 days", 7 * 24 * time.Hour}, {"30d", "Last month", 30 * 24 * time.Hour}}

// logQuery reads the filters of a request. now is the clock's instant, from which ranges count back.
func logQuery(c echo.Context, now time.Time) (q sim.LogQuery, dates logDates) {
	get := c.QueryParam
	q = sim.LogQuery{ApplicationID: get("application"), Search: strings.TrimSpace(get("q")), Action: sim.Action(get("action")), Status: sim.Outcome(get("status")),
		Source: get("source"), Target: get("target"), ObjectID: get("object"), CycleID: get("cycle"), ChangeID: get("change"), JobID: get("job")}
	dates = logDates{Label: "All", From: get("from"), To: get("to")}
	clear := func(pairs ...string) string {
		return address(c, append([]string{"range", "", "from", "", "to", "", "cursor", "", "record", "", "tab", ""}, pairs...)...)
	}
	dates.Choices = append(dates.Choices, Choice{Text: "All", URL: clear(), On: get("range")+get("from")+get("to") == ""})
	for _, r := range logRanges {
		on := r.key == get("range")
		dates.Choices = append(dates.Choices, Choice{Text: r.text, URL: clear("range", r.key), On: on})
		if on {
			q.From, dates.Label, dates.Set = now.Add(-r.length), r.text, true
		}
	}
	if dates.From+dates.To == "" {
		return q, dates
	}
	dates.Set, dates.Label = true, "Custom"
	var err error
	if dates.From != "" {
		if q.From, err = time.Parse(dateField, dates.From); err != nil {
			dates.Error = "The first date can't be read."
		}
	}
	if dates.To != "" {
		if q.To, err = time.Parse(dateField, dates.To); err != nil {
			dates.Error = "The second date can't be read."
		} else {
			q.To = q.To.Add(time.Minute - time.Nanosecond) // the minute counts
		}
	}
	return q, dates
}
