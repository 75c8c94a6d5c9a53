// The looks of a report: those of the page, in both themes, and on paper. It travels inside the file.

export const reportStyle = `
:root { color-scheme: light dark; --ink: light-dark(#14181f,#ebeef3); --ink-2: light-dark(#434c59,#b8c0cc);
--ink-3: light-dark(#5e6876,#929dab); --line: light-dark(#dfe3e9,#2a313c); --surface: light-dark(#fff,#14181f);
--sunken: light-dark(#edeff3,#1b2029); --large: light-dark(#2559dc,#6a9bff); --anneal: light-dark(#b24a0f,#f58a3c);
--human: light-dark(#531c5c,#f6c3f3); --bad: light-dark(#8f0f2c,#ff7a85);
--line-strong: light-dark(#7a8392,#717c8b); --on-accent: light-dark(#fff,#0d1015); --large-tint: light-dark(#eaf0fd,#16223a);
--anneal-tint: light-dark(#fbf0e6,#2d2014); --warm-tint: light-dark(#f0f1f4,#1c2128); --good: light-dark(#00705a,#5cc9ac); }
* { box-sizing: border-box; }
body { max-width: 960px; margin: 0 auto; padding: 28px 20px; background: var(--surface); color: var(--ink);
font: 14px/21px Inter, system-ui, sans-serif; font-variant-numeric: tabular-nums; }
h1 { margin: 0; font-size: 24px; line-height: 32px; overflow-wrap: anywhere; }
h1 small { font-size: 14px; font-weight: 400; color: var(--ink-3); }
h2 { margin: 32px 0 8px; font-size: 16px; }
.say { margin: 8px 0; font-size: 19px; line-height: 27px; color: var(--ink-2); text-wrap: pretty; }
.sub, footer, figcaption { color: var(--ink-3); font-size: 12px; overflow-wrap: anywhere; }
.note { padding-left: 10px; border-left: 3px solid var(--bad); }
.facts { display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; list-style: none; color: var(--ink-2); }
figure { margin: 0; }
svg { display: block; width: 100%; height: auto; }
.wide, pre { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: 5px 12px 5px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--ink-3); font-weight: 500; }
pre { padding: 12px; border: 1px solid var(--line); border-radius: 7px; background: var(--sunken); font: 12px/17px ui-monospace, monospace; }
summary { color: var(--ink-2); cursor: pointer; }
a { color: inherit; }
footer { margin-top: 32px; padding-top: 12px; border-top: 1px solid var(--line); }
@media print { body { max-width: none; } pre { white-space: pre-wrap; } h2 { break-after: avoid; } }
`
