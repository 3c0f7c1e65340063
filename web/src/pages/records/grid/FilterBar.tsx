import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  Popover,
  ScrollArea,
  Stack,
  Tooltip,
} from '@mantine/core';
import { IconColumns3, IconRefresh, IconSearch, IconX } from '@tabler/icons-react';
import { useEffect, useMemo, useState } from 'react';
import type { Collection, CollectionField } from '@/api/types';
import { FilterInput } from '../language/FilterInput';
import { useCollections } from '../queries';
import { columnFields } from './columns';

interface FilterBarProps {
  collection: Collection;
  filter: string;
  onFilter: (filter: string) => void;
  error: string | undefined;
  columns: CollectionField[];
  onToggleColumn: (name: string) => void;
  onResetColumns: () => void;
  onRefresh: () => void;
  refreshing: boolean;
}

/** Filter, columns and refreshing. */
export function FilterBar(props: FilterBarProps) {
  const { collection, filter, onFilter } = props;
  const { data: collections = [] } = useCollections();
  const [text, setText] = useState(filter);
  useEffect(() => setText(filter), [filter]);
  const scope = useMemo(
    () => ({ collection, collections, isRule: false }),
    [collection, collections],
  );
  // Words without an operator are a search, in which nothing can be wrong.
  const isSearch = !/[=~<>]/.test(text);
  return (
    <Group gap="xs" align="flex-start" wrap="nowrap">
      <FilterInput
        label="Search or filter"
        hideLabel
        placeholder="Search or filter"
        leftSection={<IconSearch size={16} />}
        value={text}
        onChange={setText}
        scope={scope}
        unchecked={isSearch}
        onEnter={() => onFilter(text)}
        error={props.error}
      />
      {filter !== '' && (
        <Tooltip label="Show all">
          <ActionIcon
            variant="default"
            size={36}
            aria-label="Show all"
            onClick={() => onFilter('')}
          >
            <IconX size={18} />
          </ActionIcon>
        </Tooltip>
      )}
      <Columns {...props} />
      <Tooltip label="Load again">
        <ActionIcon
          variant="default"
          size={36}
          aria-label="Load again"
          loading={props.refreshing}
          onClick={props.onRefresh}
        >
          <IconRefresh size={18} />
        </ActionIcon>
      </Tooltip>
    </Group>
  );
}

function Columns({ collection, columns, onToggleColumn, onResetColumns }: FilterBarProps) {
  return (
    <Popover position="bottom-end" trapFocus>
      <Popover.Target>
        <ActionIcon variant="default" size={36} aria-label="Columns">
          <IconColumns3 size={18} />
        </ActionIcon>
      </Popover.Target>
      <Popover.Dropdown>
        <ScrollArea.Autosize mah={320}>
          <Stack gap={6}>
            {columnFields(collection).map(({ name }) => (
              <Checkbox
                key={name}
                size="sm"
                label={name}
                checked={columns.some((column) => column.name === name)}
                onChange={() => onToggleColumn(name)}
              />
            ))}
          </Stack>
        </ScrollArea.Autosize>
        <Button size="compact-xs" variant="subtle" mt="xs" onClick={onResetColumns}>
          As at first
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}
