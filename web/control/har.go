package control

import (
	"net/http"
	"net/url"
	"time"

	"github.com/labstack/echo/v4"

	"entrasim/sim"
)

// The parts of HAR 1.2 that the recorded exchanges fill.
type (
	har struct {
		Log harLog `json:"log"`
	}
	harLog struct {
		Version string     `json:"version"`
		Creator harName    `json:"creator"`
		Entries []harEntry `json:"entries"`
	}
	harName struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	harEntry struct {
		Started  time.Time   `json:"startedDateTime"`
		Time     float64     `json:"time"` // ms
		Request  harRequest  `json:"request"`
		Response harResponse `json:"response"`
		Cache    struct{}    `json:"cache"`
		Timings  harTimings  `json:"timings"`
		Comment  string      `json:"comment,omitempty"`
	}
	harRequest struct {
		Method      string       `json:"method"`
		URL         string       `json:"url"`
		HTTPVersion string       `json:"httpVersion"`
		Cookies     []struct{}   `json:"cookies"`
		Headers     []sim.Header `json:"headers"`
		QueryString []sim.Header `json:"queryString"`
		PostData    *harPost     `json:"postData,omitempty"`
		HeadersSize int          `json:"headersSize"`
		BodySize    int          `json:"bodySize"`
	}
	harPost struct {
		MimeType string `json:"mimeType"`
		Text     string `json:"text"`
	}
	harResponse struct {
		Status      int          `json:"status"`
		StatusText  string       `json:"statusText"`
		HTTPVersion string       `json:"httpVersion"`
		Cookies     []struct{}   `json:"cookies"`
		Headers     []sim.Header `json:"headers"`
		Content     harContent   `json:"content"`
		RedirectURL string       `json:"redirectURL"`
		HeadersSize int          `json:"headersSize"`
		BodySize    int          `json:"bodySize"`
		Error       string       `json:"_error,omitempty"`
	}
	harContent struct {
		Size     int    `json:"size"`
		MimeType string `json:"mimeType"`
		Text     string `json:"text"`
	}
	harTimings struct {
		Send    float64 `json:"send"`
		Wait    float64 `json:"wait"`
		Receive float64 `json:"receive"`
	}
)

func (c *control) har(ctx echo.Context) error {
	list := c.Service.Traffic(0, 10_000).Exchanges
	out := har{harLog{"1.2", harName{"entrasim", sim.Version}, make([]harEntry, len(list))}}
	for i, x := range list {
		out.Log.Entries[i] = harOf(x)
	}
	ctx.Response().Header().Set("Content-Disposition", `attachment; filename="traffic.har"`)
	return ctx.JSON(http.StatusOK, out)
}

func harOf(x sim.Exchange) harEntry {
	e := harEntry{
		Started: x.Time, Time: x.DurationMs, Comment: x.Reason, Timings: harTimings{Wait: x.DurationMs},
		Request: harRequest{Method: x.Method, URL: x.URL, HTTPVersion: "HTTP/1.1", Cookies: []struct{}{}, Headers: x.RequestHeaders, QueryString: []sim.Header{},
			HeadersSize: -1, BodySize: len(x.RequestBody)},
		Response: harResponse{Status: x.Status, StatusText: http.StatusText(x.Status), HTTPVersion: "HTTP/1.1", Cookies: []struct{}{}, Headers: x.ResponseHeaders,
			Content: harContent{len(x.ResponseBody), header(x.ResponseHeaders, "Content-Type"), x.ResponseBody}, HeadersSize: -1, BodySize: len(x.ResponseBody), Error: x.Error},
	}
	if x.RequestBody != "" {
		e.Request.PostData = &harPost{header(x.RequestHeaders, "Content-Type"), x.RequestBody}
	}
	if u, err := url.Parse(x.URL); err == nil {
		q := u.Query()
		for _, name := range []string{"attributes", "excludedAttributes", "filter", "startIndex", "count"} {
			if q.Has(name) {
				e.Request.QueryString = append(e.Request.QueryString, sim.Header{Name: name, Value: q.Get(name)})
			}
		}
	}
	return e
}

func header(list []sim.Header, name string) string {
	for _, h := range list {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}
