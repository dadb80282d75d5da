// Live pages. The server renders everything; this module only keeps marked regions fresh.
//
// A region is an element with an id and data-live="topics". When an event of one of its topics arrives, the page is
// fetched again and the region replaced, at most twice a second, but not while the reader is inside a moving list.

const last = { at: 0, timer: 0 };
const topics = new Set();

const regions = () => [...document.querySelectorAll("[data-live]")].filter((e) => e.id);
const wants = (region, topic) => region.dataset.live.split(" ").includes(topic);
const busy = (region) => region.hasAttribute("data-still") && (region.matches(":hover") || region.contains(document.activeElement));

function soon(topic) {
  topics.add(topic);
  if (last.timer) return;
  const wait = Math.max(0, 500 - (Date.now() - last.at));
  last.timer = setTimeout(refresh, wait);
}

async function refresh() {
  last.timer = 0;
  last.at = Date.now();
  const wanted = regions().filter((r) => [...topics].some((t) => wants(r, t)));
  topics.clear();
  if (!wanted.length) return;
  let page;
  try {
    const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
    if (!answer.ok) return;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return; // the stream notices the lost connection
  }
  for (const old of wanted) swap(old, page.getElementById(old.id));
}

function swap(old, next) {
  if (!next || old.innerHTML === next.innerHTML) return;
  if (busy(old)) {
    old.dataset.waiting = "1";
    return;
  }
  const open = [...old.querySelectorAll("details[open][id]")].map((d) => d.id);
  const focus = old.contains(document.activeElement) ? document.activeElement : null;
  const handle = focus && (focus.id ? "#" + CSS.escape(focus.id) : focus.getAttribute("href") ? `[href="${CSS.escape(focus.getAttribute("href"))}"]` : focus.name ? `[name="${CSS.escape(focus.name)}"]` : "");
  const scroll = old.scrollTop;
  old.innerHTML = next.innerHTML;
  for (const a of [...old.attributes]) if (!next.hasAttribute(a.name)) old.removeAttribute(a.name);
  for (const a of next.attributes) old.setAttribute(a.name, a.value);
  for (const id of open) old.querySelector("#" + CSS.escape(id))?.setAttribute("open", "");
  old.scrollTop = scroll;
  if (handle) old.querySelector(handle)?.focus({ preventScroll: true });
}

addEventListener("pointerout", (e) => {
  const region = e.target.closest?.("[data-waiting]");
  if (region && !region.contains(e.relatedTarget)) {
    delete region.dataset.waiting;
    region.dataset.live.split(" ").forEach(soon);
  }
});

function listen() {
  const source = new EventSource("/sim/events?after=" + (document.body.dataset.events || ""));
  // A page that is left, and kept by the browser for going back, must not hold its connection: there are six for a host.
  addEventListener("pagehide", () => source.close());
  for (const topic of ["cycle", "log", "exchange", "directory", "job", "clock", "audit", "missed"]) {
    source.addEventListener(topic, () => (topic === "missed" ? regions().forEach((r) => r.dataset.live.split(" ").forEach(soon)) : soon(topic)));
  }
  const strip = document.getElementById("lost");
  let late = 0;
  source.onerror = () => {
    late ||= setTimeout(() => (strip.hidden = false), 1500);
  };
  source.onopen = () => {
    clearTimeout(late);
    late = 0;
    if (!strip.hidden) ["clock", "job", "log", "directory", "exchange"].forEach(soon);
    strip.hidden = true;
  };
}

// The clock ticks between events.
function tick() {
  const now = document.querySelector("#clock time[data-now]");
  if (!now || !Number(now.dataset.rate)) return;
  const since = (performance.now() - tick.start) * Number(now.dataset.rate);
  if (tick.of !== now.dataset.now) {
    tick.of = now.dataset.now;
    tick.start = performance.now();
    return;
  }
  const t = new Date(Number(now.dataset.now) + since);
  now.textContent = t.toLocaleString("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZone: "UTC" }).replace(/(\w{3}), /, "$1 ") + " UTC";
}
tick.start = performance.now();
setInterval(tick, 250);

// Forms say that they work, and are sent once.
addEventListener("submit", (e) => {
  const button = e.submitter;
  const ask = button?.dataset.confirm;
  if (ask && !confirm(ask)) return e.preventDefault();
  if (button) setTimeout(() => ((button.disabled = true), button.setAttribute("aria-busy", "true")), 0);
});
addEventListener("pageshow", (e) => e.persisted && location.reload());

addEventListener("click", async (e) => {
  const copy = e.target.closest("[data-copy]");
  if (copy) {
    await navigator.clipboard.writeText(copy.dataset.copy);
    toast("Copied");
  }
  const toastButton = e.target.closest("[data-dismiss]");
  if (toastButton) toastButton.closest(".toast").remove();
});

function toast(text) {
  const box = document.getElementById("toasts");
  const t = document.createElement("p");
  t.className = "toast";
  t.textContent = text;
  box.append(t);
  setTimeout(() => t.remove(), 6000);
}
document.querySelectorAll("#toasts .toast:not(.bad)").forEach((t) => setTimeout(() => t.remove(), 6000));

// The expression's live result follows what is typed.
const form = document.querySelector("form[data-preview]");
if (form) {
  let timer = 0;
  const show = async () => {
    const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.ok) document.getElementById("preview").innerHTML = await answer.text();
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, 250);
  });
}

// Esc closes the panel.
addEventListener("keydown", (e) => {
  if (e.key === "Escape") document.querySelector(".panel [data-close]")?.click();
});

listen();
