// Theme: follows the system until the reader chooses; the choice is kept. Stage keeps its own (data-key), since it is dark
// unless told otherwise. Runs before the page is painted.
const root = document.documentElement;
const key = document.currentScript.dataset.key || "theme";

function kept(value) {
  try {
    if (value) localStorage.setItem(key, value);
    return localStorage.getItem(key);
  } catch {
    return value; // storage is switched off: the choice holds for this page
  }
}

root.classList.add("js");
root.dataset.theme = kept() || root.dataset.theme || "";

addEventListener("click", (e) => {
  if (!e.target.closest("[data-theme-toggle]")) return;
  const now = root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  root.dataset.theme = now === "dark" ? "light" : "dark";
  kept(root.dataset.theme);
});
