/**
 * Puts a style sheet's text into a document or a shadow root, once. It comes as a constructed sheet,
 * which `style-src 'self'` allows where a `<style>` element is forbidden.
 */
export function adoptStyles(text: string, root: Document | ShadowRoot): void {
  let sheet = sheets.get(text);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(text);
    sheets.set(text, sheet);
  }
  if (!root.adoptedStyleSheets.includes(sheet)) {
    root.adoptedStyleSheets = [...root.adoptedStyleSheets, sheet];
  }
}

/** One sheet for however many roots. */
const sheets = new Map<string, CSSStyleSheet>();
