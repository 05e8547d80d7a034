import { z } from 'zod';

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, 'small letters, digits and "-" only')
  .describe('What the user types after --provider.');
const text = z.string().min(1).max(500);
const operators = z.array(z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,79}$/)).max(400);

const weightForm = z.strictObject({
  type: z.enum(['int8', 'uint8']).describe('int8 around 0, or the same numbers as uint8 around 128.'),
  perChannel: z.boolean().describe('One scale per output channel, or one for the whole tensor.'),
});

const int8 = z.strictObject({
  activationType: z.enum(['uint8', 'int8']).describe('Integer type of activations.'),
  activationSymmetric: z.boolean().describe('Whether the zero point of activations is fixed in the middle.'),
  weights: z
    .strictObject({ Conv: weightForm, Gemm: weightForm, MatMul: weightForm })
    .describe('How weights are stored, by the operator that multiplies with them.'),
  biasType: z.enum(['int32', 'float32']).describe('Biases in integers, or in floats.'),
  form: z
    .enum(['kernels', 'units', 'inputs'])
    .describe('Where QuantizeLinear and DequantizeLinear stand: see passes/quantize/placement.ts.'),
  operators: operators.describe('Operators to put into int8, of those that edgepack can.'),
});

/** Where the values of a provider or a toolchain come from. */
export const provenance = {
  notes: z.array(z.string().max(500)).max(20).default([]).describe('What a user of it should know.'),
  sources: z
    .record(z.string().max(80), z.string().max(500))
    .describe('Where each value comes from, by its path; a path covers what is below it.'),
  unchecked: z
    .array(z.string().max(80))
    .max(64)
    .default([])
    .describe('Paths of values that were never confirmed at their source or on a device.'),
};

/** What one execution provider of ONNX Runtime runs, and in which form. Data only; one JSON file each. */
export const providerSchema = z
  .strictObject({
    schemaVersion: z.literal(1).describe('Version of this format.'),
    name,
    displayName: z.string().min(1).max(80).describe('What a person calls it.'),
    executionProvider: z.string().min(1).max(80).describe("ONNX Runtime's own name, as sessions take it."),
    needs: text.nullable().describe('What it takes to use it; null where every ONNX Runtime has it.'),
    formats: z
      .array(z.enum(['onnx', 'ort']))
      .min(1)
      .describe('Model files that a session with it loads.'),
    shapes: z.enum(['any', 'fixed']).describe('Whether it runs models whose input sizes are left open.'),
    fp16: z
      .enum(['never', 'option', 'default'])
      .nullable()
      .describe(
        'Whether float models are computed in 16-bit floats: never, where a session asks, or unless one objects.',
      ),
    int8: int8.nullable().describe('How int8 must look to run in integers; null where nothing does.'),
    withoutInt8: text.nullable().describe('What happens to int8 operators instead, where nothing runs in integers.'),
    operators: z
      .union([z.literal('all'), operators])
      .nullable()
      .describe('Operators that it takes at all; others run on the CPU. null where nobody lists them.'),
    ...provenance,
  })
  .refine((value) => (value.int8 === null) === (value.withoutInt8 !== null), {
    path: ['withoutInt8'],
    message: 'must be given exactly where int8 is null',
  })
  .describe('What an execution provider of ONNX Runtime runs.');

/** The vendor's own way to a processor that no provider of ONNX Runtime serves. Data only; one JSON file each. */
export const toolchainSchema = z
  .strictObject({
    schemaVersion: z.literal(1).describe('Version of this format.'),
    name,
    displayName: z.string().min(1).max(80).describe('The processors it is for.'),
    format: z.string().min(1).max(80).describe('The files that the processor runs.'),
    tool: z.string().min(1).max(120).describe("The vendor's program that makes them."),
    takes: text.describe('What that program takes.'),
    startingPoint: text.describe('What edgepack can give it.'),
    ...provenance,
  })
  .describe("A vendor's own compiler and format, for which edgepack does not produce.");

/** A checked execution provider. */
export type Provider = z.output<typeof providerSchema>;
/** How int8 must look for a provider to run it in integers. */
export type ProviderInt8 = NonNullable<Provider['int8']>;
/** A checked vendor toolchain. */
export type Toolchain = z.output<typeof toolchainSchema>;
