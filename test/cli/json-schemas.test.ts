import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { historyRow } from '../../src/budget/history.ts';
import { jsonSchemas } from '../../src/cli/json-schemas.ts';
import { listRecipes, loadRecipe } from '../../src/recipes/load-recipe.ts';
import { listProviders, listToolchains, loadProvider, loadToolchain } from '../../src/targets/load-provider.ts';
import { listTargets, loadTarget } from '../../src/targets/load-target.ts';
import { exampleBudgets } from '../ci/example-project.ts';
import { exampleReport } from '../report/example-report.ts';
import { exampleCheck, overBudget } from './example-check.ts';

const folder = join(import.meta.dirname, '..', '..', 'schemas');
const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
const validator = (name: string) => new Ajv2020({ strict: false }).compile(read(name));

describe('schemas/', () => {
  it('holds what the code generates: run "npm run build && node scripts/write-schemas.mjs && npm run format"', () => {
    const generated = jsonSchemas();
    expect(readdirSync(folder).sort()).toEqual(Object.keys(generated).sort());
    for (const [name, schema] of Object.entries(generated))
      expect(read(name), name).toEqual(JSON.parse(JSON.stringify(schema)));
  });

  it('accepts the built-in providers and toolchains', () => {
    const provider = validator('provider.schema.json');
    for (const name of listProviders())
      expect(provider(loadProvider(name)), JSON.stringify(provider.errors)).toBe(true);
    const toolchain = validator('toolchain.schema.json');
    for (const name of listToolchains()) expect(toolchain(loadToolchain(name)), name).toBe(true);
  });

  it('accepts the built-in targets and recipes', () => {
    const target = validator('target.schema.json');
    for (const name of listTargets()) expect(target(loadTarget(name)), JSON.stringify(target.errors)).toBe(true);
    const recipe = validator('recipe.schema.json');
    for (const name of listRecipes()) expect(recipe(loadRecipe(name)), JSON.stringify(recipe.errors)).toBe(true);
  });

  it('accepts a report and refuses one with an unknown key', () => {
    const report = validator('report.schema.json');
    expect(report(exampleReport()), JSON.stringify(report.errors)).toBe(true);
    expect(report({ ...exampleReport(), extra: 1 })).toBe(false);
  });

  it('accepts a configuration and refuses unknown keys and wrong values', () => {
    const config = validator('edgepack.config.schema.json');
    expect(config({ model: 'a.onnx', target: 'rpi4', sparsity: 0.5, nodesToExclude: ['/fc/*'] })).toBe(true);
    expect(config({})).toBe(true);
    expect(config({ budgets: exampleBudgets }), JSON.stringify(config.errors)).toBe(true);
    expect(config({ budgets: { size: { fiel: 1 } } })).toBe(false);
    expect(config({ budgets: { size: { file: '1 pound' } } })).toBe(false);
    expect(config({ sparsitty: 0.5 })).toBe(false);
    expect(config({ calibrationMethod: 'magic' })).toBe(false);
  });

  it('accepts what check prints, and the row of a history', () => {
    const check = validator('check.schema.json');
    expect(check(exampleCheck({ items: [overBudget] })), JSON.stringify(check.errors)).toBe(true);
    const row = validator('history.schema.json');
    expect(row(historyRow(exampleCheck(), 'abc', new Date(0))), JSON.stringify(row.errors)).toBe(true);
  });

  it('describes every field of the configuration in one line', () => {
    for (const [key, field] of Object.entries(
      read('edgepack.config.schema.json').properties as Record<string, { description?: string }>,
    )) {
      expect(field.description, key).toMatch(/^[A-Z][^\n]+\.$/);
    }
  });
});
