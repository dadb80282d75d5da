// Package control is the control API under /sim, with readiness and metrics: what scripts use to move the clock, run
// cycles and see what was sent. Its answers are the service's own values as JSON.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/sosodev/duration"

	"entrasim/sim"
	"entrasim/sim/clock"
	"entrasim/sim/target"
)

// Deps is what the routes stand on.
type Deps struct {
	Service *sim.Service
	Target  *target.Server
	Reset   func(context.Context) error
	// Told is the data of an event as the matching GET answers it under the address of Graph's v1.0.
	Told func(base string, data any) (any, error)
}

type control struct{ Deps }

// Register adds the routes.
func Register(e *echo.Echo, d Deps) {
	c := &control{d}
	for _, r := range routes {
		e.Add(r.method, r.path, func(ctx echo.Context) error { return r.handle(c, ctx) })
	}
}

func (c *control) health(ctx echo.Context) error {
	return ctx.JSON(http.StatusOK, map[string]string{"status": "ok"})
}

func (c *control) metrics(ctx echo.Context) error {
	ctx.Response().Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	ctx.Response().WriteHeader(http.StatusOK)
	return c.Service.WriteMetrics(ctx.Response())
}

func (c *control) clock(ctx echo.Context) error {
	return ctx.JSON(http.StatusOK, c.Service.ClockState())
}

// maxBody bounds the bodies of this API.
const maxBody = 1 << 20

// decode reads a strict JSON object: unknown members and trailing data are refused by name, with an example of what is
// wanted. An empty body leaves v alone.
func decode(ctx echo.Context, v any, example string) error {
	body, err := io.ReadAll(io.LimitReader(ctx.Request().Body, maxBody+1))
	if err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, "The body broke off.")
	}
	if len(body) > maxBody {
		return echo.NewHTTPError(http.StatusRequestEntityTooLarge, "The body is longer than 1 MiB.")
	}
	if strings.TrimSpace(string(body)) == "" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, unread(err, v)+" Send for example "+example+".")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return echo.NewHTTPError(http.StatusBadRequest, "Something follows the JSON object in the body. Send one object alone, for example "+example+".")
	}
	return nil
}

// unread words why a body can't be read into v: what stands where, and what belongs there.
func unread(err error, v any) string {
	var kind *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &kind):
		place := "The body"
		if kind.Field != "" {
			place = kind.Field + " in the body"
		}
		what, _, _ := strings.Cut(kind.Value, " ")
		return fmt.Sprintf("%s is of the JSON type %s; expected %s.", place, what, typeName(kind.Type))
	case errors.As(err, &syntax):
		return fmt.Sprintf("The body is no JSON; character %d: %v.", syntax.Offset, syntax)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "The JSON in the body ends too early."
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return fmt.Sprintf("The body has a member %s that is not known here; known are %s.", name, strings.Join(memberNames(reflect.TypeOf(v)), ", "))
	}
	return "The body can't be read: " + strings.TrimPrefix(err.Error(), "json: ") + "."
}

// typeName names in JSON's words what is read into a value of a type.
func typeName(t reflect.Type) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t.Kind() {
	case reflect.String:
		return "a text in quotes"
	case reflect.Bool:
		return "true or false"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "an object"
	}
	return "a whole number"
}

// memberNames lists the JSON members of a type, with those of the objects inside it.
func memberNames(t reflect.Type) (names []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for f := range t.Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(append(names, name), memberNames(f.Type)...)
		}
	}
	return slices.Compact(names)
}

// clockChange is the body of POST /sim/clock.
type clockChange struct {
	Advance *string     `json:"advance"`
	Until   *string     `json:"until"`
	Mode    *clock.Mode `json:"mode"`
	Rate    *float64    `json:"rate"`
}

// advanced is the answer to a moved clock.
type advanced struct {
	Now    time.Time         `json:"now"`
	Cycles []sim.CycleResult `json:"cycles"`
}

