import { z } from 'zod';

export const executionNames = ['int8', 'mixed', 'weights', 'float', 'original'] as const;

const execution = z
  .enum(executionNames)
  .describe(
    'int8: weights and activations. mixed: some layers compute in float. weights: stored as int8, all computes in float. float: nothing is int8. original: as it came.',
  );

export const executionSchema = z
  .strictObject({
    shipped: execution,
    because: z.string().describe('Why, in one sentence.'),
    allowedSlower: z.boolean().describe('--allow-slower: what the recipe made is shipped, whatever its speed.'),
    evidence: z.strictObject({
      kind: z
        .enum(['device', 'profile', 'host', 'none'])
        .describe(
          "Measured on the device, told by the target's profile, or measured on this host; none of a provider that runs in none of them.",
        ),
      label: z.string().describe('Where it comes from.'),
      notes: z.array(z.string()).describe('Why better evidence was not used.'),
    }),
    variants: z
      .array(
        z.strictObject({
          execution,
          detail: z.string().describe('What it is, where there are several of a kind.'),
          ratio: z.number().positive().describe("Its time as a multiple of the original's."),
          ratioLow: z.number().positive().describe('Lower end of the interval.'),
          ratioHigh: z.number().positive().describe('Upper end of the interval.'),
          verdict: z
            .enum(['faster', 'not-slower', 'slower', 'undecided'])
            .describe('undecided: the interval holds 1 and the ratio is above it, which counts as slower.'),
          shipped: z.boolean(),
        }),
      )
      .describe('What was compared with the original, in the order of preference.'),
  })
  .describe('Which variant is shipped so that it is not slower than the original.');

export type ReportExecution = z.output<typeof executionSchema>;
export type ExecutionName = (typeof executionNames)[number];
