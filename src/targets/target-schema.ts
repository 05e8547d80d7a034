import { z } from 'zod';
import { targetLatencySchema } from './latency-schema.ts';

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9.+-]{0,63}$/, 'small letters, digits, ".", "+" and "-" only')
  .describe('What the user types after --target.');

const shortName = /^[a-z0-9][a-z0-9-]{0,39}$/;

const processor = z
  .strictObject({
    kind: z.enum(['cpu', 'gpu', 'npu', 'tpu', 'fpga']).describe('What it is.'),
    name: z.string().min(1).max(80).describe('What a person calls it.'),
    optional: z.boolean().default(false).describe('True where it is not on every board, but attached to some.'),
    providers: z
      .array(z.string().regex(shortName))
      .max(16)
      .default([])
      .describe('Execution providers of ONNX Runtime that run models there, the first choice first.'),
    toolchain: z
      .string()
      .regex(shortName)
      .nullable()
      .default(null)
      .describe("The vendor's own compiler and format, where the processor takes models that way."),
    int8: z
      .boolean()
      .nullable()
      .default(null)
      .describe('Whether it multiplies 8-bit integers faster than floats; null where nobody says.'),
    needs: z.string().max(300).nullable().default(null).describe('What else it takes to use it on this device.'),
    source: z.string().min(1).max(500).describe('Where this is written.'),
    unchecked: z.boolean().default(false).describe('True where it was never confirmed at the source or on a device.'),
  })
  .describe('A processor of the device, and what brings a model onto it.');

/** One device: what a model is compressed for. Data only; a new device is a new JSON file and no code. */
export const targetSchema = z
  .strictObject({
    $schema: z.string().optional().describe('Where the JSON Schema of this file is; not read.'),
    schemaVersion: z.literal(1).describe('Version of this format.'),
    name,
    displayName: z.string().min(1).max(80).describe('The name of the device as a person says it.'),
    soc: z.string().max(80).describe('The system on chip, or "any".'),
    architecture: z
      .enum(['arm64', 'x64', 'wasm'])
      .describe('Instruction set of the programs that run there; wasm in a browser.'),
    cpu: z
      .strictObject({
        core: z.string().max(80).nullable().describe('Name of the core; null where any will do.'),
        cores: z.int().min(1).max(1024).describe('Cores of this kind.'),
        clockGhz: z.number().positive().max(20).nullable().describe('Highest clock; null where unknown.'),
        simd: z.array(z.string().max(40)).max(16).describe('Vector instruction sets that integer kernels use.'),
        fp16Arithmetic: z.boolean().describe('Computes in 16-bit floats, not only stores them.'),
        dotProduct: z.boolean().describe('Has 8-bit dot products with 32-bit sums (Arm DotProd, x86 VNNI).'),
        int8MatrixMultiply: z.boolean().describe('Has 8-bit matrix multiplication (Arm I8MM).'),
      })
      .describe('The cores that run the model.'),
    arithmetic: z
      .enum(['exact', 'saturating-u8s8'])
      .describe(
        'What the engine does with uint8 x int8 products there: exact 32-bit sums, or pairs added in saturating 16 bits.',
      ),
    memory: z
      .strictObject({
        minSizeBytes: z.int().positive().nullable().describe('Main memory of the smallest board; null where unknown.'),
        maxSizeBytes: z.int().positive().nullable().describe('Main memory of the largest board; null where unknown.'),
        type: z.string().max(80).nullable().describe('Kind of memory; null where unknown.'),
      })
      .describe('Main memory of the boards sold.'),
    engine: z
      .strictObject({
        name: z.literal('onnxruntime').describe('The inference engine.'),
        executionProvider: z
          .string()
          .regex(shortName)
          .describe('Its execution provider, unless another one is asked for.'),
        modelFormat: z
          .enum(['onnx', 'ort'])
          .optional()
          .describe("What it should be given; ort for builds of ONNX Runtime without ONNX's parser; onnx by default."),
      })
      .describe('What runs the model there.'),
    threads: z.int().min(1).max(1024).describe('Threads the engine should use for one model.'),
    quantization: z
      .strictObject({
        activationType: z.enum(['uint8', 'int8']).describe('Integer type of activations.'),
        activationSymmetric: z.boolean().describe('Whether the zero point of activations is fixed in the middle.'),
        weightType: z.literal('int8').describe('Integer type of weights; always symmetric.'),
        perChannel: z.boolean().describe('One scale per output channel of a weight instead of one per tensor.'),
      })
      .describe('How int8 should look for the engine to be fast and right there.'),
    processors: z
      .array(processor)
      .max(16)
      .default([])
      .describe('What can run a model there, the CPU included. Without any, the CPU alone.'),
    latency: targetLatencySchema.optional().describe('Absent where nobody published a measurement.'),
    notes: z.array(z.string().max(300)).max(20).default([]).describe('What a user of the device should know.'),
    sources: z
      .record(z.string().max(80), z.string().max(500))
      .default({})
      .describe('Where each value comes from, by its path ("cpu.clockGhz"); a path covers what is below it.'),
    unchecked: z
      .array(z.string().max(80))
      .max(64)
      .default([])
      .describe('Paths of values that were never confirmed at their source or on a device.'),
  })
  .describe('An edgepack device profile.');

/** A checked device profile. */
export type Target = z.output<typeof targetSchema>;
/** A processor of a device. */
export type Processor = Target['processors'][number];
/** `exact`: 32-bit sums. `saturating-u8s8`: x86 without VNNI adds pairs of uint8 x int8 products in saturating 16 bits. */
export type IntegerArithmetic = Target['arithmetic'];
