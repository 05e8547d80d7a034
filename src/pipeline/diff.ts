import { existsSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { compareModels, type ModelComparison } from '../comparison/compare-models.ts';
import { compareValues, type ValueFeeds, valuePairs } from '../comparison/compare-values.ts';
import { openDataset } from '../data/dataset.ts';
import { spread } from '../data/spread.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { silentLogger } from '../diagnostics/logger.ts';
import { printable } from '../diagnostics/printable.ts';
import { syntheticFeeds } from '../evaluation/synthetic-feeds.ts';
import { readModel } from '../formats/onnx/read-model.ts';
import { encodeModel } from '../formats/onnx/write-model.ts';
import type { Model } from '../ir/model.ts';
import type { Diff } from '../report/diff-schema.ts';
import { renderDiffHtml } from '../report/render-diff-html.ts';
import { startEngine } from '../runtime/engine.ts';
import { TemporaryFolder } from '../storage/temporary-folder.ts';
import { writePieces } from '../storage/write-pieces.ts';
import type { RunContext } from './api-types.ts';
import { type DiffOptions, diffOptionsSchema, type ResolvedDiffOptions } from './diff-options.ts';
import { diffRecord } from './diff-record.ts';
import { engineLimits } from './engine-limits.ts';
import { modelFacts } from './model-facts.ts';
import { isEpk } from './open-bench-model.ts';
import { datasetOptions } from './open-samples.ts';
import { unpack } from './pack-model.ts';
import { refuseLargeGraph } from './refuse-large-graph.ts';

/** A model to compare, as it was read. */
export interface DiffSide {
  readonly model: Model;
  readonly onnxPath: string;
  readonly facts: Diff['a'];
}

/**
 * Says what changed between two models, `.onnx` or `.epk`: nodes, constants, sizes, interfaces, and where asked the values of
 * both on the same inputs, layer by layer. The models are not changed; the page is written where `html` names one.
 * @throws EdgepackError for unreadable models and data, `output-exists`, and when the engine fails.
 */
export async function diff(
  pathA: string,
  pathB: string,
  options: DiffOptions = {},
  context: RunContext = {},
): Promise<Diff> {
  const resolved = diffOptionsSchema.parse(options);
  refuseExisting(resolved);
  const folder = new TemporaryFolder();
  try {
    const a = await openSide(pathA, join(folder.path, 'a'), resolved);
    const b = await openSide(pathB, join(folder.path, 'b'), resolved);
    context.signal?.throwIfAborted();
    const comparison = compareModels(a.model, b.model);
    const values = await valuesOf(a, b, comparison, resolved, context);
    const record = diffRecord(a, b, comparison, values);
    if (resolved.html !== undefined) writePieces(resolved.html, [Buffer.from(await renderDiffHtml(record))]);
    return record;
  } finally {
    folder.remove();
  }
}

async function openSide(path: string, folder: string, options: ResolvedDiffOptions): Promise<DiffSide> {
  const files = { allowLinks: options.allowLinks };
  let onnxPath = path;
  if (isEpk(path)) {
    onnxPath = join(folder, 'model.onnx');
    await unpack(path, onnxPath);
  }
  const model = readModel(onnxPath, files);
  if (options.run || options.data !== undefined) refuseLargeGraph(path, model, options.engineTimeout !== undefined);
  const facts = { ...modelFacts(model, onnxPath, { files }), path, name: basename(path).replace(/\.(onnx|epk)$/i, '') };
  const fileBytes = onnxPath === path ? facts.sizeBytes : statSync(path).size;
  return { model, onnxPath, facts: { ...facts, fileBytes } };
}

function refuseExisting({ html, force }: ResolvedDiffOptions): void {
  if (html === undefined || force || !existsSync(html)) return;
  throw new EdgepackError('output-exists', `${printable(html, 300)} is already there`, {
    hint: 'Choose another name, or overwrite it with --force.',
    location: { file: html },
  });
}

async function valuesOf(
  a: DiffSide,
  b: DiffSide,
  comparison: ModelComparison,
  options: ResolvedDiffOptions,
  { logger = silentLogger, signal }: RunContext,
): Promise<Parameters<typeof diffRecord>[3]> {
  if (!options.run && options.data === undefined) return { ran: null, warnings: [] };
  const unpaired = comparison.interfaces.inputs.filter(([x, y]) => x === undefined || y === undefined);
  if (unpaired.length > 0) {
    const names = unpaired.map(([x, y]) => `'${printable((x ?? y)!.name, 40)}'`).slice(0, 4);
    const message = `the models take different inputs (${names.join(', ')}): their values were not compared`;
    return { ran: null, warnings: [{ code: 'not-run', message }] };
  }
  const limits = engineLimits(
    [a, b].map(({ model, facts }) => ({ path: facts.path, model, sizeBytes: facts.sizeBytes })),
    options,
  );
  const samples =
    options.data === undefined
      ? undefined
      : await openDataset(options.data, datasetOptions(a.model, { preprocess: options.preprocess }));
  const engine = await startEngine({ logger });
  try {
    await engine.limit(limits);
    let feeds: ValueFeeds;
    if (samples === undefined) {
      const session = await engine.load(Buffer.concat(encodeModel(a.model).pieces), { label: 'the first model' });
      const made = syntheticFeeds(session.inputs, options.seed);
      await session.release();
      feeds = { count: 1, feed: async () => made };
    } else feeds = samples.subset(spread(0, samples.count, Math.min(options.samples, samples.count)));
    const pairs = valuePairs(a.model, b.model, comparison);
    const context = { interfaces: comparison.interfaces, logger, signal };
    const differences = await compareValues(a.model, b.model, pairs, feeds, engine, context);
    const source = options.data ?? null;
    return {
      ran: { data: source, samples: feeds.count, seed: source === null ? options.seed : null, differences },
      warnings: [],
    };
  } finally {
    await engine.close();
  }
}
