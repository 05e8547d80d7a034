import { describe, expect, it } from 'vitest';
import { renderJson } from '../../src/report/render-json.ts';
import { renderMarkdown } from '../../src/report/render-markdown.ts';
import { renderTerminal } from '../../src/report/render-terminal.ts';
import { type Report, reportSchema } from '../../src/report/report-schema.ts';
import { exampleReport } from './example-report.ts';

const plain = { columns: 100 } as const;
const slow = (): Report => {
  const report = exampleReport();
  return { ...report, latency: { host: { ...report.latency.host!, ratio: 1.31, ratioLow: 1.28, ratioHigh: 1.35 } } };
};
const unmeasured = () =>
  exampleReport({
    accuracy: null,
    integerShare: null,
    memory: null,
    latency: { host: null },
    missing: {
      accuracy: 'no evaluation data; give --data',
      integerShare: 'weights only',
      memory: 'not counted',
      'latency.host': 'dry run',
    },
  });

describe('reportSchema', () => {
  it('accepts the example', () => {
    expect(reportSchema.safeParse(exampleReport()).error).toBeUndefined();
    expect(reportSchema.safeParse(unmeasured()).error).toBeUndefined();
  });

  it('wants a reason for every missing part', () => {
    for (const path of ['accuracy', 'integerShare', 'memory', 'latency.host'] as const) {
      const report = unmeasured();
      delete report.missing[path];
      expect(reportSchema.safeParse(report).error?.issues[0]?.message).toContain(path);
    }
    expect(reportSchema.safeParse(exampleReport({ missing: { accuracy: 'but it is there' } })).success).toBe(false);
  });

  it('wants sizes that add up', () => {
    for (const key of ['originalBytes', 'onnxBytes', 'epkBytes'] as const) {
      const report = exampleReport();
      const sizes = { ...report.sizes, [key]: report.sizes[key]! + 1 };
      expect(reportSchema.safeParse({ ...report, sizes }).error?.issues[0]?.path).toEqual(['sizes']);
    }
  });

  it('takes no number that JSON cannot hold and no unknown key', () => {
    const report = exampleReport();
    const exact = { ...report.accuracy!.exact!, sqnrDb: Number.POSITIVE_INFINITY };
    expect(reportSchema.safeParse({ ...report, accuracy: { ...report.accuracy!, exact } }).success).toBe(false);
    expect(reportSchema.safeParse({ ...report, latencyOnTarget: 3 }).success).toBe(false);
  });
});

describe('renderJson', () => {
  it('gives the same bytes whatever the order of the keys', () => {
    const report = exampleReport();
    const reversed = (value: unknown): unknown =>
      value === null || typeof value !== 'object' || Array.isArray(value)
        ? value
        : Object.fromEntries(
            Object.entries(value)
              .reverse()
              .map(([key, inner]) => [key, key === 'sources' || key === 'missing' ? inner : reversed(inner)]),
          );
    expect(renderJson(reversed(report) as Report)).toBe(renderJson(report));
    expect(renderJson(report).startsWith('{\n  "reportVersion": 1,\n  "tool"')).toBe(true);
    expect(JSON.parse(renderJson(report))).toEqual(JSON.parse(JSON.stringify(report)));
  });
});

