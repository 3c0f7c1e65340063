import { Checkbox, Paper, Skeleton, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { Collection, CollectionField, RecordRow } from '@/api/types';
import { useFileToken } from '../form/files';
import { useCollections } from '../queries';
import { Cell } from './Cell';
import classes from './RecordTable.module.css';

interface RecordTableProps {
  collection: Collection;
  columns: CollectionField[];
  records: RecordRow[] | undefined;
  sort: string;
  onSort: (field: string) => void;
  selected: ReadonlySet<string>;
  onSelect: (ids: ReadonlySet<string>) => void;
  onOpen: (id: string) => void;
  /** Whether newer rows are on their way. */
  isStale: boolean;
  empty: ReactNode;
}

/** The records in rows; on narrow screens every record is a card. */
export function RecordTable(props: RecordTableProps) {
  const { collection, columns, records, selected, onSelect } = props;
  const { data: collections = [] } = useCollections();
  const token = useFileToken(columns);
  if (records?.length === 0) {
    return <Paper withBorder>{props.empty}</Paper>;
  }
  const ids = records?.map(({ id }) => id) ?? [];
  const all = ids.length > 0 && ids.every((id) => selected.has(id));
  const toggle = (id: string) => {
    const next = new Set(selected);
    if (!next.delete(id)) {
      next.add(id);
    }
    onSelect(next);
  };
  return (
    <Paper withBorder className={classes.frame} data-stale={props.isStale || undefined}>
      <table className={classes.table} aria-busy={!records || props.isStale}>
        <caption className={classes.caption}>Records of {collection.name}</caption>
        <thead>
          <tr>
            <th scope="col" className={classes.check}>
              <Checkbox
                size="xs"
                aria-label="Select all records of this page"
                checked={all}
                indeterminate={!all && ids.some((id) => selected.has(id))}
                onChange={() => onSelect(new Set(all ? [] : ids))}
              />
            </th>
            <Heading name="id" {...props} />
            {columns.map(({ name }) => (
              <Heading key={name} name={name} {...props} />
            ))}
          </tr>
        </thead>
        <tbody>
          {records ? (
            records.map((record) => (
              // The button in the cell of the id is what keyboards reach.
              <tr
                key={record.id}
                data-selected={selected.has(record.id) || undefined}
                onClick={(event) => {
                  if (!(event.target as HTMLElement).closest('a,button,input,label')) {
                    props.onOpen(record.id);
                  }
                }}
              >
                <td className={classes.check}>
                  <Checkbox
                    size="xs"
                    aria-label={`Select ${record.id}`}
                    checked={selected.has(record.id)}
                    onChange={() => toggle(record.id)}
                  />
                </td>
                <td className={classes.id}>
                  <UnstyledButton onClick={() => props.onOpen(record.id)} className={classes.open}>
                    {record.id}
                  </UnstyledButton>
                </td>
                {columns.map((field) => (
                  <td
                    key={field.name}
                    data-label={field.name}
                    data-type={field.type}
                    data-align={field.type === 'number' ? 'right' : undefined}
                  >
                    <Cell
                      collection={collection}
                      collections={collections}
                      field={field}
                      record={record}
                      token={token}
                    />
                  </td>
                ))}
              </tr>
            ))
          ) : (
            <Placeholders columns={columns.length + 2} />
          )}
        </tbody>
      </table>
    </Paper>
  );
}

function Heading({
  name,
  sort,
  onSort,
  columns,
}: Pick<RecordTableProps, 'sort' | 'onSort' | 'columns'> & { name: string }) {
  const direction = sort === name ? 'ascending' : sort === `-${name}` ? 'descending' : undefined;
  const type = columns.find((column) => column.name === name)?.type;
  return (
    <th scope="col" aria-sort={direction} data-align={type === 'number' ? 'right' : undefined}>
      <UnstyledButton className={classes.heading} onClick={() => onSort(name)}>
        {name}
        {direction === 'ascending' && <IconArrowUp size={13} />}
        {direction === 'descending' && <IconArrowDown size={13} />}
      </UnstyledButton>
    </th>
  );
}

function Placeholders({ columns }: { columns: number }) {
  return [1, 2, 3, 4, 5].map((line) => (
    <tr key={line} aria-hidden>
      {Array.from({ length: columns }, (_, column) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all the same
        <td key={column}>
          <Skeleton height={12} width={line % 2 ? '55%' : '80%'} />
        </td>
      ))}
    </tr>
  ));
}
