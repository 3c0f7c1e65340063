import { Code, Paper, Title } from '@mantine/core';
import { useQueries, useQuery } from '@tanstack/react-query';
import { useParams } from 'wouter';
import { Details } from '@/components/Details';
import { fullName, nameOf } from '../names';
import { ObjectLead, ObjectLinks, ObjectPage, Words } from '../parts';
import { objectQuery, useObject } from '../queries';
import type { MiddlewareInfo, RouterInfo, ServiceInfo } from '../types';
import { Flow } from './Flow';
import { flowOf, priorityText } from './flow';

/** One router: the way of its requests, and everything about it. */
export default function Router() {
  const name = nameOf(useParams<{ name: string }>().name);
  const query = useObject<RouterInfo>('routers', name);
  return (
    <ObjectPage
      kind="routers"
      noun="router"
      name={name}
      query={query}
      lead={({ status, provider }) => (
        <ObjectLead status={status}>router of the provider {provider}</ObjectLead>
      )}
    >
      {(router) => (
        <>
          <Way router={router} />
          <Facts router={router} />
        </>
      )}
    </ObjectPage>
  );
}

function Way({ router }: { router: RouterInfo }) {
  const { provider } = router;
  const middlewares = useQueries({
    queries: (router.middlewares ?? []).map((name) =>
      objectQuery<MiddlewareInfo>('middlewares', fullName(name, provider)),
    ),
  });
  const service = useQuery(
    objectQuery<ServiceInfo>('services', fullName(router.service, provider)),
  );
  const stages = flowOf(
    router,
    middlewares.map(({ data }) => data),
    service.data,
  );
  return (
    <Paper withBorder p="md">
      <Flow stages={stages} />
    </Paper>
  );
}

function Facts({ router }: { router: RouterInfo }) {
  const { provider, tls } = router;
  return (
    <section aria-labelledby="router-facts">
      <Title order={2} id="router-facts" mb="xs">
        Details
      </Title>
      <Paper withBorder px="md" py="xs">
        <Details
          items={[
            ['Rule', <Code key="rule">{router.rule}</Code>],
            ['Priority', priorityText(router)],
            ['Entry points', <Words key="entry" words={router.entryPoints} />],
            [
              'Middlewares',
              <ObjectLinks
                key="middlewares"
                kind="middlewares"
                names={router.middlewares}
                provider={provider}
              />,
            ],
            [
              'Service',
              <ObjectLinks
                key="service"
                kind="services"
                names={[router.service]}
                provider={provider}
              />,
            ],
            ['TLS', tls ? tlsText(tls) : 'as its entry point'],
            ['Provider', provider],
          ]}
        />
      </Paper>
    </section>
  );
}

function tlsText({ certResolver, options }: NonNullable<RouterInfo['tls']>): string {
  const resolver = certResolver ? `certificates by ${certResolver}` : 'on';
  return options && options !== 'default' ? `${resolver}, options ${options}` : resolver;
}
