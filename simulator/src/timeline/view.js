// What is seen: the list of events, the world, and all that a hand can do.

const HIDDEN = new Set(["rows", "function"]);
const LINE = 26;
const MANY = 100;
const filter = { account: "", job: "", text: "", hidden: new Set(HIDDEN) };
let shown = [];
const open = new Set();

// --- events -----------------------------------------------------------------------------------

function applyFilter() {
  const text = filter.text.toLowerCase();
  shown = events.filter((event) =>
    !filter.hidden.has(event.kind)
    && (filter.account === "" || event.lane === Number(filter.account))
    && (filter.job === "" || event.job === Number(filter.job))
    && (!text || event.text.toLowerCase().includes(text)));
  $("shown").textContent = `${shown.length} of ${events.length}`;
  const isDim = (lane, job, kind) =>
    (filter.account !== "" && lane !== Number(filter.account))
    || (filter.job !== "" && job !== Number(filter.job))
    || (kind !== undefined && filter.hidden.has(kind));
  bars.forEach((element, n) => element.classList.toggle("dim", isDim(run.jobs[n].lane, n)));
  for (const mark of document.querySelectorAll("#lanes .mark")) {
    const event = events[mark.dataset.event];
    mark.classList.toggle("dim", isDim(event.lane, event.job, event.kind));
  }
  lanes.forEach(({ element }, n) =>
    element.classList.toggle("filtered", filter.account !== "" && n !== Number(filter.account)));
  drawEvents(true);
}

/** The list, as much of it as is in sight. */
function drawEvents(follow) {
  const list = $("events");
  const at = shown.findLastIndex((event) => event.n <= here);
  if (follow && at >= 0) {
    const top = at * LINE;
    if (top < list.scrollTop || top > list.scrollTop + list.clientHeight - 2 * LINE) {
      list.scrollTop = Math.max(0, top - list.clientHeight / 3);
    }
  }
  const first = Math.max(0, Math.floor(list.scrollTop / LINE) - 10);
  const last = Math.min(shown.length, first + Math.ceil(list.clientHeight / LINE) + 20);
  const rows = $("rows");
  rows.style.height = `${shown.length * LINE}px`;
  rows.replaceChildren(...shown.slice(first, last).map((event, n) => {
    const row = make("div", `event ${event.kind}`);
    row.id = `event-${event.n}`;
    row.style.top = `${(first + n) * LINE}px`;
    row.dataset.event = event.n;
    row.setAttribute("role", "option");
    row.setAttribute("aria-posinset", first + n + 1);
    row.setAttribute("aria-setsize", shown.length);
    row.setAttribute("aria-selected", String(event.n === here));
    if (event.n > here) row.classList.add("ahead");
    const kind = make("span", "kind", event.kind);
    kind.prepend(make("i", `mark ${event.kind}`));
    row.append(make("time", "", clock(event.at)), kind, make("span", "text", event.text));
    row.title = `${date(event.at)}\n${run.lanes[event.lane].name}\n${event.text}`;
    return row;
  }));
  if (!shown.length) rows.append(make("p", "none", "No event is like that. Clear the filters to see all."));
  list.setAttribute("aria-activedescendant", here >= 0 ? `event-${here}` : "");
}

// --- the world --------------------------------------------------------------------------------

function drawChanges(event) {
  const now = $("now");
  const head = make("p", "now-head");
  const job = run.jobs[event.job];
  head.append(make("time", "", date(event.at)), " ", make("span", "now-text", event.text));
  now.replaceChildren(head);
  if (job) now.append(make("p", "now-job", `${SIGNS[job.status] ?? ""} ${told(job)}`));
  for (const { key, before, after } of event.changes) {
    const { section, type, name } = thing(key);
    const item = make("div", "change");
    const word = before === undefined ? "new" : after === undefined ? "gone" : "changed";
    item.append(make("span", `word ${word}`, word), make("b", "", type || section), " ", make("span", "name", name));
    const lines = word === "changed" ? differences(before, after) : [];
    for (const { path, before: old, after: value } of lines.slice(0, 12)) {
      const line = make("div", "field");
      line.append(make("span", "path", path));
      line.append(make("del", "", old === undefined ? "none" : brief(old)), " → ");
      line.append(make("ins", "", value === undefined ? "none" : brief(value)));
      item.append(line);
    }
    if (word !== "changed") item.append(make("div", "field", brief(before ?? after)));
    now.append(item);
  }
  if (!event.changes.length) now.append(make("p", "none", "It changed nothing that lasts."));
}

