package sim

import (
	"net/http"
	"net/url"
	"time"
)

// The parts of HAR 1.2 that the recorded exchanges fill.
type (
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
		Method      string     `json:"method"`
		URL         string     `json:"url"`
		HTTPVersion string     `json:"httpVersion"`
		Cookies     []struct{} `json:"cookies"`
		Headers     []Header   `json:"headers"`
		QueryString []Header   `json:"queryString"`
		PostData    *harPost   `json:"postData,omitempty"`
		HeadersSize int        `json:"headersSize"`
		BodySize    int        `json:"bodySize"`
	}
	harPost struct {
		MimeType string `json:"mimeType"`
		Text     string `json:"text"`
	}
	harResponse struct {
		Status      int        `json:"status"`
		StatusText  string     `json:"statusText"`
		HTTPVersion string     `json:"httpVersion"`
		Cookies     []struct{} `json:"cookies"`
		Headers     []Header   `json:"headers"`
		Content     harContent `json:"content"`
		RedirectURL string     `json:"redirectURL"`
		HeadersSize int        `json:"headersSize"`
		BodySize    int        `json:"bodySize"`
		Error       string     `json:"_error,omitempty"`
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

// HAR is recorded exchanges as an HTTP archive, version 1.2, which browsers' developer tools open.
type HAR struct {
	Log harLog `json:"log"`
}

// NewHAR makes an archive of exchanges, in their order. The reason of each is its comment.
func NewHAR(list []Exchange) HAR {
	out := HAR{harLog{"1.2", harName{"entrasim", Version}, make([]harEntry, len(list))}}
	for i, x := range list {
		out.Log.Entries[i] = harOf(x)
	}
	return out
}

func harOf(x Exchange) harEntry {
	e := harEntry{
		Started: x.Time, Time: x.DurationMs, Comment: x.Reason, Timings: harTimings{Wait: x.DurationMs},
		Request: harRequest{Method: x.Method, URL: x.URL, HTTPVersion: "HTTP/1.1", Cookies: []struct{}{}, Headers: x.RequestHeaders, QueryString: []Header{},
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
				e.Request.QueryString = append(e.Request.QueryString, Header{Name: name, Value: q.Get(name)})
			}
		}
	}
	return e
}

func header(list []Header, name string) string {
	for _, h := range list {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}
