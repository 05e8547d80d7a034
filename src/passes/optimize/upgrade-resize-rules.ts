import { attr, type Node } from '../../ir/node.ts';
import type { Value } from '../../ir/value.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { constantInput, crosses, drop, edit, RuleSet } from './upgrade-rule.ts';

/** Operators that scale images. */
export const resizeRules = new RuleSet();

// Upsample became Resize in version 10; both scale by x / scale and round down.
resizeRules.add('Upsample', (node, context) => {
  if (context.from >= 10) return 'does not exist in this version';
  const mode = node.string('mode', 'nearest');
  if (mode !== 'nearest' && mode !== 'linear' && mode !== 'bilinear') return `has the mode '${mode}'`;
  const attribute = node.attribute('scales', 'floats')?.value ?? scalesOfImage(node);
  if (attribute === undefined && node.input(1) === undefined) return 'has no scales';
  return edit('becomes Resize', () => {
    const scales = node.input(1);
    drop(node, 'scales', 'height_scale', 'width_scale');
    becomeResize(node, mode === 'nearest' ? 'nearest' : 'linear', 'floor', scales);
    if (attribute !== undefined) constantInput(node, 2, 'scales', Tensor.float32('', [attribute.length], attribute));
  });
});

/** Scales of the experimental form of version 1. */
function scalesOfImage(node: Node): readonly number[] | undefined {
  const [height, width] = [node.float('height_scale'), node.float('width_scale')];
  return height === undefined || width === undefined ? undefined : [1, 1, height, width];
}

function becomeResize(node: Node, mode: string, nearestMode: string, scales: Value | undefined): void {
  node.opType = 'Resize';
  node.setInput(1, undefined);
  node.setInput(2, scales);
  node.setAttribute(attr.string('mode', mode));
  node.setAttribute(attr.string('coordinate_transformation_mode', 'asymmetric'));
  if (mode === 'nearest') node.setAttribute(attr.string('nearest_mode', nearestMode));
}

// Version 10 rounded up where it made smaller and down elsewhere; since 11 an attribute says how to round.
resizeRules.add('Resize', (node, context) => {
  if (crosses(context, 13) && node.string('coordinate_transformation_mode') === 'tf_half_pixel_for_nn') {
    return 'has a coordinate mode that is gone';
  }
  if (!crosses(context, 11)) return undefined;
  const mode = node.string('mode', 'nearest');
  const scales = context.constant(node.input(1))?.toNumbers();
  let nearestMode = 'floor';
  if (mode === 'nearest') {
    if (scales === undefined) return 'its scales are not constant';
    if (scales.some((scale) => scale < 1)) {
      if (scales.some((scale) => scale > 1)) return 'makes one axis larger and another smaller';
      nearestMode = 'ceil';
    }
  }
  return edit('says how it maps positions', () => becomeResize(node, mode, nearestMode, node.input(1)));
});
