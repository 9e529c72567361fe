// Keeps what is live on a page fresh: every few seconds it asks the server for the
// same page and takes over the parts marked data-live that have changed. The
// page is whole without it.

const every = 10_000;
const slowest = 120_000;
const status = document.querySelector("[data-live-status]");
const parts = () => [...document.querySelectorAll("[data-live][id]")];

let wait = every;
let timer = 0;
let paused = false;

// busy says whether replacing part would take something out of a reader's hands.
function busy(part) {
  const selection = document.getSelection();
  const reading = selection && !selection.isCollapsed && part.contains(selection.anchorNode);
  return reading || part.contains(document.activeElement);
}

// keepOpen opens in fresh what stands open in part.
function keepOpen(part, fresh) {
  for (const open of part.querySelectorAll("details[id][open]")) {
    const twin = fresh.querySelector(`#${CSS.escape(open.id)}`);
    if (twin) twin.open = true;
  }
}

// asServed is the part as the server sent it: what a reader opened is not a change.
function asServed(part) {
  const copy = part.cloneNode(true);
  copy.querySelectorAll("details").forEach((d) => d.removeAttribute("open"));
  copy.querySelectorAll(".changed").forEach((e) => e.classList.remove("changed"));
  copy.querySelectorAll('[class=""]').forEach((e) => e.removeAttribute("class"));
  return copy.innerHTML;
}

function markNew(part, fresh) {
  for (const item of fresh.querySelectorAll("[data-version]")) {
    const old = item.id && part.querySelector(`#${CSS.escape(item.id)}`);
    if (!old || old.dataset.version !== item.dataset.version) item.classList.add("changed");
  }
}

function replace(part, fresh) {
  if (!fresh || busy(part) || asServed(part) === asServed(fresh)) return;
  keepOpen(part, fresh);
  markNew(part, fresh);
  part.replaceWith(document.adoptNode(fresh));
}

async function refresh() {
  const response = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const part of parts()) replace(part, page.getElementById(part.id));
  document.title = page.title;
}

function say(text) {
  if (status && status.textContent !== text) status.textContent = text;
}

async function turn() {
  if (!paused && !document.hidden) {
    try {
      await refresh();
      wait = every;
      say("");
    } catch (error) {
      wait = Math.min(wait * 2, slowest);
      say(`Not refreshed (${error.message}); trying again in ${Math.round(wait / 1000)} s`);
    }
  }
  timer = setTimeout(turn, wait);
}

function addSwitch() {
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = true;
  box.addEventListener("change", () => {
    paused = !box.checked;
    clearTimeout(timer);
    timer = setTimeout(turn, paused ? every : 0);
  });
  label.append(box, " live");
  status?.before(label);
}

if (parts().length > 0) {
  addSwitch();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    clearTimeout(timer);
    timer = setTimeout(turn, 0);
  });
  timer = setTimeout(turn, every);
}
