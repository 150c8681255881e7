#include "reports/render_html_parts.h"

namespace assay::html {

namespace {

// Colours as variables, so that dark and print are each one block. Every text colour has at least 4.5:1
// against its ground.
constexpr std::string_view colours = R"css(
:root {
  --ground: #ffffff; --panel: #f6f7f9; --line: #dfe3e8; --text: #1c2530; --muted: #5b6675; --link: #1f5fae;
  --draw: #2b6cb8; --band: #2b6cb826; --grid: #e6e9ee;
  --pass: #14713f; --pass-soft: #e3f4ea; --fail: #b3261e; --fail-soft: #fdeceb;
  --inconclusive: #8a5a00; --inconclusive-soft: #fdf3dc; --not_measured: #5b6675; --not_measured-soft: #eef0f3;
  --waived: #6a459e; --waived-soft: #f2ecfa;
  --line-0: #0a5f9e; --line-1: #00745a; --line-2: #b04a00; --line-3: #a03a78;
}
@media (prefers-color-scheme: dark) { :root {
  --ground: #14171c; --panel: #1c2027; --line: #323945; --text: #e4e8ee; --muted: #9da8b7; --link: #86b6f2;
  --draw: #74aaf0; --band: #74aaf033; --grid: #2a303a;
  --pass: #5fcf94; --pass-soft: #16301f; --fail: #ff8b80; --fail-soft: #3a1b19;
  --inconclusive: #ebbb55; --inconclusive-soft: #332810; --not_measured: #9da8b7; --not_measured-soft: #262c35;
  --waived: #c1a1f0; --waived-soft: #2a2140;
  --line-0: #6cb8f0; --line-1: #3fc9a0; --line-2: #f19a4b; --line-3: #e79ac6;
} }
)css";

constexpr std::string_view text = R"css(
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--ground); color: var(--text); font-size: 15px; line-height: 1.55;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "PingFang SC",
    "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
code { font-family: ui-monospace, "SF Mono", "Cascadia Mono", Consolas, "DejaVu Sans Mono", monospace; font-size: .88em; overflow-wrap: anywhere; }
a { color: var(--link); text-decoration: none; }
a:hover { text-decoration: underline; }
h1, h2, h3, h4, h5, p, ul, ol, dl, dd, figure, blockquote { margin: 0; padding: 0; }
ul { list-style: none; }
h1 { font-size: 1.9rem; line-height: 1.2; font-weight: 650; letter-spacing: -.01em; overflow-wrap: anywhere; }
h2 { font-size: 1.35rem; line-height: 1.3; font-weight: 650; margin: 3.2rem 0 1rem; padding-top: 1.1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.06rem; font-weight: 650; margin: 2rem 0 .3rem; }
h5 { font-size: .82rem; font-weight: 650; color: var(--muted); margin-bottom: .25rem; }
small, .small { font-size: .82rem; color: var(--muted); }
.muted, .note .muted { color: var(--muted); }
.note { margin-bottom: .8rem; }
main { max-width: 1020px; margin: 0 auto; padding: 2.2rem 1.5rem 3rem; }
.kind { color: var(--muted); font-size: .92rem; margin-bottom: .2rem; }
footer { margin-top: 3.2rem; padding-top: 1rem; border-top: 1px solid var(--line); color: var(--muted); font-size: .82rem;
  display: flex; flex-wrap: wrap; justify-content: space-between; gap: .4rem 2rem; }
nav { padding: 1.2rem 1.5rem 0; max-width: 1020px; margin: 0 auto; font-size: .86rem; }
nav ol { list-style: none; }
nav li { margin: .22rem 0; line-height: 1.35; }
nav li ol { padding-left: .9rem; }
nav a { color: var(--muted); }
nav a:hover { color: var(--link); }
.nav-title { font-weight: 650; }
)css";

