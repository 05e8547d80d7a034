import type { Diff } from './diff-schema.ts';

/** The page of a comparison: without any network, for people. Names from the models are escaped. */
export async function renderDiffHtml(diff: Diff): Promise<string> {
  const { renderDiffPage } = await import('./html/render-diff-page.ts');
  return renderDiffPage(diff);
}
