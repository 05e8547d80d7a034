/** x + body(x). */
export class Residual {
  constructor(body) {
    this.body = body;
    this.parameters = body.flatMap((layer) => layer.parameters);
  }

  forward(x, n, training) {
    let y = x;
    for (const layer of this.body) y = layer.forward(y, n, training);
    return y.map((v, i) => v + x[i]);
  }

  backward(error, n) {
    let back = error;
    for (const layer of [...this.body].reverse()) back = layer.backward(back, n);
    return back.map((v, i) => v + error[i]);
  }
}
