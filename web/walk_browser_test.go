//go:build browser

package web_test

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"entrasim/sim/clock"
)

// browser is a page in Chromium, driven by what a person sees: texts and labels.
type browser struct {
	t   testing.TB
	ctx context.Context
}

func newBrowser(t testing.TB) *browser {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1440, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 3*time.Minute)
	t.Cleanup(cancel)
	return &browser{t, ctx}
}

func (b *browser) open(url string) {
	b.t.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Navigate(url)); err != nil {
		b.t.Fatalf("open %s: %v", url, err)
	}
}

// until evaluates JavaScript until it is true. A page that is just being replaced counts as not yet.
func (b *browser) until(what, js string) {
	var last error
	b.t.Helper()
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		try, cancel := context.WithTimeout(b.ctx, 2*time.Second)
		ok, err := chromedp.Run(try, chromedp.Evaluate[bool](`Boolean(`+js+`)`))
		cancel()
		if err == nil && ok {
			return
		}
		last = err
	}
	try, cancel := context.WithTimeout(b.ctx, 2*time.Second)
	defer cancel()
	text, err := chromedp.Run(try, chromedp.Evaluate[string](`document.readyState + " " + location.href + "\n" + [...document.querySelectorAll("button")].map(e => [e.innerText, e.disabled, Boolean(e.offsetParent)].join()).join("; ") + "\n" + document.body.innerText`))
	b.t.Fatalf("%s did not happen; the last try gave %v; the page shows (%v):\n%s", what, last, err, text)
}

func (b *browser) see(text string) {
	b.t.Helper()
	b.until("seeing "+text, `document.readyState === "complete" && (document.body.innerText + [...document.querySelectorAll("input")].map(i => i.value).join("\n")).includes(`+strconv.Quote(text)+`)`)
}

// press clicks the first visible button or link below the scope that has the text, and that is not switched off.
func (b *browser) press(scope, text string) {
	b.t.Helper()
	b.until("pressing "+text, `(() => { if (document.readyState !== "complete") return false;
		const e = [...document.querySelectorAll(`+strconv.Quote(scope+" button, "+scope+" a, "+scope+" label, "+scope+" summary")+`)].find(e => e.innerText.trim().includes(`+strconv.Quote(text)+`) && !e.disabled && e.offsetParent);
		if (e) setTimeout(() => e.click()); return e; })()`)
}

func (b *browser) fill(selector, value string) {
	b.t.Helper()
	b.until("filling "+selector, `(() => { const e = document.querySelector(`+strconv.Quote(selector)+`); if (!e) return false; e.value = `+strconv.Quote(value)+`; e.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`)
}

// shot keeps pictures of the page in both themes in the folder named by ENTRASIM_SHOTS, if it is set.
func (b *browser) shot(name string) {
	b.t.Helper()
	folder := os.Getenv("ENTRASIM_SHOTS")
	if folder == "" {
		return
	}
	for _, theme := range []string{"light", "dark"} {
		if _, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](`(document.documentElement.dataset.theme = "`+theme+`") && true`)); err != nil {
			b.t.Fatal(err)
		}
		time.Sleep(200 * time.Millisecond)
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			b.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+"-"+theme+".png"), png, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
}

