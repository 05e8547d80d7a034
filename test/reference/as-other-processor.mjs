// Preloaded: lets the engine's process run on a processor that QEMU emulates, and hides from edgepack what it does not have.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const { EDGEPACK_EMULATED_CPU, EDGEPACK_EMULATED_NODE, EDGEPACK_IS_EMULATED } = process.env;
if (EDGEPACK_EMULATED_CPU !== undefined && EDGEPACK_IS_EMULATED === undefined) {
  const start = `#!/bin/sh\nEDGEPACK_IS_EMULATED=1 exec qemu-x86_64-static -cpu ${EDGEPACK_EMULATED_CPU} ${process.execPath} --jitless "$@"\n`;
  fs.writeFileSync(EDGEPACK_EMULATED_NODE, start, { mode: 0o755 });
  process.execPath = EDGEPACK_EMULATED_NODE;
  const { readFileSync } = fs;
  fs.readFileSync = (path, ...rest) => {
    const read = readFileSync(path, ...rest);
    return path === '/proc/cpuinfo' ? read.replace(/avx512_vnni|avx_vnni/g, 'hidden') : read;
  };
  syncBuiltinESMExports();
}