/** All that there is, by section and type; what the event changed is marked. */
function drawWorld() {
  const event = events[here];
  const changed = new Map((event?.changes ?? []).map((change) => [change.key, change]));
  const text = $("search-world").value.toLowerCase();
  const groups = new Map();
  const add = (key, value, mark) => {
    const at = thing(key);
    if (text && !`${at.type} ${at.name} ${brief(value)}`.toLowerCase().includes(text)) return;
    const group = at.type ? `${at.section}/${at.type}` : at.section;
    if (!groups.has(group)) groups.set(group, []);
    groups.get(group).push({ key, name: at.name, value, mark });
  };
  for (const [key, value] of world) {
    const change = changed.get(key);
    add(key, value, change ? (change.before === undefined ? "new" : "changed") : "");
  }
  for (const [key, { before, after }] of changed) if (after === undefined) add(key, before, "gone");
  const list = $("world");
  list.replaceChildren();
  for (const [section, title] of Object.entries(sections)) {
    const inside = [...groups].filter(([group]) => group.split("/")[0] === section)
      .sort(([a], [b]) => a < b ? -1 : 1);
    if (!inside.length) continue;
    list.append(make("h3", "", title));
    for (const [group, things] of inside) list.append(drawGroup(group, section, things, text));
  }
  if (!groups.size) list.append(make("p", "none", text ? "Nothing in the world is like that." : "There is nothing yet."));
}

function drawGroup(group, section, things, text) {
  const details = make("details", "group-of-things");
  details.dataset.group = group;
  const marked = things.filter(({ mark }) => mark).length;
  const summary = make("summary");
  const present = things.filter(({ mark }) => mark !== "gone").length;
  summary.append(make("b", "", group.split("/")[1] ?? sections[section]), make("span", "count", String(present)));
  if (marked) summary.append(make("span", "word changed", `${marked} changed`));
  details.append(summary);
  const fill = () => {
    if (details.childElementCount > 1) return;
    // What changed stands first where there are too many to look through.
    const sorted = things.sort((a, b) => Number(!a.mark) - Number(!b.mark) || (a.key < b.key ? -1 : 1));
    for (const one of sorted.slice(0, MANY)) details.append(drawThing(one));
    if (things.length > MANY) details.append(make("p", "none", `and ${things.length - MANY} more: search the world for them`));
  };
  details.open = open.has(group) || marked > 0 || Boolean(text);
  if (details.open) fill();
  details.addEventListener("toggle", () => { if (details.open) fill(); });
  summary.addEventListener("click", () => { if (details.open) open.delete(group); else open.add(group); });
  return details;
}

function drawThing({ key, name, value, mark }) {
  const item = make("details", `thing ${mark}`);
  item.dataset.key = key;
  const summary = make("summary");
  if (mark) summary.append(make("span", `word ${mark}`, mark));
  summary.append(make("span", "name", name), make("span", "brief", brief(value)));
  item.append(summary);
  item.addEventListener("toggle", () => {
    if (item.open && item.childElementCount === 1) item.append(make("pre", "", named(JSON.stringify(value, null, 1))));
  });
  return item;
}

// --- steps ------------------------------------------------------------------------------------

function show(n, keep) {
  if (!events.length) return;
  n = Math.min(Math.max(n, 0), events.length - 1);
  goTo(n);
  const event = events[n];
  $("slider").value = n;
  $("slider").setAttribute("aria-valuetext", `${clock(event.at)} ${event.text}`);
  $("place").textContent = `${n + 1} of ${events.length} · ${clock(event.at)}`;
  put($("cursor"), scale.place(event.at));
  for (const old of document.querySelectorAll("#lanes .here")) old.classList.remove("here");
  bars[event.job]?.classList.add("here");
  document.querySelector(`#lanes .mark[data-event="${n}"]`)?.classList.add("here");
  if (!keep) bring(scale.place(event.at) * zoom);
  drawEvents(true);
  drawChanges(event);
  drawWorld();
  history.replaceState(null, "", `#event=${n}`);
}

