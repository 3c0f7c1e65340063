/** Settings while they are edited: values by dotted paths. */

/** The value at a path such as `backups.s3.bucket`. */
export function valueAt(settings: object, path: string): unknown {
  let current: unknown = settings;
  for (const name of path.split('.')) {
    current =
      typeof current === 'object' && current !== null
        ? (current as Record<string, unknown>)[name]
        : undefined;
  }
  return current;
}

/** The settings with another value at a path; the rest is shared. */
export function withValue<T extends object>(settings: T, path: string, value: unknown): T {
  const [name = '', ...rest] = path.split('.');
  const own = settings as Record<string, unknown>;
  const next =
    rest.length === 0 ? value : withValue((own[name] ?? {}) as object, rest.join('.'), value);
  return { ...settings, [name]: next };
}

/** The top-level parts in which two settings differ, as they are afterwards. */
export function changedParts<T extends object>(before: T, after: T): Partial<T> {
  const names = Object.keys(after) as (keyof T)[];
  const changed = names.filter(
    (name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  return Object.fromEntries(changed.map((name) => [name, after[name]])) as Partial<T>;
}
