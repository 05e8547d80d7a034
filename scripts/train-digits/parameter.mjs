/** A trained array with its gradient and the moments of Adam. */
export class Parameter {
  constructor(values) {
    this.values = values;
    this.gradient = new Float32Array(values.length);
    this.first = new Float32Array(values.length);
    this.second = new Float32Array(values.length);
  }

  /** He initialisation for layers followed by a rectifier. */
  static he(count, fanIn, random) {
    const deviation = Math.sqrt(2 / fanIn);
    return new Parameter(Float32Array.from({ length: count }, () => random.normal() * deviation));
  }

  static filled(count, value) {
    return new Parameter(new Float32Array(count).fill(value));
  }
}
