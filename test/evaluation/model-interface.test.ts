import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { modelInterface } from '../../src/evaluation/model-interface.ts';
import { readModel } from '../../src/formats/onnx/read-model.ts';
import { inferShapes } from '../../src/ir/infer-shapes.ts';
import { type Engine, startEngine } from '../../src/runtime/engine.ts';
import { GraphBuilder } from '../passes/optimize/graph-builder.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const models = readdirSync(fixtures, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.onnx'));

describe('modelInterface', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.close());

  it.each(models)('says of %s what the engine says', async (name) => {
    const model = readModel(join(fixtures, name));
    inferShapes(model);
    const { inputs, outputs } = await engine.load(join(fixtures, name));
    const described = modelInterface(model.graph)!;
    expect(described.inputs).toEqual(inputs);
    const namesAndTypes = outputs.map(({ name, dataType }) => ({ name, dataType }));
    expect(described.outputs.map(({ name, dataType }) => ({ name, dataType }))).toEqual(namesAndTypes);
  });

  it('knows nothing where the graph leaves a type open', () => {
    const builder = new GraphBuilder();
    const made = builder.op('Foreign', [builder.input('x', ['N', 4])], { outputs: ['y'] });
    expect(modelInterface(builder.output(made, undefined).model.graph)).toBeUndefined();
  });
});
