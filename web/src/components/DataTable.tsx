import { Box, Button, Paper, Skeleton, UnstyledButton, VisuallyHidden } from '@mantine/core';
import { IconArrowDown, IconArrowUp } from '@tabler/icons-react';
import type { ReactNode } from 'react';
import { Link, useLocation } from 'wouter';
import classes from './DataTable.module.css';
import type { List } from './list';
import { ErrorState } from './states';

export interface Column<T> {
  /** The heading; also the label of the value where there is no room for columns. */
  header: string;
  cell: (row: T) => ReactNode;
  /** Numbers stand right. */
  align?: 'right';
  /** A CSS width; a length is also the least width. */
  width?: string;
  /** Names that must not break. */
  nowrap?: boolean;
  /** What the list is sorted by when the heading is chosen. */
  sortKey?: string;
}

interface DataTableProps<T> {
  /** What the table holds, for those who cannot see it. */
  label: string;
  list: List<T>;
  columns: Column<T>[];
  rowKey: (row: T) => string;
  /** What stands there when the list is empty. */
  empty: ReactNode;
  /** Where a row leads; its first cell is the link. */
  rowHref?: (row: T) => string | undefined;
  /** What a row without an address opens; its first cell is the button. */
  onOpen?: (row: T) => void;
  /** Buttons at the end of a row. */
  rowActions?: (row: T) => ReactNode;
  /** The key that the list is sorted by, with `-` before it when the order is turned around. */
  sort?: string;
  onSort?: (key: string) => void;
}

/** A table with its loading, empty and error states. On narrow screens every row is a card. */
export function DataTable<T>(props: DataTableProps<T>) {
  const { list, label, empty } = props;
  const rows = list.rows;
  if (!rows && list.error) {
    return <ErrorState error={list.error} retry={list.retry} />;
  }
  return (
    <>
      {rows && Boolean(list.error) && (
        <Box mb="sm">
          <ErrorState error={list.error} retry={list.retry} />
        </Box>
      )}
      <Paper withBorder className={classes.frame}>
        {rows?.length === 0 ? empty : <Rows {...props} />}
        {rows && list.hasMore && (
          <div className={classes.more}>
            <Button variant="default" size="xs" onClick={list.loadMore} loading={list.loadingMore}>
              Load more
            </Button>
          </div>
        )}
        <VisuallyHidden role="status">{rows ? '' : `Loading ${label}`}</VisuallyHidden>
      </Paper>
    </>
  );
}

function Rows<T>(props: DataTableProps<T>) {
  const { list, label, columns, rowKey, rowHref, onOpen, rowActions } = props;
  const [, navigate] = useLocation();
  return (
    <table className={classes.table} aria-busy={!list.rows}>
      <caption className={classes.caption}>{label}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <Heading key={column.header} column={column} sort={props.sort} onSort={props.onSort} />
          ))}
          {rowActions && (
            <th scope="col">
              <VisuallyHidden>Actions</VisuallyHidden>
            </th>
          )}
        </tr>
      </thead>
      <tbody>
        {list.rows
          ? list.rows.map((row) => {
              const href = rowHref?.(row);
              const open = href ? () => navigate(href) : onOpen && (() => onOpen(row));
              return (
                // The opener in the first cell is what keyboards reach; the row is a larger target.
                <tr
                  key={rowKey(row)}
                  data-link={open ? true : undefined}
                  onClick={(event) => {
                    if (!(event.target as HTMLElement).closest('a,button,input,label')) {
                      open?.();
                    }
                  }}
                >
                  {columns.map((column, index) => (
                    <td
                      key={column.header}
                      data-label={column.header}
                      data-align={column.align}
                      data-nowrap={column.nowrap}
                    >
                      {open && index === 0 ? (
                        <Opener href={href} open={open}>
                          {column.cell(row)}
                        </Opener>
                      ) : (
                        column.cell(row)
                      )}
                    </td>
                  ))}
                  {rowActions && <td className={classes.actions}>{rowActions(row)}</td>}
                </tr>
              );
            })
          : [0, 1, 2, 3].map((line) => (
              <tr key={line} aria-hidden>
                {columns.map((column) => (
                  <td key={column.header} data-label={column.header}>
                    <Skeleton height={14} width={line % 2 ? '60%' : '80%'} />
                  </td>
                ))}
                {rowActions && <td />}
              </tr>
            ))}
      </tbody>
    </table>
  );
}

interface HeadingProps<T> {
  column: Column<T>;
  sort: string | undefined;
  onSort: ((key: string) => void) | undefined;
}

function Heading<T>({ column, sort, onSort }: HeadingProps<T>) {
  const { header, align, width, sortKey } = column;
  const sorted = sortKey !== undefined && sort?.replace(/^-/, '') === sortKey;
  const direction = sort?.startsWith('-') ? 'descending' : 'ascending';
  return (
    <th
      scope="col"
      data-align={align}
      style={{ width, minWidth: width }}
      aria-sort={sorted ? direction : undefined}
    >
      {sortKey !== undefined && onSort ? (
        <UnstyledButton className={classes.heading} onClick={() => onSort(sortKey)}>
          {header}
          {sorted &&
            (direction === 'ascending' ? <IconArrowUp size={13} /> : <IconArrowDown size={13} />)}
        </UnstyledButton>
      ) : (
        header
      )}
    </th>
  );
}

interface OpenerProps {
  href: string | undefined;
  open: () => void;
  children: ReactNode;
}

function Opener({ href, open, children }: OpenerProps) {
  return href ? (
    <Link href={href} className={classes.link}>
      {children}
    </Link>
  ) : (
    <UnstyledButton onClick={open} className={classes.link}>
      {children}
    </UnstyledButton>
  );
}
