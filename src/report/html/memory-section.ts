import { demandBytes, describeOpen, describePeak, describeShares } from '../memory-text.ts';
import { formatBytes } from '../number-format.ts';
import { plural } from '../report-findings.ts';
import type { Report } from '../report-schema.ts';
import { dataTable, fold } from './data-table.ts';
import { html, type Markup } from './markup.ts';

/** What both models need of the device's memory, and what is in it when it is fullest. */
export function memorySection({ memory, target }: Report): Markup | false {
  const demand = memory?.demand;
  if (demand === undefined) return false;
  const { original, compressed } = demand;
  const known = (bytes: number | null) => (bytes === null ? 'not known' : formatBytes(bytes));
  const shares = (bytes: number | null) => (bytes === null ? '' : describeShares(bytes, target.memory));
  const rows = [original, compressed].map((model, i) => [
    i === 0 ? 'original' : 'compressed',
    known(model.weightBytes),
    known(model.peakActivationBytes),
    known(demandBytes(model)),
    shares(demandBytes(model)),
  ]);
  const reasons = [...new Set([original.missing, compressed.missing])].filter((reason) => reason !== null);
  return html`<section id="memory"><h2>Memory on the device</h2>
<p class="lead">Told from the graphs, not measured: constants as the engine holds them, and the most bytes of activations at the same time. The engine itself and scratch memory of its kernels come on top. ${target.displayName} is sold with the memory in the last column.</p>
${dataTable(
  'Memory that the models need',
  [
    { title: 'Model', kind: 'text' },
    { title: 'Weights', kind: 'number' },
    { title: 'Activations', kind: 'number' },
    { title: 'Together', kind: 'number' },
    { title: 'Of smallest and largest board', kind: 'text', optional: true },
  ],
  rows,
)}
${reasons.map((reason) => html`<p class="note">No number: ${reason}.</p>`)}
${describeOpen(compressed) !== '' && html`<p class="note">${describeOpen(compressed)}.</p>`}
${
  compressed.live.length > 0 &&
  fold(
    `${plural(compressed.liveCount, 'tensor')} at the peak of the compressed model${describePeak(compressed)}`,
    dataTable(
      'Tensors in memory at the peak',
      [
        { title: 'Tensor', kind: 'name' },
        { title: 'Size', kind: 'number' },
      ],
      compressed.live.map(({ name, sizeBytes }) => [name, formatBytes(sizeBytes)]),
    ),
  )
}</section>`;
}
