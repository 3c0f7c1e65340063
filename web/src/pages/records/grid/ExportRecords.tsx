import { Button, Group, Modal, Progress, SegmentedControl, Stack, Text } from '@mantine/core';
import { useRef, useState } from 'react';
import type { Collection } from '@/api/types';
import { toastDone, toastError } from '@/components/actions';
import { saveFile, saveJson } from '@/components/download';
import { formatCount } from '@/format';
import { columnFields } from './columns';
import { loadAll, MAX_RECORDS, toCsv } from './export';
import { effectiveFilter } from './state';

interface ExportRecordsProps {
  opened: boolean;
  onClose: () => void;
  collection: Collection;
  filter: string;
  total: number;
}

/** All records that match the filter, as a file. */
export function ExportRecords({ opened, onClose, ...rest }: ExportRecordsProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Export records of ${rest.collection.name}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {opened && <Exporting onClose={onClose} {...rest} />}
    </Modal>
  );
}

function Exporting({ onClose, collection, filter, total }: Omit<ExportRecordsProps, 'opened'>) {
  const [format, setFormat] = useState('json');
  const [loaded, setLoaded] = useState<number | null>(null);
  const abort = useRef<AbortController | null>(null);
  const close = () => {
    abort.current?.abort();
    onClose();
  };
  const run = async () => {
    abort.current = new AbortController();
    setLoaded(0);
    try {
      const records = await loadAll(
        collection,
        effectiveFilter(filter, collection),
        setLoaded,
        abort.current.signal,
      );
      if (format === 'csv') {
        const columns = ['id', ...columnFields(collection).map(({ name }) => name)];
        saveFile(`${collection.name}.csv`, toCsv(columns, records), 'text/csv');
      } else {
        saveJson(
          `${collection.name}.json`,
          records.map(({ expand: _, ...record }) => record),
        );
      }
      toastDone(`${formatCount(records.length)} records are exported.`);
      onClose();
    } catch (error) {
      if (!abort.current.signal.aborted) {
        toastError(error);
      }
      setLoaded(null);
    }
  };
  return (
    <Stack>
      <Text size="sm">
        {formatCount(total)} {filter ? 'records match the filter.' : 'records.'}
        {total > MAX_RECORDS && ` The first ${formatCount(MAX_RECORDS)} are exported.`}
      </Text>
      <SegmentedControl
        aria-label="Format"
        data={[
          { value: 'json', label: 'JSON' },
          { value: 'csv', label: 'CSV' },
        ]}
        value={format}
        onChange={setFormat}
      />
      {loaded !== null && (
        <Progress value={total > 0 ? (loaded / total) * 100 : 100} aria-label="Progress" />
      )}
      <Group justify="flex-end">
        <Button variant="default" onClick={close}>
          Cancel
        </Button>
        <Button onClick={() => void run()} loading={loaded !== null}>
          Export
        </Button>
      </Group>
    </Stack>
  );
}
