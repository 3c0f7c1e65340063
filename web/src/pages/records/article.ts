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

/** The text of clean HTML, block by block; a plain text stays as it is. */
export function plainText(body: string): string {
  if (!/<\/?[a-z][^>]*>/i.test(body)) {
    return body;
  }
  // A parsed document is never shown, so nothing in it runs or loads.
  const document = new DOMParser().parseFromString(body, 'text/html');
  for (const element of document.querySelectorAll('script,style,template')) {
    element.remove();
  }
  for (const element of document.querySelectorAll('p,div,h1,h2,h3,h4,h5,h6,li,blockquote,tr,br')) {
    element.append('\n\n');
  }
  return (document.body.textContent ?? '')
    .replace(/[^\S\n]+/g, ' ')
    .replace(/ ?\n ?/g, '\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}
