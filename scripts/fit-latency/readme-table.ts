/**
 * What the description of the published rows reports for its own model, leave-one-network-out: median error, share within
 * 10 % and within 20 %, 90th percentile, in percent (../shared/latency/README.md). The bar that profiles must not miss.
 */
export const readmeTable: Readonly<Record<string, readonly [number, number, number, number]>> = {
  'rpi3b+ 1 all': [8, 53, 79, 27],
  'rpi3b+ 4 all': [7, 58, 74, 26],
  'rpi-zero2w 1 all': [9, 50, 83, 23],
  'rpi-zero2w 4 all': [8, 61, 83, 26],
  'rpi4b 1 all': [6, 60, 85, 28],
  'rpi4b 4 all': [10, 50, 70, 37],
  'jetson-nano 1 all': [13, 37, 63, 50],
  'jetson-nano 4 all': [14, 42, 53, 51],
  'n5105 1 all': [6, 68, 84, 22],
  'n5105 4 all': [7, 63, 79, 27],
  'rpi5 1 all': [13, 40, 75, 48],
  'rpi5 4 all': [15, 40, 60, 56],
  'jetson-orin-nano 1 all': [8, 55, 75, 42],
  'jetson-orin-nano 6 all': [17, 30, 75, 30],
  'rk3588 1 little': [19, 26, 58, 60],
  'rk3588 1 big': [23, 32, 47, 64],
  'rk3588 4 little': [16, 32, 53, 55],
  'rk3588 4 big': [18, 32, 53, 55],
  'rk3588-b 1 all': [17, 15, 60, 67],
  'rk3588-b 4 big': [15, 40, 65, 56],
  'rk3588-b 8 all': [17, 20, 55, 48],
  'rk3588s-m3 1 all': [12, 45, 70, 59],
  'orangepi5 4 little': [16, 20, 60, 42],
  'orangepi5 4 big': [16, 25, 60, 44],
  'orangepi5 8 all': [19, 35, 55, 43],
  'orangepi5plus 4 big': [12, 45, 65, 47],
  'rk3566-m2 1 all': [14, 45, 65, 47],
  'orangepi-cm4 1 all': [12, 40, 65, 41],
  'orangepi-cm4 4 all': [14, 30, 65, 38],
  'radxa-zero3w 4 all': [16, 35, 65, 40],
};

export function readmeKey({ device, threads, cores }: { device: string; threads: number; cores: string }): string {
  return `${device} ${threads} ${cores}`;
}
