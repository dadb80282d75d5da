//go:build browser

package web_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"entrasim/sim/clock"
)

var (
	hrefs = regexp.MustCompile(` href="(/[^"]*)"`)
	ids   = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f-]{27}|[A-Z]-\d+|\d+`)
	// scenes are addresses of single scenarios.
	scenes = regexp.MustCompile(`^/scenarios/[^/]+/[^/]+$`)
)

// pagesOf follows the links of the portal and returns one page of each kind.
func pagesOf(t testing.TB, base string) []string {
	t.Helper()
	pages, seen := []string{}, map[string]bool{"/": true}
	for todo := []string{"/"}; len(todo) > 0; todo = todo[1:] {
		status, body := get(t, base+todo[0])
		if status != http.StatusOK {
			t.Fatalf("%s: %d", todo[0], status)
		}
		pages = append(pages, todo[0])
		for _, m := range hrefs.FindAllStringSubmatch(body, -1) {
			u, err := url.Parse(html.UnescapeString(m[1]))
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			if strings.HasPrefix(u.Path, "/assets/") || strings.HasPrefix(u.Path, "/sim/") || strings.HasSuffix(u.Path, "/file") || u.Path == "/logs/download" || u.Path == "/openapi.json" || len(q) > 1 && !q.Has("tab") && !q.Has("edit") || len(q) > 2 {
				continue
			}
			kind := []string{scenes.ReplaceAllString(ids.ReplaceAllString(u.Path, "*"), "/scenarios/*")}
			for name := range q {
				if name == "tab" || name == "kind" {
					name += "=" + q.Get(name)
				}
				kind = append(kind, name)
			}
			slices.Sort(kind)
			if key := strings.Join(kind, "&"); !seen[key] {
				seen[key] = true
				todo = append(todo, u.RequestURI())
			}
		}
	}
	return pages
}

const wideThings = `(() => { const bad = []; for (const e of document.querySelectorAll("body *")) { const r = e.getBoundingClientRect(); if (!r.width || r.right <= innerWidth + 1 || getComputedStyle(e).position === "fixed") continue;
	let p = e.parentElement, clipped = false; while (p && p !== document.body) { if (getComputedStyle(p).overflowX !== "visible") { clipped = true; break; } p = p.parentElement; }
	if (!clipped) bad.push(e.tagName + "." + e.className + " " + (e.textContent || "").trim().slice(0, 40)); }
	return document.documentElement.scrollWidth > innerWidth || bad.length ? [document.documentElement.scrollWidth + " wide", ...bad.slice(0, 4)] : []; })()`

// axeRun checks the page with the given options: all rules in one theme, and in the other those that look at colours. What
// the others look at is the same document.
func axeRun(options string) string {
	return `axe.run(document, {resultTypes: ["violations"]` + options + `}).then(r => r.violations.flatMap(v => v.nodes.slice(0, 3).map(n => v.id + ": " + v.help + ": " + n.target.join(" "))))`
}

const coloursOnly = `, runOnly: ["color-contrast", "link-in-text-block"]`

const foreign = `performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith(location.origin))`

// TestPagesInBrowser looks at one page of each kind, in the states of a tenant's life: axe-core finds nothing in either
// theme, nothing sticks out at the width of a phone, and nothing is asked of another host. The states are looked at side by
// side, each in a tab: most of the time goes to axe-core, which computes the colours behind each text.
func TestPagesInBrowser(t *testing.T) {
	axe := axeScript(t)
	chromium := newBrowser(t)
	chromium.open("about:blank") // the tabs need a browser that runs
	var seen sync.Map
	for _, state := range []struct {
		name string
		make func(t *testing.T) string
	}{{"ready", func(t *testing.T) string { return serveWith(t, "", clock.Manual) }}, {"provisioned", provisioned}, {"quarantined", quarantined}, {"hostile", hostile}} {
		t.Run(state.name, func(t *testing.T) {
			t.Parallel()
			base := state.make(t)
			b := (&browser{t, chromium.ctx}).tab()
			pages := append(pagesOf(t, base), "/nowhere", "/users?q=nobody+of+this+name")
			if state.name == "hostile" { // the pages of the application with the longest name
				_, body := get(t, base+"/search?q=WWW")
				app := regexp.MustCompile(`/applications/[0-9a-f-]{36}`).FindString(body)
				if app == "" {
					t.Fatal("the application with the longest name is not found")
				}
				pages = append(pages, app, app+"/users", app+"/provisioning")
			}
			if len(pages) < 30 {
				t.Fatalf("only %d pages were found", len(pages))
			}
			b.size(390, 844)
			for i, page := range pages {
				checkPage(t, b, &seen, axe, base, page, i%2 == 0)
			}
			t.Logf("%d pages", len(pages))
		})
	}
}

// checkPage opens a page, as a phone or on a desk, and goes on with the other width: the next page begins there.
// Of a page that another state showed before, byte for byte, axe-core has said what there is to say: such as that of the rules.
func checkPage(t *testing.T, b *browser, seen *sync.Map, axe, base, page string, phone bool) {
	t.Helper()
	narrow := func() {
		b.size(390, 844)
		b.fits(page, 390)
	}
	desk := func() {
		b.size(1440, 900)
		b.fits(page, 1440)
		for _, name := range evaluate[[]string](b, foreign) {
			t.Errorf("%s asks for %s", page, name)
		}
		content := page + evaluate[string](b, `document.getElementById("main").outerHTML`)
		if _, same := seen.LoadOrStore(content, true); same {
			return
		}
		evaluate[bool](b, axe+"; true")
		for _, c := range []struct{ theme, options string }{{"light", ""}, {"dark", coloursOnly}} {
			b.theme(c.theme)
			for _, fault := range evaluate[[]string](b, axeRun(c.options)) {
				t.Errorf("%s, %s: %s", page, c.theme, fault)
			}
		}
	}
	b.open(base + page)
	if phone {
		narrow()
		desk()
	} else {
		desk()
		narrow()
	}
}

// fits says what sticks out of the page at a width.
func (b *browser) fits(page string, width int) {
	b.Helper()
	for _, fault := range evaluate[[]string](b, wideThings) {
		b.Errorf("%s at %d: %s", page, width, fault)
	}
}

// startApp starts the starter's application and returns the address of its pages.
func startApp(t *testing.T, base string) string {
	t.Helper()
	_, apps := get(t, base+"/applications")
	_, rest, ok := strings.Cut(apps, `class="name" href="`)
	if !ok {
		t.Fatal("no application on the page")
	}
	app, _, _ := strings.Cut(rest, `"`)
	post(t, base+app+"/start", nil)
	return app
}

