import { z } from 'zod';
import { checkSchema } from '../budget/check-schema.ts';
import { historyRowSchema } from '../budget/history.ts';
import { configSchema } from '../pipeline/compress-options.ts';
import { recipeSchema } from '../recipes/recipe-schema.ts';
import { benchSchema } from '../report/bench-schema.ts';
import { calibrationResultSchema } from '../report/calibration-result-schema.ts';
import { diffSchema } from '../report/diff-schema.ts';
import { predictionSchema } from '../report/prediction-schema.ts';

import { reportSchema } from '../report/report-schema.ts';
import { calibrationSchema } from '../targets/latency-schema.ts';
import { providerSchema, toolchainSchema } from '../targets/provider-schema.ts';
import { targetSchema } from '../targets/target-schema.ts';

/** The JSON Schemas of every file that edgepack reads or writes, by file name in `schemas/`. */
export function jsonSchemas(): Readonly<Record<string, unknown>> {
  return {
    'bench.schema.json': z.toJSONSchema(benchSchema, { io: 'output' }),
    'calibration.schema.json': z.toJSONSchema(calibrationSchema, { io: 'input' }),
    'calibration-result.schema.json': z.toJSONSchema(calibrationResultSchema, { io: 'output' }),
    'diff.schema.json': z.toJSONSchema(diffSchema, { io: 'output' }),
    'edgepack.config.schema.json': z.toJSONSchema(configSchema, { io: 'input' }),
    'prediction.schema.json': z.toJSONSchema(predictionSchema, { io: 'output' }),
    'check.schema.json': z.toJSONSchema(checkSchema, { io: 'output' }),
    'history.schema.json': z.toJSONSchema(historyRowSchema, { io: 'output' }),
    'provider.schema.json': z.toJSONSchema(providerSchema, { io: 'input' }),
    'recipe.schema.json': z.toJSONSchema(recipeSchema, { io: 'input' }),
    'report.schema.json': z.toJSONSchema(reportSchema, { io: 'output' }),
    'target.schema.json': z.toJSONSchema(targetSchema, { io: 'input' }),
    'toolchain.schema.json': z.toJSONSchema(toolchainSchema, { io: 'input' }),
  };
}
