import { printable } from '../diagnostics/printable.ts';
import type { CompressPlan } from '../pipeline/api-types.ts';
import { formatBytes } from '../report/number-format.ts';
import type { Style } from './paint.ts';

/** What a dry run has to say. */
export function renderPlan(plan: CompressPlan, style: Style): string {
  const samples =
    plan.calibrationSamples + plan.evaluationSamples === 0
      ? 'none: weights only, accuracy is not measured'
      : `${plan.calibrationSamples} to calibrate, ${plan.evaluationSamples} to evaluate`;
  const lines = [
    style.paint('Dry run: nothing was written.', 'title'),
    '',
    `  model    ${printable(plan.model.path, 300)} (${formatBytes(plan.model.sizeBytes)})`,
    `  target   ${printable(plan.target)}`,
    `  provider ${printable(plan.provider)}`,
    `  recipe   ${printable(plan.recipe)}`,
    `  data     ${samples}`,
    ...plan.steps.map(
      (step, index) => `  ${index === 0 ? 'steps ' : '      '}   ${index + 1}. ${step.pass}${describe(step.options)}`,
    ),
    ...plan.outputs.map((path, index) => `  ${index === 0 ? 'writes' : '      '}   ${printable(path, 300)}`),
  ];
  return `${lines.join('\n')}\n`;
}

function describe(options: Readonly<Record<string, unknown>>): string {
  const parts = Object.entries(options).map(([key, value]) => `${key} ${printable(JSON.stringify(value) ?? '', 80)}`);
  return parts.length === 0 ? '' : ` (${parts.join(', ')})`;
}
