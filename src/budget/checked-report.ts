import { z } from 'zod';
import { EdgepackError } from '../diagnostics/edgepack-error.ts';
import { parseCheckedJson } from '../diagnostics/parse-checked-json.ts';
import { readBoundedText } from './read-bounded-text.ts';

const bytes = z.int().min(0);
const share = z.object({ value: z.number(), low: z.number(), high: z.number() });
const scores = z.object({ top1: share.nullable(), agreement: share.nullish() });
const measured = z.object({ medianMs: z.number(), medianLowMs: z.number(), medianHighMs: z.number() });
const latency = z.object({
  cpu: z.string().optional(),
  threads: z.int().optional(),
  compressed: measured,
  ratio: z.number().optional(),
  ratioLow: z.number().optional(),
  ratioHigh: z.number().optional(),
});
const predicted = z.object({
  latencyMs: z.number().positive(),
  lowMs: z.number().min(0),
  highMs: z.number().positive(),
  coverage: z.number().optional(),
  source: z.unknown(),
});

const demand = z.object({
  peakActivationBytes: bytes.nullable(),
  live: z.array(z.object({ name: z.string(), sizeBytes: bytes })),
});

/** Answers of one model to every evaluation sample, as bits: see `accuracy.perSample` of the report. */
const perSample = z.object({
  dataSha256: z.string(),
  correct: z.string().nullable(),
  agrees: z.string().nullable(),
});
export type PerSampleAnswers = z.output<typeof perSample>;

/**
 * The parts of a report.json that budgets look at. Looser than the report's own schema: a baseline may have been written by an
 * older or a newer edgepack, and what it does not have cannot be compared, which the check says.
 */
export const checkedReportSchema = z.object({
  reportVersion: z.literal(1),
  model: z.object({ name: z.string(), sha256: z.string(), parameters: z.int().min(0) }),
  target: z.object({ name: z.string() }),
  sizes: z.object({
    onnxBytes: bytes,
    ortBytes: bytes.optional(),
    epkBytes: bytes.nullable(),
    initializers: z.array(
      z.object({ name: z.string(), quantizedBytes: bytes, codedBytes: bytes.nullable(), originalBytes: bytes }),
    ),
  }),
  accuracy: z
    .object({
      samples: z.int().min(1),
      exact: scores.nullable(),
      paired: z.object({ b: z.int().min(0), c: z.int().min(0) }).nullable(),
      perSample: perSample.nullish(),
    })
    .nullable(),
  layers: z.array(
    z.object({
      name: z.string(),
      opType: z.string(),
      precision: z.string(),
      sqnrDb: z.number().nullable(),
    }),
  ),
  latency: z.object({
    host: latency.nullish(),
    device: latency.nullish().catch(null),
    predicted: z.object({ compressed: predicted.nullish() }).nullish().catch(null),
  }),
  memory: z
    .object({ demand: z.object({ compressed: demand }).nullish().catch(null) })
    .nullish()
    .catch(null),
  missing: z.record(z.string(), z.string()).catch({}),
  outputs: z.array(z.object({ path: z.string(), sha256: z.string() })),
  versions: z.object({ onnxruntime: z.string().nullable() }),
});
export type CheckedReport = z.output<typeof checkedReportSchema>;

/** Reports of models with very many initializers are some MB. */
const MAX_REPORT_BYTES = 2 ** 26;

/** @throws EdgepackError `file-not-found`; `usage` for a file that is no report of `edgepack compress`. */
export function readCheckedReport(path: string): CheckedReport {
  let text: string;
  try {
    text = readBoundedText(path, {
      what: 'the report',
      maxBytes: MAX_REPORT_BYTES,
      hint: 'name a report.json of edgepack compress',
    });
  } catch (cause) {
    if (cause instanceof EdgepackError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    throw new EdgepackError('file-not-found', code === 'ENOENT' ? 'no such file' : `cannot be read (${code})`, {
      location: { file: path },
      hint: 'write a report with edgepack compress, or name one',
      cause,
    });
  }
  return parseCheckedJson(text, path, checkedReportSchema, 'usage', 'report');
}