func (c *control) setClock(ctx echo.Context) error {
	var body clockChange
	if err := decode(ctx, &body, `{"advance":"40m"}`); err != nil {
		return err
	}
	given := 0
	for _, set := range []bool{body.Advance != nil, body.Until != nil, body.Mode != nil || body.Rate != nil} {
		if set {
			given++
		}
	}
	if given != 1 {
		return echo.NewHTTPError(http.StatusBadRequest, `Send one of {"advance":"40m"}, {"until":"2026-02-01T00:00:00Z"}, {"mode":"manual"} and {"rate":60}.`)
	}
	switch {
	case body.Advance != nil:
		d, err := ParseDuration(*body.Advance)
		if err != nil {
			return echo.NewHTTPError(http.StatusBadRequest, err.Error())
		}
		cycles, err := c.Service.Advance(ctx.Request().Context(), d)
		return c.moved(ctx, cycles, err)
	case body.Until != nil:
		t, err := time.Parse(time.RFC3339Nano, *body.Until)
		if err != nil {
			return echo.NewHTTPError(http.StatusBadRequest, fmt.Sprintf("until is %q; expected a time such as 2026-02-01T00:00:00Z.", *body.Until))
		}
		cycles, err := c.Service.AdvanceTo(ctx.Request().Context(), t)
		return c.moved(ctx, cycles, err)
	}
	mode, rate := clock.Rate, 1.0
	if body.Rate != nil {
		rate = *body.Rate
	}
	if body.Mode != nil {
		mode = *body.Mode
		if body.Rate != nil && (mode == clock.Real || mode == clock.Manual) {
			return echo.NewHTTPError(http.StatusBadRequest, fmt.Sprintf(`rate goes with the mode rate, not with %q. Send {"mode":%q} alone, or {"mode":"rate","rate":60}.`, mode, mode))
		}
		if body.Rate == nil && mode == clock.Rate {
			return echo.NewHTTPError(http.StatusBadRequest, `The mode rate needs a rate, such as {"rate":60}.`)
		}
	}
	if err := c.Service.Clock().Set(mode, rate); err != nil {
		return echo.NewHTTPError(http.StatusBadRequest, err.Error()+".")
	}
	return ctx.JSON(http.StatusOK, c.Service.ClockState())
}

func (c *control) moved(ctx echo.Context, cycles []sim.CycleResult, err error) error {
	var past clock.ErrPast
	var late clock.ErrLate
	if errors.As(err, &past) || errors.As(err, &late) {
		return echo.NewHTTPError(http.StatusBadRequest, err.Error()+".")
	}
	if err != nil {
		return err
	}
	if cycles == nil {
		cycles = []sim.CycleResult{}
	}
	return ctx.JSON(http.StatusOK, advanced{c.Service.Clock().Now(), cycles})
}

// ParseDuration reads 40m, 1h30m, PT40M or P30D. Negative ones are refused: the clock never goes back.
func ParseDuration(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil {
		iso, isoErr := duration.Parse(strings.ToUpper(text))
		if isoErr != nil {
			return 0, fmt.Errorf("advance is %q; expected a duration such as 40m, 720h or P30D", text)
		}
		if iso.Years != 0 || iso.Months != 0 {
			return 0, fmt.Errorf("advance is %q: a month and a year have no fixed length; say P30D, or name the instant with until", text)
		}
		// In seconds first: the longest duration is 292 years.
		if seconds := ((iso.Weeks*7+iso.Days)*24+iso.Hours)*3600 + iso.Minutes*60 + iso.Seconds; seconds > math.MaxInt64/1e9-1 {
			return 0, fmt.Errorf("advance is %q: the clock ends at %s", text, clock.Latest.Format(time.RFC3339))
		}
		d = iso.ToTimeDuration()
	}
	if d < 0 {
		return 0, fmt.Errorf("advance is %q: the clock never goes back", text)
	}
	return d, nil
}

// cycleRequest is the body of POST /sim/cycle.
type cycleRequest struct {
	Job *string `json:"job"`
}

// cycleList is its answer.
type cycleList struct {
	Cycles []sim.CycleResult `json:"cycles"`
}

// whyList is the answer of GET /sim/why.
type whyList struct {
	Applications []sim.Explanation `json:"applications"`
}

