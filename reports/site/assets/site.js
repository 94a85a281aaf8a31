"use strict";

const THEMES = ["system", "light", "dark"];

function remembered() {
  try {
    return localStorage.getItem("theme") || "system";
  } catch {
    return "system";
  }
}

function useTheme(button, theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  button.textContent = `Theme: ${theme}`;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // A browser without storage forgets the choice, and nothing else.
  }
}

function startTheme() {
  const button = document.getElementById("theme");
  let theme = THEMES.includes(remembered()) ? remembered() : "system";
  useTheme(button, theme);
  button.hidden = false;
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    useTheme(button, theme);
  });
}

async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

function say(button, text) {
  button.firstElementChild.textContent = text;
  document.getElementById("status").textContent = text === "Copy" ? "" : text;
}

function startCopying() {
  for (const button of document.querySelectorAll("button.copy")) {
    button.addEventListener("click", async () => {
      const source = document.getElementById(button.dataset.copy);
      try {
        await copyText(source.textContent);
        say(button, "Copied");
      } catch {
        say(button, "Select and copy");
      }
      setTimeout(() => say(button, "Copy"), 2000);
    });
  }
}

function fromAddress(form) {
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const field of form.elements) if (field.name) field.value = asked.get(field.name) || "";
}

function toAddress(form) {
  const asked = new URLSearchParams();
  for (const field of form.elements) if (field.name && field.value) asked.set(field.name, field.value);
  history.replaceState(null, "", `#${asked}`);
}

function verdictFits(cells, wanted) {
  const verdicts = cells.map((cell) => cell.dataset.verdict);
  if (!wanted) return true;
  if (wanted === "red") return verdicts.some((verdict) => verdict !== "works");
  if (wanted === "different") return new Set(verdicts).size > 1;
  return verdicts.includes(wanted);
}

function rowFits(row, { q, verdict, server, level }) {
  const words = q.value.toLowerCase().split(/\s+/).filter(Boolean);
  let cells = [...row.querySelectorAll("td[data-verdict]")];
  if (server.value && verdict.value !== "different")
    cells = cells.filter((cell) => cell.dataset.server === server.value);
  return (
    words.every((word) => row.dataset.text.includes(word)) &&
    (!level.value || row.dataset.level === level.value) &&
    verdictFits(cells, verdict.value)
  );
}

function startFilter() {
  const form = document.getElementById("filter");
  if (!form) return;
  const rows = [...document.querySelectorAll("#checks tbody tr")];
  const apply = () => {
    for (const row of rows) row.hidden = !rowFits(row, form.elements);
    const shown = rows.filter((row) => !row.hidden).length;
    document.getElementById("shown").textContent = `${shown} of ${rows.length} checks`;
  };
  const change = () => (toAddress(form), apply());
  const read = () => (fromAddress(form), apply());
  form.hidden = false;
  form.addEventListener("input", change);
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", read);
  read();
}

function startKinds() {
  const form = document.getElementById("kinds");
  if (!form) return;
  const rows = [...document.querySelectorAll("tr[data-change]")];
  const apply = () => {
    const kind = form.elements.kind.value;
    for (const row of rows) row.hidden = Boolean(kind) && row.dataset.change !== kind;
  };
  form.hidden = false;
  form.addEventListener("input", () => (toAddress(form), apply()));
  addEventListener("hashchange", () => (fromAddress(form), apply()));
  fromAddress(form);
  apply();
}

function moveInTable(link, key) {
  const cell = link.closest("td, th");
  const row = cell.parentElement;
  const rows = [...cell.closest("tbody").rows].filter((other) => !other.hidden);
  const place = [...row.cells].indexOf(cell);
  const down = { ArrowDown: 1, ArrowUp: -1 }[key] || 0;
  const right = { ArrowRight: 1, ArrowLeft: -1 }[key] || 0;
  const start = rows.indexOf(row);
  for (let steps = 1; ; steps += 1) {
    const next = rows[start + steps * down]?.cells[place + steps * right];
    const found = next?.querySelector("a");
    if (found || !next) return found?.focus();
  }
}

function arrowsAreNotOurs(event) {
  const selecting = event.shiftKey || getSelection()?.isCollapsed === false;
  return selecting || event.target.closest("summary, button");
}

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  if (event.key.startsWith("Arrow") && arrowsAreNotOurs(event)) return;
  const inTable = event.target.closest("tbody a");
  if (event.key === "/") {
    const search = document.querySelector("#filter input");
    if (search) search.focus();
    else document.querySelector('nav a[href$="checks.html"]').focus();
    event.preventDefault();
  } else if (event.key.startsWith("Arrow") && inTable) {
    moveInTable(inTable, event.key);
    event.preventDefault();
  } else if (event.target.closest("pre, .scroll")) {
    return;
  } else if (event.key === "ArrowLeft") {
    document.getElementById("previous")?.click();
  } else if (event.key === "ArrowRight") {
    document.getElementById("next")?.click();
  }
}

function showAges() {
  for (const time of document.querySelectorAll("time[data-age]")) {
    const days = Math.floor((Date.now() - new Date(time.dateTime)) / 86_400_000);
    if (days < 1) continue;
    time.textContent += `, ${days} days ago`;
    if (days > 30) time.classList.add("stale");
  }
}

startTheme();
startCopying();
startFilter();
startKinds();
showAges();
document.addEventListener("keydown", onKey);
