import { closeSync, mkdirSync, openSync, readSync, statSync } from 'node:fs';
import { basename, join, resolve, sep } from 'node:path';
import { openDataset } from '../data/dataset.ts';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { printable } from '../diagnostics/printable.ts';
import { type DimensionSizes, syntheticFeeds, syntheticSize } from '../evaluation/synthetic-feeds.ts';
import { magic } from '../formats/epk/epk-format.ts';
import { readModel } from '../formats/onnx/read-model.ts';
import type { BenchResult } from '../report/bench-schema.ts';
import type { EngineLimits } from '../runtime/engine.ts';
import type { ValueDescription } from '../runtime/session.ts';
import type { Feeds } from '../tensor/nd-array.ts';
import type { ResolvedBenchOptions } from './bench-options.ts';
import { engineLimits } from './engine-limits.ts';
import { modelFacts } from './model-facts.ts';
import { datasetOptions } from './open-samples.ts';
import { unpack } from './pack-model.ts';

/** A model that is going to be timed. */
export interface BenchModel {
  readonly label: string;
  /** As it was given. */
  readonly file: string;
  /** The .onnx or .ort file: the given one, or what was unpacked from it. */
  readonly onnxPath: string;
  readonly facts: BenchResult['models'][number]['facts'];
  /** What it may take in the engine. */
  readonly limits: EngineLimits;
  /** Gives the inputs of every run. */
  feeds(inputs: readonly ValueDescription[]): Promise<Feeds>;
  readonly areFeedsMadeUp: boolean;
  /** How images become inputs, where nobody said how their values are scaled. */
  readonly preprocessAssumed: string | undefined;
}

/**
 * Reads a model's facts and finds its inputs; an `.epk` is unpacked into `folder` first.
 * @param isRun whether the engine will load it: then it must not ask for too much.
 * @throws EdgepackError `file-not-found`, `epk-unreadable`, and what reading models and data throws.
 */
export async function openBenchModel(
  file: string,
  label: string,
  folder: string,
  options: ResolvedBenchOptions,
  isRun = true,
): Promise<BenchModel> {
  let onnxPath = file;
  if (isEpk(file)) {
    mkdirSync(folder);
    onnxPath = join(folder, 'model.onnx');
    await unpack(file, onnxPath);
  }
  const model = readModel(onnxPath, { ort: true });
  const facts = { ...modelFacts(model, onnxPath), path: file, name: basename(file).replace(/\.(onnx|ort|epk)$/i, '') };
  const sizes = dimensionSizes(options);
  const limits = isRun ? engineLimits([{ path: file, model, sizeBytes: facts.sizeBytes }], options, sizes) : {};
  const named = { label, file, onnxPath, facts, limits };
  if (options.data === undefined) {
    return {
      ...named,
      feeds: async (inputs) => syntheticFeeds(inputs, options.seed, sizes),
      areFeedsMadeUp: true,
      preprocessAssumed: undefined,
    };
  }
  const samples = await openDataset(options.data, datasetOptions(model, { preprocess: options.preprocess }));
  const feeds = await samples.feed(0);
  return {
    ...named,
    feeds: async () => feeds,
    areFeedsMadeUp: false,
    preprocessAssumed: samples.preprocessAssumed ? samples.preprocessDescription : undefined,
  };
}

/** What the models are called: their file names, with as many folders as it takes to tell different files apart. */
export function benchLabels(files: readonly string[]): readonly string[] {
  const parts = files.map((file) => resolve(file).split(sep));
  const longest = Math.max(...parts.map(({ length }) => length));
  const different = new Set(parts.map((path) => path.join(sep))).size;
  let depth = 1;
  const namesAt = (count: number) => parts.map((path) => path.slice(-count).join('/'));
  while (depth < longest && new Set(namesAt(depth)).size < different) depth++;
  const names = namesAt(depth);
  return names.map((name, i) => {
    const before = names.slice(0, i).filter((other) => other === name).length;
    return before === 0 ? name : `${name} (${before + 1})`;
  });
}

/** The sizes that were asked for by name. */
export function dimensionSizes({ dim }: ResolvedBenchOptions): DimensionSizes {
  return Object.fromEntries(
    dim.map((text) => {
      const equals = text.lastIndexOf('=');
      return [text.slice(0, equals), Number(text.slice(equals + 1))];
    }),
  );
}

/**
 * The open dimensions of made-up inputs with the sizes they got, by name; `''` stands for those without one.
 * @throws EdgepackError `usage` where a size was asked for that no model has.
 */
export function openDimensions(
  inputs: readonly (readonly ValueDescription[])[],
  options: ResolvedBenchOptions,
): { readonly name: string; readonly size: number; readonly asked: boolean }[] {
  const asked = dimensionSizes(options);
  const found = new Map<string, { name: string; size: number; asked: boolean }>();
  for (const { shape } of inputs.flat()) {
    for (const [axis, dim] of shape.entries()) {
      if (typeof dim === 'number' && dim > 0) continue;
      const name = typeof dim === 'string' ? dim : '';
      const isAsked = Object.hasOwn(asked, name);
      found.set(`${name}\n${isAsked || axis > 0}`, { name, size: syntheticSize(dim, axis, asked), asked: isAsked });
    }
  }
  const names = new Set(Array.from(found.values(), ({ name }) => name));
  const unknown = Object.keys(asked).find((name) => !names.has(name));
  if (unknown !== undefined) {
    const known = [...names].filter((name) => name !== '').map((name) => printable(name, 40));
    throw new EdgepackError('usage', `--dim ${printable(unknown)}: no input has an open dimension of this name`, {
      hint: known.length === 0 ? 'All dimensions with names are fixed.' : `Open dimensions: ${known.join(', ')}.`,
    });
  }
  return [...found.values()];
}

/** True for an `.epk`, by its name or its first bytes. @throws EdgepackError `file-not-found`. */
export function isEpk(path: string): boolean {
  try {
    if (!statSync(path).isFile()) throw Object.assign(new Error('not a file'), { code: 'not a regular file' });
    const start = new Uint8Array(magic.length);
    const file = openSync(path, 'r');
    try {
      readSync(file, start);
    } finally {
      closeSync(file);
    }
    return path.toLowerCase().endsWith('.epk') || magic.every((byte, i) => start[i] === byte);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOENT' ? 'no such file' : `cannot be opened (${code})`;
    throw new EdgepackError('file-not-found', reason, { hint: 'check the path', location: { file: path }, cause });
  }
}
