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
	Probe                 bool // the target failed the test of the connection
	Deletes               bool // too many objects would be disabled or deleted
	HeldBack              []sim.Held
	AllowText             string
	Exchange              *exchangeView // the answer itself, while it is in memory
}

// attempt is one line of the list of attempts.
type attempt struct {
	Class, Icon, When, After, Text string
	Status                         int // HTTP status of a failed one; 0 when no answer came or it is to come
	Past, Next                     bool
	Answered                       bool // by the target: Status says with what
	At                             time.Time
}

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
	v.Attempts = attempts(*q, j.Settings.Limits().Of(q.Reason), now, 0)
	switch q.Reason {
	case sim.QuarantineException:
		v.Probe = true
	case sim.QuarantineDeletes:
		v.Deletes, v.What, v.AllowText, v.Rules = true, "too many deletions", allowText, []string{"S-223", "S-225", "S-230"}
		v.Text, v.Cure = v.Message, "Everything else is provisioned with the attempts. Allow deletes, or bring the objects back into scope."
		var err error
		v.HeldBack, err = p.Service.Held(j.ApplicationID, 20)
		return v, err
	default:
		v.What, v.Text, v.Rules = "too many operations fail", v.Message, []string{"S-164", "S-165", "S-170"}
		return v, nil
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
	v.Attempts = attempts(*q, j.Settings.Limits().Of(q.Reason), now, status)
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

// attemptsShown is how many of the newest attempts are listed beside the first.
const attemptsShown = 3

// attempts lists what was tried, what comes next, and how it ends.
func attempts(q sim.Quarantine, limits sim.Limits, now time.Time, status int) (list []attempt) {
	since := func(at time.Time) string {
		d := at.Sub(q.SeriesBegan).Round(time.Minute)
		switch {
		case at.Equal(q.SeriesBegan):
			return "first failure"
		case d > 24*time.Hour && d%(24*time.Hour) == 0:
			return "after " + plural(int(d/(24*time.Hour)), "day")
		case d%time.Hour == 0:
			return "after " + plural(int(d/time.Hour), "hour")
		}
		return fmt.Sprintf("after %d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	past := q.Attempts
	if n := len(past); n > attemptsShown+1 {
		past = append([]sim.QuarantineAttempt{past[0]}, past[n-attemptsShown:]...)
	}
	for i, x := range past {
		a := attempt{Class: "bad", Icon: "cross", When: when(x.Time, "Mon 2 Jan, 15:04"), After: since(x.Time), Past: true, At: x.Time, Text: x.Text}
		if x.Reason == sim.QuarantineException {
			a.Answered, a.Status, a.Text = true, status, ""
			if i == 0 {
				a.Text = "The cycle stopped at the test of the connection."
			}
		}
		list = append(list, a)
	}
	end := q.SeriesBegan.Add(limits.QuarantineEnd)
	over := attempt{Icon: "off", When: when(end, "Mon 2 Jan, 15:04"), After: since(end), Text: "The job is disabled and its pending retries are dropped."}
	if q.NextAttempt.IsZero() {
		over.Class, over.When, over.After = "bad", when(q.CurrentBegan, "Mon 2 Jan, 15:04"), since(q.CurrentBegan)
		return append(list, over)
	}
	list = append(list, attempt{Class: "virtual", Icon: "clock", Next: true, At: q.NextAttempt, When: when(q.NextAttempt, "Mon 2 Jan, 15:04"),
		After: since(q.NextAttempt), Text: in(q.NextAttempt.Sub(now)) + "."})
	for _, step := range limits.QuarantineAttempts {
		if at := q.SeriesBegan.Add(step); at.After(q.NextAttempt) && at.Before(end) {
			list = append(list, attempt{Icon: "clock", At: at, When: when(at, "Mon 2 Jan, 15:04"), After: since(at)})
		}
	}
	return append(list, attempt{Icon: "refresh", When: "Then every 24 hours"}, over)
}
