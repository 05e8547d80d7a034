import { type Pass, type PassChange, passResult } from '../pass.ts';

/** The first IR version in which initializers need not be inputs. */
const IR_VERSION = 4;

/**
 * Makes initializers that are listed as graph inputs plain constants. Files of IR versions before 4 had to list them, and
 * some exporters still do; callers that fed one of them in place of its stored value no longer can.
 * @example removeInitializerInputs()
 */
export function removeInitializerInputs(): Pass {
  return {
    name: 'remove-initializer-inputs',
    run(model) {
      const { graph } = model;
      const changes: PassChange[] = [];
      const inputs = graph.inputs.filter((value) => {
        const isInitializer = graph.initializers.has(value);
        if (isInitializer) changes.push({ kind: 'remove-initializer-input', subject: value.name });
        return !isInitializer;
      });
      if (changes.length > 0) {
        graph.inputs.splice(0, graph.inputs.length, ...inputs);
        model.irVersion = Math.max(model.irVersion, IR_VERSION);
      }
      return passResult(changes);
    },
  };
}
