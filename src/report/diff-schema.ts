import { z } from 'zod';
import { nodeChangeKinds } from '../comparison/compare-nodes.ts';
import { modelFactsSchema } from './report-schema.ts';

const count = z.int().min(0);
const ratio = z.number().min(0).max(1);
const text = z.string().nullable();

const node = z
  .strictObject({
    name: z.string().describe("The node's name, or that of its first output where it has none."),
    opType: z.string(),
    domain: z.string(),
  })
  .describe('A node of one of the models.');

const value = z.strictObject({
  name: z.string(),
  dataType: z.string(),
  shape: z
    .array(z.union([z.int().min(0), z.string(), z.null()]))
    .nullable()
    .describe('Numbers, names of symbolic dimensions, or null where unknown.'),
});

const interfaceChange = z.strictObject({
  kind: z.enum(['renamed', 'changed', 'removed', 'added']),
  a: value.nullable(),
  b: value.nullable(),
});

const constant = z.strictObject({
  name: z.string(),
  dataType: z.string().describe('As it is stored.'),
  dequantized: z.boolean().describe('Whether a DequantizeLinear makes floats of it.'),
  shape: z.array(count),
  sizeBytes: count,
});

export const nodeChangeSchema = z.strictObject({
  kind: z
    .enum(nodeChangeKinds)
    .describe(
      'quantized: now between DequantizeLinear and QuantizeLinear; fused: nodes of a were folded into it; split: the other way round; stored-otherwise: a Constant that the other model keeps as an initializer.',
    ),
  a: node.nullable(),
  b: node.nullable(),
  details: z.array(
    z.strictObject({
      what: z.enum(['attribute', 'operator', 'precision', 'weights', 'inputs', 'name', 'output-name']),
      name: z.string().describe('Of the attribute or the place; empty where there is only one.'),
      a: text,
      b: text,
    }),
  ),
  companions: z.array(node).describe('Nodes that only one model has and that belong to this one.'),
});

export const weightChangeSchema = z.strictObject({
  kind: z.enum(['changed', 'renamed', 'removed', 'added']),
  a: constant.nullable(),
  b: constant.nullable(),
  layer: node.nullable().describe('What computes with it.'),
  quantizationParameter: z.boolean().describe('A scale or zero point.'),
  folded: z.boolean().describe('Compared after folding in a BatchNormalization that only one model still has.'),
  distance: z
    .strictObject({
      maxAbsoluteError: z.number().min(0).nullable().describe('null where one is infinite.'),
      sqnrDb: z.number().nullable().describe('Signal is a; null where both are equal or a is all zeros.'),
      changedRatio: ratio.describe('Share of the elements that differ.'),
      sparsityRatioA: ratio,
      sparsityRatioB: ratio,
      transposed: z.boolean(),
    })
    .nullable()
    .describe('Of the numbers that the layers get, dequantized; null where they cannot be compared one by one.'),
});

export const outputDifferenceSchema = z.strictObject({
  a: z.string().describe('Name of the value.'),
  b: z.string(),
  node: node.describe('The node of a that computes it.'),
  graphOutput: z.boolean(),
  sqnrDb: z.number().nullable().describe('Signal is a; null where both are equal or a is all zeros.'),
  maxAbsoluteError: z.number().min(0).nullable().describe('null where the values cannot be compared.'),
  nonFiniteCount: count.describe('Pairs of elements of which one is infinite or no number; left out of the rest.'),
});

/** What `edgepack diff --json` prints. */
export const diffSchema = z
  .strictObject({
    diffVersion: z.literal(1),
    a: modelFactsSchema.extend({
      fileBytes: count.describe('The file that was given; an .epk is smaller than its model.'),
    }),
    b: modelFactsSchema.extend({ fileBytes: count }),
    identical: z.boolean().describe('Nothing differs but perhaps the bytes of the files.'),
    properties: z
      .array(z.strictObject({ name: z.string(), a: text, b: text }))
      .describe('What the files say about themselves and differs: operator sets, IR version, producer, metadata.'),
    inputs: z.array(interfaceChange),
    outputs: z.array(interfaceChange),
    nodes: z.strictObject({ unchanged: count, changes: z.array(nodeChangeSchema) }),
    weights: z.strictObject({ identical: count, changes: z.array(weightChangeSchema) }),
    layers: z
      .array(z.strictObject({ a: node.nullable(), b: node.nullable(), bytesA: count, bytesB: count }))
      .describe('Layers with weights: the bytes of their constants, where they differ.'),
    values: z
      .strictObject({
        data: text.describe('The samples; null where inputs were made up.'),
        samples: count,
        seed: z.int().nullable(),
        all: z.array(outputDifferenceSchema).describe('Values of paired nodes, in execution order.'),
        firstDifference: count
          .nullable()
          .describe(
            'Index of the first value below 100 dB, which rounding of floats does not explain; null where there is none.',
          ),
      })
      .nullable()
      .describe('Values of both models on the same inputs, layer by layer; null where they were not run.'),
    warnings: z.array(z.strictObject({ code: z.string(), message: z.string() })),
  })
  .describe('What edgepack diff finds between two models.');

/** What changed between two models. */
export type Diff = z.output<typeof diffSchema>;
export type DiffNode = z.output<typeof node>;
export type NodeChangeRecord = z.output<typeof nodeChangeSchema>;
export type WeightChangeRecord = z.output<typeof weightChangeSchema>;
