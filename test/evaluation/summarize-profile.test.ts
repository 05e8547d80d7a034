import { describe, expect, it } from 'vitest';
import { kernelPrecision } from '../../src/evaluation/kernel-precision.ts';
import { summarizeProfile } from '../../src/evaluation/summarize-profile.ts';
import { type ProfileRecord, parseProfile } from '../../src/runtime/profile.ts';

function record(opType: string, type: string, medianMs: number, runs = 10): ProfileRecord {
  return {
    name: `${opType}_${medianMs}`,
    opType,
    provider: 'CPUExecutionProvider',
    runs,
    totalMs: medianMs * runs * 3,
    medianMs,
    inputTypeShapes: [],
    outputTypeShapes: [{ [type]: [1, 8] }],
  };
}

describe('kernelPrecision', () => {
  it.each([
    ['QLinearConv', 'uint8', 'int8'],
    ['MatMulInteger', 'int32', 'int8'],
    ['DynamicQuantizeMatMul', 'float', 'int8'],
    ['QLinearAdd', 'uint8', 'int8'],
    ['MaxPool', 'uint8', 'int8'],
    ['MaxPool', 'float', 'float'],
    ['MatMulNBits', 'float', 'float'],
    ['Conv', 'float16', 'float'],
    ['QuantizeLinear', 'uint8', 'conversion'],
    ['DequantizeLinear', 'float', 'conversion'],
    ['Shape', 'int64', 'other'],
    ['Equal', 'bool', 'other'],
  ])('%s with %s is %s', (opType, type, expected) => {
    expect(kernelPrecision(record(opType, type, 1))).toBe(expected);
  });
});

describe('summarizeProfile', () => {
  it('adds up typical times of a run, without what contains other nodes', () => {
    const records = [
      record('QLinearConv', 'uint8', 3),
      record('QLinearConv', 'uint8', 1),
      record('QuantizeLinear', 'uint8', 1),
      record('Softmax', 'float', 1, 50),
      record('Loop', 'float', 100),
    ];
    const summary = summarizeProfile(records, 10);
    expect(summary.nodeMs).toBeCloseTo(10);
    expect(summary.shares).toEqual({ int8: 0.4, float: 0.5, conversion: 0.1, other: 0 });
    expect(summary.operators.map(({ opType, nodes, share }) => [opType, nodes, share])).toEqual([
      ['Softmax', 1, 0.5],
      ['QLinearConv', 2, 0.4],
      ['QuantizeLinear', 1, 0.1],
    ]);
    expect(summary.nodes.map(({ runMs }) => runMs)).toEqual([5, 3, 1, 1]);
    expect(summarizeProfile([], 3)).toMatchObject({ nodeMs: 0, shares: { int8: 0 }, nodes: [] });
  });

  it('is not moved by the run that was interrupted', () => {
    const event = (dur: number) => ({ cat: 'Node', name: 'a_kernel_time', dur, args: { op_name: 'Conv' } });
    const [read] = parseProfile(JSON.stringify([event(100), event(90_000), event(102)]));
    expect(read).toMatchObject({ runs: 3, medianMs: 0.102 });
    expect(read!.totalMs).toBeCloseTo(90.202);
  });
});
