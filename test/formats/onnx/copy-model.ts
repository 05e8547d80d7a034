// Run in a process of its own: reads a model, writes it, and prints the peak memory of the process in bytes.
import { readModel } from '../../../src/formats/onnx/read-model.ts';
import { writeModel } from '../../../src/formats/onnx/write-model.ts';

const [source, target, maxInlineBytes] = process.argv.slice(2);
writeModel(readModel(source!), target!, maxInlineBytes === undefined ? {} : { maxInlineBytes: Number(maxInlineBytes) });
process.stdout.write(String(process.resourceUsage().maxRSS * 1024));
