//go:build browser

package web_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"entrasim/sim/clock"
)

// TestSeedWalkInBrowser does the set-up guide in Chromium: a new non-gallery application, its configuration with the
// embedded target, the guide's mappings, assigned groups, Start provisioning, and the objects at the target with exactly the
// guide's attributes. Then four changes are made in the directory, and forty minutes later exactly what follows from them
// has been sent.
//
// Shows: F-211
func TestSeedWalkInBrowser(t *testing.T) {
	url := serveWith(t, "", clock.Manual)
	b := newBrowser(t)
	b.size(1440, 900)
	b.open(url + "/")
	b.see("Ready. Nothing has been sent yet.")
	b.shot("home")
	w := &walk{b, url, "", map[string]string{}}
	w.createApplication()
	w.configure()
	w.mapAttributes()
	w.assign("Engineering", "Product")
	w.start()
	created := trafficAfter(t, url, 0)
	users := w.checkCreated(created)
	b.press("nav.nav", "Provisioning logs")
	b.press("tbody", "Engineering")
	b.see("EntryImport")
	b.shot("logs")
	b.open(url + "/target?application=" + w.app)
	b.see("As wished")
	b.see(strconv.Itoa(users) + "\nAs wished")
	b.shot("target")

	engineering, product := w.members("Engineering"), w.members("Product")
	if len(engineering) < 4 || len(product) < 1 {
		t.Fatalf("too few members: %v, %v", engineering, product)
	}
	renamed, disabled, removed := engineering[0], engineering[1], engineering[2]
	w.rename(renamed, renamed+" Renamed")
	w.disable(disabled)
	w.removeMember("Engineering", removed)
	w.deleteGroup("Product")
	b.press("#clock", "+40 min")
	b.see("Incremental cycle ended")
	w.checkChanges(trafficAfter(t, url, created[len(created)-1].ID), map[string]string{renamed: renamed + " Renamed"}, append([]string{disabled, removed}, product...), removed)
}

// walk is the reader of the guide.
type walk struct {
	*browser
	url, app string
	target   map[string]string // display name -> id at the target
}

func (w *walk) createApplication() {
	w.press("nav.nav", "Enterprise applications")
	w.press("main", "New application")
	w.press("main", "Create your own application")
	w.see("What's the name of your app?")
	w.press("main", "Create") // without a name
	w.see("1 field needs a change")
	w.fill("#f-displayName", "Walk")
	w.press("main", "Create")
	w.see("Provisioning is not configured")
	w.app = strings.Split(evaluate[string](w.browser, "location.pathname"), "/")[2]
}

func (w *walk) configure() {
	w.press(".body", "New configuration")
	w.see("New provisioning configuration")
	w.fill("#f-tenantUrl", w.url+"/scim")
	w.fill("#f-secretToken", "wrong")
	w.press("main", "Test connection")
	w.see("The target refused the token")
	w.press("main", "Use the embedded target")
	w.see("/targets/walk-")
	w.press("main", "Test connection")
	w.see("The connection works")
	w.shot("connectivity")
	w.press("form.card", "Create")
	w.see("No cycle yet")
}

// mapAttributes leaves the guide's mappings: four for users, three for groups.
func (w *walk) mapAttributes() {
	w.press("nav.menu", "Attribute mapping")
	w.see("Provision Microsoft Entra ID Users")
	keep := []string{"userName", "active", "displayName", "externalId"}
	w.until("choosing mappings", `(() => { const keep = `+jsList(keep)+`; const rows = [...document.querySelectorAll("#rows tbody tr")];
		for (const r of rows) if (!keep.includes(r.querySelector("a.name").textContent)) r.querySelector("input").click(); return rows.length > 10; })()`)
	w.press(".commands", "Delete")
	w.see("deleted. It takes effect with Save.")
	if got := w.mapped(); !slices.Equal(got, keep) {
		w.Errorf("mappings of users: %v, want %v", got, keep)
	}
	w.press("tbody", "active")
	w.until("the expression of active", `document.querySelector("#f-expression")?.value === 'Switch([IsSoftDeleted], , "False", "True", "True", "False")'`)
	w.see(`"active":false`) // nobody is assigned yet
	w.shot("mapping")
	w.press("aside", "Close")
	w.press("tbody", "externalId")
	w.see("Edit Attribute")
	w.fill("#f-source", "objectId")
	w.until("the result", `/[0-9a-f]{8}-[0-9a-f]{4}/.test(document.querySelector("#preview output")?.innerText)`)
	w.press("aside", "Ok")
	w.see("Mapping changed.")
	w.press(".commands", "Save")
	w.see("Mappings saved.")
	w.press(".tabs", "Groups")
	w.see("Provision Microsoft Entra ID Groups")
	if got, want := w.mapped(), []string{"displayName", "externalId", "members"}; !slices.Equal(got, want) {
		w.Errorf("mappings of groups: %v, want %v", got, want)
	}
}

func (w *walk) mapped() []string {
	return evaluate[[]string](w.browser, `[...document.querySelectorAll("#rows tbody a.name")].map(a => a.textContent)`)
}

func jsList(words []string) string {
	data, err := json.Marshal(words)
	if err != nil {
		return "[]"
	}
	return string(data)
}

func (w *walk) assign(groups ...string) {
	w.press("nav.menu", "Users and groups")
	w.press("main", "Add user/group")
	w.see("Add Assignment")
	for _, g := range groups {
		w.press("main .picklist", g)
	}
	w.press("main", "Assign")
	w.see(strconv.Itoa(len(groups)) + " assignments added.")
}

