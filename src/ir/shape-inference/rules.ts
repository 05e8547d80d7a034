import type { Node } from '../node.ts';
import { controlFlowRules } from './control-flow-rules.ts';
import { convolutionRules } from './convolution-rules.ts';
import { elementwiseRules } from './elementwise-rules.ts';
import { expansionRules } from './expansion-rules.ts';
import { generatorRules } from './generator-rules.ts';
import { indexingRules } from './indexing-rules.ts';
import type { ShapeRule } from './inference-context.ts';
import { matrixRules } from './matrix-rules.ts';
import { microsoftRules } from './microsoft-rules.ts';
import { mlRules } from './ml-rules.ts';
import { reductionRules } from './reduction-rules.ts';
import { shapeRules } from './shape-rules.ts';

const onnxRules = new Map<string, ShapeRule>(
  [
    elementwiseRules,
    shapeRules,
    expansionRules,
    indexingRules,
    reductionRules,
    convolutionRules,
    matrixRules,
    generatorRules,
    controlFlowRules,
  ].flatMap((rules) => Object.entries(rules)),
);
const contribRules = new Map<string, ShapeRule>(Object.entries(microsoftRules));
const classicalRules = new Map<string, ShapeRule>(Object.entries(mlRules));

/** The rule of a node's operator; undefined for operators this version does not know. */
export function ruleFor(node: Node): ShapeRule | undefined {
  switch (node.domain) {
    case '':
    case 'ai.onnx':
      return onnxRules.get(node.opType);
    case 'ai.onnx.ml':
      return classicalRules.get(node.opType);
    case 'com.microsoft':
      return contribRules.get(node.opType);
    case 'com.microsoft.nchwc':
      return contribRules.get(`nchwc.${node.opType}`);
    default:
      return undefined;
  }
}
