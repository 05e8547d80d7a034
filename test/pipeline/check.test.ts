import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkSchema } from '../../src/budget/check-schema.ts';
import { checkedReportSchema, readCheckedReport } from '../../src/budget/checked-report.ts';
import { check, compress, pack } from '../../src/index.ts';
import { ratioByReports } from '../../src/pipeline/measure-check-latency.ts';
import { openCheckSubject } from '../../src/pipeline/open-check-subject.ts';
import { slowerNodes, slowestNodes } from '../../src/pipeline/responsible-nodes.ts';
import type { BenchProfile } from '../../src/report/bench-schema.ts';
import { reportSchema } from '../../src/report/report-schema.ts';
import { exampleReport } from '../report/example-report.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const conv = join(fixtures, 'digits-conv.onnx');
const data = join(fixtures, 'digits.npz');

let folder: string;
let out: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'edgepack-test-check-'));
  out = join(folder, 'out');
  await compress(conv, {
    data,
    output: out,
    target: 'rpi4',
    threads: 1,
    allowSlower: true,
    cacheFolder: join(folder, 'cache'),
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const outcomes = ({ items }: Awaited<ReturnType<typeof check>>) =>
  items.map(({ metric, outcome }) => `${metric} ${outcome}`);
const left = () =>
  readdirSync(tmpdir()).filter((name) => name.startsWith('edgepack-check-') && !/cli/.test(name)).length;

describe('check', () => {
  it('passes a result against itself, down to the latency of both files in turns', async () => {
    const before = left();
    const budgets = {
      size: { file: { max: '100 kB', maxIncrease: '0%' }, epk: { maxIncrease: '0%' }, parameters: 80_000 },
      accuracy: { top1: { min: 0.9, maxDrop: 0.6 }, drop: 2, agreement: { min: 0.9, maxDrop: 0.6 } },
      latency: { host: { maxIncrease: '50%' }, predicted: { max: '1 s', level: 'off' as const } },
      memory: { engine: { max: '1 GB', maxIncrease: '50%' } },
    };
    const config = { file: 'c.json', text: `{\n"budgets": ${JSON.stringify(budgets)}}` };
    const result = await check(out, {
      budgets,
      config,
      baseline: join(out, 'report.json'),
      threads: 1,
      maxSeconds: 20,
    });
    expect(checkSchema.safeParse(result).success).toBe(true);
    expect(outcomes(result)).toEqual([
      'size.file passed',
      'size.file passed',
      'size.epk passed',
      'size.parameters passed',
      'accuracy.top1 passed',
      'accuracy.top1 passed',
      'accuracy.drop passed',
      'accuracy.agreement passed',
      'accuracy.agreement passed',
      'latency.host passed',
      'memory.engine passed',
      'memory.engine passed',
    ]);
    expect(result.items.every(({ config: { file, line } }) => file === 'c.json' && line === 2)).toBe(true);
    expect(result).toMatchObject({ status: 'passed', subject: { model: 'digits-conv', target: 'rpi4' } });
    expect(result.items[5]!.message).toContain('0 of 500 samples lost, 0 won');
    expect(left()).toBe(before);
  });

  it('evaluates a model without report on the samples of the report, and compares them one by one', async () => {
    const budgets = { accuracy: { top1: { maxDrop: 0.6 }, agreement: { maxDrop: 0.6 } }, size: { epk: 1000 } };
    const model = join(out, 'digits-conv.onnx');
    const result = await check(model, { budgets, baseline: out, data, original: conv, target: 'rpi4' });
    expect(outcomes(result)).toEqual(['size.epk failed', 'accuracy.top1 passed', 'accuracy.agreement passed']);
    for (const { message } of result.items.slice(1)) expect(message).toContain('0 of 500 samples lost, 0 won');
    expect(result.warnings).toEqual([]);
    const report = reportSchema.parse(JSON.parse(readFileSync(join(out, 'report.json'), 'utf8')));
    expect(result.figures.find(({ metric }) => metric === 'accuracy.top1')?.value).toBe(
      report.accuracy!.exact!.top1!.value,
    );
  });

  it('judges an .epk like the model in it', async () => {
    const epk = join(folder, 'digits.epk');
    await pack(conv, epk);
    const result = await check(epk, { budgets: { size: { file: 400_000, epk: 1000, parameters: 1 } }, baseline: conv });
    expect(outcomes(result)).toEqual(['size.file passed', 'size.epk failed', 'size.parameters failed']);
    expect(result.figures.slice(0, 2).every(({ value, baseline }) => value === baseline)).toBe(true);
    expect(result.warnings.map(({ code }) => code)).toEqual(['other-model']);
  });

  it('does not time a model that is not the one of its report', async () => {
    const moved = join(folder, 'moved');
    cpSync(out, moved, { recursive: true });
    appendFileSync(join(moved, 'digits-conv.onnx'), '\n');
    const result = await check(out, {
      budgets: { latency: { host: { maxIncrease: '2%' } } },
      baseline: moved,
      maxSeconds: 1,
    });
    // Both reports were timed beside the same original; that is less precise, and decides only what is clear.
    expect(result.items[0]!.outcome).toMatch(/undecided|refused/);
    const model = { budgets: { memory: { engine: 5 } } };
    expect((await check(moved, model)).items[0]!.message).toBe('the memory was not measured: it needs the model file');
  });

  it('judges what is predicted for a model without report, and says why nothing is', async () => {
    const budgets = { latency: { predicted: '1 s' } };
    const [float] = (await check(conv, { budgets, target: 'rpi4' })).items;
    expect(float).toMatchObject({ outcome: 'passed', unit: 'ms', limit: 1000 });
    const messages = [];
    for (const [path, target] of [
      [conv, 'n100'],
      [out, 'rpi4'],
      [join(out, 'digits-conv.onnx'), 'rpi4'],
    ] as const) {
      messages.push((await check(path, { budgets, target })).items[0]!.message);
    }
    expect(messages[0]).toMatch(/^no latency is predicted for this target: nobody published/);
    expect(messages[1]).toMatch(/^no latency is predicted for this target: no rows of onnxruntime in int8/);
    expect(messages[2]).toBe(messages[1]);
    const relative = { budgets: { latency: { predicted: { maxIncrease: '900%' } } }, target: 'rpi4', baseline: out };
    expect((await check(conv, relative)).items[0]!.message).toMatch(
      /^no latency is predicted for the baseline: no rows/,
    );
  });

  it('names activations as the original does, also where they are quantized', async () => {
    const { items } = await check(out, { budgets: { memory: { activations: 1 } } });
    const names = items[0]!.responsible.map(({ name }) => name);
    expect(names).toHaveLength(3);
    expect(names.join()).toMatch(/stem/);
    expect(names.filter((name) => /^q\d+$/.test(name))).toEqual([]);
  });

  it('says how the device is reached for a limit of its latency', async () => {
    const options = { budgets: { latency: { device: 5 } } };
    expect((await check(out, options)).items[0]!.message).toContain(
      'add --device ssh://user@host, here or to compress',
    );
    await expect(check(out, { ...options, sshConfig: 'x' })).rejects.toMatchObject({ code: 'usage' });
  });

  it('says what it would need', async () => {
    const judged = await check(conv, { budgets: { accuracy: { top1: 0.5, drop: 1 } } });
    expect([judged.status, ...judged.items.map(({ message }) => message)]).toEqual([
      'refused',
      'a model without a report is evaluated here, and there are no samples: add --data',
      'a model without a report is evaluated here, and there are no samples: add --data',
    ]);
    const noOriginal = await check(conv, { budgets: { accuracy: { top1: 0.5, drop: 1 } }, evaluation: data });
    expect(noOriginal.items.map(({ outcome, message }) => [outcome, message.slice(0, 40)])).toEqual([
      ['passed', expect.stringMatching(/^top-1/)],
      ['refused', 'a model without a report is compared wit'],
    ]);
    const relative = { budgets: { size: { file: { maxIncrease: '1%' } } } };
    await expect(check(out, relative)).rejects.toThrow('all 1 limits are relative to a baseline, and none was given');
    await expect(check(out, { budgets: { overrides: [] } })).rejects.toThrow(
      'no budget is set for digits-conv on rpi4',
    );
    await expect(check(join(folder, 'nowhere'), relative)).rejects.toMatchObject({ code: 'file-not-found' });
    await expect(check(out, { ...relative, baseline: data })).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('a report that is checked', () => {
  it('of an .ort alone is about that file, and runs the .onnx that is packed', async () => {
    const moved = join(folder, 'ort-only');
    cpSync(out, moved, { recursive: true });
    rmSync(join(moved, 'digits-conv.onnx'));
    const report = JSON.parse(readFileSync(join(moved, 'report.json'), 'utf8'));
    report.sizes.ortBytes = 123_456;
    report.outputs = report.outputs.filter(({ path }: { path: string }) => !path.endsWith('.onnx'));
    writeFileSync(join(moved, 'report.json'), JSON.stringify(report));
    expect(openCheckSubject(moved, 'rpi4').modelPath).toBe(join(moved, 'digits-conv.epk'));
    const { items } = await check(moved, { budgets: { size: { file: 100_000 }, memory: { engine: '1 GB' } } });
    expect(items.map(({ metric, outcome, message }) => [metric, outcome, message.slice(0, 23)])).toEqual([
      ['size.file', 'failed', '.ort file 123,456 bytes'],
      ['memory.engine', 'passed', expect.stringMatching(/^peak memory/)],
    ]);
  });

  it('may come from a version that knows more or less', () => {
    const { accuracy, ...rest } = exampleReport();
    const newer = { ...rest, accuracy: { ...accuracy, more: 1 }, more: 1, latency: { host: null, device: 'later' } };
    expect(checkedReportSchema.parse(newer).latency).toMatchObject({ host: null, device: null });
    const path = join(folder, 'array.json');
    writeFileSync(path, '[]');
    expect(() => readCheckedReport(path)).toThrow(/report .*must be an object/);
  });

  it('is compared with another one by the original that both were timed with', () => {
    const open = (name: string, change: (report: ReturnType<typeof exampleReport>) => object) => {
      const path = join(folder, name);
      mkdirSync(path, { recursive: true });
      writeFileSync(join(path, 'report.json'), JSON.stringify({ ...exampleReport(), ...change(exampleReport()) }));
      return openCheckSubject(path, 'rpi4');
    };
    const host = (change: object) =>
      open('b', ({ latency }) => ({ latency: { host: { ...latency.host, ...change } } }));
    const main = open('a', () => ({}));
    const { value, low, high } = ratioByReports(host({ ratio: (1.1 * 0.2) / 0.31 }), main, 'host')!;
    expect(value).toBeCloseTo(1.1, 9);
    expect(low).toBeCloseTo((0.62 / 0.67) * 0.98, 9);
    expect(high).toBeCloseTo((0.67 / 0.62) * 1.02, 9);
    expect(ratioByReports(host({ cpu: 'Other CPU' }), main, 'host')).toBeUndefined();
    expect(ratioByReports(host({ threads: 1 }), main, 'host')).toBeUndefined();
    expect(
      ratioByReports(
        open('c', ({ model }) => ({ model: { ...model, sha256: '0'.repeat(64) } })),
        main,
        'host',
      ),
    ).toBeUndefined();
    expect(ratioByReports(main, undefined, 'host')).toBeUndefined();
  });
});

describe('slowerNodes', () => {
  it('names the nodes that add most, and those that are new', () => {
    const node = (name: string, runMs: number) => ({ name, opType: 'Conv', runMs });
    const profile = (...nodes: object[]) => ({ nodes }) as BenchProfile;
    const before = profile(node('a', 1), node('b', 2), node('c', 3));
    const after = profile(node('a', 1.5), node('b', 2), node('c', 2), node('d', 0.7));
    expect(slowerNodes(before, after)).toEqual([
      { name: 'd', detail: 'Conv: 700 µs (new)' },
      { name: 'a', detail: 'Conv: 1.00 ms → 1.50 ms' },
    ]);
    expect(slowerNodes(undefined, after)).toEqual([]);
    const shares = profile({ ...node('a', 3), share: 0.3 }, { ...node('b', 7), share: 0.7 });
    expect(slowestNodes(shares)[0]).toEqual({ name: 'b', detail: 'Conv: 7.00 ms, 70.0 % of the time' });
  });
});