func (w *walk) start() {
	w.press("nav.menu", "Overview")
	w.press("main", "Start provisioning")
	w.see("The initial cycle is due now.")
	w.press(".due", "Run next cycle")
	w.see("Initial cycle succeeded")
	w.see("Initial cycle ended") // the message, that offers where to look
	w.shot("overview")
}

// checkCreated looks at the bodies of every POST and returns how many objects were created.
func (w *walk) checkCreated(list []exchange) int {
	w.Helper()
	users, groups := 0, 0
	for _, x := range list {
		if x.Method != "POST" {
			continue
		}
		var sent, got map[string]any
		if err := json.Unmarshal([]byte(x.RequestBody), &sent); err != nil {
			w.Fatal(err)
		}
		if err := json.Unmarshal([]byte(x.ResponseBody), &got); err != nil {
			w.Fatal(err)
		}
		w.target[got["displayName"].(string)] = got["id"].(string)
		want := "active displayName externalId meta schemas userName"
		if strings.HasSuffix(x.URL, "/Groups") {
			want = "displayName externalId members meta schemas"
			groups++
		} else {
			users++
		}
		var names []string
		for k := range sent {
			names = append(names, k)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			w.Errorf("%s carries %s, want %s", x.URL, got, want)
		}
	}
	if groups != 2 || users == 0 {
		w.Fatalf("%d users and %d groups were created", users, groups)
	}
	return users + groups
}

// members names the members of a group that the target holds, as its page lists them.
func (w *walk) members(group string) (names []string) {
	w.open(w.url + "/groups")
	w.press("tbody", group)
	w.see("Add member")
	for _, name := range evaluate[[]string](w.browser, `[...document.querySelectorAll("#members a.name")].map(a => a.textContent)`) {
		if w.target[name] != "" {
			names = append(names, name)
		}
	}
	return names
}

// find opens the page of a user by the search of the top bar.
func (w *walk) find(name string) {
	w.fill("#q", name)
	w.until("searching", `(document.querySelector("#q").form.requestSubmit(), true)`)
	w.see("Results for")
	w.press("main", name)
	w.see("Object ID")
}

func (w *walk) rename(from, to string) {
	w.find(from)
	w.fill("#f-displayName", to)
	w.see("1 unsaved change")
	w.press(".commands", "Save")
	w.see("Saved. The next cycle carries")
	w.shot("user")
}

func (w *walk) disable(name string) {
	w.find(name)
	w.press(".commands", "Disable account")
	w.see("Account disabled. The next cycle tells each target that holds it.")
}

func (w *walk) removeMember(group, name string) {
	w.open(w.url + "/groups")
	w.press("tbody", group)
	w.press("#members", "Remove "+name)
	w.see(name + " is no member any more.")
}

func (w *walk) deleteGroup(name string) {
	w.open(w.url + "/groups")
	w.press("tbody", name)
	w.see("Add member")
	w.press(".commands", "Delete")
	w.see("Delete " + name + "?")
	w.press("dialog", "Delete")
	w.see(name + " deleted.")
}

// checkChanges compares what was sent with what follows from the changes: the probes, one read and one PATCH for each user
// that changed or left scope, the DELETE of the deleted group, and the PATCH of the group that lost a member. Wire lists
// the same.
func (w *walk) checkChanges(list []exchange, renamed map[string]string, left []string, removed string) {
	w.Helper()
	const patch = `{"schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"],"Operations":[`
	want := map[string]string{
		"DELETE /Groups/" + w.target["Product"]:    "",
		"PATCH /Groups/" + w.target["Engineering"]: patch + `{"op":"Remove","path":"members","value":[{"value":"` + w.target[removed] + `"}]}]}`,
	}
	reads := []string{"GET /Groups/" + w.target["Engineering"] + "?excludedAttributes=members"}
	for old, name := range renamed {
		want["PATCH /Users/"+w.target[old]] = patch + `{"op":"Replace","path":"displayName","value":"` + name + `"}]}`
		reads = append(reads, "GET /Users/"+w.target[old])
	}
	for _, name := range left {
		want["PATCH /Users/"+w.target[name]] = patch + `{"op":"Replace","path":"active","value":"False"}]}`
		reads = append(reads, "GET /Users/"+w.target[name])
	}
	probes := 0
	var got []string
	for _, x := range list {
		path := x.Method + " " + x.URL[strings.Index(x.URL, "/scim")+len("/scim"):]
		switch {
		case x.Object == "":
			probes++
		case x.Method == "GET":
			got = append(got, path)
		default:
			if body, ok := want[path]; !ok || body != x.RequestBody {
				w.Errorf("sent %s %s, want %q (%v)", path, x.RequestBody, body, ok)
			}
			delete(want, path)
		}
		if x.Status >= 300 {
			w.Errorf("%s was answered %d", path, x.Status)
		}
	}
	slices.Sort(got)
	slices.Sort(reads)
	if probes != 2 || len(want) != 0 || !slices.Equal(got, reads) {
		w.Errorf("%d probes; not sent: %v\nreads: %v\nwant:  %v", probes, want, got, reads)
	}
	w.open(w.url + "/wire?application=" + w.app)
	w.see("Show older")
	shown := evaluate[[]string](w.browser, `[...document.querySelectorAll(".wirelist .at")].filter(e => e.textContent === "09:40:00").map(e => e.closest("a").querySelector(".verb").textContent)`)
	if len(shown) != len(list) {
		w.Errorf("Wire lists %d exchanges of the cycle, %d were recorded", len(shown), len(list))
	}
	w.press(".wirelist", "PATCH")
	w.see("Why this was sent")
	w.see("1 member left the group.")
	w.shot("wire")
}
