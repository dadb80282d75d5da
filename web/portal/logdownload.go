package portal

import (
	"archive/zip"
	"bufio"
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
)

// logBatch is how many records of a download are in memory at once.
const logBatch = 500

// downloadLogs sends the records that the page's filters let through: as CSV in three files that the change ID joins, packed
// in one, or as JSON (howto-analyze-provisioning-logs.md). It is written as it is read.
func (p *Portal) downloadLogs(c echo.Context) error {
	q, dates := logQuery(c, p.Service.Clock().Now())
	if dates.Error != "" {
		return echo.NewHTTPError(http.StatusBadRequest, dates.Error)
	}
	end, err := p.Service.LogEnd()
	if err != nil {
		return err
	}
	q.Cursor, q.Limit = end, 1
	if _, err := p.Service.Logs(q); err != nil { // what is wrong with a query is told as long as it can be
		return err
	}
	q.Limit = logBatch
	name, kind, write := "ProvisioningLogs.json", "application/json", p.logsJSON
	if c.QueryParam("format") != "json" {
		name, kind, write = "ProvisioningLogs.zip", "application/zip", p.logsCSV
	}
	h := c.Response().Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	c.Response().WriteHeader(http.StatusOK)
	w := bufio.NewWriterSize(c.Response(), 64<<10)
	err = write(w, q)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		panic(http.ErrAbortHandler) // half a file must not look like a whole one
	}
	return nil
}

// eachLog hands every record of a query to f, newest first.
func (p *Portal) eachLog(q sim.LogQuery, f func(*sim.LogRecord) error) error {
	for {
		page, err := p.Service.Logs(q)
		if err != nil {
			return err
		}
		for i := range page.Items {
			if err := f(&page.Items[i]); err != nil {
				return err
			}
		}
		if q.Cursor = page.Next; q.Cursor == "" {
			return nil
		}
	}
}

// logsJSON writes one list of records, in the form that Graph gives them.
func (p *Portal) logsJSON(w io.Writer, q sim.LogQuery) error {
	sep := "[\n"
	err := p.eachLog(q, func(r *sim.LogRecord) error {
		data, err := json.Marshal(p.LogJSON(r))
		if err != nil {
			return err
		}
		if _, err := io.WriteString(w, sep); err != nil {
			return err
		}
		sep = ",\n"
		_, err = w.Write(data)
		return err
	})
	if err != nil {
		return err
	}
	if sep == "[\n" {
		_, err = io.WriteString(w, "[]\n")
		return err
	}
	_, err = io.WriteString(w, "\n]\n")
	return err
}

// logFile is one of the three files: its head, and the rows of a record.
type logFile struct {
	name string
	head []string
	rows func(*sim.LogRecord) [][]string
}

var logFiles = []logFile{
	{"ProvisioningLogs.csv", []string{"Id", "Date", "Action", "Status", "Change ID", "Cycle ID", "Job ID", "Duration in milliseconds", "Application ID", "Application", "Initiated by",
		"Source system", "Source ID", "Source name", "Source user principal name", "Identity type", "Target system", "Target ID", "Error code", "Skip reason", "Reason", "Recommended action"},
		func(r *sim.LogRecord) [][]string {
			return [][]string{{r.ID, csvTime(r.Time), string(r.Action), string(r.Status), r.ChangeID, r.CycleID, r.JobID, strconv.FormatInt(r.DurationMs, 10), r.ApplicationID, r.ApplicationName, r.InitiatedBy,
				sim.SourceSystem, r.ObjectID, r.DisplayName, r.UserPrincipalName, r.ObjectKind, sim.TargetSystem, r.TargetID, r.ErrorCode, string(r.SkipReason), r.Reason, r.RecommendedAction}}
		}},
	{"ProvisioningLogs_ProvisioningSteps.csv", []string{"Change ID", "Id", "Step", "Name", "Type", "Status", "Description", "Details"}, func(r *sim.LogRecord) (rows [][]string) {
		for i, s := range r.Steps {
			var details []string
			for _, d := range s.Details {
				details = append(details, d.Key+"="+d.Value)
			}
			rows = append(rows, []string{r.ChangeID, r.ID, strconv.Itoa(i + 1), s.Name, s.Type, string(s.Status), s.Description, strings.Join(details, "; ")})
		}
		return rows
	}},
	{"ProvisioningLogs_ModifiedProperties.csv", []string{"Change ID", "Id", "Property", "Old value", "New value"}, func(r *sim.LogRecord) (rows [][]string) {
		for _, m := range r.Modified {
			row := []string{r.ChangeID, r.ID, m.Name, "", ""}
			for i, v := range []*string{m.Old, m.New} {
				if v != nil {
					row[3+i] = *v
				}
			}
			rows = append(rows, row)
		}
		return rows
	}},
}

// logsCSV writes the three files one after another, each with a walk through the log of its own: memory then does not
// depend on how many records there are.
func (p *Portal) logsCSV(w io.Writer, q sim.LogQuery) error {
	z := zip.NewWriter(w)
	for _, f := range logFiles {
		part, err := z.CreateHeader(&zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: p.Service.Clock().Now().UTC()})
		if err != nil {
			return err
		}
		rows := csv.NewWriter(part)
		if err := rows.Write(f.head); err != nil {
			return err
		}
		if err := p.eachLog(q, func(r *sim.LogRecord) error {
			for _, row := range f.rows(r) {
				for i := range row {
					row[i] = cell(row[i])
				}
				if err := rows.Write(row); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			return err
		}
		if rows.Flush(); rows.Error() != nil {
			return rows.Error()
		}
	}
	return z.Close()
}

func csvTime(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// cell keeps a spreadsheet from taking a name for a formula.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}
