const byteUnits: Readonly<Record<string, number>> = {
  bytes: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};
const millisecondUnits: Readonly<Record<string, number>> = { us: 1e-3, µs: 1e-3, ms: 1, s: 1e3 };

/** Bytes of a size as budgets write it: 400000, "400 kB", "1.5 MiB". The schema has checked the form. */
export function sizeBytesOf(value: number | string): number {
  return typeof value === 'number' ? value : Math.floor(quantityOf(value, byteUnits));
}

/** Milliseconds of a duration as budgets write it: 5, "5 ms", "800 µs". */
export function millisecondsOf(value: number | string): number {
  return typeof value === 'number' ? value : quantityOf(value, millisecondUnits);
}

/** "1%" as 0.01; undefined for what is no percentage. */
export function shareOfPercent(value: number | string): number | undefined {
  const match = typeof value === 'string' ? /^([\d.]+) ?%$/.exec(value) : null;
  return match === null ? undefined : Number(match[1]) / 100;
}

function quantityOf(text: string, units: Readonly<Record<string, number>>): number {
  const [, number = '', unit = ''] = /^([\d.]+) ?(\D+)$/.exec(text) ?? [];
  const factor = units[unit];
  if (factor === undefined) throw new RangeError(`${text} has no known unit`);
  return Number(number) * factor;
}