describe('renderTerminal', () => {
  it('tells size, accuracy and latency in a few short lines', () => {
    const text = renderTerminal(exampleReport(), plain);
    expect(text).toContain('digits for Raspberry Pi 4 Model B (rpi4), recipe accurate');
    expect(text).toContain('408 kB → 105 kB .onnx (3.88 × smaller) → 81.0 kB .epk (5.03 × smaller)');
    expect(text).toContain('97.0 % → 96.5 % right (−0.5 ± 1.0 points), 200 samples');
    expect(text).toContain('310 µs → 200 µs median (1.55 × faster, 95 %: 1.49 to 1.61 ×)');
    expect(text).toContain('out/digits.onnx');
    expect(text.split('\n').length).toBeLessThan(20);
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
  });

  it('says that a latency was not measured on the target', () => {
    expect(renderTerminal(exampleReport(), { ...plain, columns: 400 })).toMatch(/latency .*not on the target/);
  });

  it('says first where int8 is slower', () => {
    const [first] = renderTerminal(slow(), { ...plain, columns: 200 }).split('\n');
    expect(first).toMatch(/^! Slower on this host: .*1\.31 × the time/);
    expect(renderTerminal(slow(), { ...plain, columns: 200 })).not.toContain('faster');
    expect(renderMarkdown(slow()).split('\n')[2]).toMatch(/Slower on this host/);
  });

  it('says first where the accuracy limit is broken', () => {
    const report = exampleReport();
    const limit = { maxAccuracyDropPoints: 1, dropPoints: 4.25, met: false };
    const text = renderTerminal({ ...report, accuracy: { ...report.accuracy!, limit } }, plain);
    expect(text.split('\n')[0]).toBe('! Accuracy limit not met: 4.25 points lost, 1 allowed.');
  });

  it('says what was not measured, and why', () => {
    const text = renderTerminal(unmeasured(), plain);
    expect(text).toMatch(/accuracy +not measured: no evaluation data; give --data/);
    expect(text).toMatch(/latency +not measured: dry run/);
    expect(text).not.toContain('undefined');
    expect(text).not.toContain('null');
  });

  it('is painted only where asked, and never passes control characters of a name on', () => {
    const marked = renderTerminal(slow(), { ...plain, paint: (text, tone) => `<${tone}>${text}</>` });
    expect(marked).toMatch(/^! +<alarm>Slower on this host/);
    expect(marked).toContain('<title>digits for');
    expect(marked).toMatch(/size +<good>408 kB/);
    const report = exampleReport();
    const hostile = { ...report, model: { ...report.model, name: 'a\u001b[31m\u202eb\n' } };
    for (const character of ['\u001b', '\u202e']) expect(renderTerminal(hostile, plain)).not.toContain(character);
  });
});

describe('renderMarkdown', () => {
  it('holds the tables of a pull request', () => {
    const text = renderMarkdown(exampleReport());
    expect(text).toMatch(/^## digits for Raspberry Pi 4/);
    expect(text).toContain('| original | 97.0 % (93.6 to 98.6) |');
    expect(text).toContain(
      '| Optimise | 2 × identity removed, 1 × constant folded | outputs identical, agreement 100.0 % |',
    );
    expect(text).toContain('| dense2 | Gemm | int8 costs 9 dB here |');
    expect(text).toContain('edgepack compress models/digits.onnx --target rpi4');
    expect(text).not.toContain('undefined');
  });

  it('has rows of one length in every table', () => {
    for (const report of [exampleReport(), slow(), unmeasured()]) {
      const tables = renderMarkdown(report)
        .split('\n\n')
        .filter((block) => block.startsWith('|'));
      expect(tables.length).toBeGreaterThan(1);
      for (const table of tables) {
        const widths = table.split('\n').map((line) => line.replaceAll('\\|', '').split('|').length);
        expect(new Set(widths).size, table).toBe(1);
      }
    }
  });

  it('lets no name from a model break out of its cell', () => {
    const report = exampleReport();
    const name = '<img src=x>|\n`x`](http://example.invalid)';
    const text = renderMarkdown({
      ...report,
      layers: [{ name, opType: 'Gemm', precision: 'float', sqnrDb: null, reason: '<b>|' }],
      sizes: {
        ...report.sizes,
        initializers: report.sizes.initializers.map((row, i) => (i === 0 ? { ...row, name } : row)),
      },
    });
    expect(text).not.toContain('<img');
    expect(text).not.toContain('<b>');
    expect(text).not.toMatch(/[^\\]\]\(http/);
    expect(text).toContain('\\|');
  });

  it('shows the largest initializers and adds up the rest', () => {
    const report = exampleReport();
    const many = Array.from({ length: 40 }, (_, i) => ({
      name: `w${i}`,
      layer: null,
      dataType: 'int8',
      originalBytes: 4000 + i,
      quantizedBytes: 1000,
      codedBytes: 900,
      sparsityRatio: null,
    }));
    const text = renderMarkdown({ ...report, sizes: { ...report.sizes, initializers: many } });
    expect(text).toContain('| w39 |');
    expect(text).not.toContain('| w3 |');
    expect(text).toContain('| 28 more |');
  });
});

describe('a difference in latency within its noise', () => {
  it('raises no alarm', () => {
    const report = exampleReport();
    const host = { ...report.latency.host!, ratio: 1.01, ratioLow: 0.97, ratioHigh: 1.04 };
    const text = renderTerminal({ ...report, latency: { host } }, { ...plain, columns: 400 });
    expect(text).not.toMatch(/^!/);
    expect(text).toContain('1.01 × the time, 95 %: 0.97 to 1.04 ×');
  });
});
