// Live pages. The server renders everything; this module only keeps marked regions fresh and makes forms pleasant. Every
// page works without it.
//
// A region is an element with an id and data-live="topics". When something of its topics moves, the page is fetched again
// and the region replaced, at most twice a second. A region with data-still is a moving list: it stops while the pointer or
// the focus is in it, or while the Live switch is off, and says how many rows wait.

// --- what moves -----------------------------------------------------------------------------------------------------

const topics = new Set();
const held = new Map(); // region -> its waiting contents
let timer = 0;
let lastAt = 0;
let moving = null; // the advance that runs, as an AbortController

const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const regions = () => all("[data-live]").filter((e) => e.id);
const wants = (region, topic) => region.dataset.live.split(" ").includes(topic);
const switchedOff = () => document.querySelector("[data-live-switch]:not(:checked)") !== null;
const busy = (region) => region.hasAttribute("data-still") && (switchedOff() || region.matches(":hover") || region.contains(document.activeElement));

function soon(list) {
  for (const t of list) topics.add(t);
  if (timer || !topics.size) return;
  timer = setTimeout(refresh, Math.max(0, 500 - (Date.now() - lastAt)));
}

async function refresh() {
  lastAt = Date.now();
  const wanted = regions().filter((r) => [...topics].some((t) => wants(r, t)));
  topics.clear();
  try {
    if (!wanted.length) return;
    const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
    if (!answer.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const old of wanted) offer(old, page.getElementById(old.id));
  } catch {
    // The stream notices the lost connection, and asks anew when it is back.
  } finally {
    timer = 0;
    soon([]);
  }
}

// offer shows a region's new contents, or holds them while the reader is in it.
function offer(region, next) {
  if (!next || region.innerHTML === next.innerHTML) return;
  if (!busy(region)) return swap(region, next);
  held.set(region, next);
  const known = keys(region);
  const fresh = [...keys(next)].filter((k) => !known.has(k)).length;
  if (!fresh) return;
  let button = region.previousElementSibling;
  if (!button?.matches(".waiting")) {
    button = element("button", { type: "button", className: "chip set waiting" });
    button.addEventListener("click", () => release(region));
    region.before(button);
  }
  button.textContent = fresh + " new";
}

function release(region) {
  const next = held.get(region);
  held.delete(region);
  if (region.previousElementSibling?.matches(".waiting")) region.previousElementSibling.remove();
  if (next) swap(region, next);
}

const keys = (region) => new Set(all("[data-key]", region).map((e) => e.dataset.key));

// swap replaces a region's contents; what is open stays open, what has the focus or a tick keeps it.
function swap(region, next) {
  const known = keys(region);
  const open = all("details[open][id]", region).map((d) => d.id);
  const ticked = new Set(all("input[type=checkbox]:checked", region).map((i) => i.name + "=" + i.value));
  const focus = region.contains(document.activeElement) ? handle(document.activeElement) : "";
  const scroll = region.scrollTop;
  region.innerHTML = next.innerHTML;
  for (const a of [...region.attributes]) if (!next.hasAttribute(a.name)) region.removeAttribute(a.name);
  for (const a of next.attributes) region.setAttribute(a.name, a.value);
  for (const id of open) region.querySelector("#" + CSS.escape(id))?.setAttribute("open", "");
  if (ticked.size && region.closest("form")) all("input[type=checkbox]", region).forEach((i) => (i.checked ||= ticked.has(i.name + "=" + i.value)));
  if (known.size) all("[data-key]", region).forEach((e) => known.has(e.dataset.key) || e.classList.add("fresh"));
  region.scrollTop = scroll;
  if (focus) region.querySelector(focus)?.focus({ preventScroll: true });
  if (region.dataset.say) announce(region.dataset.say);
  if (moving) showMoving();
  needs();
}

function handle(e) {
  if (e.id) return "#" + CSS.escape(e.id);
  if (e.getAttribute("href")) return `[href="${CSS.escape(e.getAttribute("href"))}"]`;
  return e.name ? `[name="${CSS.escape(e.name)}"]${e.value ? `[value="${CSS.escape(e.value)}"]` : ""}` : "";
}

// What was held is shown as soon as the reader has left, whichever way.
setInterval(() => [...held.keys()].forEach((region) => busy(region) || release(region)), 300);

// announce tells a screen reader where things stand, at most every three seconds.
function announce(text) {
  announce.text = text;
  announce.timer ||= setTimeout(() => {
    announce.timer = 0;
    const box = document.getElementById("announce");
    if (box && box.textContent !== announce.text) box.textContent = announce.text;
  }, 3000);
}