func post(t *testing.T, address string, form url.Values) {
	t.Helper()
	if status, body := send(t, http.MethodPost, address, form.Encode(), "Content-Type", "application/x-www-form-urlencoded"); status != http.StatusSeeOther {
		t.Fatalf("%s: %d %.300s", address, status, body)
	}
}

// provisioned is a tenant after a first cycle and one with a change, a leaver and a failure, and with changes that wait.
func provisioned(t *testing.T) string {
	t.Helper()
	base := serveWith(t, "", clock.Manual)
	startApp(t, base)
	send(t, http.MethodPost, base+"/sim/cycle", "")
	users := idsOf(t, base+"/users", "/users/")
	groups := idsOf(t, base+"/groups", "/groups/")
	post(t, base+"/users/"+users[2]+"/disable", nil)
	post(t, base+"/users/"+users[5], url.Values{"displayName": {"Somebody Else"}})
	send(t, http.MethodPut, base+"/sim/faults", `{"faults":[{"method":"PATCH","status":500,"times":1}]}`)
	send(t, http.MethodPost, base+"/sim/clock", `{"advance":"40m"}`)
	post(t, base+"/users/"+users[6]+"/delete", url.Values{"sure": {"yes"}})
	post(t, base+"/groups/"+groups[0]+"/delete", url.Values{"sure": {"yes"}})
	return base
}

// quarantined is a tenant whose target refuses the token.
func quarantined(t *testing.T) string {
	t.Helper()
	base := serveWith(t, "", clock.Manual)
	startApp(t, base)
	send(t, http.MethodPost, base+"/sim/cycle", "")
	send(t, http.MethodPut, base+"/sim/faults", `{"faults":[{"status":401,"body":"{\"detail\":\"expired\"}"}]}`)
	send(t, http.MethodPost, base+"/sim/clock", `{"advance":"8h"}`)
	return base
}

// hostileNames would like to be something else, or to be wider than the page.
var hostileNames = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "\u202eevoli", "\u200b", strings.Repeat("W", 256), strings.Repeat("👩‍👩‍👧‍👦", 20), "شركة الاختبار", `{{.Base}}`}

func hostile(t *testing.T) string {
	t.Helper()
	base := serveWith(t, "", clock.Manual)
	app := strings.TrimSuffix(startApp(t, base), "/provisioning")
	for i, name := range hostileNames {
		nick := "h" + string(rune('a'+i))
		post(t, base+"/users/new", url.Values{"displayName": {name}, "userPrincipalName": {nick + "@contoso.example"}, "department": {short(name, 64)}, "jobTitle": {short(name, 128)}, "accountEnabled": {"on"}})
		post(t, base+"/groups/new", url.Values{"displayName": {name}, "description": {name}})
	}
	for _, name := range hostileNames[:5] {
		post(t, base+"/applications/new", url.Values{"displayName": {short(name, 120)}})
	}
	form := url.Values{}
	for _, list := range []string{"/users", "/groups"} {
		form["id"] = append(form["id"], idsOf(t, base+list, list+"/")...)
	}
	post(t, base+app+"/users/add", form)
	send(t, http.MethodPost, base+"/sim/cycle", "")
	return base
}

func short(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// idsOf lists the objects that a page links to, in order.
func idsOf(t *testing.T, address, prefix string) (list []string) {
	t.Helper()
	_, body := get(t, address)
	for _, m := range regexp.MustCompile(regexp.QuoteMeta(`href="`+prefix)+`([0-9a-f-]{36})"`).FindAllStringSubmatch(body, -1) {
		if !slices.Contains(list, m[1]) {
			list = append(list, m[1])
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s lists nothing", address)
	}
	return list
}
