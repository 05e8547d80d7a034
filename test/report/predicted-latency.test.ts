import { describe, expect, it } from 'vitest';
import { renderTerminal } from '../../src/report/render-terminal.ts';
import { type Report, reportSchema } from '../../src/report/report-schema.ts';
import { examplePrediction } from '../cli/fake-api.ts';
import { exampleReport } from './example-report.ts';

const told = examplePrediction.prediction!;

function withPrediction(predicted: Report['latency']['predicted'], missing: Record<string, string> = {}): Report {
  const report = exampleReport();
  return {
    ...report,
    latency: { ...report.latency, ...(predicted === undefined ? {} : { predicted }) },
    missing: { ...report.missing, ...missing },
  };
}

describe('predicted latency in a report', () => {
  it('says where it stands that it rests on a calibration of the user, and how old that is', () => {
    const told = examplePrediction.prediction!;
    const calibration = { path: '~/.config/edgepack/targets/rpi4.json', measuredAt: null, ageDays: 1.2 };
    const text = renderTerminal(withPrediction({ original: { ...told, calibration }, compressed: told }));
    expect(text.replace(/\s+/g, ' ')).toContain(
      'from your own calibration, 1 day old (~/.config/edgepack/targets/rpi4.json)',
    );
  });

  it('is a line of the summary that says it was not measured', () => {
    const report = withPrediction({ original: told, compressed: { ...told, latencyMs: 31, lowMs: 20, highMs: 45 } });
    expect(reportSchema.safeParse(report).success).toBe(true);
    const text = renderTerminal(report, { columns: 200 });
    expect(text).toContain(
      '62.0 ms (50.0 ms to 80.0 ms) → 31.0 ms (20.0 ms to 45.0 ms) on the target, ncnn, 4 threads',
    );
    expect(text).toContain('90 % intervals, predicted, not measured');
  });

  it('that is null has a reason, which the summary shows', () => {
    const open = withPrediction({ original: told, compressed: null });
    expect(reportSchema.safeParse(open).success).toBe(false);
    const report = withPrediction(
      { original: told, compressed: null },
      { 'latency.predicted.compressed': 'no int8 rows' },
    );
    expect(reportSchema.safeParse(report).success).toBe(true);
    expect(renderTerminal(report, { columns: 200 })).toContain('→ none (no int8 rows)');
  });

  it('may be absent, as in reports of older versions', () => {
    expect(reportSchema.safeParse(withPrediction(undefined)).success).toBe(true);
    expect(renderTerminal(withPrediction(undefined))).not.toContain('predicted');
  });
});