constexpr std::string_view blocks = R"css(
.verdict { margin-top: 1.4rem; padding: 1.4rem 1.6rem 1.5rem; border-radius: 10px; border: 1px solid var(--line);
  border-left: 6px solid var(--tone); background: var(--panel); }
.verdict.pass { --tone: var(--pass); } .verdict.fail { --tone: var(--fail); } .verdict.incomplete { --tone: var(--inconclusive); }
.verdict .word { color: var(--tone); font-size: 1.9rem; font-weight: 700; line-height: 1.2; letter-spacing: .01em; }
.verdict .lead { font-size: 1.14rem; margin-top: .25rem; }
.verdict .tally { color: var(--muted); font-size: .9rem; margin-top: .35rem; }
.verdict .quick { margin-top: 1.1rem; padding-top: .8rem; border-top: 1px solid var(--line); font-size: .9rem; color: var(--inconclusive); }
.share { display: flex; gap: 2px; height: 8px; margin-top: .9rem; border-radius: 4px; overflow: hidden; max-width: 560px; }
.share .pass { background: var(--pass); } .share .fail { background: var(--fail); } .share .inconclusive { background: var(--inconclusive); }
.share .not_measured { background: var(--line); } .share .waived { background: var(--waived); }
.lists { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 0 2.4rem; }
.lists h3 { font-size: .92rem; margin: 1.1rem 0 .3rem; }
.lists li { margin: .4rem 0; line-height: 1.4; }
.lists .telling { display: block; color: var(--muted); font-size: .88rem; }
.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 270px), 1fr)); gap: .9rem 2rem; }
.facts .wide { grid-column: 1 / -1; }
dt { color: var(--muted); font-size: .82rem; }
dd { overflow-wrap: anywhere; }
.badge { display: inline-block; white-space: nowrap; padding: .06rem .5rem; border-radius: 999px; font-size: .8rem; font-weight: 600;
  color: var(--muted); background: var(--not_measured-soft); }
.badge.pass, .badge.measured { color: var(--pass); background: var(--pass-soft); }
.badge.fail { color: var(--fail); background: var(--fail-soft); }
.badge.inconclusive { color: var(--inconclusive); background: var(--inconclusive-soft); }
.badge.waived { color: var(--waived); background: var(--waived-soft); }
table { width: 100%; border-collapse: collapse; }
th { text-align: left; font-weight: 600; }
thead th { color: var(--muted); font-size: .8rem; font-weight: 500; padding: .35rem .6rem; border-bottom: 1px solid var(--line); vertical-align: bottom; }
td, tbody th { padding: .5rem .6rem; vertical-align: baseline; }
th:first-child, td:first-child { padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; }
.number.words { white-space: normal; }
.number small { display: block; }
.value { font-weight: 650; } .value.none { font-weight: 400; color: var(--muted); }
.requirements tbody { border-bottom: 1px solid var(--line); }
.requirements { table-layout: fixed; }
.requirements th:nth-child(1) { width: 138px; } .requirements th:nth-child(3) { width: 164px; }
.requirements th:nth-child(4) { width: 142px; } .requirements th:nth-child(5) { width: 172px; }
.requirements .position { vertical-align: middle; }
.requirements .main td, .requirements .main th { padding-top: .75rem; padding-bottom: .2rem; }
.requirements .main code { display: block; color: var(--muted); font-weight: 400; }
.requirements .more td { padding-top: .1rem; padding-bottom: .85rem; }
.details { display: grid; grid-template-columns: minmax(0, 11fr) minmax(0, 14fr); gap: .3rem 1.8rem; font-size: .88rem; line-height: 1.5; }
.details .line { margin-bottom: .2rem; }
.details b { font-weight: 600; }
.why b { color: var(--inconclusive); } .fail .why b { color: var(--fail); } .not_measured .why b { color: var(--muted); }
blockquote { border-left: 3px solid var(--line); padding-left: .7rem; margin-bottom: .45rem; }
blockquote cite { display: block; font-style: normal; color: var(--muted); font-size: .92em; }
q { quotes: "「" "」"; }
.contradictions { padding-left: 1.6rem; }
.contradictions li { padding: .7rem 0 .7rem .3rem; border-bottom: 1px solid var(--line); }
.contradictions .details { font-size: .92rem; }
.contradictions .small { margin-top: .3rem; }
:target { background: color-mix(in srgb, var(--link) 9%, transparent); }
)css";

