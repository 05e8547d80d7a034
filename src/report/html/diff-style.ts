/** What the page of a comparison has beside the style of a report. Nothing in it comes from a model. */
export const diffStyle = `
h1 .arrow{color:var(--soft);font-weight:400;padding:0 4px}
.sides td,.sides th{width:38%}.sides th:first-child{width:24%;color:var(--soft)}
.spectrum{width:100%;height:22px;border-radius:6px}
.kind-unchanged{fill:var(--beforeWash)}.kind-renamed,.kind-stored-otherwise{fill:var(--before)}
.kind-quantized,.kind-dequantized,.kind-added{fill:var(--after)}.kind-fused,.kind-split{fill:var(--afterWash)}
.kind-changed,.kind-replaced{fill:var(--float)}.kind-removed{fill:var(--bad)}
.spectrum rect{stroke:var(--paper);stroke-width:1.5}
.legend .swatch{flex:none;width:12px;height:12px;border-radius:3px;stroke:var(--line)}
.legend strong{color:var(--ink);font-weight:600;font-variant-numeric:tabular-nums}
#nodes .legend{margin:10px 0 18px}
.table .chart{min-width:100px}#weights .chart{width:20%}
.was{color:var(--soft)}
.part{padding:12px 16px;border-left:4px solid var(--float);background:var(--wash);border-radius:4px;margin:10px 0 14px}
.part.same{border-color:var(--after)}
`;
