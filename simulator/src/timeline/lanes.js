// The lanes: an account each, jobs as bars in rows, marks above them. All stand in units of the
// scale times `--zoom`, so that zooming is one property and panning is scrolling.

const $ = (id) => document.getElementById(id);
const make = (tag, className, text) => {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

// Where time begins: the lanes' names, and a little room.
const LABEL = 164;
const ROW = 22;
const MARKS = ["people", "cause", "fault", "mishap", "alert", "violation"];
const SIGNS = { COMPLETE: "✓", PARTIAL: "◐", FAILED: "✕", CANCELED: "⊘", QUEUED: "…", RUNNING: "▸", CANCELING: "▸" };
let zoom = 1;

const fitting = () => Math.max(0.001, ($("time").clientWidth - LABEL - 80) / scale.end);
const put = (element, from, to) => {
  element.style.setProperty("--x", from.toFixed(2));
  if (to !== undefined) element.style.setProperty("--w", Math.max(0, to - from).toFixed(2));
};

/** How a job went, in a sentence. */
function told(job) {
  const parts = [`${job.name}, ${job.status}`];
  if (job.cause) parts.push(`because of ${job.cause}`);
  parts.push(`queued ${clock(job.queued)}`);
  if (job.started != null) parts.push(`waited ${length(job.started - job.queued)}`);
  if (job.ended != null && job.started != null) parts.push(`ran ${length(job.ended - job.started)}`);
  parts.push(`${job.steps.length} ${job.steps.length === 1 ? "step" : "steps"}`);
  return parts.join(", ");
}

function bar(job, n) {
  const queued = scale.place(job.queued);
  const end = scale.place(job.ended ?? scale.last);
  const started = job.started == null ? end : scale.place(job.started);
  const element = make("button", `bar ${job.status.toLowerCase()} ${job.kind}`);
  element.dataset.job = n;
  element.tabIndex = -1;
  element.setAttribute("aria-label", told(job));
  element.title = told(job).replaceAll(", ", "\n");
  put(element, queued, end);
  const wait = make("i", "wait");
  wait.style.width = `${(100 * (started - queued) / Math.max(end - queued, 0.001)).toFixed(2)}%`;
  element.append(wait);
  const share = (ms) => 100 * (scale.place(ms) - queued) / Math.max(end - queued, 0.001);
  const inset = (className, from, to) => {
    const left = Math.min(99, Math.max(0, share(from)));
    const part = make("i", className);
    part.style.left = `${left.toFixed(2)}%`;
    part.style.width = `${(Math.min(100, share(to)) - left).toFixed(2)}%`;
    element.append(part);
  };
  for (const step of job.steps) {
    const how = step.how === "died" ? " died" : step.how.startsWith("failed") ? " failed" : "";
    const to = step.to ?? scale.last;
    inset(`step${how}`, step.from, Math.min(to, job.ended ?? to));
    for (const [from, until] of step.frozen ?? []) inset("frozen", from, Math.min(until, job.ended ?? until));
  }
  element.append(make("b", "", `${SIGNS[job.status] ?? ""} ${job.name}`));
  return element;
}

/** Packs bars into rows where none covers another, at the zoom at which all is seen. */
function pack(jobs) {
  const rows = [];
  const narrow = 10 / fitting();
  for (const [job, n] of jobs) {
    const from = scale.place(job.queued);
    const to = Math.max(scale.place(job.ended ?? scale.last), from + narrow);
    let row = rows.findIndex((end) => end <= from);
    if (row < 0) row = rows.push(0) - 1;
    rows[row] = to + narrow / 4;
    bars[n].style.top = `${24 + row * ROW}px`;
  }
  return rows.length;
}

const bars = run.jobs.map(bar);
const lanes = run.lanes.map((lane, n) => {
  const element = make("section", "lane");
  element.setAttribute("aria-label", `Account ${lane.name}`);
  const jobs = run.jobs.map((job, at) => [job, at]).filter(([job]) => job.lane === n);
  const failed = jobs.filter(([job]) => job.status === "FAILED").length;
  const head = make("button", "lane-head");
  head.setAttribute("aria-expanded", "true");
  head.title = `Account ${lane.id}: fold or unfold`;
  head.append(make("span", "lane-name", lane.name));
  head.append(make("span", "lane-count", `${jobs.length} ${jobs.length === 1 ? "job" : "jobs"}${failed ? `, ${failed} ✕` : ""}`));
  head.addEventListener("click", () => {
    const folded = element.classList.toggle("folded");
    head.setAttribute("aria-expanded", String(!folded));
  });
  element.append(head);
  for (const [, at] of jobs) element.append(bars[at]);
  for (const event of events) {
    if (event.lane !== n || !MARKS.includes(event.kind)) continue;
    const mark = make("i", `mark ${event.kind}`);
    mark.dataset.event = event.n;
    mark.title = `${clock(event.at)} ${event.kind}: ${event.text}`;
    put(mark, scale.place(event.at));
    element.append(mark);
  }
  return { element, jobs };
});
// The stage of a large world is set once and looked at never; where nothing happens, nothing is shown.
for (const { element, jobs } of lanes) {
  if (!jobs.length && !element.querySelector(".mark")) element.classList.add("empty");
  $("lanes").append(element);
}

function layOut() {
  for (const { element, jobs } of lanes) {
    element.style.setProperty("--rows", Math.max(1, pack(jobs)));
  }
}

/** Times on the axis: as many as have room. */
function drawAxis() {
  const axis = $("axis");
  const width = scale.end * zoom;
  axis.replaceChildren(make("span", "axis-name", "time from the start"));
  let last = -Infinity;
  const label = (x, text, className) => {
    const tick = make("span", className, text);
    put(tick, x);
    axis.append(tick);
    last = x;
  };
  const room = 110 / zoom;
  const from = $("time").scrollLeft / zoom - 2 * room, to = from + $("time").clientWidth / zoom + 4 * room;
  const isShown = (x) => width < 8000 || (x > from && x < to);
  for (let n = 0; n < scale.at.length; n += 1) {
    if (scale.x[n] - last >= room && isShown(scale.x[n])) label(scale.x[n], clock(scale.at[n]), "tick");
  }
  const spans = $("spans");
  spans.replaceChildren();
  let end = -Infinity;
  for (const { from: a, to: b, idle } of scale.gaps) {
    const x = scale.place(a), w = scale.place(b) - x;
    if (!idle || x - end < 26 / zoom || !isShown(x)) continue;
    const gap = make("span", "gap", w * zoom >= 16 ? length(b - a) : "");
    put(gap, x, x + w);
    spans.append(gap);
    end = x;
  }
  const line = (event, className, text) => {
    const element = make("span", className, text);
    put(element, scale.place(event.at));
    spans.append(element);
  };
  if (run.opens > 0 && events[run.opens]) line(events[run.opens], "line opens", "the script begins");
  for (const event of events) {
    if (event.kind === "healing") line(event, "line healing", "faults stop");
    if (event.kind === "violation") line(event, "line violation", "✕ broken");
  }
}

/** Zooms, and keeps what stands at `at` pixels from the left edge where it is. */
function zoomTo(value, at) {
  const time = $("time");
  const x = (time.scrollLeft + at - LABEL) / zoom;
  zoom = Math.min(Math.max(value, fitting()), 400);
  $("canvas").style.setProperty("--zoom", zoom.toFixed(5));
  $("canvas").style.setProperty("--end", scale.end.toFixed(2));
  time.scrollLeft = x * zoom + LABEL - at;
  $("canvas").classList.toggle("fine", zoom > 2 * fitting());
  drawAxis();
}

function drawLegend() {
  const legend = $("legend");
  const one = (sign, text) => {
    const item = make("span", "legend-item");
    item.append(sign, make("span", "", text));
    legend.append(item);
  };
  for (const status of ["COMPLETE", "PARTIAL", "FAILED", "CANCELED"]) {
    const sign = make("i", `swatch bar ${status.toLowerCase()}`, SIGNS[status]);
    one(sign, status);
  }
  one(make("i", "swatch bar queued"), "waits");
  for (const [name, text] of [["died", "step died"], ["failed", "step failed"], ["frozen", "stood still"]]) {
    const sign = make("i", "swatch bar complete");
    sign.append(make("i", name === "frozen" ? "frozen" : `step ${name}`));
    one(sign, text);
  }
  for (const kind of MARKS) one(make("i", `mark ${kind}`), kind === "people" ? "what people do" : kind);
}
