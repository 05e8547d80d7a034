import { createHash } from 'node:crypto';
import { type DefaultTreeAdapterTypes, parse } from 'parse5';
import { describe, expect, it } from 'vitest';
import { renderHtml } from '../../../src/report/render-html.ts';
import { reportSchema } from '../../../src/report/report-schema.ts';
import { exampleReport } from '../example-report.ts';
import { bareReport, hostileReport, largeReport } from './example-reports.ts';

type Element = DefaultTreeAdapterTypes.Element;

interface Page {
  readonly html: string;
  readonly elements: readonly Element[];
  readonly mistakes: readonly string[];
}

const pages = new Map<object, Promise<Page>>();

function pageOf(report: Parameters<typeof renderHtml>[0]): Promise<Page> {
  const page = pages.get(report) ?? parsed(report);
  pages.set(report, page);
  return page;
}

async function parsed(report: Parameters<typeof renderHtml>[0]): Promise<Page> {
  const html = await renderHtml(report);
  const mistakes: string[] = [];
  const document = parse(html, { onParseError: ({ code }) => mistakes.push(code) });
  const elements: Element[] = [];
  const visit = (node: DefaultTreeAdapterTypes.Node) => {
    if ('tagName' in node) elements.push(node);
    if ('childNodes' in node) node.childNodes.forEach(visit);
  };
  visit(document);
  return { html, elements, mistakes };
}

const attribute = (element: Element, name: string) => element.attrs.find((attr) => attr.name === name)?.value;
const named = (page: Page, tag: string) => page.elements.filter(({ tagName }) => tagName === tag);
const textOf = (node: DefaultTreeAdapterTypes.Node): string =>
  'value' in node ? node.value : 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';

const wordsOf = (node: DefaultTreeAdapterTypes.Node): string =>
  'value' in node ? node.value : 'childNodes' in node ? node.childNodes.map(wordsOf).join(' ') : '';

const reports = {
  example: exampleReport(),
  large: largeReport(600),
  bare: bareReport(),
  hostile: hostileReport(),
} as const;

