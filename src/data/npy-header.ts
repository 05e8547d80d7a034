import { printable } from '../diagnostics/printable.ts';
import { DataType } from '../tensor/data-type.ts';
import { dataError } from './data-error.ts';
import { isSequence, type PythonLiteral, parsePythonLiteral } from './python-literal.ts';

/** What stands in front of the elements of an `.npy` array. */
export interface NpyHeader {
  readonly dataType: DataType;
  /** NumPy's own name of the element type, e.g. `<f4`. */
  readonly descr: string;
  readonly shape: readonly number[];
  readonly itemSizeBytes: number;
  /** Where the elements start, in bytes from the start of the array file. */
  readonly dataOffset: number;
}

/** The most bytes of an array file that {@link parseNpyHeader} needs to see. */
export const maxNpyHeaderBytes = 65536 + 12;

const elementTypes: Readonly<Record<string, readonly [DataType, number]>> = {
  b1: [DataType.bool, 1],
  u1: [DataType.uint8, 1],
  i1: [DataType.int8, 1],
  u2: [DataType.uint16, 2],
  i2: [DataType.int16, 2],
  u4: [DataType.uint32, 4],
  i4: [DataType.int32, 4],
  u8: [DataType.uint64, 8],
  i8: [DataType.int64, 8],
  f2: [DataType.float16, 2],
  f4: [DataType.float32, 4],
  f8: [DataType.float64, 8],
};

/**
 * Reads the header of an `.npy` array (format versions 1 to 3: numpy/lib/format.py, "NEP 1").
 * @param head the first bytes of the array file: all of them or at least {@link maxNpyHeaderBytes}.
 * @param file how messages name the array.
 * @throws EdgepackError `data-unreadable` for a damaged header and for what is refused: pickled objects, structured,
 * big-endian, complex, text and date types, Fortran order.
 */
export function parseNpyHeader(head: Uint8Array, file: string): NpyHeader {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
  if (head.byteLength < 10 || magic.some((byte, i) => head[i] !== byte)) {
    throw dataError(
      'data-unreadable',
      file,
      'is not an .npy array: the NumPy signature is missing',
      'write it with numpy.save',
    );
  }
  const version = head[6]!;
  if (version < 1 || version > 3 || head[7] !== 0) {
    throw dataError(
      'data-unreadable',
      file,
      `has the unknown .npy format version ${version}.${head[7]}`,
      'write it with numpy.save, which uses versions 1.0 to 3.0',
    );
  }
  const start = version === 1 ? 10 : 12;
  const length = version === 1 ? view.getUint16(8, true) : head.byteLength < 12 ? 0 : view.getUint32(8, true);
  if (start + length > Math.min(head.byteLength, maxNpyHeaderBytes)) {
    throw dataError(
      'data-unreadable',
      file,
      `ends inside its header, or the header is longer than ${maxNpyHeaderBytes} bytes`,
      'write the file again with numpy.save',
    );
  }
  const text = new TextDecoder(version === 3 ? 'utf-8' : 'latin1').decode(head.subarray(start, start + length));
  const { descr, fortranOrder, shape } = readDictionary(text, file);
  const [dataType, itemSizeBytes] = elementTypeOf(descr, file);
  if (fortranOrder && shape.length > 1) {
    throw dataError(
      'data-unreadable',
      file,
      'is stored in Fortran (column-major) order',
      'save it as numpy.save(path, numpy.ascontiguousarray(array))',
    );
  }
  return { dataType, descr, shape, itemSizeBytes, dataOffset: start + length };
}

function readDictionary(text: string, file: string): { descr: string; fortranOrder: boolean; shape: number[] } {
  const damaged = (why: string) =>
    dataError('data-unreadable', file, `has a damaged .npy header: ${why}`, 'write the file again with numpy.save');
  let header: PythonLiteral;
  try {
    header = parsePythonLiteral(text);
  } catch (error) {
    throw damaged((error as Error).message);
  }
  if (!(header instanceof Map) || header.size !== 3)
    throw damaged('it is not a dictionary of descr, fortran_order, shape');
  const descr = header.get('descr');
  if (typeof descr !== 'string') {
    throw dataError(
      'data-unreadable',
      file,
      'holds a structured array (records with several fields)',
      'save each field as an array of its own, e.g. numpy.savez(path, name=array["name"])',
    );
  }
  const fortranOrder = header.get('fortran_order');
  if (typeof fortranOrder !== 'boolean') throw damaged('fortran_order is not True or False');
  const shape = header.get('shape');
  if (!isSequence(shape) || !shape.tuple) {
    throw damaged('shape is not a tuple');
  }
  const dims = shape.items.map((dim) => (typeof dim === 'number' && Number.isSafeInteger(dim) ? dim : -1));
  if (dims.includes(-1) || dims.length > 32) throw damaged('shape is not a tuple of at most 32 sizes');
  if (!Number.isSafeInteger(dims.reduce((product, dim) => product * dim, 8))) throw damaged('shape is too large');
  return { descr, fortranOrder, shape: dims };
}

function elementTypeOf(descr: string, file: string): readonly [DataType, number] {
  const refuse = (what: string, hint: string) => dataError('data-unreadable', file, what, hint);
  const kind = /^[<>=|]?O/.test(descr) ? 'O' : descr.slice(1);
  if (kind === 'O') {
    throw refuse(
      'holds pickled Python objects, which are never read (they can run code)',
      'save numbers: pad samples of different lengths to one array and store the lengths as <input>_lengths, or save one .npz file per sample in a folder',
    );
  }
  const type = Object.hasOwn(elementTypes, kind) ? elementTypes[kind] : undefined;
  if (type === undefined) {
    throw refuse(
      `has the element type ${printable(descr)}, which is not read`,
      'convert it, e.g. array.astype("float32"); bool, integers of 8 to 64 bits and float16 to float64 are read',
    );
  }
  if (descr[0] === '>' && type[1] > 1) {
    throw refuse(`is stored big-endian (${printable(descr)})`, `save it as array.astype("<${kind}")`);
  }
  if (descr[0] !== '<' && descr[0] !== '|' && descr[0] !== '>') {
    throw refuse(
      `has the element type ${printable(descr)} without a byte order`,
      `save it as array.astype("<${kind}")`,
    );
  }
  return type;
}
