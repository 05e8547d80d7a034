import { ratio } from './bars.mjs';
import { count, fixed, percent, table } from './table.mjs';

/** One line per model and recipe. */
export function resultTable(rows) {
  const header = [
    ...['model', 'recipe', 'float', '.onnx', '.epk', 'epk/xz', 'float top-1', 'exact', 'host', 'agree', 'SQNR dB'],
    ...['integer', 's', 'MiB', 'ms', 'int8/float'],
  ];
  const lines = rows.map((row) => [
    row.model,
    row.recipe,
    count(row.originalBytes),
    count(row.onnxBytes),
    count(row.epkBytes),
    fixed(ratio(row.epkBytes, row.onnxXzBytes), 3),
    percent(row.originalTop1, 2),
    percent(row.exact?.top1, 2),
    percent(row.host?.top1, 2),
    percent(row.exact?.agreement, 2),
    fixed(row.exact?.sqnrDb, 1),
    percent(row.integerShare?.total),
    fixed(row.seconds, 1),
    fixed(row.peakMemoryMib, 0),
    fixed(row.latency.int8Ms, 3),
    fixed(row.latency.ratioToFloat),
  ]);
  return table(header, lines);
}

/** The accurate recipe beside the peer: both files scored by the peer's script, in exact arithmetic. */
export function peerTable(rows, peers) {
  const header = [
    ...[
      'model',
      'file',
      'top-1 exact',
      'agree',
      'SQNR dB',
      '.onnx',
      's',
      'MiB',
      'ms',
      's ratio',
      'MiB ratio',
      'ms ratio',
    ],
  ];
  const lines = peers.flatMap((peer) => {
    const row = rows.find(({ model, sameScript }) => model === peer.model && sameScript !== undefined);
    if (row === undefined) return [];
    const line = (label, exact, bytes, seconds, mib, ms, ratios) => [
      peer.model,
      label,
      percent(exact.top1, 2),
      percent(exact.agree, 2),
      fixed(exact.sqnr_db, 1),
      count(bytes),
      fixed(seconds, 1),
      fixed(mib, 0),
      fixed(ms, 3),
      ...ratios,
    ];
    const ratios = [row.secondsToPeer, row.peakMemoryToPeer, row.latency.ratioToPeer].map((value) => fixed(value));
    return [
      line('edgepack', row.sameScript.exact, row.onnxBytes, row.seconds, row.peakMemoryMib, row.latency.int8Ms, ratios),
      line(peer.tool, peer.exact, peer.onnxBytes, peer.seconds, peer.peakMemoryMib, row.latency.peerMs, ['', '', '']),
    ];
  });
  return table(header, lines);
}

/** Every bar that applies, with its verdict. */
export function barTable(entries) {
  const lines = entries.flatMap(({ row, bars }) =>
    bars.map(({ what, value, limit, relation, holds }) => [
      row.model,
      row.recipe,
      what,
      compact(value),
      `${relation} ${compact(limit)}`,
      holds ? 'holds' : 'MISSED',
    ]),
  );
  return table(['model', 'recipe', 'what', 'measured', 'bar', ''], lines);
}

/** How much smaller the `.epk` of the default recipe is than the accurate one's, by model. */
export function balancedGain(rows) {
  const of = (model, recipe) => rows.find((row) => row.model === model && row.recipe === recipe);
  return [...new Set(rows.map(({ model }) => model))].flatMap((model) => {
    const gain = ratio(of(model, 'balanced')?.epkBytes, of(model, 'accurate')?.epkBytes);
    return gain === null ? [] : [`${model}: .epk of balanced / accurate ${gain.toFixed(3)}`];
  });
}

function compact(value) {
  return Math.abs(value) >= 1000 ? count(Math.round(value)) : String(Number(value.toFixed(4)));
}