/** Scrolls until the place is in sight. */
function bring(x) {
  const time = $("time");
  const left = time.scrollLeft, right = left + time.clientWidth - LABEL;
  if (x < left + 30 || x > right - 60) time.scrollLeft = Math.max(0, x - (time.clientWidth - LABEL) / 2);
}

/** One event on or back, among those that the filters show. */
function step(by) {
  const next = by > 0 ? shown.find((event) => event.n > here) : shown.findLast((event) => event.n < here);
  if (next) show(next.n);
}

function toJob(by) {
  const now = events[here]?.job ?? -1;
  const n = Math.min(Math.max(now + by, 0), run.jobs.length - 1);
  const event = events.find((event) => event.job === n && event.kind === "job");
  if (event) show(event.n);
  bars[n]?.scrollIntoView({ block: "nearest" });
}

const linked = () => Number(/event=(\d+)/.exec(location.hash)?.[1] ?? Math.min(run.opens, events.length - 1));

// --- the page ---------------------------------------------------------------------------------

const many = (n, word) => `${n} ${word}${n === 1 ? "" : "s"}`;

function head() {
  $("about").textContent = run.about || run.file;
  const counts = {};
  for (const job of run.jobs) counts[job.status] = (counts[job.status] ?? 0) + 1;
  const jobs = Object.entries(counts).map(([status, n]) => `${SIGNS[status] ?? ""} ${n} ${status}`).join("  ");
  const wrong = events.filter((event) => event.kind === "fault" || event.kind === "mishap").length;
  const facts = $("facts");
  const replay = `crossvault sim replay ${run.file}`;
  const code = (text, title) => {
    const button = make("button", "copy", text);
    button.title = `${title}: click to copy`;
    button.addEventListener("click", () => navigator.clipboard?.writeText(text));
    return button;
  };
  facts.append(`${many(run.jobs.length, "job")} ${jobs && `(${jobs})`} · ${many(run.lanes.length, "account")} · ${many(wrong, "fault")} · ${many(run.calls, "call")} · starts ${date(0)} · crossvault ${run.version}`);
  facts.append(make("br"), "hash ", code(run.hash, "The run's hash"), " · again: ", code(replay, "The command that replays it"));
  const verdict = $("verdict");
  verdict.className = run.verdict ? "broken" : "holds";
  verdict.textContent = run.verdict
    ? `✕ broken: ${run.verdict.invariant} (${run.verdict.code}): ${run.verdict.says}` : "✓ every invariant held";
  if (run.verdict) verdict.addEventListener("click", () => show(events.length - 1));
}

