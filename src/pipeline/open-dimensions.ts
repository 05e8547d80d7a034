import type { Model } from '../ir/model.ts';

/** A dimension of an input whose size the model leaves open. */
export interface OpenDimension {
  readonly input: string;
  /** Its symbolic name, or its position where it has none. */
  readonly dimension: string;
  /** Its symbolic name; null where it has none. */
  readonly name: string | null;
}

/** The dimensions that the inputs of a model leave open, the batch included. */
export function openDimensions(model: Model): readonly OpenDimension[] {
  return model.graph.inputs.flatMap((value) => {
    const type = value.tensor === undefined && value.type?.kind === 'tensor' ? value.type : undefined;
    return (type?.shape ?? []).flatMap((dim, position) => {
      if (typeof dim === 'number') return [];
      return [{ input: value.name, dimension: dim ?? String(position), name: dim ?? null }];
    });
  });
}
