import type { ProfileRecord } from '../runtime/profile.ts';

/** What a kernel of the engine computes in; `conversion` is quantizing and dequantizing, `other` shapes, masks and indices. */
export type KernelPrecision = 'int8' | 'float' | 'conversion' | 'other';

/** The engine's kernels that multiply integers. */
export const integerProductKernels: ReadonlySet<string> = new Set([
  'QLinearConv',
  'ConvInteger',
  'QGemm',
  'QLinearMatMul',
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
]);

const CONVERSIONS = new Set(['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear']);

/** Integer kernels of the engine besides the products; all others of its integer kernels begin with QLinear. */
const OTHER_INTEGER_KERNELS = new Set(['QAttention', 'DynamicQuantizeLSTM', 'QEmbedLayerNormalization']);

/**
 * In which precision the engine ran a node: by its kernel's name, otherwise by the type of its first output, so that a
 * MaxPool that was handed int8 counts as int8.
 */
export function kernelPrecision({ opType, outputTypeShapes }: ProfileRecord): KernelPrecision {
  if (CONVERSIONS.has(opType)) return 'conversion';
  if (integerProductKernels.has(opType) || opType.startsWith('QLinear') || OTHER_INTEGER_KERNELS.has(opType)) {
    return 'int8';
  }
  const type = Object.keys(outputTypeShapes[0] ?? {})[0];
  if (type === 'int8' || type === 'uint8') return 'int8';
  if (type === 'float' || type === 'float16' || type === 'double' || type === 'bfloat16') return 'float';
  return 'other';
}
