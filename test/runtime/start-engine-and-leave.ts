// Started as a process of its own: uses an engine and does not close it. That must not keep this process alive.
import { startEngine } from '../../src/runtime/engine.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { scaleModel } from './tiny-models.ts';

const engine = await startEngine();
const session = await engine.load(scaleModel(2));
const { y } = await session.run({ x: { dataType: DataType.float32, dims: [1], data: Float32Array.of(21) } });
process.stdout.write(`${engine.processId} ${y?.data[0]}\n`);