// --- the stream -----------------------------------------------------------------------------------------------------

// All tabs share one stream (stream.js); where a browser has no shared workers, the page that is seen holds one itself. A
// page that is hidden listens no more, and catches up when it is seen again.
let last = Number(document.body.dataset.events);
let quit = null;

function listen() {
  if (quit || document.hidden || !("events" in document.body.dataset)) return;
  quit = (self.SharedWorker ? share : stream)(last);
}

function share(after) {
  const { port } = new SharedWorker("/assets/stream.js", { name: "entrasim" });
  port.onmessage = ({ data }) => ("lost" in data ? lost(data.lost) : moved(data));
  port.postMessage({ after });
  return () => port.postMessage({});
}

function stream(after) {
  const source = new EventSource("/live?after=" + after);
  let late = 0;
  source.addEventListener("moved", (e) => moved({ id: Number(e.lastEventId), ...JSON.parse(e.data) }));
  source.onerror = () => (late ||= setTimeout(() => lost(true), 1500));
  source.onopen = () => {
    clearTimeout(late);
    late = 0;
    lost(false);
  };
  return () => source.close();
}

function moved(m) {
  last = m.id;
  soon(m.missed ? everything() : m.topics);
  if (m.said && !moving) toast(m.said, m.bad, true);
}

const everything = () => regions().flatMap((r) => r.dataset.live.split(" "));

function lost(is) {
  const strip = document.getElementById("lost");
  if (strip.hidden === !is) return;
  strip.hidden = !is;
  if (!is) soon(everything());
}

function deaf() {
  quit?.();
  quit = null;
}

addEventListener("pagehide", deaf);
document.addEventListener("visibilitychange", () => (document.hidden ? deaf() : listen()));
addEventListener("pageshow", (e) => e.persisted && location.reload());

// --- the clock ------------------------------------------------------------------------------------------------------

