import type { ReportSizes } from './report-schema.ts';

/** An initializer of the original or of the compressed model. */
export interface SizedInitializer {
  readonly name: string;
  readonly dataType: string;
  readonly sizeBytes: number;
  /** The node that computes with it, where there is one. */
  readonly layer?: string;
  /** Zeros / elements, where counted. */
  readonly sparsityRatio?: number;
}

export interface SizeTableInput {
  /** Size of the original file, with external data. */
  readonly originalBytes: number;
  readonly original: readonly SizedInitializer[];
  /** Size of the compressed `.onnx`. */
  readonly onnxBytes: number;
  readonly compressed: readonly SizedInitializer[];
  /** Size of the `.epk`, and what each initializer takes in it by name; null where none was written. */
  readonly epk: { readonly sizeBytes: number; readonly codedBytes: ReadonlyMap<string, number> } | null;
  /** The original name of a compressed initializer, where a pass renamed it. */
  readonly originalNames?: ReadonlyMap<string, string>;
}

/** The size part of a report: one row per initializer of either model, and the overhead that makes them add up. */
export function sizeTable(input: SizeTableInput): ReportSizes {
  const rows = new Map<string, ReportSizes['initializers'][number]>();
  for (const { name, dataType, sizeBytes, layer } of input.original) {
    rows.set(name, {
      name,
      layer: layer ?? null,
      dataType,
      originalBytes: (rows.get(name)?.originalBytes ?? 0) + sizeBytes,
      quantizedBytes: 0,
      codedBytes: input.epk === null ? null : 0,
      sparsityRatio: null,
    });
  }
  for (const { name, dataType, sizeBytes, layer, sparsityRatio } of input.compressed) {
    const renamedFrom = input.originalNames?.get(name);
    const key = renamedFrom !== undefined && rows.has(renamedFrom) ? renamedFrom : name;
    const row = rows.get(key);
    const coded = input.epk === null ? null : (input.epk.codedBytes.get(name) ?? 0);
    rows.set(key, {
      name: key,
      layer: row?.layer ?? layer ?? null,
      dataType,
      originalBytes: row?.originalBytes ?? 0,
      quantizedBytes: (row?.quantizedBytes ?? 0) + sizeBytes,
      codedBytes: coded === null ? null : (row?.codedBytes ?? 0) + coded,
      sparsityRatio: sparsityRatio ?? null,
    });
  }
  const initializers = [...rows.values()];
  const rest = (whole: number, pick: (row: (typeof initializers)[number]) => number) =>
    Math.max(0, whole - initializers.reduce((total, row) => total + pick(row), 0));
  return {
    originalBytes: input.originalBytes,
    onnxBytes: input.onnxBytes,
    epkBytes: input.epk?.sizeBytes ?? null,
    initializers,
    overhead: {
      originalBytes: rest(input.originalBytes, (row) => row.originalBytes),
      onnxBytes: rest(input.onnxBytes, (row) => row.quantizedBytes),
      epkBytes: input.epk === null ? null : rest(input.epk.sizeBytes, (row) => row.codedBytes ?? 0),
    },
  };
}