describe.each(Object.entries(reports))('the page of a report: %s', (name, report) => {
  it('is well-formed HTML with one title, one main and headings in order', async () => {
    const page = await pageOf(report);
    expect(page.mistakes).toEqual([]);
    expect([named(page, 'h1').length, named(page, 'main').length, named(page, 'title').length > 0]).toEqual([
      1,
      1,
      true,
    ]);
    const levels = page.elements.flatMap(({ tagName }) => (/^h[1-6]$/.test(tagName) ? [Number(tagName[1])] : []));
    for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
    const ids = page.elements.flatMap((element) => attribute(element, 'id') ?? []);
    expect(new Set(ids).size).toBe(ids.length);
    for (const link of named(page, 'a')) {
      const target = attribute(link, 'href')!;
      if (target.startsWith('#')) expect(ids).toContain(target.slice(1));
      else expect(target).toBe('report.json');
    }
  });

  it('asks for nothing: no external address, no other script or style than its own two', async () => {
    const page = await pageOf(report);
    const attributes = page.elements.flatMap((element) => element.attrs);
    expect(attributes.filter(({ name: key }) => /^on|^style$/.test(key))).toEqual([]);
    const addresses = attributes.filter(({ name: key }) =>
      /^(src|href|action|data|xlink:href|srcset|poster|fill)$/.test(key),
    );
    expect(addresses.filter(({ value }) => !/^(#[\w-]+|url\(#[\w-]+\)|report\.json|data:,)$/.test(value))).toEqual([]);
    expect(named(page, 'img').concat(named(page, 'iframe'), named(page, 'object'), named(page, 'base'))).toEqual([]);
    const [script, ...others] = named(page, 'script');
    expect(others).toEqual([]);
    const [style, ...otherStyles] = named(page, 'style');
    expect(otherStyles).toEqual([]);
    const policy = attribute(
      named(page, 'meta').find((meta) => attribute(meta, 'http-equiv') !== undefined)!,
      'content',
    )!;
    const hash = (element: Element) => createHash('sha256').update(textOf(element)).digest('base64');
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain(`script-src 'sha256-${hash(script!)}';`);
    expect(policy).toContain(`style-src 'sha256-${hash(style!)}';`);
    expect(textOf(style!)).not.toMatch(/url\(|@import/);
  });

  it('has a label for every picture, and a table with the same numbers in its section', async () => {
    const page = await pageOf(report);
    const pictures = named(page, 'svg').filter((svg) => attribute(svg, 'aria-hidden') !== 'true');
    if (name !== 'bare') expect(pictures.length).toBeGreaterThan(0);
    for (const picture of pictures) {
      expect(attribute(picture, 'role')).toBe('img');
      expect(attribute(picture, 'aria-label')!.length).toBeGreaterThan(30);
      let section: DefaultTreeAdapterTypes.ParentNode | null = picture.parentNode;
      while (section !== null && (section as Element).tagName !== 'section') section = (section as Element).parentNode;
      const inside: string[] = [];
      const visit = (node: DefaultTreeAdapterTypes.Node) => {
        if ('tagName' in node) inside.push(node.tagName);
        if ('childNodes' in node) node.childNodes.forEach(visit);
      };
      visit(section!);
      expect(inside).toContain('table');
    }
    for (const table of named(page, 'table')) {
      const isMini = attribute(table, 'class') === 'mini';
      const children = table.childNodes.map((child) => child.nodeName);
      if (!isMini) expect(children).toEqual(expect.arrayContaining(['caption', 'thead', 'tbody']));
    }
  });

  it('is the same every time', async () => {
    expect(await renderHtml(report)).toBe(await renderHtml(report));
  });
});

describe('what the page says', () => {
  const text = async (report: Parameters<typeof renderHtml>[0]) => {
    const page = await pageOf(report);
    return wordsOf(named(page, 'main')[0]!).replace(/\s+/g, ' ');
  };

  it('size, accuracy and latency with their intervals and where they were measured', async () => {
    const said = await text(reports.large);
    expect(said).toContain('Accuracy −0.5 points 95 % interval −1.5 to +0.5, paired sample by sample');
    expect(said).toMatch(/Latency 2\.0\d× faster 95 % interval [\d.]+× to [\d.]+×/);
    expect(said).toContain('this host, not on Raspberry Pi 4');
    expect(said).toContain('in the exact integer arithmetic of Raspberry Pi 4');
    expect(said).toContain('Example CPU, 4 threads');
  });

  it('the loss of pruning and of quantization apart', async () => {
    const said = await text(reports.large);
    expect(said).toMatch(/Prune \+1\.5 points 98\.5 % 95\.7 – 99\.5 0\.00400 22\.0 dB 96\.0 % 200/);
    expect(said).toMatch(/Quantize −1\.0 points 99\.5 %/);
  });

  it('bytes after each step, zeros by layer, layers in float by reason', async () => {
    const said = await text(reports.large);
    for (const step of ['Original', 'Optimise', 'Prune', 'Quantize', 'Entropy-code']) expect(said).toContain(step);
    expect(said).toContain('Zeros by layer');
    expect(said).toMatch(/67 layers of 600 still compute in float/);
    expect(said).toContain('product of two activations');
  });

  it('why something was not measured', async () => {
    const said = await text(reports.bare);
    expect(said).toContain('Accuracy not measured there were no evaluation samples');
    expect(said).toContain('Latency not measured no run');
    expect(said).toContain('started through the API');
  });

  it('an alarm first, where the model got slower', async () => {
    const base = exampleReport();
    const said = await text({
      ...base,
      latency: { host: { ...base.latency.host!, ratio: 1.31, ratioLow: 1.25, ratioHigh: 1.36 } },
    });
    expect(said.trim()).toMatch(/^Attention\. Slower on this host/);
    expect(said).toContain('1.31× slower 95 % interval 1.25× to 1.36×');
  });
});

describe('foreign text', () => {
  it('is text: visible, without control and bidirectional characters', async () => {
    const page = await pageOf(hostileReport());
    expect(page.elements.filter(({ tagName }) => tagName === 'img')).toEqual([]);
    const body = textOf(named(page, 'main')[0]!);
    expect(body).toContain('</script><img src=x onerror=alert(1)>');
    expect(body).toContain('\\u202e\\u0000\\u000a');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
    expect(page.html).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069]/);
  });

  it('is cut: names of 5 MB give no page of 5 MB', async () => {
    const huge = 'x'.repeat(5_000_000);
    const base = exampleReport();
    const html = await renderHtml({
      ...base,
      model: { ...base.model, name: huge, path: huge },
      layers: [{ ...base.layers[0]!, name: huge, opType: huge }],
      sizes: {
        ...base.sizes,
        initializers: base.sizes.initializers.map((row) => ({ ...row, name: huge, layer: huge })),
      },
      steps: base.steps.map((step) => ({
        ...step,
        name: huge,
        changes: [{ kind: huge, subject: huge, detail: huge }],
      })),
      warnings: [{ code: huge, message: huge }],
      commandLine: huge,
    });
    expect(html.length).toBeLessThan(150_000);
  });
});

describe('size of the page', () => {
  it('is modest with 600 layers, and bounded with 20,000', async () => {
    expect(reportSchema.safeParse(reports.large).success).toBe(true);
    expect((await renderHtml(reports.large)).length).toBeLessThan(1_200_000);
    expect((await renderHtml(largeReport(20_000))).length).toBeLessThan(2_500_000);
  });
});
