// Returns what a person with weak eyes, a screen reader, a finger or a narrow screen would stumble over on this page.
// WCAG 2.2: 1.4.3 (text 4.5, large text 3), 1.1.1 and 4.1.2 (names), 1.4.10 (no sideways scrolling), 2.5.8 (targets).
// A disabled control, and text that no eye can reach, are exempt there. Text on a gradient is left to the eye.
const found = [];
const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
const rgba = (text) => {
  canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255];
};
const over = (top, under) => top.slice(0, 3).map((c, i) => c * top[3] + under[i] * (1 - top[3])).concat(1);
const light = ([r, g, b]) => {
  const line = (c) => { c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  return 0.2126 * line(r) + 0.7152 * line(g) + 0.0722 * line(b);
};
const ground = (one) => {
  const layers = [];
  for (let at = one; at; at = at.parentElement) {
    const style = getComputedStyle(at);
    if (style.backgroundImage.includes('gradient')) return null;
    layers.push(rgba(style.backgroundColor));
    if (layers.at(-1)[3] === 1) break;
  }
  return layers.reverse().reduce((under, top) => over(top, under), rgba(getComputedStyle(document.documentElement).backgroundColor)[3]
    ? rgba(getComputedStyle(document.documentElement).backgroundColor) : [255, 255, 255, 1]);
};
const seen = (one) => one.checkVisibility({checkOpacity: true, checkVisibilityCSS: true}) && one.getClientRects().length
  && one.getBoundingClientRect().width > 1 && one.getBoundingClientRect().height > 1;
const where = (one) => one.closest('article')?.querySelector('h1, h2, h3')?.textContent.slice(0, 30) || one.closest('nav, aside, header, footer, form')?.tagName || 'page';
const say = (one) => `[${where(one)}] ` + `${one.tagName.toLowerCase()}.${one.className} “${(one.textContent || '').trim().slice(0, 40)}”`;
let texts = 0, controls = 0;
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const one = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !one || !seen(one) || one.closest('script, style, option, [disabled], [aria-disabled=true]')) continue;
  const style = getComputedStyle(one), behind = ground(one);
  if (!behind || rgba(style.color)[3] === 0) continue;
  texts += 1;
  let alpha = 1;
  for (let at = one; at; at = at.parentElement) alpha *= Number(getComputedStyle(at).opacity);
  const ink = rgba(style.color); ink[3] *= alpha;
  const [a, b] = [light(over(ink, behind)), light(behind)].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05), size = parseFloat(style.fontSize);
  const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
  if (ratio < (large ? 3 : 4.5)) found.push(`contrast ${ratio.toFixed(2)}: ${say(one)}`);
}
const label = (one) => (one.getAttribute('aria-label') || '').trim()
  || (one.getAttribute('aria-labelledby') || '').split(/\s+/).filter(Boolean).map((id) => document.getElementById(id)?.textContent || '').join(' ').trim()
  || [...(one.labels || [])].map((l) => l.textContent).join(' ').trim()
  || one.textContent.trim() || (one.getAttribute('title') || '').trim() || (one.querySelector('img')?.alt || '').trim();
for (const one of document.querySelectorAll('a[href], button, input, select, textarea, summary, [role=button], [tabindex]')) {
  if (!seen(one) || one.type === 'hidden' || one.tabIndex < 0) continue;
  controls += 1;
  if (!label(one)) found.push(`no name: ${one.outerHTML.slice(0, 120)}`);
  if (matchMedia('(pointer: coarse)').matches && !one.disabled) {
    const box = (one.closest('label') || one).getBoundingClientRect();
    if (box.height < 24 || box.width < 24) found.push(`target ${Math.round(box.width)} x ${Math.round(box.height)}: ${say(one)}`);
  }
}
for (const one of document.querySelectorAll('img')) if (!one.hasAttribute('alt')) found.push(`no alt: ${one.outerHTML.slice(0, 120)}`);
if (!document.documentElement.lang) found.push('the page says no language');
const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
if (wide > 0) {
  const clipped = (one) => { for (let at = one.parentElement; at; at = at.parentElement) if (getComputedStyle(at).overflowX !== 'visible') return true; return false; };
  const out = [...document.querySelectorAll('body *')].filter((one) => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1 && !clipped(one));
  found.push(`the page is ${wide} px wider than the window: ${out.slice(0, 3).map(say).join(', ')}`);
}
return {found: [...new Set(found)], texts, controls};
