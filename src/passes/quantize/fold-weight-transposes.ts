import type { Node } from '../../ir/node.ts';
import { DataType } from '../../tensor/data-type.ts';
import { Tensor } from '../../tensor/tensor.ts';
import { becomeInitializer } from '../optimize/become-initializer.ts';
import { type Pass, type PassChange, passResult } from '../pass.ts';

/**
 * Gives matrix products that read a constant matrix transposed a matrix of their own. That is how an embedding is tied to the
 * layer that gives the words' scores: as int8 the two together take half of what the one took in float.
 * @example foldWeightTransposes()
 */
export function foldWeightTransposes(): Pass {
  return {
    name: 'fold-weight-transposes',
    run({ graph }) {
      const changes: PassChange[] = [];
      for (const node of graph.nodes()) {
        const matrix = node.is('Transpose') ? node.input(0)?.tensor : undefined;
        if (matrix?.dataType !== DataType.float32 || matrix.dims.length !== 2 || !feedsProductsOnly(node)) continue;
        const order = node.ints('perm') ?? [1, 0];
        if (order[0] !== 1 || order[1] !== 0 || graph.isOutput(node.output)) continue;
        changes.push({
          kind: 'fold-weight-transpose',
          subject: node.input(0)!.name,
          detail: `for ${node.output.name}`,
        });
        becomeInitializer(graph, node, 0, transposed(matrix));
      }
      return passResult(changes);
    },
  };
}

function feedsProductsOnly({ output }: Node): boolean {
  const readers = output.consumers;
  return (
    readers.length > 0 &&
    readers.every((node) => node.is('MatMul', 'Gemm') && node.input(1) === output && node.input(0) !== output)
  );
}

function transposed(matrix: Tensor): Tensor {
  const [rows, columns] = matrix.dims as [number, number];
  const source = matrix.toFloat32();
  const target = new Float32Array(source.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) target[column * rows + row] = source[row * columns + column]!;
  }
  return Tensor.float32('', [columns, rows], target);
}
