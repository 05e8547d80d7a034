import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EdgepackError } from '../../src/diagnostics/edgepack-error.ts';
import { listRecipes, loadRecipe } from '../../src/recipes/load-recipe.ts';

const folder = mkdtempSync(join(tmpdir(), 'edgepack-recipes-'));
let files = 0;
function failureOf(recipe: unknown): EdgepackError {
  const path = join(folder, `${files++}.json`);
  writeFileSync(path, JSON.stringify(recipe));
  try {
    loadRecipe(path);
  } catch (error) {
    if (error instanceof EdgepackError) return error;
    throw error;
  }
  throw new Error('the recipe was accepted');
}

describe('built-in recipes', () => {
  it('are four', () => {
    expect(listRecipes()).toEqual(['accurate', 'balanced', 'optimize', 'weight-only']);
  });

  it.each(listRecipes())('%s begins by optimising and quantizes last', (name) => {
    const { steps, name: own, description } = loadRecipe(name);
    expect(own).toBe(name);
    expect(description).toMatch(/\.$/);
    expect(steps[0]?.pass).toBe('optimize');
    if (name === 'optimize') expect(steps).toHaveLength(1);
    else expect(steps.at(-1)?.pass).toMatch(/^quantize-/);
  });

  it('prune only where it is said', () => {
    const prunes = listRecipes().filter((name) =>
      loadRecipe(name).steps.some((step) => step.pass === 'prune-magnitude'),
    );
    expect(prunes).toEqual(['balanced']);
    for (const step of loadRecipe('balanced').steps) {
      if (step.pass === 'prune-magnitude') expect(step.options.sparsity).toBe('auto');
    }
  });
});

describe('a recipe of the user', () => {
  const valid = { schemaVersion: 1, name: 'mine', description: 'Mine.', steps: [{ pass: 'optimize' }] };

  it('may leave options out', () => {
    const path = join(folder, 'valid.json');
    writeFileSync(path, JSON.stringify(valid));
    expect(loadRecipe(path).steps).toEqual([{ pass: 'optimize', options: {} }]);
  });

  it('is refused with an unknown key, pass or option, by name', () => {
    expect(failureOf({ ...valid, stepps: [] }).hint).toContain('steps');
    const option = failureOf({ ...valid, steps: [{ pass: 'quantize-static', options: { biasCorection: true } }] });
    expect(option.message).toContain('steps[0].options');
    expect(option.message).toContain('biasCorection');
    const pass = failureOf({ ...valid, steps: [{ pass: 'magic' }] });
    expect(pass.code).toBe('recipe');
    expect(pass.message).toContain('steps[0].pass');
  });

  it('is refused with a value out of range', () => {
    const prune = (options: object) => failureOf({ ...valid, steps: [{ pass: 'prune-magnitude', options }] });
    expect(prune({ sparsity: 1.5 }).location.key).toBe('steps[0].options.sparsity');
    expect(prune({ maskStructure: '2-4' }).code).toBe('recipe');
  });

  it('is suggested by name', () => {
    expect(() => loadRecipe('acurate')).toThrowError(
      expect.objectContaining({ hint: expect.stringContaining('accurate') }),
    );
  });
});