function tick() {
  const now = document.querySelector("#clock time[data-now]");
  const rate = Number(now?.dataset.rate);
  if (!rate || !document.getElementById("lost").hidden) return;
  if (tick.of !== now.dataset.now) {
    tick.of = now.dataset.now;
    tick.start = performance.now();
    return;
  }
  const t = new Date(Number(now.dataset.now) + (performance.now() - tick.start) * rate);
  now.textContent = t.toLocaleString("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "UTC" }).replace(/(\w{3}), /, "$1 ") + " UTC";
}
setInterval(tick, 250);

// An advance may take a while: its button becomes Stop, and the page follows what happens meanwhile.
async function move(form, button) {
  const body = new URLSearchParams(new FormData(form, button));
  moving = new AbortController();
  showMoving();
  try {
    const answer = await fetch(form.action, { method: "POST", body, signal: moving.signal, headers: { "X-Live": "1" } });
    moving = null;
    if (answer.redirected && answer.url !== location.href) return location.assign(answer.url);
    if (answer.redirected) return location.reload();
    form.append(element("input", { type: "hidden", name: button.name, value: button.value }));
    form.submit(); // the page has something to say about what was typed
  } catch {
    moving = null;
    location.reload();
  }
}

function showMoving() {
  const main = document.querySelector("#clock .main");
  if (!main) return;
  for (const b of all("#clock button, [data-moves] button")) b.disabled = b !== main;
  main.type = "button";
  main.title = "Stop behind the cycle that runs";
  main.dataset.stop = "";
  main.innerHTML = '<svg class="i" aria-hidden="true"><use href="#i-stop"/></svg>Stop';
}

// --- forms ----------------------------------------------------------------------------------------------------------

// Before harm a dialog asks; its yes is posted along. Forms say that they work, and are sent once.
addEventListener("submit", async (e) => {
  const button = e.submitter;
  const form = e.target;
  if (form.method === "dialog") return;
  if (button?.dataset.sure && !form.dataset.sure) {
    e.preventDefault();
    if (!(await sure(button))) return;
    form.dataset.sure = "yes";
    form.append(element("input", { type: "hidden", name: "sure", value: "yes" }));
    return form.requestSubmit(button);
  }
  if (form.hasAttribute("data-moves") && button) {
    e.preventDefault();
    return moving || move(form, button);
  }
  if (button && form.method === "post") setTimeout(() => ((button.disabled = true), button.setAttribute("aria-busy", "true")));
  form.dataset.sent = "yes";
});

function sure(button) {
  const box = element("dialog", { ariaLabel: button.dataset.sure }, element("h2", { textContent: button.dataset.sure }), element("p", { textContent: button.dataset.text, className: "dim" }));
  const yes = element("button", { value: "yes", textContent: button.innerText.trim() || button.title, className: "plain" in button.dataset ? "btn primary" : "btn danger" });
  const no = element("button", { value: "", textContent: "Cancel", className: "btn" });
  box.append(element("form", { method: "dialog", className: "row" }, yes, no));
  document.body.append(box);
  box.showModal();
  return new Promise((done) =>
    box.addEventListener("close", () => {
      box.remove();
      done(box.returnValue === "yes");
    }),
  );
}

function element(name, properties, ...children) {
  const e = Object.assign(document.createElement(name), properties);
  e.append(...children);
  return e;
}

// A button with data-needs works when something is ticked in the form that it names.
function needs() {
  for (const button of all("[data-needs]")) {
    const form = document.getElementById(button.dataset.needs);
    const some = form?.querySelector("tbody input[type=checkbox]:checked");
    button.disabled = !some;
    button.dataset.why ??= button.title;
    button.title = some ? "" : button.dataset.why;
  }
  for (const box of all("[data-all]")) {
    const boxes = all("tbody input[type=checkbox]:not(:disabled)", box.closest("table"));
    const ticked = boxes.filter((b) => b.checked).length;
    box.checked = ticked > 0 && ticked === boxes.length;
    box.indeterminate = ticked > 0 && ticked < boxes.length;
  }
}
addEventListener("change", (e) => {
  if (e.target.matches("[data-all]")) all("tbody input[type=checkbox]:not(:disabled)", e.target.closest("table")).forEach((b) => (b.checked = e.target.checked));
  needs();
});
needs();

// Changes that are not saved are counted, and asked about before the page is left.
const edited = document.querySelector("form[data-unsaved]");
const unsaved = () => (edited ? all("input:not([type=hidden]), select, textarea", edited).filter((f) => (f.matches("select") ? !f.options[f.selectedIndex]?.defaultSelected : f.value !== f.defaultValue)).length : 0);
function countUnsaved() {
  const n = unsaved();
  const text = n ? n + (n === 1 ? " unsaved change" : " unsaved changes") : "";
  const box = document.getElementById("unsaved");
  if (box && box.textContent !== text) box.textContent = text;
}
edited?.addEventListener("input", countUnsaved);
edited?.addEventListener("reset", () => setTimeout(countUnsaved));
addEventListener("beforeunload", (e) => {
  if (edited && !edited.dataset.sent && unsaved()) e.preventDefault();
});

// Fields that name people or groups suggest some while typing.
addEventListener("input", (e) => {
  const field = e.target;
  if (field.dataset?.suggest) {
    clearTimeout(field.suggestTimer);
    field.suggestTimer = setTimeout(async () => {
      const answer = await fetch(`/suggest?kind=${field.dataset.suggest}&q=${encodeURIComponent(field.value)}`);
      if (!answer.ok) return;
      field.list.replaceChildren(...((await answer.json()) || []).map((o) => element("option", { value: o.Value, label: o.Text })));
    }, 150);
  }
  for (const counter of all(`[data-count="${field.id}"]`)) counter.textContent = [...field.value].length;
});

// The expression's live result follows what is typed.
const attribute = document.querySelector("form[data-preview]");
if (attribute) {
  let wait = 0;
  attribute.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(async () => {
      const answer = await fetch(attribute.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(attribute)) });
      if (answer.ok) document.getElementById("preview").innerHTML = await answer.text();
    }, 250);
  });
}
document.getElementById("faulty")?.focus();

// --- messages, menus, keys ------------------------------------------------------------------------------------------

function toast(text, bad, ran) {
  const box = document.getElementById("toasts");
  all("[data-ran]", box).forEach((t) => t.remove()); // one about cycles at a time
  const t = element("div", { className: "toast " + (bad ? "bad" : "ok") });
  t.innerHTML = `<svg class="i" aria-hidden="true"><use href="#i-${bad ? "cross" : "check"}"/></svg><button class="btn quiet icon" data-dismiss aria-label="Dismiss"><svg class="i" aria-hidden="true"><use href="#i-cross"/></svg></button>`;
  const say = element("span", { textContent: text });
  if (ran) {
    t.dataset.ran = "";
    const offers = [["Provisioning logs", "/logs"], ["Wire", "/wire"], ["Target", "/target"], ["Stage", "/stage"]];
    say.append(element("span", { className: "offers" }, ...offers.map(([name, href]) => element("a", { textContent: name, href }))));
  }
  t.insertBefore(say, t.lastChild);
  box.append(t);
  leaves(t);
}

