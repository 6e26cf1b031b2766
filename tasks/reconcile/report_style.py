"""How the HTML report looks: on a light screen, on a dark one, on a small one and on paper."""

STYLE = """
:root {
  color-scheme: light dark;
  --paper: #f6f7f9; --sheet: #ffffff; --ink: #1c2430; --soft: #5b6675; --line: #e1e5ea; --band: #f0f2f5;
  --link: #1f5fbf; --mark: #1f5fbf; --yes: #1d7f4f; --almost: #a86400; --no: #b9323a; --unknown: #5b6675;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --paper: #11151b; --sheet: #1a2029; --ink: #e6eaf0; --soft: #9aa6b5; --line: #2c3542; --band: #222a35;
    --link: #7fb1ff; --mark: #7fb1ff; --yes: #55c48c; --almost: #e3a94f; --no: #f2868c; --unknown: #9aa6b5;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main { max-width: 1240px; margin: 0 auto; padding: 32px 24px 64px; }
a { color: var(--link); }
header, section, dl > div { background: var(--sheet); border: 1px solid var(--line); border-radius: 10px; }
header { padding: 24px 28px; border-left: 8px solid var(--unknown); }
header.yes { border-left-color: var(--yes); }
header.almost { border-left-color: var(--almost); }
header.no { border-left-color: var(--no); }
.question {
  display: flex; flex-wrap: wrap; gap: 4px 24px; justify-content: space-between; color: var(--soft);
}
h1 { margin: 6px 0 8px; font-size: 30px; line-height: 1.2; letter-spacing: -0.01em; }
header p { margin: 0; }
dl { display: grid; grid-template-columns: repeat(4, 1fr); gap: 12px; margin: 16px 0; }
dl > div { display: flex; flex-direction: column-reverse; justify-content: flex-end; padding: 14px 18px; }
dt { color: var(--soft); font-size: 13px; }
dd {
  margin: 0; font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
section { margin-top: 16px; padding: 20px 28px 24px; }
h2 { margin: 0 0 12px; font-size: 19px; }
h3 { display: inline; margin: 0; font-size: 15px; }
section p { margin: 8px 0 0; color: var(--soft); }
section p b { color: var(--ink); font-weight: 600; }
details { margin-top: 16px; padding-top: 14px; border-top: 1px solid var(--line); }
details p { margin: 6px 0 10px; max-width: 80ch; }
summary { cursor: pointer; }
summary span {
  margin-left: 6px; padding: 1px 9px; border-radius: 9px; background: var(--band); color: var(--soft);
  font-size: 13px; font-variant-numeric: tabular-nums;
}
.gt_table { width: 100%; border-collapse: collapse; font-size: 13.5px; }
.gt_col_heading {
  padding: 7px 10px; border-bottom: 1px solid var(--line); background: var(--band); color: var(--soft);
  font-weight: 600; vertical-align: bottom;
}
.gt_row {
  padding: 7px 10px; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere;
  min-width: 4em;
}
.gt_table_body tr:last-child .gt_row { border-bottom: 0; }
/* The tables of all kinds of mismatches stand under one another in the same columns. */
details .gt_table { table-layout: fixed; }
details .gt_col_heading:nth-child(1) { width: 5%; }
details .gt_col_heading:nth-child(2) { width: 12%; }
details .gt_col_heading:nth-child(3) { width: 9%; }
details .gt_col_heading:nth-child(6) { width: 10%; }
details .gt_col_heading:nth-child(n+7) { width: 9%; }
.gt_left { text-align: left; }
.gt_right { text-align: right; font-variant-numeric: tabular-nums; }
.rates { display: flex; flex-wrap: wrap; gap: 14px 44px; margin-top: 18px; color: var(--soft); }
.rates b { color: var(--ink); font-size: 26px; font-variant-numeric: tabular-nums; }
.rates small { display: block; font-size: 13px; }
header .meaning { margin-top: 8px; padding: 0; border: 0; color: var(--soft); font-size: 13px; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 16px 28px; }
.charts figure { margin: 0; min-width: 0; }
.charts svg { display: block; width: 100%; height: auto; }
.charts svg text { font-family: inherit !important; }
.charts svg * { stroke-linejoin: round; }
figcaption { margin-bottom: 6px; color: var(--soft); font-size: 13px; }
figcaption b { color: var(--ink); font-size: 15px; }
.under { display: block; margin: 18px 0 8px; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 0 16px; align-items: start; }
.pair section { min-width: 0; }
.pair section:only-child { grid-column: 1 / -1; }
@media screen and (max-width: 900px) {
  .pair { grid-template-columns: 1fr; }
  .pair .gt_table { min-width: 0; }
  dl { grid-template-columns: repeat(2, 1fr); }
  .gt_table { min-width: 860px; }
  main { padding: 12px 8px 32px; }
  header, section { padding: 16px; }
  h1 { font-size: 24px; }
}
@media print {
  @page { size: A4 landscape; margin: 12mm; }
  :root { --paper: #ffffff; --band: #ffffff; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  section { padding: 12px 0; border: 0; border-radius: 0; }
  .gt_table { font-size: 8.5pt; }
  .gt_col_heading, .gt_row { padding: 3px 6px; }
  /* A box that scrolls is never broken across pages. */
  section > div, details > div { overflow: visible !important; }
  h2, h3, summary, details p { break-after: avoid; }
  dl > div, tr, figure { break-inside: avoid; }
}
"""
