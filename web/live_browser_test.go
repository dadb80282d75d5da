//go:build browser

package web_test

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"entrasim/sim/clock"
)

// TestLivePages: pages follow what happens elsewhere, without a reload, and leave the reader in peace.
func TestLivePages(t *testing.T) {
	chromium := newBrowser(t)
	t.Run("overview", func(t *testing.T) {
		base := serveWith(t, "", clock.Manual)
		app := startApp(t, base)
		b := &browser{t, chromium.ctx}
		b.open(base + app)
		b.see("The initial cycle is due now.")
		evaluate[bool](b, `window.kept = true`)
		send(t, http.MethodPost, base+"/sim/cycle", "")
		b.see("Initial cycle succeeded")
		b.see("Initial cycle ended: 22 created, 3 updated, 1 skipped, 49 requests.") // a message, with where to look
		for _, width := range []int64{1024, 1200, 1280, 1440} {
			b.size(width, 768)
			if crushed := evaluate[[]string](b, `[...document.querySelectorAll("main dd")].filter(e => e.clientWidth && e.clientWidth < 80).map(e => e.textContent)`); len(crushed) > 0 {
				t.Errorf("at %d there is no room for %q", width, crushed)
			}
		}
		if !evaluate[bool](b, `window.kept === true`) {
			t.Error("the page was loaded anew")
		}
		if n := evaluate[int](b, `document.querySelectorAll("#toasts a").length`); n != 4 {
			t.Errorf("the message offers %d pages, want 4", n)
		}
	})
	t.Run("a list stops under the focus", func(t *testing.T) {
		base := serveWith(t, "", clock.Manual)
		startApp(t, base)
		b := &browser{t, chromium.ctx}
		send(t, http.MethodPost, base+"/sim/cycle", "")
		b.open(base + "/wire")
		b.see("49 exchanges")
		evaluate[bool](b, `document.querySelector(".wirelist a").focus(), true`)
		first := evaluate[string](b, `document.querySelector(".wirelist li").dataset.key`)
		send(t, http.MethodPost, base+"/sim/clock", `{"advance":"40m"}`)
		b.see("2 new") // the probes
		if now := evaluate[string](b, `document.querySelector(".wirelist li").dataset.key`); now != first {
			t.Errorf("the list moved under the focus: %s, was %s", now, first)
		}
		evaluate[bool](b, `document.activeElement.blur(), true`)
		b.until("moving on", `document.querySelector(".wirelist li").dataset.key !== "`+first+`" && !document.querySelector(".waiting")`)
		b.press("main", "Live")
		send(t, http.MethodPost, base+"/sim/clock", `{"advance":"40m"}`)
		b.see("2 new")
		b.press("main", "2 new")
		b.until("showing them", `!document.querySelector(".waiting")`)
	})
	t.Run("menus of filters stay within the page", func(t *testing.T) {
		b := &browser{t, chromium.ctx}
		b.open(serveWith(t, "", clock.Manual) + "/logs")
		b.see("No records yet")
		for _, width := range []int64{1024, 1440} {
			b.size(width, 768)
			for _, label := range []string{"Date", "Action", "Target system"} {
				b.press("main", label)
				b.until("the menu of "+label, `document.querySelector("details.drop[open]")?.textContent.includes(`+strconv.Quote(label)+`)`)
				b.until(label+" within the page", `document.querySelector("details.drop[open] .pop").getBoundingClientRect().right <= innerWidth && document.querySelector("details.drop[open] .pop").getBoundingClientRect().left >= 0`)
			}
		}
	})
	t.Run("focus and panel", func(t *testing.T) {
		base := serveWith(t, "", clock.Manual)
		startApp(t, base)
		b := &browser{t, chromium.ctx}
		send(t, http.MethodPost, base+"/sim/cycle", "")
		b.open(base + "/logs")
		b.press("tbody", "Engineering")
		b.until("the panel", `document.querySelector(".panel")`)
		evaluate[bool](b, `dispatchEvent(new KeyboardEvent("keydown", {key: "Escape", bubbles: true}))`)
		b.until("closing it", `!document.querySelector(".panel") && document.activeElement.textContent === "Engineering"`)
	})
}

// TestManyTabs: a browser opens six connections to a host. More tabs than that, each of them live, still load and follow.
func TestManyTabs(t *testing.T) {
	base := serveWith(t, "", clock.Manual)
	app := startApp(t, base)
	b := newBrowser(t)
	b.open(base + app)
	tabs := []*browser{b}
	for range 8 {
		tabs = append(tabs, b.tab())
	}
	begin := time.Now()
	for _, tab := range tabs {
		tab.open(base + app)
		tab.see("The initial cycle is due now.")
	}
	if took := time.Since(begin); took > 30*time.Second {
		t.Errorf("nine tabs took %v", took)
	}
	send(t, http.MethodPost, base+"/sim/cycle", "")
	for _, tab := range tabs {
		tab.see("Initial cycle succeeded")
	}
}

// TestLostConnection: a page says that the program does not answer, keeps what it shows, and asks before a reader's
// changes are lost with it.
func TestLostConnection(t *testing.T) {
	b := newBrowser(t)
	t.Run("the program", func(t *testing.T) {
		base := serveWith(t, "", clock.Manual)
		b.open(base + "/users")
		b.see("Aisha Hoffmann")
		if !evaluate[bool](b, `document.getElementById("lost").hidden`) {
			t.Error("the strip shows at once")
		}
	})
	// It has ended with the subtest.
	b.until("saying so", `!document.getElementById("lost").hidden`)
	b.see("Connection lost. Trying again; what you see may be old.")
	b.see("Aisha Hoffmann")
}

// TestStopAnAdvance: while an advance runs its button stops it.
func TestStopAnAdvance(t *testing.T) {
	base := serveWith(t, "", clock.Manual)
	startApp(t, base)
	send(t, http.MethodPost, base+"/sim/cycle", "")
	b := newBrowser(t)
	b.open(base + "/clock")
	b.fill("#f-advance", "900000h") // a century of cycles
	b.press("main", "Advance")
	b.until("Stop", `document.querySelector("#clock [data-stop]")`)
	b.press("#clock", "Stop")
	b.until("the page again", `document.readyState === "complete" && !document.querySelector("[data-stop]") && document.querySelector("#f-advance")?.value === ""`)
	_, last := get(t, base+"/sim/clock")
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); { // the cycle that runs ends first
		time.Sleep(500 * time.Millisecond)
		_, now := get(t, base+"/sim/clock")
		if now == last {
			return
		}
		last = now
	}
	t.Errorf("the clock goes on after Stop: %s", last)
}
