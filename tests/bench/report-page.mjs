// The results as one page to look at: a bar a row, in light and in dark, and nothing that is loaded from elsewhere.
import { cells, software, tablesOf } from "./report.mjs";

/** HTML of results. */
export function page(results) {
  const { machine, groups, date } = results;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>keybound: benchmarks</title>
<style>${STYLE}</style>
</head>
<body>
<main>
<h1>keybound: benchmarks</h1>
<p>${escape(date.slice(0, 10))}, on ${escape(machine.words)}. ${escape(software(machine.versions))}.</p>
<p class="key"><span class="ours"></span>keybound <span class="limit"></span>a limit: the platform alone <span class="peer"></span>what others use instead.
A bar ends at the median; the line across its end spans the middle half of the rounds.</p>
${bounds(groups)}
${groups.map(section).join("\n")}
</main>
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --text: #1c2430; --quiet: #5a6676; --back: #fcfcfd; --line: #d9dee6; --ours: #0b6bcb; --limit: #8a94a3; --peer: #c9a15a; --good: #1a7f4b; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --text: #e6eaf0; --quiet: #9ba7b7; --back: #12161c; --line: #2c3440; --ours: #58a6ff; --limit: #6c7888; --peer: #b48a45; --good: #56c98a; --bad: #ff8a80; } }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back); }
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.7rem; margin: 0 0 .5rem; } h2 { margin: 3rem 0 0; border-top: 1px solid var(--line); padding-top: 1.5rem; } h3 { font-size: 1rem; margin: 1.75rem 0 .25rem; }
.key, .date, li, td, th { color: var(--quiet); font-size: .9rem; }
.key span { display: inline-block; width: .8em; height: .8em; border-radius: 2px; margin: 0 .35em 0 1em; } .key span:first-child { margin-left: 0; }
.ours { background: var(--ours); fill: var(--ours); } .limit { background: var(--limit); fill: var(--limit); } .peer { background: var(--peer); fill: var(--peer); }
.wide { overflow-x: auto; } svg { display: block; width: 100%; min-width: 44rem; height: auto; font: 13px system-ui, sans-serif; }
svg text { fill: var(--text); } svg .quiet { fill: var(--quiet); } svg .spread { stroke: var(--text); stroke-width: 1.5; opacity: .65; } svg .strong { font-weight: 600; }
td:last-child { white-space: nowrap; } .met, svg .met { color: var(--good); fill: var(--good); } .missed, svg .missed { color: var(--bad); fill: var(--bad); font-weight: 600; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top; } td:first-child { color: var(--text); }
`;

function bounds(groups) {
  const rows = groups.flatMap(({ rows }) => rows).filter(({ bound }) => bound !== undefined);
  if (rows.length === 0) return "";
  const lines = rows.map((row) => {
    const { measured } = cells(row);
    const verdict = row.met ? `<span class="met">✓ met</span>` : `<span class="missed">✗ not met</span>`;
    return `<tr><td>${escape(`${row.table}: ${row.name}`)}</td><td>${escape(row.bound)}</td><td>${escape(measured)}</td><td>${verdict}</td></tr>`;
  });
  const met = rows.filter(({ met }) => met).length;
  return `<h2>What must hold: ${met} of ${rows.length}</h2>
<div class="wide"><table><tr><th>what</th><th>bound</th><th>measured</th><th></th></tr>${lines.join("")}</table></div>`;
}

function section({ title, date, quick, rows, notes }) {
  const charts = [...tablesOf(rows)].map(
    ([heading, members]) => `<h3>${escape(heading)}, ${escape(members[0].unit)}</h3>\n<div class="wide">${chart(heading, members)}</div>`,
  );
  const list = notes.length === 0 ? "" : `<ul>${notes.map((note) => `<li>${escape(note)}</li>`).join("")}</ul>`;
  return `<section><h2>${escape(title)}</h2><p class="date">${escape(date.slice(0, 10))}${quick ? ", quick mode" : ""}</p>\n${charts.join("\n")}\n${list}</section>`;
}

/** Of 960 units: names, bars, and what stands behind them. */
const [NAMES, BARS, WIDTH, ROW] = [290, 260, 960, 26];

function chart(heading, rows) {
  const most = Math.max(...rows.map((row) => Math.max(row.median, row.high ?? 0)), Number.MIN_VALUE);
  const x = (value) => NAMES + (Math.max(0, value) / most) * BARS;
  const bars = rows.map((row, index) => {
    const top = index * ROW + 4;
    const middle = top + ROW / 2 - 4;
    const text = cells(row);
    const spread = text.spread === "" ? "" : `<line class="spread" x1="${x(row.low).toFixed(1)}" x2="${x(row.high).toFixed(1)}" y1="${middle}" y2="${middle}"/>`;
    const verdict = text.bound === "" ? "" : `<tspan class="${row.met ? "met" : "missed"}" dx="8">${row.met ? "✓" : "✗"} ${escape(row.bound)}</tspan>`;
    return `<g><title>${escape(`${text.name}: ${text.median} ${row.unit} ${text.spread === "" ? "" : `(${text.spread})`} ${text.ratio}`)}</title>
<text x="${NAMES - 10}" y="${middle + 4}" text-anchor="end"${kindOf(row) === "ours" ? ' class="strong"' : ""}>${escape(text.name)}</text>
<rect class="${kindOf(row)}" x="${NAMES}" y="${top}" width="${Math.max(1, x(row.median) - NAMES).toFixed(1)}" height="${ROW - 9}" rx="2"/>${spread}
<text x="${NAMES + BARS + 12}" y="${middle + 4}">${escape(text.median)}<tspan class="quiet" dx="8">${escape(text.ratio)}</tspan>${verdict}</text></g>`;
  });
  return `<svg viewBox="0 0 ${WIDTH} ${rows.length * ROW + 6}" role="img" aria-label="${escape(heading)}">${bars.join("\n")}</svg>`;
}

function kindOf({ name, peer }) {
  if (name.includes("keybound")) return "ours";
  return peer === undefined ? "limit" : "peer";
}

const escape = (text) => String(text).replace(/[&<>"]/g, (character) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[character]);
