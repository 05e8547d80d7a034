import { colorProperties } from './colors.ts';

/** The style sheet of the page: system fonts, two themes, paper. Nothing in it comes from a report. */
export const pageStyle = `
:root{color-scheme:light dark;${colorProperties('light')}--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace}
@media (prefers-color-scheme:dark){:root{${colorProperties('dark')}}}
@media print{:root{color-scheme:light;${colorProperties('light')}}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;scroll-behavior:smooth}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;overflow-wrap:anywhere}
.page{max-width:1120px;margin:0 auto;padding:40px 32px 64px}
h1{font-size:30px;line-height:1.2;letter-spacing:-.02em;font-weight:680;margin:0;overflow-wrap:anywhere}
h2{font-size:20px;line-height:1.3;letter-spacing:-.01em;font-weight:650;margin:0 0 4px}
h3{font-size:15px;font-weight:650;margin:28px 0 4px}
p{margin:0}
a{color:var(--afterText);text-underline-offset:2px}
:focus-visible{outline:2px solid var(--after);outline-offset:2px;border-radius:4px}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.skip{position:absolute;left:-999px}.skip:focus{left:16px;top:12px}
.eyebrow{font-size:13px;font-weight:600;color:var(--afterText);letter-spacing:.01em;margin-bottom:6px}
.subtitle{color:var(--soft);margin-top:8px}
nav{margin-top:18px;font-size:14px}
nav ul{display:flex;flex-wrap:wrap;gap:4px 20px;list-style:none;margin:0;padding:0}
nav a{display:inline-block;padding:2px 0;color:var(--soft);text-decoration:none}
nav a:hover{color:var(--ink);text-decoration:underline}
.alarm{margin-top:24px;padding:12px 16px;border-left:4px solid var(--bad);background:var(--badWash);border-radius:4px;font-weight:550}
.alarm strong{color:var(--bad);font-weight:700}
.cards{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:0 20px;margin-top:28px}
.card{display:grid;grid-template-rows:subgrid;grid-row:span 5;border:1px solid var(--line);border-radius:12px;padding:20px 22px 18px}
.card h2{font-size:14px;font-weight:600;color:var(--soft);letter-spacing:0;margin:0}
.big{font-size:42px;line-height:1.15;font-weight:680;letter-spacing:-.03em;margin-top:2px;font-variant-numeric:tabular-nums}
.big.absent{font-size:26px;line-height:48px;letter-spacing:-.015em;color:var(--soft)}
.big.good{color:var(--afterText)}.big.bad{color:var(--bad)}
.unit{font-size:19px;font-weight:600;letter-spacing:-.01em}
.certainty{color:var(--soft);font-size:13.5px}
.mini{align-self:start;width:100%;border-collapse:collapse;margin:12px 0 14px;font-size:13.5px}
.mini th{font-weight:400;text-align:left;color:var(--soft);padding:3px 12px 3px 0;white-space:nowrap;width:1%}
.mini td{padding:3px 0}.mini td.chart{width:100%}
.mini td.number{padding-left:12px;text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.scale{display:flex;justify-content:space-between;font-size:12px;color:var(--soft)}
.measured,.certainty{overflow-wrap:anywhere}.measured{grid-row:5;padding-top:12px;border-top:1px solid var(--line);color:var(--soft);font-size:13px;line-height:1.45}
.measured strong{color:var(--ink);font-weight:600}
section:not(.cards){margin-top:52px}
.lead{color:var(--soft);max-width:76ch;margin-bottom:12px}
.lead .name{color:var(--ink)}
.note{color:var(--soft);font-size:13.5px;margin-top:10px;max-width:84ch}
.table{position:relative;overflow-x:auto;margin-top:8px;max-width:100%}
.table table{width:100%;border-collapse:collapse;font-size:14px}
.table th,.table td{padding:7px 14px 7px 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);font-weight:400}
.table th:last-child,.table td:last-child{padding-right:0}
.table thead th{font-size:12.5px;font-weight:600;color:var(--soft);white-space:nowrap;vertical-align:bottom}
.table .text,.table .number{overflow-wrap:break-word}
.table .number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.table thead .name{font-family:inherit}
.table .chart{width:38%;min-width:120px}
.table td.chart{padding-top:12px}
.table tbody .name,.name,.names{font-family:var(--mono);font-size:12.5px;overflow-wrap:anywhere}
.table tbody .name{min-width:150px;line-height:21px}
.names{list-style:none;margin:0;padding:0;columns:2;column-gap:24px}
.stage{display:block;font-weight:600}
.detail{color:var(--soft);font-size:13px;font-family:inherit}
.interval{color:var(--soft);font-size:12.5px;margin-left:4px}
details{border-bottom:1px solid var(--line)}
summary{padding:9px 0;cursor:pointer;font-weight:550}
summary:hover{color:var(--afterText)}
details>.table{margin:0 0 16px;max-height:520px;overflow:auto}
details thead th{position:sticky;top:0;background:var(--paper)}
#bytes details:first-of-type,.plot+details{margin-top:8px}
.plot{margin:10px 0 4px}
.for-medium,.for-narrow{display:none}
svg{display:block}
.plot svg{width:100%;height:auto;overflow:visible}
.bar{width:100%;height:12px}.track{background:var(--wash);border-radius:2px}
.fill-before{fill:var(--before)}.fill-after{fill:var(--after)}.fill-float{fill:var(--float)}.fill-faint{fill:var(--afterWash)}
.stroke-before,.stroke-after{stroke-width:2}.stroke-before{stroke:var(--before)}.stroke-after{stroke:var(--after)}
.axis{stroke:var(--line);stroke-width:1}.grid{stroke:var(--line);stroke-width:1}
svg text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,Arial,sans-serif;fill:var(--ink)}
svg .tick{fill:var(--soft);font-weight:400}
svg .chart-title{font-size:13px;font-weight:600}
svg .point-name{font:11px var(--mono);paint-order:stroke;stroke:var(--paper);stroke-width:3px}
.treemap rect{stroke:var(--paper);stroke-width:1}
.cell-before{fill:var(--beforeWash)}.cell-int8{fill:var(--afterWash)}.cell-float{fill:var(--floatWash)}.cell-other{fill:var(--otherWash)}
.treemap text{font-size:11.5px;pointer-events:none}.treemap .cell-size{fill:var(--ink);font-weight:600}
.treemap .chart-title{font-size:13px}
.hatch{pointer-events:none}.hatch-line{stroke:var(--float);stroke-width:.9;fill:none;opacity:.38}
.treemap .on rect:first-of-type{stroke:var(--ink);stroke-width:2.5;paint-order:normal}
.legend{display:flex;flex-wrap:wrap;gap:4px 20px;list-style:none;margin:0;padding:0;font-size:13px;color:var(--soft)}
.legend li{display:flex;align-items:center;gap:7px}
.readout{min-height:21px;font:12.5px/21px var(--mono);color:var(--ink);overflow-wrap:anywhere}
.stem{fill:none;stroke:var(--after);stroke-width:1;opacity:.45}
.hollow{fill:var(--paper);stroke:var(--float);stroke-width:1.6}
.median{stroke:var(--ink);stroke-width:2}.quantile{fill:var(--ink)}
.warnings{margin:8px 0 0;padding:0;list-style:none}
.warnings li{padding:10px 0;border-bottom:1px solid var(--line)}
.warnings code{color:var(--floatText);margin-right:8px}
code,pre{font-family:var(--mono);font-size:13px}
pre{position:relative;margin:6px 0 0;padding:12px 84px 12px 14px;background:var(--wash);border-radius:8px;overflow-x:auto;white-space:pre-wrap;overflow-wrap:anywhere}
pre button{position:absolute;right:8px;top:7px;font:600 12.5px system-ui,sans-serif;padding:5px 10px;border:1px solid var(--line);border-radius:6px;background:var(--paper);color:var(--ink);cursor:pointer}
.facts{display:grid;grid-template-columns:1fr 1fr;gap:0 32px;margin:24px 0 12px;font-size:14px}
.facts div{display:flex;gap:16px;padding:7px 0;border-bottom:1px solid var(--line)}
.facts dt{flex:0 0 112px;color:var(--soft)}.facts dd{margin:0;overflow-wrap:anywhere;min-width:0}
footer{margin-top:56px;padding-top:16px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}
footer p{max-width:90ch}footer p+p{margin-top:6px}
@media screen and (max-width:980px){.cards{grid-template-columns:minmax(0,1fr);gap:20px}.card{grid-row:auto;grid-template-rows:none}.for-wide{display:none}.for-medium{display:block}}
@media screen and (max-width:620px){.page{padding:24px 16px 40px}h1{font-size:25px}.big{font-size:38px}.cards{gap:14px}.card{padding:16px}
.for-medium{display:none}.for-narrow{display:block}.optional{display:none}.facts{grid-template-columns:1fr}.names{columns:1}
section:not(.cards){margin-top:40px}.interval{display:block;margin:0}.table thead th{white-space:normal}.table .chart{width:22%;min-width:64px}.table tbody .name{min-width:110px}.table th,.table td{padding-right:10px}pre{padding-right:14px}pre button{position:static;display:block;margin-top:8px}}
@media print{@page{margin:14mm}.page{max-width:none;padding:0}body{font-size:11.5px;-webkit-print-color-adjust:exact;print-color-adjust:exact}nav,.skip,pre button,.readout{display:none}
.cards{grid-template-columns:repeat(3,minmax(0,1fr));gap:0 10px}.card{grid-row:span 5;grid-template-rows:subgrid}.card{padding:12px}.big{font-size:28px}.unit{font-size:14px}.for-wide,.for-narrow{display:none}.for-medium{display:block}
section:not(.cards){margin-top:26px}.card,.plot,tr,pre,.alarm,.legend{break-inside:avoid}h2,h3,.lead{break-after:avoid}.table,details>.table{overflow:visible;max-height:none}.optional{display:table-cell}.table table,.mini,.certainty,.measured,.note,.detail,.legend{font-size:10.5px}.table tbody .name,.name,.names,code,pre{font-size:9.5px}.table thead th,.interval,.scale{font-size:10px}.table th,.table td{padding-top:4px;padding-bottom:4px}h1{font-size:24px}h2{font-size:15px}
.table .chart{width:24%;min-width:80px}thead{display:table-header-group}details thead th{position:static}.facts{grid-template-columns:1fr 1fr;font-size:11px}details:not([open]){display:none}}
`;
