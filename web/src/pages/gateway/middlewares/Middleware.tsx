import { SimpleGrid } from '@mantine/core';
import { useParams } from 'wouter';
import { nameOf } from '../names';
import { OptionList } from '../OptionList';
import { middlewareOptions, purpose } from '../options';
import { ObjectLead, ObjectPage, Part, UsedBy } from '../parts';
import { useObject } from '../queries';
import type { MiddlewareInfo } from '../types';

/** One middleware: its options, and who uses it. */
export default function Middleware() {
  const name = nameOf(useParams<{ name: string }>().name);
  const query = useObject<MiddlewareInfo>('middlewares', name);
  return (
    <ObjectPage
      kind="middlewares"
      noun="middleware"
      name={name}
      query={query}
      lead={({ status, type }) => (
        <ObjectLead status={status}>
          {type}
          {purpose(type) && `: ${purpose(type)}`}
        </ObjectLead>
      )}
    >
      {(middleware) => (
        <SimpleGrid cols={{ base: 1, md: 2 }}>
          <Part title="Options">
            <OptionList options={middlewareOptions(middleware)} />
          </Part>
          <UsedBy object={middleware} />
        </SimpleGrid>
      )}
    </ObjectPage>
  );
}
