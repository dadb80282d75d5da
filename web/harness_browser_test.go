//go:build browser

package web_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// browser is a page in Chromium, driven by what a person sees: texts and labels. A browser that is not there fails the test.
type browser struct {
	testing.TB
	ctx context.Context
}

func newBrowser(t testing.TB) *browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.WindowSize(1440, 900),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.UserDataDir(t.TempDir()))
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 8*time.Minute)
	t.Cleanup(cancel)
	return &browser{t, ctx}
}

// tab opens another tab of the same browser.
func (b *browser) tab() *browser {
	b.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	b.Cleanup(cancel)
	return &browser{b.TB, ctx}
}

func (b *browser) open(url string) {
	b.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.Navigate(url)); err != nil {
		b.Fatalf("open %s: %v", url, err)
	}
}

// size gives the page a width and a height in CSS pixels.
func (b *browser) size(width, height int64) {
	b.Helper()
	if _, err := chromedp.Run(b.ctx, chromedp.EmulateViewport(width, height)); err != nil {
		b.Fatal(err)
	}
}

func (b *browser) theme(name string) {
	b.Helper()
	evaluate[bool](b, `(document.documentElement.dataset.theme = "`+name+`") && true`)
}

func evaluate[T any](b *browser, js string) T {
	b.Helper()
	v, err := chromedp.Run(b.ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		b.Fatalf("%.200s: %v", js, err)
	}
	return v
}

// until evaluates JavaScript until it is true. A page that is being left counts as not yet: what is pressed there would be lost.
func (b *browser) until(what, js string) {
	b.Helper()
	var last error
	for end := time.Now().Add(15 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		try, cancel := context.WithTimeout(b.ctx, 2*time.Second)
		ok, err := chromedp.Run(try, chromedp.Evaluate[bool](`!window.leaving && Boolean(`+js+`)`))
		cancel()
		if err == nil && ok {
			return
		}
		last = err
	}
	try, cancel := context.WithTimeout(b.ctx, 2*time.Second)
	defer cancel()
	text, err := chromedp.Run(try, chromedp.Evaluate[string](`document.readyState + " " + location.href + "\n" + document.body.innerText`))
	b.Fatalf("%s did not happen; the last try gave %v; the page shows (%v):\n%s", what, last, err, text)
}

// see waits for a text, also of a field.
func (b *browser) see(text string) {
	b.Helper()
	b.until("seeing "+text, `document.readyState === "complete" && (document.body.innerText + [...document.querySelectorAll("input")].map(i => i.value).join("\n")).includes(`+strconv.Quote(text)+`)`)
}

// press clicks the first visible button, link or label below the scope that has the text, and that is not switched off.
func (b *browser) press(scope, text string) {
	b.Helper()
	b.until("pressing "+text, `(() => { if (document.readyState !== "complete") return false;
		navigation.onnavigate = (e) => (window.leaving = !e.hashChange && e.downloadRequest === null);
		const e = [...document.querySelectorAll(["button", "a", "label", "summary"].map(n => `+strconv.Quote(scope)+` + " " + n).join())].find(e => (e.innerText.trim() || e.ariaLabel || "").includes(`+strconv.Quote(text)+`) && !e.disabled && e.offsetParent);
		if (e) e.click(); return e; })()`)
}

func (b *browser) fill(selector, value string) {
	b.Helper()
	b.until("filling "+selector, `(() => { const e = document.querySelector(`+strconv.Quote(selector)+`); if (!e) return false; e.value = `+strconv.Quote(value)+`; e.dispatchEvent(new Event("input", {bubbles: true})); return true; })()`)
}

// shot keeps pictures of the page in both themes in the folder named by ENTRASIM_SHOTS, if it is set.
func (b *browser) shot(name string) {
	b.Helper()
	folder := os.Getenv("ENTRASIM_SHOTS")
	if folder == "" {
		return
	}
	for _, theme := range []string{"light", "dark"} {
		b.theme(theme)
		time.Sleep(200 * time.Millisecond)
		png, err := chromedp.Run(b.ctx, chromedp.CaptureScreenshot())
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name+"-"+theme+".png"), png, 0o600); err != nil {
			b.Fatal(err)
		}
	}
}

// axeVersion is the release of axe-core that the pages are checked with.
const axeVersion = "4.14.1"

// axeScript reads axe-core, which npm installs into the cache folder of the repository when it is not there.
func axeScript(t testing.TB) string {
	t.Helper()
	cache, err := filepath.Abs("../.cache/axe-" + axeVersion)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(cache, "node_modules", "axe-core", "axe.min.js")
	if _, err := os.Stat(file); err != nil {
		out, err := exec.CommandContext(t.Context(), "npm", "install", "--no-save", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", cache, "axe-core@"+axeVersion).CombinedOutput()
		if err != nil {
			t.Fatalf("axe-core can't be installed: %v\n%s", err, out)
		}
	}
	script, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(script)
}

// exchange is a recorded exchange as /sim/traffic tells it.
type exchange struct {
	ID                        uint64
	Cycle                     int
	Method, URL, Object       string
	RequestBody, ResponseBody string
	Status                    int
}

// trafficAfter reads what was recorded behind a number.
func trafficAfter(t testing.TB, url string, after uint64) []exchange {
	t.Helper()
	_, text := get(t, url+"/sim/traffic?limit=10000&after="+strconv.FormatUint(after, 10))
	var page struct{ Exchanges []exchange }
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		t.Fatal(err)
	}
	return page.Exchanges
}
