/** Which fields have a column, remembered in this browser for each collection. */

import { useLocalStorage } from '@mantine/hooks';
import { useMemo } from 'react';
import type { Collection, CollectionField } from '@/api/types';

const DEFAULT_COLUMNS = 7;

/** Fields that can have a column. */
export function columnFields({ fields }: Collection): CollectionField[] {
  return fields.filter(
    ({ name, type }) => type !== 'password' && name !== 'tokenKey' && name !== 'id',
  );
}

/** The columns of a collection that nobody has chosen columns for. */
export function defaultColumns(collection: Collection): string[] {
  const fields = columnFields(collection).filter(({ hidden }) => !hidden);
  const telling = fields.filter(({ type }) => type !== 'editor' && type !== 'autodate');
  const dates = fields.filter(({ type }) => type === 'autodate').slice(0, 1);
  return [...telling.slice(0, DEFAULT_COLUMNS - dates.length), ...dates].map(({ name }) => name);
}

/** The columns in the order of the fields; those of fields that are gone are left out. */
export function useColumns(collection: Collection) {
  const [stored, setStored, reset] = useLocalStorage<string[] | null>({
    key: `mito-columns-${collection.id}`,
    defaultValue: null,
    getInitialValueInEffect: false,
  });
  const names = useMemo(() => stored ?? defaultColumns(collection), [stored, collection]);
  const columns = useMemo(
    () => columnFields(collection).filter(({ name }) => names.includes(name)),
    [names, collection],
  );
  const toggle = (name: string) =>
    setStored(names.includes(name) ? names.filter((one) => one !== name) : [...names, name]);
  return { columns, toggle, reset };
}
