import { type Markup, markup } from "./markup.ts";

/** A whole document. It loads nothing and runs nothing, and says so to the browser. */
export function page(title: string, body: Markup): string {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`.text;
}

/** Colours tell series apart for people who see red and green alike too; patterns help where there are none. */
const STYLE = markup`
:root { --paper: #fff; --card: #f6f7f9; --ink: #1c2430; --soft: #586474; --rule: #d9dee5; --band: #e4572e22; --bandink: #b23a17;
  --good: #1a7f4b; --bad: #c22f2f; --s1: #2463c4; --s2: #e07b00; --s3: #0e8a7d; --s4: #a13bb0; --s5: #7b8794; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #12161c; --card: #1a2029; --ink: #e6ebf2; --soft: #9aa7b8; --rule: #323b48; --band: #ff7a4d2b; --bandink: #ff9d7a;
    --good: #4ecb8a; --bad: #ff7d7d; --s1: #6ea8ff; --s2: #ffae4a; --s3: #4bd1c2; --s4: #dc8cea; --s5: #93a1b2; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { margin: 0; font-size: 30px; line-height: 1.2; }
h2 { margin: 44px 0 12px; font-size: 21px; }
h3 { margin: 0; font-size: 16px; }
p { margin: 6px 0; }
.soft { color: var(--soft); }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: 10px 18px; }
.verdict { padding: 3px 14px; border-radius: 99px; white-space: nowrap; color: var(--paper); font-weight: 650; background: var(--good); }
.verdict.failed { background: var(--bad); }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 22px 0 0; padding: 0; }
.cards div { padding: 12px 16px; border-radius: 10px; background: var(--card); }
.cards dt { color: var(--soft); font-size: 14px; }
.cards dd { margin: 2px 0 0; font-size: 22px; font-weight: 620; font-variant-numeric: tabular-nums; }
.cards small { display: block; color: var(--soft); font-size: 13px; font-weight: 400; }
.plot { margin: 26px 0 0; }
.plot figcaption { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 2px 24px; }
.canvas { overflow-x: auto; }
.canvas svg { display: block; width: 100%; min-width: 740px; height: auto; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0; padding: 0; list-style: none; color: var(--soft); font-size: 14px; }
.legend .key { width: 26px; height: 10px; margin-right: 6px; }
svg text { fill: var(--soft); font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; font-variant-numeric: tabular-nums; }
svg text.fault { fill: var(--bandink); }
.grid { stroke: var(--rule); stroke-width: 1; }
.mark { stroke: var(--soft); stroke-width: 1; }
.lead { stroke: var(--bandink); stroke-width: 1; stroke-dasharray: 2 3; }
.band { fill: var(--band); }
path { fill: none; stroke-width: 1.8; stroke-linejoin: round; stroke-linecap: round; }
path.dashed { stroke-dasharray: 6 5; }
.s1 { stroke: var(--s1); fill: var(--s1); } .s2 { stroke: var(--s2); fill: var(--s2); } .s3 { stroke: var(--s3); fill: var(--s3); }
.s4 { stroke: var(--s4); fill: var(--s4); } .s5 { stroke: var(--s5); fill: var(--s5); }
circle { stroke: none; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 15px; font-variant-numeric: tabular-nums; }
th, td { padding: 7px 14px 7px 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
td:first-child, th { overflow-wrap: normal; }
th { color: var(--soft); font-weight: 500; }
td.number, th.number { text-align: right; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
pre { margin: 0; padding: 16px; overflow-x: auto; border-radius: 10px; background: var(--card); font: 13px/1.5 ui-monospace, Menlo, Consolas, monospace; }
.note { color: var(--soft); font-size: 14px; }
`;
