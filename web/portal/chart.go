package portal

import "fmt"

// chart shows the requests of a job's last cycles: reads, writes, and among them those that failed.
type chart struct {
	Bars  []chartBar
	Label string // what it shows, in words
}

// chartBar is one cycle as the drawing needs it, in units of the view box.
type chartBar struct {
	X                                      int
	ReadY, ReadHeight, WriteY, WriteHeight int
	FailY, FailHeight                      int
	Cycle, Reads, Writes, Fails            int
	Title                                  string
}

const (
	chartCycles = 20
	chartHeight = 66
	chartStep   = 15
	// chartScan is how many of the newest exchanges are looked at.
	chartScan = 2000
)

// chart counts the recorded exchanges of a job by cycle, as far as they are still in memory. It is nil before the first.
func (p *Portal) chart(job string) *chart {
	var cycles []chartBar // newest first
	for _, x := range p.Service.RecentTraffic(chartScan) {
		if x.Job != job || x.Cycle == 0 { // a test of the connection, or a run on demand
			continue
		}
		if len(cycles) == 0 || cycles[len(cycles)-1].Cycle != x.Cycle {
			if len(cycles) == chartCycles {
				break
			}
			cycles = append(cycles, chartBar{Cycle: x.Cycle})
		}
		b := &cycles[len(cycles)-1]
		switch {
		case x.Status >= 400 || x.Status == 0:
			b.Fails++
		case x.Method == "GET":
			b.Reads++
		default:
			b.Writes++
		}
	}
	if len(cycles) == 0 {
		return nil
	}
	most := 1
	for _, b := range cycles {
		most = max(most, b.Reads+b.Writes+b.Fails)
	}
	c := &chart{}
	for i := range cycles {
		b := cycles[len(cycles)-1-i]
		b.X = (chartCycles-len(cycles)+i)*chartStep + 1
		scale := func(n int) int { return (n*chartHeight + most - 1) / most }
		b.FailHeight, b.WriteHeight, b.ReadHeight = scale(b.Fails), scale(b.Writes), scale(b.Reads)
		b.FailY = chartHeight - b.FailHeight
		b.WriteY = b.FailY - b.WriteHeight
		b.ReadY = max(0, b.WriteY-b.ReadHeight)
		b.Title = fmt.Sprintf("Cycle %s: %s, %s, %d failed", number(b.Cycle), plural(b.Reads, "read"), plural(b.Writes, "write"), b.Fails)
		c.Bars = append(c.Bars, b)
	}
	c.Label = fmt.Sprintf("Requests of the last %s; %s", plural(len(cycles), "cycle"), c.Bars[len(c.Bars)-1].Title)
	return c
}
