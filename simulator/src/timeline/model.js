// The run: its events, and the world at each of them, rebuilt from what changed.

const run = JSON.parse(document.getElementById("data").textContent);
const events = run.events.map(([at, kind, lane, job, text, changes], n) =>
  ({ n, at, kind: run.kinds[kind], lane, job, text: run.texts[text], changes }));
const world = new Map();
let here = -1;

/** The value that a difference makes of another: see `Difference`. */
function become(before, difference) {
  if (difference === 0) return undefined;
  if (Array.isArray(difference)) return difference[0];
  const after = Array.isArray(before) ? [...before] : { ...before };
  for (const key in difference) {
    const part = become(after[key], difference[key]);
    if (part === undefined) delete after[key]; else after[key] = part;
  }
  return after;
}

// Once through all events: each then knows both values of what it changes, and stepping is setting.
{
  const values = new Map();
  for (const event of events) {
    event.changes = event.changes.map(([key, difference]) => {
      const before = values.get(key);
      const after = become(before, difference);
      if (after === undefined) values.delete(key); else values.set(key, after);
      return { key: run.keys[key], before, after };
    });
  }
}

/** Makes the world what it was after the n-th event. */
function goTo(n) {
  const set = (key, value) => value === undefined ? world.delete(key) : world.set(key, value);
  while (here < n) {
    here += 1;
    for (const { key, after } of events[here].changes) set(key, after);
  }
  while (here > n) {
    for (const { key, before } of events[here].changes) set(key, before);
    here -= 1;
  }
}

// --- time -------------------------------------------------------------------------------------

/** A time from the start on, as the story tells it: `00:10:03.050`, `2d 00:10`. */
function clock(ms) {
  const sign = ms < 0 ? "-" : "";
  let rest = Math.abs(ms);
  const part = (unit) => { const n = Math.floor(rest / unit); rest -= n * unit; return n; };
  const two = (n) => String(n).padStart(2, "0");
  const [d, h, m, s] = [86400000, 3600000, 60000, 1000].map(part);
  const seconds = rest ? `:${two(s)}.${String(rest).padStart(3, "0")}` : s ? `:${two(s)}` : "";
  return `${sign}${d ? `${d}d ` : ""}${two(h)}:${two(m)}${seconds}`;
}

/** How long something takes, in at most two units. */
function length(ms) {
  const units = [["d", 86400000], ["h", 3600000], ["min", 60000], ["s", 1000], ["ms", 1]];
  const at = Math.max(0, units.findIndex(([, unit]) => ms >= unit));
  const parts = [];
  let rest = ms;
  for (const [name, unit] of units.slice(at, at + 2)) {
    const n = Math.floor(rest / unit);
    rest -= n * unit;
    if (n) parts.push(`${n} ${name}`);
  }
  return parts.join(" ") || "0 ms";
}

/** When it is, on the calendar. */
const date = (ms) => new Date(run.start + ms).toISOString().replace("T", " ").replace(".000Z", "Z");

/**
 * Where each time stands: between two events as much room as the logarithm of the time between,
 * so that a day of nothing is not wider than ten seconds of work, and a call is still seen.
 */
const scale = (() => {
  const times = new Set(events.map((event) => event.at));
  for (const job of run.jobs) {
    for (const at of [job.queued, job.started, job.ended]) if (at != null) times.add(at);
  }
  const at = [...times].sort((a, b) => a - b);
  if (!at.length) at.push(0);
  // Time in which no job is on its way is idle: it gets little room, and a mark.
  const busy = run.jobs.map((job) => [job.queued, job.ended ?? Infinity]).sort((a, b) => a[0] - b[0]);
  const gaps = [];
  const x = [0];
  let b = 0, until = -Infinity;
  for (let n = 1; n < at.length; n += 1) {
    const gap = at[n] - at[n - 1];
    while (b < busy.length && busy[b][0] <= at[n - 1]) { until = Math.max(until, busy[b][1]); b += 1; }
    const idle = gap >= 60000 && until <= at[n - 1];
    if (idle || gap >= 3600000) gaps.push({ from: at[n - 1], to: at[n], idle });
    x.push(x[n - 1] + (idle ? 8 : Math.log2(2 + gap / 4)));
  }
  const place = (ms) => {
    let low = 0, high = at.length - 1;
    while (low < high) { const middle = (low + high + 1) >> 1; if (at[middle] <= ms) low = middle; else high = middle - 1; }
    const next = Math.min(low + 1, at.length - 1);
    const part = at[next] > at[low] ? Math.min(1, Math.max(0, (ms - at[low]) / (at[next] - at[low]))) : 0;
    return x[low] + (x[next] - x[low]) * part;
  };
  return { at, x, gaps, place, end: Math.max(x[x.length - 1], 1), last: at[at.length - 1] };
})();

// --- words ------------------------------------------------------------------------------------

const names = new Map(run.lanes.map((lane) => [lane.id, lane.name]));
const ids = new RegExp([...names.keys()].join("|") || "$^", "g");
/** A text with the accounts' names in the place of their ids. */
const named = (text) => String(text).replace(ids, (id) => names.get(id)).replaceAll("/cn-hangzhou/", "/");

/** A value in one line. */
function brief(value) {
  if (value === null || typeof value !== "object") return named(value);
  if (Array.isArray(value)) return value.map(brief).join(", ");
  return Object.entries(value).map(([key, part]) =>
    part !== null && typeof part === "object" ? `${key} (${brief(part)})` : `${key} ${named(part)}`).join(" · ");
}

/** What differs between two values, as lines of path, before and after. */
function differences(before, after, path = "") {
  const isObject = (value) => value !== null && typeof value === "object";
  if (isObject(before) && isObject(after)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
    return [...keys].flatMap((key) => differences(before[key], after[key], path ? `${path}.${key}` : key));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}

const sections = { row: "Rows", identity: "Identities", holds: "Sources hold", vault: "Vaults hold", function: "Functions that run" };

/** What a thing's key says: its section, its type and its name. */
function thing(key) {
  const [head, ...rest] = key.split("/");
  const typed = head === "row" || head === "identity";
  return { section: head, type: typed ? rest[0] : "", name: named(rest.slice(typed ? 1 : 0).join("/")) };
}