constexpr std::string_view measurements = R"css(
.case { margin: 0 0 2.2rem; padding-top: .2rem; }
.case h3 { margin-top: 1.4rem; }
.case h4 { font-size: .94rem; margin-top: .9rem; } .case .case { margin-bottom: .9rem; }
.case h3 code, .case h4 code { font-size: 1em; } .case h3 .telling, .case h4 .telling { font-weight: 400; color: var(--muted); margin-right: .3rem; overflow-wrap: anywhere; }
.case .reason { margin: .4rem 0; padding: .5rem .8rem; border-radius: 6px; background: var(--panel); }
summary { cursor: pointer; color: var(--link); font-size: .9rem; } details > .case { padding-left: 1rem; border-left: 2px solid var(--line); }
.chips { display: grid; grid-template-columns: 8.6rem minmax(0, 1fr); margin-top: .35rem; font-size: .84rem; }
.chips b { font-weight: 600; color: var(--muted); }
.chips ul { display: flex; flex-wrap: wrap; gap: .15rem 1rem; min-width: 0; }
.chips li { overflow-wrap: anywhere; } .chips span { color: var(--muted); }
.metrics { margin-top: .8rem; font-size: .9rem; }
.metrics tbody { border-bottom: 1px solid var(--line); }
.metrics td, .metrics tbody th { padding-top: .38rem; padding-bottom: .38rem; }
.metrics tbody th { font-weight: 400; }
.metrics small { display: inline; }
.metrics .remarks td { color: var(--muted); font-size: .84rem; padding-top: 0; padding-bottom: .5rem; }
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 400px), 1fr)); gap: 1rem 1.6rem; margin-top: 1rem; }
figure { max-width: 520px; min-width: 0; }
figcaption { font-size: .84rem; font-weight: 600; overflow-wrap: anywhere; } figcaption small { font-weight: 400; }
svg { display: block; width: 100%; height: auto; }
svg text { font-size: 10.5px; fill: var(--muted); font-family: inherit; }
svg .e { text-anchor: end; } svg .m { text-anchor: middle; } svg .k { fill: var(--text); font-size: 10px; paint-order: stroke; stroke: var(--ground); stroke-width: 3px; }
svg .g { stroke: var(--grid); } svg .a { stroke: var(--muted); stroke-width: .7; fill: none; }
svg .l, svg .p { stroke: var(--draw); fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round; stroke-linecap: round; }
svg .l { stroke-width: 1.3; } svg .p { stroke-width: 3.4; stroke-opacity: .6; }
svg .b { fill: var(--band); } svg .d { stroke: var(--text); stroke-width: .9; stroke-dasharray: 4 3; }
.telemetry { margin-top: 1rem; }
svg .t { fill: var(--inconclusive); fill-opacity: .16; }
svg .x { stroke: var(--fail); stroke-width: 1.2; }
svg .i { stroke: var(--inconclusive); stroke-width: 1; stroke-dasharray: 1.5 2.5; } svg .h { fill: var(--draw); }
.curve { margin-top: 1rem; } .curve figure { max-width: 860px; } svg.narrow { display: none; }
.curve .c0 { color: var(--line-0); } .curve .c1 { color: var(--line-1); } .curve .c2 { color: var(--line-2); } .curve .c3 { color: var(--line-3); }
.curve .l { stroke: currentColor; stroke-width: 1.6; } .curve .l.c0 { stroke-width: 2.2; } .curve .v { fill: currentColor; stroke: var(--ground); stroke-width: 1; }
.curve .k { font-size: 10.5px; } .curve .n { fill: currentColor; font-weight: 600; } .curve .u { font-weight: 600; }
.curve .z { fill: var(--pass); fill-opacity: .09; } .curve .r { stroke: var(--text); stroke-width: 1; stroke-dasharray: 5 3; }
.curve .h { stroke: var(--text); stroke-width: 1; stroke-dasharray: 2 4; opacity: .65; }
.curve .f { stroke: currentColor; stroke-width: .9; stroke-dasharray: 1.5 2.5; } .curve .o { fill: none; stroke: currentColor; stroke-width: 1.5; }
.roofline { margin-bottom: 2rem; } .roofline tbody th { white-space: nowrap; } .roofline .small { margin-top: .4rem; }
.roofline .roof { fill: none; stroke: var(--text); stroke-width: 1.6; } .roofline .slope { stroke-width: 2.2; }
.derived .kind th { color: var(--muted); font-size: .8rem; font-weight: 500; vertical-align: bottom; padding-top: 1.3rem; border-bottom: 1px solid var(--line); }
.derived .kind th:first-child { color: var(--text); font-size: .9rem; font-weight: 600; }
.points { margin-top: .6rem; max-width: 860px; font-size: .86rem; }
.points td, .points tbody th { padding: .22rem .6rem; border-bottom: 1px solid var(--grid); } .points tbody th { font-weight: 600; }
.points th:first-child { padding-left: 0; } .points th:last-child, .points td:last-child { padding-right: 0; }
svg.mark { width: 160px; max-width: 100%; }
.mark .z { fill: var(--pass); fill-opacity: .13; } .mark .v { fill: var(--muted); fill-opacity: .75; }
.mark.pass .v { fill: var(--pass); } .mark.fail .v { fill: var(--fail); } .mark.inconclusive .v { fill: var(--inconclusive); }
.mark .t { stroke: var(--text); stroke-width: 1.6; } .mark .w { stroke: var(--text); stroke-width: 1; fill: none; }
.below { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 280px), 1fr)); gap: .9rem 2rem; margin-top: .9rem; font-size: .88rem; }
.below li { margin: .15rem 0; } .below b { font-weight: 600; }
.notes li { color: var(--muted); overflow-wrap: anywhere; }
.checks .pass .sign, .checks .pass b { color: var(--pass); } .checks .fail .sign, .checks .fail b { color: var(--fail); }
.machine { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); gap: .4rem 2.6rem; align-items: start; }
.group h3 { margin-top: 1rem; }
.group dl > div { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 5fr); gap: .8rem; padding: .3rem 0; border-bottom: 1px solid var(--line); }
.group dt { line-height: 1.55; font-size: .86rem; overflow-wrap: anywhere; } .group dd { font-size: .9rem; }
.group p { font-size: .9rem; margin: .4rem 0; }
)css";

