import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { UsageError } from './usage-error.mjs';

/**
 * The Python quantizers beside which edgepack is measured: a script that quantizes a model of the zoo with the manifest's
 * samples, or scores a model file, and prints one line of JSON.
 */
export class Peers {
  #python;
  #script;

  constructor(folder, python) {
    this.#python = python;
    this.#script = join(folder, 'quantize_peers.py');
    if (!existsSync(this.#script)) throw new UsageError(`--peers: no ${this.#script}`);
  }

  /** Quantizes with one tool; its file is `path` and its own wall time `seconds`. */
  async quantize(name, tool, { calibrationSamples, evaluationSamples, threads, folder }) {
    const counts = ['--calib', String(calibrationSamples ?? 0), '--limit', String(evaluationSamples ?? 0)];
    const result = await this.#run([name, '--tools', tool, ...counts, '--threads', String(threads), '--out', folder]);
    return { ...result, path: join(folder, `${name}.${tool}.onnx`) };
  }

  /** Scores a model file on the evaluation samples, in exact arithmetic and by the engine as it comes. */
  score(name, model, { evaluationSamples, threads, folder }) {
    const counts = ['--limit', String(evaluationSamples ?? 0), '--threads', String(threads)];
    return this.#run([name, '--model', model, ...counts, '--out', folder]);
  }

  async #run(args) {
    const { stdout } = await promisify(execFile)(this.#python, [this.#script, ...args], { maxBuffer: 1 << 26 });
    const line = stdout.trim().split('\n').at(-1);
    const result = JSON.parse(line);
    if (result.error !== undefined) throw new Error(`${args.slice(0, 3).join(' ')}: ${result.error}`);
    return result;
  }
}
