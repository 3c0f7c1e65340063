import { Button } from '@mantine/core';
import { IconTable } from '@tabler/icons-react';
import { Link } from 'wouter';
import { EmptyState } from '@/components/states';

/** What stands at the address of a collection that there is not. */
export function MissingCollection({ name }: { name: string }) {
  return (
    <EmptyState
      icon={IconTable}
      title={`There is no collection called ${name}`}
      action={
        <Button component={Link} href="/records" variant="default">
          All collections
        </Button>
      }
    >
      It may have been deleted or renamed.
    </EmptyState>
  );
}
