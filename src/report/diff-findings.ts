import type { Diff, DiffNode, NodeChangeRecord, WeightChangeRecord } from './diff-schema.ts';
import { formatCount, formatDecibels, formatPercent } from './number-format.ts';

/** What each kind of change is called, in the order in which they are shown. */
export const changeTitles: Readonly<Record<NodeChangeRecord['kind'], string>> = {
  changed: 'Changed',
  replaced: 'Replaced by another operator',
  quantized: 'Now quantized',
  dequantized: 'No longer quantized',
  fused: 'Fused: other nodes were folded in',
  split: 'Split: what was folded in is on its own',
  removed: 'Removed',
  added: 'Added',
  'stored-otherwise': 'Constants stored otherwise (node or initializer)',
  renamed: 'Renamed, otherwise the same',
};

/** "Conv" or "com.microsoft.QGemm". */
export function operatorOf({ domain, opType }: DiffNode): string {
  return domain === '' || domain === 'ai.onnx' ? opType : `${domain}.${opType}`;
}

/** Changes by kind, those there are, in the order of {@link changeTitles}. */
export function changesByKind({ nodes }: Diff): (readonly [NodeChangeRecord['kind'], NodeChangeRecord[]])[] {
  return (Object.keys(changeTitles) as NodeChangeRecord['kind'][])
    .map((kind) => [kind, nodes.changes.filter((change) => change.kind === kind)] as const)
    .filter(([, changes]) => changes.length > 0);
}

/** What a change consists of, in a few phrases; names are not escaped. */
export function changePhrases({ kind, details, companions }: NodeChangeRecord): string[] {
  const isQuantization = kind === 'quantized' || kind === 'dequantized';
  // That its constants are others and where its inputs come from is what quantization and folding mean.
  const isImplied = isQuantization || kind === 'fused' || kind === 'split';
  const phrases: string[] = [];
  const folded = companions.filter(({ opType }) => !/^(Quantize|Dequantize)Linear$/.test(opType));
  if (folded.length > 0)
    phrases.push(`${countedOperators(folded)} ${kind === 'split' || kind === 'dequantized' ? 'apart' : 'folded in'}`);
  for (const { what, name, a, b } of details) {
    const change = `${a ?? 'none'} → ${b ?? 'none'}`;
    if (what === 'attribute') phrases.push(`${name}: ${change}`);
    else if (what === 'operator' || what === 'precision') phrases.push(change);
    else if (what === 'name' && a !== '' && b !== '') phrases.push(`was ${a}`);
    else if (what === 'inputs' && !isImplied) {
      phrases.push(a === null ? `${name} added` : b === null ? `${name} gone` : `${name}: ${change}`);
    }
  }
  const weights = details.filter(({ what }) => what === 'weights').length;
  if (weights > 0 && !isImplied) phrases.push(weights === 1 ? 'other weights' : `${weights} constants differ`);
  if (phrases.length > 0) return phrases;
  return details
    .filter(({ what }) => what === 'output-name')
    .map(({ a, b }) => `output ${a ?? 'none'} → ${b ?? 'none'}`);
}

/** "3 × Conv, Relu". */
export function countedOperators(nodes: readonly DiffNode[]): string {
  const counts = new Map<string, number>();
  for (const node of nodes) counts.set(operatorOf(node), (counts.get(operatorOf(node)) ?? 0) + 1);
  const sorted = [...counts].sort(([x, i], [y, j]) => j - i || (x < y ? -1 : 1));
  return sorted.map(([name, count]) => (count === 1 ? name : `${count} × ${name}`)).join(', ');
}

/** Changed weights, those that differ most first; then those that cannot be compared. */
export function weightsByError({ weights }: Diff): WeightChangeRecord[] {
  const rank = ({ distance }: WeightChangeRecord) =>
    distance === null ? Number.NEGATIVE_INFINITY : (distance.sqnrDb ?? 1000);
  return weights.changes.filter(({ kind }) => kind === 'changed').sort((x, y) => rank(x) - rank(y));
}

/** "float32 [8, 3, 3, 3]". */
export function storageOf(constant: WeightChangeRecord['a']): string {
  return constant === null ? 'none' : `${constant.dataType} [${constant.shape.join(', ')}]`;
}

export function sqnrText(distance: WeightChangeRecord['distance']): string {
  if (distance === null) return 'not comparable';
  if (distance.changedRatio === 0) return 'equal';
  return distance.sqnrDb === null ? 'no signal' : formatDecibels(distance.sqnrDb);
}

export function errorText(error: number | null): string {
  return error === null ? '∞' : error === 0 ? '0' : error.toPrecision(3);
}

/** The comparison in rows of the same fact of both models. */
export function sideBySide({ a, b }: Diff): readonly (readonly [fact: string, a: string, b: string])[] {
  const opset = (facts: Diff['a']) =>
    facts.opsetImports
      .map(({ domain, version }) => `${domain === '' || domain === 'ai.onnx' ? 'onnx' : domain} ${version}`)
      .join(', ');
  const macs = (facts: Diff['a']) => (facts.macs === null ? 'unknown' : formatCount(facts.macs));
  return [
    ['nodes', String(a.nodes), String(b.nodes)],
    ['parameters', formatCount(a.parameters), formatCount(b.parameters)],
    ['multiply-accumulates', macs(a), macs(b)],
    ['opset', opset(a), opset(b)],
  ];
}

/** "18 of 94 nodes changed". One line that says it all. */
export function verdict(diff: Diff): string {
  if (diff.identical) {
    return diff.a.sha256 === diff.b.sha256 ? 'The same file.' : 'The same model in another file: no difference found.';
  }
  const parts = changesByKind(diff).map(([kind, changes]) => `${changes.length} ${kind.replace('-', ' ')}`);
  const nodes =
    parts.length === 0 ? 'No node differs' : `Nodes: ${diff.nodes.unchanged} unchanged, ${parts.join(', ')}`;
  const changed = diff.weights.changes.filter(({ kind }) => kind === 'changed').length;
  const weights = `weights: ${diff.weights.identical + diff.weights.changes.filter(({ kind }) => kind === 'renamed').length} the same, ${changed} changed`;
  return `${nodes}; ${weights}.`;
}

export function shareText(ratio: number): string {
  return formatPercent(ratio, ratio > 0 && ratio < 0.0005 ? 3 : 1);
}
