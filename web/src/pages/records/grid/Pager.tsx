import { Group, Pagination, Select, Text } from '@mantine/core';
import { formatCount } from '@/format';
import { PAGE_SIZES } from './state';

interface PagerProps {
  page: number;
  perPage: number;
  total: number;
  onPage: (page: number) => void;
  onPerPage: (perPage: number) => void;
}

/** Where in the list one is, and the way to its other pages. */
export function Pager({ page, perPage, total, onPage, onPerPage }: PagerProps) {
  const pages = Math.max(1, Math.ceil(total / perPage));
  const first = Math.min(total, (page - 1) * perPage + 1);
  const last = Math.min(total, page * perPage);
  return (
    <Group justify="space-between" gap="sm">
      <Text size="sm" c="dimmed" role="status">
        {total === 0
          ? 'No records'
          : `${formatCount(first)}–${formatCount(last)} of ${formatCount(total)}`}
      </Text>
      <Group gap="sm">
        <Select
          aria-label="Records on a page"
          size="xs"
          w={110}
          allowDeselect={false}
          data={PAGE_SIZES.map((size) => ({ value: String(size), label: `${size} a page` }))}
          value={String(perPage)}
          onChange={(value) => value && onPerPage(Number(value))}
        />
        {pages > 1 && (
          <Pagination
            size="sm"
            total={pages}
            value={Math.min(page, pages)}
            onChange={onPage}
            siblings={1}
            getControlProps={(control) => ({ 'aria-label': `${control} page` })}
          />
        )}
      </Group>
    </Group>
  );
}
