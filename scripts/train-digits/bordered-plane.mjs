/**
 * Feature maps are [sample, channel, row, column] with a border of one zero pixel around every plane: a 3 x 3 convolution then is
 * nine shifted multiply-adds over the flat plane.
 */

/** Position of the first inner pixel of a bordered plane, and how many positions reach to the last one. */
export function inner(side) {
  const width = side + 2;
  return { width, plane: width * width, start: width + 1, length: side * width - 2 };
}

/** Sets the border of every plane to zero; a convolution over the flat plane leaves sums there. */
export function clearBorder(planes, count, side) {
  const { width, plane, start } = inner(side);
  for (let p = 0; p < count; p++) {
    for (let y = 0; y < side - 1; y++) {
      const right = p * plane + start + y * width + side;
      planes[right] = 0;
      planes[right + 1] = 0;
    }
  }
}
