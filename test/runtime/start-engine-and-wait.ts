// Started as a process of its own: hosts an engine, tells its process id, and waits to be killed.
import { startEngine } from '../../src/runtime/engine.ts';
import { DataType } from '../../src/tensor/data-type.ts';
import { loopModel } from './tiny-models.ts';

const engine = await startEngine();
if (process.argv[2] === 'busy') {
  const session = await engine.load(loopModel());
  void session.run({
    trips: { dataType: DataType.int64, dims: [], data: BigInt64Array.of(2n ** 62n) },
    x: { dataType: DataType.float32, dims: [], data: Float32Array.of(1) },
  });
}
setTimeout(() => process.stdout.write(`${engine.processId}\n`), 300);
setInterval(() => {}, 1000);
