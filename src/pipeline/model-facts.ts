import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { dirname, parse } from 'node:path';
import { externalFiles, hasExternalData } from '../formats/onnx/external-files.ts';
import { cost, type ModelCost } from '../ir/cost.ts';
import type { Model } from '../ir/model.ts';
import type { ModelFacts } from '../report/report-schema.ts';
import { ContainedFile, type ContainedFileOptions } from '../storage/contained-file.ts';
import { listLayers, type ModelLayers } from './list-layers.ts';

export interface ModelFactsParts {
  /** Where they are known already. */
  readonly cost?: ModelCost;
  readonly layers?: ModelLayers;
  /** How its data files were opened. */
  readonly files?: ContainedFileOptions;
}

/** The facts about a model file that reports open with. `model` is what was read from `path`, unchanged. */
export function modelFacts(model: Model, path: string, parts: ModelFactsParts = {}): ModelFacts {
  const costs = parts.cost ?? cost(model);
  const { parameters } = parts.layers ?? listLayers(model, costs);
  const { sha256, sizeBytes } = scanFile(path);
  return {
    path,
    name: parse(path).name,
    sha256,
    sizeBytes: sizeBytes + (hasExternalData(model) ? externalBytes(path, parts.files) : 0),
    opsetImports: Array.from(model.opsetImports, ([domain, version]) => ({
      domain,
      version: Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, version)),
    })),
    parameters,
    macs: totalMacs(costs),
    nodes: model.graph.nodeCount,
  };
}

/** Null where a product's shapes are not known; nodes of foreign domains count as nothing. */
export function totalMacs({ nodes, total }: ModelCost): number | null {
  const isUnknown = nodes.some(
    ({ node, macsKnown }) => !macsKnown && (node.is(node.opType) || isMicrosoft(node.domain)),
  );
  return isUnknown ? null : total.macs;
}

function isMicrosoft(domain: string): boolean {
  return domain === 'com.microsoft' || domain === 'com.microsoft.nchwc';
}

const PIECE_BYTES = 2 ** 20;

/** One pass over the file, in pieces. */
function scanFile(path: string): { sha256: string; sizeBytes: number } {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let sizeBytes = 0;
  const file = openSync(path, 'r');
  try {
    for (;;) {
      const count = readSync(file, buffer, 0, PIECE_BYTES, sizeBytes);
      if (count === 0) break;
      sizeBytes += count;
      hash.update(buffer.subarray(0, count));
    }
  } finally {
    closeSync(file);
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

function externalBytes(path: string, options: ContainedFileOptions | undefined): number {
  const files = externalFiles(readFileSync(path));
  return files.reduce((sum, { location }) => sum + new ContainedFile(dirname(path), location, options).sizeBytes, 0);
}