// A toast leaves after six seconds, unless the reader is at it; one about a failure stays.
function leaves(t) {
  if (t.classList.contains("bad")) return;
  setTimeout(() => (t.matches(":hover") || t.contains(document.activeElement) ? leaves(t) : t.remove()), 6000);
}
all("#toasts .toast").forEach(leaves);

// A menu that would stick out at the right opens to the left.
document.addEventListener("toggle", (e) => {
  if (!e.target.matches("details.drop[open]")) return;
  const menu = e.target.querySelector(".pop");
  menu.classList.remove("flip");
  menu.classList.toggle("flip", menu.getBoundingClientRect().right > innerWidth - 8);
}, true);

addEventListener("click", async (e) => {
  const copy = e.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    toast("Copied.");
  }
  e.target.closest("[data-dismiss]")?.closest(".toast").remove();
  if (e.target.closest("[data-stop]") && moving) {
    e.preventDefault();
    moving.abort();
  }
  if (e.target.closest("[data-fullscreen]")) document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  if (e.target.closest("[data-play]")) play(!play.on);
  all("details.drop[open]").forEach((d) => d.contains(e.target) || d.removeAttribute("open"));
});

// A row of tabs that scrolls shows the one that is chosen.
for (const here of all(".menu [aria-current], .tabs [aria-current]")) {
  const row = here.parentElement;
  row.scrollLeft = Math.max(0, here.offsetLeft - row.offsetLeft - (row.clientWidth - here.offsetWidth) / 2);
}

// Esc closes what is open: a menu, or else the panel, and gives the focus back to its row.
addEventListener("keydown", (e) => {
  if (e.key !== "Escape" || document.querySelector("dialog[open]")) return;
  const menu = document.querySelector("details.drop[open]");
  if (menu) {
    menu.removeAttribute("open");
    return menu.querySelector("summary").focus();
  }
  const close = document.querySelector(".panel [data-close], .playbar [data-close]");
  if (!close) return;
  const key = document.querySelector("[data-key][aria-current=true], [data-key] [aria-current=true]")?.closest("[data-key]").dataset.key;
  if (key) sessionStorage.setItem("focus", key);
  close.click();
});
const came = sessionStorage.getItem("focus");
if (came) {
  sessionStorage.removeItem("focus");
  document.querySelector(`[data-key="${CSS.escape(came)}"] a`)?.focus();
}

// A button that leads to the same page again keeps the focus there. Arrow keys play a scenario, where they scroll nothing.
addEventListener("click", (e) => {
  const again = e.target.closest("[data-again]");
  if (again && !e.ctrlKey && !e.metaKey && !e.shiftKey) sessionStorage.setItem("again", again.dataset.again);
});
const again = sessionStorage.getItem("again");
if (again) {
  sessionStorage.removeItem("again");
  (document.querySelector(`[data-again="${CSS.escape(again)}"]`) || document.querySelector("[data-again]"))?.focus({ preventScroll: true });
}
addEventListener("keydown", (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.shiftKey || e.target.closest("input, textarea, select, pre, summary, dialog")) return;
  document.querySelector(`[data-key-step="${CSS.escape(e.key)}"]`)?.click();
});

// A mistake in a text leads to its place.
addEventListener("click", (e) => {
  const at = e.target.closest("[data-line]");
  const field = at && document.querySelector(at.getAttribute("href"));
  if (!field) return;
  e.preventDefault();
  const lines = field.value.split("\n");
  const start = lines.slice(0, at.dataset.line - 1).reduce((n, l) => n + l.length + 1, 0) + Number(at.dataset.column) - 1;
  field.focus();
  field.setSelectionRange(start, start + 1);
  field.scrollTop = (at.dataset.line - 4) * (field.scrollHeight / lines.length);
});

// Stage plays a cycle by itself, a step every few seconds, until it is told to stop or the cycle ends.
function play(on) {
  play.on = on;
  sessionStorage.setItem("play", on ? "yes" : "");
  clearTimeout(play.timer);
  const button = document.querySelector("[data-play]");
  if (button) button.lastChild.textContent = on ? "Stop" : "Play all";
  if (on) play.timer = setTimeout(() => document.querySelector(".st-play a[rel=next]")?.click(), 2600);
}
if (document.querySelector("[data-play]") && sessionStorage.getItem("play")) play(true);
else sessionStorage.removeItem("play");

listen();
