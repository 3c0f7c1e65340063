import { Anchor } from '@mantine/core';
import { Link } from 'wouter';

/** A record by its collection and id, leading to its page. */
export function RecordLink({ collection, id }: { collection: string; id: string }) {
  const href = `/records/${encodeURIComponent(collection)}/${encodeURIComponent(id)}`;
  return (
    <Anchor component={Link} href={href} size="sm">
      {collection}/{id}
    </Anchor>
  );
}
