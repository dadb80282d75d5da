package portal

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
	"entrasim/sim/rules"
)

type rulesView struct {
	Base
	Q     string
	Rules []rules.Rule
}

func (p *Portal) rules(c echo.Context) error {
	v := rulesView{Base: p.page(c, "Rules", "rules"), Q: strings.TrimSpace(c.QueryParam("q"))}
	v.Crumbs = append(v.Crumbs, Link{Text: "Simulator"})
	q := strings.ToLower(v.Q)
	for _, r := range rules.All() {
		if q == "" || strings.Contains(strings.ToLower(r.ID+" "+r.Text+" "+r.Source+" "+string(r.Confidence)), q) {
			v.Rules = append(v.Rules, r)
		}
	}
	return render(c, 200, "rules", v)
}

type ruleView struct {
	Base
	Rule           rules.Rule
	What, Sureness string
	Exchanges      []exchangeView
	Records        []sim.LogRecord
}

const (
	citedLimit = 8
	// citedScan is how many of the newest exchanges and records are looked at for those that a rule made.
	citedScan = 300
)

// sureness says what a degree of confidence means.
var sureness = map[rules.Confidence]string{
	rules.Documented: "Microsoft's documentation states it.",
	rules.Observed:   "Seen in real traffic, or said in public by Microsoft staff.",
	rules.Inferred:   "Follows from other rules, or fills a gap; the real service may differ.",
}

func (p *Portal) rule(c echo.Context) error {
	r, ok := rules.Get(strings.ToUpper(c.Param("id")))
	if !ok {
		return echo.NewHTTPError(http.StatusNotFound, "There is no rule of this name.")
	}
	v := ruleView{Base: p.page(c, r.ID, "rules", Link{"Rules", "/rules"}), Rule: r, Sureness: sureness[r.Confidence], What: "what stands on the wire"}
	if strings.HasPrefix(r.ID, "S-") {
		v.What = "what the service decides"
	}
	var cited []sim.Exchange
	for _, x := range p.Service.RecentTraffic(citedScan) {
		if slices.Contains(x.Rules, r.ID) && len(cited) < citedLimit {
			cited = append(cited, x)
		}
	}
	var err error
	if v.Exchanges, err = p.exchangeViews(cited); err != nil {
		return err
	}
	page, err := p.Service.Logs(sim.LogQuery{Limit: citedScan})
	if err != nil {
		return err
	}
	for _, record := range page.Items {
		if slices.Contains(record.Rules, r.ID) && len(v.Records) < citedLimit {
			v.Records = append(v.Records, record)
		}
	}
	return render(c, 200, "rule", v)
}
