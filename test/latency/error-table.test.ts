import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { errorTable, withTable } from '../../scripts/fit-latency/error-table.ts';
import { listTargets, loadTarget } from '../../src/targets/load-target.ts';

describe('docs/predicting.md', () => {
  it('has the errors of the profiles that are shipped', () => {
    const page = readFileSync(new URL('../../docs/predicting.md', import.meta.url), 'utf8');
    expect(withTable(page, errorTable(listTargets().map((name) => loadTarget(name))))).toBe(page);
  });
});
