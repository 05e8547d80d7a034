import { Graph } from './graph.ts';

/** A function (composite operator) that the file defines; carried along and named, not looked into. */
export interface ModelFunction {
  readonly domain: string;
  readonly name: string;
  readonly overload: string;
  readonly opTypes: readonly string[];
  /** The operator of every node of the body, those in its subgraphs included. */
  readonly operators: readonly { readonly domain: string; readonly opType: string }[];
}

/** A whole model: the main graph and what the file says about it. */
export class Model {
  irVersion: number;
  /** Operator set version by domain; '' is the default domain. */
  readonly opsetImports: Map<string, number>;
  producerName = '';
  producerVersion = '';
  domain = '';
  docString = '';
  readonly metadata = new Map<string, string>();
  readonly graph: Graph;
  functions: readonly ModelFunction[] = [];

  constructor(graph: Graph, opsetImports: ReadonlyMap<string, number>, irVersion: number) {
    this.graph = graph;
    this.opsetImports = new Map(opsetImports);
    this.irVersion = irVersion;
  }

  /** Version of the default operator set; 0 if the file imports none. */
  get opset(): number {
    return this.opsetImports.get('') ?? this.opsetImports.get('ai.onnx') ?? 0;
  }

  /** An empty model to build on. */
  static create(opset: number, irVersion: number, graphName = 'graph'): Model {
    return new Model(new Graph(graphName), new Map([['', opset]]), irVersion);
  }
}
