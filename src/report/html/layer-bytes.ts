import type { Report, ReportSizes } from '../report-schema.ts';

/** What a layer's constants take in the original and in the smallest file. */
export interface LayerBytes {
  readonly name: string;
  readonly kind: 'int8' | 'float' | 'other';
  readonly originalBytes: number;
  readonly onnxBytes: number;
  readonly epkBytes: number | null;
  /** Zeros / weights over its int8 weights; null where it has none. */
  readonly sparsityRatio: number | null;
}

type Row = ReportSizes['initializers'][number];

/** The rows of the size table by layer, largest first; what no node computes with keeps its own name; the overhead is the last. */
export function bytesByLayer({ sizes }: Report): readonly LayerBytes[] {
  const rows = new Map<string, Row[]>();
  for (const row of sizes.initializers) {
    const key = row.layer ?? row.name;
    const known = rows.get(key);
    if (known === undefined) rows.set(key, [row]);
    else known.push(row);
  }
  const layers = Array.from(rows, ([name, own]) => sumOf(name, own, sizes.epkBytes !== null));
  layers.sort((a, b) => b.originalBytes - a.originalBytes || b.onnxBytes - a.onnxBytes || (a.name < b.name ? -1 : 1));
  const { overhead } = sizes;
  return [
    ...layers,
    {
      name: 'graph, names, container',
      kind: 'other',
      originalBytes: overhead.originalBytes,
      onnxBytes: overhead.onnxBytes,
      epkBytes: overhead.epkBytes,
      sparsityRatio: null,
    },
  ];
}

function sumOf(name: string, rows: readonly Row[], hasEpk: boolean): LayerBytes {
  const total = (pick: (row: Row) => number) => rows.reduce((sum, row) => sum + pick(row), 0);
  const int8 = rows.filter((row) => row.dataType === 'int8' && row.sparsityRatio !== null && row.quantizedBytes > 1);
  const int8Bytes = int8.reduce((sum, row) => sum + row.quantizedBytes, 0);
  const largest = rows.reduce((a, b) => (b.quantizedBytes > a.quantizedBytes ? b : a));
  return {
    name,
    kind: /^u?int8$/.test(largest.dataType) ? 'int8' : /float/.test(largest.dataType) ? 'float' : 'other',
    originalBytes: total((row) => row.originalBytes),
    onnxBytes: total((row) => row.quantizedBytes),
    epkBytes: hasEpk ? total((row) => row.codedBytes ?? 0) : null,
    sparsityRatio:
      int8Bytes === 0 ? null : int8.reduce((sum, row) => sum + row.sparsityRatio! * row.quantizedBytes, 0) / int8Bytes,
  };
}
