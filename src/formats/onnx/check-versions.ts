import { EdgepackError } from '../../diagnostics/edgepack-error.ts';
import { printable } from '../../diagnostics/printable.ts';
import type { Model } from '../../ir/model.ts';

/** No version of ONNX is near it; larger numbers are damage. */
const MAX_IR_VERSION = 9999;

/**
 * Checks that a file states versions that can be: of the format, and of operator sets, which came with IR version 3.
 * @throws EdgepackError `model-invalid`
 */
export function checkVersions({ irVersion, opsetImports }: Model): void {
  if (!(irVersion >= 1 && irVersion <= MAX_IR_VERSION)) {
    throw invalid(irVersion === 0 ? 'states no IR version' : `states the impossible IR version ${irVersion}`);
  }
  if (opsetImports.size === 0 && irVersion >= 3) throw invalid('imports no operator set');
  for (const [domain, version] of opsetImports) {
    if (version >= 1) continue;
    const name = domain === '' ? 'ai.onnx' : printable(domain);
    throw invalid(`imports the operator set '${name}' in the impossible version ${version}`);
  }
}

function invalid(message: string): EdgepackError {
  return new EdgepackError('model-invalid', message, {
    hint: 'the file is damaged or was written by a faulty tool: export the model again',
  });
}
