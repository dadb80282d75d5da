package scenarios

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"entrasim/sim"
	"entrasim/sim/clock"
)

const (
	// listPages and listCount bound what a run lists at a target before it begins: this many requests for users and for groups.
	listPages = 10
	listCount = 1000
	// leeway is how far the target's clock may be behind its own header Date, which has whole seconds.
	leeway = 2 * time.Second
)

// before is what is known of a foreign target's own objects. A target may answer a POST with an object that it had already,
// and what a run did not make it neither changes nor deletes.
type before struct {
	began time.Time         // by the target's clock; zero when nothing is told from the time
	seen  map[string]uint64 // path -> the number of the exchange that showed it; 0 for the list at the beginning
}

// lookAround lists what a foreign target has, as far as it can list.
func (p *Player) lookAround(ctx context.Context) {
	p.before.seen = map[string]uint64{}
	if p.target.Handler == nil { // the clock of a handler within a test may stand still
		p.before.began = clock.Wall()
	}
	for _, path := range []string{"/Users", "/Groups"} {
		for n, at := 0, 1; n < listPages; n++ {
			query := url.Values{"startIndex": {fmt.Sprint(at)}, "count": {fmt.Sprint(listCount)}}
			if path == "/Groups" {
				query.Set("excludedAttributes", "members")
			}
			header, ids, total := p.list(ctx, path, query)
			if date, err := http.ParseTime(header.Get("Date")); n == 0 && err == nil && !p.before.began.IsZero() {
				p.before.began = date
			}
			fresh := 0
			for _, id := range ids {
				if _, known := p.before.seen[path+"/"+id]; !known {
					p.before.seen[path+"/"+id] = 0
					fresh++
				}
			}
			if at += len(ids); fresh == 0 || at > total {
				break
			}
		}
	}
}

// list asks for a page. A target that can't list shows nothing, which is no mistake here.
func (p *Player) list(ctx context.Context, path string, query url.Values) (header http.Header, ids []string, total int) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	req, err := p.world.request(ctx, http.MethodGet, path, query, nil)
	if err != nil {
		return nil, nil, 0
	}
	status, header, data, err := p.world.answer(req)
	if err != nil || status != http.StatusOK {
		return header, nil, 0
	}
	ids, total = idsIn(data)
	return header, ids, total
}

// idsIn are the ids of a list, or of a resource.
func idsIn(answer []byte) (ids []string, total int) {
	type resource struct {
		ID any `json:"id"`
	}
	var doc struct {
		resource
		Total     int        `json:"totalResults"`
		Resources []resource `json:"Resources"`
	}
	if json.Unmarshal(answer, &doc) != nil {
		return nil, 0
	}
	for _, r := range append(doc.Resources, doc.resource) {
		if id, ok := r.ID.(string); ok && id != "" {
			ids = append(ids, id)
		}
	}
	return ids, doc.Total
}

// shown notes what the answer to a GET of the service shows that this run did not make.
func (p *Player) shown(x sim.Exchange) {
	if p.before.seen == nil || x.Method != http.MethodGet || x.Status != http.StatusOK {
		return
	}
	ids, _ := idsIn([]byte(x.ResponseBody))
	path, _, _ := strings.Cut(strings.TrimPrefix(x.URL, p.world.base), "?")
	if i := strings.IndexByte(strings.TrimPrefix(path, "/"), '/'); i >= 0 {
		path = path[:i+1]
	}
	for _, id := range ids {
		if _, known := p.before.seen[path+"/"+id]; !known && !p.made[path+"/"+id] {
			p.before.seen[path+"/"+id] = x.ID
		}
	}
}

// foreign says why an object that a POST was answered with, or that bears its name, is none that this run made; "" when it
// may be. n is the number of the exchange, status its answer's, 0 without one.
func (p *Player) foreign(path string, n uint64, status int, doc map[string]any) string {
	if at, known := p.before.seen[path]; known && at <= n {
		return "it was there before"
	}
	if p.before.began.IsZero() {
		return ""
	}
	meta, _ := doc["meta"].(map[string]any)
	text, _ := meta["created"].(string)
	created, err := time.Parse(time.RFC3339Nano, text)
	switch {
	case err == nil && created.Before(p.before.began.Add(-leeway)):
		return "its meta.created, " + text + ", is before the run began"
	case err != nil && status == http.StatusOK:
		return "its POST was answered 200 and not 201, so that it may have been there before"
	}
	return ""
}

// posted notes an object that the target answered a POST with: as the run's own, or as one to leave alone.
func (p *Player) posted(path string, status int, sent, doc map[string]any) {
	if p.made[path] {
		return
	}
	if p.before.seen != nil {
		for _, attribute := range []string{"displayName", "userName"} { // what is there last is the better name
			if name, ok := sent[attribute].(string); ok {
				p.called[path] = name
			}
		}
		if why := p.foreign(path, p.count, status, doc); why != "" {
			p.others[path] = why
			return
		}
	}
	p.made[path] = true
}

// spoken is an object at the target for people: its path, handle and name.
func (p *Player) spoken(path string) string {
	var words []string
	for _, h := range sorted(p.names.accounts) {
		if path == "/"+p.scenario.kinds[h]+"s/"+p.names.accounts[h] {
			words = append(words, h)
			break
		}
	}
	if name := p.called[path]; name != "" {
		words = append(words, name)
	}
	if len(words) == 0 {
		return path
	}
	return path + " (" + strings.Join(words, ", ") + ")"
}