constexpr std::string_view media = R"css(
@media screen and (min-width: 1180px) {
  body { display: grid; grid-template-columns: 236px minmax(0, 1fr); }
  nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; margin: 0; padding: 2.4rem 0 2rem 1.6rem; }
  main { padding-left: 2.4rem; padding-right: 2.4rem; margin: 0; width: 100%; }
}
@media screen and (max-width: 1179px) { nav li ol { display: none; } nav ol { display: flex; flex-wrap: wrap; gap: .1rem 1.2rem; } .nav-title { display: none; } }
@media screen and (max-width: 720px) {
  main { padding: 1.2rem 1rem 2.4rem; } nav { padding: .8rem 1rem 0; }
  h1 { font-size: 1.5rem; } h2 { margin-top: 2.4rem; }
  .verdict { padding: 1.1rem 1.1rem 1.2rem; } .verdict .word { font-size: 1.6rem; }
  .details, .chips { grid-template-columns: minmax(0, 1fr); }
  .stack thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stack, .stack tbody, .stack tr, .stack th, .stack td { display: block; width: auto; }
  .stack tbody { padding: .7rem 0; }
  .stack td, .stack tbody th, .stack .main td, .stack .main th, .stack .more td { padding: .1rem 0; }
  .stack td:empty { display: none; }
  .stack .number { text-align: left; white-space: normal; display: flex; flex-wrap: wrap; gap: 0 .6rem; align-items: baseline; }
  .stack .number::before { content: attr(data-label); color: var(--muted); font-size: .82rem; min-width: 7.2rem; }
  .stack.requirements th { width: auto; } .stack .kind th:not(:first-child) { display: none; }
  .stack.derived tr { padding: .3rem 0; }
  .requirements .position svg { width: 100%; max-width: 260px; }
  .curve figure { max-width: 480px; } svg.wide { display: none; } svg.narrow { display: block; }
  .points { font-size: .78rem; } .points .spare { display: none; } .points th { overflow-wrap: normal; }
  .points td, .points th { padding-left: .3rem; padding-right: 0; }
  .group dl > div { grid-template-columns: minmax(0, 1fr); gap: 0; }
}
@media screen and (max-width: 359px) { .points { font-size: .68rem; } }
@page { size: A4; margin: 15mm 14mm 16mm; }
@media print {
  :root {
    --ground: #ffffff; --panel: #ffffff; --line: #ccd2d9; --text: #000000; --muted: #48515d; --link: #000000;
    --draw: #1f5fae; --band: #1f5fae26; --grid: #e2e5ea;
    --pass: #0f6336; --pass-soft: #ffffff; --fail: #a3160f; --fail-soft: #ffffff; --inconclusive: #7a4f00; --inconclusive-soft: #ffffff;
    --not_measured: #48515d; --not_measured-soft: #ffffff; --waived: #57358a; --waived-soft: #ffffff;
    --line-0: #0a5f9e; --line-1: #00745a; --line-2: #b04a00; --line-3: #a03a78;
  }
  html { font-size: 12px; } body { font-size: 9pt; line-height: 1.38; }
  .lists { grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); } .facts { grid-template-columns: repeat(3, 1fr); }
  .details { font-size: 8.4pt; line-height: 1.4; } small, .small { font-size: 7.6pt; } .requirements .main td, .requirements .main th { padding-top: .5rem; }
  .requirements .more td { padding-bottom: .5rem; } .contradictions .details { font-size: 8.6pt; } .contradictions li { padding: .4rem 0 .3rem .3rem; }
  nav, footer a { display: none; }
  main { max-width: none; padding: 0; }
  h1 { font-size: 19pt; } h2 { font-size: 14pt; margin-top: 1.6rem; padding-top: .7rem; } h3 { font-size: 11pt; margin-top: 1.1rem; }
  h2, h3, h4, h5, .note { break-after: avoid; }
  .verdict, .requirement, blockquote, figure, .group dl > div, .metrics tbody, .points tr, .facts > div { break-inside: avoid; }
  .badge { border: 1px solid currentColor; }
  .share, .mark, .curve, .verdict, .badge { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .charts { grid-template-columns: 1fr 1fr; } .machine { grid-template-columns: 1fr 1fr; }
  .requirements th:nth-child(1) { width: 104px; } .requirements th:nth-child(3) { width: 118px; }
  .requirements th:nth-child(4) { width: 104px; } .requirements th:nth-child(5) { width: 126px; } svg.mark { width: 116px; }
  .metrics, .points { font-size: 8.4pt; } .case { margin-bottom: 1.2rem; }
  :target { background: none; }
}
)css";

}  // namespace

std::string_view style_sheet() {
    static const std::string whole = std::string(colours) + std::string(text) + std::string(blocks) +
                                     std::string(measurements) + std::string(media);
    return whole;
}

}  // namespace assay::html
