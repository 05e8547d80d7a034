/** The first byte of a coded block. Numbers are part of the format and never change their meaning. */
export const BlockMethod = { raw: 0, constant: 1, rans: 2, zeroRun: 3, planes: 4, mixing: 5, lz: 6 } as const;
