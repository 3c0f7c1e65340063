import { Anchor, Button, Skeleton } from '@mantine/core';
import { IconFileCode, IconTrash } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link, useLocation, useParams, useSearchParams } from 'wouter';
import { confirm, useAction } from '@/components/actions';
import { Page } from '@/components/Page';
import { EmptyState, ErrorState } from '@/components/states';
import { mayLeave } from '@/components/unsaved';
import { nameOf } from '../names';
import { FileEditor } from './FileEditor';
import { deleteFile, fileKey, useFile } from './queries';

const CRUMBS = [{ label: 'Configuration', href: '/gateway/files' }];

/** One file of the configuration, to be edited. */
export default function File() {
  const name = nameOf(useParams<{ name: string }>().name);
  const isNew = useSearchParams()[0].get('new') === '1';
  const { data, error, refetch } = useFile(name);
  // What is being written stays, even when the file is deleted elsewhere.
  const [wasThere, setWasThere] = useState(false);
  if (data && !wasThere) {
    setWasThere(true);
  }
  const missing = data === null && !isNew && !wasThere;
  return (
    <Page
      title={name}
      crumbs={CRUMBS}
      lead={data === null && isNew ? 'A new file, not yet applied' : undefined}
      actions={data && <Delete name={name} />}
    >
      {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
      {data === undefined && !error && <Skeleton height={360} />}
      {missing && (
        <EmptyState icon={IconFileCode} title="There is no file of this name">
          It may have been deleted. See{' '}
          <Anchor component={Link} href="/gateway/files" size="sm" underline="always">
            all files
          </Anchor>
          .
        </EmptyState>
      )}
      {data !== undefined && !missing && <FileEditor key={name} name={name} stored={data} />}
    </Page>
  );
}

function Delete({ name }: { name: string }) {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const deletion = useAction<void>({
    run: async () => {
      await deleteFile(name);
      navigate('/gateway/files');
      client.removeQueries({ queryKey: fileKey(name) });
    },
    done: () => `The file ${name} is deleted.`,
    refresh: [['gateway']],
  });
  const ask = () => {
    if (mayLeave()) {
      confirm({
        title: `Delete ${name}?`,
        text: 'What it routes is not reached any more from that moment.',
        verb: 'Delete',
        onConfirm: () => deletion.mutate(),
      });
    }
  };
  return (
    <Button
      variant="default"
      c="red"
      leftSection={<IconTrash size={16} />}
      loading={deletion.isPending}
      onClick={ask}
    >
      Delete
    </Button>
  );
}
