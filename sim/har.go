package sim

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
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
		Request: harRequest{Method: x.Method, URL: x.URL, HTTPVersion: "HTTP/1.1", Cookies: []struct{}{}, Headers: x.RequestHeaders, QueryString: queryOf(x.URL),
			HeadersSize: -1, BodySize: bodySize(x.RequestBody, x.RequestHeaders)},
		Response: harResponse{Status: x.Status, StatusText: http.StatusText(x.Status), HTTPVersion: "HTTP/1.1", Cookies: []struct{}{}, Headers: x.ResponseHeaders,
			Content: harContent{bodySize(x.ResponseBody, x.ResponseHeaders), header(x.ResponseHeaders, "Content-Type"), x.ResponseBody}, HeadersSize: -1,
			BodySize: bodySize(x.ResponseBody, x.ResponseHeaders), Error: x.Error},
	}
	if x.RequestBody != "" {
		e.Request.PostData = &harPost{header(x.RequestHeaders, "Content-Type"), x.RequestBody}
	}
	return e
}

// queryOf lists the parameters of an address in its order, decoded; what can't be decoded stands as it is.
func queryOf(address string) []Header {
	list := []Header{}
	address, _, _ = strings.Cut(address, "#")
	_, query, _ := strings.Cut(address, "?")
	decoded := func(s string) string {
		if d, err := url.QueryUnescape(s); err == nil {
			return d
		}
		return s
	}
	for part := range strings.SplitSeq(query, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		list = append(list, Header{Name: decoded(name), Value: decoded(value)})
	}
	return list
}

// bodySize is the length of a recorded body on the wire. Of one that was cut it is what its header says, or -1.
func bodySize(body string, headers []Header) int {
	if !strings.HasSuffix(body, CutMark) {
		return len(body)
	}
	if n, err := strconv.Atoi(header(headers, "Content-Length")); err == nil {
		return n
	}
	return -1
}

func header(list []Header, name string) string {
	for _, h := range list {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}
