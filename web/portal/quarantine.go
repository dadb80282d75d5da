package portal

import (
	"fmt"
	"strings"
	"time"

	"entrasim/sim"
)

// quarantineView is a job in trouble: what happened, the cure, and the attempts past and to come.
type quarantineView struct {
	What, Text, Cure      string
	Reason, Code, Message string
	Rules                 []string
	Since, Evaluated      time.Time
	Count                 int
	Mail                  string
	Attempts              []attempt
	Exchange              *exchangeView // the answer itself, while it is in memory
}

// attempt is one line of the list of attempts.
type attempt struct {
	Class, Icon, When, After, Text string
	Status                         int // HTTP status of a failed one; 0 when no answer came or it is to come
	Past, Next                     bool
	At                             time.Time
}

// The times of attempts in quarantine, and its end (application-provisioning-quarantine-status.md, "Retry duration").
var attemptTimes = []struct {
	after time.Duration
	text  string
}{{0, "first failure"}, {6 * time.Hour, "after 6 hours"}, {12 * time.Hour, "after 12 hours"}, {24 * time.Hour, "after 24 hours"}}

const quarantineDays = 28

func (p *Portal) quarantine(j sim.Job, now time.Time) (*quarantineView, error) {
	q := j.Status.Quarantine
	v := &quarantineView{What: "the target does not pass the test", Reason: string(q.Reason), Since: q.SeriesBegan, Evaluated: q.CurrentBegan, Count: q.SeriesCount}
	if q.Error != nil {
		v.Message, v.Code, v.Cure = q.Error.Text(), q.Error.Code, sim.Cure(q.Error.Code, q.Error.Message)
		v.What = quarantineHeading(q.Error.Code, q.Error.Message)
	}
	if j.Settings.NotificationEnabled && j.Settings.NotificationEmail != "" {
		v.Mail = j.Settings.NotificationEmail
	}
	x := p.failedProbe(j.ID)
	status := 0
	if x != nil {
		status = x.Status
		view, err := p.exchangeViews([]sim.Exchange{*x})
		if err != nil {
			return nil, err
		}
		v.Exchange = &view[0]
	}
	v.Text, v.Rules = quarantineText(*q, x), []string{"S-160", "S-170", "S-172"}
	v.Attempts = attempts(*q, now, status)
	return v, nil
}

// quarantineText says what was asked, what came back, and since when.
func quarantineText(q sim.Quarantine, x *sim.Exchange) string {
	text := "The test of the connection fails"
	if x != nil {
		asked, _, _ := strings.Cut(scimPath(x.URL), "?")
		text = fmt.Sprintf("%s %s was answered %d", x.Method, asked, x.Status)
		if x.Status == 0 {
			text = fmt.Sprintf("%s %s got no answer", x.Method, asked)
		}
	}
	text += ", first at " + when(q.SeriesBegan, "15:04 on 2 Jan")
	if q.SeriesCount > 1 {
		text += " and in " + plural(q.SeriesCount-1, "attempt") + " since"
	}
	return text + "."
}

// quarantineHeading says in a few words what the target did.
func quarantineHeading(code, message string) string {
	switch {
	case strings.HasSuffix(code, "InvalidCredentials"):
		return "there is no Tenant URL"
	case strings.Contains(code, "Unavailable"):
		return "the target does not answer"
	case strings.Contains(message, "Status Code: Unauthorized"):
		return "the target refuses the secret token"
	case strings.Contains(message, "Status Code: Forbidden"):
		return "the target refuses the request"
	case strings.Contains(message, "HTTP/404"):
		return "the target has no such address"
	}
	return "the target's answer is not what SCIM asks for"
}

// failedProbe returns the newest exchange of a job that is about no object and that failed.
func (p *Portal) failedProbe(job string) *sim.Exchange {
	for _, x := range p.Service.RecentTraffic(200) {
		if x.Job == job && x.Object == "" && x.Status != 200 {
			return &x
		}
	}
	return nil
}

// attempts lists what was tried, what comes next, and how it ends.
func attempts(q sim.Quarantine, now time.Time, status int) (list []attempt) {
	add := func(at time.Time, after string) {
		a := attempt{At: at, When: when(at, "Mon 2 Jan, 15:04"), After: after}
		switch {
		case at.Equal(q.NextAttempt):
			a.Class, a.Icon, a.Next, a.Text = "virtual", "clock", true, in(at.Sub(now))+"."
		case at.After(q.CurrentBegan):
			a.Class, a.Icon = "", "clock"
		default:
			a.Class, a.Icon, a.Past, a.Status = "bad", "cross", true, status
		}
		list = append(list, a)
	}
	for i, t := range attemptTimes {
		at := q.SeriesBegan.Add(t.after)
		if i == len(attemptTimes)-1 && q.CurrentBegan.After(at) { // the daily ones: the last that failed
			add(q.CurrentBegan, fmt.Sprintf("after %s", plural(int(q.CurrentBegan.Sub(q.SeriesBegan)/(24*time.Hour)), "day")))
			continue
		}
		add(at, t.text)
	}
	if list[0].Past {
		list[0].Text = "The cycle stopped at the test of the connection."
	}
	end := q.SeriesBegan.Add(quarantineDays * 24 * time.Hour)
	if last := list[len(list)-1].At; !q.NextAttempt.IsZero() && q.NextAttempt.After(last) && q.NextAttempt.Before(end) {
		add(q.NextAttempt, "a day later")
	}
	if q.NextAttempt.IsZero() {
		return append(list, attempt{Class: "bad", Icon: "off", When: when(q.CurrentBegan, "Mon 2 Jan, 15:04"), After: "after 28 days", Text: "The job is disabled and its pending retries are dropped."})
	}
	return append(list, attempt{Icon: "refresh", When: "Then every 24 hours"},
		attempt{Icon: "off", When: when(end, "Mon 2 Jan, 15:04"), After: "after 28 days", Text: "The job is disabled and its pending retries are dropped."})
}
