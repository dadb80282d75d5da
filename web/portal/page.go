package portal

import (
	"bytes"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"entrasim/directory"
)

// Base is what every page shows around its own content.
type Base struct {
	Title  string
	Nav    string // the place in the navigation
	Tenant directory.Tenant
	Counts directory.Counts
	Wrongs int // faults of the embedded target that are in force
	Clock  ClockView
	Crumbs []Link
	Said   Message // of the action before
	Here   string  // this page's own address, to which a posted clock returns
	App    *AppMenu
	Events uint64 // number of the newest event when the page was made: the stream goes on from there
}

// Link is a name with an address; without one it is text.
type Link struct{ Text, URL string }

// AppMenu is the second menu of an application's pages.
type AppMenu struct {
	ID, Name, Here string
	HasJob         bool
}

// page is the base of a page; nav names its place in the navigation.
func (p *Portal) page(c echo.Context, title, nav string, crumbs ...Link) Base {
	// The number comes first: what happens while the page is made is told again, rather than missed.
	return Base{Events: p.Service.Events().Last(), Title: title, Nav: nav, Tenant: p.dir.Tenant(), Counts: p.dir.Counts(), Wrongs: len(p.Target.Faults()), Clock: p.clockView(),
		Crumbs: append([]Link{{"Home", "/"}}, crumbs...), Here: c.Request().URL.RequestURI(), Said: takeMessage(c)}
}

// render writes a page. Everything comes from the own origin.
func render(c echo.Context, status int, name string, view any) error {
	set := templates()[name]
	if set == nil {
		return fmt.Errorf("page %s: there is no such template", name)
	}
	var b bytes.Buffer
	if err := set.ExecuteTemplate(&b, "base", view); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	h := c.Response().Header()
	h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	return c.HTMLBlob(status, b.Bytes())
}

// part renders a template of a page's file that is a piece of the page.
func part(page, name string, view any) (template.HTML, error) {
	var b bytes.Buffer
	if err := templates()[page].ExecuteTemplate(&b, name, view); err != nil {
		return "", fmt.Errorf("page %s, %s: %w", page, name, err)
	}
	return template.HTML(b.String()), nil
}

// form renders a page with a form: 422 when it names faults.
func form(c echo.Context, name string, faults map[string]string, view any) error {
	if len(faults) > 0 {
		return render(c, http.StatusUnprocessableEntity, name, view)
	}
	return render(c, http.StatusOK, name, view)
}

// Message is what an action has to say on the page that follows it.
type Message struct {
	Text string
	Bad  bool // it stays until it is closed
	Ran  bool // about cycles: offers the pages that show what they did
}

const messageCookie = "entrasim-said"

func leave(c echo.Context, m Message) {
	kind := "+"
	switch {
	case m.Bad:
		kind = "-"
	case m.Ran:
		kind = "~"
	}
	text := []rune(m.Text)
	if len(text) > 600 { // a cookie holds 4 KiB, and each character may take twelve
		text = append(text[:300], '…')
	}
	c.SetCookie(&http.Cookie{Name: messageCookie, Value: url.QueryEscape(kind + string(text)), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, MaxAge: 30})
}

// say leaves a message for the next page, and goes there.
func say(c echo.Context, to, text string) error {
	leave(c, Message{Text: text})
	return c.Redirect(http.StatusSeeOther, to)
}

// complain is say for what did not work. An error without words for people goes to the error handler instead.
func complain(c echo.Context, to string, err error) error {
	var worded *directory.Error
	var own said
	if !errors.As(err, &worded) && !errors.As(err, &own) {
		return err
	}
	leave(c, Message{Text: err.Error(), Bad: true})
	return c.Redirect(http.StatusSeeOther, to)
}

// said is an error in words for a page.
type said string

func (s said) Error() string { return string(s) }

// takeMessage reads and removes what the action before left. Requests of the live module leave it for the reader.
func takeMessage(c echo.Context) Message {
	k, err := c.Cookie(messageCookie)
	if err != nil || k.Value == "" || c.Request().Header.Get("X-Live") != "" {
		return Message{}
	}
	c.SetCookie(&http.Cookie{Name: messageCookie, Path: "/", MaxAge: -1})
	text, err := url.QueryUnescape(k.Value)
	if err != nil || text == "" {
		return Message{}
	}
	return Message{Text: text[1:], Bad: text[0] == '-', Ran: text[0] == '~'}
}

// back returns the page that a form was posted from, if it is one of ours.
func back(c echo.Context, otherwise string) string {
	if to := c.FormValue("back"); OwnPath(to) {
		return to
	}
	return otherwise
}

