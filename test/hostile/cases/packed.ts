import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { files, type HostileCase } from '../hostile-case.ts';
import { model, soundGraph } from '../onnx-messages.ts';

const given = (content: () => Uint8Array | string): HostileCase =>
  files(
    (folder) => writeFileSync(join(folder, 'model.epk'), content()),
    [
      { args: ['unpack', 'model.epk'], outcome: 'refused', exitCode: 3 },
      { args: ['unpack', 'model.epk', '-o', 'deeper/back.onnx'], outcome: 'refused', exitCode: 3 },
    ],
  );

export const emptyFile = given(() => '');
export const text = given(() => 'EPK? no');
export const zeros = given(() => Buffer.alloc(100_000));
export const ones = given(() => Buffer.alloc(100_000, 255));
export const anOnnxModel = given(() => model(soundGraph()));
export const zip = given(() => Buffer.from('504b0304140000000800', 'hex'));