func (c *control) cycle(ctx echo.Context) error {
	var body cycleRequest
	if err := decode(ctx, &body, `{"job":"<id>"}`); err != nil {
		return err
	}
	var jobs []string
	if body.Job != nil {
		jobs = append(jobs, *body.Job)
	}
	cycles, err := c.Service.RunCycles(ctx.Request().Context(), jobs...)
	if err != nil {
		return err
	}
	return ctx.JSON(http.StatusOK, cycleList{cycles})
}

func (c *control) traffic(ctx echo.Context) error {
	after, err := number(ctx, "after", 0)
	if err != nil {
		return err
	}
	limit, err := number(ctx, "limit", 1000)
	if err != nil {
		return err
	}
	return ctx.JSON(http.StatusOK, c.Service.Traffic(after, int(min(limit, 10_000))))
}

func number(ctx echo.Context, name string, otherwise uint64) (uint64, error) {
	text := ctx.QueryParam(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, echo.NewHTTPError(http.StatusBadRequest, fmt.Sprintf("%s is %q; expected a whole number.", name, text))
	}
	return n, nil
}

func (c *control) why(ctx echo.Context) error {
	id := ctx.QueryParam("object")
	if id == "" {
		return echo.NewHTTPError(http.StatusBadRequest, "Name an object: /sim/why?object=ID.")
	}
	list, err := c.Service.Why(id)
	if err != nil {
		return err
	}
	return ctx.JSON(http.StatusOK, whyList{list})
}

func (c *control) reset(ctx echo.Context) error {
	if err := c.Reset(ctx.Request().Context()); err != nil {
		return err
	}
	return ctx.NoContent(http.StatusNoContent)
}

// heartbeat keeps a quiet stream of events open through whatever stands between.
const heartbeat = 15 * time.Second

// streamed are the topics of /sim/events. What else the program tells itself is for its own pages.
var streamed = map[string]bool{"cycle": true, "log": true, "exchange": true, "directory": true, "job": true, "clock": true}

// events streams what happens as server-sent events, numbered, so that a client that comes back with Last-Event-ID
// catches up. Each has the object that the matching GET returns, put together when it is sent: of log, job and directory
// that is Graph's. A client that did not keep up is told by an event named missed, of which a reader of the six topics takes no notice, how
// many are gone: it has to read anew.
func (c *control) events(ctx echo.Context) error {
	log := c.Service.Events()
	after := log.Last()
	for _, text := range []string{ctx.QueryParam("after"), ctx.Request().Header.Get("Last-Event-ID")} { // the header is newer
		if n, err := strconv.ParseUint(text, 10, 64); err == nil && n <= log.Last() {
			after = n
		}
	}
	w := ctx.Response()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusOK)
	if _, err := fmt.Fprint(w, "retry: 1000\n: hello\n\n"); err != nil {
		return nil
	}
	w.Flush()
	for {
		wait, cancel := context.WithTimeout(ctx.Request().Context(), heartbeat)
		err := log.Wait(wait, after)
		cancel()
		if ctx.Request().Context().Err() != nil {
			return nil
		}
		if err != nil {
			_, err = fmt.Fprint(w, ": still here\n\n")
		} else {
			after, err = c.send(w, log, after, ctx.Scheme()+"://"+ctx.Request().Host+"/v1.0")
		}
		if err != nil {
			return nil // the client went away
		}
		w.Flush()
	}
}

func (c *control) send(w io.Writer, log *sim.Events, after uint64, graph string) (uint64, error) {
	list, missed := log.Since(after)
	if missed > 0 {
		if _, err := fmt.Fprintf(w, "event: missed\ndata: {\"missed\":%d}\n\n", missed); err != nil {
			return after, err
		}
	}
	for _, e := range list {
		if after = e.ID; !streamed[e.Topic] {
			continue
		}
		told, err := c.Told(graph, e.Data())
		if err != nil {
			return after, err
		}
		data, err := json.Marshal(told)
		if err != nil {
			return after, err
		}
		if _, err := fmt.Fprintf(w, "id: %d\nevent: %s\ndata: %s\n\n", e.ID, e.Topic, data); err != nil {
			return after, err
		}
	}
	return after, nil
}
