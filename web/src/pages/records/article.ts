/** A record of the collection `contents`, as the content pipeline writes it. */

import type { RecordRow } from '@/api/types';

export const CONTENTS = 'contents';

export type ContentRecord = RecordRow & {
  title?: string;
  slug?: string;
  body?: string;
  summary?: string;
  key_phrases?: unknown;
  language?: string;
  source_bucket?: string;
  source_key?: string;
  status?: string;
  created?: string;
  updated?: string;
};

/** Key phrases, whether they are plain strings or carry a score. */
export function keyPhrases(value: unknown): string[] {
  if (!Array.isArray(value)) {
    return [];
  }
  return value.flatMap((entry: unknown) => {
    if (typeof entry === 'string') {
      return [entry];
    }
    if (typeof entry === 'object' && entry !== null && 'phrase' in entry) {
      return [String(entry.phrase)];
    }
    return [];
  });
}

/** The name of a language from its code: `en` and `eng` are English. */
export function languageName(code: string | undefined): string {
  if (!code) {
    return 'unknown';
  }
  try {
    return new Intl.DisplayNames(['en'], { type: 'language' }).of(code) ?? code;
  } catch {
    return code;
  }
}

const BLOCKS =
  'p,div,h1,h2,h3,h4,h5,h6,ul,ol,li,dl,dt,dd,blockquote,pre,table,tr,figure,section,hr';

/** The text of clean HTML, block by block; a plain text stays as it is. */
export function plainText(body: string): string {
  if (!/<\/?[a-z][^>]*>|&(?:[a-z]+|#\d+);/i.test(body)) {
    return body;
  }
  // A parsed document is never shown, so nothing in it runs or loads.
  const document = new DOMParser().parseFromString(body, 'text/html');
  for (const element of document.querySelectorAll('script,style,template')) {
    element.remove();
  }
  // A line break of the source is none of the text.
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (!text.parentElement?.closest('pre')) {
      text.nodeValue = text.nodeValue?.replace(/[ \t\r\n\f]+/g, ' ') ?? '';
    }
  }
  for (const element of document.querySelectorAll(BLOCKS)) {
    element.before('\n\n');
    element.after('\n\n');
  }
  for (const element of document.querySelectorAll('br')) {
    element.after('\n');
  }
  for (const element of document.querySelectorAll('td,th')) {
    element.after(' ');
  }
  return (document.body.textContent ?? '')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
