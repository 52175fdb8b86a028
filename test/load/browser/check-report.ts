import type { Page } from "./browser.ts";

/** What is wrong with how a report looks, in words; empty: nothing. Measured in the browser, in its own pixels. */
export async function findFlaws(page: Page): Promise<readonly string[]> {
  return await page.evaluate<string[]>(`(${LOOK})()`);
}

/** How many plots, and how many drawn lines and groups of dots, the page has. */
export async function countPlots(page: Page): Promise<{ readonly plots: number; readonly series: number }> {
  return await page.evaluate(
    "({ plots: document.querySelectorAll('.canvas svg').length, series: document.querySelectorAll('[data-series]').length })",
  );
}

const TEXT_PIXELS_MIN = 10;
const CONTRAST_MIN = 4.5;

/** Runs in the page: text, since the project is compiled without the browser's types. */
const LOOK = `() => {
  const flaws = [];
  const name = (element) => element.tagName + (element.getAttribute('class') ? '.' + element.getAttribute('class') : '')
    + ' "' + (element.getAttribute('data-series') ?? element.textContent).slice(0, 40) + '"';
  const meet = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 0.5;
  const inside = (inner, outer) => inner.left >= outer.left - 1 && inner.right <= outer.right + 1
    && inner.top >= outer.top - 1 && inner.bottom <= outer.bottom + 1;
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((part) => {
      const share = Number(part) / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [high, low] = [luminance(a), luminance(b)].sort((x, y) => y - x);
    return (high + 0.05) / (low + 0.05);
  };
  const opaque = (color) => !/^rgba\\(.*, 0\\)$/.test(color);
  const background = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (opaque(color)) return color;
    }
    return 'rgb(255, 255, 255)';
  };
  for (const svg of document.querySelectorAll('.canvas svg')) {
    const title = svg.querySelector('title')?.textContent ?? 'a plot without a title';
    const frame = svg.getBoundingClientRect();
    if (!svg.querySelector('desc')?.textContent) flaws.push(title + ': no description');
    if (svg.querySelectorAll('[data-series]').length === 0) flaws.push(title + ': no series');
    for (const series of svg.querySelectorAll('[data-series]')) {
      const lengths = [...series.querySelectorAll('path')].map((path) => path.getTotalLength());
      if (series.querySelectorAll('circle').length + lengths.length === 0 || lengths.some((length) => length <= 0)) {
        flaws.push(title + ': ' + name(series) + ' is empty');
      }
    }
    const canvas = svg.parentElement;
    if (canvas.scrollWidth > canvas.clientWidth) flaws.push(title + ': is cut off by ' + (canvas.scrollWidth - canvas.clientWidth) + ' px');
    for (const element of svg.querySelectorAll('path, circle, line, text, rect')) {
      if (!inside(element.getBoundingClientRect(), frame)) flaws.push(title + ': ' + name(element) + ' leaves the plot');
    }
    const texts = [...svg.querySelectorAll('text')];
    const scale = frame.width / svg.viewBox.baseVal.width;
    for (const [index, text] of texts.entries()) {
      const style = getComputedStyle(text);
      const pixels = Number.parseFloat(style.fontSize) * scale;
      if (pixels < ${TEXT_PIXELS_MIN}) flaws.push(title + ': ' + name(text) + ' has ' + pixels.toFixed(1) + ' px');
      if (contrast(style.fill, background(svg)) < ${CONTRAST_MIN}) flaws.push(title + ': ' + name(text) + ' is pale');
      for (const other of texts.slice(index + 1)) {
        if (meet(text.getBoundingClientRect(), other.getBoundingClientRect())) {
          flaws.push(title + ': ' + name(text) + ' meets ' + name(other));
        }
      }
    }
  }
  for (const element of document.querySelectorAll('h1, h2, h3, p, li, dt, dd, small, th, td, pre, .verdict')) {
    const style = getComputedStyle(element);
    if (element.textContent.trim() === '') continue;
    if (Number.parseFloat(style.fontSize) < ${TEXT_PIXELS_MIN}) flaws.push(name(element) + ' is too small');
    const ratio = contrast(style.color, background(element));
    if (ratio < ${CONTRAST_MIN}) flaws.push(name(element) + ' is pale: ' + ratio.toFixed(2));
  }
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) flaws.push('the page is wider than the window');
  return flaws;
}`;