function controls() {
  run.lanes.forEach((lane, n) => $("of-account").append(new Option(lane.name, n)));
  run.jobs.forEach((job, n) => $("of-job").append(new Option(`${SIGNS[job.status] ?? ""} ${job.name}, ${clock(job.queued)}`, n)));
  const counts = new Map(run.kinds.map((kind) => [kind, 0]));
  for (const event of events) counts.set(event.kind, counts.get(event.kind) + 1);
  for (const [kind, count] of counts) {
    if (!count) continue;
    const chip = make("button", "chip", `${kind} ${count}`);
    chip.prepend(make("i", `mark ${kind}`));
    chip.dataset.kind = kind;
    chip.setAttribute("aria-pressed", String(!filter.hidden.has(kind)));
    chip.addEventListener("click", () => {
      if (!filter.hidden.delete(kind)) filter.hidden.add(kind);
      chip.setAttribute("aria-pressed", String(!filter.hidden.has(kind)));
      applyFilter();
    });
    $("kinds").append(chip);
  }
  const on = (id, type, act) => $(id).addEventListener(type, act);
  // Zooming keeps the event in its place while it is in sight, else the middle.
  const middle = () => {
    const width = $("time").clientWidth;
    const x = LABEL + scale.place(events[here]?.at ?? 0) * zoom - $("time").scrollLeft;
    return x >= LABEL && x <= width ? x : LABEL + (width - LABEL) / 2;
  };
  on("first", "click", () => show(shown[0]?.n ?? 0));
  on("back", "click", () => step(-1));
  on("forward", "click", () => step(1));
  on("last", "click", () => show(shown.at(-1)?.n ?? events.length - 1));
  on("slider", "input", () => show(Number($("slider").value)));
  on("of-account", "change", () => { filter.account = $("of-account").value; applyFilter(); });
  on("of-job", "change", () => { filter.job = $("of-job").value; applyFilter(); });
  on("search", "input", () => { filter.text = $("search").value; applyFilter(); });
  on("search-world", "input", drawWorld);
  on("clear", "click", clear);
  on("in", "click", () => zoomTo(zoom * 1.6, middle()));
  on("out", "click", () => zoomTo(zoom / 1.6, middle()));
  on("fit", "click", () => zoomTo(0, 0));
  on("theme", "click", toggleTheme);
  on("events", "scroll", () => drawEvents(false));
  on("events", "click", (click) => {
    const row = click.target.closest(".event");
    if (row) show(Number(row.dataset.event));
  });
  on("time", "click", (click) => {
    const mark = click.target.closest(".mark"), of = click.target.closest(".lane .bar");
    if (mark) show(Number(mark.dataset.event), true);
    else if (of) show(events.find((event) => event.job === Number(of.dataset.job))?.n ?? here, true);
  });
  on("time", "wheel", (wheel) => {
    if (!wheel.ctrlKey && !wheel.metaKey) return;
    wheel.preventDefault();
    zoomTo(zoom * Math.exp(-wheel.deltaY / 300), wheel.clientX - $("time").getBoundingClientRect().left);
  });
  on("time", "scroll", () => { if (scale.end * zoom >= 8000) requestAnimationFrame(drawAxis); });
  addEventListener("hashchange", () => show(linked()));
  addEventListener("resize", () => { layOut(); zoomTo(Math.max(zoom, fitting()), 0); drawEvents(false); });
  addEventListener("keydown", key);
}

function clear() {
  Object.assign(filter, { account: "", job: "", text: "", hidden: new Set(HIDDEN) });
  for (const id of ["of-account", "of-job", "search"]) $(id).value = "";
  for (const chip of document.querySelectorAll(".chip")) {
    chip.setAttribute("aria-pressed", String(!filter.hidden.has(chip.dataset.kind)));
  }
  applyFilter();
}

function toggleTheme() {
  const root = document.documentElement;
  const isDark = (root.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  root.dataset.theme = isDark ? "light" : "dark";
}

function key(press) {
  const field = press.target.closest?.("input, select");
  if (press.key === "Escape" && field) return field.blur();
  if (press.ctrlKey || press.metaKey || press.altKey || (field && field.type !== "range")) return undefined;
  const actions = {
    ArrowRight: () => step(1), ArrowLeft: () => step(-1),
    Home: () => $("first").click(), End: () => $("last").click(),
    "/": () => $("search").focus(), t: toggleTheme,
    "+": () => $("in").click(), "=": () => $("in").click(), "-": () => $("out").click(), 0: () => $("fit").click(),
  };
  if ($("events") === document.activeElement) Object.assign(actions, { ArrowDown: () => step(1), ArrowUp: () => step(-1) });
  else if (press.target.closest?.("#time")) Object.assign(actions, { ArrowDown: () => toJob(1), ArrowUp: () => toJob(-1) });
  const action = actions[press.key];
  if (!action) return undefined;
  press.preventDefault();
  return action();
}

head();
controls();
drawLegend();
$("slider").max = Math.max(0, events.length - 1);
if (run.lanes.length > 12) {
  // Many accounts: those where nothing fails begin folded, so that what went wrong is in sight.
  lanes.forEach(({ element, jobs }, n) => {
    if (n > 0 && jobs.every(([job]) => job.status === "COMPLETE") && !element.querySelector(".mark:not(.people)")) {
      element.querySelector(".lane-head").click();
    }
  });
}
layOut();
zoomTo(0, 0);
applyFilter();
show(linked());
document.body.dataset.ready = "yes";
