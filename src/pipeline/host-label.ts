/** Where figures come from that were measured on a device. */
export function deviceLabel(address: string, cpuName: string, threadCounts: readonly number[]): string {
  const threads = threadCounts.join(', ');
  return `measured on the device ${address} (${cpuName}, ${threads} ${threads === '1' ? 'thread' : 'threads'})`;
}

/** Where figures come from that were measured here. */
export function hostLabel(cpuName: string, threadCounts: readonly number[]): string {
  const threads = threadCounts.join(', ');
  return `measured on this host (${cpuName}, ${threads} ${threads === '1' ? 'thread' : 'threads'}), not on the target`;
}