// TestSeedWalkInBrowser does the set-up guide in Chromium: a new non-gallery application, its configuration with the
// embedded target, the guide's mappings, an assigned group, Start provisioning, and the objects at the target with exactly
// the guide's attributes.
func TestSeedWalkInBrowser(t *testing.T) {
	url := serveWith(t, "", clock.Real)
	b := newBrowser(t)
	b.open(url + "/")
	b.see("Ready. Nothing has been sent yet.")
	b.shot("home")
	b.open(url + "/users")
	b.see("Display name")
	b.shot("users")
	b.open(url + "/applications")
	b.press("main", "New application")
	b.press("main", "Create your own application")
	b.see("What's the name of your app?")
	b.fill("#f-displayName", "Walk")
	b.press("main", "Create")
	b.see("Provisioning is not configured")
	b.press(".body", "New configuration")
	b.press("main", "Use the embedded target")
	b.see("/targets/walk-")
	b.press("main", "Test connection")
	b.see("The connection works")
	b.shot("connectivity")
	b.fill("#f-secretToken", "entrasim")
	b.press("form.card", "Create")
	b.see("No cycle yet")
	b.press("nav.menu", "Attribute mapping")
	b.see("Provision Microsoft Entra ID Users")
	keep := map[string]bool{"userName": true, "active": true, "displayName": true, "externalId": true}
	for {
		b.see("Attribute mapping")
		targets, err := chromedp.Run(b.ctx, chromedp.Evaluate[[]string](`[...document.querySelectorAll("tbody a.name")].map(a => a.textContent)`))
		if err != nil {
			t.Fatal(err)
		}
		gone := ""
		for _, name := range targets {
			if !keep[name] {
				gone = name
			}
		}
		if gone == "" && len(targets) == len(keep) {
			break
		}
		b.until("deleting "+gone, `(() => { const r = [...document.querySelectorAll("tbody tr")].find(r => r.querySelector("a.name")?.textContent === `+strconv.Quote(gone)+`); if (!r) return true;
			if (!window.pressed) { window.pressed = true; setTimeout(() => r.querySelector("button").click()); } return false; })()`)
	}
	b.press("tbody", "externalId")
	b.see("Edit Attribute")
	b.fill("#f-source", "objectId")
	b.shot("mapping")
	b.press("aside", "Ok")
	b.see("Mapping saved")
	b.press("nav.menu", "Users and groups")
	b.press("main", "Add user/group")
	b.press("main .picklist", "Engineering")
	b.press("main", "Assign")
	b.see("1 assignment added")
	b.press("nav.menu", "Overview")
	b.press("main", "Start provisioning")
	b.see("Initial cycle succeeded") // without a reload: the page is live
	b.shot("overview")
	b.press("nav.nav", "Provisioning logs")
	b.press("tbody", " ")
	b.see("EntryImport")
	b.shot("logs")
	b.open(url + "/wire")
	b.press("main .wirelist", "POST")
	b.see("Why this was sent")
	b.shot("wire")
	users := checkCreated(t, url)
	b.open(url + "/target")
	b.press("main .drop", "ConfigCat")
	b.press("main .pop", "Walk")
	b.see(strconv.Itoa(users))
	b.shot("target")
	b.open(url + "/users")
	b.press("tbody", " ")
	b.see("Active in the source system")
	b.shot("user")
}

// checkCreated looks at the bodies of every POST and returns how many users were created.
func checkCreated(t *testing.T, url string) int {
	t.Helper()
	_, text := get(t, url+"/sim/traffic?limit=10000")
	var page struct {
		Exchanges []struct{ Method, URL, RequestBody string }
	}
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		t.Fatal(err)
	}
	users, groups := 0, 0
	for _, x := range page.Exchanges {
		if x.Method != "POST" {
			continue
		}
		var m map[string]any
		if err := json.Unmarshal([]byte(x.RequestBody), &m); err != nil {
			t.Fatal(err)
		}
		want := "active displayName externalId meta schemas userName"
		if strings.HasSuffix(x.URL, "/Groups") {
			want = "displayName externalId members meta schemas"
			groups++
		} else {
			users++
		}
		for _, k := range strings.Fields(want) {
			if _, ok := m[k]; !ok {
				t.Errorf("%s lacks %s: %s", x.URL, k, x.RequestBody)
			}
			delete(m, k)
		}
		if len(m) > 0 {
			t.Errorf("%s carries more than the guide's attributes: %v", x.URL, m)
		}
	}
	if groups != 1 || users == 0 {
		t.Fatalf("%d users and %d groups were created", users, groups)
	}
	return users
}
