const SEPARATOR = '\u0000';
/** Longer polynomials are not worth their keep: the operation gives up. */
const MAX_TERMS = 24;

/**
 * An integer polynomial over symbols, for dimensions that are not fixed: `batch`, `2*batch*heads + 1`.
 * Symbols stand for dimensions, so they are never negative. What no polynomial can say (a quotient that leaves a rest)
 * becomes a symbol of its own, named by its operands, so that equal computations stay equal.
 */
export class DimExpression {
  /** Coefficient by monomial; a monomial is its sorted symbols, joined. The constant term has the empty monomial. */
  readonly terms: ReadonlyMap<string, number>;
  readonly key: string;

  constructor(terms: ReadonlyMap<string, number>) {
    this.terms = terms;
    this.key = [...terms]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([monomial, coefficient]) => `${coefficient}${SEPARATOR}${monomial}`)
      .join('\u0001');
  }

  static symbol(name: string): DimExpression {
    return new DimExpression(new Map([[name, 1]]));
  }

  /** The symbol this expression consists of, if it is nothing but one. */
  get symbol(): string | undefined {
    if (this.terms.size !== 1) return undefined;
    const [monomial, coefficient] = this.terms.entries().next().value as [string, number];
    return coefficient === 1 && !monomial.includes(SEPARATOR) ? monomial : undefined;
  }

  /** A number the value is never below, or undefined where a coefficient is negative. */
  get lowerBound(): number | undefined {
    for (const [monomial, coefficient] of this.terms) if (coefficient < 0 && monomial !== '') return undefined;
    return this.terms.get('') ?? 0;
  }
}

/** A dimension or an element of a shape computation: a number where it is fixed. */
export type SymbolicDim = number | DimExpression;
export type SymbolicShape = readonly SymbolicDim[];

export function sameDim(a: SymbolicDim | undefined, b: SymbolicDim | undefined): boolean {
  if (a === undefined || b === undefined) return false;
  return a === b || (typeof a === 'object' && typeof b === 'object' && a.key === b.key);
}

export function sameShape(a: SymbolicShape | undefined, b: SymbolicShape | undefined): boolean {
  return a !== undefined && b !== undefined && a.length === b.length && a.every((dim, i) => sameDim(dim, b[i]));
}

/** The number a dimension is once its symbols have sizes; undefined where one has none. */
export function evaluateDim(dim: SymbolicDim, sizeOf: (symbol: string) => number | undefined): number | undefined {
  if (typeof dim === 'number') return dim;
  let sum = 0;
  for (const [monomial, coefficient] of dim.terms) {
    let product = coefficient;
    for (const symbol of monomial === '' ? [] : monomial.split(SEPARATOR)) {
      const size = sizeOf(symbol);
      if (size === undefined) return undefined;
      product *= size;
    }
    sum += product;
  }
  return Math.max(0, sum);
}

export function lowerBoundOf(dim: SymbolicDim): number | undefined {
  return typeof dim === 'number' ? dim : dim.lowerBound;
}

export function addDims(a: SymbolicDim, b: SymbolicDim): SymbolicDim | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a + b;
  const sum = new Map(termsOf(a));
  for (const [monomial, coefficient] of termsOf(b)) sum.set(monomial, (sum.get(monomial) ?? 0) + coefficient);
  return simplified(sum);
}

export function subtractDims(a: SymbolicDim, b: SymbolicDim): SymbolicDim | undefined {
  const negative = multiplyDims(b, -1);
  return negative === undefined ? undefined : addDims(a, negative);
}

export function multiplyDims(a: SymbolicDim, b: SymbolicDim): SymbolicDim | undefined {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  const product = new Map<string, number>();
  for (const [monomialA, coefficientA] of termsOf(a)) {
    for (const [monomialB, coefficientB] of termsOf(b)) {
      const monomial = [...factors(monomialA), ...factors(monomialB)].sort().join(SEPARATOR);
      product.set(monomial, (product.get(monomial) ?? 0) + coefficientA * coefficientB);
    }
    if (product.size > MAX_TERMS) return undefined;
  }
  return simplified(product);
}

export function productOf(dims: readonly SymbolicDim[]): SymbolicDim | undefined {
  let product: SymbolicDim | undefined = 1;
  for (const dim of dims) {
    if (product === undefined) return undefined;
    product = multiplyDims(product, dim);
  }
  return product;
}

/** a / b where that leaves no rest for any value of the symbols; b must be a number or a single term. */
export function divideDims(a: SymbolicDim, b: SymbolicDim): SymbolicDim | undefined {
  if (b === 0) return undefined;
  if (typeof a === 'number' && typeof b === 'number') return Number.isInteger(a / b) ? a / b : undefined;
  if (sameDim(a, b)) return 1;
  const divisor = [...termsOf(b)];
  if (divisor.length !== 1) return undefined;
  const [divisorMonomial, divisorCoefficient] = divisor[0]!;
  const quotient = new Map<string, number>();
  for (const [monomial, coefficient] of termsOf(a)) {
    const rest = factors(monomial);
    for (const factor of factors(divisorMonomial)) {
      const index = rest.indexOf(factor);
      if (index < 0) return undefined;
      rest.splice(index, 1);
    }
    if (!Number.isInteger(coefficient / divisorCoefficient)) return undefined;
    quotient.set(rest.join(SEPARATOR), coefficient / divisorCoefficient);
  }
  return simplified(quotient);
}

/** A dimension computed by an operation that polynomials cannot express, named by the operation and its operands. */
export function opaqueDim(operation: string, ...operands: readonly SymbolicDim[]): DimExpression {
  const text = operands.map((operand) => (typeof operand === 'number' ? String(operand) : operand.key)).join('\u0003');
  return DimExpression.symbol(`\u0002${operation}\u0003${text.replaceAll(SEPARATOR, '\u0004')}`);
}

/** True for symbols that stand for a computation or an unnamed dimension and so mean nothing to a reader. */
export function isInternalSymbol(name: string): boolean {
  return name.startsWith('\u0002');
}

function termsOf(dim: SymbolicDim): ReadonlyMap<string, number> {
  return typeof dim === 'number' ? new Map([['', dim]]) : dim.terms;
}

function factors(monomial: string): string[] {
  return monomial === '' ? [] : monomial.split(SEPARATOR);
}

function simplified(terms: Map<string, number>): SymbolicDim | undefined {
  for (const [monomial, coefficient] of terms) {
    if (coefficient === 0) terms.delete(monomial);
    else if (!Number.isSafeInteger(coefficient)) return undefined;
  }
  if (terms.size === 0) return 0;
  if (terms.size > MAX_TERMS) return undefined;
  if (terms.size === 1 && terms.has('')) return terms.get('');
  return new DimExpression(terms);
}
