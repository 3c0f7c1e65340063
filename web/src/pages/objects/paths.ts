/** Keys as folders, the way people read them. */

import { apiUrl, encodePath } from '@/api/client';

/** The endpoint of one object, below the panel's API. */
export function objectPath(bucket: string, key: string): string {
  return `/objects/buckets/${encodeURIComponent(bucket)}/objects/${encodePath(key)}`;
}

/** Where the bytes of an object are. */
export function objectUrl(bucket: string, key: string): string {
  return apiUrl(objectPath(bucket, key));
}

/** The page of a bucket at a prefix. */
export function browserHref(bucket: string, prefix = ''): string {
  const search = prefix ? `?${new URLSearchParams({ prefix })}` : '';
  return `/objects/${encodeURIComponent(bucket)}${search}`;
}

/** `a/b/` as `a/` and `a/b/` with the names `a` and `b`. */
export function prefixSteps(prefix: string): { name: string; prefix: string }[] {
  const steps: { name: string; prefix: string }[] = [];
  let end = prefix.indexOf('/');
  while (end !== -1) {
    const start = steps.at(-1)?.prefix.length ?? 0;
    steps.push({ name: prefix.slice(start, end) || '/', prefix: prefix.slice(0, end + 1) });
    end = prefix.indexOf('/', end + 1);
  }
  return steps;
}

/** How an object can be looked at in the panel. */
export function previewKind(contentType: string | null, key: string): 'image' | 'text' | null {
  const type = (contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';
  // An SVG shown as an image runs no script.
  if (/^image\/(png|jpeg|gif|webp|avif|svg\+xml)$/.test(type)) {
    return 'image';
  }
  if (/^text\/|^application\/(json|xml|javascript|x-ndjson|yaml|toml)$|\+(json|xml)$/.test(type)) {
    return 'text';
  }
  return /\.(html?|txt|md|json|xml|csv|ya?ml|toml|log)$/i.test(key) ? 'text' : null;
}
