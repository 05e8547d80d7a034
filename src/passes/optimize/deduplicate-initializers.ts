import { createHash } from 'node:crypto';
import type { Value } from '../../ir/value.ts';
import { DataType } from '../../tensor/data-type.ts';
import { type Pass, type PassChange, passResult } from '../pass.ts';

/** Types whose constants are not merged. */
const ALONE = new Set<number>([DataType.string, DataType.int8]);

/**
 * Lets all readers of equal constants of the main graph (same type, shape and bytes) read the first of them. Constants
 * that are graph inputs or outputs keep their place; those of subgraphs are left alone. So are int8 ones: the engine rewrites
 * weights and zero points of integer products for some processors, and fails to load a model where two products share one.
 */
export function deduplicateInitializers(): Pass {
  return {
    name: 'deduplicate-initializers',
    run(model) {
      const { graph } = model;
      const changes: PassChange[] = [];
      const fixed = new Set<Value>(graph.inputs);
      for (const inner of graph.allGraphs()) for (const value of inner.outputs) fixed.add(value);
      const bySize = new Map<string, Value[]>();
      for (const value of graph.initializers) {
        const tensor = value.tensor;
        if (tensor === undefined || fixed.has(value) || ALONE.has(tensor.dataType)) continue;
        const key = `${tensor.dataType}|${tensor.dims.join()}|${tensor.byteLength}`;
        const group = bySize.get(key);
        if (group === undefined) bySize.set(key, [value]);
        else group.push(value);
      }
      // Only constants that look alike from outside are read at all.
      for (const group of bySize.values()) {
        if (group.length < 2) continue;
        const first = new Map<string, Value>();
        for (const value of group) {
          const hash = createHash('sha256').update(value.tensor!.bytes()).digest('base64');
          const kept = first.get(hash);
          if (kept === undefined) {
            first.set(hash, value);
            continue;
          }
          value.replaceAllUsesWith(kept);
          graph.initializers.delete(value);
          changes.push({ kind: 'deduplicate-initializer', subject: value.name, detail: `same as ${kept.name}` });
        }
      }
      return passResult(changes);
    },
  };
}