// OwnPath reports whether an address is a page of this program. Browsers read a backslash as a slash and pass over tabs and
// line ends, so that none of them may be there: two slashes in front name another host.
func OwnPath(to string) bool {
	return strings.HasPrefix(to, "/") && !strings.HasPrefix(to, "//") && !strings.ContainsFunc(to, func(r rune) bool { return r == '\\' || r <= ' ' || r == 0x7f })
}

// address is the present page with some parameters changed; an empty value leaves one out.
func address(c echo.Context, pairs ...string) string {
	q := url.Values{}
	for k, v := range c.QueryParams() {
		q[k] = v
	}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			q.Del(pairs[i])
			continue
		}
		q.Set(pairs[i], pairs[i+1])
	}
	if len(q) == 0 {
		return c.Request().URL.Path
	}
	return c.Request().URL.Path + "?" + q.Encode()
}

// Pager leads through a list by cursor: First is empty on the first page, Next on the last.
type Pager struct{ First, Next string }

func pager(c echo.Context, next string) Pager {
	var p Pager
	if c.QueryParam("cursor") != "" {
		p.First = address(c, "cursor", "")
	}
	if next != "" {
		p.Next = address(c, "cursor", next)
	}
	return p
}

// Drop is a filter: a chip that opens a list of choices.
type Drop struct {
	Label, Current string
	Set            bool
	Choices        []Choice
}

// Choice is one entry of a drop, a segment or a row of tabs.
type Choice struct {
	Text, URL string
	On        bool
	Count     string // "" shows none
}

// drop makes a filter of the parameter name; the choices are pairs of value and word.
func drop(c echo.Context, label, name string, pairs ...string) Drop {
	d := Drop{Label: label, Current: "All"}
	now := c.QueryParam(name)
	for i := -2; i+1 < len(pairs); i += 2 {
		value, text := "", "All"
		if i >= 0 {
			value, text = pairs[i], pairs[i+1]
		}
		on := value == now
		if on {
			d.Current, d.Set = text, value != ""
		}
		d.Choices = append(d.Choices, Choice{Text: text, URL: address(c, name, value, "cursor", "", "record", "", "tab", "", "x", ""), On: on})
	}
	if now != "" && !d.Set { // a value that is no choice, as an address may bring along
		d.Current, d.Set = now, true
	}
	return d
}

type failureView struct {
	Base
	Heading, Message string
}

// Failure is the page of an error. To who is not signed in it shows nothing of the tenant around it.
func (p *Portal) Failure(c echo.Context, status int, message string, signedIn bool) error {
	v := failureView{Base: Base{Title: http.StatusText(status)}, Heading: http.StatusText(status), Message: message}
	if signedIn {
		v.Base = p.page(c, http.StatusText(status), "")
	}
	switch status {
	case http.StatusNotFound:
		v.Heading = "There is nothing here"
		if message == http.StatusText(status) {
			v.Message = "The address may be mistyped, or what it named is gone."
		}
	case http.StatusInternalServerError:
		v.Heading = "Something went wrong"
	}
	return render(c, status, "failure", v)
}

type signInView struct {
	Base
	Error string
}

// SignIn asks for the API token.
func SignIn(c echo.Context, message string) error {
	status := http.StatusOK
	if message != "" {
		status = http.StatusUnauthorized
	}
	return render(c, status, "signin", signInView{Base: Base{Title: "Sign in", Here: c.Request().URL.RequestURI()}, Error: message})
}

type questionView struct {
	Base
	Heading, Text, Button string
	Action, Cancel        string
	Fields                []Link // what was posted, to be posted again
}

// sure reports whether a harmful action was confirmed. When it was not, it answers with the question, which posts the same
// form again; the live module asks in a dialog instead and posts the confirmation at once.
func (p *Portal) sure(c echo.Context, heading, text, button, cancel string) (bool, error) {
	if c.FormValue("sure") != "" {
		return true, nil
	}
	v := questionView{Base: p.page(c, heading, ""), Heading: heading, Text: text, Button: button, Action: c.Request().URL.RequestURI(), Cancel: cancel}
	posted, err := c.FormParams()
	if err != nil {
		return false, echo.NewHTTPError(http.StatusBadRequest, "The form can't be read.")
	}
	for name, values := range posted {
		for _, value := range values {
			v.Fields = append(v.Fields, Link{name, value})
		}
	}
	return false, render(c, http.StatusOK, "question", v)
}

// reset puts everything back to what a new file holds.
func (p *Portal) reset(c echo.Context) error {
	ok, err := p.sure(c, "Start over?", "Directory, applications, logs, traffic, the embedded target and the clock go back to what a new data file holds.", "Start over", "/")
	if !ok {
		return err
	}
	if err := p.Reset(c.Request().Context()); err != nil {
		return err
	}
	return say(c, "/", "Everything is as in a new data file.")
}
