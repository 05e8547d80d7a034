import type { Report } from './report-schema.ts';

/**
 * `report.html`: one page without any network, for people. Charts are drawn here; names from the model are escaped.
 * What draws them is loaded with the first call.
 */
export async function renderHtml(report: Report): Promise<string> {
  const { renderPage } = await import('./html/render-page.ts');
  return renderPage(report);
}
